//! The two kinds of process that read records: one runs stages, the other fills a store.

use std::sync::LazyLock;

use waybill_host::chain::OutputContext;
use waybill_host::input::Input;
use waybill_host::processor::{Incoming, Processor};
use waybill_host::sink_task::{SinkTask, WORKERS};
use waybill_host::stage_task::StageTask;
use waybill_host::topic_cipher::TopicCipher;
use waybill_schemas::Role;
use waybill_schemas::pipeline::StageTopics;
use waybill_stage::{Fault, Sink};

use crate::crash_point::crash_point;
use crate::driver::{Driven, drive};
use crate::health::now_ms;
use crate::{Health, HostSettings, Shutdown};

/// This process, among all that there ever are.
static ME: LazyLock<String> = LazyLock::new(|| format!("{}-{}", std::process::id(), now_ms()));

/// Runs `processor` until shutdown, or until a fault; what was not committed is then read again.
pub fn run_stages<P: Processor>(
    settings: &HostSettings,
    processor: P,
    cipher: &TopicCipher,
    health: &Health,
    shutdown: &Shutdown,
) -> Result<(), Fault> {
    let inputs = processor.inputs();
    let task = StageTask::new(Mortal(processor), cipher, settings.limits, ME.clone());
    let driven = Driven { settings, inputs, name: "stages", health, shutdown };
    drive(&driven, task, Vec::new())
}

/// Runs the sinks that `sink` makes until shutdown, or until a fault; the next life takes over what is committed.
pub fn run_sink(
    settings: &HostSettings,
    topics: StageTopics,
    sink: &dyn Fn() -> Result<Box<dyn Sink>, Fault>,
    cipher: &TopicCipher,
    health: &Health,
    shutdown: &Shutdown,
) -> Result<(), Fault> {
    let sinks = (0..WORKERS).map(|_| sink()).collect::<Result<Vec<_>, Fault>>()?;
    let task = SinkTask::new(topics, cipher, settings.limits);
    let driven = Driven { settings, inputs: topics.inputs, name: "sink", health, shutdown };
    drive(&driven, task, sinks)
}

/// For tests: `FAILPOINTS=record_OFFSET=return` makes the record there end its process.
struct Mortal<P>(P);

impl<P: Processor> Processor for Mortal<P> {
    type State = P::State;

    fn stages(&self) -> Vec<&'static str> {
        self.0.stages()
    }

    fn inputs(&self) -> &'static [Role] {
        self.0.inputs()
    }

    fn at_once(&self) -> usize {
        self.0.at_once()
    }

    fn look_ahead(&mut self, records: &[Incoming<'_>], cipher: &TopicCipher, now_ms: i64) {
        self.0.look_ahead(records, cipher, now_ms);
    }

    fn waits(&self, now_ms: i64) -> Option<Role> {
        self.0.waits(now_ms)
    }

    fn process(&mut self, record: &Incoming<'_>, out: &mut OutputContext<'_>) -> Result<(), Fault> {
        if cfg!(feature = "failpoints") {
            crash_point(&format!("record_{}", record.offset));
        }
        self.0.process(record, out)
    }

    fn close(&mut self, out: &mut OutputContext<'_>) -> Result<(), Fault> {
        self.0.close(out)
    }

    fn state_of(&mut self, input: &Input) -> Result<Option<(Role, P::State)>, Fault> {
        self.0.state_of(input)
    }

    fn on_assigned(&mut self, input: &Input, state: Option<P::State>) -> Result<(), Fault> {
        self.0.on_assigned(input, state)
    }

    fn on_revoked(&mut self, input: &Input) {
        self.0.on_revoked(input);
    }
}
