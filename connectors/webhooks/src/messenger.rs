//! The courier of the host: registry, schedule and requests put together.

use std::collections::{BTreeSet, HashMap};
use std::fmt;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Instant;

use arc_swap::ArcSwap;
use tokio::runtime::Runtime;
use waybill_decrypt::{Carriers, Webhook};
use waybill_kafka::{At, Courier};
use waybill_schemas::vocabulary::DeliveryState;
use waybill_schemas::{AcceptedEvent, Delivery, Erasure, RejectRecord};

use crate::ended::{Ended, Why};
use crate::endpoints::Endpoints;
use crate::metrics::metrics;
use crate::request::{Client, Message};
use crate::schedule::{Bounds, Job, Schedule};
use crate::secret::PlatformSecret;
use crate::told::{of_event, of_reject};

/// A request that has ended.
struct Done {
    at: At,
    delivery_id: Arc<str>,
    endpoint_id: Arc<str>,
    /// The endpoint as it was asked.
    asked: Webhook,
    ended: Ended,
}

/// What outlives the host's restarts.
pub struct Post {
    pub carriers: Arc<ArcSwap<Carriers>>,
    pub secret: PlatformSecret,
    pub client: Client,
    pub bounds: Bounds,
    runtime: Runtime,
}

impl fmt::Debug for Post {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Post")
    }
}

/// Threads that requests run on, and threads that ask the system's resolver.
const WORKERS: usize = 2;
const RESOLVERS: usize = 128;

impl Post {
    pub fn new(
        carriers: Arc<ArcSwap<Carriers>>,
        secret: PlatformSecret,
        client: Client,
        bounds: Bounds,
    ) -> std::io::Result<Self> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(WORKERS)
            .max_blocking_threads(RESOLVERS)
            .thread_name("webhooks")
            .enable_all()
            .build()?;
        Ok(Self { carriers, secret, client, bounds, runtime })
    }
}

/// One life of the host: what it knows of deliveries, it has read.
pub struct Messenger<'p> {
    post: &'p Post,
    endpoints: Endpoints,
    /// The registry that they are of.
    registry: Arc<Carriers>,
    schedule: Schedule,
    /// Endpoints that have said that they are there no more, as they were registered then.
    gone: HashMap<String, Webhook>,
    held: bool,
    send: Sender<Done>,
    done: Receiver<Done>,
}

impl fmt::Debug for Messenger<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Messenger({} open)", self.schedule.open())
    }
}

impl<'p> Messenger<'p> {
    pub fn new(post: &'p Post) -> Self {
        let registry = post.carriers.load_full();
        let (send, done) = channel();
        Self {
            post,
            endpoints: Endpoints::of(&registry),
            registry,
            schedule: Schedule::new(post.bounds),
            gone: HashMap::new(),
            held: false,
            send,
            done,
        }
    }

    /// Takes up what the registry says now.
    fn look_up(&mut self) {
        let now = self.post.carriers.load();
        if Arc::ptr_eq(&now, &self.registry) {
            return;
        }
        self.registry = now.clone();
        self.endpoints = Endpoints::of(&self.registry);
        let (endpoints, schedule) = (&self.endpoints, &mut self.schedule);
        self.gone.retain(|id, was| {
            let same = endpoints.get(id).is_some_and(|endpoint| endpoint.webhook == *was);
            if !same {
                schedule.open_again(id);
            }
            same
        });
    }

    fn collect(&mut self, now_ms: i64) {
        while let Ok(Done { at, delivery_id, endpoint_id, asked, ended }) = self.done.try_recv() {
            let how = match ended {
                Ended::Taken => "taken",
                Ended::Failed { why, .. } => why.as_str(),
            };
            metrics().requests.with_label_values(&[how]).inc();
            if let Ended::Failed { why: Why::Gone, .. } = ended
                && let Some(endpoint) = self.endpoints.get(&endpoint_id)
            {
                if endpoint.webhook != asked {
                    // What was registered before is there no more, which says nothing of what is registered now.
                    let ended = Ended::failed(Why::Refused);
                    self.schedule.ended(at, &delivery_id, ended, now_ms);
                    continue;
                }
                tracing::warn!(
                    endpoint = &*endpoint_id,
                    carrier = endpoint.carrier_id,
                    "the endpoint says that it is there no more (410): it is told nothing until its registration changes"
                );
                self.gone.insert(endpoint_id.to_string(), endpoint.webhook.clone());
            }
            self.schedule.ended(at, &delivery_id, ended, now_ms);
        }
    }

