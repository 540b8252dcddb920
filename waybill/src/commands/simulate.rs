use std::collections::HashMap;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use indicatif::ProgressBar;
use jiff::Timestamp;
use waybill_publisher::Publisher;
use waybill_sealing::jws::Algorithm;
use waybill_sealing::rsa_key::RsaPublicKey;
use waybill_sealing::seal::{MAX_CONTENT_KEY_LIFE_MS, Message, Proof, Sealer, SealerConfig};
use waybill_sealing::signing_key::PrivateSigningKey;
use waybill_simulator::{Again, Bad, Kind, Simulation, Truth};

use crate::commands::publish::{platform_key, signing_key, topic};
use crate::config::Config;
use crate::exit::Failure;
use crate::keyring::write_private;
use crate::registry_file::RegistryFile;

/// Publish as several carriers would: containers along real ports, as DCSA Track & Trace 2.2
///
/// Deterministic from the seed and the start. Some messages come twice, some are bad in one of
/// fifteen ways, and the truth file says what must become of them all.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Example:
  waybill simulate --signing-keys carriers --register --rate 5000 --seconds 60 --seed 7")]
pub struct Args {
    /// Folder of the carriers' private keys, CARRIER.pem; missing ones are made
    #[arg(long, value_name = "FOLDER", default_value = "simulated-carriers")]
    signing_keys: PathBuf,
    /// Add the carriers to the carriers file, and wait until processors have read it
    #[arg(long)]
    register: bool,
    /// The platform's JWK Set [default: from the key folder]
    #[arg(long, value_name = "FILE")]
    jwks: Option<PathBuf>,
    /// Messages a second, all carriers together; 0 is as fast as it goes
    #[arg(long, default_value_t = 100)]
    rate: u32,
    /// Ends after this long
    #[arg(long, default_value_t = 60)]
    seconds: u64,
    /// Ends after this many messages, if that is earlier
    #[arg(long)]
    messages: Option<u64>,
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// When the first message is sent, ms UTC, for the times in the events [default: now]
    #[arg(long, value_name = "MS")]
    start: Option<i64>,
    /// 1 to 12
    #[arg(long, default_value_t = 5)]
    carriers: usize,
    /// How many containers each carrier has on their way at a time
    #[arg(long, default_value_t = 2_000)]
    containers: usize,
    /// Share of bad messages
    #[arg(long, default_value_t = 0.01)]
    bad: f64,
    /// Share of messages that come again
    #[arg(long, default_value_t = 0.01)]
    duplicates: f64,
    /// Publish to this one of the topics that topics.sealed names [default: the first]
    #[arg(long, value_name = "NAME")]
    topic: Option<String>,
    /// Write what must become of the messages to this file, as JSON
    #[arg(long, value_name = "FILE")]
    truth: Option<PathBuf>,
}

/// Processors look at the carriers file every second.
const REGISTRY_IS_READ_AFTER: Duration = Duration::from_secs(3);

pub fn run(config: &Config, args: &Args) -> Result<(), Failure> {
    let stop = Arc::new(AtomicBool::new(false));
    crate::signals::on_stop({
        let stop = stop.clone();
        move || stop.store(true, Ordering::Relaxed)
    })?;
    let start_ms = args.start.unwrap_or_else(|| Timestamp::now().as_millisecond());
    let mut simulation = Simulation::new(waybill_simulator::Config {
        seed: args.seed,
        carriers: args.carriers,
        containers_per_carrier: args.containers,
        start_ms,
        bad_share: args.bad,
        duplicate_share: args.duplicates,
    })
    .map_err(|e| Failure::failed(e.to_string()))?;
    let carriers: Vec<_> = simulation.carriers().map(|c| (c.id, c.name)).collect();
    let keys = signing_keys(&args.signing_keys, &carriers)?;
    if args.register {
        register(config, &carriers, &keys)?;
    }
    let platform = match &args.jwks {
        Some(file) => platform_key(file)?,
        None => config
            .keyring()?
            .shown(Timestamp::now())?
            .keys
            .into_iter()
            .next()
            .ok_or_else(|| Failure::config("no active platform key"))?,
    };
    let mut dock = Dock {
        audience: config.deployment.clone(),
        carriers: carriers.iter().map(|(id, _)| (*id).to_owned()).collect(),
        keys,
        platform,
        sealers: HashMap::new(),
        kept: HashMap::new(),
    };
    let connection = config.connection()?;
    let topic = topic(config, args.topic.as_deref())?;
    let mut publisher =
        Publisher::new(&connection.0, &topic).map_err(|e| Failure::unreachable(e.to_string()))?;
    let truth = send(args, &mut simulation, &mut dock, &mut publisher, &stop)?;
    let confirmed = publisher.finish(|_| {}).map_err(|e| Failure::unreachable(e.to_string()))?;
    if let Some(file) = &args.truth {
        write_truth(file, &truth, &carriers)?;
    }
    println!("published={confirmed}");
    Ok(())
}

