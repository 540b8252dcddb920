//! `waybill run gateway`: what the gateway is made of, and what is read again when it changes.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use tokio::sync::Notify;
use waybill_clickhouse::Answers;
use waybill_enrich::Enrich;
use waybill_explain::Explainer;
use waybill_gateway::{Gateway, Parts, PlainSealer, Registry, TlsFiles, serve};
use waybill_kafka::{
    Acl, Acls, Health, KafkaConnection, Operation, Topics, check_topics, look_at_rights,
    sealed_topic_ids,
};
use waybill_publisher::Acknowledged;
use waybill_schemas::Role;
use waybill_sealing::published::PublishedKeys;

use crate::acls::Client;
use crate::commands::publish::{self, signing_key};
use crate::config::Config;
use crate::exit::Failure;
use crate::registry_file::RegistryFile;
use crate::watched::{watch, watch_all};
use crate::{http, signals};

/// A record that has no answer by then is given up: the caller sends it again.
const KAFKA_PATIENCE: Duration = Duration::from_secs(5);
/// How often it asks which topics there are.
const LEARN: Duration = Duration::from_secs(5);
/// How often it says that it is alive and whether it is ready.
const BEAT: Duration = Duration::from_millis(250);

pub fn run(config: &Config) -> Result<(), Failure> {
    let stop = Arc::new(Notify::new());
    signals::on_stop({
        let stop = stop.clone();
        move || stop.notify_one()
    })?;
    let settings = config.gateway.settings();
    let registry = registry(config)?;
    let keys = keys(config)?;
    let plain = match &config.gateway.signing_key_file {
        Some(file) => Some(PlainSealer::new(&config.deployment, signing_key(file)?)),
        None => None,
    };
    let tls = settings.tls.clone().map(tls).transpose()?;
    let connection = config.connection()?;
    let topics = config.topics()?;
    let topic = publish::topic(config, None)?;
    let kafka = Acknowledged::new(&connection.0, &topic, KAFKA_PATIENCE)
        .map_err(|e| Failure::unreachable(e.to_string()))?;
    let topic_ids = Arc::new(ArcSwap::default());
    let answers =
        Answers::open(&config.clickhouse()?).map_err(|f| Failure::config(f.to_string()))?;
    config.validate.connect()?;
    let explainer =
        Explainer::new(config.validate.stage()?, Enrich::new(Arc::new(config.enrich.tables()?)));
    let listen = settings.listen;
    learn_ids(connection.clone(), topics.clone(), topic_ids.clone())?;
    let topic_name = topic.clone();
    let parts = Parts { registry, keys, kafka, topic, topic_ids, plain, answers, explainer };
    let gateway = Arc::new(Gateway::new(settings, &config.deployment, parts));
    let health = Arc::new(Health::default());
    health.beat();
    let rights = rights(config, &topic_name)?;
    watch_rights(connection.clone(), rights, &gateway, &health)?;
    http::serve(config.metrics.listen, health.clone(), Arc::new(|| {}))?;
    // Events may be published to a topic that does not count for what it must only while nobody reads it.
    let is_checked = move || {
        let checked = check_topics(&connection, &topics, &[Role::Sealed]);
        checked
            .inspect_err(|fault| tracing::error!(%fault, "the topic is not as it must be"))
            .is_ok()
    };
    let failed = |e: std::io::Error| Failure::config(format!("gateway.listen: {listen}: {e}"));
    let runtime =
        tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(failed)?;
    runtime.block_on(async move {
        let listener = tokio::net::TcpListener::bind(listen).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        tracing::info!(%address, tls = tls.is_some(), "starting");
        tokio::spawn(beat(gateway.clone(), health.clone(), is_checked));
        let counted = gateway.clone();
        tokio::spawn(async move { counted.watch_quotas().await });
        serve(listener, gateway, tls, async move { stop.notified().await }).await;
        tracing::info!("ended");
        Ok(())
    })
}

