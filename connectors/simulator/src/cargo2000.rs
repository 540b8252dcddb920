//! The Cargo 2000 case study: 3,942 air shipments of a forwarder as they really went, anonymised (A.
//! Metzger and others, of whose data the CSV is a rendering), told as an airline would tell them: in
//! IATA ONE Record logistics events.
//!
//! A row is a shipment: up to three inbound legs (`i1_`, `i2_`, `i3_`), whose freight is brought
//! together at one place, and one outbound leg (`o_`). The row `1` is the first below the header. Its
//! columns, each behind the leg's prefix:
//!
//! | column | what it is |
//! |---|---|
//! | `legid` | number of the leg; 0: there is no such leg, and all its columns are 0 |
//! | `rcs_p`, `rcs_e` | until the freight is received from the shipper at the first airport (RCS) |
//! | `dep_N_p`, `dep_N_e` | from then, or from the last RCF, until segment N departs (DEP), N = 1 to 3 |
//! | `dep_N_place` | where it departs from: a number of an airport; 0: there is no segment N |
//! | `rcf_N_p`, `rcf_N_e` | from then until it is received from the flight (RCF) |
//! | `rcf_N_place` | where it arrives |
//! | `dlv_p`, `dlv_e` | from the last RCF until it is delivered at the last airport (DLV) |
//! | `hops` | number of segments: 1 to 3 |
//!
//! and last, behind none, `legs`: the number of inbound legs. `_p` is planned and `_e` effective, in
//! minutes, and each is the duration of that step alone.
//!
//! # What is made of it
//! The file has durations and no dates. The inbound legs of a shipment begin at a base date, and the
//! outbound leg when the last of them has effectively ended; the plan of a leg counts from its
//! effective beginning. So what a milestone is late is the sum of what its leg's steps were longer
//! than planned: [`Leg::milestones`] is that sum, and what is read from the messages has to be the
//! same.
//!
//! The mappings can be inverted: leg 5182 is air waybill `999-00051822` ([`air_waybill`]: prefix 999,
//! which no airline has, the number in seven digits, and its check digit), and airport 256 is `AJW`
//! ([`airport`]: base 26). It has nothing to do with the airport that IATA calls so.

use std::io::{self, Write};

use jiff::Timestamp;

/// What the messages are sent with.
pub const MEDIA_TYPE: &str = "application/vnd.iata.one-record+json";

/// 2024-01-01T00:00:00Z, ms UTC: a base date for tests that know no other.
pub const BASE_MS: i64 = 1_704_067_200_000;

const MINUTE_MS: i64 = 60_000;

/// A leg's prefix in the file: three inbound, one outbound.
pub const PREFIXES: [&str; 4] = ["i1", "i2", "i3", "o"];

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shipment {
    /// 1, 2, ….
    pub row: usize,
    /// The inbound legs in their order, and last the outbound one.
    pub legs: Vec<Leg>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leg {
    /// Of [`PREFIXES`].
    pub prefix: &'static str,
    pub id: u32,
    /// RCS; DEP and RCF of each segment; DLV.
    pub steps: Vec<Step>,
}

/// One step of a leg, which ends with a milestone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    /// IATA status code: `RCS`, `DEP`, `RCF`, `DLV`.
    pub code: &'static str,
    /// Of which segment: 1 to 3; of `RCS` the first, of `DLV` the last.
    pub segment: usize,
    pub place: u32,
    /// Duration of the step, minutes.
    pub planned: i64,
    pub effective: i64,
}

/// When a milestone was to be reached, and when it was: minutes from the leg's beginning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reached {
    pub code: &'static str,
    pub segment: usize,
    pub place: u32,
    pub planned: i64,
    pub effective: i64,
}

impl Reached {
    /// How much later than planned, minutes; less than 0 if earlier.
    pub fn late(&self) -> i64 {
        self.effective - self.planned
    }
}

impl Leg {
    /// The file's own arithmetic: the durations summed up.
    pub fn milestones(&self) -> impl Iterator<Item = Reached> {
        self.steps.iter().scan((0, 0), |(planned, effective), step| {
            *planned += step.planned;
            *effective += step.effective;
            let Step { code, segment, place, .. } = *step;
            Some(Reached { code, segment, place, planned: *planned, effective: *effective })
        })
    }

