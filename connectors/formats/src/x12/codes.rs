//! The code lists of the 214, and the elements that all transaction sets share. A code's name is
//! X12's; lists are those of 004010 and what later versions added.

use waybill_schemas::vocabulary::{
    Classifier, ExceptionKind as E, Milestone as M, Mode, QuantityKind, ReferenceKind,
    ReferenceKind as R,
};

use crate::codes::{CodeList, ReasonList, code, reason, trouble};

/// AT701.
pub const SHIPMENT_STATUS: CodeList = CodeList {
    prefix: "X12",
    name: "X12 1650 Shipment Status Code",
    rows: &[
        code("A3", M::Returned, "Shipment Returned to Shipper"),
        trouble("A7", M::DeliveryAttempted, E::Refused, "Refused by Consignee"),
        trouble("A9", M::InTransit, E::Damage, "Shipment Damaged"),
        code("AF", M::PickedUp, "Carrier Departed Pick-up Location with Shipment"),
        code("AG", M::Delivered, "Estimated Delivery"),
        code("AH", M::DeliveryAttempted, "Attempted Delivery"),
        code("AI", M::InTransit, "Shipment has been Reconsigned"),
        code("AJ", M::OutForDelivery, "Tendered for Delivery"),
        code("AL", M::Loaded, "Shipment Conveyance Loaded to Rail Car"),
        code("AM", M::Loaded, "Loaded on Truck"),
        code("AN", M::Transferred, "Diverted to Air Carrier"),
        code("AP", M::DeliveryAttempted, "Delivery Not Completed"),
        code("AR", M::Arrived, "Rail Arrival at Destination Intermodal Ramp"),
        code("AV", M::AvailableForPickup, "Available for Delivery"),
        code("AW", M::AvailableForPickup, "Shipment Available for Pick-up"),
        code("B6", M::Arrived, "Estimated to Arrive at Carrier Terminal"),
        code("BA", M::PickedUp, "Connecting Line or Cartage Pick-up"),
        code("BC", M::InTransit, "Storage in Transit"),
        trouble("BO", M::InTransit, E::MechanicalFailure, "Shipment Conveyance Reported Bad Order"),
        code("BR", M::InTransit, "Shipment Conveyance Released From Bad Order"),
        code("C1", M::Departed, "Estimated to Depart Terminal Location"),
        trouble("CA", M::BookingCancelled, E::Cancelled, "Shipment Cancelled"),
        code("CB", M::Delivered, "Completed Shipment"),
        code("CD", M::Departed, "Carrier Departed Delivery Location"),
        code("CL", M::Loaded, "Trailer Closed Out"),
        code("CP", M::Loaded, "Completed Loading at Pick-up Location"),
        code("CT", M::CustomsReleased, "Customs Release"),
        code("D1", M::Delivered, "Completed Unloading at Delivery Location"),
        code("DE", M::Other, "Last Free Day without Demurrage for Shipment"),
        code("DO", M::DocumentReceived, "Shipment Delivery Order Received"),
        code("I1", M::GateIn, "In-Gate"),
        code("J1", M::Transferred, "Delivered to Connecting Line"),
        code("K1", M::Arrived, "Arrived at Customs"),
        code("L1", M::InTransit, "Loading"),
        code("LC", M::Loaded, "Shipment Container Loaded to Chassis"),
        trouble(
            "NB",
            M::Received,
            E::DocumentsMissing,
            "Shipment Conveyance Received Without Paperwork",
        ),
        code("OA", M::GateOut, "Out-Gate"),
        trouble(
            "OO",
            M::DocumentReceived,
            E::Missing,
            "Paperwork Received - Did not Receive Shipment or Equipment",
        ),
        code("OP", M::DocumentReleased, "All Paperwork has been Provided to Consignee"),
        code("P1", M::Departed, "Departed Terminal Location"),
        trouble("PA", M::Delivered, E::Missing, "Partial Shipment"),
        trouble("PR", M::CustomsHold, E::CustomsHold, "U.S. Customs Hold at In-Bond Location"),
        code("R1", M::Received, "Received from Prior Carrier"),
        code("RH", M::InTransit, "Shipment Conveyance Released from Hold"),
        code("RL", M::Departed, "Rail Departure from Origin Intermodal Ramp"),
        code("S1", M::DroppedOff, "Trailer Spotted at Consignee's Location"),
        trouble("SD", M::InTransit, E::Delay, "Shipment Delayed"),
        code("UC", M::Discharged, "Shipment Container Unloaded from Chassis"),
        code("UR", M::Discharged, "Shipment Conveyance Unloaded from Rail Car"),
        code("X1", M::Arrived, "Arrived at Delivery Location"),
        code("X2", M::Arrived, "Estimated Date and/or Time of Arrival at Consignee's Location"),
        code("X3", M::Arrived, "Arrived at Pick-up Location"),
        code("X4", M::Arrived, "Arrived at Terminal Location"),
        code("X5", M::Arrived, "Arrived at Delivery Location Loading Dock"),
        code("X6", M::InTransit, "En Route to Delivery Location"),
        code("X8", M::Arrived, "Arrived at Pick-up Location Loading Dock"),
        code("XB", M::ShipmentCreated, "Shipment Acknowledged"),
        code("Y1", M::Arrived, "Arrived at the Multiple Country Consolidation (MCC) Hub"),
    ],
};

