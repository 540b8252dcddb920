//! A producer as librdkafka is one: it numbers what it sends to each partition.

use std::collections::BTreeMap;

use crate::log::Place;
use crate::transactions::Identity;

#[derive(Clone, Debug)]
pub struct Producer {
    pub identity: Identity,
    next: BTreeMap<Place, i64>,
    /// Sent and not answered, by the first number.
    unanswered: BTreeMap<Place, i64>,
}

impl Producer {
    pub fn new(identity: Identity) -> Self {
        Self { identity, next: BTreeMap::new(), unanswered: BTreeMap::new() }
    }

    /// Numbers records that go out now, in one request. Returns the first number.
    pub fn send(&mut self, place: Place, records: usize) -> i64 {
        let next = self.next.entry(place).or_default();
        let first = *next;
        *next += i64::try_from(records).expect("they are in memory");
        self.unanswered.entry(place).or_insert(first);
        first
    }

    pub fn answered(&mut self, place: Place) {
        self.unanswered.remove(&place);
    }

    pub fn is_answered(&self, place: Place) -> bool {
        !self.unanswered.contains_key(&place)
    }

    /// What librdkafka does where a transaction is aborted: the numbers of what has no answer are given to what
    /// follows, whether the broker has it or not (`rd_kafka_toppar_purge_queues`).
    pub fn purge(&mut self) {
        for (place, first) in std::mem::take(&mut self.unanswered) {
            self.next.insert(place, first);
        }
    }
}

#[cfg(test)]
mod tests {
    use waybill_schemas::Role;

    use super::*;
    use crate::log::{Appended, Log, Record};
    use crate::transactions::{Refused, Touched};

    const PLACE: Place = (Role::Valid, 0);

    fn produce(log: &mut Log, producer: &mut Producer, text: u8) -> Result<Appended, Refused> {
        let of = producer.identity;
        log.producers.touch(of, Touched::Partition(PLACE), 0)?;
        let first = producer.send(PLACE, 1);
        log.produce(of, PLACE, first, vec![Record { key: vec![text], value: None }], 0)
    }

    fn end(log: &mut Log, of: Identity, commits: bool) {
        log.producers.end(of, commits).unwrap();
        for (id, touched) in log.producers.unmarked() {
            log.mark(id, touched);
        }
    }

    /// A batch is lost although its commit succeeded, unless the producer begins anew.
    #[test]
    fn numbers_that_are_used_twice_lose_a_batch() {
        for (begins_anew, expect) in [(false, vec![]), (true, vec![2])] {
            let mut log = Log::new([PLACE], 0);
            let mut producer = Producer::new(log.producers.init("a").unwrap());
            // The answer is lost with its connection.
            assert_eq!(produce(&mut log, &mut producer, 1), Ok(Appended::Here));
            producer.purge();
            end(&mut log, producer.identity, false);
            if begins_anew {
                producer = Producer::new(log.producers.init("a").unwrap());
            }
            produce(&mut log, &mut producer, 2).unwrap();
            producer.answered(PLACE);
            assert!(producer.is_answered(PLACE));
            end(&mut log, producer.identity, true);
            let seen: Vec<_> = log.at(PLACE).committed(0, 9).0;
            let seen: Vec<_> = seen.iter().map(|s| s.record.key[0]).collect();
            assert_eq!(seen, expect);
        }
    }

    #[test]
    fn what_is_answered_keeps_its_numbers() {
        let mut producer = Producer::new(Identity { producer: 1, epoch: 1 });
        assert_eq!(producer.send(PLACE, 3), 0);
        producer.answered(PLACE);
        producer.purge();
        assert_eq!(producer.send(PLACE, 1), 3);
        assert_eq!(producer.send(PLACE, 1), 4);
        assert!(!producer.is_answered(PLACE));
        producer.purge();
        assert_eq!(producer.send(PLACE, 1), 3);
    }
}
