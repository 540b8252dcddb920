use std::time::Instant;

use rdkafka::error::RDKafkaErrorCode;
use waybill_host::chain::Flow;
use waybill_host::chain::answer_at_its_place;
use waybill_host::processor::Incoming;
use waybill_stage::{Code, Fault, Reject};

use super::Host;
use crate::health::now_ms;
use crate::undecodable::undecodable_at;

impl Host<'_> {
    /// Answers what cannot be unpacked where it stands, and goes on behind it.
    pub(super) fn step_over(&mut self) -> Result<(), Fault> {
        let mut found = false;
        for (topic, partition, from) in self.consumer.positions()? {
            let connection = &self.settings.connection;
            let Some(offsets) = undecodable_at(connection, &topic, partition, from)? else {
                continue;
            };
            found = true;
            let input = self.input(&topic, partition)?;
            let role = input.role;
            tracing::error!(
                topic,
                partition,
                first = offsets.start,
                last = offsets.end - 1,
                "records cannot be unpacked: they are larger than a reader takes, or broken; rejected"
            );
            for offset in offsets.clone() {
                // Nobody can read when it came.
                let (topic, now) = (topic.as_str(), now_ms());
                let (key, value, appended_at) = (None, None, now);
                let record = Incoming { role, topic, partition, offset, key, value, appended_at };
                self.batch.read(&input, offset, Instant::now());
                let mut flow = Flow { batch: &mut self.batch, values: self.values, now_ms: now };
                let detail = format!("{}: its batch cannot be unpacked", record.place());
                let reject = Reject::new(Code::Undecodable, detail);
                answer_at_its_place(self.stage, &record, reject, &mut flow)?;
            }
            self.consumer.go_on_at(&topic, partition, offsets.end)?;
        }
        if found {
            return Ok(());
        }
        Err(Fault(format!("reading: {}", RDKafkaErrorCode::BadCompression)))
    }
}