/// AT703. What stands in AT705 is when it is to be, except of `X9` and `XA`: when it was agreed.
pub const APPOINTMENT_STATUS: CodeList = CodeList {
    prefix: "X12",
    name: "X12 1652 Shipment Appointment Status Code",
    rows: &[
        code("AA", M::AppointmentSet, "Pick-up Appointment Date and/or Time"),
        code("AB", M::AppointmentSet, "Delivery Appointment Date and/or Time"),
        code("AC", M::AppointmentSet, "Estimated Delivery Appointment Date and/or Time"),
        code("ED", M::AppointmentSet, "Deliver No Earlier Than Date and/or Time"),
        code("EP", M::AppointmentSet, "Pick-up No Earlier Than Date and/or Time"),
        code("LD", M::AppointmentSet, "Deliver No Later Than Date and/or Time"),
        code("LP", M::AppointmentSet, "Pick-up No Later Than Date and/or Time"),
        code("X9", M::AppointmentSet, "Delivery Appointment Secured on This Date and/or Time"),
        code("XA", M::AppointmentSet, "Pick-up Appointment Secured on This Date and/or Time"),
    ],
};

/// AT702 and AT704; 1653, which AT704 was once, is a part of it and of the last rows.
pub const STATUS_REASON: ReasonList = ReasonList {
    prefix: "X12",
    name: "X12 1651 Shipment Status or Appointment Reason Code",
    rows: &[
        reason("A1", Some(E::Missed), "Missed Delivery"),
        reason("A2", Some(E::Address), "Incorrect Address"),
        reason("A3", Some(E::Other), "Indirect Delivery"),
        reason("A4", Some(E::Holiday), "Holiday, Closed"),
        reason("A5", Some(E::Address), "Unable to Locate"),
        reason("A6", Some(E::Address), "Address Corrected - Delivery Attempted"),
        reason("AA", Some(E::Misrouted), "Mis-sort"),
        reason("AD", Some(E::Delay), "Customer Requested Future Delivery"),
        reason("AE", Some(E::Refused), "Restricted Articles Unacceptable"),
        reason("AF", Some(E::Accident), "Accident"),
        reason("AG", Some(E::Other), "Consignee Related"),
        reason("AH", Some(E::Other), "Driver Related"),
        reason("AI", Some(E::MechanicalFailure), "Mechanical Breakdown"),
        reason("AJ", Some(E::Other), "Other Carrier Related"),
        reason("AK", Some(E::Damage), "Damaged, Rewrapped in Hub"),
        reason("AL", Some(E::Delay), "Previous Stop"),
        reason("AM", Some(E::Other), "Shipper Related"),
        reason("AN", Some(E::Holiday), "Holiday - Closed"),
        reason("AO", Some(E::Weather), "Weather or Natural Disaster Related"),
        reason("AP", Some(E::Delay), "Awaiting Export"),
        reason("AQ", Some(E::RecipientAbsent), "Recipient Unavailable - Delivery Delayed"),
        reason("AR", Some(E::DocumentsMissing), "Improper International Paperwork"),
        reason("AS", Some(E::CustomsHold), "Hold Due to Customs Documentation Problems"),
        reason("AT", Some(E::CustomsHold), "Unable to Contact Recipient for Broker Information"),
        reason("AU", Some(E::Delay), "Civil Event Related Delay"),
        reason("AV", Some(E::Other), "Exceeds Service Limitations"),
        reason("AW", Some(E::Missed), "Past Cut-off Time"),
        reason("AX", Some(E::Delay), "Insufficient Pick-up Time"),
        reason("AY", Some(E::Missed), "Missed Pick-up"),
        reason("AZ", None, "Alternate Carrier Delivered"),
        reason("B1", Some(E::RecipientAbsent), "Consignee Closed"),
        reason("B2", Some(E::Delay), "Trap for Customer"),
        reason("B4", Some(E::Payment), "Held for Payment"),
        reason("B5", Some(E::Delay), "Held for Consignee"),
        reason("B8", Some(E::Other), "Improper Unloading Facility or Equipment"),
        reason("B9", Some(E::Delay), "Receiving Time Restricted"),
        reason("BB", Some(E::Delay), "Held per Shipper"),
        reason("BC", Some(E::DocumentsMissing), "Missing Documents"),
        reason("BD", Some(E::CustomsHold), "Border Clearance"),
        reason("BE", Some(E::Delay), "Road Conditions"),
        reason("BF", Some(E::Other), "Carrier Keying Error"),
        reason("BG", Some(E::Other), "Other"),
        reason("BH", Some(E::Delay), "Insufficient Time to Complete Delivery"),
        reason("BI", Some(E::Other), "Cartage Agent"),
        reason("BJ", None, "Customer Wanted Earlier Delivery"),
        reason("BK", None, "Prearranged Appointment"),
        reason("BL", Some(E::Delay), "Held for Protective Service"),
        reason("BM", Some(E::Capacity), "Flatcar Shortage"),
        reason("BN", Some(E::DocumentsMissing), "Failed to Release Billing"),
        reason("BO", Some(E::Delay), "Railroad Failed to Meet Schedule"),
        reason("BP", Some(E::Other), "Load Shifted"),
        reason("BQ", Some(E::Other), "Shipment Overweight"),
        reason("BR", Some(E::Accident), "Train Derailment"),
        reason("BS", Some(E::Refused), "Refused by Customer"),
        reason("BT", Some(E::Other), "Returned to Shipper"),
        reason("C1", Some(E::Delay), "Waiting for Customer Pick-up"),
        reason("C2", Some(E::Payment), "Credit Hold"),
        reason("C3", Some(E::Delay), "Suspended at Customer Request"),
        reason("C4", Some(E::RecipientAbsent), "Customer Vacation"),
        reason("C5", Some(E::Strike), "Customer Strike"),
        reason("C6", Some(E::Delay), "Waiting Shipping Instructions"),
        reason("C7", Some(E::Delay), "Waiting for Customer Specified Carrier"),
        reason("C8", Some(E::Payment), "Collect on Delivery Required"),
        reason("C9", Some(E::Payment), "Cash Not Available From Consignee"),
        reason("CA", Some(E::CustomsHold), "Customs (Import or Export)"),
        reason("CB", Some(E::Other), "No Requested Arrival Date Provided by Shipper"),
        reason("CC", Some(E::Other), "No Requested Arrival Time Provided by Shipper"),
        reason("D1", Some(E::Other), "Carrier Dispatch Error"),
        reason("D2", Some(E::Capacity), "Driver Not Available"),
        reason("E9", Some(E::Delay), "Receiving Time Restricted"),
        reason("F1", Some(E::CustomsHold), "Non-Express Clearance Delay"),
        reason("F2", Some(E::Delay), "International Non-carrier Delay"),
        reason("HB", Some(E::Delay), "Held Pending Appointment"),
        reason("NA", None, "Normal Appointment"),
        reason("NS", None, "Normal Status"),
        reason("P1", Some(E::Delay), "Processing Delay"),
        reason("P2", Some(E::Delay), "Waiting Inspection"),
        reason("P3", Some(E::Delay), "Production Falldown"),
        reason("P4", Some(E::Delay), "Held for Full Carrier Load"),
        reason("RC", Some(E::Other), "Reconsigned"),
        reason("S1", Some(E::Missing), "Delivery Shortage"),
        reason("T1", Some(E::Capacity), "Tractor With Sleeper Car Not Available"),
        reason("T2", Some(E::Capacity), "Tractor, Conventional, Not Available"),
        reason("T3", Some(E::Capacity), "Trailer not Available"),
        reason("T4", Some(E::Capacity), "Trailer Not Usable Due to Prior Product"),
        reason("T5", Some(E::Capacity), "Trailer Class Not Available"),
        reason("T6", Some(E::Capacity), "Trailer Volume Not Available"),
        reason("T7", Some(E::Delay), "Insufficient Delivery Time"),
        reason("WE", Some(E::Weather), "Weather Related"),
    ],
};

