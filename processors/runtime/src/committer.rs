//! One batch, one Kafka transaction, on a thread of its own: while it commits, the host works on
//! the next batch.

use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rdkafka::TopicPartitionList;
use rdkafka::client::ClientContext;
use rdkafka::consumer::ConsumerGroupMetadata;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::producer::{BaseProducer, BaseRecord, NoCustomPartitioner, Producer, ProducerContext};
use waybill_stage::Fault;

use crate::metrics::metrics;
use crate::{Batch, HostSettings, Role, Topics};

const CALL_TIMEOUT: Duration = Duration::from_secs(15);
/// A retriable error is tried again for this long: then the host starts from the last commit.
const PATIENCE: Duration = Duration::from_secs(30);

struct Job {
    batch: Batch,
    group: ConsumerGroupMetadata,
}

pub(crate) struct Committer {
    jobs: Option<SyncSender<Job>>,
    done: Receiver<Result<Batch, Fault>>,
    in_flight: usize,
    thread: Option<JoinHandle<()>>,
}

impl Committer {
    /// Ends what an earlier process of the same transactional id left open, then waits for work.
    pub(crate) fn start(settings: &HostSettings, input: Role) -> Result<Self, Fault> {
        let producer: BaseProducer<Quiet> = settings
            .producer()
            .create_with_context(Quiet)
            .map_err(|e| Fault(format!("producer: {e}")))?;
        patient("init_transactions", || producer.init_transactions(CALL_TIMEOUT))?;
        let (jobs, inbox) = sync_channel::<Job>(1);
        let (outbox, done) = sync_channel(2);
        let topics = settings.topics.clone();
        let thread = std::thread::Builder::new()
            .name("committer".to_owned())
            .spawn(move || {
                for Job { batch, group } in inbox {
                    let result = commit(&producer, &topics, input, &batch, &group).map(|()| batch);
                    let failed = result.is_err();
                    if outbox.send(result).is_err() || failed {
                        break;
                    }
                }
            })
            .map_err(|e| Fault(format!("thread: {e}")))?;
        Ok(Self { jobs: Some(jobs), done, in_flight: 0, thread: Some(thread) })
    }

    pub(crate) fn is_idle(&self) -> bool {
        self.in_flight == 0
    }

    pub(crate) fn submit(
        &mut self,
        batch: Batch,
        group: ConsumerGroupMetadata,
    ) -> Result<(), Fault> {
        let gone = || Fault("the committer has ended".to_owned());
        self.jobs.as_ref().ok_or_else(gone)?.send(Job { batch, group }).map_err(|_| gone())?;
        self.in_flight += 1;
        Ok(())
    }

    /// A committed batch, if one is done by now, or within `wait`.
    pub(crate) fn collect(&mut self, wait: Duration) -> Result<Option<Batch>, Fault> {
        if self.in_flight == 0 {
            return Ok(None);
        }
        match self.done.recv_timeout(wait) {
            Ok(result) => {
                self.in_flight -= 1;
                result.map(Some)
            }
            Err(RecvTimeoutError::Timeout) => Ok(None),
            Err(RecvTimeoutError::Disconnected) => Err(Fault("the committer has ended".to_owned())),
        }
    }
}

impl Drop for Committer {
    fn drop(&mut self) {
        self.jobs = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn commit(
    producer: &BaseProducer<Quiet>,
    topics: &Topics,
    input: Role,
    batch: &Batch,
    group: &ConsumerGroupMetadata,
) -> Result<(), Fault> {
    let began = Instant::now();
    let result = transaction(producer, topics, input, batch, group);
    if let Err(fault) = result {
        metrics().transactions.with_label_values(&["aborted"]).inc();
        // Tells the broker now; were it to fail, the next init_transactions does it.
        let _ = producer.abort_transaction(CALL_TIMEOUT);
        return Err(fault);
    }
    metrics().transactions.with_label_values(&["committed"]).inc();
    metrics().transaction_seconds.observe(began.elapsed().as_secs_f64());
    Ok(())
}

fn transaction(
    producer: &BaseProducer<Quiet>,
    topics: &Topics,
    input: Role,
    batch: &Batch,
    group: &ConsumerGroupMetadata,
) -> Result<(), Fault> {
    let fault = |what: &str, e: &dyn std::fmt::Display| Fault(format!("{what}: {e}"));
    producer.begin_transaction().map_err(|e| fault("begin_transaction", &e))?;
    for out in batch.outgoing() {
        let mut record = BaseRecord::to(topics.name(out.role)).key(out.key);
        record.partition = out.partition;
        record.payload = out.value;
        let mut waited = Duration::ZERO;
        while let Err((error, back)) = producer.send(record) {
            let full = error.rdkafka_error_code() == Some(RDKafkaErrorCode::QueueFull);
            if !full || waited > CALL_TIMEOUT {
                return Err(fault("producing", &error));
            }
            // The queue is librdkafka's bound on memory; the polling thread empties it.
            let pause = Duration::from_millis(1);
            producer.poll(pause);
            waited += pause;
            record = back;
        }
    }
    let mut offsets = TopicPartitionList::new();
    for (partition, next) in &batch.offsets {
        offsets
            .add_partition_offset(topics.name(input), *partition, rdkafka::Offset::Offset(*next))
            .map_err(|e| fault("offsets", &e))?;
    }
    patient("send_offsets_to_transaction", || {
        producer.send_offsets_to_transaction(&offsets, group, CALL_TIMEOUT)
    })?;
    deliver(producer)?;
    patient("commit_transaction", || producer.commit_transaction(CALL_TIMEOUT))
}

/// Waits for what was produced to be delivered, instead of the flush within the binding's
/// `commit_transaction`, which waits in steps of 100 ms whatever comes in between. A flush without
/// a wait wakes the threads that send.
fn deliver(producer: &BaseProducer<Quiet>) -> Result<(), Fault> {
    let began = Instant::now();
    while producer.flush(Duration::ZERO).is_err() {
        if began.elapsed() > CALL_TIMEOUT {
            return Err(Fault("producing: no answer".to_owned()));
        }
        producer.poll(Duration::from_millis(2));
    }
    Ok(())
}

/// Calls again what librdkafka calls retriable: the outcome of the first call is unknown, and the
/// call is idempotent. Everything else is for the host: abort, and go back to the last commit.
fn patient(what: &str, call: impl Fn() -> Result<(), KafkaError>) -> Result<(), Fault> {
    let began = Instant::now();
    loop {
        match call() {
            Ok(()) => return Ok(()),
            Err(KafkaError::Transaction(error))
                if error.is_retriable() && began.elapsed() < PATIENCE =>
            {
                std::thread::sleep(Duration::from_millis(20));
            }
            Err(error) => return Err(Fault(format!("{what}: {error}"))),
        }
    }
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
