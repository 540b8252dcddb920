//! 315, Status Details (Ocean): one status (`B4`) of one container, more of them (`SG`), and the ports
//! of its way (`R4`) with their dates and events (`V9`).

use waybill_identifiers::unlocode;
use waybill_schemas::vocabulary::{Classifier, Milestone, Mode, NoteCode};
use waybill_schemas::{Equipment, Place};
use waybill_stage::{Code, Reject};

use super::elements::{NOT_SENT, container_of, equipment, locate, moment, refer, unit_number};
use super::ports::{self, Port, Vessel};
use super::status::{self, EVENTS, REASONS, STATUS};
use crate::edi::{Moment, Odd, Output, References, Segment, push, required, whole};
use crate::wrong::at;
use crate::{Draft, limits, text};

#[derive(Default)]
struct Set<'s> {
    references: References,
    vessel: Vessel,
    ports: Vec<Port<'s>>,
    place: Option<Place>,
    equipment: Option<Equipment>,
    odd: Odd,
}

pub(super) fn read(segments: &[Segment<'_>], parts: &mut Output<'_>) -> Result<(), Reject> {
    let number = segments.first().map_or(0, |header| header.number);
    let Some(b4) = segments.iter().find(|segment| segment.is("B4")) else {
        return push(parts, number, Err(Reject::new(Code::MissingField, "no B4 in it")));
    };
    let mut set = Set::default();
    for segment in segments {
        let taken = set.take(segment);
        if let Err(reject) = set.odd.keep(taken) {
            return push(parts, segment.number, Err(reject));
        }
    }
    let completed = set.complete(b4);
    if let Err(reject) = set.odd.keep(completed) {
        return push(parts, b4.number, Err(reject));
    }
    set.emit(segments, b4, parts)
}

impl<'s> Set<'s> {
    fn take(&mut self, segment: &'s Segment<'_>) -> Result<(), Reject> {
        match segment.tag() {
            "N9" => refer(&mut self.references, segment.text(1), segment.text(2), "N902")?,
            "Q2" => {
                let code = (segment.text(1), segment.text(12), "Q201");
                self.vessel = Vessel::read(code, segment.text(13), (segment.text(9), "Q209"))?;
            }
            "R4" if self.ports.len() >= limits::LIST => {
                return Err(at("R401").too_many(limits::LIST));
            }
            "R4" => self.ports.push(Port::read(segment, &mut self.odd)?),
            "DTM" => {
                if let Some(port) = self.ports.last_mut() {
                    port.has_dates |= status::port_date(&segment.code_at(1)).is_some();
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// What B4 says of all its statuses.
    fn complete(&mut self, b4: &Segment<'_>) -> Result<(), Reject> {
        let unit = unit_number(b4.text(7), b4.text(8), b4.text(13), "B408")?;
        let unit = container_of(&self.references, unit.as_deref());
        let typed = equipment(unit.clone(), b4.text(10), b4.text(9), "B410");
        self.equipment = match typed {
            Ok(equipment) => equipment,
            Err(reject) => {
                self.odd.keep(Err(reject))?;
                equipment(unit, "", b4.text(9), "B410")?
            }
        };

        let mut place = Place::default();
        locate(&mut place, b4.text(12), b4.text(11), "B411")?;
        // Some send the name in B411 and its code in B406.
        if place.unlocode.is_none() && b4.code_at(12) == "UN" {
            place.unlocode = unlocode::read(b4.text(6)).ok();
            if place.unlocode.is_some() {
                (place.name, place.facility) = (text::clipped(b4.text(11), limits::NAME), None);
            }
        }
        let activity = ports::find(&self.ports, &["5"]);
        let known =
            |port: &&Port<'_>| place.unlocode.is_some() && port.place.unlocode == place.unlocode;
        self.place = match activity.filter(known).or_else(|| self.ports.iter().find(known)) {
            // The same with its name.
            Some(same) => Some(same.place.clone()),
            None if place == Place::default() => activity.map(|port| port.place.clone()),
            None => Some(place),
        };
        Ok(())
    }

    fn emit(
        &self,
        segments: &[Segment<'_>],
        b4: &Segment<'_>,
        parts: &mut Output<'_>,
    ) -> Result<(), Reject> {
        let statuses = segments.iter().any(|segment| segment.is("SG"));
        let main = (!b4.text(3).is_empty() || !statuses).then(|| self.main(b4, segments));
        let mut same = None;
        if let Some(main) = main {
            same = main.as_ref().ok().cloned();
            push(parts, b4.number, main)?;
        }
        let mut ports_before = 0_usize;
        for segment in segments {
            let number = segment.number;
            let at_port = ports_before.checked_sub(1).and_then(|n| self.ports.get(n));
            match segment.tag() {
                "Q2" => {
                    for (n, name, milestone, functions) in [
                        (4, "Q204", Milestone::Departed, ["L", "J"]),
                        (5, "Q205", Milestone::Discharged, ["D", "K"]),
                    ] {
                        let port = ports::find(&self.ports, &functions);
                        // A port's own date is newer.
                        if !segment.text(n).is_empty() && !port.is_some_and(|p| p.has_dates) {
                            push(parts, number, self.scheduled(segment, n, name, milestone, port))?;
                        }
                    }
                }
                "SG" => push(parts, number, self.more(segment, b4))?,
                "R4" => ports_before += 1,
                "DTM" => {
                    let Some(at_port) = at_port else { continue };
                    match ports::dated(segment, Some(at_port)) {
                        Ok(Some(draft))
                            if same.as_ref().is_some_and(|e| ports::is_the_same(&draft, e)) => {}
                        Ok(Some(draft)) => {
                            let mode = status::port_mode(&at_port.function);
                            let mut draft = self.share(draft, mode);
                            if mode.is_none() {
                                // Inland of the ports no vessel comes.
                                draft.transport = None;
                            }
                            push(parts, number, Ok(draft))?;
                        }
                        Ok(None) => {}
                        Err(reject) => push(parts, number, Err(reject))?,
                    }
                }
                "V9" => push(parts, number, self.event(segment, at_port))?,
                _ => {}
            }
        }
        Ok(())
    }

    fn main(&self, b4: &Segment<'_>, segments: &[Segment<'_>]) -> Result<Draft, Reject> {
        let code = b4.code_at(3);
        let code = required(&code, "B403")?;
        // Some have the date at the port of the activity alone.
        let moment = match (b4.text(4), activity_date(segments)) {
            ("", Some(dtm)) => moment(dtm, [2, 3, 4], ["DTM02", "DTM03", "DTM04"])?,
            _ => moment(b4, [4, 5, NOT_SENT], ["B404", "B405", ""])?,
        };
        self.status(code, moment)
    }

    /// SG: status, reason, disposition, date, time, time code; or status, date, time, time code, as
    /// some have it.
    fn more(&self, sg: &Segment<'_>, b4: &Segment<'_>) -> Result<Draft, Reject> {
        let code = sg.code_at(1);
        let code = required(&code, "SG01")?;
        let long = sg.text(2).len() != 8;
        let date = if long { 4 } else { 2 };
        let places = [date, date + 1, date + 2];
        let moment = moment(sg, places, ["SG04", "SG05", "SG06"])?;
        let mut draft = self.status(code, moment)?;
        if long {
            reason(&mut draft, &sg.code_at(2), "SG02");
        }
        // B4's place is that of its own status.
        if !b4.text(3).is_empty() {
            draft.place = None;
        }
        Ok(draft)
    }

    fn status(&self, code: &str, moment: Moment) -> Result<Draft, Reject> {
        let mut draft = Draft::of_code(STATUS.prefix, code, STATUS.find(code), moment.at);
        draft.classifier = status::classifier(code);
        moment.note(&mut draft);
        if self.equipment.as_ref().and_then(|e| e.empty) == Some(true)
            && let Some(milestone) = status::milestone_of_empty(code)
        {
            draft.milestone = milestone;
        }
        draft.place.clone_from(&self.place);
        Ok(self.share(draft, status::mode(code)))
    }

    /// Q204 is the scheduled sailing, Q205 the scheduled discharge.
    fn scheduled(
        &self,
        q2: &Segment<'_>,
        n: usize,
        name: &'static str,
        milestone: Milestone,
        port: Option<&Port<'_>>,
    ) -> Result<Draft, Reject> {
        let moment = moment(q2, [n, NOT_SENT, NOT_SENT], [name, "", ""])?;
        let mut draft = Draft::new(milestone, ["X12/", name].concat(), moment.at);
        draft.classifier = Classifier::Planned;
        draft.place = port.map(|port| port.place.clone());
        Ok(self.share(draft, Some(Mode::Ocean)))
    }

    fn event(&self, v9: &Segment<'_>, port: Option<&Port<'_>>) -> Result<Draft, Reject> {
        Ok(self.share(event(v9, port)?, None))
    }

    fn share(&self, mut draft: Draft, mode: Option<Mode>) -> Draft {
        draft.transport = self.vessel.transport(mode);
        draft.equipment.clone_from(&self.equipment);
        self.references.give(&mut draft);
        self.odd.note(&mut draft);
        draft
    }
}

/// When the activity was (DTM 140) at its place (R4 of the function 5).
fn activity_date<'m, 't>(segments: &'m [Segment<'t>]) -> Option<&'m Segment<'t>> {
    let mut at_activity = false;
    segments.iter().find(|segment| match segment.tag() {
        "R4" => {
            at_activity = segment.text(1) == "5";
            false
        }
        "DTM" => at_activity && segment.text(1) == "140",
        _ => false,
    })
}

/// V9: event, its name, date, time, city, state, country, reason, …, time code.
pub(super) fn event(v9: &Segment<'_>, port: Option<&Port<'_>>) -> Result<Draft, Reject> {
    let code = v9.code_at(1);
    let code = required(&code, "V901")?;
    let moment = moment(v9, [3, 4, 12], ["V903", "V904", "V912"])?;
    let mut draft = Draft::of_code(EVENTS.prefix, code, EVENTS.find(code), moment.at);
    draft.classifier = status::event_classifier(code);
    moment.note(&mut draft);
    reason(&mut draft, &v9.code_at(8), "V908");
    let named = |n| text::clipped(v9.text(n), limits::NAME);
    draft.place = match named(5) {
        city @ Some(_) => {
            Some(Place { city, region: named(6), country: named(7), ..Place::default() })
        }
        None => port.map(|port| port.place.clone()),
    };
    Ok(draft)
}

pub(super) fn reason(draft: &mut Draft, sent: &str, name: &'static str) {
    match whole(sent, at(name), limits::CODE) {
        Ok(Some(code)) => {
            if let Some(kind) = REASONS.find(code) {
                draft.exception(kind, Some([REASONS.prefix, "/", code].concat()));
            }
        }
        Ok(None) => {}
        Err(_) => draft.note_about(NoteCode::OddField, name),
    }
}
