//! What both versions read alike: a field of the wire into a field of the model, or why not.

use waybill_schemas::vocabulary::{Classifier, Mode};
use waybill_schemas::{OccurrenceTime, Place, Reference};
use waybill_stage::Reject;

use super::codes::{self, In};
use crate::json::{Text, TextOrNumber};
use crate::wrong::At;
use crate::{limits, time, unlocode};

/// The text without blanks around it; `None` if it is absent, null or blank. Of at most `max`
/// characters, none of them a control character other than white space.
pub(super) fn text<'t>(
    field: &'t Option<Text<'_>>,
    at: At,
    max: usize,
) -> Result<Option<&'t str>, Reject> {
    let Some(Text(text)) = field else { return Ok(None) };
    let text = trimmed(text);
    if text.len() > max && text.chars().count() > max {
        return Err(at.too_long(max));
    }
    if text.bytes().any(|b| b < b' ' && !matches!(b, b'\t' | b'\n' | b'\r') || b == 0x7f) {
        return Err(at.invalid("no control characters"));
    }
    Ok(Some(text).filter(|text| !text.is_empty()))
}

/// Most texts have nothing to trim.
fn trimmed(text: &str) -> &str {
    match text.as_bytes() {
        [first, .., last] if first.is_ascii_graphic() && last.is_ascii_graphic() => text,
        _ => text.trim(),
    }
}

pub(super) fn owned(
    field: &Option<Text<'_>>,
    at: At,
    max: usize,
) -> Result<Option<String>, Reject> {
    Ok(text(field, at, max)?.map(str::to_owned))
}

pub(super) fn required<'t>(
    field: &'t Option<Text<'_>>,
    at: At,
    max: usize,
) -> Result<&'t str, Reject> {
    text(field, at, max)?.ok_or_else(|| at.missing())
}

/// The first that is there of fields that took each other's place from version to version.
pub(super) fn first_of<'t>(
    fields: &[(&'t Option<Text<'_>>, At)],
    max: usize,
) -> Result<Option<&'t str>, Reject> {
    for (field, at) in fields {
        if let Some(text) = text(field, *at, max)? {
            return Ok(Some(text));
        }
    }
    Ok(None)
}

/// A code that its table has to have.
pub(super) fn code<T: Copy>(
    table: &[(&str, In, T)],
    code: &str,
    version: In,
    at: At,
    list: &str,
) -> Result<T, Reject> {
    codes::meaning(table, code, version).ok_or_else(|| at.unknown_code(list))
}

pub(super) fn classifier(
    field: &Option<Text<'_>>,
    version: In,
    at: At,
) -> Result<Classifier, Reject> {
    let sent = required(field, at, limits::CODE)?;
    code(codes::CLASSIFIERS, sent, version, at, "event classifier code")
}

pub(super) fn occurred(field: &Option<Text<'_>>, at: At) -> Result<OccurrenceTime, Reject> {
    time::rfc3339(required(field, at, limits::ID)?).ok_or_else(|| at.invalid_time())
}

/// ms UTC.
pub(super) fn instant(field: &Option<Text<'_>>, at: At) -> Result<Option<i64>, Reject> {
    let Some(sent) = text(field, at, limits::ID)? else { return Ok(None) };
    let time = time::rfc3339(sent).ok_or_else(|| at.invalid_time())?;
    Ok(Some(time.utc_or_wall_ms()))
}

pub(super) fn mode(field: &Option<Text<'_>>, version: In, at: At) -> Result<Option<Mode>, Reject> {
    let Some(sent) = text(field, at, limits::CODE)? else { return Ok(None) };
    code(codes::MODES, sent, version, at, "mode of transport").map(Some)
}

pub(super) fn empty(field: &Option<Text<'_>>, version: In, at: At) -> Result<Option<bool>, Reject> {
    let Some(sent) = text(field, at, limits::CODE)? else { return Ok(None) };
    code(codes::EMPTY_INDICATORS, sent, version, at, "empty indicator code").map(Some)
}

pub(super) fn facility_type<'t>(
    field: &'t Option<Text<'_>>,
    version: In,
    at: At,
) -> Result<Option<&'t str>, Reject> {
    let Some(sent) = text(field, at, limits::CODE)? else { return Ok(None) };
    code(codes::FACILITY_TYPES, sent, version, at, "facility type code")?;
    Ok(Some(sent))
}

/// `SMDG/ADT`; the code alone where no list is named.
pub(super) fn facility(
    sent: (&Option<Text<'_>>, At),
    list: (&Option<Text<'_>>, At),
    version: In,
) -> Result<Option<String>, Reject> {
    let provider = text(list.0, list.1, limits::CODE)?;
    if let Some(provider) = provider {
        code(codes::FACILITY_LISTS, provider, version, list.1, "facility code list provider")?;
    }
    Ok(text(sent.0, sent.1, limits::CODE)?.map(|code| match provider {
        Some(provider) => [provider, "/", code].concat(),
        None => code.to_owned(),
    }))
}

pub(super) fn un_location(field: &Option<Text<'_>>, at: At) -> Result<Option<String>, Reject> {
    let Some(sent) = text(field, at, limits::CODE)? else { return Ok(None) };
    unlocode::read(sent).map(Some).map_err(|fault| match fault {
        unlocode::Fault::Form => at.invalid("a UN/LOCODE, five characters"),
        unlocode::Fault::Country => at.unknown_code("UN/LOCODE: its country is not in ISO 3166-1"),
    })
}

/// Degrees, WGS 84. Half a coordinate tells nothing, and counts as none.
pub(super) fn coordinates(
    latitude: (&Option<TextOrNumber<'_>>, At),
    longitude: (&Option<TextOrNumber<'_>>, At),
) -> Result<Option<(f64, f64)>, Reject> {
    fn degrees(
        (field, at): (&Option<TextOrNumber<'_>>, At),
        limit: f64,
        expected: &str,
    ) -> Result<Option<f64>, Reject> {
        let Some(TextOrNumber(Text(sent))) = field else { return Ok(None) };
        if sent.trim().is_empty() {
            return Ok(None);
        }
        match sent.trim().parse::<f64>() {
            Ok(degrees) if degrees.abs() <= limit => Ok(Some(degrees)),
            _ => Err(at.invalid(expected)),
        }
    }
    let latitude = degrees(latitude, 90.0, "decimal degrees from -90 to 90")?;
    let longitude = degrees(longitude, 180.0, "decimal degrees from -180 to 180")?;
    Ok(latitude.zip(longitude))
}

pub(super) fn list<T>(field: &Option<Vec<T>>, at: At) -> Result<&[T], Reject> {
    let list = field.as_deref().unwrap_or(&[]);
    if list.len() > limits::LIST { Err(at.too_many(limits::LIST)) } else { Ok(list) }
}

/// A reference with its kind.
pub(super) fn reference(
    kind: (&Option<Text<'_>>, At),
    value: (&Option<Text<'_>>, At),
    version: In,
) -> Result<Reference, Reject> {
    let sent = required(kind.0, kind.1, limits::CODE)?;
    let kind = code(codes::REFERENCES, sent, version, kind.1, "reference type code")?;
    Ok(Reference { kind, value: required(value.0, value.1, limits::ID)?.to_owned() })
}

/// A place, unless nothing is known of it.
pub(super) fn some_place(place: Place) -> Option<Place> {
    (place != Place::default()).then_some(place)
}