/// G6201: dates that a 214's header gives to a milestone.
pub const DATES: CodeList = CodeList {
    prefix: "X12-432",
    name: "X12 432 Date Qualifier: those of a milestone",
    rows: &[
        code("17", M::Delivered, "Estimated Delivery Date"),
        code("35", M::Delivered, "Delivered on This Date"),
        code("69", M::PickedUp, "Scheduled Pickup Date"),
        code("70", M::Delivered, "Scheduled Delivery Date"),
        code("77", M::AppointmentSet, "Pickup Appointment Scheduled Date"),
        code("78", M::AppointmentSet, "Delivery Appointment Scheduled Date"),
    ],
};

/// Codes of a 214 whose date is no fact.
const NOT_ACTUAL: &[(&CodeList, &str, Classifier)] = &[
    (&SHIPMENT_STATUS, "AG", Classifier::Estimated),
    (&SHIPMENT_STATUS, "B6", Classifier::Estimated),
    (&SHIPMENT_STATUS, "C1", Classifier::Estimated),
    (&SHIPMENT_STATUS, "X2", Classifier::Estimated),
    (&SHIPMENT_STATUS, "DE", Classifier::Planned),
    (&APPOINTMENT_STATUS, "AA", Classifier::Planned),
    (&APPOINTMENT_STATUS, "AB", Classifier::Planned),
    (&APPOINTMENT_STATUS, "AC", Classifier::Estimated),
    (&APPOINTMENT_STATUS, "ED", Classifier::Planned),
    (&APPOINTMENT_STATUS, "EP", Classifier::Planned),
    (&APPOINTMENT_STATUS, "LD", Classifier::Planned),
    (&APPOINTMENT_STATUS, "LP", Classifier::Planned),
    (&DATES, "17", Classifier::Estimated),
    (&DATES, "69", Classifier::Planned),
    (&DATES, "70", Classifier::Planned),
    (&DATES, "77", Classifier::Planned),
    (&DATES, "78", Classifier::Planned),
];

