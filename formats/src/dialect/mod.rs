//! A dialect is a table that says where in a carrier's answers things stand: JSON, XML or CSV with packages
//! in it, and events in these. One function reads every document by it ([`read`]). Those that come with
//! Waybill are in `dialects/*.toml`; an operator writes others of the same form (docs/new-carrier.md).
//!
//! A table declares and does nothing: what a carrier's answers need beyond that is code, in
//! [`crate::parcel`].

mod check;
mod load;
mod paths;
mod read;

use std::collections::BTreeMap;

use serde::Deserialize;
use waybill_schemas::vocabulary::{ExceptionKind, Milestone, Mode, ReferenceKind};

pub use self::load::{Beside, Faults, load};
use self::paths::{Lists, Paths};
use crate::codes::{CodeList, ReasonList};

/// Where a carrier says what. A path is names with `/` between, the first of each where there are several;
/// `@name` at its end is an attribute of XML, and in CSV it is the name of a column.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Dialect {
    /// `Asendia tracking`.
    pub name: String,
    /// `application/vnd.asendia.tracking+json`, lower case, without parameters.
    pub media_type: String,
    kind: Kind,
    /// How what it tells of is carried, unless `mode_by` says otherwise.
    mode: Mode,
    /// A document of which nobody knows the media type looks like it if it holds all texts of one of
    /// these.
    #[serde(default)]
    looks_like: Vec<Vec<String>>,
    /// XML: the name of the root element, whatever its namespace.
    root: Option<String>,
    /// XML: root elements that are the carrier's error.
    #[serde(default)]
    error_roots: Vec<String>,
    /// The answer as a whole is the carrier's error if one of these holds of it. (Of a list none does.)
    #[serde(default)]
    errors: Vec<When>,
    csv: Option<Csv>,
    codes: Codes,
    #[serde(default)]
    package: Package,
    event: Event,
    estimate: Option<Estimate>,
    /// What `codes` names, found when the dialect is loaded.
    #[serde(skip)]
    list: Option<&'static CodeList>,
    #[serde(skip)]
    reasons: Option<&'static ReasonList>,
}

#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
enum Kind {
    Json,
    /// Also in a SOAP envelope.
    Xml,
    /// Each row is a package with one event.
    Csv,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Csv {
    #[serde(default = "comma")]
    delimiter: char,
    /// The names of the columns, of a file whose first line does not name them.
    columns: Option<Vec<String>>,
}

fn comma() -> char {
    ','
}

/// What an event's codes mean: one of the three, and what stands before the raw code.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Codes {
    /// A list that comes with Waybill: `asendia` of `codes/asendia.tsv`.
    list: Option<String>,
    /// A table of that form beside the dialect's own file.
    file: Option<String>,
    /// By code.
    rows: Option<BTreeMap<String, Meant>>,
    /// `ACME` of `ACME/DLV`; a list that comes with Waybill has one.
    prefix: Option<String>,
}

/// A milestone alone, or a row.
#[derive(Clone, Copy, Debug)]
struct Meant(Row);

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    milestone: Milestone,
    exception: Option<ExceptionKind>,
}

/// All of it holds.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct When {
    /// There is something at each of these paths.
    has: Vec<String>,
    /// There is nothing at any of them.
    lacks: Vec<String>,
    /// The text at the path is one of these.
    is: BTreeMap<String, Paths>,
    /// There is a text at the path, and it is none of these.
    is_not: BTreeMap<String, Paths>,
}

