//! An insert worker: it tries until the store has answered for each batch, or the lease has ended.

use std::time::Duration;

use waybill_host::event::Inserts;
use waybill_stage::{Inserted, SinkBatch};

use crate::Ms;
use crate::flaw::Flaw;
use crate::plan::{Moment, What};
use crate::servers::{REQUEST_TIMEOUT, Servers};

#[derive(Debug)]
struct Run {
    batch: SinkBatch,
    at: Ms,
    state: State,
}

#[derive(Debug)]
enum State {
    /// The next attempt comes.
    Waiting,
    Sent {
        attempt: Option<u64>,
        until: Ms,
    },
    Done(Option<Inserted>),
}

#[derive(Debug)]
pub struct Job {
    worker: usize,
    until: Ms,
    is_cancelled: bool,
    runs: Vec<Run>,
}

impl Job {
    pub fn new(worker: usize, batches: Vec<SinkBatch>, lease: Duration, s: &Servers) -> Self {
        let run = |batch| Run { batch, at: s.now, state: State::Waiting };
        let runs = batches.into_iter().map(run).collect();
        let lease = Ms::try_from(lease.as_millis()).expect("it is short");
        Self { worker, until: s.now + lease, is_cancelled: false, runs }
    }

    pub fn cancel(&mut self) {
        self.is_cancelled = true;
    }

    pub fn next_at(&self) -> Ms {
        let open = self.runs.iter().filter(|run| !matches!(run.state, State::Done(_)));
        open.map(|run| run.at).min().unwrap_or(0)
    }

    pub fn moment(&self) -> Moment {
        let is_due = |run: &&Run| run.at == self.next_at();
        match self.runs.iter().find(is_due).map(|run| &run.state) {
            Some(State::Waiting) => Moment::Insert,
            _ => Moment::Inserted,
        }
    }

    /// Takes the next step. With the last, it says what is known of each batch.
    pub fn step(&mut self, strike: Option<What>, s: &mut Servers) -> Option<Inserts> {
        let (may_begin, next_at) = (self.may_begin(s), self.next_at());
        let is_due = |run: &&mut Run| run.at == next_at && !matches!(run.state, State::Done(_));
        if let Some(run) = self.runs.iter_mut().find(is_due) {
            run.step(may_begin, strike, s);
        }
        if !self.runs.iter().all(|run| matches!(run.state, State::Done(_))) {
            return None;
        }
        let batches = self.runs.drain(..).map(|run| match run.state {
            State::Done(inserted) => (run.batch, inserted),
            _ => unreachable!("all are done"),
        });
        let batches = batches.collect();
        let pressure = s.random.permille(50).then(|| s.random.within(0, 100) as f64 / 100.0);
        Some(Inserts { worker: self.worker, batches, pressure })
    }

    fn may_begin(&self, s: &Servers) -> bool {
        (s.now < self.until && !self.is_cancelled) || s.is(Flaw::LeaseIgnored)
    }

    /// What is said where nobody waits for the store.
    pub fn unasked(&self, s: &Servers) -> Inserts {
        let done = |run: &Run| (run.batch.clone(), Some(s.store.decode(&run.batch).1));
        Inserts {
            worker: self.worker,
            batches: self.runs.iter().map(done).collect(),
            pressure: None,
        }
    }
}

impl Run {
    fn step(&mut self, may_begin: bool, strike: Option<What>, s: &mut Servers) {
        match &self.state {
            State::Waiting if !may_begin => self.state = State::Done(None),
            State::Waiting => self.send(strike, s),
            State::Sent { attempt, until } => {
                let (attempt, until) = (*attempt, *until);
                let answer = attempt.and_then(|attempt| s.answer(attempt));
                self.hear(answer, until, strike, s);
            }
            State::Done(_) => {}
        }
    }

    fn send(&mut self, strike: Option<What>, s: &mut Servers) {
        self.at = s.now + s.delay();
        if self.batch.again && s.is(Flaw::SkipsWhatIsThere) && s.store.has_any(&self.batch) {
            self.state = State::Done(Some(s.store.decode(&self.batch).1));
            return;
        }
        let mut batch = self.batch.clone();
        if batch.again && s.is(Flaw::OtherToken) {
            batch.token.push_str("/again");
        }
        s.count("inserts made again", usize::from(batch.again));
        let arrives = strike != Some(What::Lose { arrives: false });
        let attempt = arrives.then(|| s.attempt(&batch));
        let is_heard = !matches!(strike, Some(What::Lose { .. }));
        let attempt = attempt.filter(|_| is_heard);
        self.state = State::Sent { attempt, until: s.now + REQUEST_TIMEOUT };
    }

    fn hear(
        &mut self,
        answer: Option<Result<Inserted, ()>>,
        until: Ms,
        strike: Option<What>,
        s: &mut Servers,
    ) {
        let is_lost = matches!(strike, Some(What::Lose { .. }));
        match answer.filter(|_| !is_lost) {
            Some(Ok(mut inserted)) => {
                if s.is(Flaw::RefusalsForgotten) {
                    inserted.rejects.clear();
                }
                self.state = State::Done(Some(inserted));
            }
            Some(Err(())) => self.again(s),
            None if (is_lost || s.now >= until) && s.is(Flaw::SilenceOfInsertIsYes) => {
                self.state = State::Done(Some(s.store.decode(&self.batch).1));
            }
            None if is_lost || s.now >= until => self.again(s),
            None => self.at = s.now + s.random.within(5, 50),
        }
    }

    fn again(&mut self, s: &mut Servers) {
        self.at = s.now + s.random.within(100, 2_000);
        self.state = State::Waiting;
    }
}
