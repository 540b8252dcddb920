//! GS1's and others' own EPCIS documents (`../shared/data/epcis`), as a person reads them, and the
//! event hash ids of CBV's reference implementation.

use waybill_formats::epcis::{MEDIA_TYPE_JSON, MEDIA_TYPE_XML, hash};
use waybill_formats::{guess, limits};

use crate::shown::{Said, read, shared, shown};

fn media_type(name: &str) -> &'static str {
    if name.ends_with(".xml") { MEDIA_TYPE_XML } else { MEDIA_TYPE_JSON }
}

/// The lines of a file without ids that are hashes: no person computes these.
fn lines(name: &str, payload: &[u8]) -> Vec<String> {
    let text = shown(&read(media_type(name), payload));
    let without_hash = |line: &str| match line.split_once(" id=\"ni:///") {
        Some((before, rest)) => [before, rest.split_once('"').unwrap().1].concat(),
        None => line.to_owned(),
    };
    text.lines().map(without_hash).collect()
}

/// Some lines of a file, by their positions: whole lines.
fn check(name: &str, expect: &[&str]) {
    let Some(payload) = shared(&["epcis/", name].concat()) else { return };
    let lines = lines(name, &payload);
    for expected in expect {
        let position: usize = expected.split(' ').next().unwrap().parse().unwrap();
        assert_eq!(&lines[position - 1], expected, "{name}");
    }
}

#[test]
fn json_ld_as_a_person_reads_it() {
    check(
        "EPCISQueryDocument.jsonld",
        &[
            "1 departed actual BIZSTEP/shipping wall=2005-04-03T20:33:31.116Z offset=-360 \
             document=\"epc:01/10614141073464/21/2017\" \
             epc=\"urn:epc:id:sgtin:0614141.107346.2017\" \
             epc=\"urn:epc:id:sgtin:0614141.107346.2018\" \
             purchase_order=\"http://transaction.acme.com/po/12345678\" \
             facility=\"GLN/0614141073467.1234\"",
            "2 received actual BIZSTEP/receiving wall=2005-04-04T20:33:31.116Z offset=-360 \
             document=\"epc:01/10614141073464/21/2018\" \
             epc=\"urn:epc:id:sgtin:0614141.107346.2018\" \
             purchase_order=\"http://transaction.acme.com/po/12345678\" \
             shipper_reference=\"1152\" facility=\"GLN/0012345111112.400\"",
        ],
    );
    // The instant is stated in UTC, the place is two hours ahead.
    check(
        "Example_9.6.3-AggregationEventWithDigitalLink.jsonld",
        &["1 received actual BIZSTEP/receiving wall=2013-06-08T16:58:56.591Z offset=120 \
           document=\"sscc:106141412345678908\" sscc=\"106141412345678908\" \
           epc=\"https://id.gs1.org/01/70614141123451/21/2017\" \
           epc=\"https://id.gs1.org/01/70614141123451/21/2018\" \
           epc=\"https://id.gs1.org/01/04012345987652\" \
           epc=\"https://id.gs1.org/01/04012345123456/10/998877\" \
           facility=\"GLN/0614141007776\" items=\"10 1\" net_weight=\"200.5 kg\""],
    );
    check(
        "ErrorDeclarationAndCorrectiveEvent.jsonld",
        &["1 withdrawn actual ER/incorrect_data wall=2020-01-14T00:00:00Z offset=60 \
           created=\"2020-01-14T23:00:00Z\" document=\"epc:01/04012345333336/21/AGHFG\" \
           epc=\"urn:epc:id:sgtin:4012345.033333.AGHFG\" \
           epc=\"urn:epc:id:sgtin:4012345.011111.987\" \
           epc=\"urn:epc:idpat:sgtin:4012345.044444.*\" \
           epc=\"urn:epc:class:lgtin:4012345.022222.87545GHGH\" \
           facility=\"GLN/0614141073467.1234\" \
           withdraws=\"urn:uuid:374d95fc-9457-4a51-bd6a-0bba133845a8\" \
           remark=\"corrected by urn:uuid:404d95fc-9457-4a51-bd6a-0bba133845a8\""],
    );
    // On the way, seen by its coordinates; then a sensor that raised an alarm on receipt.
    check(
        "hash/TimeStampRoundOff.jsonld",
        &[
            "1 departed actual BIZSTEP/shipping wall=2023-02-02T12:04:03.141Z offset=60 \
             document=\"sscc:040123451111111110\" sscc=\"040123451111111110\" \
             facility=\"GLN/4012345000115\"",
            "2 in_transit actual BIZSTEP/transporting wall=2023-02-02T12:04:03.141Z offset=60 \
             document=\"sscc:040123451111111110\" sscc=\"040123451111111110\" \
             at=\"50.947573340894124,6.922120147375441\"",
            "3 received actual BIZSTEP/receiving wall=2023-02-12T12:04:03.141Z offset=60 \
             document=\"epc:01/04012345999990/21/XYZ-1234\" \
             epc=\"https://id.gs1.de/01/04012345999990/21/XYZ-1234\" \
             facility=\"GLN/4012345000115\" exception=\"other SENSOR/ALARM_CONDITION\"",
        ],
    );
    check(
        "capture_json/ObjectEvent_with_custom_bizStep_uri.json",
        &["1 other actual BIZSTEP/https://example.com/bizStep/inspecting \
           wall=2026-07-22T06:45:00Z offset=120 document=\"epc:01/09521141012345/21/2017\" \
           epc=\"https://id.gs1.org/01/09521141012345/21/2017\" note=\"unmapped_code\""],
    );
}

