//! Every sample through every format: what its own format makes of it stands beside it
//! (`*.parts.txt`, which `WAYBILL_BLESS=1` writes), and no format panics on
//! any of them, whole or broken.

use std::fs;
use std::path::{Path, PathBuf};

use waybill_formats::{Format, Parts, REGISTRY, find, guess, limits};
use waybill_stage::Code;

use crate::shown::{self, Said, read, shown};

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures")
}

/// Folder of the samples, and the media type they are sent with.
const FOLDERS: &[(&str, &str)] = &[
    ("dcsa-2.2", "application/vnd.dcsa.tnt+json;version=2.2"),
    ("dcsa-3.0", "application/vnd.dcsa.tnt+json;version=3.0"),
    ("cargo-imp", "application/vnd.iata.cargo-imp"),
    ("xfsu", "application/vnd.iata.xfsu+xml"),
    ("one-record", "application/vnd.iata.one-record+json"),
    ("epcis-json", "application/vnd.gs1.epcis+json"),
    ("epcis-xml", "application/vnd.gs1.epcis+xml"),
    ("cma-cgm", "application/vnd.cma-cgm.tracking+json"),
    ("maersk", "application/vnd.maersk.tracking+json"),
    ("cn-quicktrace", "text/vnd.cn.quicktrace+csv"),
    ("asendia", "application/vnd.asendia.tracking+json"),
    ("australia-post", "application/vnd.auspost.tracking+json"),
    ("bpost", "application/vnd.bpost.tracking+xml"),
    ("canada-post", "application/vnd.canadapost.track+xml"),
    ("chronopost", "application/vnd.chronopost.tracking+xml"),
    ("dhl-ecommerce-americas", "application/vnd.dhl.ecommerce-americas+json"),
    ("dhl-express", "application/vnd.dhl.express-tracking+xml"),
    ("dhl-parcel-de", "application/vnd.dhl.parcel-de-tracking+xml"),
    ("dhl-poland", "application/vnd.dhl.poland-tracking+xml"),
    ("dhl-unified", "application/vnd.dhl.unified-tracking+json"),
    ("dpd", "application/vnd.dpd.tracking+xml"),
    ("easypost", "application/vnd.easypost.event+json"),
    ("fedex", "application/vnd.fedex.track+json"),
    ("fedex-soap", "application/vnd.fedex.track+xml"),
    ("gls", "application/vnd.gls.tracking+json"),
    ("hermes", "application/vnd.hermes.shipmentinfo+json"),
    ("la-poste", "application/vnd.laposte.suivi+json"),
    ("mydhl", "application/vnd.mydhl.tracking+json"),
    ("parcelone", "application/vnd.parcelone.tracking+json"),
    ("royal-mail", "application/vnd.royalmail.tracking+json"),
    ("seko", "application/vnd.seko.tracking+json"),
    ("sendle", "application/vnd.sendle.tracking+json"),
    ("smartkargo", "application/vnd.smartkargo.tracking+json"),
    ("spring", "application/vnd.spring.tracking+json"),
    ("stamps", "application/vnd.stamps.tracking+xml"),
    ("teleship", "application/vnd.teleship.tracking+json"),
    ("terminal49", "application/vnd.terminal49.webhook+json"),
    ("ups", "application/vnd.ups.track+json"),
    ("usps", "application/vnd.usps.tracking+json"),
    ("usps-web-tools", "application/vnd.usps.tracking+xml"),
    ("landmark", "application/vnd.landmark.tracking+xml"),
    ("lasership", "application/vnd.lasership.tracking+json"),
    ("ontrac", "application/vnd.ontrac.tracking+xml"),
    ("purolator", "application/vnd.purolator.tracking+xml"),
    ("aftership", "application/vnd.aftership.tracking+json"),
    ("ship24", "application/vnd.ship24.tracking+json"),
    ("shipengine", "application/vnd.shipengine.tracking+json"),
    ("track17", "application/vnd.17track.tracking+json"),
    ("shippo", "application/vnd.shippo.track+json"),
    ("ups-xml", "application/vnd.ups.tracking+xml"),
    ("ups-track-alert", "application/vnd.ups.track-alert+json"),
    ("ups-quantum-view", "application/vnd.ups.quantum-view+xml"),
    ("usps-iv-mtr", "application/vnd.usps.iv-mtr+json"),
    ("usps-iv-mtr-csv", "text/vnd.usps.iv-mtr+csv"),
    ("edifact", "application/EDIFACT"),
    ("x12", "application/EDI-X12"),
];

