//! What is read before a partition is taken on: committed offsets, and then state or a claimed range.

use std::collections::BTreeMap;

use waybill_host::caution::Caution;
use waybill_host::event::{Event, Member, Reading, Span, Start};
use waybill_host::input::Input;
use waybill_host::mark;
use waybill_host::processor::Incoming;
use waybill_host::protocol::Position;
use waybill_schemas::{Opened, RejectRecord, Role};
use waybill_stage::{Code, Fault};

use crate::Ms;
use crate::content::{self, TOPIC_ID, about, topic};
use crate::flaw::Flaw;
use crate::log::{Log, Place, Standing};
use crate::offsets::Committed;
use crate::plan::Moment;
use crate::seen::{Restored, State};
use crate::servers::Servers;

/// Longer than a transaction can stay open.
const PATIENCE: Ms = 40_000;

pub fn input((role, partition): Place) -> Input {
    Input::new(role, topic(role), partition)
}

pub fn incoming(place: Place, standing: &Standing) -> Incoming<'_> {
    Incoming {
        role: place.0,
        topic: topic(place.0),
        partition: place.1,
        offset: standing.offset,
        key: Some(&standing.record.key),
        value: standing.record.value.as_deref(),
        appended_at: standing.appended_at,
    }
}

#[derive(Debug)]
pub struct ReadingJob<R> {
    pub at: Ms,
    began: Ms,
    of: Of<R>,
}

#[derive(Debug)]
enum Of<R> {
    Starts { member: Member, places: Vec<Place> },
    Readings { readings: Vec<Reading<R>>, next: usize, end: Option<i64> },
}

impl<R: Restored> ReadingJob<R> {
    pub fn starts(member: Member, places: Vec<Place>, s: &mut Servers) -> Self {
        Self { at: s.now + s.delay(), began: s.now, of: Of::Starts { member, places } }
    }

    pub fn restore(readings: Vec<Reading<R>>, s: &mut Servers) -> Self {
        let of = Of::Readings { readings, next: 0, end: None };
        Self { at: s.now + s.delay(), began: s.now, of }
    }

    pub fn moment(&self) -> Moment {
        match &self.of {
            Of::Starts { .. } => Moment::Starts,
            Of::Readings { end: None, .. } => Moment::Restore,
            Of::Readings { .. } => Moment::Restored,
        }
    }

    /// Takes the next step. With the last, it says what the host is to hear.
    pub fn step(
        &mut self,
        group: usize,
        starts: &mut BTreeMap<Place, i64>,
        s: &mut Servers,
    ) -> Option<Event<R>> {
        self.at = s.now + s.delay();
        if s.now - self.began > PATIENCE {
            return Some(failed("reading: a transaction stays open"));
        }
        match &mut self.of {
            Of::Starts { member, places } => {
                let found: Option<Vec<Start>> =
                    places.iter().map(|place| start(group, *place, s)).collect();
                let found = found?;
                starts.extend(found.iter().map(|f| ((f.input.role, f.input.partition), f.offset)));
                Some(Event::Assigned { member: member.clone(), starts: found })
            }
            Of::Readings { readings, next, end } => {
                if let Some(reading) = readings.get_mut(*next) {
                    return match read_on(group, reading, end, starts, s) {
                        Ok(false) => None,
                        Ok(true) => {
                            (*next, *end) = (*next + 1, None);
                            None
                        }
                        Err(fault) => Some(Event::Failed(fault)),
                    };
                }
                Some(Event::Restored(std::mem::take(readings)))
            }
        }
    }
}

pub fn failed<R>(why: &str) -> Event<R> {
    Event::Failed(Fault(format!("driver: {why}")))
}

