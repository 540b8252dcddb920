//! The code lists of DCSA Track & Trace, and what they mean in the shipment model. The tables are
//! the documentation: docs are made from them.

use waybill_schemas::vocabulary::{
    Classifier, ExceptionKind, Milestone, Milestone as M, Mode, ReferenceKind, ReferenceKind as R,
};

use crate::codes::{ReasonList, reason_list};

use self::When::{Always, Booking, Customs, EmptyComesBack, EmptyGoesOut};

/// Which versions of the standard have a code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct In(u8);

pub const V2: In = In(1);
pub const V3: In = In(2);
pub const BOTH: In = In(3);

impl In {
    pub fn has(self, version: In) -> bool {
        self.0 & version.0 != 0
    }
}

/// A code and its milestone. Of several rows with one code the first whose condition holds counts.
#[derive(Debug)]
pub struct Row {
    pub code: &'static str,
    pub versions: In,
    pub when: When,
    pub milestone: Milestone,
    /// The standard's name of the code.
    pub name: &'static str,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    Always,
    /// The document is a booking or a booking request (`BKG`, `CBR`).
    Booking,
    /// The document is of customs (`CUS`, `CUC`).
    Customs,
    /// The unit is empty and comes in after its cargo was delivered: not at the customer's
    /// (`CLOC`), where an empty unit comes in to be stuffed, nor on a border or on the way, and
    /// its movement, if stated, is no export.
    EmptyComesBack,
    /// The unit is empty and goes out to be stuffed: not from the customer's, where it was
    /// stripped, nor on a border or on the way, and its movement, if stated, is no import.
    EmptyGoesOut,
}

/// Reasons of delay that say more than that it is one. (The list itself is SMDG's, and DCSA's
/// documents show this one of it.)
pub static DELAY: ReasonList =
    reason_list!("smdg-delay", "SMDG", "SMDG Delay Reason and Port Call Activity Code List");

/// A delay it is in any case: the code says why.
pub(super) fn delay_reason(code: &str) -> (ExceptionKind, String) {
    let kind = match DELAY.find(code) {
        None | Some(ExceptionKind::Other) => ExceptionKind::Delay,
        Some(kind) => kind,
    };
    (kind, ["SMDG/", code].concat())
}

/// What the conditions look at.
#[derive(Clone, Copy, Debug, Default)]
pub struct Circumstances<'a> {
    pub document: Option<&'a str>,
    pub empty: Option<bool>,
    pub facility_type: Option<&'a str>,
    /// `IMPORT`, `EXPORT`, `TRANSSHIPMENT` (3.x only).
    pub movement: Option<&'a str>,
}

impl When {
    fn holds(self, of: Circumstances<'_>) -> bool {
        let document = |codes: &[&str]| of.document.is_some_and(|d| codes.contains(&d));
        // A unit without cargo passes depots and terminals for a reason of its own only there.
        let empty_at_carrier = of.empty == Some(true)
            && !matches!(of.facility_type, Some("CLOC" | "BOCR" | "BORD" | "WAYP"));
        match self {
            Self::Always => true,
            Self::Booking => document(&["BKG", "CBR", "BOK"]),
            Self::Customs => document(&["CUS", "CUC"]),
            Self::EmptyComesBack => empty_at_carrier && of.movement != Some("EXPORT"),
            Self::EmptyGoesOut => empty_at_carrier && of.movement != Some("IMPORT"),
        }
    }
}

/// The milestone of `code` in `version`, or `None` if the list has no such code.
pub fn milestone(
    rows: &[Row],
    code: &str,
    version: In,
    of: Circumstances<'_>,
) -> Option<Milestone> {
    rows.iter()
        .filter(|row| row.code == code && row.versions.has(version))
        .find(|row| row.when.holds(of))
        .map(|row| row.milestone)
}

const fn row(
    code: &'static str,
    versions: In,
    when: When,
    milestone: Milestone,
    name: &'static str,
) -> Row {
    Row { code, versions, when, milestone, name }
}

