//! Every list of codes and of reasons, for the docs and for those who look a code up.

use crate::codes::{CodeList, ReasonList, code_list};
use crate::{air, dcsa, easypost, edifact, epcis, ocean, parcel, rail, shippo, terminal49, x12};

/// A list that no code needs: a dialect names it.
macro_rules! of_dialect {
    ($table:literal, $prefix:literal, $name:literal) => {{
        static LIST: CodeList = code_list!($table, $prefix, $name);
        &LIST
    }};
}

/// Lists of codes that tell what happened.
pub static LISTS: &[&CodeList] = &[
    &x12::codes::APPOINTMENT_STATUS,
    &x12::codes::DATES,
    &x12::codes::SHIPMENT_STATUS,
    &x12::status::EVENTS,
    &x12::status::STATUS,
    &edifact::codes::GATE_REPORT,
    &edifact::codes::VESSEL_REPORT,
    &edifact::status::STATUS,
    &epcis::codes::BIZ_STEPS,
    &epcis::codes::DISPOSITIONS,
    &epcis::codes::ERROR_REASONS,
    &epcis::codes::EVENTS,
    &air::codes::STATUS,
    &air::fwb::LINES,
    &ocean::cma_cgm::EVENTS,
    &ocean::maersk::EVENTS,
    &rail::SIGHTINGS,
    of_dialect!("asendia", "ASENDIA", "Asendia event code"),
    &parcel::australia_post::DESCRIPTIONS,
    &parcel::bpost::STATES,
    &parcel::canada_post::EVENTS,
    of_dialect!("chronopost", "CHRONOPOST", "Chronopost event code"),
    of_dialect!("dhl-ecommerce-americas", "DHLECS", "DHL eCommerce Americas event"),
    &parcel::dhl_express::CHECKPOINTS,
    &parcel::dhl_parcel_de::EVENTS,
    of_dialect!("dhl-poland", "DHL_POLAND", "DHL24 status"),
    &parcel::dhl_unified::STATUSES,
    of_dialect!("dpd", "DPD", "DPD parcel life cycle status"),
    &parcel::fedex::codes::EVENTS,
    of_dialect!("gls", "GLS", "GLS event code, or its group"),
    of_dialect!("hermes", "HERMES", "Hermes Germany event code"),
    of_dialect!("la-poste", "LAPOSTE", "La Poste Suivi v2 event code"),
    of_dialect!("landmark", "LANDMARK", "Landmark event code, or its words"),
    of_dialect!("lasership", "LASERSHIP", "LaserShip event type"),
    of_dialect!("ontrac", "ONTRAC", "OnTrac status code"),
    of_dialect!("parcelone", "PARCELONE", "ParcelOne status code"),
    of_dialect!("purolator", "PUROLATOR", "Purolator scan type"),
    of_dialect!("royal-mail", "ROYAL_MAIL", "Royal Mail event code"),
    of_dialect!("seko", "SEKO", "SEKO OmniCode"),
    of_dialect!("sendle", "SENDLE", "Sendle event type"),
    &parcel::smartkargo::EVENTS,
    of_dialect!("spring", "SPRING", "Spring XBS event code"),
    of_dialect!("stamps", "STAMPS", "Stamps.com tracking event type"),
    of_dialect!("teleship", "TELESHIP", "Teleship event code"),
    &parcel::ups::ACTIVITIES,
    &parcel::ups::STATUSES,
    &parcel::ups::TYPES,
    &parcel::ups::quantum_view::LIST,
    &parcel::usps::codes::EVENTS,
    of_dialect!("aftership", "AFTERSHIP", "AfterShip subtag, or tag"),
    of_dialect!("ship24", "SHIP24", "Ship24 status code, or milestone"),
    of_dialect!("shipengine", "SHIPENGINE", "ShipEngine status code, or detail code"),
    of_dialect!("track17", "17TRACK", "17TRACK sub-status, or stage"),
    &shippo::STATUSES,
    &easypost::DETAILS,
    &easypost::STATUSES,
    &terminal49::codes::EVENTS,
];

/// Lists of codes that tell why.
pub static REASONS: &[&ReasonList] = &[
    &x12::codes::LADING_EXCEPTION,
    &x12::codes::STATUS_REASON,
    &x12::status::REASONS,
    &edifact::codes::REASONS,
    &air::codes::DISCREPANCY,
    &parcel::fedex::codes::DELAYS,
    &parcel::fedex::codes::REASONS,
    &dcsa::codes::DELAY,
];
