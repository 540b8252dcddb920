//! IFTSTA, International multimodal status report.
//!
//! Header (`BGM`, `DTM`, `RFF`), then consignments (`CNI`), each with statuses (`STS`): what it refers to
//! (`RFF`), when (`DTM`) and where (`LOC`) it is, how it travels (`TDT`, with `LOC` and `DTM` of its
//! way), in what (`EQD`), what goods it is about (`GID`, `PCI`, `GIN`).
//!
//! **When** the status came to be, its `DTM` says, in any place of the group and by any of the qualifiers
//! that say so (`codes::STATUS_TIMES`); else one of when something happened (`codes::HAPPENED`); else those
//! that stand before the status, with its consignment or in the header. The date of the message (137)
//! says nothing of it, but of a state that lasts (`status::STATES`).

use std::borrow::Cow;

use waybill_identifiers::sscc;
use waybill_schemas::vocabulary::{Classifier, ExceptionKind, Milestone, NoteCode, ReferenceKind};
use waybill_schemas::{Equipment, OccurrenceTime, Place, Transport};
use waybill_stage::{Code, Reject};

use super::codes::{self, HAPPENED, REASONS, STATUS_PLACES, STATUS_TIMES};
use super::elements::{Unit, location, refer, remark, transport};
use super::lists::{Owner, prefixed};
use super::moments::{is_filler, moment};
use super::status::{self, STATUS};
use crate::codes::Meaning;
use crate::edi::{Moment, Odd, Output, References, Segment, push, whole};
use crate::wrong::at;
use crate::x12::codes::STATUS_REASON;
use crate::x12::status as x12;
use crate::{Draft, air, limits};

#[derive(Default)]
struct Set<'s, 't> {
    header: References,
    /// When the message was made.
    made: Option<OccurrenceTime>,
    /// Other times of the header.
    times: Vec<&'s Segment<'t>>,
    consignment: References,
    /// Times of the consignment, before its statuses.
    consignment_times: Vec<&'s Segment<'t>>,
    in_consignment: bool,
    odd: Odd,
    status: Option<Status<'s, 't>>,
    any: bool,
}

struct Status<'s, 't> {
    sts: &'s Segment<'t>,
    references: References,
    times: Vec<&'s Segment<'t>>,
    places: Vec<(String, Place)>,
    /// NAD: the delivery party.
    delivery: Option<Place>,
    transport: Option<Transport>,
    /// After TDT: places of the way, and times there.
    way: Vec<Stop<'s, 't>>,
    units: Vec<Unit>,
    names_container: bool,
    remark: Option<String>,
    /// DTM 137 within the group.
    made: Option<OccurrenceTime>,
    odd: Odd,
    wrong: Option<Reject>,
}

/// When a status came to be.
struct When {
    moment: Moment,
    /// The number of the segment that says it; none is the message's own.
    said_at: Option<usize>,
    classifier: Option<Classifier>,
}

struct Stop<'s, 't> {
    /// 3227.
    function: String,
    place: Place,
    times: Vec<&'s Segment<'t>>,
}

