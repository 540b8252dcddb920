//! How a sink puts ranges of a topic partition into a store exactly once: the protocol, as a state
//! machine that the sink's host and its model (`tests/model`) both drive, so that what is checked
//! is what runs. No I/O, no clock, no async; nothing here knows Kafka or ClickHouse.
//!
//! What a sink knows of a partition is its [`Position`], and a position lies at the group's
//! coordinator, as its [`CommittedOffset`]. The one rule: **a position is made durable
//! before anybody acts on it.**
//!
//! 1. [claim](Position::claim) a range, and commit [it](Position::offset_to_commit): offset unchanged,
//!    the range in the metadata;
//! 2. insert exactly that range, under its [`token`];
//! 3. once the store has answered, [complete](Position::complete) it, and commit again: the offset
//!    behind the range, no metadata. The next claim may be made first: then one commit says both.
//!
//! Whoever is given a partition [takes over](Position::taken_over) what is committed. If that is a
//! claim, its range may be in the store wholly, partly or not at all: it is read again exactly, and
//! inserted again under the same token, before anything else.
//!
//! What must hold outside, and what each is good for (the model has a counterexample for every one
//! that is left out):
//!
//! - a commit is accepted only from a member of the group's current generation. With Kafka: in a
//!   transaction that carries the member id and generation *as of the assignment*. A client that
//!   has lost its membership knows neither, and a transactional commit without them is accepted
//!   from anybody;
//! - a takeover reads what is committed only when no transaction on it is open
//!   (`isolation.level=read_committed` makes the client ask for that);
//! - the store keeps a token longer than an insert under it can be on its way, an attempt nobody
//!   waits for any more included;
//! - each of the store's tables goes by the token for itself: rows that are there while a rollup is
//!   not are completed by the same token. So nobody may skip a claim because its rows are there;
//! - the store keeps a token with what came under it, or neither;
//! - a commit whose fate is unknown ends the instance: it starts anew from what is committed. An
//!   insert whose fate is unknown is sent again, under the same token.

mod position;
mod range;
#[cfg(test)]
mod tests;

pub use position::{CommittedOffset, Position, ProtocolError};
pub use range::{Range, token};
