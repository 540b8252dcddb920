use std::path::PathBuf;
use std::time::Duration;

use clap::{Args as ClapArgs, Subcommand};
use jiff::{SignedDuration, Timestamp};
use waybill_clickhouse::{Database, KeyUse};

use crate::config::Config;
use crate::exit::Failure;
use crate::keyring::{Index, Keyring, SHOWN_AFTER_SECONDS, check_retired};
use crate::needed::Needed;
use crate::secret::Secret;
use crate::work::Work;

/// Platform keys, which carriers' content keys are wrapped for, and the keys of the internal topics
#[derive(Debug, ClapArgs)]
#[command(after_help = "\
Examples:
  waybill keys new                      a new platform key; processors take it up by themselves
  waybill keys export > platform.jwks   the JWK Set for carriers
  waybill keys retire platform-2026-11-24
  waybill keys rotate-internal          a new key for the internal topics
  waybill keys wrap                     encrypt what lies plain in the folder
  waybill keys destroy platform-2026-11-24 --dry-run
  waybill keys grant validate --out keys-validate
                                        a folder with what validate needs, and nothing else")]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Make an RSA key, in the PKCS#11 token if one is set, and the internal key if there is none
    New {
        /// Its name [default: platform-DATE]
        #[arg(long)]
        kid: Option<String>,
        #[arg(long, default_value_t = 3072, value_parser = clap::value_parser!(u32).range(2048..=4096))]
        bits: u32,
    },
    /// Show every key with its state, and the carriers that still seal for it
    List {
        /// Count what was opened since then: a time (RFC 3339) or how long ago (24h, 7d)
        #[arg(long, value_name = "TIME", default_value = "7d", value_parser = crate::since::parse)]
        since: i64,
    },
    /// Take a key one step further: active, retiring (still opens, no longer shown), retired
    Retire {
        kid: String,
        /// Retire it at once: what is sealed for it is rejected from now on
        #[arg(long)]
        now: bool,
    },
    /// Print the JWK Set (RFC 7517) of the keys that carriers may use
    Export,
    /// Make a new internal key: every process opens with it at once, and seals with it a while later
    RotateInternal {
        /// Nobody seals with it before: by then every process must have it
        #[arg(long, value_name = "DURATION", default_value = "60s", value_parser = after)]
        after: SignedDuration,
    },
    /// Encrypt under the passphrase what lies plain in the key folder
    Wrap,
    /// Write a key folder for one process: only the keys of the topics that it reads and writes, and platform
    /// keys for decrypt alone. Once more after each change of keys
    Grant {
        /// As for `waybill run`
        #[arg(value_name = "STAGE[,STAGE…]", value_parser = Work::named)]
        stages: String,
        /// The folder: that of the process, as its keys.folder
        #[arg(long, value_name = "FOLDER")]
        out: PathBuf,
        /// Encrypt it under that passphrase [default: the one of the key folder]
        #[arg(long, value_name = "FILE")]
        passphrase_file: Option<PathBuf>,
        /// With the internal key itself: while what builds before version 2 sealed is still to be read
        #[arg(long)]
        version_1: bool,
    },
    /// Destroy a retired key, after saying what can be opened by nobody then
    Destroy {
        kid: String,
        /// Do not ask
        #[arg(long)]
        yes: bool,
        /// Say what it would be, and destroy nothing: for a key in any state
        #[arg(long)]
        dry_run: bool,
    },
}

/// The ledger is asked for so long: the keys are shown without it, too.
const PATIENCE: Duration = Duration::from_secs(3);

/// Processes look for new keys once a second.
const LEAST_AFTER: SignedDuration = SignedDuration::from_secs(5);

fn after(text: &str) -> Result<SignedDuration, String> {
    let after = humantime::parse_duration(text).map_err(|e| e.to_string())?;
    let after = SignedDuration::try_from(after).map_err(|e| e.to_string())?;
    if after < LEAST_AFTER {
        return Err("at least 5s: processes look for new keys once a second".to_owned());
    }
    Ok(after)
}

