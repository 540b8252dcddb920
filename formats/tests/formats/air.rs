//! Air cargo: the published examples, read as a person would read them.

use waybill_formats::{Parts, find};
use waybill_stage::{Code, Reject};

use crate::shown::{Said, read, shared, shown};

const CARGO_IMP: &str = "application/vnd.iata.cargo-imp";
const XFSU: &str = "application/vnd.iata.xfsu+xml;version=3";
const ONE_RECORD: &str = "application/vnd.iata.one-record+json";

/// All of what the format makes of the file, one line a part.
fn check(media_type: &str, path: &str, expect: &[&str]) {
    let Some(payload) = shared(path) else { return };
    let got = shown(&read(media_type, &payload));
    assert_eq!(got.lines().collect::<Vec<_>>(), expect, "{path}");
}

/// A Type B envelope: the booking was told on the 20th at 07:39 UTC, of a flight on 21 June.
#[test]
fn fsu_booked_on_a_flight() {
    let common = "document=\"air_waybill:157-66792751\" air_waybill=\"157-66792751\"";
    let rest =
        "mode=\"air\" flight=\"QR8985\" pieces=\"3 1\" gross_weight=\"524 kg\" volume=\"4.761 m3\"";
    check(
        CARGO_IMP,
        "air/fsu14_bkd.txt",
        &[
            &format!(
                "1 booking_confirmed actual FSU/BKD wall=2000-01-20T07:39:00Z offset=0 year_open=\"and its month\" {common} iata=\"ICN\" {rest}"
            ),
            &format!(
                "2 departed planned FSU/BKD wall=2000-06-21T03:10:00Z offset=none year_open=\"+0 days\" {common} iata=\"ICN\" {rest}"
            ),
            &format!(
                "3 arrived planned FSU/BKD wall=2000-06-21T06:50:00Z offset=none year_open=\"+0 days\" {common} iata=\"DOH\" {rest}"
            ),
        ],
    );
}

/// Two of ten pieces came to Doha at 10:08 and into the warehouse at 10:39, local time. Where the
/// flight had left from at 07:20 is not said.
#[test]
fn fsu_into_the_warehouse_with_units_and_security() {
    let common = "document=\"air_waybill:157-53806270\" air_waybill=\"157-53806270\" carrier_equipment=\"PMC72534QR\" carrier_equipment=\"PMC77313QR\" iata=\"DOH\" mode=\"air\" flight=\"QR8403\" pieces=\"2 1\" gross_weight=\"505 kg\"";
    check(
        CARGO_IMP,
        "air/fsu14_fiw_oci_redacted.txt",
        &[
            &format!(
                "1 gate_in actual FSU/FIW wall=2000-06-20T10:39:00Z offset=none year_open=\"+0 days\" {common} remark=\"OCI HK/ISS/RA/28490; OCI HK//SS/SPX; OCI HK//SM/XRY; OCI HK/\""
            ),
            &format!(
                "2 arrived actual FSU/FIW wall=2000-06-20T10:08:00Z offset=none year_open=\"+0 days\" {common}"
            ),
        ],
    );
}

#[test]
fn fsa_delivered() {
    check(
        CARGO_IMP,
        "air/fsa14_dlv.txt",
        &[
            "1 delivered actual FSU/DLV wall=2000-05-24T12:23:00Z offset=none year_open=\"+0 days\" document=\"air_waybill:157-41266466\" air_waybill=\"157-41266466\" iata=\"LHR\" mode=\"air\" pieces=\"60 1\" gross_weight=\"1428 kg\" remark=\"DART AIR SERVICES LTD\"",
        ],
    );
}

/// Five messages, each on one line. DEP and MAN state a day alone.
#[test]
fn fsu_as_documents_show_it() {
    let line = |n: u32, milestone: &str, code: &str, clock: &str, flight: &str, remark: &str| {
        let flight =
            if flight.is_empty() { String::new() } else { format!(" flight=\"{flight}\"") };
        let remark =
            if remark.is_empty() { String::new() } else { format!(" remark=\"{remark}\"") };
        let day = if clock == "00:00" { " (day)" } else { "" };
        format!(
            "{n} {milestone} actual FSU/{code} wall=2000-10-16T{clock}:00Z{day} offset=none year_open=\"+0 days\" document=\"air_waybill:020-12345675\" air_waybill=\"020-12345675\" iata=\"FRA\" mode=\"air\"{flight} pieces=\"1 1\" gross_weight=\"100 kg\"{remark}"
        )
    };
    check(
        CARGO_IMP,
        "air/fsu14_good_practice.txt",
        &[
            &line(1, "booking_confirmed", "BKD", "13:17", "", "ACME"),
            &line(2, "departed", "DEP", "00:00", "LH400", ""),
            &line(3, "dropped_off", "FOH", "13:17", "", "LCAG"),
            &line(4, "manifested", "MAN", "00:00", "LH400", ""),
            &line(5, "accepted", "RCS", "13:17", "", "LCAG"),
        ],
    );
}

