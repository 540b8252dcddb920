//! An instance: the real host, and a driver that does what it asks for, as the one on librdkafka does.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use waybill_host::event::{Command, Event, Now, Paused};
use waybill_host::host::Host;
use waybill_host::task::Task;
use waybill_stage::Fault;

use crate::Ms;
use crate::client::{BEAT_EVERY, Change, Client};
use crate::committing::{Commit, Outcome, Transactor};
use crate::content::was_killed;
use crate::faulty::Faulty;
use crate::flaw::Flaw;
use crate::inserting::Job;
use crate::log::Place;
use crate::plan::{Moment, What};
use crate::reading::{ReadingJob, input};
use crate::seen::Restored;
use crate::servers::Servers;
use crate::telling;

/// The moment since the world began, and also in UTC.
pub fn at(now: Ms) -> Now {
    let since = u64::try_from(now).expect("time goes on");
    Now { at: Duration::from_millis(since), utc_ms: now }
}

/// An instance of whatever task.
pub trait Node {
    /// When it does something next.
    fn next_at(&self) -> Ms;
    fn step(&mut self, s: &mut Servers);
    /// It has ended.
    fn is_over(&self) -> bool;
    /// It waits for nothing.
    fn is_idle(&self) -> bool;
}

pub struct Instance<T: Task> {
    pub name: String,
    pub group: usize,
    pub host: Host<Faulty<T>>,
    pub out: Vec<Command<T::Restorer>>,
    pub transactor: Transactor,
    /// It has begun: nothing of an earlier life is open any more.
    pub is_ready: bool,
    pub client: Client,
    pub client_at: Ms,
    pub turn_at: Ms,
    pub frozen_until: Ms,
    pub commit: Option<Commit>,
    pub inserts: Vec<Job>,
    /// That nobody waits for any more, though they should.
    pub unasked: Vec<Job>,
    pub reading: Option<ReadingJob<T::Restorer>>,
    /// Where reading of those that are being taken on begins.
    pub starts: BTreeMap<Place, i64>,
    pub inbox: VecDeque<Event<T::Restorer>>,
    pub positions: BTreeMap<Place, i64>,
    pub paused: Paused,
    /// A shutdown was asked for.
    pub is_to_stop: bool,
    pub is_over: bool,
}

/// Which part of an instance is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    Client,
    Turn,
    Commit,
    Insert(usize),
    Unasked(usize),
    Reading,
}

