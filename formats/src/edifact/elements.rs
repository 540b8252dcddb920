//! Segments that several messages have.

use waybill_identifiers::unlocode;
use waybill_schemas::vocabulary::{ExceptionKind, Mode, QuantityKind, ReadingKind, ReferenceKind};
use waybill_schemas::{Equipment, Place, Quantity, Reading, Transport};
use waybill_stage::Reject;

use super::codes;
use super::lists::{Owner, prefixed};
use crate::edi::{References, Segment, decimal, quantity, whole};
use crate::wrong::at;
use crate::{Draft, limits, text};

/// LOC: a place by its code (3225) and the list it is of, its name, and the related places, which are
/// the terminal in a port, or the country of a place.
pub(super) fn location(loc: &Segment<'_>) -> Result<Place, Reject> {
    let mut place = Place::default();
    for (element, name) in [(2, "LOC 3225"), (3, "LOC 3223"), (4, "LOC 3233")] {
        let part = |n| loc.component(element, n);
        let (list, agency) = (loc.code(element, 2), loc.code(element, 3));
        let related = element > 2;
        let named = text::clipped(&part(4), limits::NAME);
        // (What follows may make a name of the code.)
        if related {
            place.name = place.name.or(named)
        } else {
            place.name = named
        }
        if let Some(code) = whole(&part(1), at(name), limits::ID)? {
            locate(&mut place, code, &list, &agency, related, name)?;
        }
    }
    Ok(place)
}

fn locate(
    place: &mut Place,
    code: &str,
    list: &str,
    agency: &str,
    related: bool,
    name: &'static str,
) -> Result<(), Reject> {
    match list {
        "162" => place.country = text::clipped(code, limits::NAME),
        "163" => place.region = text::clipped(code, limits::NAME),
        // Postcodes. What has one is a town.
        "16" if !related => {
            place.postal_code = text::clipped(code, limits::NAME);
            place.city = place.name.take();
        }
        // Of what sender and receiver have agreed on (ZZZ) the code's form tells, and the list's name.
        _ if agency != "ZZZ" && Owner::of("", agency).is_own() => {
            place.facility = Some(prefixed(&Owner::of(list, agency), code));
        }
        _ if agency == "3" && code.len() == 3 && code.bytes().all(|b| b.is_ascii_alphabetic()) => {
            place.iata = Some(code.to_ascii_uppercase());
        }
        // Lists of places of the UN, or none said: what looks like UN/LOCODE is it.
        _ if !related
            && matches!(agency, "" | "6" | "112" | "ZZZ")
            && unlocode::read(code).is_ok() =>
        {
            place.unlocode = unlocode::read(code).ok();
        }
        _ => {
            let of = match (list, agency) {
                (_, "306") | ("TERMINALS", _) => "SMDG",
                (_, "9") => "GLN",
                (_, "20") => "BIC",
                ("", "") if related => "TER",
                ("", agency) => agency,
                (list, _) => list,
            };
            let Some(of) = whole(of, at(name), limits::CODE)? else {
                place.name = place.name.take().or_else(|| text::clipped(code, limits::NAME));
                return Ok(());
            };
            place.facility = Some([of, "/", code].concat());
        }
    }
    Ok(())
}

/// TDT: stage (8051), voyage or flight (8028), mode (8067), vessel or vehicle (C222).
pub(super) fn transport(tdt: &Segment<'_>) -> Result<Transport, Reject> {
    let mode = codes::MODES.iter().find(|(code, _)| *code == tdt.code(3, 1));
    let mode = mode.map(|(_, mode)| *mode);
    let journey = tdt.component(2, 1);
    let journey = whole(&journey, at("TDT 8028"), limits::ID)?.map(str::to_owned);
    // The identification is element 8; older directories had it in 7.
    let at_8 = [1, 4].iter().any(|n| !tdt.component(8, *n).is_empty());
    let element = if at_8 { 8 } else { 7 };
    let (id, list, agency) =
        (tdt.component(element, 1), tdt.component(element, 2), tdt.component(element, 3));
    let id = whole(&id, at("TDT 8213"), limits::ID)?;
    let name = text::clipped(&tdt.component(element, 4), limits::NAME);
    let mut transport = Transport { mode, ..Transport::default() };
    match mode {
        None | Some(Mode::Ocean | Mode::Barge | Mode::Multimodal) => {
            transport.voyage = journey;
            transport.vessel_name = name;
            // 146 is any identification of a means of transport, 103 its call sign; agency 11 is
            // Lloyd's register.
            let digits = |id: &&str| id.len() == 7 && id.bytes().all(|b| b.is_ascii_digit());
            let is_own = Owner::of("", &agency).is_own();
            let is_imo = list != "103" && !is_own && (mode.is_some() || agency == "11");
            transport.vessel_imo = id.filter(digits).filter(|_| is_imo).map(str::to_owned);
        }
        Some(Mode::Air) => transport.flight = journey.or(id.map(str::to_owned)),
        Some(_) => {
            transport.vehicle = id.map(str::to_owned).or(name).or(journey);
        }
    }
    Ok(transport)
}

