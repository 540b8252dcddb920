//! A dialect, and behind its first NUL a document that is read by it.
#![no_main]

use waybill_formats::{Parts, dialect};

const DOCUMENTS: [&[u8]; 3] = [
    br#"{"events": [{"code": "X", "time": "2026-01-20"}], "a": {"b": [1]}}"#,
    b"<r><return><events a='1'><code>X</code></events></return></r>",
    b"a,b\n1,2\n",
];

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    let at = input.iter().position(|byte| *byte == 0).unwrap_or(input.len());
    let (table, document) = input.split_at(at);
    let Ok(table) = std::str::from_utf8(table) else { return };
    // One that is right stays in memory.
    let Ok(format) = dialect::load(table, &|_| Err(String::new())) else { return };
    for document in DOCUMENTS.into_iter().chain([document]) {
        let mut parts = Parts::default();
        let whole = format.read(document, &mut parts);
        assert_eq!(whole.is_err(), parts.is_empty(), "parts, or a reject of the whole");
    }
});
