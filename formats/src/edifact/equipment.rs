//! CODECO and COARRI: reports of a terminal or depot, each of one kind of move (BGM) of many
//! containers (EQD).

use waybill_schemas::vocabulary::{Milestone, Mode, NoteCode};
use waybill_schemas::{Place, Transport};
use waybill_stage::{Code, Reject};

use super::codes::{self, GATE_REPORT, HAPPENED, STATUS_TIMES, VESSEL_REPORT};
use super::elements::{Unit, location, refer, remark, transport};
use super::lists::Owner;
use super::moments::moment;
use crate::codes::CodeList;
use crate::edi::{Moment, Odd, Output, References, Segment, decimal, push, whole};
use crate::wrong::at;
use crate::{Draft, limits};

/// What stands before the first EQD.
#[derive(Default)]
struct Header {
    code: String,
    /// Whose list the code is of.
    owner: Option<Owner>,
    is_cancellation: bool,
    references: References,
    odd: Odd,
    transport: Option<Transport>,
    places: Vec<(String, Place)>,
    /// Times of all moves, by their qualifiers.
    times: Vec<(String, Moment)>,
}

/// An EQD and what follows it.
struct Move<'s, 't> {
    unit: Unit,
    references: References,
    times: Vec<&'s Segment<'t>>,
    places: Vec<(String, Place)>,
    transport: Option<Transport>,
    remark: Option<String>,
    odd: Odd,
    wrong: Option<Reject>,
}

pub(super) fn read(
    segments: &[Segment<'_>],
    by_vessel: bool,
    parts: &mut Output<'_>,
) -> Result<(), Reject> {
    let list = if by_vessel { &VESSEL_REPORT } else { &GATE_REPORT };
    let mut header = Header::default();
    let mut open: Option<Move<'_, '_>> = None;
    let mut count = 0_u32;
    let before = parts.parts.len();
    for segment in segments {
        if matches!(segment.tag(), "EQD" | "CNT" | "UNT")
            && let Some(done) = open.take()
        {
            push(parts, done.unit.number, header.event(done, list))?;
        }
        let taken = match (segment.tag(), &mut open) {
            ("EQD", _) => {
                count += 1;
                Unit::read(segment).map(|unit| open = Some(Move::new(unit)))
            }
            ("CNT", _) => {
                // 16: the number of EQDs. Another one says that some may be missing.
                let sent = decimal(&segment.component(1, 2));
                if segment.component(1, 1) == "16" && sent != Some(f64::from(count)) {
                    parts.parts.note_since(before, NoteCode::EnvelopeMismatch, "CNT 6066");
                }
                Ok(())
            }
            (_, Some(open)) => {
                let taken = open.take(segment);
                if let Err(reject) = open.odd.keep(taken) {
                    open.wrong.get_or_insert(reject);
                }
                Ok(())
            }
            (_, None) if count == 0 => {
                let taken = header.take(segment);
                let needed = segment.is("BGM");
                match if needed { taken } else { header.odd.keep(taken) } {
                    // What all moves need is wrong with all of them.
                    Err(reject) => return push(parts, segment.number, Err(reject)),
                    Ok(()) => Ok(()),
                }
            }
            (_, None) => Ok(()),
        };
        if let Err(reject) = taken {
            push(parts, segment.number, Err(reject))?;
        }
    }
    if count > 0 {
        return Ok(());
    }
    let number = segments.first().map_or(0, |first| first.number);
    push(parts, number, Err(Reject::new(Code::MissingField, "no EQD in it")))
}

/// None of the dates of a move says when it was: which there are.
fn no_time(times: &[&Segment<'_>]) -> Reject {
    let mut found: Vec<&str> = Vec::new();
    for dtm in times {
        let words = codes::date_in_words(&dtm.code(1, 1));
        if found.len() < 4 && !found.contains(&words) {
            found.push(words);
        }
    }
    let of = "DTM: is required, of when the move was (203, 7, ...)";
    let detail = match found.as_slice() {
        [] => of.to_owned(),
        found => format!("{of}; found {}", found.join(", ")),
    };
    Reject::new(Code::MissingField, detail)
}

fn placed(to: &mut Vec<(String, Place)>, loc: &Segment<'_>) -> Result<(), Reject> {
    if to.len() >= limits::LIST {
        return Err(at("LOC").too_many(limits::LIST));
    }
    let function = loc.code(1, 1);
    let function = whole(&function, at("LOC 3227"), limits::CODE)?.unwrap_or("");
    to.push((function.to_owned(), location(loc)?));
    Ok(())
}

fn place_of<'p>(places: &'p [(String, Place)], functions: &[&str]) -> Option<&'p Place> {
    let found = functions.iter().find_map(|f| places.iter().find(|(own, _)| own == f));
    found.map(|(_, place)| place)
}

