//! What lies on a topic, for who asks from outside.

use rdkafka::{Message, Offset};
use waybill_stage::Fault;

use crate::HostSettings;
use crate::offsets::{numbers, probe};
use crate::reader::{Go, read};

/// A committed record.
#[derive(Debug)]
pub struct Found<'a> {
    pub partition: i32,
    pub offset: i64,
    /// ms UTC.
    pub appended_at: i64,
    pub value: Option<&'a [u8]>,
}

/// Shows every committed record that is left on the topic.
pub fn survey(
    settings: &HostSettings,
    topic: &str,
    mut each: impl FnMut(&Found<'_>),
) -> Result<(), Fault> {
    for partition in numbers(&probe(&settings.connection, &settings.group)?, topic)? {
        read(&settings.connection, topic, partition, Offset::Beginning, |message| {
            each(&Found {
                partition,
                offset: message.offset(),
                appended_at: message.timestamp().to_millis().unwrap_or_default(),
                value: message.payload(),
            });
            Ok(Go::On)
        })?;
    }
    Ok(())
}
