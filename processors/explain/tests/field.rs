//! What real carriers sent and was once refused or misread (`../shared/data/field`, EXPECTED.tsv): guessed,
//! read and enriched as the answers say.

#![allow(clippy::unwrap_used, clippy::panic)]

use std::path::{Path, PathBuf};
use std::sync::Arc;

use waybill_enrich::{Enrich, Tables};
use waybill_explain::{Explainer, Guess};
use waybill_schemas::EnrichedEvent;
use waybill_schemas::vocabulary::{Classifier, TimePrecision};
use waybill_validate::Validate;

fn folder() -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/field");
    if !folder.is_dir() {
        println!("skipped: {}: ../shared is absent", std::thread::current().name().unwrap_or("?"));
        return None;
    }
    Some(folder)
}

/// `gate_in 2026-10-27T03:59:00Z CNSHA MSCU5956818`; what is unknown is left out.
fn line(event: &EnrichedEvent) -> String {
    let (event, more) = (&event.event, &event.enrichment);
    let at = jiff::Timestamp::from_millisecond(more.occurred_at).unwrap();
    let at = match event.occurred.precision {
        TimePrecision::Day => at.strftime("%Y-%m-%dT%H:%MZ (day)").to_string(),
        _ => at.strftime("%Y-%m-%dT%H:%MZ").to_string(),
    };
    let classifier = match event.classifier {
        Classifier::Actual => String::new(),
        classifier => format!(" ({})", classifier.as_str()),
    };
    let place = more.unlocode.as_deref().unwrap_or("-");
    let shipment = event.shipment_id.strip_prefix("carrier/").unwrap();
    let notes: Vec<String> =
        event.noted().map(|(code, about)| format!(" {}{about}", code.as_str())).collect();
    format!("{}{classifier} {at} {place} {shipment}{}", event.milestone.as_str(), notes.concat())
}

fn explained(file: &Path) -> (String, Vec<String>) {
    let payload = std::fs::read(file).unwrap();
    let Some(guess) = Guess::of(&payload) else { return ("-".into(), Vec::new()) };
    let explainer = Explainer::new(Validate::default(), Enrich::new(Arc::new(Tables::bundled())));
    let now = "2026-11-30T00:00:00Z".parse::<jiff::Timestamp>().unwrap().as_millisecond();
    let found = explainer.explain("carrier", &guess.media_type, payload, None, now);
    let events = found.events.iter().map(line);
    let rejects = found.rejects.iter().map(|(_, r)| format!("reject {}", r.code.as_str()));
    (guess.format.name.to_owned(), events.chain(rejects).collect())
}

const DCSA: &str = "DCSA Track & Trace 2.x";
const X12: &str = "ASC X12 214, 315, 322 and 323";
const EDIFACT: &str = "UN/EDIFACT IFTSTA, CODECO and COARRI";

const BOTH: &[&str] = &[
    "arrived (planned) 2026-11-11T07:00Z NGLKK booking:EXB0001234",
    "gate_in 2026-10-27T03:59Z CNSHA MSCU5956818 missing_field/transportCall/transportCallID",
];
const FLAT: &[&str] = &[
    "departed 2026-11-11T07:00Z CNSHA booking:EXB0001234 missing_field/eventCreatedDateTime \
     missing_field/transportCall",
    "discharged (estimated) 2026-11-25T08:00Z USLGB MSCU5956818 missing_field/eventCreatedDateTime",
];

