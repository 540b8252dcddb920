//! How records are handed to a transactional producer: all that go into one transaction at once, and
//! of each partition no more than fits one request.
//!
//! librdkafka's idempotent producer may have five *requests* of a partition on their way, but
//! compares that limit with the number of *messages* on their way (2.12.1 and the newest sources,
//! `rd_kafka_toppar_producer_serve`: `RD_KAFKA_IDEMP_MAX_INFLIGHT - rktp_msgs_inflight`). So one
//! request of five messages or more shuts its partition until the answer. Meanwhile
//! `rd_kafka_msgq_allow_wakeup_at` asks for a wake-up now for every message that has lingered, and the
//! broker's thread polls without a pause until the answer is there. A broker that stands still for a
//! moment is then kept from the processor by the producers that wait for it: four busy loops for 4 s
//! stopped a whole pipeline for 20 s, and in quiet times most of its processor time went there.
//!
//! It cannot happen while a partition has nothing to send behind a request that is unanswered:
//!
//! - nothing lingers out: `linger.ms` is longer than any hand-over takes, and a flush, once all is
//!   handed over, is what sends;
//! - what is handed over is one request for each partition: a [`portion`](PORTION_BYTES) is smaller
//!   than `batch.size`, `message.max.bytes` and the topics' `max.message.bytes`;
//! - the next portion, or transaction, is handed over after the answers.
//!
//! To see it, stop the broker (`kill -STOP`) beside a demo, and look at the threads named `rdk:broker`:
//! `perf record -a -g sleep 3`, or `top -H`. `dev/bench recovery` prints their processor time.
#![allow(unsafe_code)] // the binding flushes for no time at all, which nobody sees

use std::time::{Duration, Instant};

use rdkafka::ClientConfig;
use rdkafka::bindings::rd_kafka_flush;
use rdkafka::producer::{BaseProducer, Producer, ProducerContext};

/// A request may have so many bytes: the topics' `max.message.bytes`, too.
pub(crate) const REQUEST_BYTES: usize = 16 * 1024 * 1024;

/// What is handed over before the answers are waited for, all partitions together. The rest up to
/// [`REQUEST_BYTES`] is what a request holds beside keys and values.
pub const PORTION_BYTES: usize = 12 * 1024 * 1024;

/// A portion has at most so many records: well below `queue.buffering.max.messages`.
pub(crate) const PORTION_RECORDS: usize = 50_000;

/// What a record takes in a request beside its key and value: at most 5 varints and an attribute byte.
const RECORD_OVERHEAD: usize = 48;

/// What a producer must be told for this to hold.
pub(crate) fn one_request_a_partition(config: &mut ClientConfig) {
    let request = REQUEST_BYTES.to_string();
    config
        // Longer than a hand-over takes, also where four others want the processor. It is not waited
        // for: the flush sends.
        .set("linger.ms", "5000")
        .set("batch.size", &request)
        .set("batch.num.messages", "1000000")
        .set("message.max.bytes", &request)
        .set("queue.buffering.max.messages", "100000")
        .set("queue.buffering.max.kbytes", "65536");
}

/// How much is handed over and not answered.
#[derive(Debug, Default)]
pub(crate) struct Portion {
    records: usize,
    bytes: usize,
}

impl Portion {
    /// Whether a record of so many bytes fits what was handed over already.
    pub(crate) fn has_room(&self, bytes: usize) -> bool {
        self.records == 0
            || (self.records < PORTION_RECORDS
                && self.bytes + bytes + RECORD_OVERHEAD <= PORTION_BYTES)
    }

    pub(crate) fn add(&mut self, bytes: usize) {
        self.records += 1;
        self.bytes += bytes + RECORD_OVERHEAD;
    }
}

/// Sends what was handed over, and waits for the answers: `false` if they are not there in time.
/// Whether records were delivered, their transaction's commit tells.
pub(crate) fn deliver<C: ProducerContext>(producer: &BaseProducer<C>, limit: Duration) -> bool {
    let began = Instant::now();
    loop {
        serve(producer);
        if producer.in_flight_count() == 0 {
            return true;
        }
        if began.elapsed() > limit {
            return false;
        }
        flush(producer, pause(began.elapsed()));
    }
}

/// How long to wait for something that has taken so long: an eighth more at most, and seldom looking
/// costs nothing while a server stands still.
pub(crate) fn pause(so_far: Duration) -> Duration {
    (so_far / 8).clamp(Duration::from_millis(1), Duration::from_millis(50))
}

/// Tells the threads that send to do so, for as long as `wait`. The binding's flush is over before
/// they have seen it.
fn flush<C: ProducerContext>(producer: &BaseProducer<C>, wait: Duration) {
    let wait = i32::try_from(wait.as_millis()).unwrap_or(1);
    // SAFETY: the client lives as long as the producer that is borrowed here; the call takes no other
    // pointer, and librdkafka allows it from any thread.
    let _ = unsafe { rd_kafka_flush(producer.client().native_ptr(), wait) };
}

/// Takes the deliveries that there are. Not by the binding's `poll` with a time: it spins through
/// each begun millisecond of it.
pub(crate) fn serve<C: ProducerContext>(producer: &BaseProducer<C>) {
    let mut waiting = producer.in_flight_count();
    loop {
        producer.poll(Duration::ZERO);
        let left = producer.in_flight_count();
        if left == waiting {
            return;
        }
        waiting = left;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_portion_is_one_request_of_each_partition() {
        const { assert!(PORTION_BYTES + PORTION_RECORDS * 21 < REQUEST_BYTES) };
        let mut portion = Portion::default();
        // Whatever its size, one alone must go.
        assert!(portion.has_room(PORTION_BYTES * 2));
        portion.add(PORTION_BYTES / 2);
        assert!(!portion.has_room(PORTION_BYTES / 2));
        assert!(portion.has_room(PORTION_BYTES / 4));
        let mut many = Portion::default();
        (0..PORTION_RECORDS).for_each(|_| many.add(1));
        assert!(!many.has_room(1));
    }
}
