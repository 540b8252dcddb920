//! What each role must be allowed at Kafka: what it reads and writes (`work.rs`), under the names that the
//! configuration gives. The same list is printed by `waybill topics acls`, and looked at by the role when it starts.

use Operation::{AlterConfigs, Create, Describe, DescribeConfigs, Read, Write};
use waybill_kafka::{
    Acl, Acls, Eraser, Operation, READS_SEALED, Redriver, Resource, Topics, WebhookLog,
    check_rights,
};
use waybill_schemas::pipeline::CLICKHOUSE;
use waybill_schemas::{Role, pipeline};
use waybill_stage::Fault;

use crate::config::Config;
use crate::exit::Failure;
use crate::keyring::internal_roles;
use crate::work::Work;

/// Looked at before it is written to: whether it takes what is sent, and keeps it.
const WRITES: [Operation; 2] = [Write, DescribeConfigs];

/// What connects to Kafka, as whoever it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Client {
    /// A process of these stages.
    Run(String),
    /// Who publishes to the first sealed topic.
    Publish,
    /// A carrier who publishes to topics of its own.
    Carrier {
        id: String,
        topics: Vec<String>,
    },
    /// `waybill rejects redrive` and `show`.
    Redrive,
    Erase,
    Audit,
    /// `waybill state list`
    State,
    /// `waybill keys destroy`
    Keys,
    /// `waybill webhooks list` and `replay`
    Replay,
    /// `waybill topics`
    Topics,
}

impl Client {
    /// All but carriers.
    pub fn all() -> impl Iterator<Item = Self> {
        let runs = Work::all().into_iter().map(Self::Run);
        let commands = [
            Self::Publish,
            Self::Redrive,
            Self::Erase,
            Self::Audit,
            Self::State,
            Self::Keys,
            Self::Replay,
            Self::Topics,
        ];
        runs.chain(commands)
    }

    /// What it is called in the list.
    pub fn name(&self) -> String {
        match self {
            Self::Run(stages) => stages.clone(),
            Self::Publish => "publish".to_owned(),
            Self::Carrier { id, .. } => id.clone(),
            Self::Redrive => "redrive".to_owned(),
            Self::Erase => "erase".to_owned(),
            Self::Audit => "audit".to_owned(),
            Self::State => "state".to_owned(),
            Self::Keys => "keys".to_owned(),
            Self::Replay => "replay".to_owned(),
            Self::Topics => "topics".to_owned(),
        }
    }

    /// The principal that the list gives it: a carrier is known to the broker by its id.
    pub fn principal(&self, prefix: &str) -> String {
        match self {
            Self::Carrier { id, .. } => format!("User:{id}"),
            _ => format!("User:{prefix}{}", self.name().replace(',', "-")),
        }
    }

    /// What it must be allowed.
    pub fn acls(&self, config: &Config) -> Result<Vec<Acl>, Failure> {
        let topics = config.topics()?;
        let acls = Acls::new(&topics);
        let found = match self {
            Self::Run(stages) => return run(config, &topics, stages),
            Self::Publish => match topics.sealed().first() {
                Some(first) => Ok(acls.on_topic(first, &[Write])),
                // Whoever publishes says to which.
                None => acls.on(Role::Sealed, &[Write]),
            },
            Self::Carrier { topics, .. } => {
                Ok(topics.iter().fold(acls, |acls, topic| acls.on_topic(topic, &[Write])))
            }
            Self::Redrive => acls
                .transactional(Redriver::transactional_id(&topics))
                .reader()
                .on(Role::Redrive, &[Read, Write, DescribeConfigs])
                .and_then(|acls| acls.on(Role::Sealed, &[Read])),
            Self::Erase => on_all(
                acls.transactional(&Eraser::transactional_id(&topics))
                    .reader()
                    .looks_at(&config.group(CLICKHOUSE.stage)),
                &[
                    (Role::Enriched, &WRITES),
                    (Role::Ledger, &WRITES),
                    (Role::Events, &[Read]),
                    (Role::Shipments, &[Read]),
                    (Role::Rejects, &[Read]),
                ],
            ),
            Self::Audit => pipeline::readers().try_fold(acls.reader(), |acls, (role, stage)| {
                acls.looks_at(&config.group(stage)).on(role, &[Read])
            }),
            Self::State => acls.reader().on(Role::AggregateState, &[Read]),
            Self::Keys => internal_roles()
                .chain([Role::Sealed])
                .try_fold(acls.reader().looks_at(&config.group("decrypt")), |acls, role| {
                    acls.on(role, &[Read])
                }),
            Self::Replay => acls
                .transactional(WebhookLog::transactional_id(&topics))
                .reader()
                .on(Role::Webhooks, &[Read, Write, DescribeConfigs]),
            Self::Topics => {
                // What a pattern finds is looked for.
                let acls = if topics.sealed().has_patterns() { acls.reader() } else { acls };
                Role::ALL
                    .into_iter()
                    .try_fold(acls, |acls, role| acls.on(role, &[Create, Describe, AlterConfigs]))
            }
        };
        found.map(Acls::into_list).map_err(Failure::config)
    }

    /// What it must be allowed before it can begin: of several sealed topics, each is looked at for itself.
    pub fn needed(&self, config: &Config) -> Result<Vec<Acl>, Failure> {
        let topics = config.topics()?;
        let is_one = topics.sealed().only().is_some();
        let is_own_affair = |acl: &Acl| {
            acl.resource == Resource::Topic && (acl.is_prefix || topics.sealed().matches(&acl.name))
        };
        let mut acls = self.acls(config)?;
        acls.retain(|acl| is_one || !is_own_affair(acl));
        Ok(acls)
    }

    /// Looks whether it is.
    pub fn check(&self, config: &Config) -> Result<(), Failure> {
        let failed = |fault: Fault| Failure::unreachable(fault.0);
        check_rights(&config.connection()?, &self.needed(config)?).map_err(failed)
    }
}

fn run(config: &Config, topics: &Topics, stages: &str) -> Result<Vec<Acl>, Failure> {
    let work = Work::parse(stages).map_err(Failure::config)?;
    let acls = Acls::new(topics);
    let found = if work == Work::Gateway {
        // Of several, each carrier's is its own affair.
        let is_looked_at = topics.sealed().only().is_some();
        acls.reader().on(Role::Sealed, if is_looked_at { &WRITES } else { &[Write] })
    } else {
        let first = stages.split(',').next().unwrap_or_default().trim();
        let mut acls = acls.member(&config.host(first, &config.batch)?).reader();
        for role in work.writes() {
            acls = acls.on(role, &WRITES).map_err(Failure::config)?;
        }
        work.reads().into_iter().try_fold(acls, |acls, role| match role {
            Role::Sealed => acls.on(role, &READS_SEALED),
            role => acls.on(role, &[Read]),
        })
    };
    found.map(Acls::into_list).map_err(Failure::config)
}

fn on_all<'t>(acls: Acls<'t>, all: &[(Role, &[Operation])]) -> Result<Acls<'t>, String> {
    all.iter().try_fold(acls, |acls, (role, operations)| acls.on(*role, operations))
}

#[cfg(test)]
mod tests;