pub(super) fn read(segments: &[Segment<'_>], parts: &mut Output<'_>) -> Result<(), Reject> {
    let mut set = Set::default();
    for segment in segments {
        if matches!(segment.tag(), "STS" | "CNI" | "UNT")
            && let Some(status) = set.status.take()
        {
            set.emit(status, parts)?;
        }
        let taken = match &mut set.status {
            Some(status) => {
                let taken = status.take(segment);
                if let Err(reject) = status.odd.keep(taken) {
                    status.wrong.get_or_insert(reject);
                }
                Ok(())
            }
            None => {
                let taken = set.take(segment);
                set.odd.keep(taken)
            }
        };
        if let Err(reject) = taken {
            return push(parts, segment.number, Err(reject));
        }
    }
    if set.any {
        return Ok(());
    }
    let number = segments.first().map_or(0, |header| header.number);
    push(parts, number, Err(Reject::new(Code::MissingField, "no STS in it")))
}

impl<'s, 't> Set<'s, 't> {
    fn take(&mut self, segment: &'s Segment<'t>) -> Result<(), Reject> {
        match segment.tag() {
            "CNI" => {
                self.in_consignment = true;
                self.consignment = References::default();
                self.consignment_times.clear();
                let number = segment.component(2, 1);
                let kind = ReferenceKind::TransportDocument;
                self.consignment.add(kind, &number, "CNI 1004")?;
            }
            "RFF" if self.in_consignment => refer(&mut self.consignment, segment)?,
            "RFF" => refer(&mut self.header, segment)?,
            "DTM" if segment.code(1, 1) == "137" => self.made = moment(segment).ok().map(|m| m.at),
            "DTM" => {
                let times = match self.in_consignment {
                    true => &mut self.consignment_times,
                    false => &mut self.times,
                };
                if times.len() < limits::LIST {
                    times.push(segment);
                }
            }
            "STS" => {
                self.any = true;
                self.status = Some(Status::new(segment));
            }
            _ => {}
        }
        Ok(())
    }

    fn emit(&self, mut status: Status<'_, '_>, parts: &mut Output<'_>) -> Result<(), Reject> {
        let number = status.sts.number;
        if let Some(wrong) = status.wrong.take() {
            return push(parts, number, Err(wrong));
        }
        let units = std::mem::take(&mut status.units);
        let event = self.event(&status);
        let (event, said_at) = match event {
            Ok(event) => event,
            Err(reject) => return push(parts, number, Err(reject)),
        };
        // One unit is the status' own; of several each has the status.
        let alone = units.len() < 2;
        let mut equipment = None;
        if units.is_empty() {
            let mut event = event.clone();
            let unit = status.references.all(ReferenceKind::Container).next();
            event.equipment = unit.map(|number| Equipment {
                number: number.to_owned(),
                iso_type: None,
                empty: None,
            });
            equipment.clone_from(&event.equipment);
            push(parts, number, Ok(event))?;
        }
        for unit in units {
            let mut event = event.clone();
            if unit.is_empty_container() {
                let milestone = x12::milestone_of_empty(&status.sts.code(2, 1))
                    .filter(|_| event.raw_code.starts_with(x12::STATUS.prefix));
                event.milestone = milestone.unwrap_or(event.milestone);
            }
            let number = if alone { number } else { unit.number };
            unit.give(&mut event);
            if alone {
                equipment.clone_from(&event.equipment);
            }
            push(parts, number, Ok(event))?;
        }
        self.dates(&status, (&event, said_at), equipment, parts)
    }

    /// The times of the status that are milestones of their own: estimates beside it, and the way.
    fn dates(
        &self,
        status: &Status<'_, '_>,
        (event, said_at): (&Draft, Option<usize>),
        equipment: Option<Equipment>,
        parts: &mut Output<'_>,
    ) -> Result<(), Reject> {
        let beside = Stop { function: String::new(), place: Place::default(), times: Vec::new() };
        let own = status.times.iter().map(|dtm| (&beside, dtm));
        let way = status.way.iter().flat_map(|stop| stop.times.iter().map(move |dtm| (stop, dtm)));
        let mut last: Option<Draft> = None;
        for (stop, dtm) in own.chain(way) {
            let qualifier = dtm.code(1, 1);
            let Some((milestone, classifier)) = codes::date(&qualifier) else { continue };
            // When the status came to be is no second event, and a filler none at all.
            if Some(dtm.number) == said_at || is_filler(&dtm.component(1, 2)) {
                continue;
            }
            let moment = match moment(dtm) {
                Ok(moment) => moment,
                Err(reject) => {
                    push(parts, dtm.number, Err(reject))?;
                    continue;
                }
            };
            let mut raw_code = ["EDIFACT-2005/", &qualifier].concat();
            if !stop.function.is_empty() {
                raw_code = [raw_code.as_str(), "/", &stop.function].concat();
            }
            let occurred = moment.at;
            let mut draft = Draft::new(milestone, raw_code, occurred);
            draft.classifier = classifier;
            moment.note(&mut draft);
            draft.place = match stop.place == Place::default() {
                true => None,
                false => Some(stop.place.clone()),
            };
            // The status itself, said again.
            if milestone == event.milestone
                && classifier == event.classifier
                && occurred.wall_ms == event.occurred.wall_ms
            {
                continue;
            }
            draft.equipment.clone_from(&equipment);
            draft.created_at = event.created_at;
            self.refer(status, &mut draft);
            // Some send a line twice.
            if last.as_ref() != Some(&draft) {
                push(parts, dtm.number, Ok(draft.clone()))?;
            }
            last = Some(draft);
        }
        Ok(())
    }

    fn when(&self, status: &Status<'_, '_>, code: &Code4405<'_>) -> Result<When, Reject> {
        let own: Vec<_> = status.all_times().collect();
        let milestone = code.meaning.map(|meaning| meaning.milestone);
        // What the code itself says, as a fact or as a plan.
        let says =
            |dtm: &Segment<'_>| codes::date(&dtm.code(1, 1)).filter(|(m, _)| Some(*m) == milestone);
        let is_actual = |classifier| classifier == Classifier::Actual;
        let actual = own.iter().copied().find(|dtm| says(dtm).is_some_and(|(_, c)| is_actual(c)));
        let planned = own.iter().copied().find(|dtm| says(dtm).is_some_and(|(_, c)| !is_actual(c)));
        let mut wrong = None;
        let candidates = best(STATUS_TIMES, &own)
            .chain(actual)
            .chain(best(HAPPENED, &status.times))
            .chain(best(STATUS_TIMES, &self.consignment_times))
            .chain(best(HAPPENED, &self.consignment_times))
            .chain(best(STATUS_TIMES, &self.times))
            .chain(best(HAPPENED, &self.times));
        for dtm in candidates {
            match moment(dtm) {
                Ok(moment) => {
                    return Ok(When { moment, said_at: Some(dtm.number), classifier: None });
                }
                Err(reject) => _ = wrong.get_or_insert(reject),
            }
        }
        if let Some(wrong) = wrong {
            return Err(wrong);
        }
        if let Some(made) = self.made.filter(|_| status::STATES.contains(&&*code.code)) {
            let moment = Moment { at: made, odd: [None; 2] };
            return Ok(When { moment, said_at: None, classifier: None });
        }
        match planned {
            Some(dtm) => {
                let classifier = says(dtm).map(|(_, classifier)| classifier);
                Ok(When { moment: moment(dtm)?, said_at: Some(dtm.number), classifier })
            }
            None => Err(self.no_time(&own)),
        }
    }

    /// None of the dates says when the status came to be: which there are.
    fn no_time(&self, own: &[&Segment<'_>]) -> Reject {
        let all = own.iter().chain(&self.consignment_times).chain(&self.times);
        let mut found: Vec<&str> = self.made.iter().map(|_| codes::date_in_words("137")).collect();
        for dtm in all {
            let words = codes::date_in_words(&dtm.code(1, 1));
            if found.len() < 4 && !found.contains(&words) {
                found.push(words);
            }
        }
        let of = "DTM: is required, of when the status came to be (334, 78, 7, ...)";
        let detail = match found.as_slice() {
            [] => of.to_owned(),
            found => format!("{of}; found {}", found.join(", ")),
        };
        Reject::new(Code::MissingField, detail)
    }

    /// The event, and the number of the segment that says when it was.
    fn event(&self, status: &Status<'_, '_>) -> Result<(Draft, Option<usize>), Reject> {
        let sts = status.sts;
        let code = Code4405::of(sts)?;
        let When { moment, said_at, classifier } = self.when(status, &code)?;
        let mut draft = Draft::of_code(&code.prefix, &code.code, code.meaning, moment.at);
        draft.classifier = classifier.unwrap_or(code.classifier);
        moment.note(&mut draft);
        if said_at.is_none() {
            draft.note_about(NoteCode::MissingField, "DTM");
        }
        if code.by_nobody {
            draft.note_about(NoteCode::OddField, "STS 3055");
        }
        for element in 3..=7 {
            let reason = sts.code(element, 1);
            let reason = match whole(&reason, at("STS 9013"), limits::CODE) {
                Ok(Some(reason)) => reason,
                Ok(None) => continue,
                Err(_) => {
                    draft.note_about(NoteCode::OddField, "STS 9013");
                    continue;
                }
            };
            match Owner::of(&sts.code(element, 2), &sts.code(element, 3)) {
                Owner::Unsaid | Owner::Un => {
                    if let Some(kind) = REASONS.find(reason) {
                        draft.exception(kind, Some([REASONS.prefix, "/", reason].concat()));
                    }
                }
                Owner::X12 => {
                    if let Some(kind) = STATUS_REASON.find(reason) {
                        draft.exception(kind, Some([STATUS_REASON.prefix, "/", reason].concat()));
                    }
                }
                owner => draft.exception(ExceptionKind::Other, Some(prefixed(&owner, reason))),
            }
        }
        draft.place = status.place(&draft);
        draft.transport.clone_from(&status.transport);
        draft.remark = status.remark.clone().or_else(|| {
            // What the code says in words is worth keeping where nothing else is known of it.
            let words = crate::text::clipped(&sts.component(2, 4), limits::REMARK);
            words.filter(|_| draft.has_note(NoteCode::UnmappedCode))
        });
        let stated = status.made.or(self.made).filter(|made| made.offset_minutes.is_some());
        draft.created_at = stated.map(|made| made.utc_or_wall_ms());
        self.odd.note(&mut draft);
        status.odd.note(&mut draft);
        self.refer(status, &mut draft);
        Ok((draft, said_at))
    }

    /// A container that the header names is another one, if the status names one.
    fn refer(&self, status: &Status<'_, '_>, draft: &mut Draft) {
        let kept = draft.references.len();
        self.header.give(draft);
        if status.names_container {
            let mut index = 0;
            draft.references.retain(|reference| {
                index += 1;
                index <= kept || reference.kind != ReferenceKind::Container
            });
        }
        self.consignment.give(draft);
        status.references.give(draft);
    }
}

/// The times of those qualifiers, in the qualifiers' order.
fn best<'b, 's, 't>(
    qualifiers: &'b [&'b str],
    times: &'b [&'s Segment<'t>],
) -> impl Iterator<Item = &'s Segment<'t>> + use<'b, 's, 't> {
    qualifiers
        .iter()
        .flat_map(move |wanted| times.iter().copied().filter(move |dtm| dtm.code(1, 1) == **wanted))
}

