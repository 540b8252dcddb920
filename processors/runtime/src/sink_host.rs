//! Consume, batch by partition, insert, then commit the offsets. At least once: the protocol that
//! makes it exactly once goes around `insert` in [`Writer::write`], where the ranges are known.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, TryRecvError, sync_channel};
use std::time::{Duration, Instant};

use rdkafka::consumer::{CommitMode, Consumer};
use rdkafka::message::BorrowedMessage;
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};
use rdkafka::{Message, Offset, TopicPartitionList};
use waybill_schemas::Provenance;
use waybill_stage::{Code, Fault, Reject, Sink, SinkBatch, SinkRecord};

use crate::chain::dead_letter;
use crate::consumer::{Event, GroupConsumer, numbers};
use crate::health::now_ms;
use crate::metrics::{Tally, metrics};
use crate::{Health, HostSettings, Role, Shutdown, Values};

const STAGE: &str = "clickhouse";
const INPUTS: [Role; 3] = [Role::Events, Role::Shipments, Role::Rejects];

/// Runs `sink` until shutdown, or until a fault.
pub fn sink_host(
    settings: &HostSettings,
    sink: Box<dyn Sink>,
    values: &Values,
    health: &Health,
    shutdown: &Shutdown,
) -> Result<(), Fault> {
    let topics: Vec<&str> = INPUTS.iter().map(|r| settings.topics.name(*r)).collect();
    let consumer = Arc::new(GroupConsumer::join(&settings.consumer(), &topics)?);
    let writer = Writer::start(settings, sink, consumer.clone())?;
    SinkHost {
        settings,
        values,
        health,
        writer,
        batches: BTreeMap::new(),
        rows: 0,
        bytes: 0,
        rejects: Vec::new(),
        opened_at: None,
        paused: false,
    }
    .run(&consumer, shutdown)
}

struct SinkHost<'a> {
    settings: &'a HostSettings,
    values: &'a Values,
    health: &'a Health,
    writer: Writer,
    batches: BTreeMap<(Role, i32), SinkBatch>,
    /// Records that could not be opened: answered with the batch.
    rejects: Vec<Rejected>,
    rows: usize,
    bytes: usize,
    opened_at: Option<Instant>,
    paused: bool,
}

