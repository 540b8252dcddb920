//! No bytes make the codec panic, or hold much more memory than they take themselves.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use crate::examples;
use proptest::prelude::*;
use waybill_schemas::{
    AcceptedEvent, DecodeError, Delivery, EnrichedEvent, Erasure, LedgerEntry, Opened, Record,
    Redrive, RejectRecord, Shipment, ShipmentEvent, ShipmentHistory, decode, encode,
};

/// Counts what each thread holds, and the most it held.
struct Counting;

thread_local! {
    static HELD: Cell<usize> = const { Cell::new(0) };
    static MOST: Cell<usize> = const { Cell::new(0) };
}

#[global_allocator]
static COUNTING: Counting = Counting;

#[expect(unsafe_code, reason = "an allocator cannot be written without")]
// SAFETY: every call goes to the system's allocator as it came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        HELD.set(HELD.get().wrapping_add(layout.size()));
        MOST.set(MOST.get().max(HELD.get()));
        unsafe { System.alloc(layout) }
    }
    unsafe fn dealloc(&self, ptr: *mut u8, layout: Layout) {
        HELD.set(HELD.get().wrapping_sub(layout.size()));
        unsafe { System.dealloc(ptr, layout) }
    }
}

/// An item of a list in memory is at most so many times its bytes in Avro: a flag of one byte
/// becomes one, a milestone entry of 23 bytes becomes 64, a leg of 19 becomes 120; lists double.
const GROWTH: usize = 40;
/// serde reserves at most 1 MiB for a list on the word of its length.
const ROOM: usize = 4 << 20;

fn bounded<R: Record>(bytes: &[u8]) -> Result<R, DecodeError> {
    let before = HELD.get();
    MOST.set(before);
    let result = decode::<R>(bytes);
    let most = MOST.get() - before;
    assert!(
        most <= ROOM + GROWTH * bytes.len(),
        "{} of {} bytes took {most}",
        R::SCHEMA,
        bytes.len()
    );
    result
}

fn every_type(bytes: &[u8]) {
    let _ = bounded::<Opened>(bytes);
    let _ = bounded::<ShipmentEvent>(bytes);
    let _ = bounded::<EnrichedEvent>(bytes);
    let _ = bounded::<AcceptedEvent>(bytes);
    let _ = bounded::<Shipment>(bytes);
    let _ = bounded::<ShipmentHistory>(bytes);
    let _ = bounded::<RejectRecord>(bytes);
    let _ = bounded::<LedgerEntry>(bytes);
    let _ = bounded::<Redrive>(bytes);
    let _ = bounded::<Erasure>(bytes);
    let _ = bounded::<Delivery>(bytes);
}

fn encoded<R: Record>(record: &R) -> Vec<u8> {
    let mut bytes = Vec::new();
    encode(record, &mut bytes).unwrap();
    bytes
}

fn samples() -> Vec<Vec<u8>> {
    vec![
        encoded(&examples::opened()),
        encoded(&examples::shipment_event()),
        encoded(&examples::accepted_event()),
        encoded(&examples::shipment()),
        encoded(&examples::shipment_history()),
        encoded(&examples::reject()),
        encoded(&examples::ledger_entry()),
        encoded(&examples::redrive()),
        encoded(&examples::erasure()),
        encoded(&examples::delivery()),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn random_bytes(which in 0..10_usize, noise in prop::collection::vec(any::<u8>(), 0..600)) {
        every_type(&noise);
        let mut bytes = samples().swap_remove(which);
        bytes.truncate(10);
        bytes.extend(noise);
        every_type(&bytes);
    }

    #[test]
    fn mutated_records(
        which in 0..9_usize,
        cut in any::<prop::sample::Index>(),
        at in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..8),
    ) {
        let mut bytes = samples().swap_remove(which);
        for (index, byte) in at {
            let index = 10 + index.index(bytes.len() - 10);
            bytes[index] = byte;
        }
        every_type(&bytes);
        bytes.truncate(cut.index(bytes.len()));
        every_type(&bytes);
    }
}

/// `n` as an Avro long.
fn long(n: i64) -> Vec<u8> {
    let mut left = ((n << 1) ^ (n >> 63)) as u64;
    let mut bytes = Vec::new();
    while left > 0x7f {
        bytes.push(left as u8 | 0x80);
        left >>= 7;
    }
    bytes.push(left as u8);
    bytes
}

/// Lengths that promise more than there is.
#[test]
fn declared_lengths_are_not_believed() {
    let opened = encoded(&examples::minimal::opened());
    let history = encoded(&examples::minimal::shipment_history());
    // Provenance of the minimal records: four empty texts and six zeros; then a byte for proof.
    let media_type = 10 + 10 + 1;
    // No shipment's id and number 0; provenance, revision, duplicates, and five that are absent or empty; then
    // three times.
    let events = 10 + 2 + 10 + 2 + 5 + 3;
    assert_eq!((opened[media_type], history[events], history.len()), (0, 0, events + 1));
    for n in [1, 1 << 20, 1 << 31, 1 << 40, i64::MAX, -1, i64::MIN, i64::MIN + 1] {
        for (bytes, at) in [(&opened, 10), (&opened, media_type), (&opened, media_type + 1)] {
            let lie = [&bytes[..at], &long(n), b"abc"].concat();
            let got = bounded::<Opened>(&lie);
            assert!(matches!(got, Err(DecodeError::Datum(_))), "length {n} at {at}: {got:?}");
        }
        for tail in [&[][..], &[0; 64], &[0xff; 64]] {
            let lie = [&history[..events], &long(n), tail].concat();
            let got = bounded::<ShipmentHistory>(&lie);
            assert!(matches!(got, Err(DecodeError::Datum(_))), "{n} events: {got:?}");
        }
    }
}
