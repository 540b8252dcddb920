//! IFTSTA, International multimodal status report.
//!
//! Header (`BGM`, `DTM`, `RFF`), then consignments (`CNI`), each with statuses (`STS`): what it refers to
//! (`RFF`), when (`DTM`) and where (`LOC`) it is, how it travels (`TDT`, with `LOC` and `DTM` of its
//! way), in what (`EQD`), what goods it is about (`GID`, `GIN`).

use waybill_schemas::vocabulary::{Classifier, ReferenceKind};
use waybill_schemas::{Equipment, OccurrenceTime, Place, Transport};
use waybill_stage::{Code, Reject};

use super::codes::{self, REASONS, STATUS_PLACES, STATUS_TIMES};
use super::elements::{Unit, location, moment, refer, remark, transport};
use super::status::{self, STATUS};
use crate::edi::{Output, References, Segment, push, whole};
use crate::wrong::at;
use crate::x12::status as x12;
use crate::{Draft, limits};

#[derive(Default)]
struct Set<'s, 't> {
    header: References,
    /// When the message was made.
    made: Option<OccurrenceTime>,
    consignment: References,
    in_consignment: bool,
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
    wrong: Option<Reject>,
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
                if let Err(reject) = status.take(segment) {
                    status.wrong.get_or_insert(reject);
                }
                Ok(())
            }
            None => set.take(segment),
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
                let number = segment.component(2, 1);
                let kind = ReferenceKind::TransportDocument;
                self.consignment.add(kind, &number, "CNI 1004")?;
            }
            "RFF" if self.in_consignment => refer(&mut self.consignment, segment)?,
            "RFF" => refer(&mut self.header, segment)?,
            "DTM" if segment.component(1, 1) == "137" => self.made = moment(segment).ok(),
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
        let occurred = self.occurred(&status);
        let event = occurred.and_then(|occurred| self.event(&status, occurred));
        let event = match event {
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
                let milestone = x12::milestone_of_empty(&status.sts.component(2, 1));
                event.milestone = milestone.unwrap_or(event.milestone);
            }
            let number = if alone { number } else { unit.number };
            unit.give(&mut event);
            if alone {
                equipment.clone_from(&event.equipment);
            }
            push(parts, number, Ok(event))?;
        }
        self.dates(&status, &event, equipment, parts)
    }

    /// The times of the status that are milestones of their own: estimates beside it, and the way.
    fn dates(
        &self,
        status: &Status<'_, '_>,
        event: &Draft,
        equipment: Option<Equipment>,
        parts: &mut Output<'_>,
    ) -> Result<(), Reject> {
        let beside = Stop { function: String::new(), place: Place::default(), times: Vec::new() };
        let own = status.times.iter().map(|dtm| (&beside, dtm));
        let way = status.way.iter().flat_map(|stop| stop.times.iter().map(move |dtm| (stop, dtm)));
        let mut last: Option<Draft> = None;
        for (stop, dtm) in own.chain(way) {
            let qualifier = dtm.component(1, 1);
            let Some((milestone, classifier)) = codes::date(&qualifier) else { continue };
            let occurred = match moment(dtm) {
                Ok(occurred) => occurred,
                Err(reject) => {
                    push(parts, dtm.number, Err(reject))?;
                    continue;
                }
            };
            let mut raw_code = ["EDIFACT-2005/", &qualifier].concat();
            if !stop.function.is_empty() {
                raw_code = [raw_code.as_str(), "/", &stop.function].concat();
            }
            let mut draft = Draft::new(milestone, raw_code, occurred);
            draft.classifier = classifier;
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

    fn occurred(&self, status: &Status<'_, '_>) -> Result<OccurrenceTime, Reject> {
        let qualified =
            |wanted: &str| status.times.iter().find(|dtm| dtm.component(1, 1) == wanted);
        let code = status.sts.component(2, 1);
        let milestone = list(&status.sts.component(2, 3), &code).1.map(|meaning| meaning.milestone);
        let same = status.times.iter().find(|dtm| {
            codes::date(&dtm.component(1, 1))
                .is_some_and(|(m, c)| Some(m) == milestone && c == Classifier::Actual)
        });
        match STATUS_TIMES.iter().find_map(|wanted| qualified(wanted)).or(same) {
            Some(dtm) => moment(dtm),
            None if status::STATES.contains(&&*code) && self.made.is_some() => {
                self.made.ok_or_else(|| at("DTM").missing())
            }
            None => Err(at("DTM").missing()),
        }
    }

    fn event(&self, status: &Status<'_, '_>, occurred: OccurrenceTime) -> Result<Draft, Reject> {
        let sts = status.sts;
        let code = sts.component(2, 1);
        let code = whole(&code, at("STS 4405"), limits::CODE)?;
        let code = code.ok_or_else(|| at("STS 4405").missing())?;
        let (prefix, meaning, classifier) = match &*sts.component(1, 1) {
            // Transport.
            "" | "1" => list(&sts.component(2, 3), code),
            _ => ("EDIFACT", None, Classifier::Actual),
        };
        let mut draft = Draft::of_code(prefix, code, meaning, occurred);
        draft.classifier = classifier;
        for element in 3..=7 {
            let reason = sts.component(element, 1);
            let Some(reason) = whole(&reason, at("STS 9013"), limits::CODE)? else { continue };
            if let Some(kind) = REASONS.find(reason) {
                draft.exception(kind, Some([REASONS.prefix, "/", reason].concat()));
            }
        }
        draft.place = status.place(&draft);
        draft.transport.clone_from(&status.transport);
        draft.remark.clone_from(&status.remark);
        let stated = self.made.filter(|made| made.offset_minutes.is_some());
        draft.created_at = stated.map(|made| made.utc_or_wall_ms());
        self.refer(status, &mut draft);
        Ok(draft)
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

/// Which list a code is of, and what it means there.
fn list(agency: &str, code: &str) -> (&'static str, Option<crate::codes::Meaning>, Classifier) {
    let digits = !code.is_empty() && code.bytes().all(|b| b.is_ascii_digit());
    match digits {
        // The UN, GS1 in EANCOM, or nobody else, is responsible.
        true if matches!(agency, "" | "6" | "9") => {
            (STATUS.prefix, STATUS.find(code), status::classifier(code))
        }
        // One or two letters: of X12, whoever is said to be responsible.
        false if code.len() <= 2 => match x12::STATUS.find(code) {
            Some(meaning) => (x12::STATUS.prefix, Some(meaning), x12::classifier(code)),
            None => ("EDIFACT", None, Classifier::Actual),
        },
        _ => ("EDIFACT", None, Classifier::Actual),
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
            wrong: None,
        }
    }

    fn take(&mut self, segment: &'s Segment<'t>) -> Result<(), Reject> {
        match segment.tag() {
            "RFF" => {
                refer(&mut self.references, segment)?;
                self.names_container |=
                    self.references.all(ReferenceKind::Container).next().is_some();
            }
            "DTM" => match self.way.last_mut() {
                Some(stop) if stop.times.len() < limits::LIST => stop.times.push(segment),
                None if self.times.len() < limits::LIST => self.times.push(segment),
                _ => return Err(at("DTM").too_many(limits::LIST)),
            },
            "LOC" if self.way.len().max(self.places.len()) >= limits::LIST => {
                return Err(at("LOC").too_many(limits::LIST));
            }
            "LOC" => {
                let function = segment.component(1, 1);
                let function = whole(&function, at("LOC 3227"), limits::CODE)?.unwrap_or("");
                let (function, place) = (function.to_owned(), location(segment)?);
                match self.transport {
                    Some(_) => self.way.push(Stop { function, place, times: Vec::new() }),
                    None => self.places.push((function, place)),
                }
            }
            "NAD" if segment.component(1, 1) == "DP" => self.delivery = party(segment)?,
            "TDT" if self.transport.is_none() => self.transport = Some(transport(segment)?),
            "EQD" => {
                self.units.push(Unit::read(segment)?);
                self.names_container = true;
            }
            "FTX" if self.remark.is_none() => self.remark = remark(segment),
            "GIN" => {
                let kind = match &*segment.component(1, 1) {
                    "BJ" => ReferenceKind::Sscc,
                    _ => ReferenceKind::Other,
                };
                for element in 2..=6 {
                    let number = segment.component(element, 1);
                    self.references.add(kind, &number, "GIN 7402")?;
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
        let is_delivery = event.milestone == waybill_schemas::vocabulary::Milestone::Delivered;
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
    let (code, agency) = (nad.component(2, 1), nad.component(2, 3));
    let code = whole(&code, at("NAD 3039"), limits::ID)?;
    let named = |element| crate::text::clipped(&nad.component(element, 1), limits::NAME);
    let place = Place {
        facility: code.filter(|_| agency == "9").map(|code| ["GLN/", code].concat()),
        name: named(4),
        city: named(6),
        region: named(7),
        postal_code: named(8),
        country: named(9),
        ..Place::default()
    };
    Ok((place != Place::default()).then_some(place))
}
