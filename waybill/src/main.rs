//! The one binary: every role is a subcommand.

mod acls;
mod audit;
mod commands;
mod config;
mod demo;
mod erasure;
mod exit;
mod http;
mod invitation;
mod keyring;
mod needed;
mod registry_file;
mod secret;
mod signals;
mod since;
mod telemetry;
mod watched;
mod work;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::config::Config;
use crate::exit::Failure;

/// Encrypted shipment events in, analytics in ClickHouse out.
#[derive(Debug, Parser)]
#[command(name = "waybill", version, about, after_help = exit::HELP, propagate_version = true)]
struct Cli {
    /// Configuration file [default: waybill.toml, if it is there]
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Run(commands::run::Args),
    Keys(commands::keys::Args),
    Carriers(commands::carriers::Args),
    Publish(commands::publish::Args),
    Simulate(commands::simulate::Args),
    Topics(commands::topics::Args),
    Migrate(commands::migrate::Args),
    Audit(commands::audit::Args),
    Rejects(commands::rejects::Args),
    Webhooks(commands::webhooks::Args),
    Formats(commands::formats::Args),
    State(commands::state::Args),
    Erase(commands::erase::Args),
    CheckConfig(commands::check_config::Args),
    Demo(commands::demo::Args),
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    telemetry::start();
    match dispatch(cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure { status, message }) => {
            eprintln!("waybill: {message}");
            ExitCode::from(status as u8)
        }
    }
}

fn dispatch(cli: Cli) -> Result<(), Failure> {
    let config = Config::load(cli.config.as_deref())?;
    match cli.command {
        Command::Run(args) => commands::run::run(&config, &args),
        Command::Keys(args) => commands::keys::run(&config, args),
        Command::Carriers(args) => commands::carriers::run(&config, args),
        Command::Publish(args) => commands::publish::run(&config, &args),
        Command::Simulate(args) => commands::simulate::run(&config, &args),
        Command::Topics(args) => commands::topics::run(&config, args),
        Command::Migrate(args) => commands::migrate::run(&config, &args),
        Command::Rejects(args) => commands::rejects::run(&config, &args),
        Command::Webhooks(args) => commands::webhooks::run(&config, &args),
        Command::Formats(args) => commands::formats::run(&config, &args),
        Command::State(args) => commands::state::run(&config, args),
        Command::Erase(args) => commands::erase::run(&config, &args),
        Command::Audit(args) => commands::audit::run(&config, &args),
        Command::CheckConfig(args) => commands::check_config::run(&config, &args),
        Command::Demo(args) => commands::demo::run(&config, cli.config.as_deref(), &args),
    }
}