/// `shipmentEventTypeCode`: what became of a document.
pub const SHIPMENT: &[Row] = &[
    row("RECE", BOTH, Booking, M::BookingRequested, "Received"),
    row("RECE", BOTH, Always, M::DocumentReceived, "Received"),
    row("DRFT", BOTH, Always, M::DocumentDrafted, "Drafted"),
    row("PENA", BOTH, Always, M::DocumentPending, "Pending Approval"),
    row("PENU", BOTH, Always, M::DocumentPending, "Pending Update"),
    row("PENC", V2, Always, M::DocumentPending, "Pending Confirmation"),
    row("REJE", BOTH, Booking, M::BookingDeclined, "Rejected"),
    row("REJE", BOTH, Always, M::DocumentRejected, "Rejected"),
    row("APPR", BOTH, Always, M::DocumentApproved, "Approved"),
    row("ISSU", BOTH, Always, M::DocumentIssued, "Issued"),
    row("SURR", BOTH, Always, M::DocumentSurrendered, "Surrendered"),
    row("SUBM", BOTH, Booking, M::BookingRequested, "Submitted"),
    row("SUBM", BOTH, Always, M::DocumentSubmitted, "Submitted"),
    row("VOID", BOTH, Booking, M::BookingCancelled, "Void"),
    row("VOID", BOTH, Always, M::DocumentVoided, "Void"),
    row("CONF", BOTH, Booking, M::BookingConfirmed, "Confirmed"),
    row("CONF", BOTH, Always, M::DocumentApproved, "Confirmed"),
    row("REQS", BOTH, Booking, M::BookingRequested, "Requested"),
    row("REQS", BOTH, Always, M::Other, "Requested"),
    row("CMPL", BOTH, Always, M::Other, "Completed"),
    row("HOLD", BOTH, Customs, M::CustomsHold, "On Hold"),
    row("HOLD", BOTH, Always, M::DocumentOnHold, "On Hold"),
    row("RELS", BOTH, Customs, M::CustomsReleased, "Released"),
    row("RELS", BOTH, Always, M::DocumentReleased, "Released"),
    row("CANC", BOTH, Booking, M::BookingCancelled, "Cancelled"),
    row("CANC", BOTH, Always, M::DocumentVoided, "Cancelled"),
    row("DECL", V3, Booking, M::BookingDeclined, "Declined"),
    row("DECL", V3, Always, M::DocumentRejected, "Declined"),
    row("CACF", V3, Booking, M::BookingCancelled, "Cancellation Confirmed"),
    row("CACF", V3, Always, M::DocumentVoided, "Cancellation Confirmed"),
    row("CADC", V3, Always, M::Other, "Cancellation Declined"),
    row("CARE", V3, Always, M::Other, "Cancellation Received"),
    row("PENM", V3, Always, M::DocumentPending, "Pending Amendment"),
    row("PSAM", V3, Always, M::DocumentPending, "Pending Surrender for Amendment"),
    row("PSDL", V3, Always, M::DocumentPending, "Pending Surrender for Delivery"),
    row("SUAM", V3, Always, M::DocumentSurrendered, "Surrendered for Amendment"),
    row("SUDL", V3, Always, M::DocumentSurrendered, "Surrendered for Delivery"),
    row("AMCF", V3, Always, M::Other, "Amendment Confirmed"),
    row("AMCN", V3, Always, M::Other, "Amendment Cancelled"),
    row("AMDC", V3, Always, M::Other, "Amendment Declined"),
    row("AMPR", V3, Always, M::Other, "Amendment In Progress"),
    row("AMRE", V3, Always, M::Other, "Amendment Received"),
    row("UPCF", V3, Always, M::Other, "Update Confirmed"),
    row("UPCN", V3, Always, M::Other, "Update Cancelled"),
    row("UPDC", V3, Always, M::Other, "Update Declined"),
    row("UPDT", V3, Always, M::Other, "Update In Progress"),
    row("UPRE", V3, Always, M::Other, "Update Received"),
];

