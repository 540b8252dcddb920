//! What a publisher sends over, and what it is answered.

use std::fmt;
use std::time::Duration;

use crate::SealedEvent;

/// What became of one event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Kafka has it, on all replicas that are in sync: topic, partition and offset, such as
    /// `waybill.sealed-2-4711`.
    Accepted { position: String },
    /// It will not be taken as it is: a code of docs/rejects.md, and for people what was wrong.
    Rejected { code: String, detail: String },
    /// Whether it was taken is not known, or it was not for now: it is sent again. If it was, the second is a
    /// duplicate.
    Unknown,
}

/// Why not all that was sent has a final answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trouble {
    pub kind: Kind,
    /// For people.
    pub why: String,
    /// Not before; as the other side asked.
    pub retry_after: Option<Duration>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The other side does not answer, or cannot take anything: it gets better by itself.
    Away,
    /// More was sent than may be now.
    OverLimit,
    /// More was sent than may be at once.
    TooLarge,
    /// It does not get better unless somebody does something: a wrong address, key or certificate.
    Refused,
}

impl Trouble {
    pub fn new(kind: Kind, why: impl Into<String>) -> Self {
        Self { kind, why: why.into(), retry_after: None }
    }

    pub fn away(why: impl Into<String>) -> Self {
        Self::new(Kind::Away, why)
    }

    pub fn refused(why: impl Into<String>) -> Self {
        Self::new(Kind::Refused, why)
    }

    pub fn after(self, retry_after: Option<Duration>) -> Self {
        Self { retry_after, ..self }
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.why)
    }
}

/// What came of sending some events.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sent {
    /// One for each, in their order. Those behind the last have none, as [`Answer::Unknown`].
    pub answers: Vec<Answer>,
    pub trouble: Option<Trouble>,
}

impl From<Trouble> for Sent {
    fn from(trouble: Trouble) -> Self {
        Self { answers: Vec::new(), trouble: Some(trouble) }
    }
}

/// A way to the platform. All give the same answers.
pub trait Transport: Send {
    /// Sends events and waits for their answers: at most a minute or two.
    fn send(&mut self, events: &[&SealedEvent]) -> Sent;
}

impl<T: Transport + ?Sized> Transport for Box<T> {
    fn send(&mut self, events: &[&SealedEvent]) -> Sent {
        (**self).send(events)
    }
}
