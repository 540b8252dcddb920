//! What a host runs.

use waybill_schemas::Role;
use waybill_stage::Fault;

use crate::chain::Flow;
use crate::values::Values;

/// A record as it was read.
#[derive(Debug)]
pub struct Incoming<'a> {
    pub role: Role,
    pub topic: &'a str,
    pub partition: i32,
    pub offset: i64,
    pub key: Option<&'a [u8]>,
    pub value: Option<&'a [u8]>,
    /// The record's timestamp, ms UTC: on `waybill.sealed` the broker's append time.
    pub appended_at: i64,
}

impl Incoming<'_> {
    /// For those who read a log.
    pub fn place(&self) -> String {
        format!("{}-{}@{}", self.topic, self.partition, self.offset)
    }
}

/// What a host runs: stateless stages in a chain, or a stateful one.
pub trait Processor: Send {
    /// The stages, in the order in which a record goes through them.
    fn stages(&self) -> Vec<&'static str>;

    /// What it reads; the first is the topic whose partitions it has state for.
    fn inputs(&self) -> &'static [Role];

    /// How many records are to be shown ahead at once.
    fn at_once(&self) -> usize {
        1
    }

    /// These, of one input, are processed next, in this order: a chance to work at them beside each
    /// other.
    fn look_ahead(&mut self, _records: &[Incoming<'_>], _values: &Values, _now_ms: i64) {}

    /// An input of which nothing is to be read now.
    fn waits(&self, _now_ms: i64) -> Option<Role> {
        None
    }

    /// Takes one record; what comes of it goes into `flow.batch`.
    fn process(&mut self, record: &Incoming<'_>, flow: &mut Flow<'_>) -> Result<(), Fault>;

    /// The batch is about to be committed: last outputs, such as changed states.
    fn close(&mut self, _flow: &mut Flow<'_>) -> Result<(), Fault> {
        Ok(())
    }

    /// These input partitions come: bring their state.
    fn gain(&mut self, _partitions: &[i32]) -> Result<(), Fault> {
        Ok(())
    }

    /// These go, with all that was read of them committed.
    fn lose(&mut self, _partitions: &[i32]) {}
}
