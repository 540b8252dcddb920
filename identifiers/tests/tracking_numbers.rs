//! Check digits against the test numbers of the shared definitions.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use std::path::Path;

use waybill_identifiers::tracking_number::{Verdict, verdict};

/// Files, and forms of them that have a check digit.
const FORMS: &[(&str, &[&str])] = &[
    ("canadapost", &["Canada Post (16)"]),
    ("dhl", &["DHL Express"]),
    ("dpd", &["DPD (28)", "DPD (14)"]),
    (
        "fedex",
        &[
            "FedEx Express (12)",
            "FedEx Express (34)",
            "FedEx ASTRA (32)",
            "FedEx Ground",
            "FedEx Ground (SSCC-18)",
            "FedEx Ground 96 (22)",
            "FedEx Ground GSN",
        ],
    ),
    ("old_dominion", &["Old Dominion", "Old Dominion Guaranteed Shipment"]),
    ("ontrac", &["OnTrac", "OnTrac D"]),
    ("purolator", &["Purolator (12)"]),
    ("s10", &["S10"]),
    ("ups", &["UPS", "UPS Waybill"]),
    ("usps", &["USPS 20", "USPS IMpb N", "USPS Legacy", "USPS IMpb C"]),
];

/// A file of `../shared/data`, or `None` where that is absent: said aloud, and dev/test repeats it.
/// Where the folder is, the file must be.
fn shared(path: &str) -> Option<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data");
    if !folder.is_dir() {
        println!("skipped: {}: ../shared is absent", std::thread::current().name().unwrap_or("?"));
        return None;
    }
    Some(std::fs::read(folder.join(path)).unwrap())
}

#[test]
fn numbers_of_the_definitions() {
    let (mut good, mut bad, mut wrong) = (0, 0, Vec::new());
    for (file, forms) in FORMS {
        let Some(json) = shared(&format!("tracking_numbers/{file}.json")) else { return };
        let json: serde_json::Value = serde_json::from_slice(&json).unwrap();
        for form in json["tracking_numbers"].as_array().unwrap() {
            if !forms.contains(&form["name"].as_str().unwrap()) {
                continue;
            }
            for number in form["test_numbers"]["valid"].as_array().unwrap() {
                good += 1;
                let got = verdict(number.as_str().unwrap());
                if got != Verdict::Good {
                    wrong.push(format!("{} {number} is good, not {got:?}", form["name"]));
                }
            }
            for number in form["test_numbers"]["invalid"].as_array().unwrap() {
                bad += 1;
                let number = number.as_str().unwrap();
                if verdict(number) == Verdict::Good {
                    wrong.push(format!("{} {number} is not good", form["name"]));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
    assert_eq!((good, bad), (119, 50));
}
