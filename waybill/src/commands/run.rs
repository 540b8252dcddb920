use std::cell::Cell;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use arc_swap::ArcSwap;
use prometheus::IntCounter;
use waybill_aggregate::{Aggregating, Settings};
use waybill_clickhouse::ClickHouseSink;
use waybill_decrypt::{Carriers, Decrypt, Opener};
use waybill_enrich::{Enrich, Tables};
use waybill_host::chain::{Decoded, StageOperator, TopicWriter};
use waybill_host::metrics::metrics;
use waybill_host::processor::{Processor, Stateless};
use waybill_host::sealed::Sealed;
use waybill_host::topic_cipher::{RoleKeys, TopicCipher};
use waybill_kafka::{
    Health, Shutdown, arm_crash_points, check_topics, look_at_rights, most_partitions, run_sink,
    run_stages, supervise,
};
use waybill_schemas::pipeline::{CLICKHOUSE, ENRICH, VALIDATE};
use waybill_schemas::{EnrichedEvent, Opened, Role, ShipmentEvent};
use waybill_sealing::platform_key::PlatformKeys;
use waybill_stage::{Fault, Sink, Stage};
use waybill_validate::Validate;

use crate::acls::Client;
use crate::commands::{gateway, webhooks};
use crate::config::Config;
use crate::exit::Failure;
use crate::registry_file::RegistryFile;
use crate::watched::watch;
use crate::work::Work;
use crate::{http, signals};

/// Run one stage, or a consecutive run of them, until SIGTERM or Ctrl-C
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  waybill run decrypt
  waybill run decrypt,validate,enrich
  waybill run aggregate
  waybill run clickhouse
  waybill run gateway
  waybill run webhooks

It serves /metrics, /healthz and /readyz at metrics.listen.")]
pub struct Args {
    /// decrypt, validate, enrich (any consecutive run of them), aggregate, clickhouse, gateway, or webhooks
    #[arg(value_name = "STAGE[,STAGE…]", value_parser = Work::named)]
    stages: String,
}

const DAY_MS: i64 = 86_400_000;

pub fn run(config: &Config, args: &Args) -> Result<(), Failure> {
    let work = Work::parse(&args.stages).map_err(Failure::config)?;
    if work == Work::Gateway {
        return gateway::run(config);
    }
    let cipher = cipher(config, &work.roles())?;
    arm_crash_points();
    let (health, shutdown) = (Arc::new(Health::default()), Shutdown::default());
    signals::on_stop({
        let shutdown = shutdown.clone();
        move || shutdown.request()
    })?;
    health.beat();
    let first = args.stages.split(',').next().unwrap_or_default().trim();
    let batch = if work == Work::ClickHouse { &config.sink } else { &config.batch };
    let settings = config.host(first, batch)?;
    tracing::info!(stages = %args.stages, group = %settings.group, "starting");
    let topics = work.counts_on();
    let rights = Client::Run(args.stages.clone()).needed(config)?;
    let checked = Cell::new(false);
    let check = || {
        // At each start anew: a right that was taken away may be why the last life ended. While nothing is known,
        // what comes next waits for Kafka with patience.
        if let Ok(Some(missing)) = look_at_rights(&settings.connection, &rights) {
            return Err(Fault(missing));
        }
        if !checked.get() {
            check_topics(&settings.connection, &settings.topics, &topics)?;
            checked.set(true);
        }
        Ok(())
    };
    let check = || check().inspect_err(|fault: &Fault| health.lacks(&fault.0));
    match work {
        Work::Stateless { first, last } => {
            let parts = Parts::new(config, first == 0)?;
            http::serve(config.metrics.listen, health.clone(), parts.refresh())?;
            supervise(&args.stages, &health, &shutdown, || {
                check()?;
                let chain = parts.chain(first, last)?;
                run_stages(&settings, chain, &cipher, &health, &shutdown)
            });
        }
        Work::Aggregate => {
            http::serve(config.metrics.listen, health.clone(), Arc::new(|| {}))?;
            let carriers = carriers(config)?;
            let rules = || rules(config, &carriers.load());
            supervise(&args.stages, &health, &shutdown, || {
                check()?;
                let processor = Aggregating::new(&rules, &cipher);
                run_stages(&settings, processor, &cipher, &health, &shutdown)
            });
        }
        Work::Webhooks => {
            let post = webhooks::post(config)?;
            http::serve(config.metrics.listen, health.clone(), Arc::new(|| {}))?;
            webhooks::serve(&post, &settings, &cipher, &health, &shutdown, &check);
        }
        // It is no host of stages, and has run above.
        Work::Gateway => {}
        Work::ClickHouse => {
            http::serve(config.metrics.listen, health.clone(), Arc::new(|| {}))?;
            let clickhouse = config.clickhouse()?;
            show_ledger(clickhouse.clone())?;
            supervise(&args.stages, &health, &shutdown, || {
                check()?;
                let most = most_partitions(&settings, CLICKHOUSE.inputs)?;
                let store = ClickHouseSink::open(clickhouse.clone())?;
                store.database().ping()?;
                store.check_window(most)?;
                store.database().check_retention()?;
                let sink = || -> Result<Box<dyn Sink>, Fault> {
                    Ok(Box::new(ClickHouseSink::open(clickhouse.clone())?))
                };
                run_sink(&settings, CLICKHOUSE, &sink, &cipher, &health, &shutdown)
            });
        }
    }
    tracing::info!(stages = %args.stages, "ended");
    Ok(())
}

