//! Which topics carriers publish to: one, several, or all whose names match a pattern.

use std::fmt;

use regex::Regex;

/// What begins a pattern, as Kafka's clients have it.
const PATTERN: char = '^';
/// Of a topic's name: Kafka's limit.
const LONGEST_NAME: usize = 249;

/// The sealed topics, as configured. A pattern stands for the topics that it finds at the beginning of their
/// names, also for those that are made later.
#[derive(Clone, Debug)]
pub struct SealedTopics(Vec<Entry>);

#[derive(Clone, Debug)]
enum Entry {
    Name(String),
    Pattern(Regex),
}

impl Entry {
    fn parse(text: &str) -> Result<Self, String> {
        if text.starts_with(PATTERN) {
            let pattern = Regex::new(text);
            return pattern.map(Self::Pattern).map_err(|e| format!("{text:?} is no pattern: {e}"));
        }
        let is_name = |b: u8| b.is_ascii_alphanumeric() || b"._-".contains(&b);
        let is_short = (1..=LONGEST_NAME).contains(&text.len());
        if is_short && text.bytes().all(is_name) && !matches!(text, "." | "..") {
            return Ok(Self::Name(text.to_owned()));
        }
        Err(format!(
            "{text:?} is no topic's name (1 to {LONGEST_NAME} letters, digits, '.', '_' and '-'); a pattern begins \
             with ^"
        ))
    }

    fn text(&self) -> &str {
        match self {
            Self::Name(name) => name,
            Self::Pattern(pattern) => pattern.as_str(),
        }
    }

    fn matches(&self, topic: &str) -> bool {
        match self {
            Self::Name(name) => name == topic,
            Self::Pattern(pattern) => pattern.is_match(topic),
        }
    }
}

impl SealedTopics {
    /// Names, and patterns, which begin with `^`.
    pub fn parse<T: AsRef<str>>(entries: &[T]) -> Result<Self, String> {
        let mut parsed: Vec<Entry> = Vec::with_capacity(entries.len());
        for entry in entries {
            let entry = Entry::parse(entry.as_ref())?;
            if parsed.iter().any(|other| other.text() == entry.text()) {
                return Err(format!("{:?} stands twice", entry.text()));
            }
            parsed.push(entry);
        }
        if parsed.is_empty() { Err("no topic is named".to_owned()) } else { Ok(Self(parsed)) }
    }

    /// The topic, if there is one alone, and always will be.
    pub fn only(&self) -> Option<&str> {
        match self.0.as_slice() {
            [Entry::Name(name)] => Some(name),
            _ => None,
        }
    }

    /// The first that is named. What knows of no topic is of this one: it is of a time when there was one.
    pub fn first(&self) -> Option<&str> {
        self.names().next()
    }

    /// Those that are named; patterns name none.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter_map(|entry| match entry {
            Entry::Name(name) => Some(name.as_str()),
            Entry::Pattern(_) => None,
        })
    }

    /// As they are configured.
    pub fn patterns(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter_map(|entry| match entry {
            Entry::Name(_) => None,
            Entry::Pattern(pattern) => Some(pattern.as_str()),
        })
    }

    pub fn has_patterns(&self) -> bool {
        self.0.iter().any(|entry| matches!(entry, Entry::Pattern(_)))
    }

    pub fn matches(&self, topic: &str) -> bool {
        self.0.iter().any(|entry| entry.matches(topic))
    }
}

/// As configured.
impl fmt::Display for SealedTopics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let texts: Vec<&str> = self.0.iter().map(Entry::text).collect();
        f.write_str(&texts.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_patterns_are_told_apart() {
        let one = SealedTopics::parse(&["waybill.sealed"]).unwrap();
        assert_eq!((one.only(), one.first()), (Some("waybill.sealed"), Some("waybill.sealed")));
        assert!(one.matches("waybill.sealed") && !one.matches("waybill.sealed.acme"));
        let both = SealedTopics::parse(&["waybill.sealed", r"^carriers\.[a-z]+$"]).unwrap();
        assert_eq!((both.only(), both.first()), (None, Some("waybill.sealed")));
        assert_eq!(both.to_string(), r"waybill.sealed, ^carriers\.[a-z]+$");
        for (topic, is_one) in [
            ("waybill.sealed", true),
            ("carriers.acme", true),
            ("carriers.acme2", false),
            ("carriersxacme", false),
            ("my.carriers.acme", false),
        ] {
            assert_eq!(both.matches(topic), is_one, "{topic}");
        }
        let pattern = SealedTopics::parse(&["^in"]).unwrap();
        assert_eq!((pattern.only(), pattern.first()), (None, None));
        assert!(pattern.matches("inbox"), "a pattern need not reach the name's end");
    }

    #[test]
    fn what_is_neither_is_refused() {
        for (entries, why) in [
            (&[][..], "no topic is named"),
            (&[""], "is no topic's name"),
            (&["a b"], "is no topic's name"),
            (&[".."], "is no topic's name"),
            (&["a*"], "a pattern begins with ^"),
            (&["^a(", "b"], "is no pattern"),
            (&["a", "b", "a"], "\"a\" stands twice"),
        ] {
            let error = SealedTopics::parse(entries).unwrap_err();
            assert!(error.contains(why), "{entries:?}: {error}");
        }
    }
}
