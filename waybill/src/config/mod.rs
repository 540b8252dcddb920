//! The configuration: one TOML file, then the environment over it. Unknown keys are refused with
//! a suggestion; secrets come from files or the environment, and are never printed.

use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use figment::Figment;
use figment::providers::{Env, Format, Toml};
use serde::{Deserialize, Serialize};
use waybill_host::batch::BatchLimits;
use waybill_host::topic_cipher::TopicCipher;
use waybill_kafka::{HostSettings, KafkaConnection, PORTION_BYTES, Topics};
use waybill_pkcs11::Token;
use waybill_schemas::Role;

mod connections;
mod gateway;
mod names;
mod plaintext;
mod retention;
mod stages;
mod webhooks;

pub use connections::{Carriers, ClickHouse, Kafka, Keys, Metrics, Pkcs11};
pub use gateway::Gateway;
#[cfg(test)]
pub use names::OneOrMore;
pub use names::{Groups, TopicSettings};
pub use plaintext::is_this_machine_in;
pub use retention::{TableRetention, TopicRetention};
pub use stages::{Aggregate, Batch, Decrypt, Enrich, Validate, format as format_of};
pub use webhooks::Webhooks;

use crate::exit::Failure;
use crate::keyring::Keyring;
use crate::secret::Secret;

/// Every key, with its default. docs/configuration.md explains them.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// What carriers name as the audience (`aud`) of their events.
    pub deployment: String,
    /// A name that this process keeps over restarts; unique within its consumer group.
    pub instance: Option<String>,
    pub kafka: Kafka,
    pub topics: TopicSettings,
    pub groups: Groups,
    pub clickhouse: ClickHouse,
    pub keys: Keys,
    pub carriers: Carriers,
    pub decrypt: Decrypt,
    pub validate: Validate,
    pub enrich: Enrich,
    pub aggregate: Aggregate,
    pub batch: Batch,
    pub sink: Batch,
    pub gateway: Gateway,
    pub webhooks: Webhooks,
    pub metrics: Metrics,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            deployment: "waybill:dev".to_owned(),
            instance: None,
            kafka: Kafka::default(),
            topics: TopicSettings::default(),
            groups: Groups::default(),
            clickhouse: ClickHouse::default(),
            keys: Keys::default(),
            carriers: Carriers::default(),
            decrypt: Decrypt::default(),
            validate: Validate::default(),
            enrich: Enrich::default(),
            aggregate: Aggregate::default(),
            batch: Batch { records: 5_000, bytes: 8 << 20, age: Duration::from_millis(50) },
            sink: Batch { records: 20_000, bytes: 32 << 20, age: Duration::from_millis(400) },
            gateway: Gateway::default(),
            webhooks: Webhooks::default(),
            metrics: Metrics::default(),
        }
    }
}

impl Config {
    /// Reads `file` (or `waybill.toml`, if it is there) and the environment, and checks it all.
    pub fn load(file: Option<&Path>) -> Result<Self, Failure> {
        let mut figment =
            Figment::from(figment::providers::Serialized::defaults(Config::default()));
        match file {
            Some(path) if !path.is_file() => {
                return Err(Failure::config(format!("{}: no such file", path.display())));
            }
            Some(path) => figment = figment.merge(Toml::file_exact(path)),
            None => figment = figment.merge(Toml::file("waybill.toml")),
        }
        // Only names with a double underscore, and the two at the top: others (WAYBILL_STATE, …)
        // are not ours.
        let environment = Env::prefixed("WAYBILL_")
            .filter(|name| is_ours(name.as_str()) && !is_text(name.as_str()))
            .split("__");
        for (name, value) in std::env::vars() {
            if let Some(name) = name.strip_prefix("WAYBILL_")
                && is_ours(name)
                && is_text(name)
            {
                figment = figment.merge((name.to_lowercase().replace("__", "."), value));
            }
        }
        let config: Config = figment
            .merge(environment)
            .extract()
            .map_err(|error| Failure::config(explain(error)))?;
        config.check()?;
        Ok(config)
    }