/// Its lines in the middle are left out, and with them when the waybill was issued.
#[test]
fn fwb_without_its_issue() {
    check(
        CARGO_IMP,
        "air/FWB-Example1.txt",
        &["1 reject missing_field line 1: no line ISU, which says when it was issued"],
    );
}

#[test]
fn xfsu_departed() {
    check(
        XFSU,
        "air/xFSU-12-DEP.xml",
        &[
            "1 departed actual FSU/DEP wall=2023-10-16T16:15:00Z offset=0 document=\"air_waybill:020-12345675\" air_waybill=\"020-12345675\" iata=\"NCE\" mode=\"air\" pieces=\"10 1\" gross_weight=\"350 kg\" remark=\"MICLARK\"",
        ],
    );
}

const OBJECTS: &str = "https://1r.example.com/logistics-objects";

#[test]
fn one_record_events() {
    let shipment = format!("{OBJECTS}/1a8ded38-1804-467c-a369-81a411416b3c");
    let at = "wall=2023-04-01T10:38:01Z offset=0";
    let of = |object: &str| {
        format!(
            "created=\"2023-04-01T10:38:01Z\" document=\"logistics_object:{object}\" other=\"{object}\" mode=\"air\""
        )
    };
    let departed = "Consignment departed on a specific flight";
    let manifested = "Consignment manifested on a specific flight";
    check(
        ONE_RECORD,
        "air/LogisticsEvent.json",
        &[&format!("1 departed actual FSU/DEP {at} {} remark={departed:?}", of(&shipment))],
    );
    check(
        ONE_RECORD,
        "air/LogisticsEvents_list.json",
        &[
            &format!(
                "1 departed actual FSU/DEP {at} id=\"{shipment}/logistics-events/afb4b8cf-288a-459c-97fd-ccd538ec527f\" {} remark={departed:?}",
                of(&shipment)
            ),
            &format!(
                "2 manifested actual FSU/MAN {at} id=\"{shipment}/logistics-events/afb4b8cf-288a-459c-97fd-ccd538ec528f\" {} remark={manifested:?}",
                of(&shipment)
            ),
        ],
    );
    // One event of three objects is an event of each.
    let objects = [
        "78fee8e2-772b-4fff-bede-cfda67900d3b",
        "f166f1fa-ea2d-4c01-b1d3-cde8bb973757",
        "22f07756-9d67-4622-adab-c62d1ebde115",
    ];
    let lines = [1, 2, 3].map(|n: usize| {
        let object = format!("{OBJECTS}/{}", objects[n - 1]);
        format!("{n} departed actual FSU/DEP {at} {} remark={departed:?}", of(&object))
    });
    check(ONE_RECORD, "air/MultipleEvents_example1.json", &lines.each_ref().map(String::as_str));
    // The object's IRI is the first part of the event's, and the airport's ends in its code.
    let object = "https://1r.example.com/logistics-object/abcd";
    check(
        ONE_RECORD,
        "air/logistics-event-DEP-partial.json",
        &[&format!(
            "1 departed actual FSU/DEP {at} id=\"{object}/logistics-events/xyz\" document=\"logistics_object:{object}\" other=\"{object}\" iata=\"FRA\" mode=\"air\" remark=\"part of it\""
        )],
    );
}

