//! 214, Transportation Carrier Shipment Status Message.
//!
//! Header (`B10`, `L11`, `N1` loops, `G62`), then `LX` loops of `AT7` loops (`MS1` where, `MS2` in
//! what). What stands in an `LX` loop beside its `AT7` loops (`L11`, `AT8`, `MAN`, `Q7`, `K1`) is of each
//! of them.

use std::borrow::Cow;

use waybill_schemas::vocabulary::{Mode, NoteCode, QuantityKind, ReferenceKind};
use waybill_schemas::{Equipment, Exception, Place, Quantity, Transport};
use waybill_stage::{Code, Reject};

use super::codes::{
    self, APPOINTMENT_STATUS, DATES, LADING_EXCEPTION, SHIPMENT_STATUS, STATUS_REASON,
};
use super::elements::{
    address, container_of, equipment, is_container, moment, position, refer, unit_number, volume,
    weight,
};
use crate::edi::{Odd, Output, References, Segment, decimal, push, too_many_events, whole};
use crate::wrong::at;
use crate::{Draft, limits, text};

/// What a header, or an `LX` loop, says of each of its statuses.
#[derive(Default)]
struct Shared {
    references: References,
    quantities: Vec<Quantity>,
    /// Q7.
    exceptions: Vec<Exception>,
    remark: Option<String>,
    odd: Odd,
}

