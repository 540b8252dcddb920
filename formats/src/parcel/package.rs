//! What all events of one package have in common, and what of an event every carrier tells alike.

use waybill_identifiers::country::is_country;
use waybill_schemas::vocabulary::{Classifier, ExceptionKind, Milestone, Mode, QuantityKind};
use waybill_schemas::vocabulary::{NoteCode, ReferenceKind};
use waybill_schemas::{OccurrenceTime, Place, Quantity, Reference, Transport};
use waybill_stage::{Code, Reject};

use crate::codes::{CodeList, Meaning, ReasonList};
use crate::tree::{Out, Tree};
use crate::{Document, Draft, limits};

/// References of one package. Each of its events carries them all, so that many of both would be
/// far more than the message.
const REFERENCES: usize = 32;

/// Codes that are phrases: Australia Post has no others.
pub(crate) const PHRASE: usize = 128;

/// One package (parcel, item, consignment).
#[derive(Clone, Debug, Default)]
pub(crate) struct Package {
    document: Option<Document>,
    references: Vec<Reference>,
    quantities: Vec<Quantity>,
    transport: Transport,
}

impl Package {
    pub(crate) fn new(mode: Mode) -> Self {
        Self {
            transport: Transport { mode: Some(mode), ..Transport::default() },
            ..Self::default()
        }
    }

    /// The tracking number at the first of `paths` that has one; required.
    pub(crate) fn numbered(mode: Mode, tree: Tree<'_>, paths: &[&str]) -> Result<Self, Reject> {
        let path = paths.first().copied().unwrap_or_default();
        Self::known_as(mode, tree, path, tree.first(paths))
    }

    /// The same, of a number that may stand elsewhere than at `path`, where it should.
    pub(crate) fn known_as<'t>(
        mode: Mode,
        tree: Tree<'t>,
        path: &str,
        number: Option<&'t str>,
    ) -> Result<Self, Reject> {
        let number = number.ok_or_else(|| tree.missing(path))?;
        let mut package = Self::new(mode);
        package.document(tree.short(path, number, limits::ID)?);
        Ok(package)
    }

    /// The number that the package is tracked by.
    pub(crate) fn document(&mut self, number: &str) {
        self.document_of(ReferenceKind::TrackingNumber, number);
    }

    /// A document of another kind that it is known by: a booking.
    pub(crate) fn document_of(&mut self, kind: ReferenceKind, number: &str) {
        self.references.push(Reference { kind, value: number.to_owned() });
        self.document = Some(Document { kind: kind.as_str(), number: number.to_owned() });
    }

    /// Adds the reference at that path, if there is one.
    pub(crate) fn reference(
        &mut self,
        kind: ReferenceKind,
        tree: Tree<'_>,
        path: &str,
    ) -> Result<(), Reject> {
        self.also(kind, tree, path, tree.text(path))
    }

    /// Adds a reference, if there is one, that may stand elsewhere than at `path`.
    pub(crate) fn also<'t>(
        &mut self,
        kind: ReferenceKind,
        tree: Tree<'t>,
        path: &str,
        value: Option<&'t str>,
    ) -> Result<(), Reject> {
        let Some(value) = value else { return Ok(()) };
        let value = tree.short(path, value, limits::ID)?;
        if self.references.iter().any(|r| r.kind == kind && r.value == value) {
            return Ok(());
        }
        if self.references.len() == REFERENCES {
            let detail = format!("more than {REFERENCES} references");
            return Err(Reject::new(Code::TooLarge, detail));
        }
        self.references.push(Reference { kind, value: value.to_owned() });
        Ok(())
    }

    /// Adds a weight that is a number above zero, in a unit that is known; every other says nothing.
    pub(crate) fn weight(&mut self, value: Option<&str>, unit: Option<&str>) {
        let unit = match unit.unwrap_or_default().to_ascii_uppercase().as_str() {
            "K" | "KG" | "KGS" | "KGM" => "kg",
            "L" | "LB" | "LBS" | "LBR" => "[lb_av]",
            "G" | "GR" | "GRM" => "g",
            "O" | "OZ" | "OZS" | "ONZ" => "[oz_av]",
            _ => return,
        };
        self.quantity(QuantityKind::GrossWeight, value, unit);
    }

    /// Adds a quantity that is a number above zero.
    pub(crate) fn quantity(&mut self, kind: QuantityKind, value: Option<&str>, unit: &str) {
        let value = value.and_then(|value| value.parse::<f64>().ok());
        let Some(value) = value.filter(|v| v.is_finite() && *v > 0.0) else { return };
        self.quantities.push(Quantity { kind, value, unit: unit.to_owned() });
    }

    /// The carrier's product: `UPS Ground`.
    pub(crate) fn service(&mut self, service: Option<String>) {
        self.transport.service = service;
    }

    pub(crate) fn carried_by(&mut self, mode: Mode, flight: Option<String>) {
        self.transport.mode = Some(mode);
        self.transport.flight = flight;
    }

    /// An actual event of the package.
    pub(crate) fn event(
        &self,
        list: &CodeList,
        code: &str,
        meaning: Option<Meaning>,
        occurred: OccurrenceTime,
    ) -> Draft {
        self.of(Draft::of_code(list.prefix, code, meaning, occurred))
    }

    /// An actual event by its code in `list`.
    pub(crate) fn coded(&self, list: &CodeList, code: &str, occurred: OccurrenceTime) -> Draft {
        self.event(list, code, list.find(code), occurred)
    }

    /// Estimated delivery, which is an event until there is the delivery itself.
    pub(crate) fn estimate(
        &self,
        out: &mut Out<'_>,
        at: Tree<'_>,
        list: &CodeList,
        occurred: Option<Result<OccurrenceTime, Reject>>,
        place: Place,
    ) {
        let Some(occurred) = occurred.filter(|_| !out.is_delivered()) else { return };
        out.push(
            at,
            occurred.map(|occurred| {
                let raw_code = [list.prefix, "/estimated_delivery"].concat();
                let mut draft = self.of(Draft::new(Milestone::Delivered, raw_code, occurred));
                draft.classifier = Classifier::Estimated;
                draft.place = some_place(place);
                draft
            }),
        );
    }

    fn of(&self, draft: Draft) -> Draft {
        Draft {
            document: self.document.clone(),
            references: self.references.clone(),
            quantities: self.quantities.clone(),
            transport: Some(self.transport.clone()),
            ..draft
        }
    }
}

