//! What sensors said: `sensorElementList` (EPCIS 2.0 section 7.3.7).
//!
//! A report's value, its minimum, maximum, mean and percentile value are a reading each. `sensor`
//! is the device, what is measured where the model has no kind for it, the component, and which of
//! the values it is: `urn:epc:id:giai:4000001.111 Speed x max`. A truth value is 1 or 0. Values that
//! are texts are no readings; a standard deviation is none either.

use std::borrow::Cow;

use waybill_schemas::Reading;
use waybill_schemas::vocabulary::{ExceptionKind, ReadingKind};
use waybill_stage::Reject;

use super::codes;
use super::node::Node;
use super::units::ucum;
use crate::wrong::{At, at};
use crate::{Draft, limits, text};

/// What the list says beside its readings.
#[derive(Debug, Default)]
pub(super) struct Sensed {
    pub(super) reports: usize,
    pub(super) alarm: bool,
    /// Degrees, WGS 84.
    pub(super) position: Option<(f64, f64)>,
}

const VALUES: &[(&str, &str)] = &[
    ("value", ""),
    ("minValue", "min"),
    ("maxValue", "max"),
    ("meanValue", "mean"),
    ("percValue", "percentile"),
];

/// Oxygen and carbon dioxide by their InChIKeys, as `chemicalSubstance` names them.
const SUBSTANCES: &[(&str, ReadingKind)] = &[
    ("MYMOFIZGZYHOMD-UHFFFAOYSA-N", ReadingKind::Oxygen),
    ("CURLTUGMZLYLDI-UHFFFAOYSA-N", ReadingKind::CarbonDioxide),
];

pub(super) fn read(event: &Node<'_>, draft: &mut Draft) -> Result<Sensed, Reject> {
    let list = at("/sensorElementList");
    let mut sensed = Sensed::default();
    let (mut latitude, mut longitude) = (None, None);
    for (index, element) in event.list("sensorElementList", "sensorElement", list)? {
        let within = list.element(index);
        let metadata = element.child("sensorMetadata");
        let common = match metadata {
            Some(metadata) => {
                metadata.value("deviceID", within.member("/sensorMetadata/deviceID"), limits::ID)?
            }
            None => None,
        };
        for sent in element.all("sensorReport") {
            sensed.reports += 1;
            if sensed.reports > limits::LIST {
                return Err(list.too_many(limits::LIST));
            }
            let own =
                sent.value("deviceID", within.member("/sensorReport/deviceID"), limits::ID)?;
            let report = Report::of(sent, own.or(common), within)?;
            report.readings(sent, within, draft)?;
            report.exception(draft, &mut sensed);
            match report.component {
                Some("latitude") => latitude = report.degrees(sent, within, 90.0)?.or(latitude),
                Some("longitude") => longitude = report.degrees(sent, within, 180.0)?.or(longitude),
                _ => {}
            }
        }
    }
    sensed.position = latitude.zip(longitude);
    Ok(sensed)
}

struct Report<'n> {
    device: Option<&'n str>,
    kind: ReadingKind,
    /// What is measured, in CBV's word.
    measured: Option<&'n str>,
    component: Option<&'n str>,
    exception: Option<&'n str>,
    unit: Cow<'static, str>,
}

impl<'n> Report<'n> {
    fn of(sent: &'n Node<'_>, device: Option<&'n str>, within: At) -> Result<Self, Reject> {
        let text = |name, at| sent.value(name, at, limits::ID);
        let measured = text("type", within.member("/sensorReport/type"))?
            .map(|sent| codes::MEASUREMENT_WORDS.bare(sent));
        let substance =
            text("chemicalSubstance", within.member("/sensorReport/chemicalSubstance"))?;
        let of_substance = substance.and_then(|sent| {
            SUBSTANCES.iter().find(|(key, _)| sent.ends_with(key)).map(|(_, kind)| *kind)
        });
        let of_type = codes::MEASUREMENTS
            .iter()
            .find(|(name, _)| Some(*name) == measured)
            .map_or(ReadingKind::Other, |(_, kind)| *kind);
        let component = text("component", within.member("/sensorReport/component"))?
            .map(|sent| codes::COMPONENT_WORDS.bare(sent));
        let exception = text("exception", within.member("/sensorReport/exception"))?
            .map(|sent| codes::SENSOR_ALERT_WORDS.bare(sent));
        let unit = sent.value("uom", within.member("/sensorReport/uom"), limits::CODE)?;
        Ok(Self {
            device,
            kind: of_substance.unwrap_or(of_type),
            measured,
            component,
            exception,
            unit: ucum(unit),
        })
    }

    fn readings(&self, sent: &Node<'_>, within: At, draft: &mut Draft) -> Result<(), Reject> {
        let value_at = within.member("/sensorReport/value");
        for (name, which) in VALUES {
            if let Some(value) = sent.number(name, value_at)? {
                draft.readings.push(self.reading(value, &self.unit, which));
            }
        }
        // Of an alarm it says that it is one, which is no measurement.
        if self.exception.is_none()
            && let Some(sent) = sent.value("booleanValue", value_at, limits::CODE)?
        {
            let value = match sent {
                "true" | "1" => 1.0,
                "false" | "0" => 0.0,
                _ => return Err(value_at.invalid("true or false")),
            };
            draft.readings.push(self.reading(value, "1", ""));
        }
        Ok(())
    }

    fn reading(&self, value: f64, unit: &str, which: &str) -> Reading {
        let named = match self.kind {
            ReadingKind::Other => self.measured,
            _ => None,
        };
        let which = Some(which).filter(|which| !which.is_empty());
        let mut name = String::new();
        for part in [self.device, named, self.component, which].into_iter().flatten() {
            let between = if name.is_empty() { "" } else { " " };
            name.extend([between, part]);
        }
        let sensor = text::clipped(&name, limits::NAME);
        Reading { kind: self.kind, value, unit: unit.to_owned(), sensor }
    }

    fn exception(&self, draft: &mut Draft, sensed: &mut Sensed) {
        let Some(sent) = self.exception else { return };
        sensed.alarm |= sent == "ALARM_CONDITION";
        let kind = match self.kind {
            ReadingKind::Temperature => ExceptionKind::Temperature,
            _ => ExceptionKind::Other,
        };
        draft.exception(kind, Some(["SENSOR/", sent].concat()));
    }

    /// A coordinate in WGS 84, which it is in unless another reference system is named.
    fn degrees(&self, sent: &Node<'_>, within: At, limit: f64) -> Result<Option<f64>, Reject> {
        let system_at = within.member("/sensorReport/coordinateReferenceSystem");
        let system = sent.value("coordinateReferenceSystem", system_at, limits::ID)?;
        let wgs84 = system.is_none_or(|uri| uri.ends_with("CRS84") || uri.ends_with("/4326"));
        if !wgs84 || self.measured != Some("Angle") {
            return Ok(None);
        }
        let value = sent.number("value", within.member("/sensorReport/value"))?;
        Ok(value.filter(|degrees| self.unit == "deg" && degrees.abs() <= limit))
    }
}
