//! The sink, on a thread of its own, so that the loop goes on reading and stays in its group.

use std::time::{Duration, Instant};

use waybill_host::event::Inserts;
use waybill_stage::{Fault, Lease, Sink, SinkBatch, Stored};

/// How often the store is asked how it does.
const ASK: Duration = Duration::from_secs(10);

pub(crate) struct Job {
    pub(crate) batches: Vec<SinkBatch>,
    pub(crate) lease: Lease,
}

pub(crate) struct Inserter {
    worker: usize,
    sink: Box<dyn Sink>,
    asked: Option<Instant>,
}

impl Inserter {
    pub(crate) fn new(worker: usize, sink: Box<dyn Sink>) -> Self {
        Self { worker, sink, asked: None }
    }

    pub(crate) fn work(&mut self, job: Job) -> Result<Inserts, Fault> {
        let answers = self.sink.insert(&job.batches, &job.lease)?;
        if answers.len() != job.batches.len() {
            return Err(Fault("the sink has not answered for each batch".to_owned()));
        }
        let answers = answers.into_iter().map(|answer| match answer {
            Stored::Done(inserted) => Some(inserted),
            Stored::Unknown => None,
        });
        let batches = job.batches.into_iter().zip(answers).collect();
        Ok(Inserts { worker: self.worker, batches, pressure: self.pressure() })
    }

    fn pressure(&mut self) -> Option<f64> {
        if self.asked.is_some_and(|at| at.elapsed() < ASK) {
            return None;
        }
        self.asked = Some(Instant::now());
        // Rows go in all the same, only not with regard to how the store does.
        let asked = self.sink.pressure();
        asked.inspect_err(|fault| tracing::warn!(%fault, "the store does not say how it does")).ok()
    }
}
