use clap::{Args as ClapArgs, Subcommand};
use jiff::Timestamp;
use waybill_aggregate::Changelog;
use waybill_decrypt::Status;
use waybill_host::input::Input;
use waybill_kafka::{most_partitions, read_changelog};
use waybill_schemas::Role;
use waybill_stage::Fault;

use crate::acls::Client;
use crate::commands::run::rules;
use crate::config::Config;
use crate::exit::Failure;
use crate::registry_file::RegistryFile;

/// What aggregate remembers of open shipments
#[derive(Debug, ClapArgs)]
#[command(after_help = "\
Examples:
  waybill state list
  waybill state purge --carrier acme-line     once it is suspended")]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Show what each carrier's open shipments take of aggregate's memory
    List {
        #[arg(long)]
        carrier: Option<String>,
    },
    /// Forget the shipments of a suspended carrier; its rows in ClickHouse stay
    Purge {
        #[arg(long)]
        carrier: String,
    },
}

pub fn run(config: &Config, args: Args) -> Result<(), Failure> {
    match args.command {
        Command::List { carrier } => list(config, carrier.as_deref()),
        Command::Purge { carrier } => purge(config, &carrier),
    }
}

fn list(config: &Config, carrier: Option<&str>) -> Result<(), Failure> {
    Client::State.check(config)?;
    let carriers = RegistryFile::new(&config.carriers.file).load()?;
    let settings = config.host(waybill_aggregate::NAME, &config.batch)?;
    let cipher = config.cipher(&[Role::AggregateState])?;
    let rules = rules(config, &carriers);
    let unreachable = |fault: Fault| Failure::unreachable(fault.to_string());
    println!(
        "{:<24} {:>9} {:>10} {:>12} {:>14}",
        "carrier", "partition", "shipments", "events", "bytes"
    );
    let mut moving = 0;
    let partitions = most_partitions(&settings, &[Role::AggregateState]).map_err(unreachable)?;
    for partition in 0..i32::try_from(partitions).unwrap_or(i32::MAX) {
        // It is read from the changelog, so that no process is asked.
        let mut changelog = Changelog::new(&cipher);
        read_changelog(&settings, Role::AggregateState, partition, &mut changelog)
            .map_err(unreachable)?;
        let input = Input::new(Role::Enriched, settings.topics.name(Role::Enriched), partition);
        let (mut taken, moves) = changelog.taken(input, &rules).map_err(unreachable)?;
        moving += moves;
        taken.sort_by(|a, b| a.0.cmp(&b.0));
        for (id, taken) in taken.into_iter().filter(|(id, _)| carrier.is_none_or(|of| of == id)) {
            let (shipments, events, bytes) = (taken.shipments, taken.events, taken.bytes());
            println!("{id:<24} {partition:>9} {shipments:>10} {events:>12} {bytes:>14}");
        }
    }
    if moving > 0 {
        println!(
            "{} shipments lie under keys of before: an aggregate that was started since moves them with its \
             batches",
            moving
        );
    }
    Ok(())
}

/// Says in the carriers file that they are to go: aggregate takes it up with its next batches.
fn purge(config: &Config, id: &str) -> Result<(), Failure> {
    RegistryFile::new(&config.carriers.file).change(|carriers| match carriers.get_mut(id) {
        None => Err(Failure::config(format!("no carrier {id:?}"))),
        // A copy of an event that nobody remembers would be taken for a new one.
        Some(carrier) if carrier.status != Status::Suspended => Err(Failure::config(format!(
            "{id} is {}: suspend it first, or copies of its events would be stored twice",
            carrier.status
        ))),
        Some(carrier) => {
            carrier.state_purged_at = Some(Timestamp::now());
            Ok(())
        }
    })?;
    println!("state: aggregate forgets the shipments of {id} with its next batches");
    Ok(())
}
