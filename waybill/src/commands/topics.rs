use waybill_runtime::create_topics;

use crate::config::Config;
use crate::exit::Failure;

/// Create the topics that are missing, and let those that are there take what is sent
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: waybill topics")]
pub struct Args {}

pub fn run(config: &Config, _: &Args) -> Result<(), Failure> {
    let changes = create_topics(
        &config.connection()?.client(),
        &config.topics(),
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
