//! The JSON of 3.x as it is sent. Everything is optional here, so that what is missing is said by
//! its own code and not as a failed parse.

use serde::Deserialize;

use crate::json::{Object, Text, TextOrNumber};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Event<'a> {
    #[serde(borrow, rename = "eventID")]
    pub(super) event_id: Option<Text<'a>>,
    pub(super) is_retracted: Option<bool>,
    pub(super) event_date_time: Option<Text<'a>>,
    pub(super) event_updated_date_time: Option<Text<'a>>,
    pub(super) event_location: Option<Object<Location<'a>>>,
    pub(super) event_classification: Option<Object<Classification<'a>>>,
    pub(super) shipment_details: Option<Object<ShipmentDetails<'a>>>,
    pub(super) transport_details: Option<Object<TransportDetails<'a>>>,
    pub(super) equipment_details: Option<Object<EquipmentDetails<'a>>>,
    pub(super) iot_details: Option<Object<IotDetails<'a>>>,
    pub(super) reefer_details: Option<Object<ReeferDetails<'a>>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Classification<'a> {
    #[serde(borrow)]
    pub(super) event_type_code: Option<Text<'a>>,
    pub(super) event_classifier_code: Option<Text<'a>>,
    pub(super) shipment_event_type_code: Option<Text<'a>>,
    pub(super) transport_event_type_code: Option<Text<'a>>,
    pub(super) equipment_event_type_code: Option<Text<'a>>,
    pub(super) iot_event_type_code: Option<Text<'a>>,
    pub(super) reefer_event_type_code: Option<Text<'a>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Location<'a> {
    #[serde(borrow)]
    pub(super) location_name: Option<Text<'a>>,
    #[serde(rename = "UNLocationCode")]
    pub(super) un_location_code: Option<Text<'a>>,
    pub(super) facility_type_code: Option<Text<'a>>,
    pub(super) facility: Option<Object<Facility<'a>>>,
    pub(super) address: Option<Object<Address<'a>>>,
    pub(super) geo_coordinate: Option<Object<GeoCoordinate<'a>>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Facility<'a> {
    #[serde(borrow)]
    pub(super) facility_name: Option<Text<'a>>,
    pub(super) facility_code: Option<Text<'a>>,
    pub(super) facility_code_list_provider: Option<Text<'a>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Address<'a> {
    #[serde(borrow)]
    pub(super) city: Option<Text<'a>>,
    pub(super) country_code: Option<Text<'a>>,
}

#[derive(Debug, Deserialize)]
pub(super) struct GeoCoordinate<'a> {
    /// A string; carriers also send a number.
    #[serde(borrow)]
    pub(super) latitude: Option<TextOrNumber<'a>>,
    pub(super) longitude: Option<TextOrNumber<'a>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ShipmentDetails<'a> {
    #[serde(borrow)]
    pub(super) document_reference: Option<Object<Coded<'a>>>,
    pub(super) additional_document_references: Option<Vec<Object<Coded<'a>>>>,
    pub(super) shipment_references: Option<Vec<Object<Coded<'a>>>>,
    pub(super) reason: Option<Text<'a>>,
}

/// `DocumentReference` and `ShipmentReference`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Coded<'a> {
    #[serde(borrow)]
    pub(super) type_code: Option<Text<'a>>,
    pub(super) reference: Option<Text<'a>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct TransportDetails<'a> {
    #[serde(borrow)]
    pub(super) delay_reason_codes: Option<Vec<Text<'a>>>,
    pub(super) change_remark: Option<Text<'a>>,
    pub(super) transport_call: Option<Object<TransportCall<'a>>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct TransportCall<'a> {
    #[serde(borrow)]
    pub(super) transport_call_reference: Option<Text<'a>>,
    pub(super) mode_of_transport: Option<Text<'a>>,
    pub(super) service_code_or_reference: Option<Object<Service<'a>>>,
    pub(super) export_voyage_number_or_reference: Option<Object<Voyage<'a>>>,
    pub(super) vessel_transport: Option<Object<Vessel<'a>>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Service<'a> {
    #[serde(borrow)]
    pub(super) carrier_service_code: Option<Text<'a>>,
    pub(super) universal_service_reference: Option<Text<'a>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Voyage<'a> {
    #[serde(borrow)]
    pub(super) carrier_voyage_number: Option<Text<'a>>,
    pub(super) universal_voyage_reference: Option<Text<'a>>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Vessel<'a> {
    #[serde(borrow, rename = "vesselIMONumber")]
    pub(super) vessel_imo_number: Option<Text<'a>>,
    #[serde(rename = "vesselName")]
    pub(super) vessel_name: Option<Text<'a>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct EquipmentDetails<'a> {
    #[serde(borrow)]
    pub(super) equipment_reference: Option<Text<'a>>,
    #[serde(rename = "ISOEquipmentCode")]
    pub(super) iso_equipment_code: Option<Text<'a>>,
    pub(super) empty_indicator_code: Option<Text<'a>>,
    pub(super) movement_type: Option<Text<'a>>,
    pub(super) seals: Option<Vec<Object<Seal<'a>>>>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Seal<'a> {
    #[serde(borrow)]
    pub(super) number: Option<Text<'a>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct IotDetails<'a> {
    #[serde(borrow)]
    pub(super) iot_event_code: Option<Text<'a>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ReeferDetails<'a> {
    #[serde(borrow)]
    pub(super) temperature_unit: Option<Text<'a>>,
    pub(super) internal_setpoint_temperature: Option<f64>,
    pub(super) ambient_measured_temperature: Option<f64>,
    pub(super) temperature_probe_measurements: Option<Vec<Object<Probe<'a>>>>,
    pub(super) setpoint_parameters: Option<Object<ReeferParameters<'a>>>,
    pub(super) measured_parameters: Option<Object<ReeferParameters<'a>>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Probe<'a> {
    pub(super) measured_temperature_value: Option<f64>,
    #[serde(rename = "USDAProbeNumber")]
    pub(super) usda_probe_number: Option<i32>,
    #[serde(borrow, rename = "COAProbeUDMKey")]
    pub(super) coa_probe_udm_key: Option<Text<'a>>,
    pub(super) probe_label: Option<Text<'a>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ReeferParameters<'a> {
    pub(super) o2_percentage: Option<f64>,
    pub(super) co2_percentage: Option<f64>,
    pub(super) humidity_percentage: Option<f64>,
    pub(super) air_exchange_value: Option<f64>,
    #[serde(borrow)]
    pub(super) air_exchange_unit: Option<Text<'a>>,
}