/// RFF: a reference by its qualifier (1153).
pub(super) fn refer(to: &mut References, rff: &Segment<'_>) -> Result<(), Reject> {
    let kind = codes::reference(&rff.code(1, 1));
    to.add(kind, &rff.component(1, 2), "RFF 1154")
}

/// FTX: its free text.
pub(super) fn remark(ftx: &Segment<'_>) -> Option<String> {
    let lines: Vec<_> = (1..=5).map(|n| ftx.component(4, n)).collect();
    text::clipped(lines.join(" ").trim(), limits::REMARK)
}

/// A unit of equipment (EQD) and what is said of it in the segments after it.
#[derive(Debug, Default)]
pub(super) struct Unit {
    /// Its segment's.
    pub number: usize,
    pub equipment: Option<Equipment>,
    /// 8053: not a chassis, a trailer, ….
    is_container: bool,
    /// 8249: export, import, …
    pub movement: String,
    pub seals: References,
    quantities: Vec<Quantity>,
    readings: Vec<Reading>,
    is_damaged: bool,
}

impl Unit {
    pub(super) fn read(eqd: &Segment<'_>) -> Result<Self, Reject> {
        let number = eqd.component(2, 1);
        let number = whole(&number, at("EQD 8260"), limits::ID)?.map(str::to_owned);
        let iso_type = eqd.component(3, 1);
        let (list, agency) = (eqd.code(3, 2), eqd.code(3, 3));
        let iso_type =
            whole(&iso_type, at("EQD 8155"), limits::CODE)?.map(|code| {
                match Owner::of(&list, &agency) {
                    owner if owner.is_own() => prefixed(&owner, code),
                    _ => code.to_owned(),
                }
            });
        let empty = match &*eqd.code(6, 1) {
            "4" => Some(true),
            "5" | "7" | "8" => Some(false),
            _ => None,
        };
        Ok(Self {
            number: eqd.number,
            equipment: number.map(|number| Equipment { number, iso_type, empty }),
            is_container: matches!(&*eqd.code(1, 1), "CN" | ""),
            movement: eqd.component(5, 1).into_owned(),
            ..Self::default()
        })
    }

    /// Takes a segment that may be of the unit.
    pub(super) fn take(&mut self, segment: &Segment<'_>) -> Result<(), Reject> {
        match segment.tag() {
            "MEA" if self.quantities.len() < limits::LIST => {
                self.quantities.extend(measure(segment));
            }
            "SEL" => self.seals.add(ReferenceKind::Seal, &segment.component(1, 1), "SEL 9308")?,
            "TMP" if self.readings.len() < limits::LIST => {
                let unit = codes::unit(&segment.code(2, 2));
                if let (Some(value), Some(unit)) = (decimal(&segment.component(2, 1)), unit) {
                    self.readings.push(Reading {
                        kind: ReadingKind::SetPoint,
                        value,
                        unit: unit.to_owned(),
                        sensor: None,
                    });
                }
            }
            "DAM" => self.is_damaged = true,
            _ => {}
        }
        Ok(())
    }

    pub(super) fn is_empty_container(&self) -> bool {
        self.is_container && self.equipment.as_ref().and_then(|e| e.empty) == Some(true)
    }

    pub(super) fn give(self, draft: &mut Draft) {
        draft.equipment = self.equipment;
        draft.quantities.extend(self.quantities);
        draft.readings.extend(self.readings);
        self.seals.give(draft);
        if self.is_damaged {
            draft.exception(ExceptionKind::Damage, None);
        }
    }
}

/// MEA: what is measured (6313), its unit (6411) and value.
pub(super) fn measure(mea: &Segment<'_>) -> Option<Quantity> {
    let what = mea.code(2, 1);
    let kind = codes::MEASURES.iter().find(|(code, _)| *code == what).map(|(_, kind)| *kind);
    let unit = codes::unit(&mea.code(3, 1))?;
    let kind = match (kind, unit) {
        (Some(kind), _) => kind,
        (None, "m3" | "[cft_i]" | "L") => QuantityKind::Volume,
        (None, _) => QuantityKind::Other,
    };
    quantity(kind, &mea.component(3, 2), unit)
}
