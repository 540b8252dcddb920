//! CODECO and COARRI: reports of a terminal or depot, each of one kind of move (BGM) of many
//! containers (EQD).

use waybill_schemas::vocabulary::{Milestone, Mode};
use waybill_schemas::{Place, Transport};
use waybill_stage::{Code, Reject};

use super::codes::{GATE_REPORT, STATUS_TIMES, VESSEL_REPORT};
use super::elements::{Unit, location, moment, refer, remark, transport};
use crate::codes::CodeList;
use crate::edi::{Output, References, Segment, decimal, push, whole};
use crate::wrong::at;
use crate::{Draft, limits};

/// What stands before the first EQD.
#[derive(Default)]
struct Header {
    code: String,
    is_cancellation: bool,
    references: References,
    transport: Option<Transport>,
    places: Vec<(String, Place)>,
}

/// An EQD and what follows it.
struct Move<'s, 't> {
    unit: Unit,
    references: References,
    times: Vec<&'s Segment<'t>>,
    places: Vec<(String, Place)>,
    transport: Option<Transport>,
    remark: Option<String>,
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
                // 16: the number of EQDs.
                let sent = decimal(&segment.component(1, 2));
                match segment.component(1, 1) == "16" && sent != Some(f64::from(count)) {
                    true => Err(at("CNT 6066").contradicts("not the number of EQD")),
                    false => Ok(()),
                }
            }
            (_, Some(open)) => {
                if let Err(reject) = open.take(segment) {
                    open.wrong.get_or_insert(reject);
                }
                Ok(())
            }
            (_, None) if count == 0 => match header.take(segment) {
                // What all moves need is wrong with all of them.
                Err(reject) => return push(parts, segment.number, Err(reject)),
                Ok(()) => Ok(()),
            },
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

fn placed(to: &mut Vec<(String, Place)>, loc: &Segment<'_>) -> Result<(), Reject> {
    if to.len() >= limits::LIST {
        return Err(at("LOC").too_many(limits::LIST));
    }
    let function = loc.component(1, 1);
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
                let code = segment.component(1, 1);
                let code = whole(&code, at("BGM 1001"), limits::CODE)?;
                self.code = code.ok_or_else(|| at("BGM 1001").missing())?.to_owned();
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
        let time = |wanted: &&str| of.times.iter().find(|dtm| dtm.component(1, 1) == **wanted);
        // 203 is the execution of the move; others stand for it where it is not sent.
        let wanted = ["203"].iter().chain(STATUS_TIMES);
        let dtm = wanted.into_iter().find_map(time).ok_or_else(|| at("DTM").missing())?;
        let occurred = moment(dtm)?;
        let mut draft = Draft::of_code(list.prefix, &self.code, list.find(&self.code), occurred);
        let at_vessel = list.prefix == VESSEL_REPORT.prefix;
        if at_vessel && draft.milestone == Milestone::Other {
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