/// `transportEventTypeCode`: what the vessel, train, truck or barge did.
pub const TRANSPORT: &[Row] = &[
    row("ARRI", BOTH, Always, M::Arrived, "Arrived"),
    row("DEPA", BOTH, Always, M::Departed, "Departed"),
];

/// `equipmentEventTypeCode`: what happened to the container.
pub const EQUIPMENT: &[Row] = &[
    row("LOAD", BOTH, Always, M::Loaded, "Loaded"),
    row("DISC", BOTH, Always, M::Discharged, "Discharged"),
    row("GTIN", BOTH, EmptyComesBack, M::EmptyReturned, "Gated in"),
    row("GTIN", BOTH, Always, M::GateIn, "Gated in"),
    row("GTOT", BOTH, EmptyGoesOut, M::EmptyPickedUp, "Gated out"),
    row("GTOT", BOTH, Always, M::GateOut, "Gated out"),
    row("STUF", BOTH, Always, M::Stuffed, "Stuffed"),
    row("STRP", BOTH, Always, M::Stripped, "Stripped"),
    row("PICK", BOTH, Always, M::PickedUp, "Pick-up"),
    row("DROP", BOTH, Always, M::DroppedOff, "Drop-off"),
    row("INSP", BOTH, Always, M::Inspected, "Inspected"),
    row("RSEA", BOTH, Always, M::Resealed, "Resealed"),
    row("RMVD", BOTH, Always, M::Removed, "Removed"),
    // Ready to be fetched or brought is not fetched or brought.
    row("AVPU", V3, Always, M::Other, "Available for Pick-up"),
    row("AVDO", V3, Always, M::Other, "Available for Drop-off"),
    // Selected is not yet scanned or inspected: until customs release it, it is held.
    row("CUSS", V3, Always, M::CustomsHold, "Customs Selected for Scan"),
    row("CUSI", V3, Always, M::CustomsHold, "Customs Selected for Inspection"),
    row("CUSR", V3, Always, M::CustomsReleased, "Customs Released"),
    row("CROS", V3, Always, M::Other, "Crossed"),
];

/// `iotEventCode` under `iotEventTypeCode` `DETC`.
pub const IOT: &[Row] = &[
    row("LOC", V3, Always, M::SensorReading, "Location update"),
    row("DRO", V3, Always, M::SensorAlert, "Door opened"),
    row("DRC", V3, Always, M::SensorReading, "Door closed"),
];

/// `reeferEventTypeCode`.
pub const REEFER: &[Row] = &[
    row("MEAS", V3, Always, M::SensorReading, "Measured"),
    row("ADJU", V3, Always, M::SensorReading, "Adjusted"),
];

/// A document type.
#[derive(Debug)]
pub struct DocumentType {
    pub code: &'static str,
    pub versions: In,
    pub reference: ReferenceKind,
    /// Its name in shipment ids.
    pub kind: &'static str,
}

const fn document(
    code: &'static str,
    versions: In,
    reference: ReferenceKind,
    kind: &'static str,
) -> DocumentType {
    DocumentType { code, versions, reference, kind }
}