/// A status code, the list it is of, and what it means there.
struct Code4405<'s> {
    code: Cow<'s, str>,
    prefix: Cow<'static, str>,
    meaning: Option<Meaning>,
    classifier: Classifier,
    /// An agency is named that the list of agencies does not have.
    by_nobody: bool,
}

impl<'s> Code4405<'s> {
    fn of(sts: &'s Segment<'_>) -> Result<Self, Reject> {
        let missing = || at("STS 4405").missing();
        let code = sts.code(2, 1);
        if whole(&code, at("STS 4405"), limits::CODE)?.is_some() {
            let owner = Owner::of(&sts.code(2, 2), &sts.code(2, 3));
            let by_nobody = owner == Owner::Unsaid && !sts.component(2, 3).is_empty();
            return Ok(Self { by_nobody, ..Self::listed(code, &owner, &sts.code(1, 1)) });
        }
        // Some have it in the composite before it, behind the category: `STS+1:21`, or with its
        // list, `STS+1:D2:21`.
        let (second, third) = (sts.code(1, 2), sts.code(1, 3));
        let (list, code) = if third.is_empty() { (third, second) } else { (second, third) };
        whole(&list, at("STS 1131"), limits::CODE)?;
        whole(&code, at("STS 4405"), limits::CODE)?.ok_or_else(missing)?;
        Ok(Self::listed(code, &Owner::of(&list, ""), &sts.code(1, 1)))
    }

