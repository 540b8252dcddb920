use clap::{Args as ClapArgs, Subcommand};
use jiff::Timestamp;

use crate::config::Config;
use crate::exit::Failure;
use crate::keyring::{Keyring, SHOWN_AFTER_SECONDS};

/// Platform keys: what carriers' content keys are wrapped for
#[derive(Debug, ClapArgs)]
#[command(after_help = "\
Examples:
  waybill keys new                      a new key; processors take it up by themselves
  waybill keys export > platform.jwks   the JWK Set for carriers
  waybill keys retire platform-2026-11-24")]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Make an RSA key, and the internal key if there is none
    New {
        /// Its name [default: platform-DATE]
        #[arg(long)]
        kid: Option<String>,
        #[arg(long, default_value_t = 3072, value_parser = clap::value_parser!(u32).range(2048..=4096))]
        bits: u32,
    },
    /// Show every key with its state
    List,
    /// Take a key one step further: active, retiring (still opens, no longer shown), retired
    Retire {
        kid: String,
        /// Retire it at once: what is sealed for it is rejected from now on
        #[arg(long)]
        now: bool,
    },
    /// Print the JWK Set (RFC 7517) of the keys that carriers may use
    Export,
}

pub fn run(config: &Config, args: Args) -> Result<(), Failure> {
    let ring = Keyring::new(&config.keys.folder, config.passphrase()?);
    match args.command {
        Command::New { kid, bits } => {
            let entry = ring.create(kid, bits as usize, Timestamp::now())?;
            println!(
                "keys: {} is made; `waybill keys export` shows it to carriers {} s from now",
                entry.kid, SHOWN_AFTER_SECONDS
            );
        }
        Command::List => {
            for e in ring.entries()? {
                println!("{:<32} {:<9} {}", e.kid, e.state.to_string(), e.created);
            }
        }
        Command::Retire { kid, now } => {
            let entry = ring.retire(&kid, now)?;
            println!("keys: {} is {} now", entry.kid, entry.state);
        }
        Command::Export => {
            let set = ring.shown(Timestamp::now())?.jwk_set();
            println!("{}", set.to_json().map_err(|e| Failure::config(e.to_string()))?);
        }
    }
    Ok(())
}