    fn check(&self) -> Result<(), Failure> {
        let refuse = |why: String| Err(Failure::config(why));
        if self.deployment.is_empty() {
            return refuse("deployment: must not be empty".to_owned());
        }
        if !matches!(
            self.kafka.security_protocol.as_str(),
            "plaintext" | "ssl" | "sasl_plaintext" | "sasl_ssl"
        ) {
            return refuse(format!(
                "kafka.security_protocol: {:?} is none of plaintext, ssl, sasl_plaintext, sasl_ssl",
                self.kafka.security_protocol
            ));
        }
        let url = &self.clickhouse.url;
        if !(url.starts_with("http://") || url.starts_with("https://")) {
            return refuse(format!("clickhouse.url: {url:?} is neither http:// nor https://"));
        }
        if url.contains('@') {
            return refuse("clickhouse.url: user and password have keys of their own".to_owned());
        }
        let in_clear = plaintext::refused_of_kafka(&self.kafka)
            .or_else(|| plaintext::refused_of_clickhouse(&self.clickhouse));
        let unfit = || self.gateway.refused().or_else(|| self.webhooks.refused());
        let voiding = || self.topics.retention.refused().or(self.clickhouse.retention.refused());
        if let Some(why) = in_clear.or_else(voiding).or_else(unfit) {
            return refuse(why);
        }
        if !self.clickhouse.database.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
            || self.clickhouse.database.is_empty()
        {
            return refuse(format!(
                "clickhouse.database: {:?} is no plain name (letters, digits, _)",
                self.clickhouse.database
            ));
        }
        if !(1..=10_000).contains(&self.topics.partitions) {
            return refuse(format!(
                "topics.partitions: {} is not 1 to 10000",
                self.topics.partitions
            ));
        }
        for (key, batch) in [("batch", &self.batch), ("sink", &self.sink)] {
            if batch.records == 0 || batch.bytes == 0 {
                return refuse(format!("{key}: records and bytes must be at least 1"));
            }
            if batch.age > Duration::from_secs(60) {
                return refuse(format!("{key}.age: at most 60s, or readers wait too long"));
            }
        }
        // Beyond that, a transaction's records go out in several requests, one after the other.
        if self.batch.bytes > PORTION_BYTES {
            return refuse(format!(
                "batch.bytes: at most {PORTION_BYTES}, or a share of a transaction is no single request"
            ));
        }
        let decrypt = &self.decrypt;
        for (key, number) in [
            ("unwraps_per_second", decrypt.unwraps_per_second),
            ("unwraps_per_second_per_carrier", decrypt.unwraps_per_second_per_carrier),
        ] {
            if number == 0 {
                return refuse(format!("decrypt.{key}: at least 1, or what is put off stays so"));
            }
        }
        // Known duplicates must be recognised for as long as their events are accepted:
        // sealed-event.md, "Seen before".
        if self.aggregate.retention < Duration::from_secs(2 * 86_400) {
            return refuse("aggregate.retention: at least 2d, or duplicates would pass".to_owned());
        }
        if !(1..=4_096).contains(&self.aggregate.max_events_per_shipment) {
            return refuse("aggregate.max_events_per_shipment: must be 1 to 4096".to_owned());
        }
        if let Some(pkcs11) = &self.keys.pkcs11 {
            pkcs11.which()?;
        }
        let topics = self.topics()?;
        let mut names = std::collections::BTreeMap::new();
        for role in Role::ALL.into_iter().filter(|role| role.is_internal()) {
            let name = topics.name(role);
            if let Some(other) = names.insert(name, role) {
                let (other, role) = (other.as_str(), role.as_str());
                return refuse(format!("topics: {other} and {role} have the same name {name:?}"));
            }
            // Whatever a pattern finds, carriers may write to.
            if topics.sealed().matches(name) {
                return refuse(format!(
                    "topics.sealed: {} is {name:?} too, the topic of {}",
                    topics.sealed(),
                    role.as_str()
                ));
            }
        }
        Ok(())
    }

    pub fn topics(&self) -> Result<Topics, Failure> {
        let t = &self.topics;
        let named = [
            (Role::Redrive, &t.redrive),
            (Role::Deferred, &t.deferred),
            (Role::Opened, &t.opened),
            (Role::Valid, &t.valid),
            (Role::Enriched, &t.enriched),
            (Role::Events, &t.events),
            (Role::Shipments, &t.shipments),
            (Role::Rejects, &t.rejects),
            (Role::Ledger, &t.ledger),
            (Role::AggregateState, &t.aggregate_state),
            (Role::Webhooks, &t.webhooks),
        ];
        let sealed = t.sealed().map_err(|why| Failure::config(format!("topics.sealed: {why}")))?;
        let named = named.into_iter().filter_map(|(role, name)| Some((role, name.clone()?)));
        let topics = Topics::new(&t.prefix, sealed, named);
        Ok(topics.keeping(t.retention.of_roles().map(|(role, keep)| (role, keep.limit()))))
    }

    pub fn connection(&self) -> Result<KafkaConnection, Failure> {
        let k = &self.kafka;
        let mut properties = vec![
            ("bootstrap.servers".to_owned(), k.brokers.clone()),
            ("security.protocol".to_owned(), k.security_protocol.clone()),
            ("client.id".to_owned(), "waybill".to_owned()),
        ];
        let mut set = |key: &str, value: Option<String>| {
            if let Some(value) = value {
                properties.push((key.to_owned(), value));
            }
        };
        let path = |p: &Option<PathBuf>| p.as_ref().map(|p| p.display().to_string());
        set("sasl.mechanism", k.sasl_mechanism.clone());
        set("sasl.username", k.sasl_username.clone());
        set("ssl.ca.location", path(&k.ssl_ca_file));
        set("ssl.certificate.location", path(&k.ssl_certificate_file));
        set("ssl.key.location", path(&k.ssl_key_file));
        let reveal = |s: Option<Secret>| s.map(|s| s.reveal().to_owned());
        set(
            "sasl.password",
            reveal(Secret::of("kafka.sasl_password", &k.sasl_password, &k.sasl_password_file)?),
        );
        set(
            "ssl.key.password",
            reveal(Secret::of(
                "kafka.ssl_key_password",
                &k.ssl_key_password,
                &k.ssl_key_password_file,
            )?),
        );
        Ok(KafkaConnection(properties))
    }