#[test]
fn xml_as_a_person_reads_it() {
    // 1.2 with its extension points and the addresses in the header.
    check(
        "GS1_US_Pharma_Example_2_2_1_1.xml",
        &[
            "3 stuffed actual BIZSTEP/packing wall=2023-03-27T01:50:16Z offset=-300 \
             document=\"epc:01/10300010123452/21/110\" \
             epc=\"urn:epc:id:sgtin:030001.1012345.110\" \
             epc=\"urn:epc:id:sgtin:030001.0012345.11\" \
             epc=\"urn:epc:id:sgtin:030001.0012345.12\" \
             epc=\"urn:epc:id:sgtin:030001.0012345.13\" \
             epc=\"urn:epc:id:sgtin:030001.0012345.14\" name=\"GS1 Pharma\" \
             facility=\"GLN/0300011111116\" city=\"Thousand Oaks\" region=\"CA\" \
             postal_code=\"91320\" country=\"US\"",
            "6 shipment_created actual BIZSTEP/commissioning wall=2023-04-01T01:47:16Z \
             offset=-300 document=\"sscc:403000112345678901\" sscc=\"403000112345678901\" \
             name=\"GS1 Pharma DC\" facility=\"GLN/0300011111215\" city=\"Westlake Village\" \
             region=\"CA\" postal_code=\"91361\" country=\"US\"",
            "8 departed actual BIZSTEP/shipping wall=2023-04-01T02:48:16Z offset=-300 \
             document=\"sscc:403000112345678901\" sscc=\"403000112345678901\" \
             purchase_order=\"XYZPO189\" shipper_reference=\"DEL100\" \
             other=\"source/owning_party urn:epc:id:sgln:030001.111111.0\" \
             other=\"source/location urn:epc:id:sgln:030001.111121.0\" \
             other=\"destination/owning_party urn:epc:id:sgln:039999.999999.0\" \
             other=\"destination/location urn:epc:id:sgln:039999.345678.0\" \
             name=\"GS1 Pharma DC\" facility=\"GLN/0300011111215\" city=\"Westlake Village\" \
             region=\"CA\" postal_code=\"91361\" country=\"US\"",
        ],
    );
    check(
        "All_eventTypes_in_single_document.xml",
        &[
            "2 stripped actual BIZSTEP/unpacking wall=2020-06-08T20:11:16Z offset=120 \
             document=\"epc:01/19520010123455/21/22222223333\" \
             epc=\"urn:epc:id:sgtin:952001.1012345.22222223333\" \
             epc=\"urn:epc:id:sgtin:9520001.012346.10000001001\" \
             facility=\"GLN/9529999999993\"",
            "3 other actual BIZSTEP/encoding wall=2019-10-04T14:12:00Z offset=60 \
             document=\"epc:8018/952520840000000010\" \
             epc=\"urn:epc:id:gsrn:95252084.000000001\" \
             other=\"urn:epc:id:gdti:95252084.0001.0003555480001000\" \
             facility=\"GLN/9524567987655\"",
            "6 other actual BIZSTEP/disassembling wall=2019-11-04T14:00:00Z offset=60 \
             id=\"urn:uuid:fd338495-0e6d-41dd-afee-a862ecd32518\" \
             document=\"epc:8003/04012345555554987\" epc=\"urn:epc:id:grai:4012345.55555.987\" \
             epc=\"urn:epc:id:giai:4000001.12345\" epc=\"urn:epc:id:giai:4000001.12346\" \
             facility=\"GLN/4012345000023\" other=\"-477979.89 m Length northing\" \
             other=\"2477583.57 m Length easting\"",
        ],
    );
    check(
        "SensorDataExamples.xml",
        &[
            "9 sensor_alert actual BIZSTEP/sensor_reporting wall=2020-05-07T16:00:00Z offset=60 \
             document=\"epc:01/04012345111118/21/9876\" \
             epc=\"urn:epc:id:sgtin:4012345.011111.9876\" facility=\"GLN/4012345000054\" \
             exception=\"other SENSOR/ERROR_CONDITION\" \
             exception=\"other SENSOR/ALARM_CONDITION\"",
            "10 sensor_reading actual BIZSTEP/sensor_reporting wall=2020-05-08T15:00:00Z \
             offset=60 document=\"epc:01/04012345222227/21/1234\" \
             epc=\"urn:epc:id:sgtin:4012345.022222.1234\" facility=\"GLN/4012345000054\" \
             other=\"4.5 m/s Speed example:x\" other=\"12.8 m/s Speed example:y\" \
             other=\"0 m/s Speed example:z\"",
            "13 sensor_reading actual BIZSTEP/sensor_reporting wall=2021-05-27T11:00:00Z \
             offset=60 document=\"epc:8003/040123450007718765\" \
             epc=\"https://id.example.com/8003/040123450007718765\" \
             facility=\"GLN/4012345000054\" at=\"42.698334,23.319941\" \
             other=\"42.698334 deg Angle latitude\" other=\"23.319941 deg Angle longitude\"",
        ],
    );
    check(
        "hash/epcisDocWithShippingAndTransportingEvent.xml",
        &[
            "1 departed actual BIZSTEP/departing wall=2022-02-16T12:50:00Z offset=60 \
             document=\"sscc:140123451122233341\" sscc=\"140123451122233341\" \
             shipper_reference=\"ASN1099\" \
             other=\"source/possessing_party urn:epc:id:pgln:4012345.00000\" \
             other=\"destination/possessing_party urn:epc:id:pgln:4023333.00000\" \
             facility=\"GLN/4012345000221\"",
            "2 in_transit actual BIZSTEP/transporting wall=2022-02-16T16:50:00Z offset=60 \
             document=\"sscc:140123451122233341\" sscc=\"140123451122233341\" \
             at=\"47.506694,11.104301\"",
        ],
    );
    let Some(payload) = shared("epcis/Example-CaptureJobWithErrors.xml") else { return };
    assert_eq!(
        shown(&read(MEDIA_TYPE_XML, &payload)),
        "0 reject carrier_error an error of the interface, no events\n"
    );
}