impl Header {
    fn take(&mut self, segment: &Segment<'_>) -> Result<(), Reject> {
        match segment.tag() {
            "BGM" => {
                let code = segment.code(1, 1);
                let code = whole(&code, at("BGM 1001"), limits::CODE)?;
                self.code = code.ok_or_else(|| at("BGM 1001").missing())?.to_owned();
                self.owner = Some(Owner::of(&segment.code(1, 2), &segment.code(1, 3)));
                self.is_cancellation = segment.component(3, 1) == "1";
            }
            // After TDT it is of the vessel: its call at the port.
            "RFF" if self.transport.is_some() => {
                let call = segment.component(1, 2);
                let call = whole(&call, at("RFF 1154"), limits::ID)?.map(str::to_owned);
                if let Some(transport) = &mut self.transport {
                    transport.call_id = transport.call_id.take().or(call);
                }
            }
            // After TDT it is the vessel's.
            "DTM" if self.transport.is_none() && self.times.len() < limits::LIST => {
                if let Ok(moment) = moment(segment) {
                    self.times.push((segment.code(1, 1).into_owned(), moment));
                }
            }
            "RFF" => refer(&mut self.references, segment)?,
            "TDT" if self.transport.is_none() => self.transport = Some(transport(segment)?),
            "LOC" => placed(&mut self.places, segment)?,
            _ => {}
        }
        Ok(())
    }

    fn event(&self, of: Move<'_, '_>, list: &CodeList) -> Result<Draft, Reject> {
        if let Some(wrong) = of.wrong {
            return Err(wrong);
        }
        if self.code.is_empty() {
            return Err(at("BGM 1001").missing());
        }
        let time = |wanted: &&str| of.times.iter().find(|dtm| dtm.code(1, 1) == **wanted);
        // 203 is the execution of the move; others stand for it where it is not sent.
        let mut wanted = ["203"].iter().chain(STATUS_TIMES).chain(HAPPENED);
        let moment = match wanted.clone().find_map(time) {
            Some(dtm) => moment(dtm)?,
            None => {
                let shared = |wanted: &&str| self.times.iter().find(|(own, _)| own == wanted);
                let shared = wanted.find_map(shared).ok_or_else(|| no_time(&of.times))?;
                shared.1
            }
        };
        let own = self.owner.as_ref().filter(|owner| owner.is_own());
        let mut draft = match own {
            Some(owner) => Draft::of_code(owner.prefix(), &self.code, None, moment.at),
            None => Draft::of_code(list.prefix, &self.code, list.find(&self.code), moment.at),
        };
        moment.note(&mut draft);
        self.odd.note(&mut draft);
        of.odd.note(&mut draft);
        let at_vessel = list.prefix == VESSEL_REPORT.prefix;
        if at_vessel && own.is_none() && draft.milestone == Milestone::Other {
            // Of a code that no list has, the terminal's own place in the voyage tells: where the
            // vessel is loaded, or where it is discharged.
            let loading = place_of(&self.places, &["9"]).is_some();
            let discharging = place_of(&self.places, &["11"]).is_some();
            draft.milestone = match (loading, discharging) {
                (true, false) => Milestone::Loaded,
                (false, true) => Milestone::Discharged,
                _ => Milestone::Other,
            };
        }
        // 2 is export, 3 import: an empty unit comes in for export to be stuffed, and goes out of
        // import to be positioned; else it is the round of the empty unit.
        let moved = draft.milestone;
        if of.unit.is_empty_container() {
            draft.milestone = match (moved, &*of.unit.movement) {
                (Milestone::GateIn, movement) if movement != "2" => Milestone::EmptyReturned,
                (Milestone::GateOut, movement) if movement != "3" => Milestone::EmptyPickedUp,
                _ => moved,
            };
        }
        draft.place = self.place(&of, moved, at_vessel);
        draft.transport = self.transport(of.transport, at_vessel);
        draft.remark = of.remark;
        if self.is_cancellation {
            draft.milestone = Milestone::Withdrawn;
        }
        self.references.give(&mut draft);
        of.references.give(&mut draft);
        of.unit.give(&mut draft);
        Ok(draft)
    }

