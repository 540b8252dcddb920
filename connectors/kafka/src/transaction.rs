//! One batch, one Kafka transaction: outputs, and how far the input was read.

use std::time::{Duration, Instant};

use rdkafka::TopicPartitionList;
use rdkafka::client::ClientContext;
use rdkafka::error::KafkaError;
use rdkafka::producer::{BaseProducer, BaseRecord, NoCustomPartitioner, Producer, ProducerContext};
use waybill_host::batch::Batch;
use waybill_host::mark;
use waybill_host::metrics::metrics;
use waybill_stage::Fault;

use crate::consumer::CommitAs;
use crate::crash_point::crash_point;
use crate::hand_over::{Portion, deliver, serve};
use crate::partition_counts::PartitionCounts;
use crate::rights::refused;
use crate::{HostSettings, Topics, timeouts};

/// Why a batch is not committed, by what may be done about it.
#[derive(Debug)]
pub(crate) enum Failed {
    /// Nothing of it is visible, nor will be: the same batch may be committed anew.
    Aborted(String),
    /// Nobody knows, or nobody of this name may write any more: only the group's committed
    /// offsets can tell what comes next.
    Unknown(Fault),
}

pub(crate) struct Transactor {
    producer: BaseProducer<Quiet>,
    settings: HostSettings,
    topics: Topics,
    partitions: PartitionCounts,
    /// It has aborted a transaction: the next one needs a producer that begins anew.
    ///
    /// librdkafka (2.12, `rd_kafka_toppar_purge_queues`) gives the sequence numbers of what an abort
    /// took out of its queues to the records that follow, as if none of it had ever been sent. A
    /// batch that the broker has appended, but whose answer was lost with its connection, lies in
    /// that queue too, to be sent again. The broker then takes the next batch for a copy of that one,
    /// says so, and drops it; librdkafka calls it delivered, and the commit succeeds without it. A new
    /// producer begins a new epoch, whose numbers are its own.
    has_aborted: bool,
}

impl Transactor {
    /// Ends what an earlier process of the same transactional id left open.
    pub(crate) fn start(settings: &HostSettings) -> Result<Self, Fault> {
        let producer: BaseProducer<Quiet> = settings
            .producer()
            .create_with_context(Quiet)
            .map_err(|e| Fault(format!("producer: {e}")))?;
        let began = Instant::now();
        loop {
            match producer.init_transactions(timeouts::CALL) {
                Ok(()) => {
                    let topics = settings.topics.clone();
                    let settings = settings.clone();
                    let partitions = PartitionCounts::default();
                    return Ok(Self { producer, settings, topics, partitions, has_aborted: false });
                }
                Err(error) if is_retriable(&error) && began.elapsed() < timeouts::RETRY => {}
                Err(error) => {
                    let right = settings.transactional();
                    return Err(refused(&settings.connection, &error, &right)
                        .unwrap_or_else(|| Fault(format!("init_transactions: {error}"))));
                }
            }
        }
    }

    /// Commits `batch` as the member of the group that we were. The coordinator refuses it if that is no
    /// longer so.
    pub(crate) fn commit(&mut self, batch: &Batch, member: &CommitAs) -> Result<(), Failed> {
        let began = Instant::now();
        if self.has_aborted {
            *self = Self::start(&self.settings).map_err(Failed::Unknown)?;
        }
        let client = self.producer.client();
        self.partitions
            .bring(client, &self.topics, batch.hashed_roles())
            .map_err(|fault| Failed::Aborted(fault.0))?;
        crash_point("transaction_begun");
        let result = self.transaction(batch, member);
        crash_point("transaction_committed");
        self.has_aborted = result.is_err();
        let outcome = if result.is_ok() { "committed" } else { "aborted" };
        metrics().transactions.with_label_values(&[outcome]).inc();
        metrics().transaction_seconds.observe(began.elapsed().as_secs_f64());
        result
    }

