//! docs/new-carrier.md connects two carriers that do not exist: its dialects read its samples into what it says.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use waybill_formats::dialect::load;
use waybill_formats::{Draft, Parts, find};
use waybill_schemas::vocabulary::Classifier;

const PAGE: &str = include_str!("../../docs/new-carrier.md");

/// The first block of that language in a section.
fn block(section: &'static str, language: &str) -> Option<&'static str> {
    let begin = format!("```{language}\n");
    let from = section.find(&begin)? + begin.len();
    section[from..].split("```").next()
}

#[test]
fn its_carriers_are_connected() {
    let mut connected = Vec::new();
    for (title, language) in [("## One that sends JSON", "json"), ("## One that sends CSV", "csv")]
    {
        let section = PAGE.split(title).nth(1).unwrap();
        let dialect = block(section, "toml").unwrap();
        assert!(dialect.lines().count() < 40, "{title}");
        let format = load(dialect, &|name| Err(format!("{name}: not on the page"))).unwrap();
        let sample = block(section, language).unwrap();
        assert!(format.looks_like(sample), "{title}");
        connected.push((format, sample, block(section, "text").unwrap()));
    }
    let mut formats = Vec::new();
    for (format, sample, expect) in connected {
        let mut parts = Parts::default();
        format.read(sample.as_bytes(), &mut parts).unwrap();
        let mut found = String::new();
        for (position, part) in parts.iter() {
            let line = match part {
                Ok(draft) => line(draft),
                Err(reject) => format!("{} {}", reject.code.as_str(), reject.detail),
            };
            found += &format!("{position} {line}\n");
        }
        assert_eq!(found, expect, "{}", format.name);
        formats.push(format);
    }
    waybill_formats::connect(formats).unwrap();
    assert_eq!(find("application/vnd.kestrel.tracking+json").unwrap().name, "Kestrel Couriers");
    assert_eq!(find("text/vnd.skua.events+csv;charset=utf-8").unwrap().name, "Skua Lines events");
}

fn line(draft: &Draft) -> String {
    let at = jiff::Timestamp::from_millisecond(draft.occurred.wall_ms).unwrap().to_string();
    let place = draft.place.clone().unwrap_or_default();
    let what = draft.milestone.as_str();
    let estimated = (draft.classifier == Classifier::Estimated).then_some("(estimated)");
    let document = draft.document.as_ref().map(|document| document.number.as_str());
    let why = draft.exceptions.first().map(|exception| exception.kind.as_str());
    let words = [Some(what), estimated, Some(draft.raw_code.as_str()), Some(at.as_str())];
    let place = [place.unlocode, place.city, place.country];
    let place = place.iter().map(Option::as_deref);
    words.into_iter().chain(place).chain([document, why]).flatten().collect::<Vec<_>>().join(" ")
}
