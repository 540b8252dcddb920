use waybill_clickhouse::Database;

use crate::config::Config;
use crate::exit::Failure;

/// Bring ClickHouse's tables and views up to date
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example: waybill migrate\n\nIdempotent: what was applied is recorded in the table `migrations`."
)]
pub struct Args {}

pub fn run(config: &Config, _: &Args) -> Result<(), Failure> {
    let database =
        Database::open(config.clickhouse()?).map_err(|f| Failure::config(f.to_string()))?;
    let applied = database.migrate().map_err(|f| Failure::unreachable(f.to_string()))?;
    match applied.as_slice() {
        [] => println!("migrate: {} is up to date", config.clickhouse.database),
        list => {
            for migration in list {
                println!("migrate: applied {}", migration.name);
            }
        }
    }
    Ok(())
}
