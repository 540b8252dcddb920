//! The names of the standard's fields, of both versions, and those beyond it that carriers are known to
//! send and that are read.

use std::sync::LazyLock;

/// Of the schemas' properties (`TNT_v2.2.0-resolved.yaml`, `tnt_v2.3.0.yaml` with the event domain 2.0.2,
/// `TNT_v3.0.0.yaml`), in the order of their letters without regard to case.
const NAMES: &[&str] = &[
    "additionalDocumentReferences",
    "address",
    "addressLines",
    "airExchangeUnit",
    "airExchangeValue",
    "ambientMeasuredTemperature",
    "billOfLadingNumber",
    "bookingNumber",
    "bookingReference",
    "callbackUrl",
    "carrierBookingReference",
    "carrierBookingRequestReference",
    "carrierExportVoyageNumber",
    "carrierImportVoyageNumber",
    "carrierServiceCode",
    "carrierVoyageNumber",
    "changeRemark",
    "city",
    "cityName",
    "classifier",
    "co2Percentage",
    "COAProbeUDMKey",
    "codeListName",
    "codeListProvider",
    "country",
    "countryCode",
    "created",
    "delayReasonCode",
    "delayReasonCodes",
    "departureID",
    "destinationParty",
    "documentID",
    "documentReference",
    "documentReferenceReplacements",
    "documentReferences",
    "documentReferenceType",
    "documentReferenceValue",
    "documentTypeCode",
    "emptyIndicatorCode",
    "equipmentDetails",
    "equipmentEventTypeCode",
    "equipmentReference",
    "errorDateTime",
    "errors",
    "eventClassification",
    "eventClassifierCode",
    "eventCreatedDateTime",
    "eventDateTime",
    "eventID",
    "eventLocation",
    "eventRouting",
    "events",
    "eventType",
    "eventTypeCode",
    "eventTypes",
    "eventUpdatedDateTime",
    "exportVoyageNumber",
    "exportVoyageNumberOrReference",
    "facility",
    "facilityCode",
    "facilityCodeListProvider",
    "facilityName",
    "facilityTypeCode",
    "feedbackElements",
    "floor",
    "forwardingParties",
    "geoCoordinate",
    "headers",
    "httpMethod",
    "humidityPercentage",
    "importVoyageNumber",
    "importVoyageNumberOrReference",
    "internalSetpointTemperature",
    "iotDetails",
    "iotEventCode",
    "iotEventTypeCode",
    "isBulbMode",
    "isColdTreatmentRequired",
    "isControlledAtmosphereRequired",
    "isDrainholesOpen",
    "ISOEquipmentCode",
    "isRetracted",
    "isVentilationOpen",
    "keyId",
    "latitude",
    "licensePlate",
    "location",
    "locationName",
    "longitude",
    "measuredParameters",
    "measuredTemperatureValue",
    "message",
    "milesToDestinationPort",
    "modeOfTransport",
    "movementType",
    "name",
    "newReferences",
    "number",
    "o2Percentage",
    "oldReferences",
    "operationsEventTypeCode",
    "operatorCarrierCode",
    "operatorCarrierCodeListProvider",
    "originatingParty",
    "otherFacility",
    "partyCode",
    "partyFunction",
    "placement",
    "POBox",
    "portCallPhaseTypeCode",
    "portCallServiceTypeCode",
    "portVisitReference",
    "postCode",
    "priceCalculationDate",
    "probeLabel",
    "propertyPath",
    "publisher",
    "publisherRole",
    "railCarReference",
    "railServiceReference",
    "railTransport",
    "reason",
    "reeferDetails",
    "reeferEventTypeCode",
    "reference",
    "references",
    "referenceType",
    "referenceValue",
    "remark",
    "requestUri",
    "scheduleID",
    "sealNumber",
    "seals",
    "sealSource",
    "sealType",
    "secret",
    "serviceCodeOrReference",
    "setpointParameters",
    "severity",
    "shipmentDetails",
    "shipmentEventTypeCode",
    "shipmentID",
    "shipmentInformationTypeCode",
    "shipmentLocationType",
    "shipmentReferenceReplacements",
    "shipmentReferences",
    "signature",
    "source",
    "stateRegion",
    "statusCode",
    "statusCodeText",
    "street",
    "streetNumber",
    "subscriptionCreatedDateTime",
    "subscriptionID",
    "subscriptionUpdatedDateTime",
    "temperatureProbeMeasurements",
    "temperatureUnit",
    "tractorDetails",
    "trailerDetails",
    "transportCall",
    "transportCallID",
    "transportCallReference",
    "transportCallSequenceNumber",
    "transportDetails",
    "transportDocumentID",
    "transportDocumentReference",
    "transportDocumentTypeCode",
    "transportEventTypeCode",
    "transportMode",
    "truckTransport",
    "type",
    "typeCode",
    "universalServiceReference",
    "universalVoyageReference",
    "UNLocationCode",
    "UNLocationName",
    "USDAProbeNumber",
    "value",
    "vehicleIdentificationNumber",
    "vessel",
    "vesselCallSign",
    "vesselCallSignNumber",
    "vesselDraft",
    "vesselDraftUnit",
    "vesselFlag",
    "vesselIMONumber",
    "vesselName",
    "vesselOperatorCarrierCode",
    "vesselOperatorCarrierCodeListProvider",
    "vesselPosition",
    "vesselScheduleChangeRemark",
    "vesselTransport",
];

/// What a field's name is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Name {
    Known,
    /// Written otherwise.
    Spelt,
    Unknown,
}

pub(super) fn of(name: &str) -> Name {
    // Each field of each event is looked for. Few names are alike in this, and to hash one takes longer.
    static ALIKE: LazyLock<Vec<Vec<&str>>> = LazyLock::new(|| {
        let mut alike = vec![Vec::new(); NAMES.iter().map(|n| shape(n) + 1).max().unwrap_or(0)];
        for name in NAMES {
            alike.get_mut(shape(name)).into_iter().for_each(|names| names.push(*name));
        }
        alike
    });
    let alike = ALIKE.get(shape(name)).map_or(&[][..], Vec::as_slice);
    if alike.contains(&name) {
        Name::Known
    } else if alike.iter().any(|known| known.eq_ignore_ascii_case(name)) {
        Name::Spelt
    } else {
        Name::Unknown
    }
}

/// Of its length and its first letter, whose case does not count.
fn shape(name: &str) -> usize {
    let first = name.bytes().next().unwrap_or(0);
    name.len() * 32 + usize::from(first & 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_in_order_and_found() {
        let lower: Vec<String> = NAMES.iter().map(|name| name.to_ascii_lowercase()).collect();
        assert!(lower.is_sorted_by(|a, b| a < b), "{:?}", lower.windows(2).find(|w| w[0] >= w[1]));
        assert!(NAMES.iter().all(|name| of(name) == Name::Known));
        assert_eq!(of("unLocationCode"), Name::Spelt);
        assert_eq!(of("unLocationKode"), Name::Unknown);
    }
}