/// What seals and opens the values of the internal topics that this process reads and writes; it takes new
/// keys up when they are made.
fn cipher(config: &Config, roles: &[Role]) -> Result<Arc<TopicCipher>, Failure> {
    let none = TopicCipher::new(&RoleKeys::default(), waybill_kafka::now_ms)
        .map_err(|f| Failure::config(f.to_string()))?;
    let cipher = Arc::new(none.taking_plain(config.keys.accept_plain));
    let (ring, roles, shared) = (config.keyring()?, roles.to_vec(), cipher.clone());
    watch("internal_keys", ring.watched(), move || {
        let keys = ring.role_keys(&roles)?;
        shared.take_up(&keys).map_err(|f| Failure::config(f.to_string()))
    })?;
    Ok(cipher)
}

/// The carriers in force, read again when their file changes.
fn carriers(config: &Config) -> Result<Arc<ArcSwap<Carriers>>, Failure> {
    let registry = RegistryFile::new(&config.carriers.file);
    watch("carriers", config.carriers.file.clone(), move || registry.load())
}

/// What aggregate goes by. Duplicates must be known for as long as any carrier's events may arrive, and a
/// day: sealed-event.md, "Seen before".
pub fn rules(config: &Config, carriers: &Carriers) -> Settings {
    let own: BTreeMap<String, usize> = carriers
        .iter()
        .filter_map(|carrier| Some((carrier.id().to_owned(), carrier.max_state_bytes?)))
        .collect();
    let purged: BTreeMap<String, i64> = carriers
        .iter()
        .filter_map(|carrier| {
            Some((carrier.id().to_owned(), carrier.state_purged_at?.as_millisecond()))
        })
        .collect();
    let least = carriers.longest_delivery_delay().as_millis() + DAY_MS;
    Settings {
        retention_ms: millis(config.aggregate.retention).max(least),
        unfinished_retention_ms: millis(config.aggregate.unfinished_retention),
        max_events_per_shipment: config.aggregate.max_events_per_shipment,
        max_bytes_per_carrier: config.aggregate.max_bytes_per_carrier,
        max_bytes_of: (!own.is_empty()).then(|| Arc::new(own)),
        purged: (!purged.is_empty()).then(|| Arc::new(purged)),
    }
}

/// What the stateless stages of this process are made of; it outlives their restarts.
struct Parts {
    validate: Validate,
    tables: Arc<Tables>,
    opening: Option<Opening>,
}

/// What decrypt needs beside the record, read again when it changes.
struct Opening {
    opener: Arc<Opener>,
    carriers: Arc<ArcSwap<Carriers>>,
    keys: Arc<ArcSwap<PlatformKeys>>,
    unwraps_per_second: u32,
}

impl Parts {
    fn new(config: &Config, opens: bool) -> Result<Self, Failure> {
        let opening = if opens { Some(Opening::new(config)?) } else { None };
        let tables = Arc::new(config.enrich.tables()?);
        config.validate.connect()?;
        Ok(Self { validate: config.validate.stage()?, tables, opening })
    }

    /// Brings decrypt's own counters into the metrics.
    fn refresh(&self) -> Arc<dyn Fn() + Send + Sync> {
        match &self.opening {
            Some(opening) => {
                let opener = opening.opener.clone();
                Arc::new(move || {
                    let set = |metric: IntCounter, now: &AtomicU64| {
                        metric.inc_by(now.load(Ordering::Relaxed).saturating_sub(metric.get()));
                    };
                    let (keys, counters) = (&metrics().content_keys, opener.counters());
                    set(keys.with_label_values(&["hit"]), &counters.cache_hits);
                    set(keys.with_label_values(&["miss"]), &counters.cache_misses);
                    set(metrics().unwraps.clone(), &counters.unwraps);
                })
            }
            None => Arc::new(|| {}),
        }
    }

