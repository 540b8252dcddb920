use std::io::Read;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use waybill_publisher::SealedEvent;
use waybill_sealing::seal::{MAX_CONTENT_KEY_LIFE_MS, Message, Proof, Sealer, SealerConfig};

use super::{Args, platform_key, signing_key};
use crate::config::Config;
use crate::exit::Failure;

/// So many are on the disk with one sync.
const AT_ONCE: usize = 200;
const BYTES_AT_ONCE: usize = 4 << 20;

/// Files, read and sealed one after the other.
pub struct Messages {
    /// `None`: there are no files.
    sealer: Option<Sealer>,
    media_type: String,
    shipment: Option<String>,
    files: std::vec::IntoIter<PathBuf>,
    run: i64,
    number: u64,
}

impl Messages {
    pub fn of(config: &Config, args: &Args) -> Result<Self, Failure> {
        // clap has seen to it that all are there where there are files.
        let sealer = match (&args.carrier, &args.signing_key, &args.jwks) {
            (Some(carrier), Some(key), Some(jwks)) => Some(
                Sealer::new(SealerConfig {
                    issuer: carrier.clone(),
                    audience: args.audience.clone().unwrap_or_else(|| config.deployment.clone()),
                    platform_key: platform_key(jwks)?,
                    signing_key: signing_key(key)?.into(),
                    proof: args.proof.parse().unwrap_or(Proof::Granted),
                    content_key_life_ms: MAX_CONTENT_KEY_LIFE_MS,
                })
                .map_err(|e| Failure::config(e.to_string()))?,
            ),
            _ => None,
        };
        Ok(Self {
            sealer,
            media_type: args.media_type.clone().unwrap_or_default(),
            shipment: args.shipment.clone(),
            files: args.files.clone().into_iter(),
            run: Timestamp::now().as_millisecond(),
            number: 0,
        })
    }

    /// The next ones, each with its file's name; `None` at the end.
    pub fn next_some(&mut self) -> Result<Option<Vec<(String, SealedEvent)>>, Failure> {
        let (mut some, mut bytes) = (Vec::new(), 0);
        while some.len() < AT_ONCE && bytes < BYTES_AT_ONCE {
            let Some(file) = self.files.next() else { break };
            let event = self.seal(&file)?;
            bytes += event.value().len();
            some.push((file.display().to_string(), event));
        }
        Ok(if some.is_empty() { None } else { Some(some) })
    }

    fn seal(&mut self, file: &Path) -> Result<SealedEvent, Failure> {
        let failed = |why: String| Failure::failed(format!("{}: {why}", file.display()));
        let Some(sealer) = &mut self.sealer else { return Err(failed("no key".to_owned())) };
        let payload = read(file)?;
        let subject = match &self.shipment {
            Some(handle) => handle.clone(),
            None => file.file_name().unwrap_or_default().to_string_lossy().into_owned(),
        };
        self.number += 1;
        let message_id = format!("{}-{}-{}", self.run, std::process::id(), self.number);
        let message = Message {
            subject: &subject,
            message_id: &message_id,
            media_type: &self.media_type,
            payload: &payload,
        };
        let sealed = sealer.seal(Timestamp::now().as_millisecond(), &message);
        let sealed = sealed.map_err(|e| failed(e.to_string()))?;
        SealedEvent::read(sealed).map_err(|e| failed(e.to_string()))
    }
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
