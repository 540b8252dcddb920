//! What a carrier publishes in a test.

use serde_json::json;

pub const DCSA_22: &str = "application/vnd.dcsa.tnt+json;version=2.2";

/// A gate-in of that container, an hour ago, as DCSA Track & Trace 2.2 has it.
///
/// # Panics
/// When `date` does not run.
pub fn gate_in(container: &str) -> Vec<u8> {
    let out = std::process::Command::new("date")
        .args(["-u", "-d", "1 hour ago", "+%Y-%m-%dT%H:%M:%SZ"])
        .output()
        .unwrap();
    let at = String::from_utf8(out.stdout).unwrap().trim().to_owned();
    let event = json!({
        "eventID": "5f1d9a52-1c5e-4f0e-9a3c-0d6f5b1f2a01",
        "eventType": "EQUIPMENT",
        "eventCreatedDateTime": at,
        "eventClassifierCode": "ACT",
        "eventDateTime": at,
        "equipmentEventTypeCode": "GTIN",
        "equipmentReference": container,
        "ISOEquipmentCode": "22G1",
        "emptyIndicatorCode": "LADEN",
        "eventLocation": { "UNLocationCode": "NLRTM" },
    });
    event.to_string().into_bytes()
}