    /// How long it took from beginning to end, minutes.
    fn took(&self) -> i64 {
        self.steps.iter().map(|step| step.effective).sum()
    }
}

impl Shipment {
    /// The messages of the shipment, one for each leg: the leg, and its planned and actual events.
    pub fn messages(&self, base_ms: i64) -> impl Iterator<Item = (&Leg, Vec<u8>)> {
        let inbound = self.legs.iter().filter(|leg| leg.prefix != "o").map(Leg::took);
        let together = base_ms + inbound.max().unwrap_or(0) * MINUTE_MS;
        self.legs.iter().map(move |leg| {
            let begins = if leg.prefix == "o" { together } else { base_ms };
            let mut json = Vec::with_capacity(8 * 1024);
            // Writing into memory does not fail.
            let _ = write(&mut json, self.row, leg, begins);
            (leg, json)
        })
    }
}

/// A file that is not of the form that the module describes.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("row {row}, column {column}: absent, or not the number that it has to be")]
pub struct CsvError {
    /// 0: the header.
    pub row: usize,
    pub column: String,
}

/// Reads the file: numbers between commas, without quotes, below a header.
pub fn shipments(csv: &str) -> Result<Vec<Shipment>, CsvError> {
    let mut lines = csv.lines().map(|line| line.split(',').map(str::trim).collect::<Vec<_>>());
    let header = lines.next().unwrap_or_default();
    lines.zip(1..).map(|(fields, row)| shipment(&Row { header: &header, fields, row })).collect()
}

struct Row<'c> {
    header: &'c [&'c str],
    fields: Vec<&'c str>,
    row: usize,
}

impl Row<'_> {
    fn wrong(&self, column: String) -> CsvError {
        CsvError { row: self.row, column }
    }

    fn number(&self, column: String) -> Result<u32, CsvError> {
        let at = self.header.iter().position(|name| *name == column);
        let number = at.and_then(|at| self.fields.get(at)).and_then(|field| field.parse().ok());
        number.ok_or_else(|| self.wrong(column))
    }
}

fn shipment(row: &Row<'_>) -> Result<Shipment, CsvError> {
    let mut legs = Vec::with_capacity(PREFIXES.len());
    for prefix in PREFIXES {
        legs.extend(leg(row, prefix)?);
    }
    let inbound = legs.iter().filter(|leg| leg.prefix != "o").count();
    let stated = row.number("legs".to_owned())?;
    if usize::try_from(stated) != Ok(inbound) || inbound == legs.len() {
        return Err(row.wrong("legs".to_owned()));
    }
    Ok(Shipment { row: row.row, legs })
}

fn leg(row: &Row<'_>, prefix: &'static str) -> Result<Option<Leg>, CsvError> {
    let of = |name: &str| row.number(format!("{prefix}_{name}"));
    let (id, hops) = (of("legid")?, of("hops")?);
    if id == 0 {
        return Ok(None);
    }
    if !(1..=3).contains(&hops) {
        return Err(row.wrong(format!("{prefix}_hops")));
    }
    let step = |code: &'static str, name: &str, segment: usize, place: u32| {
        let planned = i64::from(of(&format!("{name}_p"))?);
        let effective = i64::from(of(&format!("{name}_e"))?);
        Ok::<_, CsvError>(Step { code, segment, place, planned, effective })
    };
    let mut steps = vec![step("RCS", "rcs", 1, of("dep_1_place")?)?];
    let mut last = 0;
    for segment in 1..=hops as usize {
        for (code, name) in [("DEP", format!("dep_{segment}")), ("RCF", format!("rcf_{segment}"))] {
            last = of(&format!("{name}_place"))?;
            if last == 0 {
                return Err(row.wrong(format!("{prefix}_{name}_place")));
            }
            steps.push(step(code, &name, segment, last)?);
        }
    }
    steps.push(step("DLV", "dlv", hops as usize, last)?);
    Ok(Some(Leg { prefix, id, steps }))
}

