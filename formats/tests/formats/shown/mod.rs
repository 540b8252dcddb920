//! What a format made of a message, as lines that a person can check.

mod said;

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

pub use said::{Said, said};
use waybill_formats::{Draft, Parts, find};
use waybill_schemas::vocabulary::{NoteCode, TimePrecision};
use waybill_stage::Reject;

/// `../shared/data`, or `None` where that is absent: said aloud, with the test's name, and dev/test repeats it.
pub fn shared_data() -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data");
    if !folder.is_dir() {
        println!("skipped: {}: ../shared is absent", std::thread::current().name().unwrap_or("?"));
        return None;
    }
    Some(folder)
}

/// A file of it. Where the folder is, the file must be.
pub fn shared(path: &str) -> Option<Vec<u8>> {
    let file = shared_data()?.join(path);
    Some(std::fs::read(file).unwrap_or_else(|e| panic!("{path}: {e}")))
}

pub fn read(media_type: &str, payload: &[u8]) -> Result<Parts, Reject> {
    let mut parts = Parts::default();
    find(media_type)?.read(payload, &mut parts).map(|()| parts)
}

/// One line a part, with all that a draft holds.
pub fn shown(outcome: &Result<Parts, Reject>) -> String {
    let mut text = String::new();
    match outcome {
        Ok(parts) => {
            for (position, part) in parts.iter() {
                match part {
                    Ok(draft) => writeln!(text, "{position} {}", line(draft)).unwrap(),
                    Err(reject) => writeln!(text, "{position} {}", line_of(reject)).unwrap(),
                }
            }
        }
        Err(reject) => writeln!(text, "0 {}", line_of(reject)).unwrap(),
    }
    text
}

/// That the parts at these positions of a file of `../shared/data` say exactly this.
#[track_caller]
pub fn check(media_type: &str, file: &str, expect: &[(u32, &str)]) {
    let Some(payload) = shared(file) else { return };
    let parts = read(media_type, &payload).unwrap();
    for (position, expect) in expect {
        let part = parts.iter().find(|(own, _)| own == position).map(|(_, part)| part);
        let found = match part.unwrap() {
            Ok(draft) => line(draft),
            Err(reject) => line_of(reject),
        };
        assert_eq!(found, *expect, "{file} {position}");
    }
}

pub fn line_of(reject: &Reject) -> String {
    format!("reject {} {}", reject.code.as_str(), reject.detail)
}

pub fn line(draft: &Draft) -> String {
    let d = draft;
    let mut line = format!("{} {} {}", d.milestone.as_str(), d.classifier.as_str(), d.raw_code);
    let wall = jiff::Timestamp::from_millisecond(d.occurred.wall_ms).unwrap();
    write!(
        line,
        " wall={wall}{} offset={}",
        if d.occurred.precision == TimePrecision::Day { " (day)" } else { "" },
        d.occurred.offset_minutes.map_or("none".to_owned(), |m| m.to_string())
    )
    .unwrap();
    let mut field = |name: &str, value: Option<String>| {
        if let Some(value) = value {
            write!(line, " {name}={value:?}").unwrap();
        }
    };
    field(
        "year_open",
        d.year_open.map(|o| match (o.month_too, o.then_days) {
            (true, _) => "and its month".to_owned(),
            (false, days) => format!("{days:+} days"),
        }),
    );
    field("id", d.raw_id.clone());
    field(
        "created",
        d.created_at.map(|t| jiff::Timestamp::from_millisecond(t).unwrap().to_string()),
    );
    field("document", d.document.as_ref().map(|d| format!("{}:{}", d.kind, d.number)));
    for r in &d.references {
        field(r.kind.as_str(), Some(r.value.clone()));
    }
    if let Some(e) = &d.equipment {
        field("unit", Some(e.number.clone()));
        field("iso_type", e.iso_type.clone());
        field("empty", e.empty.map(|e| e.to_string()));
    }
    if let Some(p) = &d.place {
        field("unlocode", p.unlocode.clone());
        field("iata", p.iata.clone());
        field("name", p.name.clone());
        field("facility", p.facility.clone());
        field("facility_type", p.facility_type.clone());
        field("city", p.city.clone());
        field("region", p.region.clone());
        field("postal_code", p.postal_code.clone());
        field("country", p.country.clone());
        field("at", p.latitude.zip(p.longitude).map(|(a, b)| format!("{a},{b}")));
    }
    if let Some(t) = &d.transport {
        field("mode", t.mode.map(|m| m.as_str().into()));
        field("imo", t.vessel_imo.clone());
        field("vessel", t.vessel_name.clone());
        field("voyage", t.voyage.clone());
        field("flight", t.flight.clone());
        field("vehicle", t.vehicle.clone());
        field("service", t.service.clone());
        field("call", t.call_id.clone());
    }
    for e in &d.exceptions {
        let code = e.raw_code.as_deref().unwrap_or_default();
        field("exception", Some(format!("{} {code}", e.kind.as_str())));
    }
    for q in &d.quantities {
        field(q.kind.as_str(), Some(format!("{} {}", q.value, q.unit)));
    }
    if let Some(c) = &d.customs {
        field("procedure", c.procedure.clone());
        field("status", c.status.clone());
    }
    field("withdraws", d.withdraws.clone());
    field("remark", d.remark.as_ref().map(|r| r.chars().take(60).collect()));
    for r in &d.readings {
        let sensor = r.sensor.as_deref().unwrap_or("-");
        field(r.kind.as_str(), Some(format!("{} {} {sensor}", r.value, r.unit)));
    }
    for note in &d.notes {
        let about = if note.about.is_empty() { String::new() } else { format!(" {}", note.about) };
        field("note", Some(format!("{}{about}", note.code.as_str())));
    }
    line
}

/// Events, rejects, and events whose code no list has.
pub fn counts(outcome: &Result<Parts, Reject>) -> (usize, usize, usize) {
    let Ok(parts) = outcome else { return (0, 1, 0) };
    let events = || parts.iter().filter_map(|(_, part)| part.as_ref().ok());
    let unmapped = |d: &&Draft| d.has_note(NoteCode::UnmappedCode);
    (events().count(), parts.len() - events().count(), events().filter(unmapped).count())
}

/// Each element of an interchange in turn becomes a secret; no reject may show it.
pub fn no_value_is_shown(media_type: &str, samples: &[&str], separator: char) {
    for sample in samples {
        for (at, _) in sample.match_indices(separator) {
            let secret = [&sample[..=at], "TOPSECRET", &sample[at + 1..]].concat();
            let long = secret.replace("TOPSECRET", &"TOPSECRET".repeat(40));
            for payload in [secret, long] {
                let text = shown(&read(media_type, payload.as_bytes()));
                for line in text.lines().filter(|line| Said::of(line).is_reject()) {
                    assert!(!line.contains("SECRET") && line.len() < 220, "{line}");
                }
            }
        }
    }
}
