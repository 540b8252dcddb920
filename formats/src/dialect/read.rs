//! Reads a document by its dialect.

use waybill_identifiers::unlocode;
use waybill_schemas::vocabulary::QuantityKind;
use waybill_schemas::{Equipment, OccurrenceTime, Place, Transport};
use waybill_stage::Reject;

use super::{Code, Dialect, Kind, Lists, Paths, Reason, Time, When};
use crate::parcel::package::{
    PHRASE, Package, city_and_country, city_region_country, facility, reasoned, some_place,
};
use crate::tree::{self, Columns, Out, Tree};
use crate::{Draft, Parts, limits, text, time};

impl Dialect {
    /// Reads an answer.
    pub(crate) fn read(&'static self, text: &str, parts: &mut Parts) -> Result<(), Reject> {
        let read = |root: Tree<'_>, out: &mut Out<'_>| self.answer(root, out);
        match self.kind {
            Kind::Json => tree::json(text, parts, read),
            Kind::Xml => tree::xml(text, parts, read),
            Kind::Csv => tree::csv(text, parts, self.columns(), read),
        }
    }

    /// Whether a document of which nobody knows the media type may be one.
    pub(crate) fn is_likely(&self, text: &str) -> bool {
        self.looks_like.iter().any(|marks| marks.iter().all(|mark| text.contains(mark.as_str())))
    }

    fn columns(&self) -> Columns<'_> {
        let csv = self.csv.as_ref();
        let delimiter = csv.and_then(|csv| u8::try_from(csv.delimiter).ok()).unwrap_or(b',');
        Columns { delimiter, named: csv.and_then(|csv| csv.columns.as_deref()) }
    }

    fn answer(&'static self, root: Tree<'_>, out: &mut Out<'_>) -> Result<(), Reject> {
        if self.error_roots.iter().any(|name| root.is(name)) {
            return Err(root.carrier_error());
        }
        if let Some(name) = self.root.as_deref().filter(|name| !root.is(name)) {
            return Err(root.missing(name));
        }
        // Of a list, the first element would be asked.
        if !root.is_list() && When::any(&self.errors, root) {
            return Err(root.carrier_error());
        }
        let found = self.package.at_first.0.iter().find(|list| root.has(list));
        let at = found.map_or(self.package.at.0.as_slice(), std::slice::from_ref);
        each_or_all(at, root, &mut |package| {
            out.package(package, |out| self.package_of(package, out));
            Ok(())
        })
    }

    fn package_of(&'static self, sent: Tree<'_>, out: &mut Out<'_>) -> Result<(), Reject> {
        if let Some(torn) = sent.torn() {
            return Err(torn);
        }
        let of = &self.package;
        if When::any(&of.errors, sent) {
            return Err(sent.carrier_error());
        }
        if When::any(&of.empty, sent) {
            return Err(sent.no_event());
        }
        let by = of.mode_by.as_ref();
        let mode = by.and_then(|by| by.values.get(sent.text(&by.path)?).copied());
        let mut package = Package::new(mode.unwrap_or(self.mode));
        if let Some(path) = of.number.0.first() {
            match (of.number.text(sent), of.number_optional) {
                (Some(number), _) => {
                    let number = sent.short(path, number, limits::ID)?;
                    match of.number_kind {
                        Some(kind) => package.document_of(kind, number),
                        None => package.document(number),
                    }
                }
                (None, true) => {}
                (None, false) => return Err(sent.missing(path)),
            }
        }
        for reference in &of.references {
            reference.at.each(sent, &mut |element| match reference.when.holds(element) {
                true => package.reference(reference.kind, element, &reference.value),
                false => Ok(()),
            })?;
        }
        if let Some(weight) = &of.weight {
            let unit = weight.unit.as_ref().and_then(|unit| sent.text(unit));
            package.weight(sent.text(&weight.value), unit.or(weight.unit_is.as_deref()));
        }
        if let Some(pieces) = &of.pieces {
            package.quantity(QuantityKind::Pieces, sent.text(pieces), "1");
        }
        package.service(of.service.as_ref().and_then(|path| sent.name(path)));
        self.event.at.each(sent, &mut |event| {
            if !When::any(&self.event.skip, event) {
                out.push(event, self.event_of(&package, event));
            }
            Ok(())
        })?;
        if let (Some(estimate), Some(list)) = (&self.estimate, self.list) {
            let is_stated = estimate.time.at.text(sent).is_some();
            let at = is_stated.then(|| estimate.time.read(sent));
            package.estimate(out, sent, list, at, estimate.place.of(sent));
        }
        Ok(())
    }

    fn event_of(&'static self, package: &Package, sent: Tree<'_>) -> Result<Draft, Reject> {
        let of = &self.event;
        let Some(list) = self.list else { return Err(sent.no_event()) };
        let code = of.code.read(sent)?;
        let said = of.code.meaning.0.iter().filter_map(|path| sent.text(path));
        let mut meaning = match of.code.meaning.0.is_empty() {
            true => list.find(&code),
            false => {
                said.filter(|text| text.len() <= limits::NAME).find_map(|text| list.find(text))
            }
        };
        if let (None, Some(group)) = (meaning, &of.code.group) {
            meaning = code.split_once(group.as_str()).and_then(|(group, _)| list.find(group));
        }
        let mut draft = package.event(list, &code, meaning, of.time.read(sent)?);
        draft.place = of.place.as_ref().and_then(|place| some_place(place.of(sent)));
        draft.remark = of.remark.clipped(sent, limits::REMARK);
        if let (Some(Reason { at, .. }), Some(reasons)) = (&of.reason, self.reasons) {
            reasoned(&mut draft, reasons, sent.text(at));
        }
        if let Some(path) = of.id.as_deref().filter(|path| sent.has(path)) {
            draft.raw_id = Some(sent.required(path, limits::ID)?.to_owned());
        }
        if let Some(path) = of.container.as_deref().filter(|path| sent.has(path)) {
            let number = sent.required(path, limits::ID)?.to_owned();
            draft.equipment = Some(Equipment { number, iso_type: None, empty: None });
        }
        let name = |path: &Option<String>| path.as_ref().and_then(|path| sent.name(path));
        if let Some(transport) = &mut draft.transport {
            let own = Transport {
                vessel_name: name(&of.vessel),
                voyage: name(&of.voyage),
                flight: name(&of.flight),
                vehicle: name(&of.vehicle),
                ..std::mem::take(transport)
            };
            *transport = own;
        }
        Ok(draft)
    }
}

