//! An accepted event that is put together from bytes is the one that is put together from fields.

use crate::examples;
use crate::random::records;
use waybill_schemas::{
    AcceptedEvent, DecodeError, EnrichedEvent, History, SpliceError, accepted, decode, encode,
};

#[test]
fn spliced_bytes_are_those_of_the_whole() {
    let histories = records::<AcceptedEvent>();
    let ids = ["", "acme-line/MSKU0000006", &"long".repeat(50)];
    for (n, (bytes, history)) in records::<EnrichedEvent>().iter().zip(histories).enumerate() {
        let history: History = decode::<AcceptedEvent>(&history).unwrap().history;
        let id = ids[n % ids.len()];
        let EnrichedEvent { mut event, enrichment } = decode(bytes).unwrap();
        event.shipment_id = id.to_owned();
        let mut expect = b"before".to_vec();
        encode(&AcceptedEvent { event, enrichment, history }, &mut expect).unwrap();
        let mut got = b"before".to_vec();
        accepted(bytes, id, &history, &mut got).unwrap();
        assert!(got == expect, "event {n}, shipment {id}");
    }
}

#[test]
fn what_is_no_enriched_event_is_refused() {
    let AcceptedEvent { event, enrichment, history } = examples::accepted_event();
    let mut bytes = Vec::new();
    encode(&EnrichedEvent { event: event.clone(), enrichment }, &mut bytes).unwrap();
    let mut other = Vec::new();
    encode(&event, &mut other).unwrap();
    let check = |bytes: &[u8], expect: fn(&DecodeError) -> bool| {
        let error = accepted(bytes, "s", &history, &mut Vec::new()).unwrap_err();
        assert!(matches!(&error, SpliceError::Decode(e) if expect(e)), "{error}");
    };
    check(b"", |e| *e == DecodeError::NotSingleObject);
    check(&other, |e| *e == DecodeError::UnknownSchema);
    for end in [10, 20, 60] {
        check(&bytes[..end], |e| matches!(e, DecodeError::Datum(_)));
    }
}
