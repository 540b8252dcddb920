//! 322, Terminal Operations and Intermodal Ramp Activity: what happened (`Q5`) to each of some units
//! (`N7` loops), and where they come from and go to (`R4`).

use waybill_schemas::vocabulary::{Classifier, Milestone, Mode, NoteCode, ReferenceKind};
use waybill_schemas::{Place, Quantity};
use waybill_stage::{Code, Reject};

use super::elements::{
    container_of, equipment, is_container, moment, refer, unit_number, volume, weight,
};
use super::ports::{self, Port, Vessel};
use super::status::{self, STATUS};
use super::vessel::reason;
use crate::edi::{Odd, Output, References, Segment, push, required, whole};
use crate::wrong::at;
use crate::{Draft, limits, text};

/// Segments that all units of a Q5 have in common, and each reads.
const COMMON: usize = 100;

/// A unit, and the segments of its loop.
#[derive(Default)]
struct Unit<'s> {
    number: Option<String>,
    is_container: bool,
    iso_type: &'s str,
    status: &'s str,
    references: References,
    quantities: Vec<Quantity>,
    vessel: Vessel,
    ports: Vec<Port<'s>>,
    by_rail: bool,
    remark: Option<String>,
    odd: Odd,
}

pub(super) fn read(segments: &[Segment<'_>], parts: &mut Output<'_>) -> Result<(), Reject> {
    let mut any = false;
    let starts = segments.iter().enumerate().filter(|(_, segment)| segment.is("Q5"));
    for (start, q5) in starts {
        any = true;
        let after = segments.get(start + 1..).unwrap_or_default();
        let end = after.iter().position(|segment| segment.is("Q5")).unwrap_or(after.len());
        activity(q5, after.get(..end).unwrap_or_default(), parts)?;
    }
    if any {
        return Ok(());
    }
    let number = segments.first().map_or(0, |header| header.number);
    push(parts, number, Err(Reject::new(Code::MissingField, "no Q5 in it")))
}

/// A Q5 and what follows it: what is common, and loops that begin with N7; or no loop at all.
fn activity(q5: &Segment<'_>, after: &[Segment<'_>], parts: &mut Output<'_>) -> Result<(), Reject> {
    let first = after.iter().position(|segment| segment.is("N7")).unwrap_or(after.len());
    let (common, mut rest) = after.split_at_checked(first).unwrap_or_default();
    if rest.is_empty() {
        return unit(q5, &[], common, parts);
    }
    if common.len() > COMMON {
        let many = at("Q5").too_many(COMMON);
        return push(parts, q5.number, Err(many));
    }
    while let Some(inner) = rest.get(1..) {
        let end = inner.iter().position(|segment| segment.is("N7")).unwrap_or(inner.len());
        let (own, others) = rest.split_at_checked(end + 1).unwrap_or((rest, &[]));
        unit(q5, common, own, parts)?;
        rest = others;
    }
    Ok(())
}

