//! For how long things are kept: records in topics, rows in tables.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use waybill_schemas::Role;

const HOUR: Duration = Duration::from_secs(3_600);
const DAY: Duration = Duration::from_secs(86_400);

/// `"forever"`, or a time such as `"7d"`. Longer is more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Keep {
    For(Duration),
    Forever,
}

impl Keep {
    const fn days(days: u64) -> Self {
        Self::For(Duration::from_secs(days * 86_400))
    }

    /// `None`: for ever.
    pub fn limit(self) -> Option<Duration> {
        match self {
            Self::For(time) => Some(time),
            Self::Forever => None,
        }
    }
}

impl fmt::Display for Keep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::For(time) => humantime::format_duration(*time).fmt(f),
            Self::Forever => f.write_str("forever"),
        }
    }
}

impl Serialize for Keep {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Keep {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let text = String::deserialize(d)?;
        if text == "forever" {
            return Ok(Self::Forever);
        }
        let time = humantime::parse_duration(&text).map_err(|e| {
            serde::de::Error::custom(format!(
                "{text:?} is neither \"forever\" nor a time such as \"7d\": {e}"
            ))
        })?;
        Ok(Self::For(time))
    }
}

/// After this the broker may remove records, read or not. aggregate's state is compacted, and has none.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TopicRetention {
    pub sealed: Keep,
    pub redrive: Keep,
    pub deferred: Keep,
    pub opened: Keep,
    pub valid: Keep,
    pub enriched: Keep,
    pub events: Keep,
    pub shipments: Keep,
    pub rejects: Keep,
    pub ledger: Keep,
    pub webhooks: Keep,
}

impl Default for TopicRetention {
    fn default() -> Self {
        let week = Keep::days(7);
        Self {
            sealed: week,
            redrive: Keep::days(14),
            deferred: week,
            opened: week,
            valid: week,
            enriched: week,
            events: week,
            shipments: week,
            rejects: week,
            ledger: week,
            webhooks: week,
        }
    }
}

impl TopicRetention {
    pub fn of_roles(&self) -> [(Role, Keep); 11] {
        [
            (Role::Sealed, self.sealed),
            (Role::Redrive, self.redrive),
            (Role::Deferred, self.deferred),
            (Role::Opened, self.opened),
            (Role::Valid, self.valid),
            (Role::Enriched, self.enriched),
            (Role::Events, self.events),
            (Role::Shipments, self.shipments),
            (Role::Rejects, self.rejects),
            (Role::Ledger, self.ledger),
            (Role::Webhooks, self.webhooks),
        ]
    }

    /// What is wrong with it, if something is.
    pub(super) fn refused(&self) -> Option<String> {
        for (role, keep) in self.of_roles() {
            if keep < Keep::For(HOUR) {
                let role = role.as_str();
                return Some(format!(
                    "topics.retention.{role}: at least 1h, or records go before they are read"
                ));
            }
        }
        // What is tried for a day must be there for a day, and an operator needs time to have it tried again.
        if self.webhooks < Keep::For(2 * DAY) {
            return Some(format!(
                "topics.retention.webhooks: {} is less than 2d: deliveries are tried for a day, and may be \
                 replayed after that",
                self.webhooks
            ));
        }
        // The topic is what tells that a record was redriven and has passed.
        let (redrive, sealed) = (self.redrive, self.sealed);
        (redrive < sealed.max(Keep::For(DAY))).then(|| {
            format!(
                "topics.retention.redrive: {redrive} is less than a day, or than topics.retention.sealed \
                 ({sealed}): a record that was redriven would be forgotten to be, and could be sent again"
            )
        })
    }
}

/// The same of ClickHouse's tables.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TableRetention {
    pub events: Keep,
    pub shipments: Keep,
    pub rejects: Keep,
    /// What says of whom a reject was: handle, message, detail. The row stays, and counts.
    pub reject_details: Keep,
    pub ledger: Keep,
    pub rollups: Keep,
}