    fn transaction(&self, batch: &Batch, member: &CommitAs) -> Result<(), Failed> {
        self.producer.begin_transaction().map_err(|e| self.end("begin_transaction", &e))?;
        self.send(batch)?;
        let offsets =
            self.offsets(batch, member).map_err(|e| self.abort(format!("offsets: {e}")))?;
        self.patient("send_offsets_to_transaction", || {
            self.producer.send_offsets_to_transaction(&offsets, &member.group, timeouts::CALL)
        })?;
        crash_point("transaction_sent");
        self.deliver()?;
        crash_point("transaction_delivered");
        self.patient("commit_transaction", || self.producer.commit_transaction(timeouts::CALL))
    }

    /// Hands the records over: each partition's share is one request (`hand_over.rs`), unless there
    /// is more of it than goes into one.
    fn send(&self, batch: &Batch) -> Result<(), Failed> {
        let mut portion = Portion::default();
        for out in batch.outgoing() {
            let bytes = out.key.len() + out.value.map_or(0, <[u8]>::len);
            if !portion.has_room(bytes) {
                self.deliver()?;
                portion = Portion::default();
            }
            portion.add(bytes);
            let mut record = BaseRecord::to(self.topics.name(out.role)).key(out.key);
            record.partition = self
                .partitions
                .number(out.role, out.placement)
                .map_err(|fault| self.abort(fault.0))?;
            record.payload = out.value;
            self.producer.send(record).map_err(|(error, _)| self.end("producing", &error))?;
        }
        Ok(())
    }

    fn offsets(&self, batch: &Batch, member: &CommitAs) -> Result<TopicPartitionList, KafkaError> {
        let mut offsets = TopicPartitionList::new();
        for (input, committed) in &batch.offsets {
            let topic: &str = &input.topic;
            let mut entry = offsets.add_partition(topic, input.partition);
            entry.set_offset(rdkafka::Offset::Offset(committed.offset))?;
            let id = member.topics.get(topic).map_or("", |identity| &identity.id);
            entry.set_metadata(mark::write(&committed.metadata, id));
        }
        Ok(offsets)
    }

    /// Delivery failures surface in the commit.
    fn deliver(&self) -> Result<(), Failed> {
        if deliver(&self.producer, timeouts::CALL) {
            return Ok(());
        }
        Err(self.abort("producing: no answer".to_owned()))
    }

    /// Calls again what librdkafka calls retriable: the outcome of the first call is unknown, and
    /// the call is idempotent.
    fn patient(&self, what: &str, call: impl Fn() -> Result<(), KafkaError>) -> Result<(), Failed> {
        let began = Instant::now();
        loop {
            match call() {
                Ok(()) => return Ok(()),
                Err(error) if is_retriable(&error) && began.elapsed() < timeouts::RETRY => {
                    std::thread::sleep(Duration::from_millis(20));
                }
                Err(error) => return Err(self.end(what, &error)),
            }
        }
    }

    /// What an error that is not retried leaves behind.
    fn end(&self, what: &str, error: &KafkaError) -> Failed {
        let why = format!("{what}: {error}");
        match error {
            KafkaError::Transaction(e) if e.txn_requires_abort() => self.abort(why),
            KafkaError::Transaction(_) => Failed::Unknown(Fault(why)),
            _ => self.abort(why),
        }
    }

    /// In short steps, between which the deliveries that librdkafka waits for are served.
    fn abort(&self, why: String) -> Failed {
        let began = Instant::now();
        loop {
            match self.producer.abort_transaction(Duration::from_millis(200)) {
                Ok(()) => return Failed::Aborted(why),
                Err(error) if is_retriable(&error) && began.elapsed() < timeouts::RETRY => {
                    std::thread::sleep(Duration::from_millis(1));
                    serve(&self.producer);
                }
                Err(error) => {
                    return Failed::Unknown(Fault(format!("{why}; aborting it: {error}")));
                }
            }
        }
    }
}

fn is_retriable(error: &KafkaError) -> bool {
    matches!(error, KafkaError::Transaction(e) if e.is_retriable())
}

/// Delivery failures surface in `commit_transaction`.
#[derive(Clone)]
struct Quiet;

impl ClientContext for Quiet {
    fn error(&self, error: KafkaError, reason: &str) {
        tracing::warn!(target: "kafka", %error, reason, "kafka client");
    }
}

impl ProducerContext<NoCustomPartitioner> for Quiet {
    type DeliveryOpaque = ();
    fn delivery(&self, _: &rdkafka::message::DeliveryResult<'_>, (): ()) {}
}
