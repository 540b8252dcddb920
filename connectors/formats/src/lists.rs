//! Every list of codes and of reasons, for the docs and for those who look a code up.

use crate::codes::{CodeList, ReasonList};
use crate::{air, dcsa, easypost, edifact, epcis, parcel, terminal49, x12};

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
    &parcel::asendia::EVENTS,
    &parcel::australia_post::DESCRIPTIONS,
    &parcel::bpost::STATES,
    &parcel::canada_post::EVENTS,
    &parcel::chronopost::EVENTS,
    &parcel::dhl_express::CHECKPOINTS,
    &parcel::dhl_parcel_de::EVENTS,
    &parcel::dhl_poland::STATUSES,
    &parcel::dhl_unified::STATUSES,
    &parcel::dpd::STATUSES,
    &parcel::fedex::codes::EVENTS,
    &parcel::gls::EVENTS,
    &parcel::hermes::codes::EVENTS,
    &parcel::la_poste::EVENTS,
    &parcel::parcelone::STATUSES,
    &parcel::royal_mail::EVENTS,
    &parcel::seko::codes::EVENTS,
    &parcel::sendle::EVENTS,
    &parcel::smartkargo::EVENTS,
    &parcel::spring::EVENTS,
    &parcel::stamps::EVENTS,
    &parcel::teleship::EVENTS,
    &parcel::ups::ACTIVITIES,
    &parcel::ups::STATUSES,
    &parcel::ups::TYPES,
    &parcel::usps::codes::EVENTS,
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