impl SinkHost<'_> {
    fn run(&mut self, consumer: &GroupConsumer, shutdown: &Shutdown) -> Result<(), Fault> {
        loop {
            self.health.beat();
            match consumer.next(Duration::from_millis(20))? {
                Event::Assigned(partitions) => {
                    consumer.take(&consumer.starts(&partitions)?)?;
                    metrics().assigned.add(i64::try_from(partitions.count()).unwrap_or(0));
                    self.health.set_ready(true);
                }
                Event::Revoked(partitions) => {
                    if consumer.has_lost_assignment() {
                        return Err(Fault("the group took our partitions away".to_owned()));
                    }
                    self.write_all()?;
                    let n = numbers(&partitions).len();
                    consumer.give(&partitions)?;
                    metrics().assigned.sub(i64::try_from(n).unwrap_or(0));
                }
                Event::Record(message) => self.take(&message)?,
                // One without partitions is ready to take over.
                Event::Tick if consumer.has_joined() => self.health.set_ready(true),
                Event::Tick => {}
            }
            self.writer.collect(false)?;
            if self.is_due() && self.writer.is_idle() {
                self.submit()?;
            }
            self.hold_back(consumer)?;
            if shutdown.is_requested() {
                return self.write_all();
            }
        }
    }

    fn is_full(&self) -> bool {
        self.rows >= self.settings.limits.records || self.bytes >= self.settings.limits.bytes
    }

    fn is_due(&self) -> bool {
        self.is_full() || self.opened_at.is_some_and(|at| at.elapsed() >= self.settings.limits.age)
    }

    /// Memory stays bounded while the sink is slow: reading pauses, membership goes on.
    fn hold_back(&mut self, consumer: &GroupConsumer) -> Result<(), Fault> {
        let wanted = self.is_full() && !self.writer.is_idle();
        if wanted != self.paused {
            let fault = |e: rdkafka::error::KafkaError| Fault(format!("pausing: {e}"));
            let all = consumer.inner().assignment().map_err(fault)?;
            if wanted { consumer.inner().pause(&all) } else { consumer.inner().resume(&all) }
                .map_err(fault)?;
            self.paused = wanted;
        }
        Ok(())
    }

    fn take(&mut self, message: &BorrowedMessage<'_>) -> Result<(), Fault> {
        let Some(role) =
            INPUTS.into_iter().find(|r| self.settings.topics.name(*r) == message.topic())
        else {
            return Err(Fault(format!("record of a topic not subscribed to: {}", message.topic())));
        };
        let (key, value) = (message.key().unwrap_or_default(), message.payload());
        let appended_at = message.timestamp().to_millis().unwrap_or_default();
        let opened = match value {
            Some(value) => self.values.open(role, key, value)?,
            None => None,
        };
        let batch = self.batches.entry((role, message.partition())).or_insert_with(|| SinkBatch {
            role: role.as_str(),
            topic: message.topic().to_owned(),
            partition: message.partition(),
            records: Vec::new(),
            next_offset: 0,
        });
        batch.next_offset = message.offset() + 1;
        match opened {
            Some(value) => {
                self.bytes += value.len();
                batch.records.push(SinkRecord { offset: message.offset(), value, appended_at });
            }
            None => self.rejects.push(Rejected {
                topic: message.topic().to_owned(),
                partition: message.partition(),
                offset: message.offset(),
                appended_at,
                provenance: None,
                position: 0,
                reject: Reject::new(Code::Internal, "").because("not_ours"),
            }),
        }
        self.rows += 1;
        self.opened_at.get_or_insert_with(Instant::now);
        Ok(())
    }

    fn submit(&mut self) -> Result<(), Fault> {
        if let Some(at) = self.opened_at.take() {
            metrics().batch_seconds.observe(at.elapsed().as_secs_f64());
        }
        #[allow(clippy::cast_precision_loss)]
        metrics().batch_records.observe(self.rows as f64);
        self.rows = 0;
        self.bytes = 0;
        self.writer.submit(Job {
            batches: std::mem::take(&mut self.batches).into_values().collect(),
            rejects: std::mem::take(&mut self.rejects),
        })
    }

    fn write_all(&mut self) -> Result<(), Fault> {
        while !self.writer.is_idle() {
            self.writer.collect(true)?;
        }
        if self.rows > 0 {
            self.submit()?;
        }
        while !self.writer.is_idle() {
            self.writer.collect(true)?;
        }
        Ok(())
    }
}

impl Drop for SinkHost<'_> {
    fn drop(&mut self) {
        self.health.set_ready(false);
        metrics().assigned.set(0);
    }
}

struct Rejected {
    topic: String,
    partition: i32,
    offset: i64,
    appended_at: i64,
    provenance: Option<Arc<Provenance>>,
    position: u32,
    reject: Reject,
}

struct Job {
    batches: Vec<SinkBatch>,
    rejects: Vec<Rejected>,
}