impl Default for TableRetention {
    fn default() -> Self {
        let forever = Keep::Forever;
        Self {
            events: forever,
            shipments: forever,
            rejects: forever,
            reject_details: forever,
            ledger: forever,
            rollups: forever,
        }
    }
}

impl TableRetention {
    pub fn as_clickhouse(&self) -> waybill_clickhouse::Retention {
        waybill_clickhouse::Retention {
            events: self.events.limit(),
            shipments: self.shipments.limit(),
            rejects: self.rejects.limit(),
            reject_details: self.reject_details.limit(),
            ledger: self.ledger.limit(),
            rollups: self.rollups.limit(),
        }
    }

    /// What is wrong with it, if something is.
    pub(super) fn refused(&self) -> Option<String> {
        let all = [
            ("events", self.events),
            ("shipments", self.shipments),
            ("rejects", self.rejects),
            ("reject_details", self.reject_details),
            ("ledger", self.ledger),
            ("rollups", self.rollups),
        ];
        for (name, keep) in all {
            if keep < Keep::For(DAY) {
                return Some(format!(
                    "clickhouse.retention.{name}: at least 1d, or rows go before it is settled that they are there"
                ));
            }
        }
        for (name, keep) in [("events", self.events), ("rejects", self.rejects)] {
            if self.ledger < keep {
                return Some(format!(
                    "clickhouse.retention.ledger: {} is less than clickhouse.retention.{name} ({keep}): \
                     `waybill audit` could not tell whether rows without an entry are all there",
                    self.ledger
                ));
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_or_forever() {
        let read = |text: &str| serde_json::from_str::<Keep>(&format!("{text:?}"));
        for (text, keep) in [("7d", Keep::days(7)), ("forever", Keep::Forever)] {
            assert_eq!(read(text).unwrap(), keep);
            assert_eq!(read(&keep.to_string()).unwrap(), keep);
        }
        for bad in ["", "7", "ever", "-1d"] {
            let said = read(bad).unwrap_err().to_string();
            assert!(said.contains("neither \"forever\" nor a time"), "{said}");
        }
        assert!(Keep::Forever > Keep::days(100_000));
    }

    #[test]
    fn what_would_void_a_promise_is_refused() {
        let topics = |change: &dyn Fn(&mut TopicRetention)| {
            let mut retention = TopicRetention::default();
            change(&mut retention);
            retention.refused().unwrap_or_default()
        };
        let tables = |change: &dyn Fn(&mut TableRetention)| {
            let mut retention = TableRetention::default();
            change(&mut retention);
            retention.refused().unwrap_or_default()
        };
        assert_eq!(topics(&|_| {}), "");
        assert_eq!(topics(&|r| (r.sealed, r.redrive) = (Keep::Forever, Keep::Forever)), "");
        assert_eq!(topics(&|r| r.ledger = Keep::For(HOUR)), "");
        assert!(
            topics(&|r| r.opened = Keep::For(HOUR / 2))
                .contains("topics.retention.opened: at least 1h")
        );
        assert!(topics(&|r| r.redrive = Keep::days(6)).contains("could be sent again"));
        assert!(topics(&|r| r.sealed = Keep::Forever).contains("could be sent again"));
        let hours = topics(&|r| (r.sealed, r.redrive) = (Keep::For(HOUR), Keep::For(2 * HOUR)));
        assert!(hours.contains("less than a day"), "{hours}");
        assert_eq!(tables(&|_| {}), "");
        assert_eq!(tables(&|r| r.events = Keep::days(30)), "");
        assert_eq!(
            tables(&|r| (r.events, r.rejects, r.ledger) =
                (Keep::days(30), Keep::days(30), Keep::days(30))),
            ""
        );
        assert!(tables(&|r| r.rollups = Keep::For(HOUR)).contains("rollups: at least 1d"));
        assert!(tables(&|r| r.ledger = Keep::days(30)).contains("retention.events (forever)"));
        let rejects = tables(&|r| (r.events, r.ledger) = (Keep::days(30), Keep::days(30)));
        assert!(rejects.contains("retention.rejects (forever)"), "{rejects}");
    }
}
