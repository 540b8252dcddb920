mod delivery;
mod messages;
mod way;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use waybill_publisher::{Limits, Spool, SpoolError};
use waybill_sealing::rsa_key::{JwkSet, RsaPublicKey};
use waybill_sealing::signing_key::PrivateSigningKey;

use crate::config::Config;
use crate::exit::Failure;
use crate::signals;
use delivery::{Delivery, MEMORY_BYTES};
use messages::Messages;

/// Seal files as a carrier does, and publish them; each file is one message
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  waybill publish --carrier acme-line --signing-key acme.pem --jwks platform.jwks \\
    --media-type 'application/vnd.dcsa.tnt+json;version=2.2' --shipment MSKU1234565 events/*.json
  waybill publish --to https://events.example.org --spool spool …
  waybill publish --to https://events.example.org --spool spool     # what lies there, once more

- reads one message from standard input.")]
pub struct Args {
    /// `kafka`, or a gateway's URL
    #[arg(long, default_value = "kafka", value_name = "WAY")]
    to: String,
    /// Messages are on the disk here before they count as taken, and are sent until they have an answer
    #[arg(long, value_name = "FOLDER")]
    spool: Option<PathBuf>,
    /// It refuses more than that
    #[arg(long, default_value_t = 1 << 30, value_name = "BYTES", requires = "spool")]
    spool_bytes: u64,
    /// Of a gateway: the carrier's API key
    #[arg(long, value_name = "FILE")]
    api_key_file: Option<PathBuf>,
    /// Of a gateway: the authorities that are trusted, in place of the public ones (PEM)
    #[arg(long, value_name = "FILE")]
    ca_file: Option<PathBuf>,
    /// For a gateway: the carrier's own certificate (PEM)
    #[arg(long, value_name = "FILE", requires = "client_key")]
    client_certificate: Option<PathBuf>,
    /// Its private key (PEM)
    #[arg(long, value_name = "FILE", requires = "client_certificate")]
    client_key: Option<PathBuf>,
    /// The carrier's id, as registered
    #[arg(long, value_name = "ID")]
    carrier: Option<String>,
    /// Its private signing key: PKCS#8 PEM or JWK
    #[arg(long, value_name = "FILE")]
    signing_key: Option<PathBuf>,
    /// The platform's JWK Set (`waybill keys export`)
    #[arg(long, value_name = "FILE")]
    jwks: Option<PathBuf>,
    /// What the files are, such as application/vnd.dcsa.tnt+json;version=2.2
    #[arg(long, value_name = "TYPE")]
    media_type: Option<String>,
    /// The deployment that they are for [default: the configuration's]
    #[arg(long, value_name = "NAME")]
    audience: Option<String>,
    /// The shipment handle, the same for every file [default: each file's name]
    #[arg(long, value_name = "HANDLE")]
    shipment: Option<String>,
    #[arg(long, default_value = "granted", value_parser = ["granted", "signed"])]
    proof: String,
    /// On Kafka: to this one of the topics that topics.sealed names [default: the first]
    #[arg(long, value_name = "NAME")]
    topic: Option<String>,
    #[arg(
        required_unless_present = "spool",
        requires_all = ["carrier", "signing_key", "jwks", "media_type"],
        value_name = "FILE"
    )]
    files: Vec<PathBuf>,
}

pub fn run(config: &Config, args: &Args) -> Result<(), Failure> {
    let mut messages = Messages::of(config, args)?;
    let transport = way::transport(config, args)?;
    let spool = Arc::new(spool(args)?);
    let (on_stop, held) = (spool.clone(), spool.held().events);
    let delivery =
        Delivery::start(spool.clone(), transport, way::refused(args), args.spool.as_deref())?;
    let stopped = delivery.stopped();
    signals::on_stop(move || {
        stopped.store(true, Ordering::Relaxed);
        on_stop.stop();
    })?;
    delivery.expect(held + args.files.len() as u64);
    let taken = take(&spool, &mut messages, &delivery, args.spool.is_some());
    spool.finish();
    delivery.end(taken)
}

fn spool(args: &Args) -> Result<Spool, Failure> {
    let spool = match &args.spool {
        Some(folder) => {
            Spool::open(folder, Limits { bytes: args.spool_bytes, ..Limits::default() })
        }
        None => Spool::in_memory(Limits { bytes: MEMORY_BYTES, ..Limits::default() }),
    };
    spool.map_err(|e| Failure::failed(e.to_string()))
}

/// Puts every file into the spool. One on disk that is full refuses; one in memory has room again soon.
fn take(
    spool: &Spool,
    messages: &mut Messages,
    delivery: &Delivery,
    is_on_disk: bool,
) -> Result<(), Failure> {
    let mut taken = 0;
    while let Some(some) = messages.next_some()? {
        let mut parts = vec![&some[..]];
        while let Some(part) = parts.pop() {
            match spool.take(part) {
                Ok(()) => taken += part.len(),
                Err(SpoolError::Full { .. }) if !is_on_disk => {
                    if delivery.has_ended() {
                        return Ok(());
                    }
                    spool.wait_for_room(Duration::from_millis(100));
                    parts.push(part);
                }
                // As many as there is room for.
                Err(SpoolError::Full { .. } | SpoolError::NeverFits { .. }) if part.len() > 1 => {
                    parts.extend(part.chunks(1).rev());
                }
                Err(error) => {
                    let file = part.first().map(|(file, _)| file.as_str()).unwrap_or_default();
                    let why = format!(
                        "{error} ({taken} messages were taken; {file} and those behind it were not)"
                    );
                    delivery.warn(&why);
                    return Err(Failure::failed(why));
                }
            }
        }
    }
    if is_on_disk && taken > 0 {
        delivery.say(&format!("publish: {taken} messages taken"));
    }
    Ok(())
}

/// Where to publish.
pub fn topic(config: &Config, asked: Option<&str>) -> Result<String, Failure> {
    let topics = config.topics()?;
    let sealed = topics.sealed();
    match asked.or(sealed.first()) {
        Some(topic) if sealed.matches(topic) => Ok(topic.to_owned()),
        Some(topic) => {
            Err(Failure::config(format!("nobody reads topic {topic}: topics.sealed is {sealed}")))
        }
        None => Err(Failure::config(format!(
            "topics.sealed ({sealed}) names no topic: say which with --topic"
        ))),
    }
}

/// A carrier's private key, PEM or JWK.
pub fn signing_key(path: &Path) -> Result<PrivateSigningKey, Failure> {
    let failure = |why: String| Failure::config(format!("{}: {why}", path.display()));
    let text = std::fs::read_to_string(path).map_err(|e| failure(e.to_string()))?;
    let key = if text.trim_start().starts_with('{') {
        PrivateSigningKey::from_jwk(text.as_bytes())
    } else {
        PrivateSigningKey::from_pem(&text, None)
    };
    key.map_err(|e| failure(e.to_string()))
}

/// The key to seal for: the first of the set, which is the newest.
pub fn platform_key(path: &Path) -> Result<RsaPublicKey, Failure> {
    let failure = |why: String| Failure::config(format!("{}: {why}", path.display()));
    let bytes = std::fs::read(path).map_err(|e| failure(e.to_string()))?;
    let set = JwkSet::parse(&bytes).map_err(|e| failure(e.to_string()))?;
    set.keys.into_iter().next().ok_or_else(|| failure("no key in the set".to_owned()))
}
