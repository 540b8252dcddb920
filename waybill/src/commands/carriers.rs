use std::path::{Path, PathBuf};

use clap::{Args as ClapArgs, Subcommand};
use waybill_decrypt::{Delay, Status};
use waybill_sealing::jws::Algorithm;
use waybill_sealing::signing_key::{PrivateSigningKey, PublicSigningKey};

use crate::config::Config;
use crate::exit::Failure;
use crate::keyring::write_private;
use crate::registry_file::RegistryFile;

/// Carriers: who may publish, and with which signing keys
///
/// Running processors read the file again within a second of a change.
#[derive(Debug, ClapArgs)]
#[command(after_help = "\
Examples:
  waybill carriers add acme-line --name 'Acme Line' --key acme.pub.pem
  waybill carriers suspend acme-line
  waybill carriers list")]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Add a carrier, or another key to one
    Add {
        /// What its events name as their issuer
        id: String,
        #[arg(long, default_value = "")]
        name: String,
        /// Its public signing key: JWK, or SPKI PEM (Ed25519, P-256)
        #[arg(long, value_name = "FILE", required_unless_present = "new_key")]
        key: Option<PathBuf>,
        /// Make a key pair for it: the private key (PEM, mode 0600) goes to FILE
        #[arg(long, value_name = "FILE", conflicts_with = "key")]
        new_key: Option<PathBuf>,
        /// How long after sealing its events may arrive, such as 7d
        #[arg(long, value_name = "TIME")]
        max_delivery_delay: Option<Delay>,
        /// A sealed topic of its own: its events count there alone, and nobody else's do. May come several times
        #[arg(long, value_name = "NAME")]
        topic: Vec<String>,
    },
    /// Make an empty file, unless there is one: no processor starts without
    Init,
    /// Show every carrier, and how late its events may come
    List,
    /// Reject everything of a carrier from now on
    Suspend {
        id: String,
        /// Take a suspended carrier in again
        #[arg(long)]
        undo: bool,
    },
}

pub fn run(config: &Config, args: Args) -> Result<(), Failure> {
    let file = RegistryFile::new(&config.carriers.file);
    match args.command {
        Command::Add { id, name, key, new_key, max_delivery_delay, topic } => {
            let public = match (key, new_key) {
                (Some(path), _) => public_key(&path)?,
                (None, Some(path)) => make_key(&path)?,
                (None, None) => return Err(Failure::config("a key is needed")),
            };
            let kid = public.kid().to_owned();
            file.add_key(&id, if name.is_empty() { &id } else { &name }, public)?;
            if let Some(delay) = max_delivery_delay {
                file.change(|carriers| {
                    if let Some(carrier) = carriers.get_mut(&id) {
                        carrier.max_delivery_delay = delay;
                    }
                    Ok(())
                })?;
            }
            if !topic.is_empty() {
                file.change(|carriers| {
                    carriers.give_topics(&id, topic);
                    Ok(())
                })?;
            }
            println!("carriers: {id} has the key {kid}");
        }
        Command::Init => match file.init()? {
            true => println!("carriers: {} is made, and empty", config.carriers.file.display()),
            false => println!("carriers: {} is there", config.carriers.file.display()),
        },
        Command::List => {
            for c in file.load()?.iter() {
                let (status, keys) = (c.status.to_string(), c.keys().len());
                let (id, delay) = (c.id(), c.max_delivery_delay.to_string());
                let topics = c.topics().join(" ");
                println!("{id:<20} {status:<9} {keys} keys  {delay:<5} {} {topics}", c.name);
            }
        }
        Command::Suspend { id, undo } => {
            let status = if undo { Status::Active } else { Status::Suspended };
            file.change(|carriers| match carriers.get_mut(&id) {
                Some(carrier) => {
                    carrier.status = status;
                    Ok(())
                }
                None => Err(Failure::config(format!("no carrier {id:?}"))),
            })?;
            println!("carriers: {id} is {status}");
        }
    }
    Ok(())
}

fn public_key(path: &Path) -> Result<PublicSigningKey, Failure> {
    let failure = |why: String| Failure::config(format!("{}: {why}", path.display()));
    let text = std::fs::read_to_string(path).map_err(|e| failure(e.to_string()))?;
    let key = if text.trim_start().starts_with('{') {
        PublicSigningKey::from_jwk(text.as_bytes())
    } else {
        PublicSigningKey::from_pem(&text)
    };
    key.map_err(|e| failure(e.to_string()))
}

fn make_key(path: &Path) -> Result<PublicSigningKey, Failure> {
    let failure = |why: String| Failure::config(format!("{}: {why}", path.display()));
    if path.exists() {
        return Err(failure("is there already".to_owned()));
    }
    let key =
        PrivateSigningKey::generate(Algorithm::Ed25519).map_err(|e| failure(e.to_string()))?;
    let pem = key.to_pem(None).map_err(|e| failure(e.to_string()))?;
    write_private(path, pem.as_bytes()).map_err(|e| failure(e.to_string()))?;
    Ok(key.public().clone())
}