/// Every file: its events, its rejects, and the codes among them that no list has.
#[test]
fn every_published_example_has_an_answer() {
    if shared("air/SOURCES.tsv").is_none() {
        return;
    }
    let event = |n: usize| Ok((n, 0, 0));
    let whole = |code: Code| Err(code);
    let table = [
        ("CIMP-Example1.json", ONE_RECORD, whole(Code::Unparsable)),
        ("FWB-Example1.txt", CARGO_IMP, Ok((0, 1, 0))),
        ("LogisticsEvent.json", ONE_RECORD, event(1)),
        ("LogisticsEvent_with_id.json", ONE_RECORD, event(1)),
        ("LogisticsEvents_empty_list.json", ONE_RECORD, whole(Code::WrongStructure)),
        ("LogisticsEvents_filtered_list.json", ONE_RECORD, event(1)),
        ("LogisticsEvents_list.json", ONE_RECORD, event(2)),
        // All three events were created; two of three were refused; it was refused itself.
        ("MultipleEventsResponse_example1.json", ONE_RECORD, whole(Code::Unsupported)),
        ("MultipleEventsResponse_example2.json", ONE_RECORD, whole(Code::CarrierError)),
        ("MultipleEventsResponse_example3.json", ONE_RECORD, whole(Code::CarrierError)),
        ("MultipleEvents_example1.json", ONE_RECORD, event(3)),
        ("MultipleEvents_example2.json", ONE_RECORD, event(3)),
        // It says of no object.
        ("MultipleEvents_example3.json", ONE_RECORD, Ok((0, 1, 0))),
        ("Notification_example1.json", ONE_RECORD, whole(Code::Unsupported)),
        ("Notification_example2.json", ONE_RECORD, whole(Code::Unsupported)),
        ("Notification_example3.json", ONE_RECORD, whole(Code::Unsupported)),
        ("Notification_example4.json", ONE_RECORD, whole(Code::Unsupported)),
        ("Notification_example5.json", ONE_RECORD, whole(Code::Unsupported)),
        ("Notification_example6.json", ONE_RECORD, whole(Code::Unsupported)),
        ("fsa14_dlv.txt", CARGO_IMP, event(1)),
        ("fsu14_bkd.txt", CARGO_IMP, event(3)),
        ("fsu14_fiw_oci_redacted.txt", CARGO_IMP, event(2)),
        ("fsu14_good_practice.txt", CARGO_IMP, event(5)),
        ("loading.json", ONE_RECORD, whole(Code::Unsupported)),
        ("location-FRA.json", ONE_RECORD, whole(Code::Unsupported)),
        ("location-JFK.json", ONE_RECORD, whole(Code::Unsupported)),
        ("logistics-event-ARR.json", ONE_RECORD, event(1)),
        ("logistics-event-BKD.json", ONE_RECORD, event(1)),
        ("logistics-event-DEP-partial.json", ONE_RECORD, event(1)),
        ("logistics-event-DEP.json", ONE_RECORD, event(1)),
        ("logistics-event-FOH.json", ONE_RECORD, event(1)),
        ("piece.json", ONE_RECORD, whole(Code::Unsupported)),
        ("shipment.json", ONE_RECORD, whole(Code::Unsupported)),
        ("transport-movement-LH400.json", ONE_RECORD, whole(Code::Unsupported)),
        ("waybill.json", ONE_RECORD, whole(Code::Unsupported)),
        ("xFSU-12-DEP.xml", XFSU, event(1)),
    ];
    for (name, media_type, expect) in table {
        let payload = shared(&format!("air/{name}")).unwrap();
        assert_eq!(counts(&read(media_type, &payload)), expect, "{name}");
    }
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/data/air");
    for file in std::fs::read_dir(folder).unwrap() {
        let name = file.unwrap().file_name().into_string().unwrap();
        assert!(name == "SOURCES.tsv" || table.iter().any(|row| row.0 == name), "{name}");
    }
}

fn counts(read: &Result<Parts, Reject>) -> Result<(usize, usize, usize), Code> {
    let parts = read.as_ref().map_err(|reject| reject.code)?;
    let events: Vec<_> = parts.iter().filter_map(|(_, part)| part.as_ref().ok()).collect();
    let unmapped = events
        .iter()
        .filter(|e| e.has_note(waybill_schemas::vocabulary::NoteCode::UnmappedCode))
        .count();
    Ok((events.len(), parts.len() - events.len(), unmapped))
}

/// What is no message of the format, or too much of one.
#[test]
fn limits_and_wrong_structures() {
    let check = |media_type: &str, payload: &str, code: Code| {
        let mut parts = Parts::default();
        let whole = find(media_type).unwrap().read(payload.as_bytes(), &mut parts);
        assert_eq!(whole.map_err(|reject| reject.code), Err(code), "{payload:.60}");
        assert!(parts.is_empty());
    };
    check(CARGO_IMP, "", Code::Unparsable);
    check(CARGO_IMP, "{}", Code::Unparsable);
    check(CARGO_IMP, "FSU/14\n125-10203045FRASIN/T1K1\n", Code::WrongStructure);
    check(CARGO_IMP, "FSU/14\n", Code::WrongStructure);
    check(CARGO_IMP, "FMA/1\nACK/OK\n", Code::Unsupported);
    check(CARGO_IMP, "FNA/1\nACK/ERROR\n", Code::CarrierError);
    let many =
        "FSU/14\n125-10203045FRASIN/T1K1\n".to_owned() + &"DLV/16NOV0900/SIN\n".repeat(10_001);
    check(CARGO_IMP, &many, Code::TooLarge);
    check(CARGO_IMP, &"FSU/14\n".repeat(10_002), Code::TooLarge);
    check(XFSU, "<Waybill/>", Code::WrongStructure);
    check(XFSU, "<StatusMessage/>", Code::WrongStructure);
    check(XFSU, "<StatusMessage><MasterConsignment/></StatusMessage>", Code::MissingField);
    check(XFSU, "FSU/14", Code::Unparsable);
    let status = "<ReportedStatus/>".repeat(10_001);
    let id = "<TransportContractDocument><ID>125-10203045</ID></TransportContractDocument>";
    let many = format!(
        "<StatusMessage><MasterConsignment>{id}{status}</MasterConsignment></StatusMessage>"
    );
    check(XFSU, &many, Code::TooLarge);
    let members: Vec<_> = (0..1_001).map(|n| format!("\"m{n}\":{n}")).collect();
    check(ONE_RECORD, &format!("{{{}}}", members.join(",")), Code::TooLarge);
    check(ONE_RECORD, "7", Code::WrongStructure);
    check(ONE_RECORD, "[]", Code::WrongStructure);
    check(ONE_RECORD, "{}", Code::WrongStructure);
    check(ONE_RECORD, "{\"@graph\": [{\"@type\": \"Piece\"}]}", Code::WrongStructure);
    check(ONE_RECORD, &format!("[{}7]", "7,".repeat(10_000)), Code::TooLarge);
}

