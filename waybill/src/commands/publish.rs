use std::io::{IsTerminal, Read};
use std::path::{Path, PathBuf};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use jiff::Timestamp;
use waybill_publisher::Publisher;
use waybill_runtime::{Acls, Operation, look_at_rights};
use waybill_sealing::rsa_key::{JwkSet, RsaPublicKey};
use waybill_sealing::seal::{MAX_CONTENT_KEY_LIFE_MS, Message, Proof, Sealer, SealerConfig};
use waybill_sealing::signing_key::PrivateSigningKey;

use crate::config::Config;
use crate::exit::Failure;

/// Seal files as a carrier does, and produce them; each file is one message
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Example:
  waybill publish --carrier acme-line --signing-key acme.pem --jwks platform.jwks \\
    --media-type 'application/vnd.dcsa.tnt+json;version=2.2' --shipment MSKU1234565 events/*.json

- reads one message from standard input.")]
pub struct Args {
    /// The carrier's id, as registered
    #[arg(long)]
    carrier: String,
    /// Its private signing key: PKCS#8 PEM or JWK
    #[arg(long, value_name = "FILE")]
    signing_key: PathBuf,
    /// The platform's JWK Set (`waybill keys export`)
    #[arg(long, value_name = "FILE")]
    jwks: PathBuf,
    /// What the files are, such as application/vnd.dcsa.tnt+json;version=2.2
    #[arg(long, value_name = "TYPE")]
    media_type: String,
    /// The shipment handle, the same for every file [default: each file's name]
    #[arg(long, value_name = "HANDLE")]
    shipment: Option<String>,
    #[arg(long, default_value = "granted", value_parser = ["granted", "signed"])]
    proof: String,
    /// To this one of the topics that topics.sealed names [default: the first]
    #[arg(long, value_name = "NAME")]
    topic: Option<String>,
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
}

pub fn run(config: &Config, args: &Args) -> Result<(), Failure> {
    let mut sealer = Sealer::new(SealerConfig {
        issuer: args.carrier.clone(),
        audience: config.deployment.clone(),
        platform_key: platform_key(&args.jwks)?,
        signing_key: signing_key(&args.signing_key)?.into(),
        proof: args.proof.parse().unwrap_or(Proof::Granted),
        content_key_life_ms: MAX_CONTENT_KEY_LIFE_MS,
    })
    .map_err(|e| Failure::config(e.to_string()))?;
    let connection = config.connection()?;
    let topic = topic(config, args.topic.as_deref())?;
    let mut publisher =
        Publisher::new(&connection.0, &topic).map_err(|e| Failure::unreachable(e.to_string()))?;

    let bar = progress(args.files.len() as u64);
    let run = Timestamp::now().as_millisecond();
    for (n, file) in (1..).zip(&args.files) {
        let payload = read(file)?;
        let subject = match &args.shipment {
            Some(handle) => handle.clone(),
            None => file.file_name().unwrap_or_default().to_string_lossy().into_owned(),
        };
        let message_id = format!("{run}-{}-{n}", std::process::id());
        let message = Message {
            subject: &subject,
            message_id: &message_id,
            media_type: &args.media_type,
            payload: &payload,
        };
        let sealed = sealer
            .seal(Timestamp::now().as_millisecond(), &message)
            .map_err(|e| Failure::failed(format!("{}: {e}", file.display())))?;
        publisher
            .send(Some(subject.as_bytes()), Some(sealed.as_bytes()))
            .map_err(|e| Failure::unreachable(explained(config, &topic, e.to_string())))?;
    }
    let confirmed = publisher
        .finish(|done| bar.set_position(done))
        .map_err(|e| Failure::unreachable(explained(config, &topic, e.to_string())))?;
    bar.finish_and_clear();
    println!("publish: {confirmed} of {} messages confirmed by the broker", args.files.len());
    Ok(())
}

/// With the right that is missing, if that is why: asked for only then, since most do have it.
fn explained(config: &Config, topic: &str, why: String) -> String {
    let missing = || {
        let topics = config.topics().ok()?;
        let right = Acls::new(&topics).on_topic(topic, &[Operation::Write]).into_list();
        look_at_rights(&config.connection().ok()?, &right).ok()?
    };
    missing().map_or(why.clone(), |missing| format!("{why}: {missing}"))
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

fn progress(total: u64) -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("  {bar:40} {pos}/{len} confirmed  {per_sec}");
    let bar =
        ProgressBar::new(total).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    bar.enable_steady_tick(Duration::from_millis(100));
    bar
}

fn read(file: &Path) -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    let done = if file == Path::new("-") {
        std::io::stdin().read_to_end(&mut bytes).map(|_| ())
    } else {
        std::fs::read(file).map(|read| bytes = read)
    };
    done.map_err(|e| Failure::failed(format!("{}: {e}", file.display())))?;
    if bytes.is_empty() {
        return Err(Failure::failed(format!("{}: is empty", file.display())));
    }
    Ok(bytes)
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
