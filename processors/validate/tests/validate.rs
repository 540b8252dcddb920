//! From an opened message to events and rejects.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use std::sync::Arc;

use waybill_formats::codes::Meaning;
use waybill_schemas::vocabulary::NoteCode;
use waybill_schemas::{EventId, Opened, Proof, Provenance, ShipmentEvent};
use waybill_stage::{Code, Context, Failure, Outputs, Stage};
use waybill_validate::{PrivateCodes, Rules, Validate};

const V2: &str = "application/vnd.dcsa.tnt+json;version=2.2";
const V3: &str = "application/vnd.dcsa.tnt+json;version=3.0";
const HOUR: i64 = 3_600_000;
const DAY: i64 = 24 * HOUR;
/// 2026-01-21T12:00:00Z
const RECEIVED: i64 = 1_768_996_800_000;

fn apply(
    rules: Rules,
    received_at: i64,
    media_type: &str,
    payload: &[u8],
) -> Result<Outputs<ShipmentEvent>, Failure> {
    let stage = Validate::new(rules, PrivateCodes::default());
    apply_with(&stage, "", received_at, media_type, payload)
}

fn apply_with(
    stage: &Validate,
    handle: &str,
    received_at: i64,
    media_type: &str,
    payload: &[u8],
) -> Result<Outputs<ShipmentEvent>, Failure> {
    let opened = Opened {
        provenance: Arc::new(Provenance {
            carrier_id: "acme".into(),
            message_id: "m-1".into(),
            handle: handle.into(),
            received_at,
            ..Provenance::default()
        }),
        proof: Proof::Signed,
        media_type: media_type.into(),
        payload: payload.to_vec(),
    };
    let mut outputs = Outputs::default();
    stage.apply(&Context::at(4_242), opened, &mut outputs)?;
    Ok(outputs)
}

/// One line a part, in order of position.
fn lines(outputs: &Outputs<ShipmentEvent>) -> Vec<String> {
    let passed = outputs.emitted.iter().map(|e| {
        let flags: String = e.notes.iter().map(|f| format!(" {}", f.as_str())).collect();
        (e.position, format!("{} {}{flags}", e.milestone.as_str(), e.shipment_id))
    });
    let rejects = outputs
        .rejects
        .iter()
        .map(|r| (r.position, format!("{} {}", r.reject.code.as_str(), r.reject.detail)));
    let mut all: Vec<_> = passed.chain(rejects).collect();
    all.sort();
    all.into_iter().map(|(position, line)| format!("{position} {line}")).collect()
}