    fn listed(code: Cow<'s, str>, owner: &Owner, category: &str) -> Self {
        let digits = code.bytes().all(|b| b.is_ascii_digit());
        // Of other categories than transport (9015) nothing is known.
        let is_transport = matches!(category, "" | "1");
        let (list, classifier) = match owner {
            _ if !is_transport => (None, Classifier::Actual),
            Owner::Unsaid | Owner::Un if digits => (Some(&STATUS), status::classifier(&code)),
            Owner::Unsaid | Owner::X12 if code.len() <= 2 && x12::STATUS.find(&code).is_some() => {
                (Some(&x12::STATUS), x12::classifier(&code))
            }
            Owner::Iata => (Some(&air::codes::STATUS), Classifier::Actual),
            _ => (None, Classifier::Actual),
        };
        let meaning = list.and_then(|list| list.find(&code));
        let prefix = match list {
            Some(list) => Cow::Borrowed(list.prefix),
            None => Cow::Owned(owner.prefix().to_owned()),
        };
        Self { code, prefix, meaning, classifier, by_nobody: false }
    }
}

impl<'s, 't> Status<'s, 't> {
    fn new(sts: &'s Segment<'t>) -> Self {
        Self {
            sts,
            references: References::default(),
            times: Vec::new(),
            places: Vec::new(),
            delivery: None,
            transport: None,
            way: Vec::new(),
            units: Vec::new(),
            names_container: false,
            remark: None,
            made: None,
            odd: Odd::default(),
            wrong: None,
        }
    }