/// Ready is a gateway that can take events.
async fn beat(
    gateway: Arc<Gateway>,
    health: Arc<Health>,
    is_checked: impl Fn() -> bool + Clone + Send + 'static,
) {
    let mut was_checked = false;
    loop {
        health.beat();
        let is_ready = gateway.is_ready();
        if is_ready && !was_checked {
            let check = is_checked.clone();
            was_checked = tokio::task::spawn_blocking(check).await.unwrap_or(false);
        }
        health.set_ready(is_ready && was_checked);
        tokio::time::sleep(BEAT).await;
    }
}

/// What it must be allowed on the topic that it publishes to; of carriers' own topics each is its own affair.
fn rights(config: &Config, topic: &str) -> Result<Vec<Acl>, Failure> {
    let topics = config.topics()?;
    let mut needed = Client::Run("gateway".to_owned()).needed(config)?;
    if topics.sealed().only().is_none() {
        needed.extend(Acls::new(&topics).on_topic(topic, &[Operation::Write]).into_list());
    }
    Ok(needed)
}

/// Asks now and then whether Kafka allows it: until it is known that it does, nothing is taken in.
fn watch_rights(
    connection: KafkaConnection,
    needed: Vec<Acl>,
    gateway: &Arc<Gateway>,
    health: &Arc<Health>,
) -> Result<(), Failure> {
    gateway.set_refused(true);
    let (gateway, health) = (gateway.clone(), health.clone());
    let watch = move || {
        let mut known = None;
        loop {
            match look_at_rights(&connection, &needed) {
                Ok(missing) => {
                    gateway.set_refused(missing.is_some());
                    if let Some(missing) = &missing {
                        health.lacks(missing);
                    }
                    if let Some(missing) = missing.as_ref().filter(|_| known != missing) {
                        tracing::error!(missing, "events are refused");
                    }
                    known = missing;
                    std::thread::sleep(LEARN);
                }
                // Whether it answers is told elsewhere.
                Err(fault) => {
                    tracing::debug!(%fault, "what Kafka allows is not known");
                    std::thread::sleep(BEAT);
                }
            }
        }
    };
    let thread = std::thread::Builder::new().name("kafka-rights".to_owned()).spawn(watch);
    thread.map(drop).map_err(|e| Failure::failed(format!("thread: {e}")))
}

/// Asks now and then which topics there are: a copy of an event is told by Kafka's id of its topic.
fn learn_ids(
    connection: KafkaConnection,
    topics: Topics,
    ids: Arc<ArcSwap<BTreeMap<String, String>>>,
) -> Result<(), Failure> {
    let learn = move || {
        loop {
            match sealed_topic_ids(&connection, topics.sealed()) {
                Ok(found) => ids.store(Arc::new(found)),
                // Whether Kafka answers is told elsewhere.
                Err(fault) => tracing::debug!(%fault, "the topics' ids are not known"),
            }
            std::thread::sleep(LEARN);
        }
    };
    let thread = std::thread::Builder::new().name("topic-ids".to_owned()).spawn(learn);
    thread.map(drop).map_err(|e| Failure::failed(format!("thread: {e}")))
}

fn registry(config: &Config) -> Result<Arc<ArcSwap<Registry>>, Failure> {
    let file = RegistryFile::new(&config.carriers.file);
    let load = move || file.load().map(Registry::new);
    watch("carriers", config.carriers.file.clone(), load)
}

fn keys(config: &Config) -> Result<Arc<ArcSwap<PublishedKeys>>, Failure> {
    let ring = config.keyring()?;
    watch("keys", ring.watched(), move || ring.published())
}

fn tls(files: TlsFiles) -> Result<Arc<ArcSwap<rustls::ServerConfig>>, Failure> {
    let paths: Vec<PathBuf> =
        [Some(&files.certificate), Some(&files.key), files.client_ca.as_ref()]
            .into_iter()
            .flatten()
            .cloned()
            .collect();
    watch_all("gateway_tls", paths, move || {
        files.load().map_err(|why| Failure::config(format!("gateway: {why}")))
    })
}
