//! What is wrong with a dialect though its TOML is right.

use super::{Dialect, Estimate, Kind, Lists, Paths, Place, Time, When};
use crate::time;

/// As many lists within one another as the place of an event can name.
const NESTED: usize = 5;

/// A path, and where in the dialect it stands.
type Placed<'d> = (String, &'d str);

impl Dialect {
    pub(super) fn faults(&self) -> Vec<String> {
        let mut faults = Vec::new();
        let mut fault = |place: &str, what: &str| faults.push(format!("{place}: {what}"));
        if self.name.trim().is_empty() || self.name.len() > 100 {
            fault("name", "1 to 100 characters");
        }
        if let Err(what) = media_type(&self.media_type) {
            fault("media_type", what);
        }
        if self.looks_like.iter().any(|marks| marks.iter().all(|mark| mark.trim().is_empty())) {
            fault("looks_like", "a list without a text, which any document would look like");
        }
        let xml_alone =
            [("root", self.root.is_some()), ("error_roots", !self.error_roots.is_empty())];
        for (place, _) in xml_alone.iter().filter(|(_, set)| *set && self.kind != Kind::Xml) {
            fault(place, "of XML alone");
        }
        if self.csv.is_some() && self.kind != Kind::Csv {
            fault("csv", "of CSV alone");
        }
        if self.kind == Kind::Csv {
            for (place, lists) in self.lists() {
                if !lists.0.is_empty() {
                    fault(
                        &place,
                        "there are no lists in CSV: each row is a package with one event",
                    );
                }
            }
            if !self.errors.is_empty() {
                fault("errors", "not of CSV as a whole; package.errors is of a row");
            }
        }
        if let Some(csv) = &self.csv {
            if !csv.delimiter.is_ascii() || csv.delimiter.is_ascii_alphanumeric() {
                fault("csv.delimiter", "one character of ASCII, no letter and no digit");
            }
            let columns = csv.columns.as_deref().unwrap_or_default();
            for (at, name) in columns.iter().enumerate() {
                if name.trim() != name || columns.iter().take(at).any(|other| other == name) {
                    fault(
                        "csv.columns",
                        &format!("{name:?} stands twice, or has blanks around it"),
                    );
                }
            }
            if csv.columns.as_ref().is_some_and(Vec::is_empty) {
                fault("csv.columns", "none is named");
            }
        }
        if !self.package.at.0.is_empty() && !self.package.at_first.0.is_empty() {
            fault("package.at_first", "stands in the place of package.at");
        }
        let depth = self.package.at.0.len() + self.event.at.0.len();
        if depth > NESTED {
            fault("event.at", &format!("more than {NESTED} lists within one another"));
        }
        let code = &self.event.code;
        if code.at.0.is_empty() == code.join.is_empty() {
            fault("event.code", "one of at and join");
        }
        if code.group.as_ref().is_some_and(String::is_empty) {
            fault("event.code.group", "an empty text");
        }
        let estimate = self.estimate.as_ref().map(|e| ("estimate.time", &e.time));
        for (place, time) in [("event.time", &self.event.time)].into_iter().chain(estimate) {
            if time.at.0.is_empty() {
                fault(place, "at is required: a path");
            }
            let wall = time::local((2000, 1, 1), (0, 0, 0));
            let is_offset = |offset| time::at_offset(wall?, offset).map(|_| ());
            if time.otherwise.as_ref().is_some_and(|offset| is_offset(offset).is_none()) {
                fault(&format!("{place}.otherwise"), "no offset from UTC, such as Z or +01:00");
            }
        }
        if self.package.number.0.is_empty() {
            if self.package.number_optional {
                fault("package.number_optional", "there is no package.number");
            }
            if self.package.number_kind.is_some() {
                fault("package.number_kind", "there is no package.number");
            }
        }
        for (place, path) in self.paths() {
            if let Some(what) = self.path_fault(path) {
                fault(&place, &format!("{path:?}: {what}"));
            }
        }
        faults
    }