impl Lists {
    /// Calls `take` for each element of these lists; without lists for `tree` itself.
    fn each(
        &'static self,
        tree: Tree<'_>,
        take: &mut dyn FnMut(Tree<'_>) -> Result<(), Reject>,
    ) -> Result<(), Reject> {
        within(&self.0, tree, take)
    }
}

/// The same; without lists, for each element of `tree` if it is a list.
fn each_or_all(
    lists: &'static [String],
    tree: Tree<'_>,
    take: &mut dyn FnMut(Tree<'_>) -> Result<(), Reject>,
) -> Result<(), Reject> {
    const ITSELF: &[String] = &[String::new()];
    within(if lists.is_empty() && tree.is_list() { ITSELF } else { lists }, tree, take)
}

fn within(
    lists: &'static [String],
    tree: Tree<'_>,
    take: &mut dyn FnMut(Tree<'_>) -> Result<(), Reject>,
) -> Result<(), Reject> {
    match lists.split_first() {
        None => take(tree),
        Some((list, rest)) => tree.each(list).try_for_each(|inner| within(rest, inner, take)),
    }
}

impl Paths {
    /// The first text there is.
    fn text<'t>(&self, tree: Tree<'t>) -> Option<&'t str> {
        self.0.iter().find_map(|path| tree.text(path))
    }

    fn clipped(&self, tree: Tree<'_>, characters: usize) -> Option<String> {
        self.0.iter().find_map(|path| tree.clipped(path, characters))
    }

    /// The path of the first text there is, or else the last of them.
    fn found(&self, tree: Tree<'_>) -> &str {
        let found = self.0.iter().find(|path| tree.text(path).is_some());
        found.or(self.0.last()).map_or("", String::as_str)
    }

    fn has(&self, text: &str) -> bool {
        self.0.iter().any(|own| own == text)
    }
}

impl When {
    fn any(of: &[Self], tree: Tree<'_>) -> bool {
        of.iter().any(|when| when.holds(tree))
    }

