//! Holds ledger, offsets and tables against each other.

mod judge;

pub use judge::{Facts, Verdict, judge};

use std::time::{Duration, Instant};

use waybill_clickhouse::{BookQuestion, Database};
use waybill_runtime::{Reader, Role, standings};
use waybill_stage::Fault;

use crate::config::Config;
use crate::exit::Failure;

const DAY_MS: i64 = 86_400_000;

/// Who reads each topic: the stage whose group it is, in the order of the flow.
pub const READERS: [(Role, &str); 9] = [
    (Role::Sealed, "decrypt"),
    (Role::Redrive, "decrypt"),
    (Role::Deferred, "decrypt"),
    (Role::Opened, "validate"),
    (Role::Valid, "enrich"),
    (Role::Enriched, "aggregate"),
    (Role::Events, "clickhouse"),
    (Role::Shipments, "clickhouse"),
    (Role::Rejects, "clickhouse"),
];

/// What an audit is asked.
#[derive(Clone, Debug, Default)]
pub struct Question {
    /// Only what was committed since then, ms UTC.
    pub since_ms: Option<i64>,
    pub carrier: Option<String>,
    /// How long to wait for the ledger's last entries to come in.
    pub patience: Duration,
}

/// Reads everything, and judges it.
pub fn audit(config: &Config, question: &Question) -> Result<Verdict, Failure> {
    let database = Database::open(config.clickhouse()?).map_err(|f| unreachable(&f))?;
    let (connection, readers) = (config.connection()?, readers(config));
    let now_ms = jiff::Timestamp::now().as_millisecond();
    let kept = config.clickhouse.retention.as_clickhouse().kept_since(now_ms);
    // What the ledger has forgotten is not held against it; a day more, since an hour of receipt is accounted for
    // by entries of later.
    let known_since = if kept.ledger == 0 { 0 } else { kept.ledger + DAY_MS };
    let since_ms = question.since_ms.unwrap_or_default().max(known_since);
    let books_asked = BookQuestion {
        since_ms,
        carrier: question.carrier.clone(),
        derived: question.since_ms.is_none(),
        kept,
    };
    let began = Instant::now();
    let asked = standings(&connection, &readers).map_err(|f| unreachable(&f))?;
    let mut now = asked.clone();
    loop {
        // Offsets first: what the books say of them is then at least as new.
        let books = database.books(&books_asked).map_err(|f| unreachable(&f))?;
        let is_whole = since_ms == 0;
        let facts = Facts { asked: asked.clone(), standings: now, books, is_whole };
        // A batch is committed before its entry has come through to the table: what is still
        // moving is looked at again.
        if !facts.is_moving() || began.elapsed() >= question.patience {
            return Ok(judge(&facts));
        }
        std::thread::sleep(Duration::from_millis(500));
        now = standings(&connection, &readers).map_err(|f| unreachable(&f))?;
    }
}

fn readers(config: &Config) -> Vec<Reader> {
    let topics = config.topics();
    let ledger = [(Role::Ledger, "clickhouse")];
    READERS
        .into_iter()
        .chain(ledger)
        .map(|(role, stage)| Reader {
            role,
            topic: topics.name(role).to_owned(),
            group: config.group(stage),
        })
        .collect()
}

fn unreachable(fault: &Fault) -> Failure {
    Failure::unreachable(fault.to_string())
}
