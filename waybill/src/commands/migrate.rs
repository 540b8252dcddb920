use waybill_clickhouse::Database;

use crate::config::Config;
use crate::exit::Failure;

/// Bring ClickHouse's tables, views and roles up to date, and how long rows are kept
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example: waybill migrate\n\nIdempotent: what was applied is recorded in the table `migrations`.
How long rows are kept is clickhouse.retention, and can be changed at any time.
Roles are made where the user may (access management); docs/operations.md, \"Who may do what in ClickHouse\"."
)]
pub struct Args {}

pub fn run(config: &Config, _: &Args) -> Result<(), Failure> {
    let database =
        Database::open(config.clickhouse()?).map_err(|f| Failure::config(f.to_string()))?;
    let applied = database.migrate().map_err(|f| Failure::unreachable(f.to_string()))?;
    let kept = database.set_retention().map_err(|f| Failure::unreachable(f.to_string()))?;
    let roles = database.make_roles().map_err(|f| Failure::unreachable(f.to_string()))?;
    for migration in &applied {
        println!("migrate: applied {}", migration.name);
    }
    for ttl in &kept {
        println!("migrate: set {ttl}");
    }
    for role in &roles.made {
        println!("migrate: made role {role}");
    }
    for why in &roles.lacking {
        println!("migrate: no role: {why}");
    }
    if applied.is_empty() && kept.is_empty() && roles.made.is_empty() {
        println!("migrate: {} is up to date", config.clickhouse.database);
    }
    Ok(())
}