pub fn classifier(list: &CodeList, code: &str) -> Classifier {
    NOT_ACTUAL
        .iter()
        .find(|(own, c, _)| own.name == list.name && c.eq_ignore_ascii_case(code))
        .map_or(Classifier::Actual, |row| row.2)
}

/// Statuses that are at the pick-up, and at the delivery: where no place is sent, it is the
/// party's.
pub const AT_PICKUP: &[&str] = &["AF", "CP", "X3", "X8", "L1", "AA", "EP", "LP", "XA"];
pub const AT_DELIVERY: &[&str] = &[
    "A7", "AG", "AH", "AP", "CB", "CD", "D1", "PA", "S1", "X1", "X2", "X5", "AB", "AC", "ED", "LD",
    "X9",
];

/// Whose place that is (N101), the surest first.
pub const PICKUP_PARTIES: &[&str] = &["SF", "SH", "PU", "OT"];
pub const DELIVERY_PARTIES: &[&str] = &["ST", "CN", "UC", "DT"];

/// MS304.
pub const METHODS: &[(&str, Mode)] = &[
    ("A", Mode::Air),
    ("AC", Mode::Air),
    ("AE", Mode::Air),
    ("AF", Mode::Air),
    ("AH", Mode::Air),
    ("B", Mode::Barge),
    ("C", Mode::Road),
    ("D", Mode::Post),
    ("DW", Mode::Road),
    ("E", Mode::Road),
    ("FA", Mode::Air),
    ("FL", Mode::Road),
    ("HH", Mode::Road),
    ("I", Mode::Road),
    ("J", Mode::Road),
    ("K", Mode::Road),
    ("L", Mode::Road),
    ("LA", Mode::Air),
    ("LT", Mode::Road),
    ("M", Mode::Road),
    ("MB", Mode::Road),
    ("MP", Mode::Parcel),
    ("N", Mode::Ocean),
    ("O", Mode::Ocean),
    ("PA", Mode::Air),
    ("PG", Mode::Multimodal),
    ("PR", Mode::Rail),
    ("PT", Mode::Road),
    ("Q", Mode::Ocean),
    ("R", Mode::Rail),
    ("RC", Mode::Rail),
    ("RR", Mode::Rail),
    ("S", Mode::Ocean),
    ("SE", Mode::Multimodal),
    ("SR", Mode::Road),
    ("SS", Mode::Ocean),
    ("ST", Mode::Rail),
    ("TT", Mode::Road),
    ("U", Mode::Parcel),
    ("VA", Mode::Road),
    ("VE", Mode::Ocean),
    ("VL", Mode::Ocean),
    ("W", Mode::Barge),
    ("X", Mode::Multimodal),
    ("Y1", Mode::Ocean),
    ("Y2", Mode::Ocean),
    ("7", Mode::Post),
];