#[derive(Default)]
struct Set<'s, 't> {
    header: Shared,
    mode: Option<Mode>,
    /// Whether the header is over.
    detail: bool,
    /// The first of each kind of party (N101) that a place may be of.
    parties: Vec<(Cow<'s, str>, Place)>,
    loops: Vec<Shared>,
    events: Vec<Event<'s, 't>>,
}

enum Event<'s, 't> {
    /// G62.
    Date(&'s Segment<'t>),
    Status(Box<Status<'s, 't>>),
}

struct Status<'s, 't> {
    at7: &'s Segment<'t>,
    /// Whose loop it stands in.
    shared: Option<usize>,
    place: Option<Place>,
    equipment: Option<Equipment>,
    vehicle: Option<String>,
    /// Of its loop.
    odd: Odd,
}

pub(super) fn read(segments: &[Segment<'_>], parts: &mut Output<'_>) -> Result<(), Reject> {
    let mut set = Set::default();
    let mut party = None;
    for segment in segments {
        if let Err(reject) = set.take(segment, &mut party) {
            // What is of one status is odd about that one.
            let odd = match set.events.last_mut() {
                Some(Event::Status(status)) if matches!(segment.tag(), "MS1" | "MS2") => {
                    &mut status.odd
                }
                _ => &mut set.shared().odd,
            };
            if let Err(reject) = odd.keep(Err(reject)) {
                return push(parts, segment.number, Err(reject));
            }
        }
        if set.events.len() > limits::EVENTS {
            return Err(too_many_events());
        }
    }
    if set.events.is_empty() {
        let number = segments.first().map_or(0, |header| header.number);
        return push(parts, number, Err(Reject::new(Code::MissingField, "no AT7 in it")));
    }
    for event in std::mem::take(&mut set.events) {
        match event {
            Event::Date(g62) => push(parts, g62.number, set.date(g62))?,
            Event::Status(status) => push(parts, status.at7.number, set.status(*status))?,
        }
    }
    Ok(())
}

impl<'s, 't> Set<'s, 't> {
    fn take(&mut self, segment: &'s Segment<'t>, party: &mut Option<usize>) -> Result<(), Reject> {
        self.detail |= matches!(segment.tag(), "LX" | "AT7");
        match segment.tag() {
            "B10" => {
                let to = &mut self.header.references;
                to.add(ReferenceKind::Pro, segment.text(1), "B1001")?;
                to.add(ReferenceKind::ShipperReference, segment.text(2), "B1002")?;
                refer(to, segment.text(5), segment.text(6), "B1006")?;
            }
            "LX" => self.loops.push(Shared::default()),
            "L11" => {
                refer(&mut self.shared().references, segment.text(2), segment.text(1), "L1101")?;
            }
            "MAN" => {
                let to = &mut self.shared().references;
                refer(to, segment.text(1), segment.text(2), "MAN02")?;
                refer(to, segment.text(4), segment.text(5), "MAN05")?;
            }
            "M7" => {
                for n in 1..=4 {
                    let to = &mut self.shared().references;
                    to.add(ReferenceKind::Seal, segment.text(n), "M701")?;
                }
            }
            "AT8" => self.shared().weighed(segment),
            "K1" => self.shared().remarked(segment),
            "Q7" => self.shared().lacked(segment)?,
            "MS3" => {
                let method = segment.code_at(4);
                let known = codes::METHODS.iter().find(|(code, _)| *code == method);
                self.mode = known.map(|(_, mode)| *mode).or(self.mode);
            }
            "N1" if !self.detail => {
                let role = segment.code_at(1);
                let wanted = codes::PICKUP_PARTIES.iter().chain(codes::DELIVERY_PARTIES);
                let first = !self.parties.iter().any(|(own, _)| *own == role);
                *party = None;
                if first && wanted.into_iter().any(|wanted| *wanted == role) {
                    *party = Some(self.parties.len());
                    let name = text::clipped(segment.text(2), limits::NAME);
                    self.parties.push((role, Place { name, ..Place::default() }));
                }
            }
            "N4" if !self.detail => {
                // The first address is the party's.
                if let Some((_, place)) = party.take().and_then(|n| self.parties.get_mut(n)) {
                    address(segment, place)?;
                }
            }
            "G62" if DATES.find(segment.text(1)).is_some() => {
                self.events.push(Event::Date(segment));
            }
            "AT7" => self.events.push(Event::Status(Box::new(Status {
                at7: segment,
                shared: self.loops.len().checked_sub(1),
                place: None,
                equipment: None,
                vehicle: None,
                odd: Odd::default(),
            }))),
            "MS1" => {
                if let Some(status) = self.last_status() {
                    status.place = Some(position(segment, &mut status.odd)?);
                }
            }
            "MS2" => {
                let (initial, number) = (segment.text(1), segment.text(2));
                let unit = unit_number(initial, number, segment.text(4), "MS202")?;
                let container = is_container(initial)
                    || matches!(&*segment.code_at(3), "CN" | "CC" | "CU" | "CZ");
                let Some(status) = self.last_status() else { return Ok(()) };
                match container {
                    true => status.equipment = equipment(unit, "", "", "MS203")?,
                    false => status.vehicle = unit,
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn shared(&mut self) -> &mut Shared {
        self.loops.last_mut().unwrap_or(&mut self.header)
    }

    fn last_status(&mut self) -> Option<&mut Status<'s, 't>> {
        match self.events.last_mut() {
            Some(Event::Status(status)) => Some(status),
            _ => None,
        }
    }

    fn date(&self, g62: &Segment<'_>) -> Result<Draft, Reject> {
        let code = whole(g62.text(1), at("G6201"), limits::CODE)?.unwrap_or("");
        let moment = moment(g62, [2, 4, 5], ["G6202", "G6204", "G6205"])?;
        let mut draft = Draft::of_code(DATES.prefix, code, DATES.find(code), moment.at);
        moment.note(&mut draft);
        draft.classifier = codes::classifier(&DATES, code);
        draft.place = match code {
            "69" | "77" => self.place_of(codes::PICKUP_PARTIES),
            _ => self.place_of(codes::DELIVERY_PARTIES),
        };
        let container = container_of(&self.header.references, None);
        draft.equipment = equipment(container, "", "", "L1101")?;
        self.share(&mut draft, None, None);
        Ok(draft)
    }

    fn status(&self, status: Status<'_, '_>) -> Result<Draft, Reject> {
        let at7 = status.at7;
        // Only one of them may be sent; a status is the stronger word.
        let (sent, appointment) = (at7.code_at(1), at7.code_at(3));
        let sent = whole(&sent, at("AT701"), limits::CODE)?;
        let appointment = whole(&appointment, at("AT703"), limits::CODE)?;
        let (list, code, reason, reason_at) = match (sent, appointment) {
            (Some(code), _) => (&SHIPMENT_STATUS, code, at7.code_at(2), "AT702"),
            (None, Some(code)) => (&APPOINTMENT_STATUS, code, at7.code_at(4), "AT704"),
            (None, None) => return Err(at("AT701").missing()),
        };
        // Some put a code of the one list where the other's stands.
        let list = match list.find(code) {
            None if APPOINTMENT_STATUS.find(code).is_some() => &APPOINTMENT_STATUS,
            None if SHIPMENT_STATUS.find(code).is_some() => &SHIPMENT_STATUS,
            _ => list,
        };
        let moment = moment(at7, [5, 6, 7], ["AT705", "AT706", "AT707"])?;
        let mut draft = Draft::of_code(list.prefix, code, list.find(code), moment.at);
        draft.classifier = codes::classifier(list, code);
        moment.note(&mut draft);
        status.odd.note(&mut draft);
        match whole(&reason, at(reason_at), limits::CODE) {
            Ok(Some(reason)) => {
                if let Some(kind) = STATUS_REASON.find(reason) {
                    draft.exception(kind, Some([STATUS_REASON.prefix, "/", reason].concat()));
                }
            }
            Ok(None) => {}
            Err(_) => draft.note_about(NoteCode::OddField, reason_at),
        }
        draft.place = status.place.or_else(|| {
            // A person would look where the shipment is picked up, or delivered.
            if codes::AT_PICKUP.contains(&code) {
                self.place_of(codes::PICKUP_PARTIES)
            } else if codes::AT_DELIVERY.contains(&code) {
                self.place_of(codes::DELIVERY_PARTIES)
            } else {
                None
            }
        });
        let shared = status.shared.and_then(|n| self.loops.get(n));
        let unit = status.equipment.as_ref().map(|e| e.number.as_str());
        let own = shared.and_then(|shared| container_of(&shared.references, unit));
        let container = match own {
            Some(own) if Some(own.as_str()) != unit => Some(own),
            own => container_of(&self.header.references, unit).or(own),
        };
        draft.equipment = equipment(container, "", "", "MS202")?;
        self.share(&mut draft, shared, status.vehicle);
        Ok(draft)
    }

    fn place_of(&self, roles: &[&str]) -> Option<Place> {
        let mut parties = roles.iter().filter_map(|role| {
            self.parties.iter().find(|(own, _)| own == role).map(|(_, place)| place)
        });
        // A party without an address may be a terminal, named by its place.
        let found = parties.clone().find(|place| place.city.is_some());
        found.or_else(|| parties.find(|place| place.name.is_some())).cloned()
    }

    fn share(&self, draft: &mut Draft, shared: Option<&Shared>, vehicle: Option<String>) {
        let mode = Some(self.mode.unwrap_or(Mode::Road));
        draft.transport = Some(Transport { mode, vehicle, ..Transport::default() });
        for from in [Some(&self.header), shared].into_iter().flatten() {
            from.references.give(draft);
            from.odd.note(draft);
            draft.exceptions.extend(from.exceptions.iter().cloned());
            draft.quantities.extend(from.quantities.iter().cloned());
            if draft.remark.is_none() {
                draft.remark.clone_from(&from.remark);
            }
        }
    }
}

impl Shared {
    /// AT8: a weight and a volume; AT804 and AT805 are the handling units that are not, and that
    /// are, on pallets: together the shipment's.
    fn weighed(&mut self, at8: &Segment<'_>) {
        if self.quantities.len() >= limits::LIST {
            return;
        }
        self.quantities.extend(weight(at8.text(1), at8.text(2), at8.text(3)));
        self.quantities.extend(volume(at8.text(6), at8.text(7)));
        let units = [4, 5].into_iter().filter_map(|n| decimal(at8.text(n))).sum::<f64>();
        let packages = QuantityKind::Packages;
        if units > 0.0 && !self.quantities.iter().any(|q| q.kind == packages) {
            self.quantities.push(Quantity { kind: packages, value: units, unit: "1".to_owned() });
        }
    }

    /// Q7: what of the lading is not as it should be, and how many units of it.
    fn lacked(&mut self, q7: &Segment<'_>) -> Result<(), Reject> {
        let code = q7.code_at(1);
        let code = whole(&code, at("Q701"), limits::CODE)?.ok_or_else(|| at("Q701").missing())?;
        if self.exceptions.len() < limits::LIST
            && let Some(kind) = LADING_EXCEPTION.find(code)
        {
            let raw_code = Some([LADING_EXCEPTION.prefix, "/", code].concat());
            self.exceptions.push(Exception { kind, raw_code });
        }
        Ok(())
    }

    fn remarked(&mut self, k1: &Segment<'_>) {
        let remark = [k1.text(1), k1.text(2)].join(" ");
        if self.remark.is_none() {
            self.remark = text::clipped(&remark, limits::REMARK);
        }
    }
}
