use waybill_runtime::create_topics;

use crate::config::Config;
use crate::exit::Failure;

/// Create the topics that are missing
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: waybill topics")]
pub struct Args {}

pub fn run(config: &Config, _: &Args) -> Result<(), Failure> {
    let created = create_topics(
        &config.connection()?.client(),
        &config.topics(),
        config.topics.partitions,
        config.topics.replication,
    )
    .map_err(|e| Failure::unreachable(e.to_string()))?;
    match created.as_slice() {
        [] => println!("topics: all there"),
        names => println!("topics: created {}", names.join(", ")),
    }
    Ok(())
}