/// 128: qualifiers of what the model knows.
const REFERENCES: &[(&str, ReferenceKind)] = &[
    ("08", R::TrackingNumber),
    ("2I", R::TrackingNumber),
    ("4F", R::CustomerReference),
    ("6A", R::ConsigneeReference),
    ("AW", R::AirWaybill),
    ("BL", R::BillOfLading),
    ("BM", R::BillOfLading),
    ("BN", R::Booking),
    ("CG", R::ConsigneeReference),
    ("CN", R::Pro),
    ("CO", R::CustomerReference),
    ("CP", R::TrackingNumber),
    ("CR", R::CustomerReference),
    ("EQ", R::Container),
    ("FN", R::ForwarderReference),
    ("GM", R::Sscc),
    ("HB", R::Other),
    ("IK", R::Invoice),
    ("IV", R::Invoice),
    ("MA", R::HouseAirWaybill),
    ("MB", R::BillOfLading),
    ("OB", R::BillOfLading),
    ("OC", R::Container),
    ("PO", R::PurchaseOrder),
    ("SI", R::ShipperReference),
    ("SN", R::Seal),
    ("SO", R::ShipperReference),
    ("WY", R::TransportDocument),
];

/// 128: qualifiers of what refers to nothing: stop sequence, SCAC, vessel, voyage, inspection
/// marks.
const NO_REFERENCES: &[&str] = &["QN", "SCA", "WU", "V3", "VT", "X3", "IC", "S5"];

pub fn reference(qualifier: &str) -> Option<ReferenceKind> {
    if NO_REFERENCES.contains(&qualifier) {
        return None;
    }
    let known = REFERENCES.iter().find(|(code, _)| *code == qualifier);
    Some(known.map_or(R::Other, |row| row.1))
}

