//! The servers of a world, and what goes on between them and the instances: requests that are under way, markers that
//! are still to be written, sessions that end.

use std::collections::BTreeMap;

use waybill_stage::{Inserted, SinkBatch};

use crate::Ms;
use crate::flaw::Flaw;
use crate::group::Group;
use crate::log::Log;
use crate::plan::{Moment, Planned, What};
use crate::random::Random;
use crate::store::Store;
use crate::transactions::{Touched, TransactionId};

/// A request to the store ends by then, with or without an answer.
pub const REQUEST_TIMEOUT: Ms = 10_000;

/// An insert on its way, or at the store. Nobody may wait for it any more.
#[derive(Debug)]
struct Attempt {
    /// When it arrives, or the store's next step.
    at: Ms,
    batch: Option<SinkBatch>,
    insert: Option<u64>,
}

#[derive(Debug)]
pub struct Servers {
    pub now: Ms,
    pub random: Random,
    pub log: Log,
    pub groups: Vec<Group>,
    pub store: Store,
    pub flaw: Option<Flaw>,
    pub faults: Vec<Planned>,
    /// What must not be, and was.
    pub wrong: Vec<String>,
    /// How often what that makes a history a hard one.
    pub happened: BTreeMap<&'static str, usize>,
    /// What happened, if anybody wants to know.
    pub history: Option<Vec<String>>,
    tick_at: Ms,
    markers: BTreeMap<(TransactionId, Touched), Ms>,
    markers_slow_until: Ms,
    attempts: BTreeMap<u64, Attempt>,
    attempted: u64,
    /// Of attempts that have ended; with an error, nobody knows what became of it.
    answers: BTreeMap<u64, Result<Inserted, ()>>,
}

impl Servers {
    pub fn new(seed: u64, log: Log, groups: Vec<Group>, store: Store) -> Self {
        Self {
            now: 0,
            random: Random::new(seed ^ 0x5EED),
            log,
            groups,
            store,
            flaw: None,
            faults: Vec::new(),
            wrong: Vec::new(),
            happened: BTreeMap::new(),
            history: None,
            tick_at: 0,
            markers: BTreeMap::new(),
            markers_slow_until: 0,
            attempts: BTreeMap::new(),
            attempted: 0,
            answers: BTreeMap::new(),
        }
    }

    pub fn is(&self, flaw: Flaw) -> bool {
        self.flaw == Some(flaw)
    }

    /// True so many times in a thousand, where the flaw is there.
    pub fn sometimes(&mut self, flaw: Flaw, permille: u64) -> bool {
        self.is(flaw) && self.random.permille(permille)
    }

    pub fn say(&mut self, what: impl FnOnce() -> String) {
        let now = self.now;
        if let Some(history) = &mut self.history {
            history.push(format!("{now:>7} {}", what()));
        }
    }

    /// This happened, so many times.
    pub fn count(&mut self, what: &'static str, times: usize) {
        if times > 0 {
            *self.happened.entry(what).or_default() += times;
        }
    }

    /// What must not be.
    pub fn find(&mut self, what: String) {
        self.say(|| format!("WRONG: {what}"));
        self.wrong.push(what);
    }

    /// How long something takes: little, mostly.
    pub fn delay(&mut self) -> Ms {
        match self.random.within(0, 100) {
            0..90 => self.random.within(1, 15),
            90..99 => self.random.within(15, 200),
            _ => self.random.within(200, 3_000),
        }
    }

    /// What goes wrong now, with an instance that is about to do this.
    pub fn strike(&mut self, name: &str, moment: Moment) -> Option<What> {
        let is_due = |fault: &Planned| fault.moment == moment && fault.after <= self.now;
        let at = self.faults.iter().position(is_due)?;
        let what = self.faults.remove(at).what;
        self.say(|| format!("{name}: {what:?} before {moment:?}"));
        match what {
            What::StoreCrash => self.crash_store(),
            What::SlowMarkers(long) => self.markers_slow_until = self.now + long,
            what => return Some(what),
        }
        None
    }

    fn crash_store(&mut self) {
        let cut = self.store.crash();
        self.count("inserts cut off", cut.len());
        let is_cut = |attempt: &Attempt| attempt.insert.is_some_and(|insert| cut.contains(&insert));
        let ended: Vec<u64> =
            self.attempts.iter().filter(|(_, a)| is_cut(a)).map(|(id, _)| *id).collect();
        for id in ended {
            self.attempts.remove(&id);
            self.answers.insert(id, Err(()));
        }
    }

    /// Sends an insert to the store.
    pub fn attempt(&mut self, batch: &SinkBatch) -> u64 {
        self.attempted += 1;
        let late = self.random.permille(30);
        self.count("inserts that arrive late", usize::from(late));
        let takes = if late { self.random.within(200, REQUEST_TIMEOUT) } else { self.delay() };
        let attempt = Attempt { at: self.now + takes, batch: Some(batch.clone()), insert: None };
        self.attempts.insert(self.attempted, attempt);
        self.attempted
    }

    pub fn answer(&mut self, attempt: u64) -> Option<Result<Inserted, ()>> {
        self.answers.remove(&attempt)
    }

    /// Markers are looked for at once.
    pub fn wake(&mut self) {
        self.tick_at = self.now;
    }

    pub fn next_at(&self) -> Ms {
        let markers = self.markers.values().copied();
        let attempts = self.attempts.values().map(|attempt| attempt.at);
        markers.chain(attempts).chain([self.tick_at]).min().unwrap_or(Ms::MAX)
    }

    pub fn step(&mut self) {
        let now = self.now;
        if self.tick_at <= now {
            self.tick();
        }
        let due: Vec<_> = self.markers.iter().filter(|(_, at)| **at <= now).map(|m| *m.0).collect();
        for marker in due {
            self.markers.remove(&marker);
            self.log.mark(marker.0, marker.1);
        }
        let due: Vec<u64> =
            self.attempts.iter().filter(|(_, a)| a.at <= now).map(|(id, _)| *id).collect();
        for id in due {
            self.step_attempt(id);
        }
    }

    fn tick(&mut self) {
        self.tick_at = self.now + self.random.within(50, 200);
        self.log.producers.time_out(self.now);
        for group in &mut self.groups {
            group.pass(self.now, &mut self.random);
        }
        for marker in self.log.producers.unmarked() {
            if !self.markers.contains_key(&marker) {
                let at = (self.now + self.delay()).max(self.markers_slow_until);
                self.markers.insert(marker, at);
            }
        }
    }

    fn step_attempt(&mut self, id: u64) {
        let takes = self.delay();
        let Some(attempt) = self.attempts.get_mut(&id) else { return };
        attempt.at = self.now + takes;
        if let Some(batch) = attempt.batch.take() {
            attempt.insert = Some(self.store.begin(&batch, self.now));
            return;
        }
        let insert = attempt.insert.expect("it has arrived");
        if let Some(inserted) = self.store.step(insert, self.now) {
            self.attempts.remove(&id);
            self.answers.insert(id, Ok(inserted));
        }
    }

    pub fn are_idle(&self) -> bool {
        self.attempts.is_empty() && self.store.is_idle() && !self.log.producers.is_any_open()
    }
}