/// File, format that is guessed, events and rejects.
const EXPECTED: &[(&str, &str, &[&str])] = &[
    ("dcsa-event-id-is-no-uuid.json", DCSA, BOTH),
    ("dcsa-without-id-and-created.json", DCSA, FLAT),
    ("dcsa-2-wrapped-in-events.json", DCSA, BOTH),
    ("dcsa-2-wrapped-flat-no-id.json", DCSA, FLAT),
    (
        "dcsa-codes-in-other-case.json",
        DCSA,
        &[
            "gate_in 2026-10-27T03:59Z CNSHA MSCU5956818 missing_field/transportCall/transportCallID",
        ],
    ),
    (
        "dcsa-no-transport-call-id-number-as-imo.json",
        DCSA,
        &["arrived (planned) 2026-11-11T07:00Z NGLKK booking:EXB0001234 \
           missing_field/transportCall/transportCallID"],
    ),
    (
        "dcsa-shipment-groups.json",
        DCSA,
        &[
            "booking_confirmed 2026-10-13T09:07Z - booking:EXB0001234 missing_field/documentID",
            "gate_in 2026-10-13T23:30Z KRPUS MSCU5956818 missing_field/emptyIndicatorCode",
        ],
    ),
    // EXPECTED.tsv says "discharged"; VD is "Vessel Departure" (ASC X12 157), and no other field says more.
    ("x12-315-time-2400.edi", X12, &["departed 2026-10-12T16:00Z HKHKG MSCU5956818"]),
    ("x12-315-utf16.edi", X12, &["departed 2026-10-12T01:30Z HKHKG MSCU5956818"]),
    (
        "iftsta-status-time-qualifier-78.edi",
        EDIFACT,
        &["other 2026-11-02T14:28Z FIVAT transport_document:70726206360000 unmapped_code"],
    ),
    (
        "iftsta-status-time-qualifier-334-order.edi",
        EDIFACT,
        &["other 2026-11-02T15:28Z DEHAM transport_document:1Z0000000000000000 unmapped_code"],
    ),
    (
        "ups-legacy-xml-delivered.xml",
        "UPS Tracking, XML",
        &["delivered 2026-10-08T16:00Z - tracking_number:1Z12345E0291980793 tracking_check_digit"],
    ),
    (
        "landmark-delivered.xml",
        "Landmark Global tracking",
        &[
            "customs_released 2026-10-26T18:15Z CATOR tracking_number:1Z999CC30000000000 \
             tracking_check_digit",
            "delivered 2026-10-28T04:00Z CATOR tracking_number:1Z999CC30000000000 \
             tracking_check_digit",
        ],
    ),
    (
        "fedex-eta-is-a-day.json",
        "FedEx Track API",
        &[
            "out_for_delivery 2026-10-28T09:44Z USMKT tracking_number:277800000000",
            "delivered (estimated) 2026-10-29T05:59Z (day) - tracking_number:277800000000",
        ],
    ),
    (
        "usps-v3-date-only.json",
        "USPS Tracking API",
        &["delivered 2026-10-28T05:00Z (day) USMKT tracking_number:9400100000000000000000 \
           tracking_check_digit"],
    ),
    ("canada-post-error.xml", "Canada Post tracking details", &["reject carrier_error"]),
    ("usps-error.xml", "USPS Web Tools, Track & Confirm", &["reject carrier_error"]),
    ("ups-error.json", "UPS Tracking API", &["reject carrier_error"]),
    (
        "terminal49-container-with-included-events.json",
        "Terminal49 events",
        &["discharged 2026-10-20T10:00Z USLGB MSCU5956818"],
    ),
    (
        "shippo-webhook.json",
        "Shippo tracking",
        &[
            "departed 2026-10-28T12:16Z USMKT tracking_number:9400100000000000000000 \
           tracking_check_digit",
            "shipment_created 2026-10-27T12:16Z - tracking_number:9400100000000000000000 \
             tracking_check_digit",
            "delivered (estimated) 2026-10-30T23:59Z (day) - \
             tracking_number:9400100000000000000000 tracking_check_digit",
        ],
    ),
    (
        "ups-track-alert-webhook.json",
        "UPS Track Alert",
        &["delivered 2026-10-08T16:00Z - tracking_number:1Z12345E0291980793 tracking_check_digit"],
    ),
    (
        "iftsta-code-of-the-carriers-own-list.edi",
        EDIFACT,
        &["other 2026-11-02T15:28Z DEHAM transport_document:70726206360000 unmapped_code"],
    ),
    (
        "dcsa-unLocationCode-spelt-otherwise.json",
        DCSA,
        &["arrived (estimated) 2026-12-26T04:00Z CLVAP booking:EXB0001234 other_spelling/eventId \
           other_spelling/transportCall/location/unLocationCode"],
    ),
];

#[test]
fn what_carriers_send_is_read_as_the_answers_say() {
    let Some(folder) = folder() else { return };
    let mut wrong = Vec::new();
    for (file, format, lines) in EXPECTED {
        let (guessed, found) = explained(&folder.join(file));
        if (guessed.as_str(), &found.iter().map(String::as_str).collect::<Vec<_>>()[..])
            != (*format, *lines)
        {
            wrong.push(format!("{file}\n  {guessed}, not {format}\n  {found:#?}\n  {lines:#?}"));
        }
    }
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), EXPECTED.len(), wrong.join("\n"));
}

/// No answer stands without a test.
#[test]
fn every_file_has_an_answer_here() {
    let Some(folder) = folder() else { return };
    let answers = std::fs::read_to_string(folder.join("EXPECTED.tsv")).unwrap();
    for file in answers.lines().skip(1).filter_map(|line| line.split('\t').next()) {
        let here = EXPECTED.iter().any(|(known, _, _)| *known == file);
        // Places are enrich's to test.
        assert!(here || file == "cities.tsv", "{file}");
    }
}