fn send(
    args: &Args,
    simulation: &mut Simulation,
    dock: &mut Dock,
    publisher: &mut Publisher,
    stop: &AtomicBool,
) -> Result<Truth, Failure> {
    let mut truth = Truth::default();
    let tty = std::io::stdout().is_terminal();
    let bar = if tty { ProgressBar::new_spinner() } else { ProgressBar::hidden() };
    let began = Instant::now();
    let mut told = Instant::now();
    let mut sent: u64 = 0;
    loop {
        let elapsed = began.elapsed();
        let all = args.messages.is_some_and(|most| sent >= most);
        if all || elapsed.as_secs() >= args.seconds || stop.load(Ordering::Relaxed) {
            bar.finish_and_clear();
            return Ok(truth);
        }
        if told.elapsed() >= Duration::from_secs(1) {
            told = Instant::now();
            bar.set_message(format!("{} published", publisher.confirmed()));
            bar.tick();
            if !tty {
                println!("published={}", publisher.confirmed());
            }
        }
        let due = match args.rate {
            0 => sent + 1_000,
            rate => u64::from(rate) * u64::try_from(elapsed.as_millis()).unwrap_or(0) / 1_000,
        };
        let due = args.messages.map_or(due, |most| due.min(most));
        while sent < due {
            let Some(message) = simulation.next() else { return Ok(truth) };
            dock.publish(&message, publisher)?;
            truth.count(&message);
            sent += 1;
        }
        if args.rate > 0 {
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

/// Where messages are sealed and handed over, each as its kind wants it.
struct Dock {
    audience: String,
    carriers: Vec<String>,
    keys: Vec<Arc<str>>,
    platform: RsaPublicKey,
    /// By carrier and what is wrong with the seal.
    sealers: HashMap<(usize, Option<Bad>), Sealer>,
    /// Sealed records that come again as they are.
    kept: HashMap<String, String>,
}

impl Dock {
    fn publish(
        &mut self,
        message: &waybill_simulator::Message,
        publisher: &mut Publisher,
    ) -> Result<(), Failure> {
        let mut send = |key: &str, value: Option<&[u8]>| {
            publisher
                .send(Some(key.as_bytes()), value)
                .map_err(|e| Failure::unreachable(e.to_string()))
        };
        let handle = message.handle.as_str();
        match message.kind {
            Kind::Duplicate(Again::SameBytes) => {
                let kept = self.kept.remove(&message.message_id).ok_or_else(|| {
                    Failure::failed("the simulation repeats a message that it has not sent")
                })?;
                send(handle, Some(kept.as_bytes()))
            }
            Kind::Bad(Bad::NullValue) => send(handle, None),
            Kind::Bad(Bad::NotSealed) => send(handle, Some(&message.payload)),
            Kind::Bad(Bad::Oversize) => send(handle, Some(&vec![b'A'; 950_000])),
            Kind::Bad(Bad::KeyMismatch) => {
                let sealed = self.seal(message, None)?;
                send(&format!("{handle}x"), Some(sealed.as_bytes()))
            }
            Kind::Bad(Bad::TamperedCiphertext) => {
                let sealed = tampered(&self.seal(message, None)?);
                send(handle, Some(sealed.as_bytes()))
            }
            kind => {
                let wrong = match kind {
                    Kind::Bad(bad) if bad.level() == waybill_simulator::Level::Sealing => Some(bad),
                    _ => None,
                };
                let sealed = self.seal(message, wrong)?;
                send(handle, Some(sealed.as_bytes()))?;
                if message.comes_again {
                    self.kept.insert(message.message_id.clone(), sealed);
                }
                Ok(())
            }
        }
    }

    fn seal(
        &mut self,
        message: &waybill_simulator::Message,
        wrong: Option<Bad>,
    ) -> Result<String, Failure> {
        let key = (message.carrier, wrong);
        if !self.sealers.contains_key(&key) {
            let sealer = self.sealer(message.carrier, wrong)?;
            self.sealers.insert(key, sealer);
        }
        let Some(sealer) = self.sealers.get_mut(&key) else {
            return Err(Failure::failed("no sealer"));
        };
        let now = Timestamp::now().as_millisecond();
        // Further back than any max_delivery_delay.
        let back = if wrong == Some(Bad::Expired) { 400 * 86_400_000 } else { 0 };
        sealer
            .seal(
                now - back,
                &Message {
                    subject: &message.handle,
                    message_id: &message.message_id,
                    media_type: message.media_type,
                    payload: &message.payload,
                },
            )
            .map_err(|e| Failure::failed(format!("sealing: {e}")))
    }

    fn sealer(&self, carrier: usize, wrong: Option<Bad>) -> Result<Sealer, Failure> {
        let failed = |e: &dyn std::fmt::Display| Failure::failed(format!("sealing: {e}"));
        let (Some(id), Some(pem)) = (self.carriers.get(carrier), self.keys.get(carrier)) else {
            return Err(Failure::failed("the simulation names a carrier that it has not"));
        };
        let own = PrivateSigningKey::from_pem(pem, None).map_err(|e| failed(&e))?;
        let mut config = SealerConfig {
            issuer: id.clone(),
            audience: self.audience.clone(),
            platform_key: self.platform.clone(),
            signing_key: own.into(),
            proof: Proof::Granted,
            content_key_life_ms: MAX_CONTENT_KEY_LIFE_MS,
        };
        match wrong {
            Some(Bad::WrongSigningKey) => {
                // Another key under the name of the registered one.
                let kid = config.signing_key.public().kid().to_owned();
                let other = PrivateSigningKey::generate(Algorithm::Ed25519);
                config.signing_key = other.map_err(|e| failed(&e))?.with_kid(kid).into();
            }
            Some(Bad::UnknownCarrier) => config.issuer = "nobody".to_owned(),
            Some(Bad::WrongAudience) => config.audience.push_str("-other"),
            Some(Bad::UnknownPlatformKey) => {
                let mut jwk = serde_json::to_value(&self.platform).map_err(|e| failed(&e))?;
                if let Some(kid) = jwk.get_mut("kid") {
                    *kid = "platform-nobody".into();
                }
                config.platform_key =
                    RsaPublicKey::from_jwk(jwk.to_string().as_bytes()).map_err(|e| failed(&e))?;
            }
            _ => {}
        }
        Sealer::new(config).map_err(|e| failed(&e))
    }
}

/// One character of the ciphertext is another.
fn tampered(sealed: &str) -> String {
    let mut parts: Vec<String> = sealed.split('.').map(str::to_owned).collect();
    if let Some(ciphertext) = parts.get_mut(3) {
        let other = if ciphertext.starts_with('A') { "B" } else { "A" };
        ciphertext.replace_range(0..1, other);
    }
    parts.join(".")
}

/// Each carrier's private key as PEM; made where missing.
fn signing_keys(folder: &Path, carriers: &[(&str, &str)]) -> Result<Vec<Arc<str>>, Failure> {
    std::fs::create_dir_all(folder)
        .map_err(|e| Failure::failed(format!("{}: {e}", folder.display())))?;
    let mut keys = Vec::new();
    for (id, _) in carriers {
        let path = folder.join(format!("{id}.pem"));
        let failure =
            |e: &dyn std::fmt::Display| Failure::failed(format!("{}: {e}", path.display()));
        if !path.exists() {
            let key = PrivateSigningKey::generate(Algorithm::Ed25519).map_err(|e| failure(&e))?;
            let pem = key.to_pem(None).map_err(|e| failure(&e))?;
            write_private(&path, pem.as_bytes()).map_err(|e| failure(&e))?;
        }
        signing_key(&path)?;
        keys.push(std::fs::read_to_string(&path).map_err(|e| failure(&e))?.into());
    }
    Ok(keys)
}

fn register(config: &Config, carriers: &[(&str, &str)], keys: &[Arc<str>]) -> Result<(), Failure> {
    let file = RegistryFile::new(&config.carriers.file);
    let mut changed = false;
    for ((id, name), pem) in carriers.iter().zip(keys) {
        let key = PrivateSigningKey::from_pem(pem, None)
            .map_err(|e| Failure::config(format!("{id}: {e}")))?;
        changed |= file.ensure(id, name, key.public())?;
    }
    if changed {
        std::thread::sleep(REGISTRY_IS_READ_AFTER);
    }
    Ok(())
}

fn write_truth(file: &Path, truth: &Truth, carriers: &[(&str, &str)]) -> Result<(), Failure> {
    let by_carrier: serde_json::Map<_, _> = truth
        .by_carrier
        .iter()
        .filter_map(|(index, counts)| {
            let (id, _) = carriers.get(*index)?;
            let counts = serde_json::json!({
                "published": counts.published,
                "events": counts.events,
                "duplicates": counts.duplicates,
                "rejects": counts.rejects,
            });
            Some(((*id).to_owned(), counts))
        })
        .collect();
    let text = serde_json::json!({ "carriers": by_carrier }).to_string();
    std::fs::write(file, text).map_err(|e| Failure::failed(format!("{}: {e}", file.display())))
}