/// `documentTypeCode` and `documentReferenceType` (2.x), `documentReference.typeCode` (3.x).
pub const DOCUMENTS: &[DocumentType] = &[
    document("BKG", BOTH, R::Booking, "booking"),
    document("TRD", BOTH, R::TransportDocument, "transport_document"),
    document("SHI", BOTH, R::ShippingInstruction, "shipping_instruction"),
    document("ARN", BOTH, R::ArrivalNotice, "arrival_notice"),
    document("CBR", BOTH, R::Other, "booking_request"),
    document("VGM", BOTH, R::Other, "verified_gross_mass"),
    document("CAS", BOTH, R::Other, "cargo_survey"),
    document("DGD", BOTH, R::Other, "dangerous_goods_declaration"),
    document("OOG", BOTH, R::Other, "out_of_gauge"),
    document("SRM", V2, R::Other, "shipment_release"),
    document("CUS", V2, R::Other, "customs_inspection"),
    // Deprecated in 2.2 together with its field `shipmentInformationTypeCode`.
    document("BOK", V2, R::Booking, "booking"),
    document("AMF", V3, R::Other, "advance_manifest"),
    document("CEA", V3, R::Other, "certificate_of_analysis"),
    document("CEO", V3, R::Other, "certificate_of_origin"),
    document("CQU", V3, R::Other, "contract_quotation"),
    document("CRO", V3, R::Other, "container_release_order"),
    document("CUC", V3, R::Other, "customs_clearance"),
    document("DEI", V3, R::Other, "delivery_instructions"),
    document("DEO", V3, R::Other, "delivery_order"),
    document("FCE", V3, R::Other, "fumigation_certificate"),
    document("HCE", V3, R::Other, "health_certificate"),
    document("ICE", V3, R::Other, "inspection_certificate"),
    document("INV", V3, R::Other, "invoice"),
    document("PCE", V3, R::Other, "phytosanitary_certificate"),
    document("PFD", V3, R::Other, "proof_of_delivery"),
    document("TRO", V3, R::Other, "transport_order"),
    document("VCE", V3, R::Other, "veterinary_certificate"),
];

pub fn document_type(code: &str, version: In) -> Option<&'static DocumentType> {
    DOCUMENTS.iter().find(|d| d.code == code && d.versions.has(version))
}

/// `referenceType` (2.x), `shipmentReferences.typeCode` (3.x).
pub const REFERENCES: &[(&str, In, ReferenceKind)] = &[
    ("EQ", BOTH, R::Container),
    ("FF", BOTH, R::ForwarderReference),
    ("SI", BOTH, R::ShipperReference),
    ("PO", BOTH, R::PurchaseOrder),
    ("CR", BOTH, R::CustomerReference),
    ("AAO", BOTH, R::ConsigneeReference),
    ("CSI", BOTH, R::CustomerReference),
    ("ECR", BOTH, R::Other),
    ("BPR", BOTH, R::Other),
    ("BID", BOTH, R::Other),
    ("AES", V3, R::Other),
    ("CER", V3, R::Other),
    ("DUE", V3, R::Other),
    ("RUC", V3, R::Other),
];

/// `facilityTypeCode`.
pub const FACILITY_TYPES: &[(&str, In, &str)] = &[
    ("BOCR", V2, "Border crossing"),
    ("BORD", V3, "Border"),
    ("CLOC", BOTH, "Customer location"),
    ("COFS", BOTH, "Container freight station"),
    ("COYA", V2, "Deprecated: use OFFD"),
    ("DEPO", BOTH, "Depot"),
    ("INTE", BOTH, "Inland terminal"),
    ("OFFD", BOTH, "Off-dock storage"),
    ("POTE", BOTH, "Port terminal"),
    ("RAMP", BOTH, "Ramp"),
    ("WAYP", V3, "Waypoint"),
];

/// `modeOfTransport`.
pub const MODES: &[(&str, In, Mode)] = &[
    ("VESSEL", BOTH, Mode::Ocean),
    ("RAIL", BOTH, Mode::Rail),
    ("TRUCK", BOTH, Mode::Road),
    ("BARGE", BOTH, Mode::Barge),
    ("MULTIMODAL", V3, Mode::Multimodal),
];

/// `eventClassifierCode`. `REQ` is of DCSA's operational events, and counts as planned.
pub const CLASSIFIERS: &[(&str, In, Classifier)] = &[
    ("ACT", BOTH, Classifier::Actual),
    ("EST", BOTH, Classifier::Estimated),
    ("PLN", BOTH, Classifier::Planned),
    ("REQ", V2, Classifier::Planned),
];

/// `emptyIndicatorCode`: whether the unit is empty.
pub const EMPTY_INDICATORS: &[(&str, In, bool)] = &[("EMPTY", BOTH, true), ("LADEN", BOTH, false)];

