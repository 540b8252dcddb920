use std::path::Path;

use waybill_kafka::{Acl, Acls, KafkaConnection, Operation, look_at_rights};
use waybill_publisher::{Https, HttpsSettings, Kafka, SealedEvent, Sent, Transport, Trouble};

use super::{Args, topic};
use crate::config::Config;
use crate::exit::Failure;
use crate::secret::Secret;

/// As `--to` says.
pub fn transport(config: &Config, args: &Args) -> Result<Box<dyn Transport>, Failure> {
    if args.to == "kafka" {
        for (given, name) in [
            (&args.api_key_file, "--api-key-file"),
            (&args.ca_file, "--ca-file"),
            (&args.client_certificate, "--client-certificate"),
        ] {
            if given.is_some() {
                return Err(Failure::config(format!("{name} is for a gateway: --to URL")));
            }
        }
        let topic = topic(config, args.topic.as_deref())?;
        let connection = config.connection()?;
        let kafka = Kafka::new(&connection.0, &topic);
        let kafka = kafka.map_err(|e| Failure::unreachable(e.to_string()))?;
        let right = Acls::new(&config.topics()?).on_topic(&topic, &[Operation::Write]).into_list();
        return Ok(Box::new(Allowed { kafka, connection, right }));
    }
    if args.topic.is_some() {
        return Err(Failure::config("--topic is for Kafka: a gateway knows where events go"));
    }
    let key = Secret::of("--api-key", &None, &args.api_key_file)?;
    let pem = |file: &Option<std::path::PathBuf>| file.as_deref().map(read).transpose();
    let settings = HttpsSettings {
        url: args.to.clone(),
        api_key: key.map(|key| key.reveal().to_owned()),
        authorities: pem(&args.ca_file)?,
        certificate: pem(&args.client_certificate)?.zip(pem(&args.client_key)?),
    };
    let https = Https::new(&settings).map_err(|e| Failure::config(format!("--to: {e}")))?;
    Ok(Box::new(https))
}

/// When the other side refuses us for good: a gateway for what was configured here, Kafka for what it allows us.
pub fn refused(args: &Args) -> fn(String) -> Failure {
    if args.to == "kafka" { Failure::unreachable } else { Failure::config }
}

/// Names the right that is missing, if that is why nothing gets through: asked for only then, since most do have it.
struct Allowed {
    kafka: Kafka,
    connection: KafkaConnection,
    right: Vec<Acl>,
}

impl Transport for Allowed {
    fn send(&mut self, events: &[&SealedEvent]) -> Sent {
        let mut sent = self.kafka.send(events);
        if let Some(trouble) = &mut sent.trouble
            && let Ok(Some(missing)) = look_at_rights(&self.connection, &self.right)
        {
            *trouble = Trouble::refused(missing);
        }
        sent
    }
}

fn read(file: &Path) -> Result<Vec<u8>, Failure> {
    std::fs::read(file).map_err(|e| Failure::config(format!("{}: {e}", file.display())))
}