/// Where a partition is to be read from, once that is decided.
fn start(group: usize, place: Place, s: &mut Servers) -> Option<Start> {
    let offsets = &s.log.offsets[group];
    let committed = match offsets.stable(place) {
        Ok(committed) => committed,
        Err(_) if s.is(Flaw::UnstableRead) => offsets.unstable(place),
        Err(_) => {
            s.count("committed offsets waited for", 1);
            return None;
        }
    };
    let at = s.log.at(place);
    let Some(Committed { offset, metadata }) = committed.cloned() else {
        let (input, offset) = (input(place), at.first());
        let (topic_id, metadata) = (TOPIC_ID.to_owned(), String::new());
        return Some(Start { input, topic_id, offset, metadata, is_of_topic: false });
    };
    let (first, end) = (at.first(), at.end());
    if offset < first || offset > end {
        s.find(format!("{place:?}: {offset} is committed, and the log is from {first} to {end}"));
    }
    if let Some(why) = strange(group, offset, &metadata) {
        s.find(format!("{place:?}: {why}"));
    }
    let (said, id) = mark::read(&metadata);
    let (input, topic_id) = (input(place), TOPIC_ID.to_owned());
    Some(Start { input, topic_id, offset, metadata: said.to_owned(), is_of_topic: id.is_some() })
}

/// What no host of ours would have put beside an offset.
pub fn strange(group: usize, offset: i64, metadata: &str) -> Option<String> {
    let (said, id) = mark::read(metadata);
    let is_ours = match group {
        2 => Position::taken_over(offset, said).is_ok(),
        _ => said.is_empty() || Caution::wrote(said),
    };
    (!is_ours || id != Some(TOPIC_ID)).then(|| format!("beside {offset} stands {metadata:?}"))
}

/// Whether all of it is read.
fn read_on<R: Restored>(
    group: usize,
    reading: &mut Reading<R>,
    end: &mut Option<i64>,
    starts: &BTreeMap<Place, i64>,
    s: &mut Servers,
) -> Result<bool, Fault> {
    let place = (reading.role, reading.input.partition);
    match reading.span {
        Span::Whole => {
            let at = s.log.at(place);
            let high = *end.get_or_insert(at.end());
            if at.stable_end() < high && !s.is(Flaw::RestoresToLastStable) {
                s.count("states waited for", 1);
                return Ok(false);
            }
            let (found, _) = at.committed(at.first(), usize::MAX);
            let most = match s.is(Flaw::AssignedBeforeRestored) {
                true => found.len() / 2,
                false => found.len(),
            };
            for standing in found.into_iter().take(most) {
                reading.into.take(&incoming(place, standing))?;
            }
            check_state(group, reading, starts, s);
        }
        Span::Range(range) => {
            let at = s.log.at(place);
            if range.first() < at.first() {
                return Err(Fault("driver: offset out of range".to_owned()));
            }
            let (found, _) = at.committed(range.first(), usize::MAX);
            let found: Vec<_> = found.iter().filter(|f| range.contains(f.offset)).collect();
            let omit = (s.is(Flaw::RangeReadInPart) && found.len() > 2).then_some(1);
            for (n, standing) in found.into_iter().enumerate() {
                if Some(n) != omit {
                    reading.into.take(&incoming(place, standing))?;
                }
            }
        }
    }
    Ok(true)
}

/// What was read back is what comes of all that was read before.
fn check_state<R: Restored>(
    group: usize,
    reading: &Reading<R>,
    starts: &BTreeMap<Place, i64>,
    s: &mut Servers,
) {
    let place = (reading.input.role, reading.input.partition);
    let Some(restored) = reading.into.state() else { return };
    let until = starts.get(&place).copied().unwrap_or(0);
    // A zombie may find what another has done since: it commits nothing any more.
    if s.log.offsets[group].unstable(place).is_some_and(|now| now.offset != until) {
        return;
    }
    let expected = recomputed(&s.log, place, until);
    if restored != expected {
        s.find(format!("{place:?}: restored at {until} {restored:?}, and it is {expected:?}"));
    }
}

/// The state of a partition, from what was read of it below that offset.
pub fn recomputed(log: &Log, place: Place, until: i64) -> State {
    let aside: Vec<i64> = content::committed::<RejectRecord>(log, Role::Rejects)
        .into_iter()
        .map(|(_, _, letter)| letter)
        .filter(|l| l.source_topic == place.0.as_str() && l.code == Code::Poison.as_str())
        .filter(|l| l.source_partition == place.1)
        .map(|letter| letter.source_offset)
        .collect();
    let mut state = State::new();
    for standing in log.at(place).everything_committed().0 {
        if standing.offset < until && !aside.contains(&standing.offset) {
            let event: Opened = content::read(place.0, standing).expect("it was written here");
            let (shipment, number) = about(&event);
            state.entry(shipment).or_default().insert(number);
        }
    }
    state
}