/// `facilityCodeListProvider`.
pub const FACILITY_LISTS: &[(&str, In, ())] = &[("SMDG", BOTH, ()), ("BIC", BOTH, ())];

/// What `code` means in one of the tables above.
pub fn meaning<T: Copy>(table: &[(&str, In, T)], code: &str, version: In) -> Option<T> {
    table.iter().find(|(own, versions, _)| *own == code && versions.has(version)).map(|row| row.2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn milestones() {
        let check = |rows: &[Row], code: &str, version: In, of: Circumstances<'_>, expect| {
            assert_eq!(milestone(rows, code, version, of), expect, "{code} {of:?}");
        };
        let plain = Circumstances::default();
        let document = |d| Circumstances { document: Some(d), ..plain };
        let empty = Circumstances { empty: Some(true), ..plain };
        let laden = Circumstances { empty: Some(false), ..plain };
        let at = |f| Circumstances { facility_type: Some(f), ..empty };
        let moving = |m| Circumstances { movement: Some(m), ..empty };

        check(SHIPMENT, "CONF", V2, document("BKG"), Some(M::BookingConfirmed));
        check(SHIPMENT, "CONF", V2, document("SHI"), Some(M::DocumentApproved));
        check(SHIPMENT, "REJE", V3, document("CBR"), Some(M::BookingDeclined));
        check(SHIPMENT, "HOLD", V2, document("CUS"), Some(M::CustomsHold));
        check(SHIPMENT, "RELS", V3, document("CUC"), Some(M::CustomsReleased));
        check(SHIPMENT, "RELS", V3, document("TRD"), Some(M::DocumentReleased));
        check(SHIPMENT, "DECL", V2, document("BKG"), None);
        check(SHIPMENT, "PENC", V3, plain, None);
        check(SHIPMENT, "conf", V2, plain, None);

        check(EQUIPMENT, "GTIN", V2, empty, Some(M::EmptyReturned));
        check(EQUIPMENT, "GTIN", V2, laden, Some(M::GateIn));
        check(EQUIPMENT, "GTIN", V2, plain, Some(M::GateIn));
        check(EQUIPMENT, "GTIN", V2, at("DEPO"), Some(M::EmptyReturned));
        check(EQUIPMENT, "GTIN", V2, at("CLOC"), Some(M::GateIn));
        check(EQUIPMENT, "GTIN", V3, moving("IMPORT"), Some(M::EmptyReturned));
        check(EQUIPMENT, "GTIN", V3, moving("EXPORT"), Some(M::GateIn));
        check(EQUIPMENT, "GTOT", V2, empty, Some(M::EmptyPickedUp));
        check(EQUIPMENT, "GTOT", V2, laden, Some(M::GateOut));
        check(EQUIPMENT, "GTOT", V2, at("CLOC"), Some(M::GateOut));
        check(EQUIPMENT, "GTOT", V3, at("BORD"), Some(M::GateOut));
        check(EQUIPMENT, "GTOT", V3, moving("IMPORT"), Some(M::GateOut));
        check(EQUIPMENT, "GTOT", V3, moving("EXPORT"), Some(M::EmptyPickedUp));
        check(EQUIPMENT, "CUSR", V3, plain, Some(M::CustomsReleased));
        check(EQUIPMENT, "CUSR", V2, plain, None);
    }

    /// Each code has a row without condition, and it is the last of its rows: so every listed code
    /// has a milestone, and no row is out of reach.
    #[test]
    fn every_code_ends_in_one_unconditional_row() {
        for rows in [SHIPMENT, TRANSPORT, EQUIPMENT, IOT, REEFER] {
            for row in rows {
                let same: Vec<_> = rows.iter().filter(|r| r.code == row.code).collect();
                let (last, before) = same.split_last().unwrap();
                assert_eq!(last.when, Always, "{}", row.code);
                assert!(before.iter().all(|r| r.when != Always), "{}", row.code);
                assert!(same.iter().all(|r| r.versions == row.versions), "{}", row.code);
            }
        }
    }
}
