//! What a host runs.

use waybill_schemas::Role;
use waybill_stage::Fault;

use crate::chain::OutputContext;
use crate::event::Restorer;
use crate::input::Input;
use crate::topic_cipher::TopicCipher;

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

/// What a [`crate::stage_task::StageTask`] runs: stateless stages in a chain, or a stateful one.
pub trait Processor: Send {
    /// The state of a partition, as it is read back; [`Stateless`] where there is none.
    type State: Restorer;

    /// The stages, in the order in which a record goes through them.
    fn stages(&self) -> Vec<&'static str>;

    /// What it reads; the first is the topic whose partitions it has state for.
    fn inputs(&self) -> &'static [Role];

    /// How many records are to be shown ahead at once.
    fn at_once(&self) -> usize {
        64
    }

    /// These, of one input, are processed next, in this order: a chance to work at them beside each
    /// other.
    fn look_ahead(&mut self, _records: &[Incoming<'_>], _cipher: &TopicCipher, _now_ms: i64) {}

    /// An input of which nothing is to be read now.
    fn waits(&self, _now_ms: i64) -> Option<Role> {
        None
    }

    /// Takes one record; what comes of it goes into `out.batch`.
    fn process(&mut self, record: &Incoming<'_>, out: &mut OutputContext<'_>) -> Result<(), Fault>;

    /// The batch is about to be committed: last outputs, such as changed states.
    fn close(&mut self, _out: &mut OutputContext<'_>) -> Result<(), Fault> {
        Ok(())
    }

    /// The topic that keeps the state of a partition of the first input, and what is to read all of it.
    fn state_of(&mut self, _input: &Input) -> Result<Option<(Role, Self::State)>, Fault> {
        Ok(None)
    }

    /// This partition of the first input is ours, with the state that was read.
    fn on_assigned(&mut self, _input: &Input, _state: Option<Self::State>) -> Result<(), Fault> {
        Ok(())
    }

    /// It goes, with all that was read of it committed.
    fn on_revoked(&mut self, _input: &Input) {}
}

/// No state, so nothing is ever read of it.
#[derive(Clone, Copy, Debug)]
pub enum Stateless {}

impl Restorer for Stateless {
    fn take(&mut self, _: &Incoming<'_>) -> Result<(), Fault> {
        match *self {}
    }
}

impl<P: Processor + ?Sized> Processor for Box<P> {
    type State = P::State;

    fn stages(&self) -> Vec<&'static str> {
        (**self).stages()
    }

    fn inputs(&self) -> &'static [Role] {
        (**self).inputs()
    }

    fn at_once(&self) -> usize {
        (**self).at_once()
    }

    fn look_ahead(&mut self, records: &[Incoming<'_>], cipher: &TopicCipher, now_ms: i64) {
        (**self).look_ahead(records, cipher, now_ms);
    }

    fn waits(&self, now_ms: i64) -> Option<Role> {
        (**self).waits(now_ms)
    }

    fn process(&mut self, record: &Incoming<'_>, out: &mut OutputContext<'_>) -> Result<(), Fault> {
        (**self).process(record, out)
    }

    fn close(&mut self, out: &mut OutputContext<'_>) -> Result<(), Fault> {
        (**self).close(out)
    }

    fn state_of(&mut self, input: &Input) -> Result<Option<(Role, Self::State)>, Fault> {
        (**self).state_of(input)
    }

    fn on_assigned(&mut self, input: &Input, state: Option<Self::State>) -> Result<(), Fault> {
        (**self).on_assigned(input, state)
    }

    fn on_revoked(&mut self, input: &Input) {
        (**self).on_revoked(input);
    }
}