/// The same document in both syntaxes.
#[test]
fn twins_are_read_alike() {
    for (json, xml) in [
        ("Example_9.6.1-ObjectEvent.jsonld", "Example1.xml"),
        ("Example_9.6.3-AggregationEvent.jsonld", "Example3.xml"),
        (
            "Example-TransactionEvents-2020_07_03y.jsonld",
            "Example-TransactionEvent-2020_07_03y.xml",
        ),
        ("hash/ReferenceEventHashAlgorithm.jsonld", "hash/ReferenceEventHashAlgorithm.xml"),
        ("hash/ReferenceEventHashAlgorithm2.jsonld", "hash/ReferenceEventHashAlgorithm2.xml"),
        ("hash/ReferenceEventHashAlgorithm3.jsonld", "hash/ReferenceEventHashAlgorithm3.xml"),
    ] {
        let of = |name: &str| Some(lines(name, &shared(&["epcis/", name].concat())?));
        let (Some(a), Some(b)) = (of(json), of(xml)) else { return };
        assert!(!a.is_empty());
        // What is measured may stand in another order.
        let words = |lines: &[String]| {
            let mut words: Vec<String> =
                lines.iter().flat_map(|l| l.split(' ').map(str::to_owned)).collect();
            words.sort();
            words
        };
        assert_eq!(words(&a), words(&b), "{json} {xml}");
    }
}