/// What a sample is broken with: what the syntaxes are made of.
const ALPHABET: &[u8] = b"\"{}[],:\\0-e\x00\xff\xc3nt/<>&=\n*~'+?STK";

fn samples() -> Vec<(PathBuf, &'static str)> {
    let mut samples = Vec::new();
    for (folder, media_type) in FOLDERS {
        for entry in fs::read_dir(fixtures().join(folder)).unwrap() {
            let path = entry.unwrap().path();
            if !path.to_string_lossy().ends_with(".parts.txt") {
                samples.push((path, *media_type));
            }
        }
    }
    samples.sort();
    assert!(samples.len() >= 10);
    samples
}

const MEANT: &str = "if it is meant, see CONTRIBUTING.md, \"What tests write\"";

#[test]
fn samples_are_read_as_the_text_beside_them_says() {
    for (path, media_type) in samples() {
        let payload = fs::read(&path).unwrap();
        let read_so = shown(&read(media_type, &payload));
        let beside = path.with_extension("parts.txt");
        if std::env::var_os("WAYBILL_BLESS").is_some() {
            fs::write(&beside, &read_so).unwrap();
        }
        let expect = fs::read_to_string(&beside).unwrap_or_default();
        for (got, expect) in read_so.lines().zip(expect.lines()) {
            assert_eq!(got, expect, "{}: {MEANT}", path.display());
        }
        let (got, expect) = (read_so.lines().count(), expect.lines().count());
        assert_eq!(got, expect, "{}: {MEANT}", path.display());
    }
}

/// A SOAP fault and problem details (RFC 9457) do not say whose they are.
const OF_NOBODY: &[&str] = &["dhl-poland/error.xml", "asendia/error.json"];

#[test]
fn an_error_of_a_carrier_is_guessed_as_its_own() {
    let mut seen = 0;
    for (path, media_type) in samples() {
        let is_error = path.file_name().is_some_and(|n| n.to_string_lossy().starts_with("error"));
        if !is_error || OF_NOBODY.iter().any(|file| path.ends_with(file)) {
            continue;
        }
        let guessed = guess(&fs::read(&path).unwrap());
        let own = find(media_type).unwrap().name;
        let names: Vec<&str> = guessed.iter().map(|format| format.name).collect();
        assert!(names.contains(&own), "{}: {names:?}", path.display());
        // What it is guessed to be says that it is an error, whosever it is.
        let mut parts = Parts::default();
        let whole = guessed[0].read(&fs::read(&path).unwrap(), &mut parts);
        let rejects = parts.iter().filter_map(|(_, part)| part.as_ref().err());
        let codes: Vec<Code> = rejects.chain(whole.as_ref().err()).map(|r| r.code).collect();
        assert!(codes.contains(&Code::CarrierError), "{}: {codes:?}", path.display());
        seen += 1;
    }
    assert!(seen > 20, "{seen}");
}

#[test]
fn a_good_sample_is_guessed_as_its_own() {
    let mut seen = 0;
    for (path, media_type) in samples() {
        if !path.file_name().is_some_and(|n| n.to_string_lossy().starts_with("good")) {
            continue;
        }
        let guessed = guess(&fs::read(&path).unwrap());
        let names: Vec<&str> = guessed.iter().map(|format| format.name).collect();
        // By the media type: rows of one reader are one format.
        let essence = |format: &Format| format.patterns[0].essence;
        let own = essence(find(media_type).unwrap());
        assert_eq!(guessed.first().map(|f| essence(f)), Some(own), "{}: {names:?}", path.display());
        seen += 1;
    }
    assert!(seen > FOLDERS.len(), "{seen}");
}

#[test]
fn without_version_the_structure_decides() {
    let dcsa = |media_type: &str| media_type.starts_with("application/vnd.dcsa.tnt+json");
    for (path, media_type) in samples().into_iter().filter(|(_, media_type)| dcsa(media_type)) {
        let payload = fs::read(&path).unwrap();
        let stated = shown(&read(media_type, &payload));
        let found = shown(&read("application/vnd.dcsa.tnt+json", &payload));
        assert_eq!(found, stated, "{}", path.display());
    }
}