/// What went wrong, by a reason beside the event's code. A reason that the list lacks tells of
/// trouble only if the event does, too.
pub(crate) fn reasoned(draft: &mut Draft, list: &ReasonList, code: Option<&str>) {
    let Some(code) = code.filter(|code| code.len() <= limits::CODE) else { return };
    let known = list.row(code).is_some();
    let troubled = !draft.exceptions.is_empty();
    let Some(kind) = list.find(code).filter(|_| known || troubled) else { return };
    // The reason says more than the event that there is one.
    draft.exceptions.retain(|e| e.kind != ExceptionKind::Other && e.kind != kind);
    draft.exception(kind, Some([list.prefix, "/", code].concat()));
}

/// A milestone that the event's code does not name, and its circumstances do.
pub(crate) fn told(draft: &mut Draft, milestone: Milestone) {
    draft.milestone = milestone;
    draft.drop_note(NoteCode::UnmappedCode);
}

pub(crate) fn some_place(place: Place) -> Option<Place> {
    (place != Place::default()).then_some(place)
}

/// A code of the carrier's own for one of its places.
pub(crate) fn facility(list: &str, tree: Tree<'_>, path: &str) -> Option<String> {
    let code = tree.text(path).filter(|code| code.len() <= limits::CODE)?;
    Some([list, "/", code].concat())
}

