//! DPD, ParcelLifeCycleService 2.0 (SOAP). The answer does not repeat the parcel's number, so that
//! its events name no shipment; dates are in the form of the United States (the service's language
//! `en_US`), or in ISO's.

use waybill_schemas::OccurrenceTime;
use waybill_schemas::vocabulary::Mode;
use waybill_stage::Reject;

use super::package::{PHRASE, Package, city_and_country, some_place};
use crate::codes::{CodeList, code_list};
use crate::time;
use crate::tree::{self, Out, Tree};
use crate::{Draft, Parts, limits};

pub const MEDIA_TYPE: &str = "application/vnd.dpd.tracking+xml";

/// Reads a tracking answer.
pub fn read(payload: &[u8], parts: &mut Parts) -> Result<(), Reject> {
    tree::xml(payload, parts, response)
}

pub(crate) fn looks_like(text: &str) -> bool {
    text.contains("http://dpd.com/common/service/")
}

fn response(root: Tree<'_>, out: &mut Out<'_>) -> Result<(), Reject> {
    for result in root.each("trackingresult") {
        out.package(result, |out| result_of(result, out));
    }
    Ok(())
}

fn result_of(result: Tree<'_>, out: &mut Out<'_>) -> Result<(), Reject> {
    let mut package = Package::new(Mode::Parcel);
    let number = ["shipmentInfo/parcelLabelNumber", "parcelLabelNumber"];
    if let Some(number) = result.first(&number) {
        package.document(result.short("parcelLabelNumber", number, limits::ID)?);
    }
    package.service(result.name("shipmentInfo/serviceDescription/content/content"));
    for status in result.each("statusInfo") {
        // Those that are still to come stand there, too, without a time.
        if status.text("statusHasBeenReached") == Some("false") {
            continue;
        }
        out.push(status, event_of(&package, status));
    }
    Ok(())
}

fn event_of(package: &Package, status: Tree<'_>) -> Result<Draft, Reject> {
    let code = status.required("status", PHRASE)?;
    let mut draft = package.coded(&STATUSES, code, status.time_by("date/content", occurred)?);
    draft.place =
        status.text("location/content").and_then(|text| some_place(city_and_country(text)));
    draft.remark = status.clipped("description/content/content", limits::REMARK);
    Ok(draft)
}

fn occurred(text: &str) -> Option<OccurrenceTime> {
    time::month_first(text).or_else(|| time::read(text)).or_else(|| time::day_first(text))
}

pub static STATUSES: CodeList = code_list!("dpd", "DPD", "DPD parcel life cycle status");