#[test]
fn no_sample_makes_any_format_panic_whole_or_broken() {
    let mut random = 0x9e37_79b9_7f4a_7c15_u64;
    let mut next = |below: usize| {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (random >> 33) as usize % below
    };
    for (path, _) in samples() {
        let sample = fs::read(&path).unwrap();
        let mut broken = vec![sample.clone(), Vec::new()];
        for _ in 0..(100_000 / sample.len()).clamp(8, 60) {
            broken.push(sample[..next(sample.len())].to_vec());
            let mut other = sample.clone();
            let at = next(other.len());
            other[at] = ALPHABET[next(ALPHABET.len())];
            broken.push(other);
            let mut shorter = sample.clone();
            let from = next(shorter.len());
            shorter.drain(from..(from + next(40)).min(sample.len()));
            broken.push(shorter);
        }
        for payload in broken {
            for format in REGISTRY.iter() {
                let mut parts = Parts::default();
                let whole = format.read(&payload, &mut parts);
                assert_eq!(whole.is_err(), parts.is_empty(), "{}", format.name);
                let rejects = parts.iter().filter_map(|(_, part)| part.as_ref().err());
                for reject in rejects.chain(whole.as_ref().err()) {
                    assert!(reject.detail.is_ascii() && reject.detail.len() < 200);
                }
            }
        }
    }
}

const V2: &str = "application/vnd.dcsa.tnt+json;version=2.2";
const V3: &str = "application/vnd.dcsa.tnt+json;version=3.0";

fn check_whole(media_type: &str, payload: &[u8], code: Code, detail: &str) {
    let mut parts = Parts::default();
    let reject = find(media_type).unwrap().read(payload, &mut parts).unwrap_err();
    assert_eq!((reject.code, &*reject.detail), (code, detail), "{media_type} {payload:.40?}");
    assert!(parts.is_empty(), "{media_type} {payload:.40?}");
}

#[test]
fn what_is_no_message_at_all() {
    for version in [V2, V3] {
        let check = |payload: &[u8], code, detail| check_whole(version, payload, code, detail);
        check(b"", Code::Unparsable, "no JSON: it ends too early");
        check(b"  \n", Code::Unparsable, "no JSON: it ends too early");
        check(b"UNB+UNOC:3+X'", Code::Unparsable, "no JSON: line 1, column 1");
        check(b"[{\"a\":1},\n{]", Code::Unparsable, "no JSON: line 2, column 2");
        check(b"[{}", Code::Unparsable, "no JSON: it ends too early");
        check(b"{\"a\":1} x", Code::Unparsable, "no JSON: line 1, column 9");
        check(b"[{\"a\":1}] x", Code::Unparsable, "no JSON: line 1, column 11");
        check(b"[]", Code::WrongStructure, "no event in it");
        check(b"7", Code::WrongStructure, "expected an object or an array");
        check(b"null", Code::WrongStructure, "expected an object or an array");
        check(&vec![b'['; 70_000], Code::TooLarge, "payload: nested deeper than 64");
        check(&vec![b' '; (1 << 20) + 1], Code::TooLarge, "payload: more than 1048576 bytes");
    }
    let more = b"{\"events\":[{}]} {}";
    check_whole(V3, more, Code::Unparsable, "no JSON: line 1, column 17");
    check_whole(V3, b"{\"events\":[]}", Code::WrongStructure, "no event in it");
    let many = format!("[{}7]", "{},".repeat(limits::EVENTS));
    check_whole(V2, many.as_bytes(), Code::TooLarge, "more than 10000 events");
    let many = format!("{{\"events\":{many}}}");
    check_whole(V3, many.as_bytes(), Code::TooLarge, "more than 10000 events");
}

