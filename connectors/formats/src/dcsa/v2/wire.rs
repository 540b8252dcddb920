//! The JSON of 2.x as it is sent. Everything is optional here, so that what is missing is said by
//! its own code and not as a failed parse.

use serde::Deserialize;

use crate::json::{Object, Text, TextOrNumber};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Event<'a> {
    #[serde(borrow, rename = "eventID")]
    pub(super) event_id: Option<Text<'a>>,
    pub(super) event_created_date_time: Option<Text<'a>>,
    pub(super) event_type: Option<Text<'a>>,
    pub(super) event_classifier_code: Option<Text<'a>>,
    pub(super) event_date_time: Option<Text<'a>>,
    /// Deprecated in 2.1.
    pub(super) event_type_code: Option<Text<'a>>,
    pub(super) document_references: Option<Vec<Object<DocumentReference<'a>>>>,
    pub(super) references: Option<Vec<Object<Reference<'a>>>>,
    /// 2.3.
    pub(super) facility_type_code: Option<Text<'a>>,
    // SHIPMENT
    pub(super) shipment_event_type_code: Option<Text<'a>>,
    #[serde(rename = "documentID")]
    pub(super) document_id: Option<Text<'a>>,
    pub(super) document_type_code: Option<Text<'a>>,
    /// Deprecated in 2.1.
    pub(super) shipment_information_type_code: Option<Text<'a>>,
    pub(super) reason: Option<Text<'a>>,
    // TRANSPORT and EQUIPMENT
    pub(super) transport_call: Option<Object<TransportCall<'a>>>,
    // TRANSPORT
    pub(super) transport_event_type_code: Option<Text<'a>>,
    pub(super) delay_reason_code: Option<Text<'a>>,
    pub(super) change_remark: Option<Text<'a>>,
    /// Deprecated in 2.1.
    pub(super) vessel_schedule_change_remark: Option<Text<'a>>,
    // EQUIPMENT
    pub(super) equipment_event_type_code: Option<Text<'a>>,
    pub(super) equipment_reference: Option<Text<'a>>,
    #[serde(rename = "ISOEquipmentCode")]
    pub(super) iso_equipment_code: Option<Text<'a>>,
    pub(super) empty_indicator_code: Option<Text<'a>>,
    pub(super) event_location: Option<Object<Location<'a>>>,
    pub(super) seals: Option<Vec<Object<Seal<'a>>>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct TransportCall<'a> {
    #[serde(borrow, rename = "transportCallID")]
    pub(super) transport_call_id: Option<Text<'a>>,
    /// 2.3.
    pub(super) transport_call_reference: Option<Text<'a>>,
    pub(super) carrier_service_code: Option<Text<'a>>,
    pub(super) export_voyage_number: Option<Text<'a>>,
    /// 2.3.
    pub(super) carrier_export_voyage_number: Option<Text<'a>>,
    /// Deprecated in 2.1.
    pub(super) carrier_voyage_number: Option<Text<'a>>,
    #[serde(rename = "UNLocationCode")]
    pub(super) un_location_code: Option<Text<'a>>,
    pub(super) facility_code: Option<Text<'a>>,
    pub(super) facility_code_list_provider: Option<Text<'a>>,
    pub(super) facility_type_code: Option<Text<'a>>,
    pub(super) other_facility: Option<Text<'a>>,
    pub(super) mode_of_transport: Option<Text<'a>>,
    pub(super) location: Option<Object<Location<'a>>>,
    pub(super) vessel: Option<Object<Vessel<'a>>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Location<'a> {
    #[serde(borrow)]
    pub(super) location_name: Option<Text<'a>>,
    /// A string; carriers also send a number.
    pub(super) latitude: Option<TextOrNumber<'a>>,
    pub(super) longitude: Option<TextOrNumber<'a>>,
    #[serde(rename = "UNLocationCode")]
    pub(super) un_location_code: Option<Text<'a>>,
    pub(super) facility_code: Option<Text<'a>>,
    pub(super) facility_code_list_provider: Option<Text<'a>>,
    pub(super) address: Option<Object<Address<'a>>>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Address<'a> {
    #[serde(borrow)]
    pub(super) city: Option<Text<'a>>,
    pub(super) country: Option<Text<'a>>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Vessel<'a> {
    /// A string; in 2.0 also a number.
    #[serde(borrow, rename = "vesselIMONumber")]
    pub(super) vessel_imo_number: Option<TextOrNumber<'a>>,
    #[serde(rename = "vesselName")]
    pub(super) vessel_name: Option<Text<'a>>,
}

#[derive(Debug, Deserialize)]
pub(super) struct DocumentReference<'a> {
    #[serde(borrow, rename = "documentReferenceType")]
    pub(super) kind: Option<Text<'a>>,
    #[serde(rename = "documentReferenceValue")]
    pub(super) value: Option<Text<'a>>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Reference<'a> {
    #[serde(borrow, rename = "referenceType")]
    pub(super) kind: Option<Text<'a>>,
    #[serde(rename = "referenceValue")]
    pub(super) value: Option<Text<'a>>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Seal<'a> {
    #[serde(borrow, rename = "sealNumber")]
    pub(super) number: Option<Text<'a>>,
}
