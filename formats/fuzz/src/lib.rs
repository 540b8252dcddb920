//! What must hold whatever the bytes are: the reader of the media type comes back, with parts or
//! with a reject, and what it says shows nothing of the payload that is not plain text.

use waybill_formats::{Parts, REGISTRY, find};

pub fn read(media_type: &str, payload: &[u8]) {
    let format = find(media_type).expect("registered");
    let mut parts = Parts::default();
    let whole = format.read(payload, &mut parts);
    assert_eq!(whole.is_err(), parts.is_empty(), "parts, or a reject of the whole");
    let rejects = parts.iter().filter_map(|(_, part)| part.as_ref().err());
    for reject in rejects.chain(whole.as_ref().err()) {
        assert!(reject.detail.is_ascii() && reject.detail.len() < 200, "{}", reject.detail);
    }
}

/// Media types of the readers that have no target of their own.
pub fn parcel_carriers() -> impl Iterator<Item = &'static str> {
    const OTHERS: [&str; 7] =
        ["dcsa", "EDI", "epcis", "iata", "easypost", "terminal49.webhook", "edifact"];
    REGISTRY
        .iter()
        .flat_map(|format| format.patterns)
        .map(|pattern| pattern.essence)
        .filter(|essence| !OTHERS.iter().any(|other| essence.contains(other)))
}

/// A target: the reader of this media type.
#[macro_export]
macro_rules! target {
    ($media_type:literal) => {
        libfuzzer_sys::fuzz_target!(|payload: &[u8]| $crate::read($media_type, payload));
    };
}