    /// Where it was done: 165 and 175 say so; a vessel is loaded at 9 and discharged at 11, which
    /// before the units is the terminal's own.
    fn place(&self, of: &Move<'_, '_>, moved: Milestone, at_vessel: bool) -> Option<Place> {
        const ACTIVITY: &[&str] = &["165", "175"];
        let functions: &[&str] = match (moved, &*of.unit.movement) {
            (Milestone::Loaded, _) => &["9"],
            (Milestone::Discharged, _) => &["11"],
            (_, "2") => &["9"],
            (_, "3") => &["11"],
            _ => &[],
        };
        let own = place_of(&of.places, ACTIVITY).or_else(|| place_of(&self.places, ACTIVITY));
        let ports = match at_vessel {
            true => place_of(&self.places, functions).or_else(|| place_of(&of.places, functions)),
            false => place_of(&of.places, functions).or_else(|| place_of(&self.places, functions)),
        };
        own.or(ports).cloned()
    }

    /// A gate move is by the carriage that the unit names, for the vessel that the header names.
    fn transport(&self, own: Option<Transport>, at_vessel: bool) -> Option<Transport> {
        let main = self.transport.clone().unwrap_or_default();
        let transport = match (own, at_vessel) {
            (_, true) => Transport { mode: main.mode.or(Some(Mode::Ocean)), ..main },
            (Some(own), false) => Transport {
                mode: own.mode,
                vehicle: own.vehicle,
                vessel_name: main.vessel_name,
                vessel_imo: main.vessel_imo,
                voyage: main.voyage,
                call_id: main.call_id,
                ..Transport::default()
            },
            // The vessel does not come to the gate.
            (None, false) => Transport { mode: None, ..main },
        };
        (transport != Transport::default()).then_some(transport)
    }
}

impl<'s, 't> Move<'s, 't> {
    fn new(unit: Unit) -> Self {
        Self {
            unit,
            references: References::default(),
            times: Vec::new(),
            places: Vec::new(),
            transport: None,
            remark: None,
            odd: Odd::default(),
            wrong: None,
        }
    }

    fn take(&mut self, segment: &'s Segment<'t>) -> Result<(), Reject> {
        match segment.tag() {
            "RFF" => refer(&mut self.references, segment)?,
            "DTM" if self.times.len() < limits::LIST => self.times.push(segment),
            // After its own TDT a place is one of that carriage.
            "LOC" if self.transport.is_none() => placed(&mut self.places, segment)?,
            "TDT" if self.transport.is_none() => self.transport = Some(transport(segment)?),
            "FTX" if self.remark.is_none() => self.remark = remark(segment),
            _ => self.unit.take(segment)?,
        }
        Ok(())
    }
}
