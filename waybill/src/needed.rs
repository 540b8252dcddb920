//! What only one key opens: what goes with it when it is destroyed.

use std::collections::{BTreeMap, HashSet};
use std::fmt;

use jiff::Timestamp;
use waybill_clickhouse::{Database, Filter, RejectedRecord};
use waybill_kafka::{HostSettings, Reader, group_progress, sealed_topics, survey};
use waybill_schemas::Role;
use waybill_sealing::header::Header;
use waybill_sealing::internal::named_key;
use waybill_sealing::jwe::Parts;
use waybill_stage::Fault;

use crate::acls::Client;
use crate::config::Config;
use crate::exit::Failure;
use crate::keyring::{Named, internal_roles};

/// Some records, and when the first and the last of them was received.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Records {
    count: u64,
    /// ms UTC.
    span: Option<(i64, i64)>,
}

impl Records {
    fn add(&mut self, at_ms: i64) {
        self.count += 1;
        let (first, last) = self.span.unwrap_or((at_ms, at_ms));
        self.span = Some((first.min(at_ms), last.max(at_ms)));
    }
}

impl fmt::Display for Records {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let moment = |ms| Timestamp::from_millisecond(ms).unwrap_or_default();
        write!(f, "{} records", self.count)?;
        match self.span {
            Some((first, last)) => {
                write!(f, ", from {:.0} to {:.0}", moment(first), moment(last))
            }
            None => Ok(()),
        }
    }
}

/// Rejected records that may be redriven.
#[derive(Debug)]
enum Rejected {
    Found(Records),
    /// ClickHouse did not say.
    Unknown(String),
}

#[derive(Debug)]
pub struct Needed {
    kid: String,
    topics: Vec<(String, Records)>,
    unread: Option<Records>,
    rejected: Option<Rejected>,
}

impl Needed {
    /// Reads all that lies on the topics whose records name the key.
    pub fn find(config: &Config, kid: &str, named: &Named) -> Result<Self, Failure> {
        Client::Keys.check(config)?;
        let unreachable = |fault: Fault| Failure::unreachable(fault.to_string());
        let settings = config.host("decrypt", &config.batch)?;
        match named {
            Named::Platform => Self::events(config, &settings, kid).map_err(unreachable),
            Named::Internal(ids) => Self::values(&settings, kid, ids).map_err(unreachable),
        }
    }

    fn events(config: &Config, settings: &HostSettings, kid: &str) -> Result<Self, Fault> {
        let sealed = sealed_topics(&settings.connection, settings.topics.sealed())?;
        let rejects = rejected_places(config, settings);
        let next = read_up_to(settings, &sealed)?;
        let (mut all, mut unread, mut rejected) =
            (Records::default(), Records::default(), Records::default());
        for topic in &sealed {
            survey(settings, topic, |found| {
                if !found.value.is_some_and(|value| is_sealed_for(value, kid)) {
                    return;
                }
                all.add(found.appended_at);
                let partition = (topic.clone(), found.partition);
                if next.get(&partition).is_none_or(|next| found.offset >= *next) {
                    unread.add(found.appended_at);
                }
                if let Ok(rejects) = &rejects
                    && rejects.contains(&(topic.clone(), found.partition, found.offset))
                {
                    rejected.add(found.appended_at);
                }
            })?;
        }
        let rejected = match rejects {
            Ok(_) => Rejected::Found(rejected),
            Err(fault) => Rejected::Unknown(fault.to_string()),
        };
        Ok(Self {
            kid: kid.to_owned(),
            topics: vec![(settings.topics.sealed().to_string(), all)],
            unread: Some(unread),
            rejected: Some(rejected),
        })
    }

    fn values(settings: &HostSettings, kid: &str, ids: &[(u8, String)]) -> Result<Self, Fault> {
        let mut topics = Vec::new();
        for role in internal_roles() {
            let mut records = Records::default();
            survey(settings, settings.topics.name(role), |found| {
                let named = found.value.and_then(named_key);
                let named = named.map(|(version, id)| (version, id.to_string()));
                if named.is_some_and(|named| ids.contains(&named)) {
                    records.add(found.appended_at);
                }
            })?;
            topics.push((settings.topics.name(role).to_owned(), records));
        }
        Ok(Self { kid: kid.to_owned(), topics, unread: None, rejected: None })
    }
}

/// A record's header says so; nothing of it is proven.
fn is_sealed_for(value: &[u8], kid: &str) -> bool {
    Parts::split(value).is_ok_and(|parts| Header::parse(&parts.header).is_ok_and(|h| h.kid == kid))
}

/// Of each partition of the sealed topics, where decrypt goes on.
fn read_up_to(
    settings: &HostSettings,
    sealed: &[String],
) -> Result<BTreeMap<(String, i32), i64>, Fault> {
    let reader = |topic: &String| Reader {
        role: Role::Sealed,
        topic: topic.clone(),
        group: settings.group.clone(),
    };
    let readers: Vec<_> = sealed.iter().map(reader).collect();
    let progress = group_progress(&settings.connection, &readers)?.into_values().flatten();
    Ok(progress.filter_map(|s| Some(((s.topic, s.partition), s.next?))).collect())
}

/// Where the records stand whose last answer is a reject.
fn rejected_places(
    config: &Config,
    settings: &HostSettings,
) -> Result<HashSet<(String, i32, i64)>, Fault> {
    let clickhouse = config.clickhouse().map_err(|failure| Fault(failure.message))?;
    let database = Database::open(clickhouse)?;
    // In the tables' own order of magnitude: all there are.
    let first_topic = settings.topics.sealed().first().unwrap_or_default().to_owned();
    let filter = Filter { limit: u64::MAX, first_topic, ..Filter::default() };
    let records = database.rejected_records(&filter)?;
    let place = |r: RejectedRecord| (r.sealed_topic, r.source_partition, r.source_offset);
    Ok(records.into_iter().map(place).collect())
}

impl fmt::Display for Needed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kid = &self.kid;
        writeln!(f, "without {kid} nobody opens any more:")?;
        for (topic, records) in &self.topics {
            writeln!(f, "  on {topic}: {records}")?;
        }
        if let Some(unread) = &self.unread {
            writeln!(f, "    of these decrypt has not read: {unread}")?;
        }
        match &self.rejected {
            Some(Rejected::Found(records)) => {
                writeln!(f, "    of these are rejected, and could be redriven: {records}")
            }
            Some(Rejected::Unknown(why)) => {
                writeln!(f, "    how many of these are rejected is not known: {why}")
            }
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_has_numbers_and_dates() {
        let mut records = Records::default();
        assert_eq!(records.to_string(), "0 records");
        for at in [1_763_990_400_125, 1_763_990_300_000, 1_763_990_350_000] {
            records.add(at);
        }
        assert_eq!(
            records.to_string(),
            "3 records, from 2025-11-24T13:18:20Z to 2025-11-24T13:20:00Z"
        );
        let needed = Needed {
            kid: "k1".to_owned(),
            topics: vec![("waybill.sealed".to_owned(), records)],
            unread: Some(Records::default()),
            rejected: Some(Rejected::Unknown("no answer".to_owned())),
        };
        let said = needed.to_string();
        assert!(said.contains("on waybill.sealed: 3 records"), "{said}");
        assert!(said.contains("not known: no answer"), "{said}");
    }
}