/// Ids and pre-hash strings, byte for byte. (Of one file the published pre-hash string is garbled:
/// it is not what its own published id is the hash of.)
#[test]
fn hash_ids_are_those_of_the_reference_implementation() {
    for (stem, xml) in [
        ("ReferenceEventHashAlgorithm", true),
        ("ReferenceEventHashAlgorithm2", true),
        ("ReferenceEventHashAlgorithm3", true),
        ("TimeStampRoundOff", false),
        ("epcisDocWithAllGS1Keys", false),
        ("epcisDocWithSensorComponent", true),
        ("epcisDocWithShippingAndTransportingEvent", true),
    ] {
        let file = |extension: &str| shared(&format!("epcis/hash/{stem}.{extension}"));
        let lines = |extension: &str| {
            let text = String::from_utf8(file(extension)?).unwrap();
            Some(text.lines().map(str::to_owned).collect::<Vec<_>>())
        };
        let (Some(ids), Some(pre_hashes)) = (lines("hashes"), lines("prehashes")) else { return };
        for extension in ["jsonld", "xml"].iter().take(1 + usize::from(xml)) {
            let name = format!("{stem}.{extension}");
            let payload = file(extension).unwrap();
            let found = hash::ids(&payload).unwrap();
            let found_ids: Vec<&str> = found.iter().map(|found| &*found.id).collect();
            assert_eq!(found_ids, ids, "{name}");
            if stem != "epcisDocWithAllGS1Keys" {
                let found: Vec<&str> = found.iter().map(|found| &*found.pre_hash).collect();
                assert_eq!(found, pre_hashes, "{name}");
            }
            // And the raw ids of the drafts are these.
            let parts = read(media_type(&name), &payload).unwrap();
            for ((_, draft), id) in parts.iter().zip(&ids) {
                assert_eq!(draft.as_ref().unwrap().raw_id.as_ref(), Some(id), "{name}");
            }
        }
    }
}

