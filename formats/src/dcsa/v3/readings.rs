//! What sensors say in 3.x, with units in UCUM.
//!
//! A set point is no measurement: whatever is set has the kind `set_point`, and `sensor` names the
//! quantity where it is not the temperature inside.

use waybill_schemas::Reading;
use waybill_schemas::vocabulary::ReadingKind;

use super::super::fields::Fields;
use crate::limits;

/// Doors are read as 1 for open and 0 for closed; a location update has its place and no reading.
pub(super) fn of_iot(code: &str) -> Option<Reading> {
    let value = match code {
        "DRO" => 1.0,
        "DRC" => 0.0,
        _ => return None,
    };
    Some(Reading { kind: ReadingKind::DoorOpen, value, unit: "1".into(), sensor: None })
}

/// Readings whose unit is not told, or is not known, are left out: a number of degrees says nothing.
pub(super) fn of_reefer(event: &Fields<'_, '_>, to: &mut Vec<Reading>) {
    const UNIT: &str = "reeferDetails/temperatureUnit";
    let unit = match event.code(UNIT).as_deref() {
        Some("CEL" | "C") => Some("Cel"),
        Some("FAH" | "F") => Some("[degF]"),
        Some(_) => {
            event.odd(UNIT);
            None
        }
        None => None,
    };
    let mut temperature = |kind, value: Option<f64>, sensor| {
        let Some(value) = value else { return };
        match unit {
            Some(unit) => to.push(Reading { kind, value, unit: unit.into(), sensor }),
            None if event.has(UNIT) => {}
            None => event.missing(UNIT),
        }
    };
    let Some(details) = event.inner("reeferDetails") else { return };
    let own = |name: &str| details.number(name);
    temperature(ReadingKind::SetPoint, own("internalSetpointTemperature"), None);
    temperature(ReadingKind::AmbientTemperature, own("ambientMeasuredTemperature"), None);
    for (element, at) in event.each("reeferDetails/temperatureProbeMeasurements") {
        let text = |name: &'static str, most| event.within(element, at, name, most);
        // `USDA 1`, the COA key, or the label.
        let sensor = text("USDAProbeNumber", limits::CODE)
            .map(|number| format!("USDA {number}"))
            .or_else(|| text("COAProbeUDMKey", limits::CODE).map(str::to_owned))
            .or_else(|| text("probeLabel", limits::NAME).map(str::to_owned));
        let value = text("measuredTemperatureValue", limits::CODE);
        let read = value.and_then(|value| value.parse::<f64>().ok()).filter(|v| v.is_finite());
        if value.is_some() && read.is_none() {
            event.odd(&at.member("measuredTemperatureValue"));
        }
        temperature(ReadingKind::Temperature, read, sensor);
    }
    parameters(event, true, "reeferDetails/setpointParameters", to);
    parameters(event, false, "reeferDetails/measuredParameters", to);
}

fn parameters(event: &Fields<'_, '_>, set: bool, within: &'static str, to: &mut Vec<Reading>) {
    let Some(at) = event.inner(within) else { return };
    let mut push = |kind, name: &str, value: Option<f64>, unit: &str| {
        let Some(value) = value else { return };
        let (kind, sensor) = match (set, kind) {
            (true, _) => (ReadingKind::SetPoint, Some(name.to_owned())),
            (false, ReadingKind::Other) => (kind, Some(name.to_owned())),
            (false, _) => (kind, None),
        };
        to.push(Reading { kind, value, unit: unit.into(), sensor });
    };
    push(ReadingKind::Humidity, "humidity", at.number("humidityPercentage"), "%");
    push(ReadingKind::Oxygen, "oxygen", at.number("o2Percentage"), "%");
    push(ReadingKind::CarbonDioxide, "carbon_dioxide", at.number("co2Percentage"), "%");
    let value = at.number("airExchangeValue");
    if value.is_some() {
        const UNIT: &str = "airExchangeUnit";
        match at.code(UNIT).as_deref() {
            Some("MQH") => push(ReadingKind::Other, "air_exchange", value, "m3/h"),
            Some("FQH") => push(ReadingKind::Other, "air_exchange", value, "[cft_i]/h"),
            Some(_) => at.odd(UNIT),
            None => at.missing(UNIT),
        }
    }
}