/// What all events of one package have in common.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Package {
    /// The list of packages, or the lists, each within an element of the one before. Left out: the answer
    /// is the package, or the list of them.
    at: Lists,
    /// In the place of `at`: the first of these lists that there is, as the same is sent in more than one
    /// wrapping. Where there is none, as if it were left out.
    at_first: Lists,
    /// It is the carrier's error if one of these holds.
    errors: Vec<When>,
    /// It tells of no event if one of these holds.
    empty: Vec<When>,
    /// What it is known by: the first that is there. Left out where the answer does not say it.
    number: Paths,
    number_kind: Option<ReferenceKind>,
    /// A package may be without its number.
    number_optional: bool,
    references: Vec<Reference>,
    service: Option<String>,
    pieces: Option<String>,
    weight: Option<Weight>,
    mode_by: Option<ModeBy>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Reference {
    kind: ReferenceKind,
    /// A list, or lists, within the package, of which each element has one.
    #[serde(default)]
    at: Lists,
    /// Only of elements of which this holds.
    #[serde(default)]
    when: When,
    value: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Weight {
    value: String,
    /// Where its unit stands, or which it is.
    unit: Option<String>,
    unit_is: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ModeBy {
    path: String,
    values: BTreeMap<String, Mode>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Event {
    /// The list of events within the package, or the lists. Left out: the package is its one event.
    #[serde(default)]
    at: Lists,
    /// It is no event if one of these holds.
    #[serde(default)]
    skip: Vec<When>,
    #[serde(deserialize_with = "paths::code")]
    code: Code,
    #[serde(deserialize_with = "paths::time")]
    time: Time,
    place: Option<Place>,
    #[serde(default)]
    remark: Paths,
    reason: Option<Reason>,
    /// The carrier's id of the event.
    id: Option<String>,
    container: Option<String>,
    vessel: Option<String>,
    voyage: Option<String>,
    flight: Option<String>,
    vehicle: Option<String>,
}

/// A path, several of which the first that is there counts, or a table.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Code {
    #[serde(default)]
    at: Paths,
    /// In the place of `at`: the parts of a code, of which the first has to be there.
    #[serde(default)]
    join: Vec<String>,
    /// Between the parts.
    #[serde(default = "slash")]
    with: String,
    /// A code that the list has not counts as what stands before the first of this in it.
    group: Option<String>,
    /// Texts of which the first that the list has says what the code means, in the place of the code
    /// itself: a substatus and then the status, words and then the code.
    #[serde(default)]
    meaning: Paths,
}

fn slash() -> String {
    "/".to_owned()
}

/// A path, several of which the first that is there counts, or a table. Whatever form the time has.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Time {
    at: Paths,
    /// Where the time of day stands beside the date.
    clock: Option<String>,
    /// Where the offset from UTC stands.
    offset: Option<String>,
    /// The offset from UTC of times that state none: `Z`, `+01:00`.
    otherwise: Option<String>,
    /// What stands first in `3/4/2026`.
    order: Option<Order>,
    /// A day is sent as its midnight: at the place, or in UTC.
    midnight_is_day: bool,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Order {
    Day,
    Month,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Place {
    name: Paths,
    city: Paths,
    region: Paths,
    postal_code: Paths,
    country: Paths,
    unlocode: Option<String>,
    iata: Option<String>,
    latitude: Option<String>,
    longitude: Option<String>,
    facility: Option<Facility>,
    /// `Mechelen (BE)` or `London, GB`; any other text is a name.
    city_and_country: Option<String>,
    /// `TEANECK, NJ`; any other text is a name.
    city_and_region: Option<String>,
    /// `Toronto, ON, CA`, `Columbus, OH` or `Ghent, BE`; any other text is a name.
    city_region_country: Option<String>,
}

/// The carrier's own code of a place.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Facility {
    /// What stands before it: `UPS` of `UPS/1234`.
    list: String,
    at: String,
}

/// Why, beside the code: by a list of reasons that comes with Waybill, or by one of its own.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Reason {
    at: String,
    list: Option<String>,
    /// What is wrong, by reason; an empty text: nothing is.
    rows: Option<BTreeMap<String, String>>,
    prefix: Option<String>,
}

/// Estimated delivery, an event of its own until the package is delivered.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Estimate {
    #[serde(deserialize_with = "paths::time")]
    time: Time,
    #[serde(default)]
    place: Place,
}