/// Events, rejects, and codes that no list has, of every file there is: counted in the files. Those
/// with a document type (`<!DOCTYPE project>`) are no XML that is read here.
const FILES: &[(&str, usize, usize, usize)] = &[
    ("All_eventTypes_in_single_document.xml", 6, 0, 0),
    ("EPCISQueryDocument.jsonld", 2, 0, 0),
    ("ErrorDeclarationAndCorrectiveEvent.jsonld", 2, 0, 0),
    ("ErrorDeclarationAndCorrectiveEvent.xml", 2, 0, 0),
    ("Example-CaptureJobWithErrors.xml", 0, 1, 0),
    ("Example-PersistentDisposition.xml", 2, 0, 0),
    ("Example-TransactionEvent-2020_07_03y.xml", 2, 0, 1),
    ("Example-TransactionEvents-2020_07_03y.jsonld", 2, 0, 1),
    ("Example1.xml", 2, 0, 0),
    ("Example3.xml", 1, 0, 0),
    ("Example_9.6.1-ObjectEvent-2020_06_18a.xml", 2, 0, 0),
    ("Example_9.6.1-ObjectEvent-with-error-declaration.jsonld", 2, 0, 0),
    ("Example_9.6.1-ObjectEvent-with-pseudo-SBDH-headers.jsonld", 2, 0, 0),
    ("Example_9.6.1-ObjectEvent.jsonld", 2, 0, 0),
    ("Example_9.6.1-ObjectEventWithDigitalLink.jsonld", 2, 0, 0),
    ("Example_9.6.1-with-comment.jsonld", 2, 0, 0),
    ("Example_9.6.2-ObjectEvent.jsonld", 1, 0, 0),
    ("Example_9.6.2-ObjectEventWithDigitalLink.jsonld", 1, 0, 0),
    ("Example_9.6.3-AggregationEvent.jsonld", 1, 0, 0),
    ("Example_9.6.3-AggregationEventWithDigitalLink.jsonld", 1, 0, 0),
    ("Example_9.6.4-TransformationEvent.jsonld", 1, 0, 0),
    ("Example_9.6.4-TransformationEventWithDigitalLink.jsonld", 1, 0, 0),
    ("GS1_US_Pharma_Example_2_2_1_1.xml", 8, 0, 0),
    ("PersistentDisposition-example.jsonld", 2, 0, 0),
    ("SensorDataExample1.jsonld", 1, 0, 0),
    ("SensorDataExample12.jsonld", 1, 0, 0),
    ("SensorDataExample8.jsonld", 1, 0, 0),
    ("SensorDataExamples.xml", 14, 0, 0),
    ("aggregation_event_all_possible_fields.jsonld", 1, 0, 0),
    ("aggregation_event_all_possible_fields.xml", 1, 0, 0),
    ("capture_json/AggregationEvent.json", 1, 0, 0),
    ("capture_json/AggregationEvent_all_possible_fields.json", 1, 0, 0),
    ("capture_json/AggregationEvent_with_digitalLink.json", 1, 0, 0),
    ("capture_json/AggregationEvent_with_persistentDisposition.json", 2, 0, 0),
    ("capture_json/AggregationEvent_with_sensorData.json", 1, 0, 0),
    ("capture_json/AggregationEvent_with_userExtensions.json", 1, 0, 0),
    ("capture_json/AssociationEvent.json", 2, 0, 0),
    ("capture_json/AssociationEvent_2.json", 1, 0, 0),
    ("capture_json/AssociationEvent_all_possible_fields.json", 1, 0, 0),
    ("capture_json/AssociationEvent_with_sensorData.json", 1, 0, 0),
    ("capture_json/AssociationEvent_with_userExtensions.json", 1, 0, 0),
    ("capture_json/Combination_of_different_event.json", 6, 0, 1),
    ("capture_json/CurieString_document.json", 1, 0, 0),
    ("capture_json/JumbledFieldsOrder.json", 1, 0, 0),
    ("capture_json/Namespaces_at_different_level.json", 5, 0, 0),
    ("capture_json/ObjectEvent.json", 2, 0, 0),
    ("capture_json/ObjectEvent_all_possible_fields.json", 1, 0, 0),
    ("capture_json/ObjectEvent_with_comment.json", 2, 0, 0),
    ("capture_json/ObjectEvent_with_custom_bizStep_uri.json", 1, 0, 1),
    ("capture_json/ObjectEvent_with_digitalLink.json", 1, 0, 0),
    ("capture_json/ObjectEvent_with_error_declaration.json", 2, 0, 0),
    ("capture_json/ObjectEvent_with_persistentDisposition.json", 2, 0, 0),
    ("capture_json/ObjectEvent_with_sensorData.json", 1, 0, 0),
    ("capture_json/ObjectEvent_with_userExtensions.json", 2, 0, 0),
    ("capture_json/SensorData_and_extension.json", 1, 0, 0),
    ("capture_json/SensorData_with_combined_events.json", 13, 0, 0),
    ("capture_json/TransactionEvent.json", 2, 0, 1),
    ("capture_json/TransactionEvent_all_possible_fields.json", 1, 0, 0),
    ("capture_json/TransactionEvent_with_sensorData.json", 1, 0, 0),
    ("capture_json/TransactionEvent_with_userExtensions.json", 1, 0, 0),
    ("capture_json/TransformationEvent.json", 1, 0, 0),
    ("capture_json/TransformationEvent_all_possible_fields.json", 1, 0, 0),
    ("capture_json/TransformationEvent_with_digitalLink.json", 1, 0, 0),
    ("capture_json/TransformationEvent_with_error_declaration.json", 2, 0, 0),
    ("capture_json/TransformationEvent_with_sensorData.json", 1, 0, 0),
    ("capture_json/TransformationEvent_with_userExtensions.json", 1, 0, 0),
    ("capture_json/epcisDocWithAllGS1Keys.json", 1, 0, 0),
    ("capture_json/epcisDocWithSensorComponent.json", 1, 0, 0),
    ("event_with_identical_hash_id_1.xml", 1, 0, 0),
    ("hash/ReferenceEventHashAlgorithm.jsonld", 1, 0, 0),
    ("hash/ReferenceEventHashAlgorithm.xml", 1, 0, 0),
    ("hash/ReferenceEventHashAlgorithm2.jsonld", 1, 0, 0),
    ("hash/ReferenceEventHashAlgorithm2.xml", 1, 0, 0),
    ("hash/ReferenceEventHashAlgorithm3.jsonld", 1, 0, 0),
    ("hash/ReferenceEventHashAlgorithm3.xml", 1, 0, 0),
    ("hash/TimeStampRoundOff.jsonld", 3, 0, 0),
    ("hash/epcisDocWithAllGS1Keys.jsonld", 1, 0, 0),
    ("hash/epcisDocWithSensorComponent.jsonld", 1, 0, 0),
    ("hash/epcisDocWithSensorComponent.xml", 1, 0, 0),
    ("hash/epcisDocWithShippingAndTransportingEvent.jsonld", 2, 0, 0),
    ("hash/epcisDocWithShippingAndTransportingEvent.xml", 2, 0, 0),
    ("object_event_all_possible_fields.jsonld", 1, 0, 0),
    ("object_event_all_possible_fields.xml", 1, 0, 0),
    ("transaction_event_all_possible_fields.jsonld", 1, 0, 0),
    ("transaction_event_all_possible_fields.xml", 1, 0, 0),
];

