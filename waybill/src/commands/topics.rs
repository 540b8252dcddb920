use waybill_runtime::create_topics;

use crate::commands::publish;
use crate::config::Config;
use crate::exit::Failure;

/// Create the topics that are missing, and let those that are there take what is sent
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  waybill topics
  waybill topics --carrier waybill.sealed.acme-line")]
pub struct Args {
    /// Make this topic of a carrier's too, which a pattern of topics.sealed finds. May come several times
    #[arg(long, value_name = "NAME")]
    carrier: Vec<String>,
}

pub fn run(config: &Config, args: &Args) -> Result<(), Failure> {
    for name in &args.carrier {
        publish::topic(config, Some(name))?;
    }
    let changes = create_topics(
        &config.connection()?,
        &config.topics()?,
        &args.carrier,
        config.topics.partitions,
        config.topics.replication,
    )
    .map_err(|e| Failure::unreachable(e.to_string()))?;
    if !changes.created.is_empty() {
        println!("topics: created {}", changes.created.join(", "));
    }
    for set in &changes.set {
        println!("topics: set {set}");
    }
    if changes.created.is_empty() && changes.set.is_empty() {
        println!("topics: all there");
    }
    Ok(())
}