    fn holds(&self, tree: Tree<'_>) -> bool {
        let one = |path: &str, texts: &Paths| tree.text(path).map(|text| texts.has(text));
        self.has.iter().all(|path| tree.has(path))
            && self.lacks.iter().all(|path| !tree.has(path))
            && self.is.iter().all(|(path, texts)| one(path, texts) == Some(true))
            && self.is_not.iter().all(|(path, texts)| one(path, texts) == Some(false))
    }
}

impl Code {
    fn read<'t>(&self, tree: Tree<'t>) -> Result<std::borrow::Cow<'t, str>, Reject> {
        let Some((first, rest)) = self.join.split_first() else {
            return Ok(tree.required(self.at.found(tree), PHRASE)?.into());
        };
        let mut code = tree.required(first, PHRASE)?.to_owned();
        for path in rest {
            if let Some(part) = tree.text(path) {
                code.push_str(&self.with);
                code.push_str(tree.short(path, part, PHRASE)?);
            }
        }
        Ok(code.into())
    }
}

impl Time {
    fn read(&self, tree: Tree<'_>) -> Result<OccurrenceTime, Reject> {
        let path = self.at.found(tree);
        let date = tree.text(path).ok_or_else(|| tree.missing(path))?;
        // Nothing longer is a time, and the two are put together.
        let short = |text: &&str| text.len() <= limits::NAME;
        let clock = self.clock.as_ref().and_then(|path| tree.text(path)).filter(short);
        let order = self.order.map(|order| match order {
            super::Order::Day => time::Order::Day,
            super::Order::Month => time::Order::Month,
        });
        let date = Some(date).filter(short);
        let wall = date.and_then(|date| time::joined_in(date, clock, order));
        let wall = wall.ok_or_else(|| tree.invalid_time(path))?;
        let at = match &self.offset {
            Some(path) => tree.offset(path, wall)?,
            None => wall,
        };
        let otherwise = self.otherwise.as_ref().filter(|_| at.offset_minutes.is_none());
        let at = otherwise.and_then(|offset| time::at_offset(at, offset)).unwrap_or(at);
        Ok(if self.midnight_is_day { time::midnight_is_day(at) } else { at })
    }
}

impl super::Place {
    fn of(&self, tree: Tree<'_>) -> Place {
        let name = |paths: &Paths| paths.clipped(tree, limits::NAME);
        let text = |path: &Option<String>| path.as_ref().and_then(|path| tree.text(path));
        let two = text(&self.city_and_country).map(city_and_country);
        let two = two.or_else(|| text(&self.city_and_region).map(city_and_region));
        let all = text(&self.city_region_country).map(city_region_country);
        let mut place = two.or(all).unwrap_or_default();
        let keep = |into: &mut Option<String>, own: Option<String>| {
            if own.is_some() {
                *into = own;
            }
        };
        keep(&mut place.name, name(&self.name));
        keep(&mut place.city, name(&self.city));
        keep(&mut place.region, name(&self.region));
        keep(&mut place.postal_code, name(&self.postal_code));
        keep(&mut place.country, name(&self.country));
        place.unlocode = text(&self.unlocode).and_then(|code| unlocode::read(code).ok());
        let is_iata = |code: &&str| code.len() == 3 && code.bytes().all(|b| b.is_ascii_uppercase());
        place.iata = text(&self.iata).filter(is_iata).map(str::to_owned);
        place.facility = self.facility.as_ref().and_then(|f| facility(&f.list, tree, &f.at));
        let degrees = |path: &Option<String>, most: f64| {
            let degrees: f64 = text(path)?.parse().ok()?;
            (degrees.abs() <= most).then_some(degrees)
        };
        (place.latitude, place.longitude) =
            degrees(&self.latitude, 90.0).zip(degrees(&self.longitude, 180.0)).unzip();
        place
    }
}

/// `TEANECK, NJ`; `NEW YORK NY DISTRIBUTION CENTER` is a name.
fn city_and_region(place: &str) -> Place {
    let kept = |text: &str| text::clipped(text, limits::NAME);
    match place.rsplit_once(',') {
        Some((city, region)) => {
            Place { city: kept(city), region: kept(region), ..Place::default() }
        }
        None => Place { name: kept(place), ..Place::default() },
    }
}