impl<T: Task> Instance<T>
where
    T::Restorer: Restored,
{
    pub fn new(slot: (usize, usize), life: u32, task: T, s: &mut Servers) -> Self {
        let (group, number) = slot;
        let transactor = Transactor::new(format!("group-{group}-{number}"), group);
        Self {
            name: format!("{group}.{number}/{life}"),
            group,
            host: Host::new(Faulty::new(task, s.flaw)),
            out: Vec::new(),
            transactor,
            is_ready: false,
            client: Client::default(),
            client_at: Ms::MAX,
            turn_at: s.now,
            frozen_until: 0,
            commit: None,
            inserts: Vec::new(),
            unasked: Vec::new(),
            reading: None,
            starts: BTreeMap::new(),
            inbox: VecDeque::new(),
            positions: BTreeMap::new(),
            paused: Paused::Nothing,
            is_to_stop: false,
            is_over: false,
        }
    }

    fn parts(&self) -> impl Iterator<Item = (Ms, Part)> + '_ {
        let inserts = self.inserts.iter().enumerate();
        let unasked = self.unasked.iter().enumerate();
        [(self.client_at, Part::Client), (self.turn_at, Part::Turn)]
            .into_iter()
            .chain(self.commit.iter().map(|commit| (commit.at, Part::Commit)))
            .chain(inserts.map(|(n, job)| (job.next_at(), Part::Insert(n))))
            .chain(unasked.map(|(n, job)| (job.next_at(), Part::Unasked(n))))
            .chain(self.reading.iter().map(|reading| (reading.at, Part::Reading)))
    }

    fn moment(&self, part: Part) -> Option<Moment> {
        match part {
            Part::Client | Part::Unasked(_) => None,
            Part::Turn if !self.is_ready => Some(Moment::Start),
            Part::Turn => Some(match self.inbox.front() {
                Some(Event::Committed(_) | Event::Aborted(..)) => Moment::Committed,
                Some(Event::Inserted(_)) => Moment::Inserted,
                _ => Moment::Turn,
            }),
            Part::Commit => self.commit.as_ref().map(Commit::moment),
            Part::Insert(n) => self.inserts.get(n).map(Job::moment),
            Part::Reading => self.reading.as_ref().map(ReadingJob::moment),
        }
    }

    /// Whether a fault leaves nothing of it to go on with now. What is left of it is for the step itself.
    pub fn is_struck(&mut self, moment: Moment, s: &mut Servers) -> Result<Option<What>, ()> {
        match s.strike(&self.name, moment) {
            Some(What::Crash) => {
                self.is_over = true;
                Err(())
            }
            Some(What::Freeze(long)) => {
                self.frozen_until = s.now + long;
                // What it learns of its group, it learns by a request.
                self.client_at = self.client_at.max(self.frozen_until + s.delay());
                Err(())
            }
            Some(What::Slow(long)) => {
                self.delay(moment, s.now + long);
                Err(())
            }
            Some(What::ShutDown) => {
                self.is_to_stop = true;
                Ok(None)
            }
            what => Ok(what),
        }
    }

    /// One call takes long; heartbeats go on.
    fn delay(&mut self, moment: Moment, until: Ms) {
        match (moment, &mut self.commit, &mut self.reading) {
            (Moment::Starts | Moment::Restore | Moment::Restored, _, Some(job)) => job.at = until,
            (
                Moment::Commit | Moment::Send | Moment::Offsets | Moment::End | Moment::Abort,
                Some(commit),
                _,
            ) => commit.at = until,
            _ => self.turn_at = until,
        }
    }

    fn do_part(&mut self, part: Part, strike: Option<What>, s: &mut Servers) {
        match part {
            Part::Client => {
                self.client.beat(&mut s.groups[self.group], s.now);
                let idle = s.random.within(BEAT_EVERY / 2, BEAT_EVERY);
                self.client_at = s.now + if self.client.is_quiet() { idle } else { idle / 10 };
                if self.client.has_change() {
                    self.turn_at = self.turn_at.min(s.now + 1);
                }
            }
            Part::Turn => self.turn(s),
            Part::Commit => self.step_commit(strike, s),
            Part::Insert(n) => {
                if let Some(inserts) = self.inserts[n].step(strike, s) {
                    self.inserts.remove(n);
                    self.hears(Event::Inserted(inserts), s);
                }
            }
            Part::Unasked(n) => {
                if self.unasked[n].step(strike, s).is_some() {
                    self.unasked.remove(n);
                }
            }
            Part::Reading => {
                let Some(reading) = &mut self.reading else { return };
                if let Some(event) = reading.step(self.group, &mut self.starts, s) {
                    self.reading = None;
                    self.hears(event, s);
                }
            }
        }
    }

    fn step_commit(&mut self, strike: Option<What>, s: &mut Servers) {
        let Some(commit) = &mut self.commit else { return };
        let Some(outcome) = commit.step(&mut self.transactor, strike, s) else { return };
        self.commit = None;
        let event = match outcome {
            Outcome::Committed(batch) => Event::Committed(batch),
            Outcome::Aborted(batch, why) => {
                s.count("commits aborted", 1);
                Event::Aborted(batch, why)
            }
            Outcome::Unknown(why) => {
                s.count("commits of unknown fate", 1);
                Event::Failed(Fault(why))
            }
        };
        self.hears(event, s);
    }

    pub fn hears(&mut self, event: Event<T::Restorer>, s: &mut Servers) {
        self.inbox.push_back(event);
        self.turn_at = self.turn_at.min(s.now + s.random.within(0, 5));
    }

    /// One round of the driver's loop: one event at most.
    fn turn(&mut self, s: &mut Servers) {
        self.turn_at = s.now + 1;
        if !self.is_ready {
            self.is_ready = self.transactor.init(s);
            self.client_at = if self.is_ready { s.now } else { Ms::MAX };
            self.turn_at = s.now + s.random.within(5, 50);
            return;
        }
        let change_first = self.inbox.is_empty() || s.random.permille(500);
        if change_first && self.client.has_change() {
            self.change(s);
        } else if let Some(event) = self.inbox.pop_front() {
            self.tell(event, s);
        } else if self.is_to_stop {
            self.is_to_stop = false;
            self.tell(Event::Shutdown, s);
        } else if !self.offer(s) {
            self.tell(Event::Tick, s);
            let until = self.host.wait(at(s.now)).until;
            let until = until.and_then(|until| Ms::try_from(until.as_millis()).ok());
            let idle = s.now + s.random.within(30, 300);
            self.turn_at = until.map_or(idle, |until| until.min(idle)).max(s.now + 1);
        }
    }

    fn change(&mut self, s: &mut Servers) {
        match self.client.change() {
            Some(Change::Assigned { member, places }) => {
                self.reading = Some(ReadingJob::starts(member, places, s));
            }
            Some(Change::Revoked(places)) => {
                if self.is_struck(Moment::Revoked, s).is_err() && self.is_over {
                    return;
                }
                if s.is(Flaw::GivesUpFirst) {
                    self.client.unassigned(&places);
                }
                self.tell(Event::Revoked(places.into_iter().map(input).collect()), s);
            }
            Some(Change::Lost) => {
                s.count("members put out", 1);
                self.tell(Event::Lost, s);
            }
            None => {}
        }
    }

    fn tell(&mut self, event: Event<T::Restorer>, s: &mut Servers) {
        if !matches!(event, Event::Tick) {
            let name = &self.name;
            s.say(|| format!("{name} hears {}", telling::event(&event)));
        }
        self.host.on(at(s.now), event, &mut self.out);
        self.do_all(s);
    }

    /// Offers records, if they are waited for. Whether there were any.
    fn offer(&mut self, s: &mut Servers) -> bool {
        if !self.host.wait(at(s.now)).records {
            return false;
        }
        let Some(offer) = self.gather(s) else { return false };
        if let Some(event) = offer.event {
            self.tell(event, s);
            return true;
        }
        if offer.records.is_empty() {
            return false;
        }
        if self.is_struck(Moment::Take, s).is_err() {
            return true;
        }
        let records: Vec<_> =
            offer.records.iter().map(|(place, s)| crate::reading::incoming(*place, s)).collect();
        let taken = self.host.take(at(s.now), &records, &mut self.out);
        if was_killed() {
            s.say(|| format!("{} is killed by a record", self.name));
            s.count("processes killed by a record", 1);
            self.is_over = true;
            return true;
        }
        s.count("records offered again", offer.records.len() - taken);
        self.go_on_behind(&offer.records, taken, s);
        self.do_all(s);
        taken > 0 || offer.records.is_empty()
    }
}

impl<T: Task> Node for Instance<T>
where
    T::Restorer: Restored,
{
    fn next_at(&self) -> Ms {
        let first = self.parts().map(|(at, _)| at).min().unwrap_or(Ms::MAX);
        first.max(self.frozen_until)
    }

    fn step(&mut self, s: &mut Servers) {
        let Some((_, part)) = self.parts().min_by_key(|(at, _)| *at) else { return };
        let strike = match self.moment(part) {
            Some(moment) => self.is_struck(moment, s),
            None => Ok(None),
        };
        if let Ok(strike) = strike {
            self.do_part(part, strike, s);
        }
    }

    fn is_over(&self) -> bool {
        self.is_over
    }

    fn is_idle(&self) -> bool {
        let jobs = self.commit.is_none() && self.reading.is_none() && self.inserts.is_empty();
        jobs && self.is_ready && self.inbox.is_empty() && self.client.is_quiet()
    }
}
