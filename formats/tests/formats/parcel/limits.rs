//! How much a message may hold.

use crate::shown::{read, shown};

#[test]
fn limits() {
    let read = |media_type: &str, payload: String| {
        shown(&read(&format!("application/vnd.{media_type}"), payload.as_bytes()))
    };
    let gls = |n: usize| {
        let events = vec!["{}"; n].join(",");
        read(
            "gls.tracking+json",
            format!(r#"{{"parcels":[{{"unitno":"1","events":[{events}]}}]}}"#),
        )
    };
    assert_eq!(gls(10_000).lines().count(), 10_000);
    assert_eq!(gls(10_001), "0 reject too_large more than 10000 events\n");
    let usps = |n: usize| {
        let events = "<TrackDetail/>\n".repeat(n);
        let text = format!("<TrackResponse><TrackInfo ID='1'>{events}</TrackInfo></TrackResponse>");
        read("usps.tracking+xml", text)
    };
    let last = "10000 reject missing_field line 10000: Event: is required";
    assert_eq!(usps(10_000).lines().last(), Some(last));
    assert_eq!(usps(10_001), "0 reject too_large more than 10000 events\n");
    // Every event carries the references of its package: there may not be many of both.
    let ups = |n: usize| {
        let references: Vec<_> = (0..n).map(|n| format!(r#"{{"number":"{n}"}}"#)).collect();
        let package = format!(
            r#"{{"trackingNumber":"1Z","referenceNumber":[{}],"activity":[{{"date":"20260101","status":{{"type":"D"}}}}]}}"#,
            references.join(",")
        );
        read(
            "ups.track+json",
            format!(r#"{{"trackResponse":{{"shipment":{{"package":{package}}}}}}}"#),
        )
    };
    assert!(ups(31).starts_with("1 delivered actual UPS/D "));
    let many = "/trackResponse/shipment/package: more than 32 references";
    assert_eq!(ups(32), format!("1 reject too_large {many}\n"));
    assert!(ups(1_000).starts_with("1 reject too_large"));
    // A name is cut, a number is not.
    let long = "9".repeat(300);
    let text = format!(r#"{{"parcels":[{{"unitno":"{long}","events":[]}}]}}"#);
    let number = "/parcels/0/unitno: more than 256 characters";
    assert_eq!(read("gls.tracking+json", text), format!("1 reject invalid_field {number}\n"));
}