    /// The consumer group of whoever reads a topic for `stage`: that of the first stage of a
    /// process, so that stages can be put into one process, or taken apart, without reading
    /// anything twice.
    pub fn group(&self, stage: &str) -> String {
        format!("{}{stage}", self.groups.prefix)
    }

    /// Host settings of the process that begins with `stage`.
    pub fn host(&self, stage: &str, batch: &Batch) -> Result<HostSettings, Failure> {
        Ok(HostSettings {
            connection: self.connection()?,
            topics: self.topics()?,
            group: self.group(stage),
            instance: self.instance.clone(),
            limits: BatchLimits { records: batch.records, bytes: batch.bytes, age: batch.age },
        })
    }

    pub fn clickhouse(&self) -> Result<waybill_clickhouse::Config, Failure> {
        let c = &self.clickhouse;
        let password = Secret::of("clickhouse.password", &c.password, &c.password_file)?;
        let found = waybill_clickhouse::Config {
            url: c.url.clone(),
            database: c.database.clone(),
            user: c.user.clone(),
            password: password.map(|p| p.reveal().to_owned().into()),
            tls: waybill_clickhouse::Tls {
                ca_file: c.ca_file.clone(),
                certificate_file: c.certificate_file.clone(),
                key_file: c.key_file.clone(),
            },
            retention: c.retention.as_clickhouse(),
            ..waybill_clickhouse::Config::default()
        };
        found.check().map_err(|f| Failure::config(f.to_string()))?;
        Ok(found)
    }

    fn passphrase(&self) -> Result<Option<Secret>, Failure> {
        Secret::of("keys.passphrase", &self.keys.passphrase, &self.keys.passphrase_file)
    }

    /// The key folder; with it nothing is done in a PKCS#11 token.
    pub fn keyring(&self) -> Result<Keyring, Failure> {
        Ok(Keyring::new(&self.keys.folder, self.passphrase()?))
    }

    /// The key folder, and the token beside it if one is set.
    pub fn keyring_and_token(&self) -> Result<Keyring, Failure> {
        let token = self.keys.pkcs11.as_ref().map(Pkcs11::settings).transpose()?;
        Ok(self.keyring()?.with_token(token.map(Token::new)))
    }

    /// What seals and opens the values of these internal topics.
    pub fn cipher(&self, roles: &[Role]) -> Result<TopicCipher, Failure> {
        let keys = self.keyring()?.role_keys(roles)?;
        let cipher = TopicCipher::new(&keys, waybill_kafka::now_ms)
            .map_err(|f| Failure::config(f.to_string()))?;
        Ok(cipher.taking_plain(self.keys.accept_plain))
    }
}

/// The effective configuration, secrets hidden.
impl fmt::Display for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&toml::to_string(self).map_err(|_| fmt::Error)?)
    }
}

/// Whether a variable, without its prefix `WAYBILL_`, is configuration.
fn is_ours(name: &str) -> bool {
    name.contains("__")
        || name.eq_ignore_ascii_case("deployment")
        || name.eq_ignore_ascii_case("instance")
}

/// Whether its value is taken as it stands: a password of digits is no number.
fn is_text(name: &str) -> bool {
    const TEXTS: [&str; 11] = [
        "deployment",
        "instance",
        "user",
        "password",
        "passphrase",
        "pin",
        "token_label",
        "prefix",
        "sasl_username",
        "sasl_password",
        "ssl_key_password",
    ];
    let key = name.rsplit("__").next().unwrap_or(name);
    TEXTS.iter().any(|text| key.eq_ignore_ascii_case(text))
}

/// One line for each thing that is wrong: where it stands, what it is, and what may be meant.
fn explain(errors: figment::Error) -> String {
    let mut lines = Vec::new();
    for error in errors {
        let key = error.path.join(".");
        let source = error.metadata.as_ref().map(|m| match &m.source {
            Some(source) => format!(" ({source})"),
            None => format!(" ({})", m.name),
        });
        let what = match &error.kind {
            figment::error::Kind::UnknownField(field, known) => {
                let near = known
                    .iter()
                    .map(|k| (strsim::jaro_winkler(field, k), *k))
                    .filter(|(score, _)| *score > 0.75)
                    .max_by(|a, b| a.0.total_cmp(&b.0));
                match near {
                    Some((_, k)) => format!("unknown key {field:?}; do you mean {k:?}?"),
                    None => format!("unknown key {field:?}; known here: {}", known.join(", ")),
                }
            }
            other => other.to_string(),
        };
        let place = if key.is_empty() { String::new() } else { format!("{key}: ") };
        lines.push(format!("{place}{what}{}", source.unwrap_or_default()));
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests;
