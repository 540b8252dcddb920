//! What each format reads, in one program, so that all of it shares what shows a part.
//!
//! A program has one list of formats: tests that add to it (`connected`, `new_carrier`) are others.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

mod air;
mod dialects;
mod docs;
mod edifact;
mod epcis;
mod parcel;
mod samples;
mod shown;
mod x12;