/// `Mechelen (BE)`, `London, GB`, `EGHAM, SURREY,GB`, `NL`: what comes last, if it is of two capital
/// letters, is the country; what comes before is the city, or a building's name that has one in it.
/// Any other text is a name, of which nobody says what it is the name of.
pub(crate) fn city_and_country(text: &str) -> Place {
    let is_country = |t: &str| t.len() == 2 && t.bytes().all(|b| b.is_ascii_uppercase());
    let kept = |t: &str| crate::text::clipped(t.trim_end_matches([',', ' ']), limits::NAME);
    let (before, country) = match text.strip_suffix(')').and_then(|text| text.rsplit_once('(')) {
        Some((before, country)) => (before, country.trim()),
        None => text.rsplit_once(',').map_or(("", text.trim()), |(b, c)| (b, c.trim())),
    };
    match is_country(country) {
        true => Place { city: kept(before), country: Some(country.to_owned()), ..Place::default() },
        false => Place { name: kept(text), ..Place::default() },
    }
}

/// States of the United States and provinces of Canada, whose codes follow a city where no country does.
const REGIONS: &str = "AL AK AZ AR CA CO CT DE DC FL GA HI ID IL IN IA KS KY LA ME MD MA MI MN MS MO MT NE NV \
    NH NJ NM NY NC ND OH OK OR PA RI SC SD TN TX UT VT VA WA WV WI WY AB BC MB NB NL NS NT NU ON PE QC SK YT";

/// `Toronto, ON, CA`, `Columbus, OH`, `Ghent, BE`: what a comma is before. A code that may be the one or the
/// other (`Toronto, CA`) says neither. Any other text is a name.
pub(crate) fn city_region_country(text: &str) -> Place {
    let kept = |t: &str| crate::text::clipped(t, limits::NAME);
    let named = || Place { name: kept(text), ..Place::default() };
    let parts: Vec<&str> = text.split(',').map(str::trim).filter(|part| !part.is_empty()).collect();
    let is_region = |part: &str| REGIONS.split_whitespace().any(|region| region == part);
    match parts.as_slice() {
        [country] if is_country(country) => {
            Place { country: Some((*country).to_owned()), ..Place::default() }
        }
        [city, code] => {
            let (region, country) = (is_region(code), is_country(code));
            let one = |is: bool| is.then(|| (*code).to_owned());
            match (region, country) {
                (false, false) => named(),
                (true, true) => Place { city: kept(city), name: kept(text), ..Place::default() },
                _ => Place {
                    city: kept(city),
                    region: one(region),
                    country: one(country),
                    ..Place::default()
                },
            }
        }
        [city @ .., region, country] if !city.is_empty() && is_country(country) => Place {
            city: city.last().and_then(|city| kept(city)),
            region: kept(region),
            country: Some((*country).to_owned()),
            ..Place::default()
        },
        _ => named(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cities_with_regions() {
        let check = |text: &str, [city, region, country]: [&str; 3]| {
            let place = city_region_country(text);
            let found = [place.city, place.region, place.country].map(Option::unwrap_or_default);
            assert_eq!(found, [city, region, country], "{text}");
        };
        check("Toronto, ON, CA", ["Toronto", "ON", "CA"]);
        check("Unit 4, Heston, MIDDX, GB", ["Heston", "MIDDX", "GB"]);
        check("Columbus, OH", ["Columbus", "OH", ""]);
        check("Ghent, BE", ["Ghent", "", "BE"]);
        check("Anytown, US", ["Anytown", "", "US"]);
        // California or Canada, Delaware or Germany: nobody says.
        check("Toronto, CA", ["Toronto", "", ""]);
        check("BE", ["", "", "BE"]);
        check("Heston, MIDDX", ["", "", ""]);
        check("Hayes service centre", ["", "", ""]);
    }

    #[test]
    fn cities() {
        let check = |text: &str, city: Option<&str>, country: Option<&str>| {
            let place = city_and_country(text);
            assert_eq!((place.city.as_deref(), place.country.as_deref()), (city, country));
            let named = city.is_none() && country.is_none();
            assert_eq!(place.name.as_deref(), named.then_some(text));
        };
        check("Mechelen (BE)", Some("Mechelen"), Some("BE"));
        check("EGHAM, SURREY,GB", Some("EGHAM, SURREY"), Some("GB"));
        check("NL", None, Some("NL"));
        check("Munich, Germany", None, None);
        check("Munich Hub", None, None);
        check("Paris (75)", None, None);
    }
}
