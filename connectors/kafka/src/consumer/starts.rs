//! Where reading of a partition begins: what is committed, and whether that can be believed.

use std::collections::BTreeSet;

use rdkafka::consumer::Consumer as _;
use rdkafka::topic_partition_list::TopicPartitionListElem;
use rdkafka::{Offset, TopicPartitionList};
use waybill_host::event::Start;
use waybill_host::input::Input;
use waybill_host::mark;
use waybill_host::metrics::metrics;
use waybill_stage::Fault;

use super::{GroupConsumer, with_retry};
use crate::health::now_ms;
use crate::timeouts;
use crate::worker::Pulse;

/// A record that nobody has read for so long was left out by the group, and has not just come, ms.
const WAITED_MS: i64 = 10 * 60_000;
impl GroupConsumer {
    /// Where each of `partitions` is to be read from: behind what is committed, or from the
    /// beginning if nothing is. Records that were removed before they were read are a fault, and
    /// nobody may go on as if they had never been; where carriers have several topics, it costs that one.
    pub(crate) fn starts(
        &self,
        partitions: &TopicPartitionList,
        pulse: &Pulse,
    ) -> Result<Vec<Start>, Fault> {
        pulse.beat()?;
        let committed =
            with_retry(|| self.client.committed_offsets(partitions.clone(), timeouts::COMMITTED))
                .map_err(|e| Fault(format!("reading the committed offsets: {e}")))?;
        let mut starts = Vec::new();
        for entry in committed.elements() {
            pulse.beat()?;
            let (topic, partition) = (entry.topic(), entry.partition());
            // The group gives a member what it had: of a topic that was removed since, too.
            if self.is_optional(topic) && !self.subscribed().topics.iter().any(|t| t == topic) {
                continue;
            }
            match self.start(&entry)? {
                Ok(start) => starts.push(start),
                Err(why) if self.is_optional(topic) => {
                    self.refuse(topic, format!("{topic}-{partition}: {why}"))?;
                }
                Err(why) => return Err(Fault(format!("{topic}-{partition}: {why}"))),
            }
        }
        // Nothing of a topic is read of which a part is not to be.
        starts.retain(|start| !self.has_refused(&start.input.topic));
        let place = |topic: &str, partition| (topic.to_owned(), partition);
        let read: BTreeSet<_> =
            starts.iter().map(|s| place(&s.input.topic, s.input.partition)).collect();
        let all = committed.elements();
        let all = all.iter().map(|p| place(p.topic(), p.partition()));
        self.subscribed().idle = all.filter(|place| !read.contains(place)).collect();
        Ok(starts)
    }

    /// Whether the others go on without the topic.
    fn is_optional(&self, topic: &str) -> bool {
        self.lookout.is_some() && !self.subscribed().own.iter().any(|own| own == topic)
    }

    /// Or why nobody may begin there.
    fn start(&self, entry: &TopicPartitionListElem<'_>) -> Result<Result<Start, String>, Fault> {
        let (topic, partition) = (entry.topic(), entry.partition());
        let fault = |why: String| Fault(format!("{topic}-{partition}: {why}"));
        entry.error().map_err(|e| fault(format!("its committed offset: {e}")))?;
        let (low, high) =
            with_retry(|| self.client.fetch_watermarks(topic, partition, timeouts::LOOKUP))
                .map_err(|e| fault(format!("its watermarks: {e}")))?;
        let offset = match entry.offset() {
            Offset::Offset(offset) => offset,
            Offset::Invalid => low,
            other => return Err(fault(format!("its committed offset is {other:?}"))),
        };
        let (said, id) = mark::read(entry.metadata());
        let known = self.topic_id(topic);
        if let Some(id) = id.filter(|id| *id != known) {
            return Ok(Err(format!(
                "what is committed is of another topic of this name ({id}, and this is {known}): delete the \
                 group's offsets of the topic, and it is read from its beginning"
            )));
        }
        if offset < low || offset > high {
            return Ok(Err(format!(
                "the log is from {low} to {high}, and offset {offset} is to be read next: what lies between \
                 was removed before it was read"
            )));
        }
        let is_of_topic = id.is_some();
        match entry.offset() {
            Offset::Invalid
                if self.has_waited(topic, partition, low, high)?
                    && self.others_have_committed(topic)? =>
            {
                self.find_strange(topic, partition, offset, "lost");
            }
            Offset::Offset(offset) if !is_of_topic => {
                self.find_strange(topic, partition, offset, "foreign");
            }
            _ => {}
        }
        let input = Input::new(self.role(topic)?, topic, partition);
        let metadata = said.to_owned();
        Ok(Ok(Start { input, topic_id: known, offset, metadata, is_of_topic }))
    }

    /// Whether a partition has records that somebody should have read by now, or had some: of one that gets
    /// its first ones nothing is committed either.
    fn has_waited(&self, topic: &str, partition: i32, low: i64, high: i64) -> Result<bool, Fault> {
        if low > 0 || low == high {
            return Ok(low > 0);
        }
        let mut ask = TopicPartitionList::new();
        ask.add_partition_offset(topic, partition, Offset::Offset(now_ms() - WAITED_MS))
            .map_err(|e| Fault(format!("asking since when {topic}-{partition} waits: {e}")))?;
        let found = with_retry(|| self.client.offsets_for_times(ask.clone(), timeouts::LOOKUP))
            .map_err(|e| Fault(format!("asking since when {topic}-{partition} waits: {e}")))?;
        // The first that is not as old.
        let younger = found.elements().first().map(|entry| entry.offset());
        Ok(!matches!(younger, Some(Offset::Offset(first)) if first <= low))
    }

    /// Whether the group has read other partitions of the topic.
    fn others_have_committed(&self, topic: &str) -> Result<bool, Fault> {
        let mut all = TopicPartitionList::new();
        let partitions =
            self.subscribed().identities.get(topic).map_or(0, |identity| identity.partitions);
        all.add_partition_range(topic, 0, i32::try_from(partitions).unwrap_or(0).saturating_sub(1));
        let committed =
            with_retry(|| self.client.committed_offsets(all.clone(), timeouts::COMMITTED))
                .map_err(|e| {
                    Fault(format!("reading what the group has committed of {topic}: {e}"))
                })?;
        Ok(committed.elements().iter().any(|entry| entry.offset() != Offset::Invalid))
    }

    fn find_strange(&self, topic: &str, partition: i32, offset: i64, what: &'static str) {
        metrics().strange_offsets.with_label_values(&[topic, what]).inc();
        let said = match what {
            "lost" => {
                "nothing is committed of this partition, whose records have waited or were removed, and something \
                 is of others: its offset is lost; reading it from its beginning"
            }
            _ => {
                "the committed offset is not by a process of this build: of one before 30 November 2026, or \
                 the group was reset"
            }
        };
        tracing::warn!(topic, partition, offset, "{said}");
    }
}