#[test]
fn what_is_wrong_with_a_single_event_is_its_own_reject() {
    let check = |payload: &str, expect: &str| {
        let shown = shown(&read(V2, payload.as_bytes()));
        assert!(shown.starts_with(expect), "{shown} {payload}");
    };
    let not = "0 reject wrong_structure no field of a DCSA event in it\n";
    check(r#"{"someEvents":[{}]}"#, not);
    check(r#"{"eventID":7}"#, "1 reject missing_field /eventType: is required\n");
    check(r#"{"eventType":"\ud800"}"#, "0 reject unparsable no JSON: line 1, column 21\n");
    check("\u{feff}{\"eventID\":7}", "1 reject missing_field /eventType: is required\n");
    let many = r#"{"referenceType":"FF","referenceValue":"1"},"#.repeat(limits::LIST);
    check(
        &format!(
            r#"{{"eventType":"SHIPMENT","eventClassifierCode":"ACT","documentID":"1",
            "documentTypeCode":"BKG","shipmentEventTypeCode":"CONF",
            "eventDateTime":"2026-01-01T00:00:00Z","eventCreatedDateTime":"2026-01-01T00:00:00Z",
            "references":[{many}{{}}]}}"#
        ),
        // Of very many the first are kept.
        "1 booking_confirmed",
    );
}

#[test]
fn no_reject_shows_a_value_of_the_payload() {
    for name in [
        "dcsa-2.2/good.json",
        "dcsa-2.2/good-other-2.x.json",
        "dcsa-2.2/wrong-fields.json",
        "dcsa-3.0/good.json",
        "dcsa-3.0/wrong-fields.json",
        "epcis-json/good.jsonld",
        "epcis-json/wrong-fields.jsonld",
        "easypost/good.json",
        "fedex/wrong.json",
        "hermes/good.json",
        "terminal49/good.json",
        "ups/wrong.json",
    ] {
        let sample = fs::read_to_string(fixtures().join(name)).unwrap();
        // Each value in turn becomes a secret of another type, and all of them one of the same.
        let mut broken = vec![sample.replace(": \"", ": \"TOPSECRET")];
        for (at, _) in sample.match_indices(": ") {
            broken.push(format!(
                "{}: \"\\u0041, expected TOPSECRET\"{}",
                &sample[..at],
                &sample[at + 2..]
            ));
            broken.push(format!("{}: [\"TOPSECRET\"],\"x\": {}", &sample[..at], &sample[at + 2..]));
        }
        for payload in broken.iter().step_by(broken.len() / 80 + 1) {
            for format in REGISTRY.iter() {
                let mut parts = Parts::default();
                let whole = format.read(payload.as_bytes(), &mut parts);
                let rejects = parts.iter().filter_map(|(_, part)| part.as_ref().err());
                for reject in rejects.chain(whole.as_ref().err()) {
                    assert!(!reject.detail.contains("SECRET"), "{}", reject.detail);
                }
            }
        }
    }
}

/// What is shared by events is copied into each: two long lists and many short events would be 82 MB.
#[test]
fn what_a_message_becomes_is_bounded() {
    let ups = |references: usize, activities: usize| {
        let list =
            |n: usize, of: &dyn Fn(usize) -> String| (0..n).map(of).collect::<Vec<_>>().join(",");
        let reference = |n| format!(r#"{{"number":"{n:0>200}"}}"#);
        let activity =
            |_| r#"{"status":{"type":"I"},"date":"20260120","time":"101500"}"#.to_owned();
        format!(
            r#"{{"trackResponse":{{"shipment":[{{"package":[{{"trackingNumber":"1Z999AA10123456784",
            "referenceNumber":[{}],"activity":[{}]}}]}}]}}}}"#,
            list(references, &reference),
            list(activities, &activity)
        )
    };
    let read = |payload: &str| {
        let mut parts = Parts::default();
        let whole =
            find("application/vnd.ups.track+json").unwrap().read(payload.as_bytes(), &mut parts);
        (whole.map_err(|reject| (reject.code, reject.detail.into_owned())), parts.len())
    };
    assert_eq!(read(&ups(30, 100)), (Ok(()), 100));
    let bomb = ups(30, 5_500);
    assert!(bomb.len() < 450_000);
    let detail = "its events take more than 32 MiB when they are read".to_owned();
    assert_eq!(read(&bomb), (Err((Code::TooLarge, detail)), 0));
}

/// The standard's own examples.
mod shared {
    use super::*;

    /// The lines of a file, each cut after `words` words.
    fn check(name: &str, media_type: &str, words: usize, expect: &[&str]) {
        let Some(payload) = shown::shared(&["dcsa/", name].concat()) else { return };
        for media_type in [media_type, "application/vnd.dcsa.tnt+json"] {
            let text = shown(&read(media_type, &payload));
            let short: Vec<String> = text
                .lines()
                .map(|l| match Said::of(l) {
                    part if part.is_reject() => l.to_owned(),
                    part => {
                        let notes = part.all("note").count();
                        let line = l.split(' ').take(words).collect::<Vec<_>>().join(" ");
                        line + &" noted".repeat(notes)
                    }
                })
                .collect();
            assert_eq!(short, expect, "{name} as {media_type}");
        }
    }

