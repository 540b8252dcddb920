use std::time::Duration;

use crate::acls::Client;
use crate::audit::{Question, audit};
use crate::config::Config;
use crate::exit::Failure;

/// Hold ledger, offsets and tables against each other: is everything there, once?
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  waybill audit
  waybill audit --since 24h
  waybill audit --since 2026-11-24T00:00:00Z --carrier acme-line

It says for each topic whether every offset was read once and what became of the records, and lists
what is not in order with its coordinates; exit status 1 if there is such. While the pipeline is
working, entries come in a little later than what they tell of: it waits for those, and looks again until
nothing has moved while it looked. If the last of them have not come in by then (--wait), it says \"not settled\",
exit status 1 too: the sink is busy, or does not run. With --since, whole tables and topics are not compared
with each other, only entries and ranges.")]
pub struct Args {
    /// Only what was committed since then: a time (RFC 3339) or how long ago (24h, 7d)
    #[arg(long, value_name = "TIME", value_parser = crate::since::parse)]
    since: Option<i64>,
    /// Only this carrier's hours; offsets and sums are of all
    #[arg(long, value_name = "ID")]
    carrier: Option<String>,
    /// How long to wait for what is on its way
    #[arg(long, value_name = "DURATION", default_value = "15s", value_parser = humantime::parse_duration)]
    wait: Duration,
}

pub fn run(config: &Config, args: &Args) -> Result<(), Failure> {
    Client::Audit.check(config)?;
    let report = audit(
        config,
        &Question { since_ms: args.since, carrier: args.carrier.clone(), patience: args.wait },
    )?;
    println!("{report}");
    match () {
        () if report.is_clean() => Ok(()),
        () if report.findings.is_empty() => Err(Failure::failed("the audit cannot tell yet")),
        () => Err(Failure::failed("the audit is not clean")),
    }
}
