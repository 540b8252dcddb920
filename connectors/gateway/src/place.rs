//! Where a sealed record stands.

use std::fmt;

/// Topic, partition and offset: `waybill.sealed-2-4711`, as `waybill rejects show` takes it, too.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    pub topic: String,
    pub partition: i32,
    pub offset: i64,
}

impl Place {
    /// What names no topic is of `first`: it is of a time when there was one.
    pub fn of(topic: &str, partition: i32, offset: i64, first: &str) -> Self {
        let topic = if topic.is_empty() { first } else { topic };
        Self { topic: topic.to_owned(), partition, offset }
    }

    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.rsplitn(3, '-');
        let offset = parts.next()?.parse().ok()?;
        let partition = parts.next()?.parse().ok()?;
        let topic = parts.next().filter(|topic| !topic.is_empty())?;
        Some(Self { topic: topic.to_owned(), partition, offset })
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}-{}", self.topic, self.partition, self.offset)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn read_as_written() {
        let place = Place { topic: "a-b.c".into(), partition: 2, offset: 4711 };
        assert_eq!(Place::parse(&place.to_string()), Some(place));
        for text in ["", "a", "2-3", "-2-3", "a-2-", "a-x-1", "a-1-x"] {
            assert_eq!(Place::parse(text), None, "{text}");
        }
    }
}
