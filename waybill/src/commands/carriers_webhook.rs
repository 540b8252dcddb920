//! Where a carrier wants to be told, and the secret that it is shown.

use clap::Subcommand;
use jiff::Timestamp;
use waybill_decrypt::{MOST_WEBHOOKS, Webhook};
use waybill_schemas::vocabulary::Milestone;
use waybill_webhooks::Target;

use crate::commands::carriers::of;
use crate::config::Config;
use crate::exit::Failure;
use crate::registry_file::RegistryFile;

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Register an endpoint, and show its secret once
    Add {
        /// The carrier
        id: String,
        /// https, to a public host
        #[arg(long)]
        url: String,
        /// Tell it of rejects
        #[arg(long)]
        rejects: bool,
        /// Tell it of these milestones of its shipments when they have happened, such as arrived,gate_out
        #[arg(
            long,
            value_delimiter = ',',
            value_name = "MILESTONE",
            required_unless_present = "rejects"
        )]
        milestones: Vec<Milestone>,
    },
    /// Make a new secret, and show it once; the one before signs beside it for a while
    Rotate {
        /// The carrier
        id: String,
        endpoint: String,
        /// For how long the secret before signs too; 0s if it is known to others
        #[arg(long, default_value = "24h", value_name = "TIME")]
        keep: humantime::Duration,
    },
    /// Tell the endpoint nothing more
    Remove {
        /// The carrier
        id: String,
        endpoint: String,
    },
    /// Show a carrier's endpoints
    List {
        /// The carrier
        id: String,
    },
}

pub fn run(config: &Config, file: &RegistryFile, command: Command) -> Result<(), Failure> {
    match command {
        Command::Add { id, url, rejects, mut milestones } => {
            Target::parse(&url, &config.webhooks.allowed()?)
                .map_err(|why| Failure::config(format!("--url: {why}")))?;
            let secret = config.webhooks.secret()?;
            milestones.sort();
            milestones.dedup();
            let made =
                Webhook::new(url, Timestamp::now()).map_err(|e| Failure::failed(e.to_string()))?;
            let webhook = Webhook { rejects, milestones, ..made };
            let (endpoint, version) = (webhook.id.clone(), webhook.secret.version);
            of(file, &id, |carrier| {
                if carrier.webhooks.len() >= MOST_WEBHOOKS {
                    return Err(Failure::config(format!(
                        "{id} has {MOST_WEBHOOKS} endpoints: remove one first"
                    )));
                }
                carrier.webhooks.push(webhook);
                Ok(())
            })?;
            eprintln!("carriers: {id} has the endpoint {endpoint}; its secret is shown this once:");
            println!("{endpoint} {}", *secret.of(&endpoint, version).to_text());
        }
        Command::Rotate { id, endpoint, keep } => {
            let until = Timestamp::now()
                .checked_add(*keep)
                .map_err(|e| Failure::config(format!("--keep: {e}")))?;
            let secret = config.webhooks.secret()?;
            let version = of(file, &id, |carrier| {
                let found = carrier.webhooks.iter_mut().find(|known| known.id == endpoint);
                let webhook = found.ok_or_else(|| unknown(&id, &endpoint))?;
                webhook.secret = webhook.secret.next(until);
                Ok(webhook.secret.version)
            })?;
            eprintln!(
                "carriers: the endpoint {endpoint} of {id} has a new secret; it is shown this once:"
            );
            println!("{endpoint} {}", *secret.of(&endpoint, version).to_text());
        }
        Command::Remove { id, endpoint } => {
            of(file, &id, |carrier| {
                let before = carrier.webhooks.len();
                carrier.webhooks.retain(|known| known.id != endpoint);
                match carrier.webhooks.len() < before {
                    true => Ok(()),
                    false => Err(unknown(&id, &endpoint)),
                }
            })?;
            println!("carriers: the endpoint {endpoint} of {id} is told nothing more");
        }
        Command::List { id } => {
            let carriers = file.load()?;
            let carrier = carriers.get(&id);
            let carrier = carrier.ok_or_else(|| Failure::config(format!("no carrier {id:?}")))?;
            for webhook in &carrier.webhooks {
                let milestones = webhook.milestones.iter().map(|milestone| milestone.as_str());
                let what: Vec<&str> =
                    webhook.rejects.then_some("rejects").into_iter().chain(milestones).collect();
                let (endpoint, since) = (&webhook.id, webhook.created);
                println!("{endpoint}  since {since:.0}  {}  {}", webhook.url, what.join(","));
            }
        }
    }
    Ok(())
}

fn unknown(id: &str, endpoint: &str) -> Failure {
    Failure::config(format!("{id} has no endpoint {endpoint:?}"))
}
