//! Numbers and codes that transport goes by: their forms, and their check digits.
//!
//! What is here follows from the text alone. Whether a container, a ship or a place of that number
//! exists is not known, and what is done about a wrong digit is its user's to decide.

pub mod air_waybill;
pub mod country;
pub mod imo;
pub mod iso6346;
pub mod sscc;
pub mod tracking_number;
pub mod unlocode;
