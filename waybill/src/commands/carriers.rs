use std::path::{Path, PathBuf};

use clap::{Args as ClapArgs, Subcommand};
use jiff::Timestamp;
use waybill_decrypt::{Action, ApiKey, Carrier, Delay, RegisteredKey, Restriction, Scope, Status};
use waybill_sealing::jws::Algorithm;
use waybill_sealing::signing_key::{PrivateSigningKey, PublicSigningKey};
use waybill_webhooks::PlatformSecret;

use crate::commands::carriers_webhook;
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
  waybill carriers invite acme-line --to acme-line --endpoint https://events.example.org
  waybill carriers suspend acme-line
  waybill carriers key new acme-line --scopes read --expires-in 90d
  waybill carriers allow acme-line --plain application/EDIFACT --certificate 'CN=edi, O=Acme Line'
  waybill carriers webhook add acme-line --url https://edi.acme.example/waybill --rejects --milestones arrived,gate_out
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
    /// Make a folder to hand over: keys, an example and the steps with which a carrier's first event is published
    Invite(crate::commands::invite::Args),
    /// Make an empty file, unless there is one: no processor starts without; and the gateway's signing key, if
    /// gateway.signing_key_file is set, and what webhooks' secrets come from, if webhooks.master_key_file is
    Init,
    /// Show every carrier, and how late its events may come
    List,
    /// API keys of a carrier, for the gateway
    Key {
        #[command(subcommand)]
        command: KeyCommand,
    },
    /// Endpoints of a carrier that are told of its rejects and milestones
    Webhook {
        #[command(subcommand)]
        command: carriers_webhook::Command,
    },
    /// Say what a carrier may do at the gateway
    Allow(Allow),
    /// Take no events of a carrier, or of one type, for the time being; what is diverted can be redriven
    Restrict(Restrict),
    /// Reject everything of a carrier from now on
    Suspend {
        id: String,
        /// Take a suspended carrier in again
        #[arg(long)]
        undo: bool,
    },
}

#[derive(Debug, Subcommand)]
enum KeyCommand {
    /// Make a key, and show it once: only its hash is kept
    New {
        id: String,
        /// What its holder may do
        #[arg(long, value_delimiter = ',', default_values = ["publish", "read"])]
        scopes: Vec<Scope>,
        /// For how long it counts, such as 90d [default: for ever]
        #[arg(long, value_name = "TIME")]
        expires_in: Option<humantime::Duration>,
    },
    /// Take a key back
    Revoke {
        id: String,
        /// The key's id: one in 64 begins with a hyphen
        #[arg(allow_hyphen_values = true)]
        key: String,
    },
    /// Show a carrier's keys
    List { id: String },
}

#[derive(Debug, ClapArgs)]
struct Restrict {
    id: String,
    /// Only payloads of this type
    #[arg(long, value_name = "TYPE")]
    media_type: Option<String>,
    /// reject: the gateway does not take it in. divert: it does, and the event waits among the rejects
    #[arg(long, default_value = "divert", conflicts_with = "lift")]
    action: Action,
    /// Why: the carrier is told
    #[arg(long, required_unless_present = "lift", conflicts_with = "lift")]
    why: Option<String>,
    /// For how long, such as 2h [default: until it is lifted]
    #[arg(long = "for", value_name = "TIME", conflicts_with = "lift")]
    time: Option<humantime::Duration>,
    /// Who restricts it [default: the user that runs this]
    #[arg(long, value_name = "NAME", env = "USER", default_value = "unknown")]
    by: String,
    /// Take the restriction back
    #[arg(long)]
    lift: bool,
}