/// Inserts on a thread of its own, so that the loop goes on reading and stays in its group.
struct Writer {
    jobs: Option<SyncSender<Job>>,
    done: Receiver<Result<(), Fault>>,
    in_flight: usize,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Writer {
    fn start(
        settings: &HostSettings,
        mut sink: Box<dyn Sink>,
        consumer: Arc<GroupConsumer>,
    ) -> Result<Self, Fault> {
        let mut config = settings.connection.client();
        config
            .set("enable.idempotence", "true")
            .set("linger.ms", "5")
            .set("partitioner", "murmur2_random");
        let producer: BaseProducer =
            config.create().map_err(|e| Fault(format!("producer: {e}")))?;
        let rejects_topic = settings.topics.name(Role::Rejects).to_owned();
        let (jobs, inbox) = sync_channel::<Job>(1);
        let (outbox, done) = sync_channel(2);
        let thread = std::thread::Builder::new()
            .name("writer".to_owned())
            .spawn(move || {
                for job in inbox {
                    let result = write(sink.as_mut(), &consumer, &producer, &rejects_topic, job);
                    let failed = result.is_err();
                    if outbox.send(result).is_err() || failed {
                        break;
                    }
                }
            })
            .map_err(|e| Fault(format!("thread: {e}")))?;
        Ok(Self { jobs: Some(jobs), done, in_flight: 0, thread: Some(thread) })
    }

    fn is_idle(&self) -> bool {
        self.in_flight == 0
    }

    fn submit(&mut self, job: Job) -> Result<(), Fault> {
        let gone = || Fault("the writer has ended".to_owned());
        self.jobs.as_ref().ok_or_else(gone)?.send(job).map_err(|_| gone())?;
        self.in_flight += 1;
        Ok(())
    }

    fn collect(&mut self, wait: bool) -> Result<(), Fault> {
        if self.in_flight == 0 {
            return Ok(());
        }
        let gone = || Fault("the writer has ended".to_owned());
        let result = if wait {
            self.done.recv().map_err(|_| gone())?
        } else {
            match self.done.try_recv() {
                Ok(result) => result,
                Err(TryRecvError::Empty) => return Ok(()),
                Err(TryRecvError::Disconnected) => return Err(gone()),
            }
        };
        self.in_flight -= 1;
        result
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.jobs = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// Insert, dead letters, offsets: in this order, so that a crash repeats and never loses.
fn write(
    sink: &mut dyn Sink,
    consumer: &GroupConsumer,
    producer: &BaseProducer,
    rejects_topic: &str,
    job: Job,
) -> Result<(), Fault> {
    let Job { batches, mut rejects } = job;
    let inserted = sink.insert(&batches)?;
    for refused in inserted.rejects {
        let Some(batch) = batches.get(refused.batch) else { continue };
        let appended_at =
            batch.records.iter().find(|r| r.offset == refused.offset).map_or(0, |r| r.appended_at);
        rejects.push(Rejected {
            topic: batch.topic.clone(),
            partition: batch.partition,
            offset: refused.offset,
            appended_at,
            provenance: refused.provenance,
            position: refused.position,
            reject: refused.reject,
        });
    }
    let mut tally = Tally::default();
    let stage = tally.stage(STAGE);
    stage.passed = inserted.rows;
    stage.events_passed = inserted.rows;
    stage.rejected = rejects.len() as u64;
    stage.events_rejected = rejects.len() as u64;
    for r in &rejects {
        stage.reject(&r.reject);
    }
    answer(producer, rejects_topic, rejects)?;
    let mut offsets = TopicPartitionList::new();
    for batch in &batches {
        offsets
            .add_partition_offset(&batch.topic, batch.partition, Offset::Offset(batch.next_offset))
            .map_err(|e| Fault(format!("offsets: {e}")))?;
    }
    consumer
        .inner()
        .commit(&offsets, CommitMode::Sync)
        .map_err(|e| Fault(format!("committing offsets: {e}")))?;
    tally.publish();
    Ok(())
}

fn answer(producer: &BaseProducer, topic: &str, rejects: Vec<Rejected>) -> Result<(), Fault> {
    if rejects.is_empty() {
        return Ok(());
    }
    for r in rejects {
        // Without provenance nobody knows whose it is: the detail names the record itself.
        let provenance = r.provenance.unwrap_or_else(|| {
            Arc::new(Provenance {
                source_partition: -1,
                source_offset: -1,
                received_at: r.appended_at,
                ..Provenance::default()
            })
        });
        let mut reject = r.reject;
        reject.detail =
            format!("{}-{}@{} {}", r.topic, r.partition, r.offset, reject.detail).into();
        let record = dead_letter(STAGE, &provenance, r.position, reject, now_ms());
        let mut value = Vec::new();
        waybill_schemas::encode(&record, &mut value).map_err(|e| Fault(e.to_string()))?;
        producer
            .send(BaseRecord::to(topic).key(&record.carrier_id).payload(&value))
            .map_err(|(e, _)| Fault(format!("producing a reject: {e}")))?;
    }
    producer.flush(Duration::from_secs(15)).map_err(|e| Fault(format!("producing rejects: {e}")))
}