#[test]
fn every_file_has_its_answer() {
    let Some(_) = shared("epcis/SOURCES.tsv") else { return };
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/data/epcis");
    let mut found = Vec::new();
    for inner in ["", "capture_json/", "hash/"] {
        for entry in std::fs::read_dir(format!("{folder}/{inner}")).unwrap() {
            let name = format!("{inner}{}", entry.unwrap().file_name().to_string_lossy());
            if !name.ends_with(".xml") && !name.ends_with(".json") && !name.ends_with(".jsonld") {
                continue;
            }
            let payload = std::fs::read(format!("{folder}/{name}")).unwrap();
            let (mut events, mut rejects, mut unmapped) = (0, 0, 0);
            for line in lines(&name, &payload) {
                let part = Said::of(&line);
                match part.is_reject() {
                    true => rejects += 1,
                    false => events += 1,
                }
                unmapped += usize::from(part.notes("unmapped_code"));
            }
            if events > 0 {
                let formats = guess(&payload);
                assert_eq!(formats.len(), 1, "{name}");
                assert!(formats[0].name.starts_with("GS1 EPCIS"), "{name}");
            }
            found.push((name, events, rejects, unmapped));
        }
    }
    found.sort();
    let expect: Vec<_> = FILES.iter().map(|(n, e, r, u)| ((*n).to_owned(), *e, *r, *u)).collect();
    assert_eq!(found, expect);
}

