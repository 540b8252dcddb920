//! Holds ledger, offsets and tables against each other.

mod check;

pub use check::{AuditReport, Facts, check};

use std::time::{Duration, Instant};

use waybill_clickhouse::{AuditQuestion, Database};
use waybill_kafka::{Reader, group_progress, sealed_topics};
use waybill_schemas::{Role, pipeline};
use waybill_stage::Fault;

use crate::config::Config;
use crate::exit::Failure;

const DAY_MS: i64 = 86_400_000;

/// Who answers for the records of each topic, in the order of the flow. The ledger is what they are held against.
pub fn checked() -> impl Iterator<Item = (Role, &'static str)> {
    pipeline::readers().filter(|(role, _)| *role != Role::Ledger)
}

/// What an audit is asked.
#[derive(Clone, Debug, Default)]
pub struct Question {
    /// Only what was committed since then, ms UTC.
    pub since_ms: Option<i64>,
    pub carrier: Option<String>,
    /// How long to wait for the ledger's last entries to come in.
    pub patience: Duration,
}

/// Reads everything, and checks it.
pub fn audit(config: &Config, question: &Question) -> Result<AuditReport, Failure> {
    let database = Database::open(config.clickhouse()?).map_err(|f| unreachable(&f))?;
    let (connection, readers) = (config.connection()?, readers(config)?);
    let now_ms = jiff::Timestamp::now().as_millisecond();
    let kept = config.clickhouse.retention.as_clickhouse().kept_since(now_ms);
    let since_ms = known_since(question.since_ms, kept.ledger);
    let data_question = AuditQuestion {
        since_ms,
        carrier: question.carrier.clone(),
        derived: question.since_ms.is_none(),
        kept,
    };
    let began = Instant::now();
    let asked = group_progress(&connection, &readers).map_err(|f| unreachable(&f))?;
    let mut before = asked.clone();
    loop {
        let data = database.audit_data(&data_question).map_err(|f| unreachable(&f))?;
        let after = group_progress(&connection, &readers).map_err(|f| unreachable(&f))?;
        let is_whole = since_ms == 0;
        let facts = Facts { asked: asked.clone(), progress: before, after, data, is_whole };
        // A batch is committed before its entry has come through to the table: what is still
        // moving is looked at again.
        if !facts.is_moving() || began.elapsed() >= question.patience {
            return Ok(check(&facts));
        }
        std::thread::sleep(Duration::from_millis(500));
        before = facts.after;
    }
}

/// From when on the data is whole, ms UTC; 0: since ever. What the ledger may have forgotten is not held against
/// it, and a day more: an hour of receipt is accounted for by entries of later.
fn known_since(asked_ms: Option<i64>, ledger_ms: i64) -> i64 {
    let known = if ledger_ms == 0 { 0 } else { ledger_ms.saturating_add(DAY_MS) };
    asked_ms.unwrap_or_default().max(known)
}

/// Which group reads which topic. Carriers may have several, and more by and by.
fn readers(config: &Config) -> Result<Vec<Reader>, Failure> {
    let (connection, topics) = (config.connection()?, config.topics()?);
    let sealed = sealed_topics(&connection, topics.sealed()).map_err(|f| unreachable(&f))?;
    let all = pipeline::readers().flat_map(|(role, stage)| {
        let names = match role {
            Role::Sealed => sealed.clone(),
            role => vec![topics.name(role).to_owned()],
        };
        let group = config.group(stage);
        names.into_iter().map(move |topic| Reader { role, topic, group: group.clone() })
    });
    Ok(all.collect())
}

fn unreachable(fault: &Fault) -> Failure {
    Failure::unreachable(fault.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_audit_looks_no_further_back_than_the_ledger() {
        for (asked, ledger, since) in [
            (None, 0, 0),
            (Some(7), 0, 7),
            (None, 5 * DAY_MS, 6 * DAY_MS),
            (Some(7), 5 * DAY_MS, 6 * DAY_MS),
            (Some(9 * DAY_MS), 5 * DAY_MS, 9 * DAY_MS),
        ] {
            assert_eq!(known_since(asked, ledger), since, "{asked:?} {ledger}");
        }
    }
}
