//! What sensors say in 3.x, with units in UCUM.
//!
//! A set point is no measurement: whatever is set has the kind `set_point`, and `sensor` names the
//! quantity where it is not the temperature inside.

use waybill_schemas::Reading;
use waybill_schemas::vocabulary::ReadingKind;
use waybill_stage::Reject;

use super::super::fields::{list, owned, text};
use super::wire::{Probe, ReeferDetails, ReeferParameters};
use crate::json::Object;
use crate::limits;
use crate::wrong::{At, at};

/// Doors are read as 1 for open and 0 for closed; a location update has its place and no reading.
pub(super) fn of_iot(code: &str) -> Option<Reading> {
    let value = match code {
        "DRO" => 1.0,
        "DRC" => 0.0,
        _ => return None,
    };
    Some(Reading { kind: ReadingKind::DoorOpen, value, unit: "1".into(), sensor: None })
}

pub(super) fn of_reefer(sent: &ReeferDetails<'_>, to: &mut Vec<Reading>) -> Result<(), Reject> {
    let unit_at = at("/reeferDetails").member("/temperatureUnit");
    let unit = match text(&sent.temperature_unit, unit_at, limits::CODE)? {
        Some("CEL") => Some("Cel"),
        Some("FAH") => Some("[degF]"),
        Some(_) => return Err(unit_at.unknown_code("temperature unit of DCSA 3.x")),
        None => None,
    };
    let mut temperature = |kind, value: Option<f64>, sensor| {
        let Some(value) = value else { return Ok(()) };
        let unit = unit.ok_or_else(|| unit_at.missing())?;
        to.push(Reading { kind, value, unit: unit.into(), sensor });
        Ok::<_, Reject>(())
    };
    temperature(ReadingKind::SetPoint, sent.internal_setpoint_temperature, None)?;
    temperature(ReadingKind::AmbientTemperature, sent.ambient_measured_temperature, None)?;
    let probes_at = at("/reeferDetails/temperatureProbeMeasurements");
    let probes = list(&sent.temperature_probe_measurements, probes_at)?;
    for (index, Object(probe)) in probes.iter().enumerate() {
        let sensor = sensor(probe, probes_at.element(index))?;
        temperature(ReadingKind::Temperature, probe.measured_temperature_value, sensor)?;
    }
    if let Some(Object(set)) = &sent.setpoint_parameters {
        parameters(set, true, at("/reeferDetails/setpointParameters"), to)?;
    }
    if let Some(Object(measured)) = &sent.measured_parameters {
        parameters(measured, false, at("/reeferDetails/measuredParameters"), to)?;
    }
    Ok(())
}

/// `USDA 1`, the COA key, or the label.
fn sensor(probe: &Probe<'_>, within: At) -> Result<Option<String>, Reject> {
    if let Some(number) = probe.usda_probe_number {
        return Ok(Some(format!("USDA {number}")));
    }
    let key = owned(&probe.coa_probe_udm_key, within.member("/COAProbeUDMKey"), limits::CODE)?;
    match key {
        Some(key) => Ok(Some(key)),
        None => owned(&probe.probe_label, within.member("/probeLabel"), limits::NAME),
    }
}

fn parameters(
    sent: &ReeferParameters<'_>,
    set: bool,
    within: At,
    to: &mut Vec<Reading>,
) -> Result<(), Reject> {
    let mut push = |kind, name: &str, value: Option<f64>, unit: &str| {
        let Some(value) = value else { return };
        let (kind, sensor) = match (set, kind) {
            (true, _) => (ReadingKind::SetPoint, Some(name.to_owned())),
            (false, ReadingKind::Other) => (kind, Some(name.to_owned())),
            (false, _) => (kind, None),
        };
        to.push(Reading { kind, value, unit: unit.into(), sensor });
    };
    push(ReadingKind::Humidity, "humidity", sent.humidity_percentage, "%");
    push(ReadingKind::Oxygen, "oxygen", sent.o2_percentage, "%");
    push(ReadingKind::CarbonDioxide, "carbon_dioxide", sent.co2_percentage, "%");
    if sent.air_exchange_value.is_some() {
        let unit_at = within.member("/airExchangeUnit");
        let unit = match text(&sent.air_exchange_unit, unit_at, limits::CODE)? {
            Some("MQH") => "m3/h",
            Some("FQH") => "[cft_i]/h",
            Some(_) => return Err(unit_at.unknown_code("air exchange unit of DCSA 3.x")),
            None => return Err(unit_at.missing()),
        };
        push(ReadingKind::Other, "air_exchange", sent.air_exchange_value, unit);
    }
    Ok(())
}