    fn chain(
        &self,
        first: usize,
        last: usize,
    ) -> Result<Box<dyn Processor<State = Stateless>>, Fault> {
        let decrypt = || match &self.opening {
            Some(opening) => Ok(opening.stage()),
            None => Err(Fault("decrypt without keys".to_owned())),
        };
        let validate = || self.validate.clone();
        let opened =
            || TopicWriter::<Opened>::new(Role::Opened, |o| o.provenance.handle.as_bytes());
        let valid = || TopicWriter::<ShipmentEvent>::new(Role::Valid, |e| e.shipment_id.as_bytes());
        let enriched = || {
            TopicWriter::<EnrichedEvent>::new(Role::Enriched, |e| e.event.shipment_id.as_bytes())
        };
        let enrich = || StageOperator::new(Enrich::new(self.tables.clone()), enriched());
        let pace = self.opening.as_ref().map_or(1, |opening| opening.unwraps_per_second);
        Ok(match (first, last) {
            (0, 0) => Box::new(Sealed::new(StageOperator::new(decrypt()?, opened()), pace)),
            (0, 1) => Box::new(Sealed::new(
                StageOperator::new(decrypt()?, StageOperator::new(validate(), valid())),
                pace,
            )),
            (0, _) => Box::new(Sealed::new(
                StageOperator::new(decrypt()?, StageOperator::new(validate(), enrich())),
                pace,
            )),
            (1, 1) => Box::new(Decoded::new(
                VALIDATE.inputs,
                Validate::NAME,
                StageOperator::new(validate(), valid()),
            )),
            (1, _) => Box::new(Decoded::new(
                VALIDATE.inputs,
                Validate::NAME,
                StageOperator::new(validate(), enrich()),
            )),
            _ => Box::new(Decoded::new(ENRICH.inputs, Enrich::NAME, enrich())),
        })
    }
}

impl Opening {
    fn new(config: &Config) -> Result<Self, Failure> {
        let carriers = carriers(config)?;
        let ring = config.keyring_and_token()?;
        let keys = watch("keys", ring.watched(), move || ring.load())?;
        let opener = Opener::new(waybill_decrypt::Settings {
            audience: config.deployment.clone(),
            cached_keys: config.decrypt.content_keys,
            cached_key_age_ms: millis(config.decrypt.content_key_age),
            unwraps_per_second: config.decrypt.unwraps_per_second,
            unwraps_per_second_per_carrier: config.decrypt.unwraps_per_second_per_carrier,
        });
        let opener = Arc::new(opener);
        sweep(&opener)?;
        let unwraps_per_second = config.decrypt.unwraps_per_second;
        Ok(Self { opener, carriers, keys, unwraps_per_second })
    }

    fn stage(&self) -> Decrypt {
        Decrypt::new(self.opener.clone(), self.carriers.clone(), self.keys.clone())
    }
}

/// What the ledger says, in the metrics: an alert tells of what is not accounted for.
fn show_ledger(clickhouse: waybill_clickhouse::Config) -> Result<(), Failure> {
    let show = move || {
        let Ok(database) = waybill_clickhouse::Database::open(clickhouse) else { return };
        loop {
            // The sink itself tells of a store that does not answer.
            if let Err(fault) = database.show_ledger() {
                tracing::debug!(%fault, "the ledger could not be read");
            }
            std::thread::sleep(Duration::from_secs(60));
        }
    };
    std::thread::Builder::new()
        .name("books".to_owned())
        .spawn(show)
        .map(drop)
        .map_err(|e| Failure::failed(format!("thread: {e}")))
}

/// Old content keys go also while nothing comes in.
fn sweep(opener: &Arc<Opener>) -> Result<(), Failure> {
    let opener = Arc::downgrade(opener);
    std::thread::Builder::new()
        .name("sweeper".to_owned())
        .spawn(move || {
            while let Some(opener) = opener.upgrade() {
                opener.sweep(jiff::Timestamp::now().as_millisecond());
                drop(opener);
                std::thread::sleep(Duration::from_secs(60));
            }
        })
        .map(drop)
        .map_err(|e| Failure::failed(format!("thread: {e}")))
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}