/// A long line of elements, names or units is not the whole message's fault.
#[test]
fn a_part_has_limits_of_its_own() {
    let consignment = "FSU/14\n125-10203045FRASIN/T1K1\n";
    for line in ["DLV/16NOV0900/SIN", "DLV/16NOV0900/SIN\nULD", "DLV/16NOV0900/SIN\nOSI"] {
        let continued = "\n/X".repeat(1_001);
        let payload = format!("{consignment}{line}{continued}\nNFD/16NOV0901/SIN\n");
        let got = shown(&read(CARGO_IMP, payload.as_bytes()));
        let lines: Vec<_> = got.lines().collect();
        assert_eq!(lines.len(), 2, "{got:.200}");
        assert_eq!(lines[0], "1 reject invalid_field line 3: more than 1000 elements");
        assert!(lines[1].starts_with("2 notified actual FSU/NFD"), "{got:.200}");
    }
}

#[test]
fn no_reject_shows_a_value_of_the_payload() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/");
    for (name, media_type) in [
        ("cargo-imp/good-fsu.txt", CARGO_IMP),
        ("cargo-imp/good-fwb.txt", CARGO_IMP),
        ("xfsu/good.xml", XFSU),
        ("one-record/good-graph.json", ONE_RECORD),
        ("one-record/good-single.json", ONE_RECORD),
    ] {
        let sample = std::fs::read_to_string([folder, name].concat()).unwrap();
        let mut rejects = 0;
        for (at, _) in sample.match_indices(['/', '>', '"', '#']) {
            let broken = [&sample[..=at], "TOPSECRET", &sample[at + 1..]].concat();
            let read = read(media_type, broken.as_bytes());
            let all = shown(&read);
            for line in all.lines().filter(|line| Said::of(line).is_reject()) {
                rejects += 1;
                assert!(!line.contains("SECRET"), "{line}");
            }
        }
        assert!(rejects > 5, "{name}");
    }
}

#[test]
fn samples_are_known_by_their_looks() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/");
    for (name, expect) in [
        ("cargo-imp/good-fsu.txt", "IATA Cargo-IMP (FSU, FSA, FWB)"),
        ("cargo-imp/good-edifact.txt", "IATA Cargo-IMP (FSU, FSA, FWB)"),
        ("cargo-imp/good-fwb.txt", "IATA Cargo-IMP (FSU, FSA, FWB)"),
        ("xfsu/good.xml", "IATA Cargo-XML XFSU"),
        ("one-record/good-graph.json", "IATA ONE Record logistics events"),
        ("one-record/good-single.json", "IATA ONE Record logistics events"),
    ] {
        let sample = std::fs::read([folder, name].concat()).unwrap();
        let guessed: Vec<_> = waybill_formats::guess(&sample).iter().map(|f| f.name).collect();
        assert_eq!(guessed, [expect], "{name}");
    }
}

#[test]
fn an_id_of_the_document_is_none_of_the_event() {
    let raw_id = |id: &str| {
        let payload = format!(
            r#"{{"@context": {{"@vocab": "https://onerecord.iata.org/ns/cargo#"}}, "@id": "{id}",
            "@type": "LogisticsEvent", "eventDate": "2026-01-20T10:00:00Z", "eventCode": "DEP",
            "eventFor": {{"@type": "Waybill", "waybillPrefix": "020", "waybillNumber": "12345675"}}}}"#
        );
        let parts = read(ONE_RECORD, payload.as_bytes()).unwrap();
        let (_, part) = parts.iter().next().unwrap();
        part.as_ref().unwrap().raw_id.clone()
    };
    let own = "https://1r.example.com/logistics-events/7";
    assert_eq!(raw_id(own).as_deref(), Some(own));
    for local in ["_:b0", "#event", "logistics-events/7", ""] {
        assert_eq!(raw_id(local), None, "{local}");
    }
}