fn unit(
    q5: &Segment<'_>,
    common: &[Segment<'_>],
    own: &[Segment<'_>],
    parts: &mut Output<'_>,
) -> Result<(), Reject> {
    let mut unit = Unit::default();
    for segment in std::iter::once(q5).chain(common).chain(own) {
        let taken = unit.take(segment);
        if let Err(reject) = unit.odd.keep(taken) {
            return push(parts, segment.number, Err(reject));
        }
    }
    // The unit's own segment tells which of several it is.
    let number = own.first().filter(|first| first.is("N7")).map_or(q5.number, |n7| n7.number);
    push(parts, number, unit.event(q5))?;
    let mut ports_before = 0_usize;
    for segment in own {
        match segment.tag() {
            "R4" => ports_before += 1,
            "DTM" => {
                let at_port = ports_before.checked_sub(1).and_then(|n| unit.ports.get(n));
                match unit.dated(segment, at_port) {
                    Ok(Some(draft)) => push(parts, segment.number, Ok(draft))?,
                    Ok(None) => {}
                    Err(reject) => push(parts, segment.number, Err(reject))?,
                }
            }
            _ => {}
        }
    }
    Ok(())
}

impl<'s> Unit<'s> {
    fn take(&mut self, segment: &'s Segment<'_>) -> Result<(), Reject> {
        match segment.tag() {
            "Q5" => {
                self.name(segment.text(9), segment.text(10), "", "Q510")?;
                if !segment.text(11).is_empty() {
                    refer(&mut self.references, segment.text(11), segment.text(12), "Q512")?;
                }
            }
            "N7" => {
                let check = segment.text(18);
                self.name(segment.text(1), segment.text(2), check, "N702")?;
                self.is_container |= matches!(&*segment.code_at(11), "CN" | "CC" | "CU" | "CZ");
                self.iso_type = segment.text(22);
                let unit = segment.text(17);
                self.quantities.extend(weight(segment.text(4), unit, segment.text(3)));
                self.quantities.extend(weight("T", unit, segment.text(5)));
                self.quantities.extend(volume(segment.text(9), segment.text(8)));
            }
            "W2" => {
                self.is_container |= matches!(&*segment.code_at(4), "CN" | "CC" | "CU" | "CZ");
                self.status = segment.text(5);
                // W2 is of the same unit; an N7 without its check digit may be completed.
                if self.number.is_none() {
                    let check = segment.text(13);
                    self.name(segment.text(1), segment.text(2), check, "W202")?;
                }
            }
            "M7" => {
                for n in 1..=4 {
                    self.references.add(ReferenceKind::Seal, segment.text(n), "M701")?;
                }
            }
            "N9" => refer(&mut self.references, segment.text(1), segment.text(2), "N902")?,
            "V1" => {
                let code = (segment.text(1), segment.text(8), "V101");
                self.vessel = Vessel::read(code, segment.text(2), (segment.text(4), "V104"))?;
            }
            "N1" => self.by_rail |= segment.code_at(1) == "RR",
            "R4" if self.ports.len() >= limits::LIST => {
                return Err(at("R401").too_many(limits::LIST));
            }
            "R4" => {
                let port = Port::read(segment, &mut self.odd)?;
                self.by_rail |= status::port_mode(&port.function) == Some(Mode::Rail);
                self.ports.push(port);
            }
            "K1" if self.remark.is_none() => {
                let remark = [segment.text(1), segment.text(2)].join(" ");
                self.remark = text::clipped(&remark, limits::REMARK);
            }
            _ => {}
        }
        Ok(())
    }

    fn name(
        &mut self,
        initial: &str,
        number: &str,
        check: &str,
        name: &'static str,
    ) -> Result<(), Reject> {
        if let Some(number) = unit_number(initial, number, check, name)? {
            self.number = Some(number);
            self.is_container = is_container(initial);
        }
        Ok(())
    }

    fn event(&self, q5: &Segment<'_>) -> Result<Draft, Reject> {
        let code = q5.code_at(1);
        let code = required(&code, "Q501")?;
        let moment = moment(q5, [2, 3, 4], ["Q502", "Q503", "Q504"])?;
        let mut draft = Draft::of_code(STATUS.prefix, code, STATUS.find(code), moment.at);
        draft.classifier = status::classifier(code);
        moment.note(&mut draft);
        reason(&mut draft, &q5.code_at(5), "Q505");

        let named = |n| text::clipped(q5.text(n), limits::NAME);
        let activity = ports::find(&self.ports, &["5"]).map(|port| port.place.clone());
        let mut place = activity.unwrap_or_default();
        // The city of Q5 is that of the activity; a terminal's name is R4's to say.
        if let Some(city) = named(6) {
            place.city = Some(city);
            place.region = named(7).or(place.region);
            place.country = named(8).or(place.country);
        }
        draft.place = (place != Place::default()).then_some(place);

        // By what a unit comes and goes through a gate is not said.
        let gate = matches!(code, "I" | "OA" | "GI" | "EE" | "RD");
        let mode = status::mode(code).or((self.by_rail && !gate).then_some(Mode::Rail));
        self.share(&mut draft, mode)?;
        if draft.equipment.as_ref().and_then(|e| e.empty) == Some(true)
            && let Some(milestone) = status::milestone_of_empty(code)
        {
            draft.milestone = milestone;
        }
        Ok(draft)
    }

    /// A DTM of the unit is of where it goes to.
    fn dated(&self, dtm: &Segment<'_>, port: Option<&Port<'_>>) -> Result<Option<Draft>, Reject> {
        let to = ports::find(&self.ports, &["7", "D", "N", "M", "E"]);
        let Some(mut draft) = ports::dated(dtm, port.or(to))? else { return Ok(None) };
        if port.is_none() {
            let qualifier = dtm.code_at(1);
            draft.raw_code = ["X12-374/", &*qualifier].concat();
            // An actual or estimated date of no place and no event says nothing.
            if matches!(&*qualifier, "139" | "140") {
                return Ok(None);
            }
            // Delivery is beyond the ramp.
            if draft.milestone == Milestone::Delivered {
                draft.place = ports::find(&self.ports, &["E", "M", "N"]).map(|p| p.place.clone());
            }
        }
        let mode = match (port.or(to), draft.milestone) {
            (Some(port), Milestone::Arrived | Milestone::Departed) => {
                status::port_mode(&port.function)
            }
            _ => None,
        };
        self.share(&mut draft, mode)?;
        if draft.classifier != Classifier::Actual {
            // A weight and a remark are of what happened.
            draft.quantities.clear();
            draft.remark = None;
        }
        Ok(Some(draft))
    }

    fn share(&self, draft: &mut Draft, mode: Option<Mode>) -> Result<(), Reject> {
        draft.transport = self.vessel.transport(mode);
        let iso_type = match whole(self.iso_type, at("N722"), limits::CODE) {
            Ok(iso_type) => iso_type.unwrap_or(""),
            Err(_) => {
                draft.note_about(NoteCode::OddField, "N722");
                ""
            }
        };
        self.odd.note(draft);
        let number = self.number.as_deref();
        let container = match number {
            Some(_) if !self.is_container => None,
            number => container_of(&self.references, number),
        };
        draft.equipment = equipment(container, iso_type, self.status, "N722")?;
        if let Some(number) = number.filter(|_| !self.is_container) {
            draft.transport.get_or_insert_default().vehicle = Some(number.to_owned());
        }
        self.references.give(draft);
        draft.quantities.clone_from(&self.quantities);
        draft.remark.clone_from(&self.remark);
        Ok(())
    }
}
