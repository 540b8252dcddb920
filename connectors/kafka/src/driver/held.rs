//! Records that were read and are not taken yet.

use std::collections::VecDeque;

use rdkafka::message::BorrowedMessage;
use rdkafka::{Message, Timestamp};
use waybill_host::input::Input;
use waybill_host::processor::Incoming;
use waybill_schemas::Role;
use waybill_stage::Fault;

use crate::consumer::GroupConsumer;
use crate::restore::incoming;

/// So many are read before the host is asked again, or of so many bytes.
const RECORDS: usize = 64;
const BYTES: usize = 4 << 20;

#[derive(Default)]
pub(super) struct Held<'a> {
    records: VecDeque<(Role, BorrowedMessage<'a>)>,
    bytes: usize,
}

impl<'a> Held<'a> {
    pub(super) fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    pub(super) fn is_full(&self) -> bool {
        self.records.len() >= RECORDS || self.bytes >= BYTES
    }

    /// Keeps a record, unless it does not count: nothing does of a topic that was refused.
    pub(super) fn keep(
        &mut self,
        consumer: &GroupConsumer,
        message: BorrowedMessage<'a>,
    ) -> Result<(), Fault> {
        let topic = message.topic();
        if consumer.has_refused(topic) {
            return Ok(());
        }
        // Those of one topic come together, mostly.
        let role = match self.records.back() {
            Some((role, last)) if last.topic() == topic => *role,
            _ => consumer.role(topic)?,
        };
        if role == Role::Sealed && !is_stamped(&message) {
            let why = format!(
                "{topic}-{}@{} was not stamped by the broker: the topic had a message.timestamp.type other \
                 than LogAppendTime",
                message.partition(),
                message.offset()
            );
            return consumer.refuse(topic, why);
        }
        self.bytes += message.payload_len();
        self.records.push_back((role, message));
        Ok(())
    }

    /// Offers those of the first one's topic. Returns how many were taken.
    pub(super) fn offer(&mut self, take: impl FnOnce(&[Incoming<'_>]) -> usize) -> usize {
        let Some((first, _)) = self.records.front() else { return 0 };
        let first = *first;
        let alike = self.records.iter().take_while(|(role, _)| *role == first);
        let records: Vec<_> = alike.map(|(role, message)| incoming(*role, message)).collect();
        let taken = take(&records);
        for (_, message) in self.records.drain(..taken.min(self.records.len())) {
            self.bytes -= message.payload_len();
        }
        taken
    }

    /// These are read by somebody else.
    pub(super) fn forget(&mut self, inputs: &[Input]) {
        let is_of = |message: &BorrowedMessage<'_>, input: &Input| {
            input.partition == message.partition() && &*input.topic == message.topic()
        };
        self.records.retain(|(_, message)| !inputs.iter().any(|input| is_of(message, input)));
        self.bytes = self.records.iter().map(|(_, message)| message.payload_len()).sum();
    }
}

/// Whether the broker has said when it was appended. Whoever may set a sealed topic up anew could otherwise
/// choose the time of receipt.
fn is_stamped(message: &BorrowedMessage<'_>) -> bool {
    matches!(message.timestamp(), Timestamp::LogAppendTime(_))
}