pub fn run(config: &Config, args: Args) -> Result<(), Failure> {
    let ring = config.keyring_and_token()?;
    match args.command {
        Command::New { kid, bits } => {
            let entry = ring.create(kid, bits as usize, Timestamp::now())?;
            println!(
                "keys: {} is made; `waybill keys export` shows it to carriers {} s from now",
                entry.kid, SHOWN_AFTER_SECONDS
            );
        }
        Command::List { since } => list(&ring.index()?, &used(config, since)),
        Command::Retire { kid, now } => {
            let state = ring.retire(&kid, now, Timestamp::now())?;
            println!("keys: {kid} is {state} now");
        }
        Command::Export => export(&ring)?,
        Command::RotateInternal { after } => {
            let entry = ring.rotate_internal(after, Timestamp::now())?;
            println!(
                "keys: {} is made; processes take it up by themselves, and seal with it from {:.0} on",
                entry.kid, entry.seals_from
            );
        }
        Command::Wrap => match ring.wrap()?.as_slice() {
            [] => println!("keys: nothing lies plain"),
            wrapped => println!("keys: encrypted under the passphrase: {}", wrapped.join(", ")),
        },
        Command::Destroy { kid, yes, dry_run } => destroy(config, &ring, &kid, yes, dry_run)?,
        Command::Grant { stages, out, passphrase_file, version_1 } => {
            let work = Work::parse(&stages).map_err(Failure::config)?;
            let passphrase = Secret::of("passphrase", &None, &passphrase_file)?;
            ring.grant(&stages, work, version_1, &out, passphrase)?;
            println!("keys: {} holds what {stages} needs", out.display());
        }
    }
    Ok(())
}

fn destroy(
    config: &Config,
    ring: &Keyring,
    kid: &str,
    yes: bool,
    dry_run: bool,
) -> Result<(), Failure> {
    let (named, state) = ring.named(kid)?;
    if !dry_run {
        check_retired(kid, state)?;
    }
    print!("{}", Needed::find(config, kid, &named)?);
    if dry_run {
        return Ok(());
    }
    if !yes {
        println!("Nothing brings it back. Write its name to destroy it:");
        let mut answer = String::new();
        let read = std::io::stdin().read_line(&mut answer);
        if read.is_err() || answer.trim() != kid {
            return Err(Failure::failed(format!("{kid} is not destroyed")));
        }
    }
    ring.destroy(kid)?;
    println!(
        "keys: {kid} is destroyed here; grants have it until they are granted anew, and backups for good"
    );
    Ok(())
}

fn export(ring: &Keyring) -> Result<(), Failure> {
    let set = ring.shown(Timestamp::now())?;
    println!("{}", set.to_json().map_err(|e| Failure::config(e.to_string()))?);
    Ok(())
}

/// Who seals for which platform key, by the ledger; or why that is not known.
fn used(config: &Config, since_ms: i64) -> Result<Vec<KeyUse>, String> {
    let clickhouse = config.clickhouse().map_err(|failure| failure.message)?;
    let clickhouse = waybill_clickhouse::Config { request_timeout: PATIENCE, ..clickhouse };
    let database = Database::open(clickhouse).map_err(|fault| fault.to_string())?;
    database.key_use(since_ms).map_err(|fault| fault.to_string())
}

fn list(index: &Index, used: &Result<Vec<KeyUse>, String>) {
    if let Some(stages) = &index.granted {
        println!("granted to {stages}");
    }
    for e in &index.keys {
        let place = if e.token.is_some() { ", in a PKCS#11 token" } else { "" };
        println!("{:<32} {:<9} {:.0}  opens events{place}", e.kid, e.state.to_string(), e.created);
        for one in used.iter().flatten().filter(|one| one.kid == e.kid) {
            println!(
                "    {:<28} {} records, the last at {}",
                one.carrier_id, one.records, one.last
            );
        }
    }
    for e in &index.internal {
        let what = if e.is_whole() { "all internal topics" } else { "these internal topics" };
        let (state, from) = (e.state.to_string(), e.seals_from);
        println!("{:<32} {:<9} {:.0}  {what}, seals from {from:.0}", e.kid, state, e.created);
        // The log names keys so, where one is not held.
        let ids: Vec<_> = e.ids.iter().map(|(role, id)| format!("{role} {id}")).collect();
        println!("    {}", ids.join(", "));
    }
    if let Err(why) = used {
        eprintln!("keys: which carriers seal for which key is not known: {why}");
    }
}