#[test]
fn limits_are_rejects() {
    let event = |list: &str| {
        format!(
            r#"{{"type":"ObjectEvent","eventTime":"2026-03-01T09:00:00Z","eventTimeZoneOffset":"Z","action":"ADD","epcList":[{list}]}}"#
        )
    };
    let one = event("");
    let many = format!("[{}]", vec!["{}"; limits::EVENTS + 1].join(","));
    let answer = |payload: &str| shown(&read(MEDIA_TYPE_JSON, payload.as_bytes()));
    assert_eq!(answer(&many), "0 reject too_large more events than a message may have\n");
    assert!(answer(&format!("[{one}]")).starts_with("1 other actual EVENT/ObjectEvent/ADD "));
    let long = event(&vec!["\"a:b\""; limits::LIST + 1].join(","));
    let expect = "1 reject too_large /0: a list of more than 1000 elements\n";
    assert_eq!(answer(&format!("[{long}]")), expect);

    let prefixes = (0..=limits::LIST).map(|n| format!("\"p{n}\":\"u\"")).collect::<Vec<_>>();
    let crowded = format!("{{\"@context\":{{{}}},\"epcisBody\":{{}}}}", prefixes.join(","));
    assert_eq!(answer(&crowded), "0 reject too_large /@context: more than 1000 elements\n");

    let document = |events: &str| {
        format!(
            "<EPCISDocument><EPCISBody><EventList>\n{events}</EventList></EPCISBody></EPCISDocument>"
        )
    };
    let answer = |payload: &str| shown(&read(MEDIA_TYPE_XML, payload.as_bytes()));
    let many = document(&"<ObjectEvent/>\n".repeat(limits::EVENTS + 1));
    let expect = "0 reject too_large EventList: more events than a message may have\n";
    assert_eq!(answer(&many), expect);
    let long = document(&format!(
        "<ObjectEvent><eventTime>2026-03-01T09:00:00Z</eventTime>\
         <eventTimeZoneOffset>+01:00</eventTimeZoneOffset><action>ADD</action><epcList>{}</epcList>\
         </ObjectEvent>",
        "<epc>a:b</epc>".repeat(limits::LIST + 1)
    ));
    let expect = "1 reject too_large line 2: /epcList: more than 1000 elements\n";
    assert_eq!(answer(&long), expect);
    // Lines are counted once through, not from the start for each event.
    let every = document(&"<ObjectEvent/>\n".repeat(limits::EVENTS));
    let last = answer(&every).lines().last().unwrap().to_owned();
    assert_eq!(last, "10000 reject missing_field line 10001: /eventTime: is required");
}

#[test]
fn what_is_no_message_at_all() {
    let json = |payload: &str, expect: &str| {
        assert_eq!(shown(&read(MEDIA_TYPE_JSON, payload.as_bytes())), expect, "{payload}");
    };
    json("", "0 reject unparsable no JSON: it ends too early\n");
    json("[]", "0 reject wrong_structure no event in it\n");
    json("{}", "0 reject wrong_structure no EPCIS document and no event\n");
    json("{\"type\":\"ObjectEvent\"}", "1 reject missing_field /eventTime: is required\n");
    json("{\"eventTime\":\"x\"}", "1 reject missing_field /type: is required\n");
    let wrong = "0 reject wrong_structure /epcisBody/eventList: expected an array of events\n";
    json("{\"epcisBody\":{\"eventList\":7}}", wrong);
    let empty = "0 reject wrong_structure /epcisBody/eventList: no event in it\n";
    json("{\"epcisBody\":{\"eventList\":[]}}", empty);
    let xml = |payload: &str, expect: &str| {
        assert_eq!(shown(&read(MEDIA_TYPE_XML, payload.as_bytes())), expect, "{payload}");
    };
    xml("", "0 reject unparsable no XML: line 1, column 1\n");
    xml("<a/>", "0 reject wrong_structure no EPCIS document\n");
    xml("<EPCISDocument/>", "0 reject wrong_structure EPCISDocument: no EPCISBody in it\n");
    xml(
        "<x:problem xmlns:x='u'/>",
        "0 reject carrier_error an error of the interface, no events\n",
    );
    let fault = "<s:Envelope xmlns:s='u'><s:Body><s:Fault/></s:Body></s:Envelope>";
    xml(fault, "0 reject carrier_error an error of the interface, no events\n");
    xml("<ObjectEvent/>", "1 reject missing_field /eventTime: is required\n");
}

#[test]
fn no_reject_shows_a_text_of_an_xml_document() {
    let sample = include_str!("../../fixtures/epcis-xml/good-2.0.xml");
    for (at, _) in sample.match_indices('>') {
        let broken = format!("{}TOPSECRET{}", &sample[..=at], &sample[at + 1..]);
        let text = shown(&read(MEDIA_TYPE_XML, broken.as_bytes()));
        for reject in text.lines().filter(|line| Said::of(line).is_reject()) {
            assert!(!reject.contains("SECRET"), "{reject}");
        }
    }
}