/// An equipment event that is right, with members put in place of, or beside, its own.
fn equipment(members: &str) -> String {
    let own = [
        ("eventType", r#""EQUIPMENT""#),
        ("eventClassifierCode", r#""ACT""#),
        ("eventDateTime", r#""2026-01-20T12:00:00Z""#),
        ("eventCreatedDateTime", r#""2026-01-20T12:00:00Z""#),
        ("equipmentEventTypeCode", r#""LOAD""#),
        ("emptyIndicatorCode", r#""LADEN""#),
        ("equipmentReference", r#""CSQU3054383""#),
    ];
    event(&own, members)
}

fn event(own: &[(&str, &str)], members: &str) -> String {
    let mut json = String::from("{");
    for (name, value) in own {
        if !members.contains(&format!("\"{name}\":")) {
            json.push_str(&format!("\"{name}\":{value},"));
        }
    }
    json.push_str(members);
    json.truncate(json.trim_end_matches(',').len());
    json + "}"
}

fn check(payload: &str, expect: &str) {
    let outputs = apply(Rules::default(), RECEIVED, V2, payload.as_bytes());
    let line = match outputs {
        Ok(outputs) => lines(&outputs).join("\n"),
        Err(Failure::Reject(reject)) => format!("0 {} {}", reject.code.as_str(), reject.detail),
        Err(other) => panic!("{other:?}"),
    };
    assert_eq!(line, expect, "{payload}");
}

#[test]
fn times_go_by_the_receipt() {
    let at = |ms: i64, classifier: &str| {
        let time = rfc3339(RECEIVED + ms);
        equipment(&format!(
            r#""eventClassifierCode":"{classifier}","eventDateTime":"{time}","eventCreatedDateTime":"{}""#,
            rfc3339(RECEIVED.min(RECEIVED + ms)),
        ))
    };
    let good = "1 loaded acme/CSQU3054383";
    let early = "1 in_future an actual event more than 24 h after its receipt";
    check(&at(0, "ACT"), good);
    check(&at(1, "ACT"), "1 loaded acme/CSQU3054383 in_future");
    check(&at(DAY, "ACT"), "1 loaded acme/CSQU3054383 in_future");
    let tomorrow = equipment(&format!(
        r#""eventDateTime":"{}","eventCreatedDateTime":"{}""#,
        rfc3339(RECEIVED + DAY + 1),
        rfc3339(RECEIVED + 1)
    ));
    check(&tomorrow, early);
    check(&at(DAY + 1, "EST"), good);
    let three_years = Rules::default().max_lead_ms;
    check(&at(three_years, "PLN"), good);
    let ahead = "1 in_future expected more than 1095 days after its receipt";
    check(&at(three_years + 1, "PLN"), ahead);
    check(&at(-three_years, "ACT"), good);
    let old = "1 too_old an event more than 1095 days before its receipt";
    check(&at(-three_years - 1, "ACT"), old);
    check(&at(-three_years - 1, "EST"), old);

    let created =
        |ms: i64| equipment(&format!(r#""eventCreatedDateTime":"{}""#, rfc3339(RECEIVED + ms)));
    check(&created(DAY), good);
    check(&created(DAY + 1), "1 loaded acme/CSQU3054383 odd_field");
}

/// RFC 3339 from ms UTC.
fn rfc3339(ms: i64) -> String {
    jiff::Timestamp::from_millisecond(ms).unwrap().to_string()
}

#[test]
fn settings_move_the_limits() {
    let event = equipment(r#""eventDateTime":"2026-01-20T12:00:00Z""#);
    let line = |rules: Rules| lines(&apply(rules, RECEIVED, V2, event.as_bytes()).unwrap());
    assert!(line(Rules { max_event_age_ms: DAY, ..Rules::default() })[0].contains("loaded"));
    assert!(line(Rules { max_event_age_ms: DAY - 1, ..Rules::default() })[0].contains("too_old"));
}

#[test]
fn numbers_are_normalised_and_flagged() {
    let unit = |number: &str| equipment(&format!(r#""equipmentReference":"{number}""#));
    check(&unit("csqu 305438-3"), "1 loaded acme/CSQU3054383");
    check(&unit("CSQU3054384"), "1 loaded acme/CSQU3054384 container_check_digit");
    check(&unit("chassis 12"), "1 loaded acme/CHASSIS12 container_form");
    let vessel = |imo: &str| {
        equipment(&format!(
            r#""transportCall":{{"transportCallID":"1","modeOfTransport":"VESSEL",
            "vessel":{{"vesselIMONumber":"{imo}"}}}}"#
        ))
    };
    check(&vessel("9074729"), "1 loaded acme/CSQU3054383");
    check(&vessel("9074728"), "1 loaded acme/CSQU3054383 imo_check_digit");

    let outputs = apply(Rules::default(), RECEIVED, V2, unit("csqu 305438-3").as_bytes()).unwrap();
    assert_eq!(outputs.emitted[0].equipment.as_ref().unwrap().number, "CSQU3054383");
}

#[test]
fn shipment_of_an_event() {
    let no_unit = r#""equipmentReference":null,"#;
    let references = |members: &str| equipment(&format!("{no_unit}{members}"));
    let eq = |n: &str| format!(r#"{{"referenceType":"EQ","referenceValue":"{n}"}}"#);
    let doc = |t: &str, n: &str| {
        format!(r#"{{"documentReferenceType":"{t}","documentReferenceValue":"{n}"}}"#)
    };
    let of = |eqs: &[&str], docs: &[(&str, &str)]| {
        let eqs: Vec<_> = eqs.iter().map(|n| eq(n)).collect();
        let docs: Vec<_> = docs.iter().map(|(t, n)| doc(t, n)).collect();
        references(&format!(
            r#""references":[{}],"documentReferences":[{}]"#,
            eqs.join(","),
            docs.join(",")
        ))
    };
    let both = [("TRD", "T1"), ("BKG", "B1")];
    check(&of(&["csqu 3054383"], &both), "1 loaded acme/CSQU3054383");
    check(&of(&["CSQU3054383", "csqu3054383"], &both), "1 loaded acme/CSQU3054383");
    check(&of(&["CSQU3054383", "MSKU0383250"], &both), "1 loaded acme/booking:B1");
    check(&of(&[], &both), "1 loaded acme/booking:B1");
    check(&of(&[], &[("SHI", "S1"), ("TRD", "T1")]), "1 loaded acme/transport_document:T1");
    check(&of(&[], &[("SHI", "S1")]), "1 loaded acme/shipping_instruction:S1");
    check(&of(&[], &[("ARN", "A1")]), "1 loaded acme/arrival_notice:A1");
    let none = "names no unit and no document, so its shipment is not known";
    check(&of(&[], &[("VGM", "V1")]), &format!("1 missing_field {none}"));
    check(&of(&[], &[]), &format!("1 missing_field {none}"));
    check(&format!("[{}]", of(&[], &[])), &format!("1 missing_field /0: {none}"));
    // The unit itself goes before what the references say.
    check(
        &equipment(&format!(r#""references":[{}]"#, eq("MSKU0383250"))),
        "1 loaded acme/CSQU3054383",
    );

    let shipment = |kind: &str| {
        let own = [
            ("eventType", r#""SHIPMENT""#),
            ("eventClassifierCode", r#""ACT""#),
            ("eventDateTime", r#""2026-01-20T12:00:00Z""#),
            ("eventCreatedDateTime", r#""2026-01-20T12:00:00Z""#),
            ("shipmentEventTypeCode", r#""DRFT""#),
            ("documentID", r#""D1""#),
        ];
        event(&own, &format!(r#""documentTypeCode":"{kind}","references":[{}]"#, eq("CSQU3054383")))
    };
    check(&shipment("BKG"), "1 document_drafted acme/booking:D1");
    check(&shipment("TRD"), "1 document_drafted acme/transport_document:D1");
    check(&shipment("VGM"), "1 document_drafted acme/verified_gross_mass:D1");
}

#[test]
fn a_rejected_part_keeps_its_place() {
    let good = equipment("");
    let old = equipment(
        r#""eventDateTime":"2012-01-01T00:00:00Z","eventCreatedDateTime":"2012-01-01T00:00:00Z""#,
    );
    let payload = format!("[{good},{{}},{old},{good}]");
    check(
        &payload,
        "1 loaded acme/CSQU3054383\n\
         2 wrong_structure /1: no field of a DCSA event in it\n\
         3 too_old /2: an event more than 1095 days before its receipt\n\
         4 loaded acme/CSQU3054383",
    );
    let outputs = apply(Rules::default(), RECEIVED, V2, payload.as_bytes()).unwrap();
    let last = outputs.emitted.last().unwrap();
    assert_eq!(last.event_id, EventId::new("acme", "m-1", 4, "acme/CSQU3054383"));
    assert_eq!(last.validated_at, 4_242);
    assert_eq!(last.provenance.received_at, RECEIVED);
    assert!(Arc::ptr_eq(&outputs.emitted[0].provenance, &last.provenance));
}

#[test]
fn a_message_that_is_none_is_one_reject() {
    let check = |media_type: &str, payload: &[u8], code: Code| match apply(
        Rules::default(),
        RECEIVED,
        media_type,
        payload,
    ) {
        Err(Failure::Reject(reject)) => assert_eq!(reject.code, code, "{media_type}"),
        other => panic!("{media_type}: {other:?}"),
    };
    check("application/json", b"{}", Code::UnknownFormat);
    check("application/vnd.dcsa.tnt+json;version=9", b"{}", Code::UnknownFormat);
    check(V2, b"no JSON", Code::Unparsable);
    check(V2, b"{\"someEvents\":[]}", Code::WrongStructure);
    check(V3, b"[]", Code::WrongStructure);
}

/// The standard's own examples, received at a time that suits them.
mod shared {
    use super::*;

    fn check(name: &str, received_at: i64, media_type: &str, expect: &[&str]) {
        let folder =
            std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/dcsa");
        if !folder.is_dir() {
            println!(
                "skipped: {}: ../shared is absent",
                std::thread::current().name().unwrap_or("?")
            );
            return;
        }
        let payload = std::fs::read(folder.join(name)).unwrap();
        let outputs = apply(Rules::default(), received_at, media_type, &payload).unwrap();
        let got: Vec<String> = lines(&outputs)
            .into_iter()
            // A reject up to its pointer's end.
            .map(|l| l.split(": ").next().unwrap_or_default().to_owned())
            .collect();
        assert_eq!(got, expect, "{name}");
    }

    /// 2021-02-01T00:00:00Z
    const IN_2021: i64 = 1_612_137_600_000;

    #[test]
    fn v2() {
        let check = |name, expect: &[&str]| check(name, IN_2021, V2, expect);
        check(
            "tnt-220-response.json",
            &[
                "1 arrived acme/APZU4812090",
                "2 document_drafted acme/shipping_instruction:reserved-HHL123",
                "3 loaded acme/APZU4812090",
                "4 arrived acme/APZU4812090",
                "5 document_drafted acme/booking:ABC123123123",
                "6 loaded acme/APZU4812090",
                "7 document_drafted acme/transport_document:reserved-HHL123",
            ],
        );
        check(
            "tnt-220-response-wrong-attribute-values.json",
            &[
                "1 missing_field /0",
                "2 document_voided acme/arrival_notice:reserved-HHL123",
                "3 removed acme/APZU2134567 odd_field odd_field odd_field container_check_digit",
            ],
        );
        check(
            "tnt-220-response-wrong-date-times.json",
            &[
                "1 document_drafted acme/shipping_instruction:reserved-HHL123",
                "2 document_drafted acme/shipping_instruction:reserved-HHL123 missing_field unknown_field",
                "3 missing_field /2/eventDateTime",
                "4 document_drafted acme/shipping_instruction:reserved-HHL123 odd_field unknown_field",
                "5 document_drafted acme/shipping_instruction:reserved-HHL123 odd_field unknown_field",
                "6 document_drafted acme/shipping_instruction:reserved-HHL123 odd_field unknown_field",
                "7 document_drafted acme/shipping_instruction:reserved-HHL123 unknown_field odd_field",
            ],
        );
        check(
            "tnt-220-response-wrong-event-ids.json",
            &[
                "1 document_drafted acme/shipping_instruction:reserved-HHL123",
                "2 document_drafted acme/booking:ABC123123123",
                "3 document_drafted acme/transport_document:reserved-HHL123",
                "4 document_drafted acme/transport_document:reserved-HHL123 repeated_raw_id",
                "5 document_drafted acme/transport_document:reserved-HHL123",
                "6 document_drafted acme/transport_document:reserved-HHL123",
                "7 document_drafted acme/transport_document:reserved-HHL123 repeated_raw_id",
            ],
        );
        check(
            "tnt-220-response-wrong-structure.json",
            &["1 wrong_structure /0", "2 wrong_structure /1"],
        );
    }

    #[test]
    fn v3() {
        let check = |name, expect: &[&str]| check(name, RECEIVED, V3, expect);
        let unit = "acme/APZU4812090";
        check("tnt-300-request-equipment.json", &["1 loaded acme/APZU4812090"]);
        check("tnt-300-request-iot.json", &["1 sensor_alert acme/APZU4812090"]);
        check("tnt-300-request-reefer.json", &["1 sensor_reading acme/APZU4812090"]);
        check("tnt-300-request-shipment.json", &["1 booking_confirmed acme/booking:ABC709951"]);
        check("tnt-300-request-transport.json", &["1 arrived acme/booking:ABC709951"]);
        check(
            "tnt-300-response.json",
            &[
                "1 booking_confirmed acme/booking:ABC709951",
                "2 departed acme/booking:ABC709951 imo_check_digit",
                &format!("3 empty_returned {unit}"),
                &format!("4 sensor_reading {unit}"),
                &format!("5 sensor_reading {unit}"),
            ],
        );
        check(
            "tnt-300-response-nextpage.json",
            &[
                "1 document_approved acme/booking:ABC709951",
                "2 arrived acme/booking:ABC709951 imo_check_digit",
                &format!("3 discharged {unit}"),
                &format!("4 sensor_reading {unit}"),
                &format!("5 sensor_reading {unit}"),
            ],
        );
    }
}

#[test]
fn flags_of_the_model_that_are_set_here() {
    // The others are enrich's to set.
    let here = [
        NoteCode::InFuture,
        NoteCode::RepeatedRawId,
        NoteCode::ContainerCheckDigit,
        NoteCode::ContainerForm,
        NoteCode::ImoCheckDigit,
    ];
    let twice = equipment(
        r#""eventID":"3cecb101-7a1a-43a4-9d62-e88a131651e2","equipmentReference":"CSQU3054384",
        "eventDateTime":"2026-01-21T13:00:00Z","eventCreatedDateTime":"2026-01-21T12:00:00Z","transportCall":{"transportCallID":"1",
        "modeOfTransport":"VESSEL","vessel":{"vesselIMONumber":"1"}}"#,
    );
    let form = equipment(r#""equipmentReference":"X1""#);
    let payload = format!("[{twice},{twice},{form}]");
    let outputs = apply(Rules::default(), RECEIVED, V2, payload.as_bytes()).unwrap();
    assert_eq!(outputs.emitted.len(), 3);
    for flag in here {
        assert!(outputs.emitted.iter().any(|e| e.notes.contains(&flag)), "{flag:?}");
    }
}

/// Cargo-IMP states a day and a month; the receipt tells the year.
#[test]
fn the_receipt_tells_the_year() {
    const CARGO_IMP: &str = "application/vnd.iata.cargo-imp";
    let occurred = |status: &str, received: &str| -> Vec<String> {
        let received: jiff::Timestamp = received.parse().unwrap();
        let payload = format!("FSU/14\n125-10203045FRASIN/T12K840.5\n{status}\n");
        let outputs =
            apply(Rules::default(), received.as_millisecond(), CARGO_IMP, payload.as_bytes())
                .unwrap();
        let rejects = outputs.rejects.iter().map(|r| r.reject.code.as_str().to_owned());
        let wall = |ms| jiff::Timestamp::from_millisecond(ms).unwrap().to_string();
        outputs.emitted.iter().map(|e| wall(e.occurred.wall_ms)).chain(rejects).collect()
    };
    let check = |status: &str, received: &str, expect: &[&str]| {
        assert_eq!(occurred(status, received), expect, "{status} received {received}");
    };
    let delivered = "DLV/31DEC2350/SIN";
    check(delivered, "2024-01-02T08:00:00Z", &["2023-12-31T23:50:00Z"]);
    check(delivered, "2023-12-31T15:51:00Z", &["2023-12-31T23:50:00Z"]);
    // A day and a bit ahead is this year's, and too early; two days and more ahead is last year's.
    check(delivered, "2023-12-30T00:00:00Z", &["in_future"]);
    check(delivered, "2023-12-29T00:00:00Z", &["2022-12-31T23:50:00Z"]);
    check(delivered, "2024-12-01T00:00:00Z", &["2023-12-31T23:50:00Z"]);
    check("DLV/01JAN0010/SIN", "2023-12-31T17:00:00Z", &["2024-01-01T00:10:00Z"]);
    // Only leap years have it.
    let leap = "DLV/29FEB1200/SIN";
    check(leap, "2024-03-01T00:00:00Z", &["2024-02-29T12:00:00Z"]);
    check(leap, "2023-03-01T00:00:00Z", &["2020-02-29T12:00:00Z"]);
    check(leap, "2027-03-01T00:00:00Z", &["2024-02-29T12:00:00Z"]);
    // 1900 was none.
    check(leap, "1903-03-01T00:00:00Z", &["too_old"]);
    // The day after 28 February, and the day before 1 March, differ with the year.
    let next = "RCF/SQ345/28FEB2300/SIN/T1//A2310-P";
    check(next, "2023-03-01T00:00:00Z", &["2023-02-28T23:00:00Z", "2023-02-27T23:10:00Z"]);
    let before = "RCF/SQ345/01MAR0050/SIN/T1//A2350-P";
    check(before, "2023-03-01T12:00:00Z", &["2023-03-01T00:50:00Z", "2023-02-28T23:50:00Z"]);
    check(before, "2024-03-01T12:00:00Z", &["2024-03-01T00:50:00Z", "2024-02-29T23:50:00Z"]);
    // What is planned is in the nearest year, before or after.
    let booked = "BKD/SQ345/02JAN/FRASIN/T1/S2100/S1530-N";
    let new_year = ["2024-01-02T21:00:00Z", "2024-01-03T15:30:00Z"];
    check(booked, "2023-11-20T00:00:00Z", &new_year);
    check(booked, "2024-01-05T00:00:00Z", &new_year);
    check(booked, "2024-06-01T00:00:00Z", &new_year);
}

/// The envelope of a booking states the day of the month alone, in UTC.
#[test]
fn the_receipt_tells_the_month() {
    let occurred = |day: u32, received: &str| {
        let received: jiff::Timestamp = received.parse().unwrap();
        let payload = format!(
            ".FRAFMLX {day:02}0905\nFSU/14\n125-10203045FRASIN/T12\nBKD/LX1/16NOV/FRAZRH/T12\n"
        );
        let media_type = "application/vnd.iata.cargo-imp";
        let outputs =
            apply(Rules::default(), received.as_millisecond(), media_type, payload.as_bytes());
        let booked = outputs.unwrap().emitted[0].occurred;
        assert_eq!(booked.offset_minutes, Some(0));
        jiff::Timestamp::from_millisecond(booked.wall_ms).unwrap().to_string()
    };
    assert_eq!(occurred(12, "2023-11-12T09:06:00Z"), "2023-11-12T09:05:00Z");
    assert_eq!(occurred(31, "2023-11-01T00:06:00Z"), "2023-10-31T09:05:00Z");
    assert_eq!(occurred(31, "2024-03-01T00:06:00Z"), "2024-01-31T09:05:00Z");
    assert_eq!(occurred(31, "2024-01-01T00:06:00Z"), "2023-12-31T09:05:00Z");
    assert_eq!(occurred(1, "2023-12-31T23:50:00Z"), "2024-01-01T09:05:00Z");
}

/// One status of a motor carrier, with the code and the number of the shipment.
fn edi_214(code: &str, reference: &str) -> String {
    format!(
        "ISA*00*          *00*          *ZZ*ACME           *ZZ*SHIPPER        *260120*0830*U*00401*\
         000000001*0*P*:~GS*QM*ACME*SHIPPER*20260120*0830*1*X*004010~ST*214*0001~\
         B10*{reference}*LOAD1*ACME~LX*1~AT7*{code}*NS***20260120*0800*LT~\
         MS1*SAVANNAH*GA*US~SE*6*0001~GE*1*1~IEA*1*000000001~"
    )
}

#[test]
fn an_operator_maps_private_codes_by_carrier() {
    use waybill_schemas::vocabulary::{ExceptionKind, Milestone};
    let map = |carrier: &str| {
        let mut codes = PrivateCodes::default();
        let loaded = Meaning { milestone: Milestone::Loaded, exception: None };
        assert!(codes.add(carrier, "X12/qq", loaded));
        let damaged = Some(ExceptionKind::Damage);
        let returned = Meaning { milestone: Milestone::Returned, exception: damaged };
        assert!(codes.add(carrier, "X12/A7", returned));
        assert!(!codes.add(carrier, "X12/QQ", returned), "it is said already");
        Validate::new(Rules::default(), codes)
    };
    let check = |stage: &Validate, code: &str, expect: &str| {
        let payload = edi_214(code, "REF1");
        let outputs =
            apply_with(stage, "h", RECEIVED, "application/EDI-X12", payload.as_bytes()).unwrap();
        let found: Vec<String> = outputs
            .emitted
            .iter()
            .map(|e| {
                let flags: String = e.notes.iter().map(|f| format!(" {}", f.as_str())).collect();
                let why: String =
                    e.exceptions.iter().map(|x| format!(" {}", x.kind.as_str())).collect();
                format!("{} {}{flags}{why}", e.milestone.as_str(), e.raw_code)
            })
            .collect();
        assert_eq!(found, [expect], "{code}: {:?}", outputs.rejects);
    };
    check(&Validate::default(), "QQ", "other X12/QQ unmapped_code");
    check(&map("acme"), "QQ", "loaded X12/QQ");
    check(&map("another"), "QQ", "other X12/QQ unmapped_code");
    check(&map("acme"), "AF", "picked_up X12/AF");
    check(&Validate::default(), "A7", "delivery_attempted X12/A7 refused");
    check(&map("acme"), "A7", "returned X12/A7 damage");
}

#[test]
fn an_event_without_any_document_belongs_to_the_handle_it_was_sealed_under() {
    let payload = br#"<getStatusResponse xmlns="urn:x"></getStatusResponse>"#;
    assert!(
        apply(Rules::default(), RECEIVED, "application/vnd.dpd.tracking+xml", payload).is_err()
    );
    let sensor = br#"{"@context": "https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld",
        "type": "ObjectEvent", "action": "OBSERVE", "eventTime": "2026-01-20T10:00:00Z",
        "eventTimeZoneOffset": "+00:00", "epcList": [],
        "readPoint": {"id": "urn:epc:id:sgln:4012345.00001.0"},
        "sensorElementList": [{"sensorReport": [{"type": "Temperature", "value": 4, "uom": "CEL"}]}]}"#;
    let stage = Validate::default();
    let media_type = "application/vnd.gs1.epcis+json";
    let outputs = apply_with(&stage, "probe-7", RECEIVED, media_type, sensor).unwrap();
    assert_eq!(lines(&outputs), ["1 sensor_reading acme/handle:probe-7"]);
    let outputs = apply_with(&stage, "", RECEIVED, media_type, sensor).unwrap();
    assert!(lines(&outputs)[0].starts_with("1 missing_field"), "{:?}", lines(&outputs));
}

#[test]
fn check_digits_are_flagged_and_rejected_never() {
    let check = |media_type: &str, payload: String, expect: &str| {
        let stage = Validate::default();
        let outputs = apply_with(&stage, "h", RECEIVED, media_type, payload.as_bytes()).unwrap();
        assert_eq!(lines(&outputs), [expect]);
    };
    let air_waybill = |number: &str, expect: &str| {
        let payload = format!("FSU/14\r\n{number}FRAJFK/T1K10\r\nRCS/20JAN1000/FRA/T1K10\r\n");
        check("application/vnd.iata.cargo-imp", payload, expect);
    };
    air_waybill("020-12345675", "1 accepted acme/air_waybill:020-12345675");
    air_waybill("020-12345676", "1 accepted acme/air_waybill:020-12345676 air_waybill_check_digit");
    let sscc = |number: &str, expect: &str| {
        let payload = format!(
            r#"{{"@context": "https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld",
            "type": "ObjectEvent", "action": "OBSERVE", "eventTime": "2026-01-20T10:00:00Z",
            "eventTimeZoneOffset": "+00:00", "epcList": ["https://id.gs1.org/00/{number}"],
            "bizStep": "departing"}}"#
        );
        check("application/vnd.gs1.epcis+json", payload, expect);
    };
    sscc("106141412345678908", "1 departed acme/sscc:106141412345678908");
    sscc("106141412345678907", "1 departed acme/sscc:106141412345678907 sscc_check_digit");
    let tracking_number = |number: &str, expect: &str| {
        let payload = format!(
            r#"{{"trackResponse":{{"shipment":{{"package":{{"trackingNumber":"{number}","activity":
            [{{"date":"20260120","time":"100000","status":{{"type":"D"}}}}]}}}}}}}}"#
        );
        check("application/vnd.ups.track+json", payload, expect);
    };
    tracking_number("1Z999AA10123456784", "1 delivered acme/tracking_number:1Z999AA10123456784");
    tracking_number(
        "1Z999AA10123456785",
        "1 delivered acme/tracking_number:1Z999AA10123456785 tracking_check_digit",
    );
}