#[derive(Debug, ClapArgs)]
struct Allow {
    id: String,
    /// The gateway may seal plain payloads of this type in the carrier's name; needs gateway.signing_key_file
    #[arg(long, value_name = "TYPE")]
    plain: Vec<String>,
    /// Who has a certificate of this subject is the carrier, such as 'CN=edi, O=Acme Line'
    #[arg(long, value_name = "SUBJECT")]
    certificate: Vec<String>,
    /// Take back what was allowed before, first
    #[arg(long)]
    anew: bool,
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
        Command::Invite(args) => crate::commands::invite::run(config, &args)?,
        Command::Init => {
            match file.init()? {
                true => println!("carriers: {} is made, and empty", config.carriers.file.display()),
                false => println!("carriers: {} is there", config.carriers.file.display()),
            }
            if let Some(path) = config.gateway.signing_key_file.as_ref().filter(|p| !p.exists()) {
                make_key(path)?;
                println!("carriers: {} is made, the gateway's signing key", path.display());
            }
            if let Some(path) = config.webhooks.master_key_file.as_ref().filter(|p| !p.exists()) {
                let failure = |why: String| Failure::config(format!("{}: {why}", path.display()));
                let secret = PlatformSecret::generate().map_err(failure)?;
                write_private(path, secret.to_text().as_bytes())
                    .map_err(|e| failure(e.to_string()))?;
                println!("carriers: {} is made, what webhooks' secrets come from", path.display());
            }
        }
        Command::List => {
            for c in file.load()?.iter() {
                let (status, keys) = (c.status.to_string(), c.keys().len());
                let (id, delay) = (c.id(), c.max_delivery_delay.to_string());
                let topics = c.topics().join(" ");
                println!("{id:<20} {status:<9} {keys} keys  {delay:<5} {} {topics}", c.name);
                for Restriction { media_type, action, by, why, until } in &c.restrictions {
                    let what = media_type.as_deref().unwrap_or("everything");
                    let until = until.map_or("it is lifted".to_owned(), |at| format!("{at:.0}"));
                    println!("  restricted: {what}: {action} until {until}, by {by}: {why}");
                }
            }
        }
        Command::Key { command } => key(&file, command)?,
        Command::Webhook { command } => carriers_webhook::run(config, &file, command)?,
        Command::Restrict(args) => restrict(&file, args)?,
        Command::Allow(allow) => self::allow(config, &file, &allow)?,
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

/// Changes one carrier.
pub fn of<T>(
    file: &RegistryFile,
    id: &str,
    change: impl FnOnce(&mut Carrier) -> Result<T, Failure>,
) -> Result<T, Failure> {
    file.change(|carriers| match carriers.get_mut(id) {
        Some(carrier) => change(carrier),
        None => Err(Failure::config(format!("no carrier {id:?}"))),
    })
}

fn key(file: &RegistryFile, command: KeyCommand) -> Result<(), Failure> {
    match command {
        KeyCommand::New { id, scopes, expires_in } => {
            let now = Timestamp::now();
            let expires = expires_in.map(|after| now.checked_add(*after)).transpose();
            let expires = expires.map_err(|e| Failure::config(format!("--expires-in: {e}")))?;
            let made = ApiKey::generate(scopes, now, expires)
                .map_err(|e| Failure::failed(e.to_string()))?;
            let name = made.key.id.clone();
            of(file, &id, |carrier| {
                carrier.access.api_keys.push(made.key);
                Ok(())
            })?;
            eprintln!("carriers: {id} has the API key {name}; it is shown this once:");
            println!("{}", made.text);
        }
        KeyCommand::Revoke { id, key } => {
            of(file, &id, |carrier| {
                let keys = &mut carrier.access.api_keys;
                let before = keys.len();
                keys.retain(|known| known.id != key);
                match keys.len() < before {
                    true => Ok(()),
                    false => Err(Failure::config(format!("{id} has no API key {key:?}"))),
                }
            })?;
            println!("carriers: the API key {key} of {id} is taken back");
        }
        KeyCommand::List { id } => {
            let carriers = file.load()?;
            let carrier = carriers.get(&id);
            let carrier = carrier.ok_or_else(|| Failure::config(format!("no carrier {id:?}")))?;
            for key in &carrier.access.api_keys {
                let scopes: Vec<String> = key.scopes.iter().map(Scope::to_string).collect();
                let until =
                    key.expires.map_or("for ever".to_owned(), |at| format!("until {at:.0}"));
                println!("{}  {:<13} since {:.0}  {until}", key.id, scopes.join(","), key.created);
            }
        }
    }
    Ok(())
}

fn restrict(file: &RegistryFile, args: Restrict) -> Result<(), Failure> {
    let until = args.time.map(|time| Timestamp::now().checked_add(*time)).transpose();
    let until = until.map_err(|e| Failure::config(format!("--for: {e}")))?;
    let Restrict { id, media_type, action, why, by, .. } = args;
    let is_lifted = why.is_none();
    let lifted = of(file, &id, |carrier| {
        let before = carrier.restrictions.len();
        carrier.restrictions.retain(|one| one.media_type != media_type);
        let lifted = before - carrier.restrictions.len();
        if let Some(why) = why {
            carrier.restrictions.push(Restriction { media_type, action, by, why, until });
        }
        Ok(lifted)
    })?;
    if !is_lifted {
        let until = until.map_or("until it is lifted".to_owned(), |at| format!("until {at:.0}"));
        println!("carriers: {id} is restricted {until}");
    } else if lifted == 0 {
        return Err(Failure::config(format!("{id} is not restricted so")));
    } else {
        println!(
            "carriers: {id} is not restricted so any more; `waybill rejects redrive` takes in what was"
        );
    }
    Ok(())
}

fn allow(config: &Config, file: &RegistryFile, allow: &Allow) -> Result<(), Failure> {
    let gateway_key = match (&config.gateway.signing_key_file, allow.plain.is_empty()) {
        (_, true) => None,
        (Some(path), false) if path.exists() => {
            Some(crate::commands::publish::signing_key(path)?.public().clone())
        }
        (Some(path), false) => Some(make_key(path)?),
        (None, false) => {
            return Err(Failure::config(
                "gateway.signing_key_file: must be set, for the gateway seals what comes plain",
            ));
        }
    };
    config.validate.connect()?;
    for media_type in &allow.plain {
        waybill_formats::find(media_type).map_err(|reject| {
            Failure::config(format!("--plain {media_type:?}: {}", reject.detail))
        })?;
    }
    of(file, &allow.id, |carrier| {
        if allow.anew {
            carrier.access.plain.clear();
            carrier.access.certificates.clear();
        }
        let add = |to: &mut Vec<String>, more: &[String]| {
            to.extend(more.iter().cloned());
            to.sort();
            to.dedup();
        };
        add(&mut carrier.access.plain, &allow.plain);
        add(&mut carrier.access.certificates, &allow.certificate);
        let is_new = |key: &PublicSigningKey| !carrier.keys().iter().any(|k| k.key == *key);
        match gateway_key.filter(is_new) {
            Some(key) => {
                carrier.add_key(RegisteredKey::new(key)).map_err(|e| Failure::config(e.to_string()))
            }
            None => Ok(()),
        }
    })?;
    println!("carriers: {} may do so at the gateway", allow.id);
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

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(subcommand)]
        command: KeyCommand,
    }

    #[test]
    fn a_key_that_begins_with_a_hyphen_is_taken_back_as_any() {
        for id in ["-WtphthnI55-", "--tphthnI55_", "WtphthnI55-a"] {
            let line = Line::try_parse_from(["key", "revoke", "acme-line", id]).unwrap();
            assert!(matches!(line.command, KeyCommand::Revoke { key, .. } if key == id));
        }
    }
}
