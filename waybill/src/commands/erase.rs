use std::io::IsTerminal;
use std::path::PathBuf;
use std::time::Duration;

use waybill_clickhouse::{Database, Erasable, Named};
use waybill_kafka::arm_crash_points;
use waybill_stage::Fault;

use crate::config::Config;
use crate::erasure::{Erasing, Receipt};
use crate::exit::Failure;
use crate::keyring::write_private;

/// Erase shipments: from aggregate's state, from ClickHouse's tables, and from its rollups
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  waybill erase --carrier acme-line --reference WB4471902 --dry-run
  waybill erase --carrier acme-line --shipment acme-line/CSQU3054383/9c1f03ab \\
      --reason 'request 4711' --receipt receipt-4711.json
  waybill erase --unfinished

aggregate and clickhouse must be running. What comes for such a shipment later, an event that is still on its way or
one that the carrier sends again, begins a new shipment: suspend the carrier, or tell it, before. What lies on Kafka
goes with its retention; the receipt says when. The receipt names no shipment, and so should the reason.
Exit status 1 if there is no such shipment.")]
pub struct Args {
    /// Only shipments of this carrier
    #[arg(long, value_name = "ID", required_unless_present = "unfinished")]
    carrier: Option<String>,
    #[command(flatten)]
    which: Which,
    /// Why, for the receipt and the table `erasures`: the number of a request, say
    #[arg(long, value_name = "TEXT", default_value = "")]
    reason: String,
    /// Write the receipt to this file too
    #[arg(long, value_name = "FILE")]
    receipt: Option<PathBuf>,
    /// Say which shipments it would be, and erase nothing
    #[arg(long)]
    dry_run: bool,
    /// Do not ask
    #[arg(long)]
    yes: bool,
    /// How long aggregate, the sink, and each change in ClickHouse may take
    #[arg(long, value_name = "DURATION", default_value = "5m", value_parser = humantime::parse_duration)]
    timeout: Duration,
}

#[derive(Debug, clap::Args)]
#[group(required = true, multiple = false)]
struct Which {
    /// The shipment of this id
    #[arg(long, value_name = "ID")]
    shipment: Option<String>,
    /// Every shipment with this reference: a booking, a bill of lading, the number of a unit, …
    #[arg(long, value_name = "NUMBER")]
    reference: Option<String>,
    /// Go on with what was broken off
    #[arg(long)]
    unfinished: bool,
}

fn unreachable(fault: Fault) -> Failure {
    Failure::unreachable(fault.0)
}

pub fn run(config: &Config, args: &Args) -> Result<(), Failure> {
    arm_crash_points();
    let database = Database::open(config.clickhouse()?).map_err(unreachable)?;
    if !args.dry_run {
        database.check_may_erase().map_err(unreachable)?;
    }
    let mut receipts = Receipts { file: args.receipt.clone(), texts: Vec::new() };
    let mut gone_on = Vec::new();
    for row in database.unfinished_erasures().map_err(unreachable)? {
        eprintln!("erase: erasure {} was broken off", row.id);
        if !args.dry_run {
            let erasing = Erasing::new(config, &database, args.timeout)?;
            erasing.finish(&row, |receipt| receipts.keep(&receipt))?;
            gone_on.push(row.carrier_id);
        }
    }
    let (Some(carrier), Some(named)) = (&args.carrier, args.which.named()) else {
        if gone_on.is_empty() && !args.dry_run {
            println!("erase: nothing was broken off");
        }
        return Ok(());
    };
    let found = database.erasable(carrier, &named).map_err(unreachable)?;
    if found.is_empty() {
        // It was broken off when all that names the shipment had gone.
        if gone_on.contains(carrier) {
            eprintln!(
                "erase: {carrier} has no such shipment any more: it may be the one that was gone on with"
            );
            return Ok(());
        }
        return Err(Failure::failed(format!("{carrier} has no such shipment: nothing is erased")));
    }
    show(&found);
    if args.dry_run {
        return Ok(());
    }
    if !args.yes {
        ask(found.len())?;
    }
    let shipments: Vec<String> = found.into_iter().map(|of| of.shipment_id).collect();
    let erasing = Erasing::new(config, &database, args.timeout)?;
    let row = erasing.begin(carrier, &shipments, &args.reason)?;
    erasing.finish(&row, |receipt| receipts.keep(&receipt))
}

impl Which {
    fn named(&self) -> Option<Named> {
        let shipment = self.shipment.clone().map(Named::Shipment);
        shipment.or_else(|| self.reference.clone().map(Named::Reference))
    }
}

fn show(found: &[Erasable]) {
    eprintln!(
        "{:<48} {:<16} {:>8}  {:<20} last received",
        "shipment", "unit", "events", "first received"
    );
    for of in found {
        eprintln!(
            "{:<48} {:<16} {:>8}  {:<20} {}",
            of.shipment_id, of.equipment, of.events, of.first, of.last
        );
    }
}

fn ask(shipments: usize) -> Result<(), Failure> {
    let not = || Failure::failed("nothing is erased");
    if !std::io::stdin().is_terminal() {
        return Err(Failure::failed(
            "nothing is erased: nobody is there to be asked; --yes erases without asking",
        ));
    }
    eprintln!("Nothing brings them back. Write how many shipments are to be erased ({shipments}):");
    let mut answer = String::new();
    std::io::stdin().read_line(&mut answer).map_err(|_| not())?;
    if answer.trim() == shipments.to_string() { Ok(()) } else { Err(not()) }
}

/// Receipts of this call: each is printed, and the file has them all, one to a line.
struct Receipts {
    file: Option<PathBuf>,
    texts: Vec<String>,
}

impl Receipts {
    fn keep(&mut self, receipt: &Receipt) -> Result<(), Failure> {
        let text = serde_json::to_string(receipt);
        self.texts.push(text.map_err(|e| Failure::failed(format!("receipt: {e}")))?);
        if let Some(file) = &self.file {
            let all = self.texts.join("\n") + "\n";
            write_private(file, all.as_bytes())
                .map_err(|e| Failure::failed(format!("{}: {e}", file.display())))?;
        }
        println!("{}", self.texts.last().map_or("", String::as_str));
        Ok(())
    }
}
