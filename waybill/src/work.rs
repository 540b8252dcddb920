//! What one process can be, and which topics it reads and writes: that decides which keys it needs.

use std::collections::BTreeSet;

use waybill_schemas::Role;
use waybill_schemas::pipeline::{
    AGGREGATE, CLICKHOUSE, GATEWAY, PIPELINE, STATELESS, StageTopics, WEBHOOKS,
};

/// The stages of one process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Work {
    /// From one of [`STATELESS`] to another.
    Stateless {
        first: usize,
        last: usize,
    },
    Aggregate,
    ClickHouse,
    /// Takes events in, and answers carriers.
    Gateway,
    /// Tells carriers' endpoints.
    Webhooks,
}

impl Work {
    pub fn parse(stages: &str) -> Result<Self, String> {
        let alone = [
            (AGGREGATE, Self::Aggregate),
            (CLICKHOUSE, Self::ClickHouse),
            (GATEWAY, Self::Gateway),
            (WEBHOOKS, Self::Webhooks),
        ];
        if let Some((_, work)) = alone.into_iter().find(|(of, _)| of.stage == stages) {
            return Ok(work);
        }
        let named: Option<Vec<usize>> = stages
            .split(',')
            .map(|name| STATELESS.iter().position(|s| s.stage == name.trim()))
            .collect();
        let refuse = |why: &str| Err(why.to_owned());
        let Some(named) = named else {
            return refuse(
                "decrypt, validate, enrich (any consecutive run), aggregate, clickhouse, gateway or webhooks",
            );
        };
        match (named.first(), named.last()) {
            (Some(&first), Some(&last)) if named.iter().copied().eq(first..=last) => {
                Ok(Self::Stateless { first, last })
            }
            _ => refuse("stages must follow each other: decrypt, validate, enrich"),
        }
    }

    /// The stages as written, if they make a process.
    pub fn named(stages: &str) -> Result<String, String> {
        Self::parse(stages).map(|_| stages.to_owned())
    }

    /// Whether it opens what carriers have sealed.
    pub fn opens_events(self) -> bool {
        matches!(self, Self::Stateless { first: 0, .. })
    }

    /// Every process that there can be, as written: runs of the stateless stages, the short ones first, and each of
    /// the others.
    pub fn all() -> Vec<String> {
        let names: Vec<&str> = STATELESS.iter().map(|s| s.stage).collect();
        let runs = (1..=names.len()).flat_map(|n| names.windows(n)).map(|run| run.join(","));
        let others = PIPELINE.iter().skip(STATELESS.len()).map(|s| s.stage.to_owned());
        runs.chain(others).collect()
    }

    /// Its stages, in the order in which an event goes through them.
    fn stages(self) -> Vec<StageTopics> {
        match self {
            Self::Stateless { first, last } => {
                STATELESS.into_iter().take(last + 1).skip(first).collect()
            }
            Self::Aggregate => vec![AGGREGATE],
            Self::ClickHouse => vec![CLICKHOUSE],
            Self::Gateway => vec![GATEWAY],
            Self::Webhooks => vec![WEBHOOKS],
        }
    }

    /// As a member of its group, or what it has written itself.
    pub fn reads(self) -> Vec<Role> {
        let stages = self.stages();
        let inputs = stages.first().map_or(&[][..], |first| first.inputs);
        let own = stages.iter().flat_map(|stage| stage.own).copied();
        inputs.iter().copied().chain(own.filter(|role| !inputs.contains(role))).collect()
    }

    /// What its transactions write to.
    pub fn writes(self) -> Vec<Role> {
        let stages = self.stages();
        let has_ledger = stages.iter().any(|stage| stage.has_ledger);
        let ledger: &[Role] = if has_ledger { &[Role::Rejects, Role::Ledger] } else { &[] };
        let last = stages.last().map_or(&[][..], |last| last.outputs);
        let own = stages.iter().flat_map(|stage| stage.own).copied();
        ledger.iter().chain(last).copied().chain(own).collect()
    }

    /// The topics whose properties it counts on: those that its transactions write to, and that which
    /// carriers write to.
    pub fn counts_on(self) -> Vec<Role> {
        let sealed = self.opens_events().then_some(Role::Sealed);
        self.writes().into_iter().chain(sealed).collect()
    }

    /// The internal topics that it reads or writes: it needs their keys, and no others.
    pub fn roles(self) -> Vec<Role> {
        let all: BTreeSet<Role> = self.reads().into_iter().chain(self.writes()).collect();
        all.into_iter().filter(|role| role.is_internal()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_consecutive_stages_make_a_process() {
        for (stages, expected) in [
            ("decrypt", Some(Work::Stateless { first: 0, last: 0 })),
            ("decrypt,validate,enrich", Some(Work::Stateless { first: 0, last: 2 })),
            ("validate,enrich", Some(Work::Stateless { first: 1, last: 2 })),
            ("enrich", Some(Work::Stateless { first: 2, last: 2 })),
            ("aggregate", Some(Work::Aggregate)),
            ("clickhouse", Some(Work::ClickHouse)),
            ("gateway", Some(Work::Gateway)),
            ("webhooks", Some(Work::Webhooks)),
            ("gateway,decrypt", None),
            ("decrypt,enrich", None),
            ("validate,decrypt", None),
            ("enrich,aggregate", None),
            ("decrypt,decrypt", None),
            ("decrpyt", None),
            ("", None),
        ] {
            assert_eq!(Work::parse(stages).ok(), expected, "{stages}");
        }
    }

    /// Least privilege, in one table.
    #[test]
    fn each_stage_needs_the_keys_of_its_own_topics() {
        use Role::{
            AggregateState, Deferred, Enriched, Events, Ledger, Opened, Redrive, Rejects,
            Shipments, Valid, Webhooks,
        };
        for (stages, roles) in [
            ("decrypt", &[Redrive, Deferred, Opened, Rejects, Ledger][..]),
            ("validate", &[Opened, Valid, Rejects, Ledger]),
            ("enrich", &[Valid, Enriched, Rejects, Ledger]),
            ("decrypt,validate", &[Redrive, Deferred, Valid, Rejects, Ledger]),
            ("validate,enrich", &[Opened, Enriched, Rejects, Ledger]),
            ("decrypt,validate,enrich", &[Redrive, Deferred, Enriched, Rejects, Ledger]),
            ("aggregate", &[Enriched, Events, Shipments, Rejects, Ledger, AggregateState]),
            ("clickhouse", &[Events, Shipments, Rejects, Ledger]),
            ("gateway", &[]),
            ("webhooks", &[Events, Rejects, Webhooks]),
        ] {
            let work = Work::parse(stages).unwrap();
            assert_eq!(work.roles(), roles, "{stages}");
            assert_eq!(work.opens_events(), stages.starts_with("decrypt"), "{stages}");
        }
    }
}
