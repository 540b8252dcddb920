use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;
use waybill_clickhouse::Database;

use crate::audit::AuditReport;
use crate::demo::figures::Watch;
use crate::demo::processes::Processor;
use crate::demo::screen::grouped;
use crate::exit::Failure;

/// What the carriers sent, by what must become of it.
#[derive(Debug, Deserialize)]
pub struct Truth {
    pub carriers: BTreeMap<String, Sent>,
}

#[derive(Debug, Deserialize)]
pub struct Sent {
    pub published: u64,
    pub events: u64,
    pub duplicates: u64,
    pub rejects: BTreeMap<String, u64>,
}

impl Truth {
    pub fn read(file: &Path) -> Result<Self, Failure> {
        let failed =
            |e: &dyn std::fmt::Display| Failure::failed(format!("{}: {e}", file.display()));
        let bytes = std::fs::read(file).map_err(|e| failed(&e))?;
        serde_json::from_slice(&bytes).map_err(|e| failed(&e))
    }
}

/// What is known when all is over.
#[derive(Debug)]
pub struct Outcome {
    /// Confirmed by the broker.
    pub published: u64,
    pub truth: Truth,
    pub report: AuditReport,
    pub watch: Watch,
    /// Name of the run's database.
    pub database: String,
}

/// The questions that the summary shows with their answers.
const QUERIES: &[&str] = &[
    "SELECT carrier_id, count() AS events, uniqExact(shipment_id) AS shipments\n\
     FROM events GROUP BY carrier_id ORDER BY events DESC",
    "SELECT code, count() AS rejects FROM rejects GROUP BY code ORDER BY rejects DESC LIMIT 5",
    "SELECT origin_country, destination_country, count() AS shipments,\n       \
     round(avg(delay_ms) / 3600000, 1) AS delay_hours\n\
     FROM shipments WHERE crosses_border GROUP BY ALL ORDER BY shipments DESC LIMIT 5",
];

/// The summary; its last line is for machines, too. A failure if anything is lost.
pub fn print(
    outcome: &Outcome,
    database: &Database,
    processors: &[Processor],
) -> Result<(), Failure> {
    let unreachable = |f: waybill_stage::Fault| Failure::unreachable(f.to_string());
    let summary = database.summary(0).map_err(unreachable)?;
    let total = &summary.total;

    println!("\n  carrier          published      events   rejected  duplicates   p50 ms   p99 ms");
    for (id, sent) in &outcome.truth.carriers {
        let of = summary.carriers.get(id).cloned().unwrap_or_default();
        println!(
            "  {id:<15} {:>10} {:>11} {:>10} {:>11} {:>8.0} {:>8.0}",
            grouped(sent.published as f64),
            grouped(of.events as f64),
            grouped(of.rejected() as f64),
            grouped(of.duplicates as f64),
            of.p50_ms,
            of.p99_ms
        );
    }
    if let Some(unknown) = summary.carriers.get("") {
        println!(
            "  {:<15} {:>10} {:>11} {:>10}",
            "(not known)",
            "",
            "",
            grouped(unknown.rejected() as f64)
        );
    }

    println!("\n  process                   started  peak memory   CPU s");
    for p in processors {
        let cpu = outcome.watch.cpu_seconds.get(p.stage).copied().unwrap_or(0.0);
        println!(
            "  {:<24} {:>8} {:>9.0} MB {:>7.1}",
            p.stage,
            format!("{}×", p.restarts + 1),
            p.peak_rss as f64 / 1e6,
            cpu
        );
    }

    println!("\n  Questions to try (database {}):", outcome.database);
    for query in QUERIES {
        println!("\n{query}\n{}", database.query_text(query).map_err(unreachable)?.trim_end());
    }

    println!("\n  waybill audit\n\n{}", outcome.report);

    // A carrier whose answer was lost sends its records once more.
    let sent: u64 = outcome.truth.carriers.values().map(|sent| sent.published).sum();
    let copies = outcome.report.sealed.saturating_sub(sent);
    if copies > 0 {
        println!("demo: {copies} messages were sent twice, since the broker's answer was lost");
    }
    let differences = differences(&outcome.truth, total, copies);
    for line in &differences {
        println!("demo: {line}");
    }
    let answered = total.events + total.rejected() + total.duplicates;
    let lost = outcome.published.saturating_sub(answered);
    println!(
        "\ndemo: published={} events={} rejected={} duplicates={} lost={lost} p50_ms={:.0} p99_ms={:.0}",
        outcome.published,
        total.events,
        total.rejected(),
        total.duplicates,
        total.p50_ms,
        total.p99_ms
    );
    match lost {
        0 if differences.is_empty() && outcome.report.is_clean() => Ok(()),
        0 if differences.is_empty() => Err(Failure::failed("the audit is not clean")),
        0 => Err(Failure::failed("the answers are not those that the carriers' messages ask for")),
        n => Err(Failure::failed(format!("{n} messages have no answer"))),
    }
}

