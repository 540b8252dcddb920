use std::fmt;

use super::ProtocolError;

/// Offsets of one topic partition, first and last included. Some may be without a record
/// (transaction markers, compaction), and the range is the same range with or without them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Range {
    first: i64,
    last: i64,
}

impl Range {
    /// `0 <= first <= last`, and there is an offset behind it.
    pub fn new(first: i64, last: i64) -> Result<Self, ProtocolError> {
        if first < 0 || last < first || last == i64::MAX {
            return Err(ProtocolError::NoRange { first, last });
        }
        Ok(Self { first, last })
    }

    pub fn first(self) -> i64 {
        self.first
    }

    pub fn last(self) -> i64 {
        self.last
    }

    /// The offset behind it.
    pub fn end(self) -> i64 {
        self.last + 1
    }

    pub fn contains(self, offset: i64) -> bool {
        (self.first..=self.last).contains(&offset)
    }

    /// What `Display` writes, and nothing else: no sign, space or leading zero.
    pub fn parse(text: &str) -> Option<Self> {
        let (first, last) = text.split_once('-')?;
        let range = Self::new(first.parse().ok()?, last.parse().ok()?).ok()?;
        (range.to_string() == text).then_some(range)
    }
}

/// `first-last`
impl fmt::Display for Range {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.first, self.last)
    }
}

/// The store's deduplication token for an insert of exactly `range`: `topic/id:partition:first-last`. The id
/// tells the topic from others that had its name; a claim of a build that did not know it has none.
/// It says nothing of who inserts or how often, so that a second attempt has the first one's.
pub fn token(topic: &str, topic_id: &str, partition: i32, range: Range) -> String {
    let slash = if topic_id.is_empty() { "" } else { "/" };
    format!("{topic}{slash}{topic_id}:{partition}:{range}")
}