    #[test]
    fn v2() {
        check(
            "tnt-220-response.json",
            V2,
            4,
            &[
                "1 arrived actual TRANSPORT/ARRI",
                "2 document_drafted actual SHIPMENT/DRFT/SHI",
                "3 loaded estimated EQUIPMENT/LOAD",
                "4 arrived actual TRANSPORT/ARRI",
                "5 document_drafted actual SHIPMENT/DRFT/BKG",
                "6 loaded estimated EQUIPMENT/LOAD",
                "7 document_drafted actual SHIPMENT/DRFT/TRD",
            ],
        );
        // The second is right in itself; in its file it is wrong as an answer to a question.
        check(
            "tnt-220-response-wrong-attribute-values.json",
            V2,
            4,
            &[
                "1 departed actual TRANSPORT/DEPA noted noted",
                "2 document_voided actual SHIPMENT/VOID/ARN",
                "3 removed estimated EQUIPMENT/RMVD noted noted noted",
            ],
        );
        // The seventh is wrong against its receipt, which is validate's to see. 2.2 requires no
        // eventID.
        check(
            "tnt-220-response-wrong-date-times.json",
            V2,
            4,
            &[
                "1 document_drafted actual SHIPMENT/DRFT/SHI",
                "2 document_drafted actual SHIPMENT/DRFT/SHI noted noted",
                "3 reject missing_field /2/eventDateTime: is required",
                "4 document_drafted actual SHIPMENT/DRFT/SHI noted noted",
                "5 document_drafted actual SHIPMENT/DRFT/SHI noted noted",
                "6 document_drafted actual SHIPMENT/DRFT/SHI noted noted",
                "7 document_drafted actual SHIPMENT/DRFT/SHI noted",
            ],
        );
        check(
            "tnt-220-response-wrong-event-ids.json",
            V2,
            4,
            &[
                "1 document_drafted actual SHIPMENT/DRFT/SHI",
                "2 document_drafted actual SHIPMENT/DRFT/BKG",
                "3 document_drafted actual SHIPMENT/DRFT/TRD",
                "4 document_drafted actual SHIPMENT/DRFT/TRD noted",
                "5 document_drafted actual SHIPMENT/DRFT/TRD",
                "6 document_drafted actual SHIPMENT/DRFT/TRD",
                "7 document_drafted actual SHIPMENT/DRFT/TRD noted",
            ],
        );
        check(
            "tnt-220-response-wrong-structure.json",
            V2,
            4,
            &[
                "1 reject wrong_structure /0: no field of a DCSA event in it",
                "2 reject wrong_structure /1: no field of a DCSA event in it",
            ],
        );
    }

    #[test]
    fn v3() {
        let check = |name, expect: &[&str]| check(name, V3, 4, expect);
        check("tnt-300-request-equipment.json", &["1 loaded actual EQUIPMENT/LOAD"]);
        check("tnt-300-request-iot.json", &["1 sensor_alert actual IOT/DETC/DRO"]);
        check("tnt-300-request-reefer.json", &["1 sensor_reading actual REEFER/MEAS"]);
        check("tnt-300-request-shipment.json", &["1 booking_confirmed actual SHIPMENT/CONF/BKG"]);
        check("tnt-300-request-transport.json", &["1 arrived actual TRANSPORT/ARRI"]);
        check(
            "tnt-300-response.json",
            &[
                "1 booking_confirmed actual SHIPMENT/CONF/BKG",
                "2 departed actual TRANSPORT/DEPA",
                "3 empty_returned actual EQUIPMENT/GTIN",
                "4 sensor_reading actual IOT/DETC/LOC",
                "5 sensor_reading actual REEFER/MEAS",
            ],
        );
        check(
            "tnt-300-response-nextpage.json",
            &[
                "1 document_approved actual SHIPMENT/APPR/BKG",
                "2 arrived estimated TRANSPORT/ARRI",
                "3 discharged actual EQUIPMENT/DISC",
                "4 sensor_reading actual IOT/DETC/DRC",
                "5 sensor_reading actual REEFER/ADJU",
            ],
        );
    }
}