    /// In any place of its group.
    fn all_times(&self) -> impl Iterator<Item = &'s Segment<'t>> {
        self.times.iter().chain(self.way.iter().flat_map(|stop| &stop.times)).copied()
    }

    fn take(&mut self, segment: &'s Segment<'t>) -> Result<(), Reject> {
        match segment.tag() {
            "RFF" => {
                refer(&mut self.references, segment)?;
                self.names_container |=
                    self.references.all(ReferenceKind::Container).next().is_some();
            }
            "DTM" if segment.code(1, 1) == "137" => self.made = moment(segment).ok().map(|m| m.at),
            "DTM" => match self.way.last_mut() {
                Some(stop) if stop.times.len() < limits::LIST => stop.times.push(segment),
                None if self.times.len() < limits::LIST => self.times.push(segment),
                _ => return Err(at("DTM").too_many(limits::LIST)),
            },
            "LOC" if self.way.len().max(self.places.len()) >= limits::LIST => {
                return Err(at("LOC").too_many(limits::LIST));
            }
            "LOC" => {
                let function = segment.code(1, 1);
                let function = whole(&function, at("LOC 3227"), limits::CODE)?.unwrap_or("");
                let (function, place) = (function.to_owned(), location(segment)?);
                match self.transport {
                    Some(_) => self.way.push(Stop { function, place, times: Vec::new() }),
                    None => self.places.push((function, place)),
                }
            }
            "NAD" if segment.code(1, 1) == "DP" => self.delivery = party(segment)?,
            "TDT" if self.transport.is_none() => self.transport = Some(transport(segment)?),
            "EQD" => {
                self.units.push(Unit::read(segment)?);
                self.names_container = true;
            }
            "FTX" if self.remark.is_none() => self.remark = remark(segment),
            "GIN" => {
                let kind = match &*segment.code(1, 1) {
                    "BJ" => ReferenceKind::Sscc,
                    _ => ReferenceKind::Other,
                };
                for element in 2..=6 {
                    let number = segment.component(element, 1);
                    self.references.add(kind, &number, "GIN 7402")?;
                }
            }
            // 30 and 33E: marked with an SSCC, which some write here and not into GIN.
            "PCI" if matches!(&*segment.code(1, 1), "30" | "33E") => {
                for m in 1..=10 {
                    let mark = segment.component(2, m);
                    // Other marks stand here, too.
                    if sscc::is_valid(&mark) {
                        self.references.add(ReferenceKind::Sscc, &mark, "PCI 7102")?;
                    }
                }
            }
            _ => {
                if let Some(unit) = self.units.last_mut() {
                    unit.take(segment)?;
                }
            }
        }
        Ok(())
    }

    fn place(&self, event: &Draft) -> Option<Place> {
        let mut wanted = STATUS_PLACES.iter();
        let known = wanted.find_map(|f| self.places.iter().find(|(own, _)| own == f));
        let found = known.or(self.places.first()).map(|(_, place)| place.clone());
        let is_delivery = event.milestone == Milestone::Delivered;
        let found = found.or_else(|| self.delivery.clone().filter(|_| is_delivery));
        // The only place of its way is where it is.
        let only = match self.way.as_slice() {
            [only] => Some(only.place.clone()),
            _ => None,
        };
        found.or(only)
    }
}

/// NAD: a party's place by its code (3039), else by its address.
fn party(nad: &Segment<'_>) -> Result<Option<Place>, Reject> {
    let code = nad.component(2, 1);
    let code = whole(&code, at("NAD 3039"), limits::ID)?;
    let list = nad.code(2, 2);
    let facility = |code: &str| match &*nad.code(2, 3) {
        "9" => Some(["GLN/", code].concat()),
        agency => Some(Owner::of(&list, agency)).filter(Owner::is_own).map(|o| prefixed(&o, code)),
    };
    let named = |element| crate::text::clipped(&nad.component(element, 1), limits::NAME);
    let place = Place {
        facility: code.and_then(facility),
        name: named(4),
        city: named(6),
        region: named(7),
        postal_code: named(8),
        country: named(9),
        ..Place::default()
    };
    Ok((place != Place::default()).then_some(place))
}
