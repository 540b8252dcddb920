use std::fmt;

use super::Range;

/// Where a sink stands in a topic partition. There are two ways to one, and none around them: to
/// [take over](Self::taken_over) what is committed, and to go on from where one stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Position {
    /// Everything below `next` is in the store once, and nothing else is.
    #[non_exhaustive]
    Settled { next: i64 },
    /// `range` may be in the store wholly, partly or not at all. Everything below `next` is in it
    /// once; between `next` and the range there is no record.
    #[non_exhaustive]
    Claimed { next: i64, range: Range },
}

/// What an offset commit says.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct CommittedOffset {
    pub offset: i64,
    /// Empty, or the claimed range as `first-last`.
    pub metadata: String,
}

impl Position {
    /// Reads what is committed; for a partition without a commit, `offset` is where its log begins,
    /// and there is no metadata. Metadata that this protocol did not write is an error, for a
    /// guess would lose or repeat a range.
    pub fn taken_over(offset: i64, metadata: &str) -> Result<Self, ProtocolError> {
        let foreign = || {
            let metadata = metadata.to_owned();
            ProtocolError::ForeignCommit(CommittedOffset { offset, metadata })
        };
        if offset < 0 {
            return Err(foreign());
        }
        let settled = Self::Settled { next: offset };
        if metadata.is_empty() {
            return Ok(settled);
        }
        let range = Range::parse(metadata).ok_or_else(foreign)?;
        settled.claim(range).map_err(|_| foreign())
    }

    /// Says that `range` is about to be inserted. Between `next` and the range there must be no
    /// record: the caller has read on from `next`, and knows.
    pub fn claim(self, range: Range) -> Result<Self, ProtocolError> {
        match self {
            Self::Settled { next } if range.first() >= next => Ok(Self::Claimed { next, range }),
            _ => Err(ProtocolError::NotClaimable { at: self, range }),
        }
    }

    /// Says that the store has answered: the claimed range is in it.
    pub fn complete(self) -> Result<Self, ProtocolError> {
        match self {
            Self::Claimed { range, .. } => Ok(Self::Settled { next: range.end() }),
            Self::Settled { .. } => Err(ProtocolError::NothingClaimed { at: self }),
        }
    }

    /// What to commit, to make the position durable.
    pub fn offset_to_commit(&self) -> CommittedOffset {
        match *self {
            Self::Settled { next } => CommittedOffset { offset: next, metadata: String::new() },
            Self::Claimed { next, range } => {
                CommittedOffset { offset: next, metadata: range.to_string() }
            }
        }
    }
}

/// A mistake of the caller, or a commit of somebody else. Nothing of it passes by waiting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProtocolError {
    /// First and last offset do not make a range.
    NoRange { first: i64, last: i64 },
    /// Another program has committed to the group, or a hand.
    ForeignCommit(CommittedOffset),
    /// There is a claim already, or the range reaches below what is settled.
    NotClaimable { at: Position, range: Range },
    /// Nothing was claimed that could be settled.
    NothingClaimed { at: Position },
}

impl fmt::Display for ProtocolError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoRange { first, last } => write!(f, "offsets {first} to {last} are no range"),
            Self::ForeignCommit(CommittedOffset { offset, metadata }) => write!(
                f,
                "offset {offset} is committed with metadata {metadata:?}, which no sink of ours \
                 writes"
            ),
            Self::NotClaimable { at, range } => write!(f, "{range} cannot be claimed from {at}"),
            Self::NothingClaimed { at } => write!(f, "nothing is claimed that could settle: {at}"),
        }
    }
}

impl std::error::Error for ProtocolError {}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Settled { next } => write!(f, "settled below {next}"),
            Self::Claimed { next, range } => write!(f, "settled below {next}, {range} claimed"),
        }
    }
}