    fn path_fault(&self, path: &str) -> Option<&'static str> {
        if self.kind == Kind::Csv {
            let columns = self.csv.as_ref().and_then(|csv| csv.columns.as_ref());
            let is_unknown = columns.is_some_and(|columns| !columns.iter().any(|c| c == path));
            let blank = path.trim() != path || path.is_empty();
            return match (blank, is_unknown) {
                (true, _) => Some("a column without a name, or with blanks around it"),
                (_, true) => Some("no such column in csv.columns"),
                _ => None,
            };
        }
        let (elements, attribute) = match path.rsplit_once('@') {
            Some((before, name)) => (before.trim_end_matches('/'), Some(name)),
            None => (path, None),
        };
        if attribute.is_some() && self.kind == Kind::Json {
            return Some("attributes are of XML");
        }
        let is_empty = elements.is_empty() && attribute.is_none();
        if is_empty || attribute == Some("") || path.starts_with('/') || elements.ends_with('/') {
            return Some("names with / between, none in front and none at the end");
        }
        let mut names = elements.split('/');
        (!elements.is_empty() && names.any(|name| name.trim() != name || name.is_empty()))
            .then_some("a name that is empty, or has blanks around it")
    }

    fn lists(&self) -> Vec<(String, &Lists)> {
        let references = self.package.references.iter().enumerate();
        let references = references.map(|(n, of)| (format!("package.references[{n}].at"), &of.at));
        let own = [
            ("package.at", &self.package.at),
            ("event.at", &self.event.at),
            ("package.at_first", &self.package.at_first),
        ];
        own.into_iter().map(|(place, at)| (place.to_owned(), at)).chain(references).collect()
    }

    /// Every path there is.
    fn paths<'d>(&'d self) -> Vec<Placed<'d>> {
        let mut all = Vec::new();
        for (place, lists) in self.lists() {
            all.extend(lists.0.iter().map(|path| (place.clone(), path.as_str())));
        }
        let mut one = |place: &str, path: Option<&'d String>| {
            all.extend(path.map(|path| (place.to_owned(), path.as_str())));
        };
        let (package, event) = (&self.package, &self.event);
        one("package.service", package.service.as_ref());
        one("package.pieces", package.pieces.as_ref());
        if let Some(weight) = &package.weight {
            one("package.weight.value", Some(&weight.value));
            one("package.weight.unit", weight.unit.as_ref());
        }
        one("package.mode_by.path", package.mode_by.as_ref().map(|by| &by.path));
        for (n, reference) in package.references.iter().enumerate() {
            one(&format!("package.references[{n}].value"), Some(&reference.value));
        }
        for path in &event.code.join {
            one("event.code.join", Some(path));
        }
        one("event.reason.at", event.reason.as_ref().map(|reason| &reason.at));
        for (place, path) in [
            ("event.id", &event.id),
            ("event.container", &event.container),
            ("event.vessel", &event.vessel),
            ("event.voyage", &event.voyage),
            ("event.flight", &event.flight),
            ("event.vehicle", &event.vehicle),
        ] {
            one(place, path.as_ref());
        }
        let mut paths = |place: &str, paths: &'d Paths| {
            for path in &paths.0 {
                one(place, Some(path));
            }
        };
        paths("package.number", &package.number);
        paths("event.code", &event.code.at);
        paths("event.code.meaning", &event.code.meaning);
        paths("event.remark", &event.remark);
        of_time(&mut all, "event.time", &event.time);
        if let Some(place) = &event.place {
            of_place(&mut all, "event.place", place);
        }
        if let Some(Estimate { time, place }) = &self.estimate {
            of_time(&mut all, "estimate.time", time);
            of_place(&mut all, "estimate.place", place);
        }
        for (place, when) in [
            ("errors", &self.errors),
            ("package.errors", &package.errors),
            ("package.empty", &package.empty),
            ("event.skip", &event.skip),
        ] {
            when.iter()
                .enumerate()
                .for_each(|(n, w)| of_when(&mut all, &format!("{place}[{n}]"), w));
        }
        for (n, reference) in package.references.iter().enumerate() {
            of_when(&mut all, &format!("package.references[{n}].when"), &reference.when);
        }
        all
    }
}

fn of_time<'d>(all: &mut Vec<Placed<'d>>, place: &str, time: &'d Time) {
    let more = time.clock.iter().chain(&time.offset);
    all.extend(time.at.0.iter().chain(more).map(|path| (place.to_owned(), path.as_str())));
}

fn of_when<'d>(all: &mut Vec<Placed<'d>>, place: &str, when: &'d When) {
    let named = when.is.keys().chain(when.is_not.keys());
    let paths = when.has.iter().chain(&when.lacks).chain(named);
    all.extend(paths.map(|path| (place.to_owned(), path.as_str())));
}

fn of_place<'d>(all: &mut Vec<Placed<'d>>, within: &str, of: &'d Place) {
    for (field, paths) in [
        ("name", &of.name),
        ("city", &of.city),
        ("region", &of.region),
        ("postal_code", &of.postal_code),
        ("country", &of.country),
    ] {
        all.extend(paths.0.iter().map(|path| (format!("{within}.{field}"), path.as_str())));
    }
    for (field, path) in [
        ("unlocode", of.unlocode.as_ref()),
        ("iata", of.iata.as_ref()),
        ("latitude", of.latitude.as_ref()),
        ("longitude", of.longitude.as_ref()),
        ("facility.at", of.facility.as_ref().map(|facility| &facility.at)),
        ("city_and_country", of.city_and_country.as_ref()),
        ("city_and_region", of.city_and_region.as_ref()),
        ("city_region_country", of.city_region_country.as_ref()),
    ] {
        all.extend(path.map(|path| (format!("{within}.{field}"), path.as_str())));
    }
}

/// `application/vnd.acme.tracking+json`.
fn media_type(text: &str) -> Result<(), &'static str> {
    let parsed = mediatype::MediaType::parse(text).map_err(|_| "not of the form type/subtype")?;
    if !parsed.params.is_empty() {
        return Err("parameters count for nothing: leave them out");
    }
    match text == text.to_ascii_lowercase() {
        true => Ok(()),
        false => Err("is written in lower case"),
    }
}