/// `999-00051822` for leg 5182.
pub fn air_waybill(leg: u32) -> String {
    let serial = leg % 10_000_000;
    format!("999-{serial:07}{}", waybill_identifiers::air_waybill::check_digit(serial))
}

/// The leg of an air waybill that [`air_waybill`] made.
pub fn leg_of(air_waybill: &str) -> Option<u32> {
    let serial = air_waybill.strip_prefix("999-").filter(|serial| serial.len() == 8)?;
    serial.get(..7)?.parse().ok()
}

/// `AJW` for place 256.
pub fn airport(place: u32) -> String {
    [place / 676 % 26, place / 26 % 26, place % 26]
        .into_iter()
        .filter_map(|letter| char::from_digit(letter + 10, 36))
        .map(|letter| letter.to_ascii_uppercase())
        .collect()
}

/// The place of an airport that [`airport`] made.
pub fn place_of(airport: &str) -> Option<u32> {
    let letters = airport.bytes().all(|b| b.is_ascii_uppercase()) && airport.len() == 3;
    letters.then(|| airport.bytes().fold(0, |place, b| place * 26 + u32::from(b - b'A')))
}

/// A graph: the waybill of the leg, the shipment that travels on it, and the events, each milestone
/// first as planned and then as it was. None of the texts needs escaping.
fn write(w: &mut Vec<u8>, row: usize, leg: &Leg, begins_ms: i64) -> io::Result<()> {
    let objects = "https://cargo2000.example/logistics-objects";
    let subject = format!("{row}-{}", leg.prefix);
    let waybill = air_waybill(leg.id);
    let (prefix, number) = waybill.split_once('-').unwrap_or_default();
    write!(
        w,
        r#"{{"@context":{{"@vocab":"https://onerecord.iata.org/ns/cargo#"}},"@graph":[
{{"@id":"{objects}/waybill-{subject}","@type":"Waybill","waybillPrefix":"{prefix}","waybillNumber":"{number}","waybillType":{{"@id":"MASTER"}}}},
{{"@id":"{objects}/shipment-{subject}","@type":"Shipment","waybill":{{"@id":"{objects}/waybill-{subject}"}}}}"#
    )?;
    for reached in leg.milestones() {
        for (kind, minutes) in [("PLANNED", reached.planned), ("ACTUAL", reached.effective)] {
            let Reached { code, segment, place, .. } = reached;
            let at = Timestamp::from_millisecond(begins_ms + minutes * MINUTE_MS);
            let at = at.map_err(io::Error::other)?;
            let place = airport(place);
            write!(
                w,
                r#",
{{"@type":"LogisticsEvent","@id":"{objects}/shipment-{subject}/logistics-events/{code}-{segment}-{kind}","eventCode":{{"@id":"https://onerecord.iata.org/ns/coreCodeLists#StatusCode_{code}"}},"eventTimeType":{{"@id":"https://onerecord.iata.org/ns/cargo#{kind}"}},"eventDate":{{"@type":"http://www.w3.org/2001/XMLSchema#dateTime","@value":"{at}"}},"eventLocation":{{"@type":"Location","locationCode":{{"@type":"CodeListElement","code":"{place}"}}}},"eventFor":{{"@id":"{objects}/shipment-{subject}","@type":"Shipment"}}}}"#
            )?;
        }
    }
    w.write_all(b"]}\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mappings_can_be_inverted() {
        assert_eq!(air_waybill(5182), "999-00051822");
        assert_eq!(airport(256), "AJW");
        for n in (0..17_576).step_by(7).chain([815, 14_664, 17_575]) {
            assert_eq!(place_of(&airport(n)), Some(n));
            assert_eq!(leg_of(&air_waybill(n)), Some(n));
        }
        assert_eq!(place_of("ajw"), None);
        assert_eq!(leg_of("020-12345675"), None);
    }

    #[test]
    fn what_is_no_such_file() {
        let wrong = |csv: &str| shipments(csv).map_err(|e| (e.row, e.column));
        assert_eq!(wrong(""), Ok(Vec::new()));
        assert_eq!(wrong("a,b\n1,2\n"), Err((1, "i1_legid".to_owned())));
    }
}
