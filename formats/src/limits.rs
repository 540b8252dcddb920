//! What a message may be at most. More is a reject, never memory or time.

/// Bytes of a payload. A sealed event has at most 900,000, so this is never the first to be felt.
pub const PAYLOAD_BYTES: usize = 1 << 20;
/// Nesting of arrays and objects.
pub const DEPTH: usize = 64;
/// Events in one message.
pub const EVENTS: usize = 10_000;
/// Bytes of memory that what is read from one message takes. A reader copies what events share into each of
/// them: 428 kB of two long lists and many short events became 82 MB. No real message comes near it (10,000
/// events of 1.5 kB).
pub const OUTPUT_BYTES: usize = 32 << 20;
/// Elements of one list within an event (references, seals, readings, …).
pub const LIST: usize = 1_000;

/// Notes on one event.
pub const NOTES: usize = 32;

// Characters of a text. The standards' own limits are lower, and carriers go beyond them.
pub const CODE: usize = 32;
pub const ID: usize = 256;
/// DCSA T&T 3.0 allows its `eventID` so many.
pub const EVENT_ID: usize = 500;
pub const NAME: usize = 256;
pub const REMARK: usize = 2_000;
/// Elements of all lists in all events of an EDI payload: a header gives its own to each event, and
/// a few bytes could become very many.
pub const SHARED: usize = 200_000;