/// Where the answers are not those that must come. A message that was sent twice is answered twice:
/// as a duplicate, or with the same code.
fn differences(
    truth: &Truth,
    total: &waybill_clickhouse::CarrierSummary,
    copies: u64,
) -> Vec<String> {
    let mut rejects: BTreeMap<&str, u64> = BTreeMap::new();
    for (code, n) in truth.carriers.values().flat_map(|sent| &sent.rejects) {
        *rejects.entry(code).or_default() += n;
    }
    let sum = |f: fn(&Sent) -> u64| truth.carriers.values().map(f).sum::<u64>();
    let mut wrong = Vec::new();
    let mut compare = |what: String, expected: u64, found: u64, copies: u64| {
        if !(expected..=expected + copies).contains(&found) {
            wrong.push(format!("{what}: {found}, and {expected} were sent"));
        }
    };
    compare("events".to_owned(), sum(|s| s.events), total.events, 0);
    compare("duplicates".to_owned(), sum(|s| s.duplicates), total.duplicates, copies);
    for (code, n) in &rejects {
        let found = total.rejects.get(*code).copied().unwrap_or(0);
        compare(format!("rejects {code}"), *n, found, copies);
    }
    for (code, n) in &total.rejects {
        if !rejects.contains_key(code.as_str()) {
            compare(format!("rejects {code}"), 0, *n, 0);
        }
    }
    let expected = sum(|s| s.duplicates) + rejects.values().sum::<u64>() + copies;
    compare("answers".to_owned(), expected, total.duplicates + total.rejected(), 0);
    wrong
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_add_up_is_named() {
        let truth: Truth = serde_json::from_str(
            r#"{"carriers":{"a":{"published":10,"events":7,"duplicates":1,"rejects":{"expired":2}}}}"#,
        )
        .unwrap();
        let mut found = waybill_clickhouse::CarrierSummary {
            events: 7,
            duplicates: 1,
            rejects: [("expired".to_owned(), 2)].into(),
            ..Default::default()
        };
        assert_eq!(differences(&truth, &found, 0), Vec::<String>::new());
        // One message came twice, and is answered once more.
        found.duplicates = 2;
        assert_eq!(differences(&truth, &found, 1), Vec::<String>::new());
        assert_eq!(
            differences(&truth, &found, 0),
            ["duplicates: 2, and 1 were sent", "answers: 4, and 3 were sent"]
        );
        found.duplicates = 1;
        assert_eq!(differences(&truth, &found, 1), ["answers: 3, and 4 were sent"]);
        found.events = 6;
        found.rejects.insert("internal".to_owned(), 1);
        assert_eq!(
            differences(&truth, &found, 0),
            [
                "events: 6, and 7 were sent",
                "rejects internal: 1, and 0 were sent",
                "answers: 4, and 3 were sent"
            ]
        );
    }
}
