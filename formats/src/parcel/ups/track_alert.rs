//! UPS Track Alert: what UPS pushes to a subscriber's webhook (Tracking API, subscription), one activity of
//! one package. Its time is said twice, on the local clock and in GMT: the offset is the difference.

use waybill_schemas::OccurrenceTime;
use waybill_schemas::vocabulary::Mode;
use waybill_stage::Reject;

use super::{ACTIVITIES, meaning, place};
use crate::parcel::package::{Package, some_place};
use crate::time;
use crate::tree::{self, Out, Tree};
use crate::{Draft, Parts, limits};

pub const MEDIA_TYPE: &str = "application/vnd.ups.track-alert+json";

/// Offsets from UTC that there are, in minutes.
const OFFSETS: std::ops::RangeInclusive<i64> = -12 * 60..=14 * 60;
const MINUTE: i64 = 60_000;

/// Reads an alert, or a list of them.
pub fn read(text: &str, parts: &mut Parts) -> Result<(), Reject> {
    tree::json(text, parts, body)
}

pub(crate) fn looks_like(text: &str) -> bool {
    text.contains("\"activityStatus\"") || text.contains("ActivityDate\"")
}

fn body(root: Tree<'_>, out: &mut Out<'_>) -> Result<(), Reject> {
    if root.has("response/errors") {
        return Err(root.carrier_error());
    }
    for alert in root.each("") {
        out.package(alert, |out| alert_of(alert, out));
    }
    Ok(())
}

fn alert_of(alert: Tree<'_>, out: &mut Out<'_>) -> Result<(), Reject> {
    let package = Package::numbered(Mode::Parcel, alert, &["trackingNumber", "inquiryNumber"])?;
    out.push(alert, event(&package, alert));
    let date = "scheduledDeliveryDate";
    if alert.text("actualDeliveryDate").is_none() {
        let estimated = alert.text(date).map(|date| {
            time::joined(date, alert.text("deliveryEndTime"))
                .or_else(|| time::read(date))
                .ok_or_else(|| alert.invalid_time("scheduledDeliveryDate"))
        });
        package.estimate(out, alert, &ACTIVITIES, estimated, waybill_schemas::Place::default());
    }
    Ok(())
}

fn event(package: &Package, alert: Tree<'_>) -> Result<Draft, Reject> {
    let kind = alert.required("activityStatus/type", limits::CODE)?;
    let raw = match alert.text("activityStatus/code") {
        Some(code) => [kind, "/", alert.short("activityStatus/code", code, limits::CODE)?].concat(),
        None => kind.to_owned(),
    };
    let meaning = meaning(kind, &raw, alert.text("activityStatus/statusCode"));
    let mut draft = package.event(&ACTIVITIES, &raw, meaning, occurred(alert)?);
    draft.place = alert.at("activityLocation").and_then(|at| some_place(place(at)));
    draft.remark = alert.clipped("activityStatus/description", limits::REMARK);
    Ok(draft)
}

/// The local clock with the offset that it has from the one in GMT; of one alone, that one.
fn occurred(alert: Tree<'_>) -> Result<OccurrenceTime, Reject> {
    let at = |date: &str, clock: &str| {
        let Some(on) = alert.text(date) else { return Ok(None) };
        let at = time::joined(on, alert.text(clock)).ok_or_else(|| alert.invalid_time(date))?;
        Ok(Some(at))
    };
    let local = at("localActivityDate", "localActivityTime")?;
    let gmt = at("gmtActivityDate", "gmtActivityTime")?;
    match (local, gmt) {
        (Some(local), Some(gmt)) => {
            let offset = (local.wall_ms - gmt.wall_ms) / MINUTE;
            let exact = local.precision == gmt.precision
                && local.precision != waybill_schemas::vocabulary::TimePrecision::Day;
            let offset = Some(offset).filter(|offset| exact && OFFSETS.contains(offset));
            let offset_minutes = offset.and_then(|offset| i32::try_from(offset).ok());
            Ok(OccurrenceTime { offset_minutes, ..local })
        }
        (Some(local), None) => Ok(local),
        (None, Some(gmt)) => Ok(OccurrenceTime { offset_minutes: Some(0), ..gmt }),
        (None, None) => Err(alert.missing("localActivityDate")),
    }
}