    fn begin(&mut self, job: Job, now_ms: i64) {
        let Job { at, delivery_id, endpoint_id, payload } = job;
        let Some(endpoint) = self.endpoints.get(&endpoint_id) else {
            let ended = Ended::failed(Why::Unregistered);
            self.schedule.ended(at, &delivery_id, ended, now_ms);
            return;
        };
        let timestamp = now_ms.div_euclid(1_000);
        let versions = endpoint.webhook.secret.in_force(now_ms);
        let signature = versions.map(|version| {
            let secret = self.post.secret.of(&endpoint_id, version);
            secret.sign(&delivery_id, timestamp, &payload)
        });
        let message = Message {
            id: delivery_id.to_string(),
            timestamp,
            signature: signature.collect::<Vec<_>>().join(" "),
            body: payload,
        };
        let (client, url) = (self.post.client.clone(), endpoint.webhook.url.clone());
        let (send, carrier) = (self.send.clone(), endpoint.carrier_id.clone());
        let asked = endpoint.webhook.clone();
        self.post.runtime.spawn(async move {
            let began = Instant::now();
            let ended = client.send(&url, message).await;
            metrics().request_seconds.observe(began.elapsed().as_secs_f64());
            if let Ended::Failed { why, .. } = ended {
                // Path and query may hold a secret of the carrier's.
                let host = url::Url::parse(&url).ok();
                let host = host.as_ref().and_then(url::Url::host_str).unwrap_or_default();
                let (why, endpoint, id) = (why.as_str(), &*endpoint_id, &*delivery_id);
                tracing::info!(carrier, endpoint, host, id, why, "not taken");
            }
            // Nobody waits for it if the host has begun anew.
            let _ = send.send(Done { at, delivery_id, endpoint_id, asked, ended });
        });
    }

    fn show(&self, now_ms: i64) {
        let number = |n: usize| i64::try_from(n).unwrap_or(i64::MAX);
        let m = metrics();
        m.open.set(number(self.schedule.open()));
        m.bytes.set(number(self.schedule.bytes()));
        let age = self.schedule.oldest().map_or(0, |since| (now_ms - since).max(0));
        m.oldest_seconds.set(age / 1_000);
    }
}

impl Courier for Messenger<'_> {
    fn reject(&mut self, record: &RejectRecord, now_ms: i64) -> Vec<Delivery> {
        self.look_up();
        let told = self.endpoints.for_reject(&record.carrier_id, record.rejected_at);
        told.filter_map(|webhook| of_reject(record, &webhook.id, now_ms)).collect()
    }

    fn event(&mut self, record: &AcceptedEvent, now_ms: i64) -> Vec<Delivery> {
        let carrier = &record.event.provenance.carrier_id;
        let (milestone, at) = (record.event.milestone, record.history.aggregated_at);
        let told = self.endpoints.for_milestone(carrier, milestone, at);
        told.filter_map(|webhook| of_event(record, &webhook.id, now_ms)).collect()
    }

    fn wants_events(&mut self) -> bool {
        self.look_up();
        self.endpoints.wants_events()
    }

    fn take_in(&mut self, at: At, delivery: Delivery, now_ms: i64) {
        self.schedule.take_in(at, delivery, now_ms);
    }

    fn erase(&mut self, at: At, erasure: &Erasure, now_ms: i64) {
        self.schedule.erase(at, &erasure.carrier_id, &erasure.shipment_id, now_ms);
    }

    fn begin_due(&mut self, now_ms: i64) -> Vec<(At, Delivery)> {
        self.look_up();
        self.collect(now_ms);
        if !self.held {
            for job in self.schedule.start(now_ms) {
                self.begin(job, now_ms);
            }
        }
        self.show(now_ms);
        let over = self.schedule.take_over();
        for (_, delivery) in &over {
            let (state, why) = (delivery.state.as_str(), delivery.why.as_str());
            metrics().deliveries.with_label_values(&[state, why]).inc();
            if delivery.state == DeliveryState::Dead && delivery.why != Why::Erased.as_str() {
                tracing::warn!(
                    carrier = delivery.carrier_id,
                    endpoint = delivery.endpoint_id,
                    id = delivery.delivery_id,
                    why,
                    attempts = delivery.attempts,
                    "given up: `waybill webhooks replay` has it tried again"
                );
            }
        }
        over
    }

    fn written(&mut self, ends: &[At]) {
        self.schedule.written(ends);
    }

    fn first_open(&self, partition: i32) -> Option<i64> {
        self.schedule.first_open(partition)
    }

    fn missing(&mut self, now_ms: i64) -> Option<(i32, BTreeSet<i64>)> {
        self.schedule.missing(now_ms)
    }

    fn bring(&mut self, at: At, payload: Vec<u8>, now_ms: i64) {
        self.schedule.bring(at, payload.into(), now_ms);
    }

    fn on_revoked(&mut self, partition: i32) {
        self.schedule.on_revoked(partition);
    }

    fn hold(&mut self, held: bool) {
        self.held = held;
    }

    fn is_busy(&self) -> bool {
        self.schedule.running() > 0
    }

    fn due_at(&self) -> Option<i64> {
        self.schedule.due_at()
    }
}