/// 623: minutes east of UTC; `None` within if it states none, `None` without if there is no such
/// code.
pub fn offset(code: &str) -> Option<Option<i32>> {
    Some(match code {
        "" | "LT" | "AT" | "CT" | "ET" | "HT" | "MT" | "NT" | "PT" | "TT" => None,
        "UT" | "GM" | "Z" => Some(0),
        "AD" | "PS" => Some(-8 * 60),
        "AS" | "HD" => Some(-9 * 60),
        "HS" => Some(-10 * 60),
        "PD" | "MS" => Some(-7 * 60),
        "MD" | "CS" => Some(-6 * 60),
        "CD" | "ES" => Some(-5 * 60),
        "ED" | "TS" => Some(-4 * 60),
        "TD" => Some(-3 * 60),
        "NS" => Some(-3 * 60 - 30),
        "ND" => Some(-2 * 60 - 30),
        // ISO 8601 offsets: 01 to 12 are hours east, 13 to 24 are 12 to 1 hours west.
        numbered if numbered.len() == 2 => match crate::time::number(numbered)? {
            hours @ 1..=12 => Some(i32::from(hours) * 60),
            hours @ 13..=24 => Some((i32::from(hours) - 25) * 60),
            _ => return None,
        },
        _ => return None,
    })
}

/// 187.
pub const WEIGHTS: &[(&str, QuantityKind)] = &[
    ("G", QuantityKind::GrossWeight),
    ("A", QuantityKind::GrossWeight),
    ("N", QuantityKind::NetWeight),
    ("C", QuantityKind::NetWeight),
    ("E", QuantityKind::NetWeight),
    ("T", QuantityKind::TareWeight),
    ("B", QuantityKind::ChargeableWeight),
    ("A1", QuantityKind::ChargeableWeight),
    ("VG", QuantityKind::VerifiedGrossMass),
];

/// 188, in UCUM.
pub const WEIGHT_UNITS: &[(&str, &str)] = &[
    ("E", "t"),
    ("G", "g"),
    ("K", "kg"),
    ("L", "[lb_av]"),
    ("O", "[oz_av]"),
    ("S", "[ston_av]"),
    ("T", "[lton_av]"),
];

/// 184, in UCUM.
pub const VOLUME_UNITS: &[(&str, &str)] =
    &[("E", "[cft_i]"), ("N", "[cin_i]"), ("X", "m3"), ("V", "L"), ("G", "[gal_us]")];

/// 578 (B409, W205), and 322, which is a part of it: whether the unit is empty.
pub fn is_empty(status: &str) -> Option<bool> {
    match status {
        "E" | "W" | "AA" | "AB" | "AI" | "AJ" | "AL" => Some(true),
        "L" | "AC" | "AG" | "AH" | "LI" | "LO" => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offsets() {
        let check = |code, expect| assert_eq!(offset(code), expect, "{code}");
        check("LT", Some(None));
        check("PT", Some(None));
        check("", Some(None));
        check("UT", Some(Some(0)));
        check("ES", Some(Some(-300)));
        check("ED", Some(Some(-240)));
        check("01", Some(Some(60)));
        check("12", Some(Some(720)));
        check("13", Some(Some(-720)));
        check("24", Some(Some(-60)));
        check("25", None);
        check("00", None);
        check("XX", None);
    }

    #[test]
    fn no_code_stands_twice() {
        for list in [&SHIPMENT_STATUS, &APPOINTMENT_STATUS, &DATES] {
            for row in list.rows {
                assert_eq!(list.rows.iter().filter(|r| r.code == row.code).count(), 1);
            }
        }
        // One prefix: the codes of both lists stand in AT7.
        for row in APPOINTMENT_STATUS.rows {
            assert!(SHIPMENT_STATUS.find(row.code).is_none());
        }
        for row in STATUS_REASON.rows {
            assert_eq!(STATUS_REASON.rows.iter().filter(|r| r.code == row.code).count(), 1);
        }
        for (list, code, _) in NOT_ACTUAL {
            assert!(list.find(code).is_some(), "{code}");
        }
    }
}
