use waybill_formats::tracking_number::{self, Verdict};
use waybill_formats::{Draft, air_waybill, imo, iso6346, limits, sscc};
use waybill_schemas::vocabulary::{Classifier, Flag, ReferenceKind};
use waybill_stage::{Code, Reject};

const HOUR_MS: i64 = 3_600_000;
const YEAR_MS: i64 = 365 * 24 * HOUR_MS + 6 * HOUR_MS;

/// The model's rules about time, all against the receipt of the message. ms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rules {
    /// How long before its receipt an event may have happened, or been planned for.
    pub max_event_age_ms: i64,
    /// How far an actual event, and the record of any, may lie after its receipt: clocks run
    /// apart, and local times are sent as UTC.
    pub future_tolerance_ms: i64,
    /// How far ahead an event may be planned or estimated.
    pub max_lead_ms: i64,
}

impl Default for Rules {
    /// 3 years of age, 24 hours of tolerance, 3 years ahead.
    fn default() -> Self {
        Self {
            max_event_age_ms: 3 * YEAR_MS,
            future_tolerance_ms: 24 * HOUR_MS,
            max_lead_ms: 3 * YEAR_MS,
        }
    }
}

impl Rules {
    /// Rejects what cannot be, and flags an actual event that lies after its receipt, but within
    /// tolerance.
    pub(crate) fn check_times(&self, draft: &mut Draft, received_at: i64) -> Result<(), Reject> {
        let occurred = draft.occurred.utc_or_wall_ms();
        let ahead = occurred.saturating_sub(received_at);
        if draft.classifier == Classifier::Actual {
            if ahead > self.future_tolerance_ms {
                let hours = self.future_tolerance_ms / HOUR_MS;
                let detail = format!("an actual event more than {hours} h after its receipt");
                return Err(Reject::new(Code::InFuture, detail).because("occurred_in_future"));
            }
            if ahead > 0 {
                draft.flags.push(Flag::InFuture);
            }
        } else if ahead > self.max_lead_ms {
            let days = self.max_lead_ms / (24 * HOUR_MS);
            let detail = format!("expected more than {days} days after its receipt");
            return Err(Reject::new(Code::InFuture, detail).because("expected_too_far_ahead"));
        }
        if ahead < -self.max_event_age_ms {
            let days = self.max_event_age_ms / (24 * HOUR_MS);
            let detail = format!("an event more than {days} days before its receipt");
            return Err(Reject::new(Code::TooOld, detail));
        }
        if let Some(created) = draft.created_at
            && created.saturating_sub(received_at) > self.future_tolerance_ms
        {
            let hours = self.future_tolerance_ms / HOUR_MS;
            let detail = format!("recorded more than {hours} h after its receipt");
            return Err(Reject::new(Code::InFuture, detail).because("created_in_future"));
        }
        Ok(())
    }
}

/// Each reader keeps to the limits of its texts; this holds whatever one has forgotten. What is stored, and
/// indexed, is no longer than this.
pub(crate) fn check_lengths(draft: &Draft) -> Result<(), Reject> {
    let unit = draft.equipment.as_ref();
    let place = draft.place.as_ref();
    let transport = draft.transport.as_ref();
    let customs = draft.customs.as_ref();
    fn some<'a>(name: &'static str, text: Option<&'a String>) -> (&'static str, &'a str) {
        (name, text.map_or("", String::as_str))
    }
    let alone = [
        ("raw_code", draft.raw_code.as_str()),
        some("raw_id", draft.raw_id.as_ref()),
        some("withdraws", draft.withdraws.as_ref()),
        some("document", draft.document.as_ref().map(|d| &d.number)),
        some("equipment", unit.map(|u| &u.number)),
        some("equipment type", unit.and_then(|u| u.iso_type.as_ref())),
        some("unlocode", place.and_then(|p| p.unlocode.as_ref())),
        some("iata", place.and_then(|p| p.iata.as_ref())),
        some("place name", place.and_then(|p| p.name.as_ref())),
        some("facility", place.and_then(|p| p.facility.as_ref())),
        some("facility type", place.and_then(|p| p.facility_type.as_ref())),
        some("city", place.and_then(|p| p.city.as_ref())),
        some("region", place.and_then(|p| p.region.as_ref())),
        some("postal code", place.and_then(|p| p.postal_code.as_ref())),
        some("country", place.and_then(|p| p.country.as_ref())),
        some("vessel_imo", transport.and_then(|t| t.vessel_imo.as_ref())),
        some("vessel name", transport.and_then(|t| t.vessel_name.as_ref())),
        some("voyage", transport.and_then(|t| t.voyage.as_ref())),
        some("flight", transport.and_then(|t| t.flight.as_ref())),
        some("vehicle", transport.and_then(|t| t.vehicle.as_ref())),
        some("service", transport.and_then(|t| t.service.as_ref())),
        some("call_id", transport.and_then(|t| t.call_id.as_ref())),
        some("customs procedure", customs.and_then(|c| c.procedure.as_ref())),
        some("customs status", customs.and_then(|c| c.status.as_ref())),
    ];
    let lists = draft.references.iter().map(|r| ("reference", r.value.as_str()));
    let lists = lists
        .chain(draft.exceptions.iter().map(|e| some("exception", e.raw_code.as_ref())))
        .chain(draft.quantities.iter().map(|q| ("unit", q.unit.as_str())))
        .chain(
            draft
                .readings
                .iter()
                .flat_map(|r| [("unit", r.unit.as_str()), some("sensor", r.sensor.as_ref())]),
        );
    let texts = alone.into_iter().chain(lists).map(|(name, text)| (name, text, limits::EVENT_ID));
    let remark = (draft.remark.as_deref()).map(|remark| ("remark", remark, limits::REMARK));
    for (name, text, most) in texts.chain(remark) {
        // Bytes are at least as many as characters.
        if text.len() > most && text.chars().count() > most {
            let detail = format!("{name}: more than {most} characters");
            return Err(Reject::new(Code::InvalidField, detail));
        }
    }
    Ok(())
}

/// The digits of a number that has so many, and between them nothing but blanks and dashes. What has
/// another form is a number of another kind, and nothing is said of it.
fn of_digits(number: &str, count: usize) -> Option<String> {
    let digits: String = number.chars().filter(|c| !matches!(c, ' ' | '-')).collect();
    (digits.len() == count && digits.bytes().all(|b| b.is_ascii_digit())).then_some(digits)
}

/// Carriers do send numbers with a wrong check digit: they are kept, and flagged.
pub(crate) fn flag_identifiers(draft: &mut Draft) {
    if let Some(unit) = &draft.equipment {
        match iso6346::verdict(&unit.number) {
            iso6346::Verdict::Good => {}
            iso6346::Verdict::CheckDigit => draft.flags.push(Flag::ContainerCheckDigit),
            iso6346::Verdict::Form => draft.flags.push(Flag::ContainerForm),
        }
    }
    let imo = draft.transport.as_ref().and_then(|t| t.vessel_imo.as_deref());
    if imo.is_some_and(|number| !imo::is_valid(number)) {
        draft.flags.push(Flag::ImoCheckDigit);
    }
    for reference in &draft.references {
        let (is_wrong, flag) = match reference.kind {
            ReferenceKind::AirWaybill => {
                let digits = of_digits(&reference.value, 11);
                let is_wrong = digits.is_some_and(|number| !air_waybill::is_valid(&number));
                (is_wrong, Flag::AirWaybillCheckDigit)
            }
            ReferenceKind::Sscc => {
                let digits = of_digits(&reference.value, 18);
                (digits.is_some_and(|code| !sscc::is_valid(&code)), Flag::SsccCheckDigit)
            }
            ReferenceKind::TrackingNumber => {
                let verdict = tracking_number::verdict(&reference.value);
                (verdict == Verdict::CheckDigit, Flag::TrackingCheckDigit)
            }
            _ => continue,
        };
        if is_wrong && !draft.flags.contains(&flag) {
            draft.flags.push(flag);
        }
    }
}

#[cfg(test)]
mod tests {
    use waybill_schemas::vocabulary::{ExceptionKind, Milestone, ReadingKind};
    use waybill_schemas::{Customs, OccurrenceTime, Place, Reading, Transport};

    use super::*;

    #[test]
    fn no_text_is_longer_than_is_stored() {
        let refused = |change: &dyn Fn(&mut Draft, String), most: usize| {
            let of = |characters: usize| {
                let occurred = OccurrenceTime::stated(0, 0);
                let mut draft = Draft::new(Milestone::Other, "X/Y".to_owned(), occurred);
                change(&mut draft, "é".repeat(characters));
                check_lengths(&draft)
            };
            of(most).unwrap();
            of(most + 1).unwrap_err().detail
        };
        for (change, name) in [
            (&(|d: &mut Draft, t| d.raw_code = t) as &dyn Fn(&mut Draft, String), "raw_code"),
            (&|d, t| d.place = Some(Place { region: Some(t), ..Place::default() }), "region"),
            (
                &|d, t| d.transport = Some(Transport { voyage: Some(t), ..Transport::default() }),
                "voyage",
            ),
            (
                &|d, t| d.customs = Some(Customs { status: Some(t), ..Customs::default() }),
                "customs status",
            ),
            (&|d, t| d.exception(ExceptionKind::Delay, Some(t)), "exception"),
            (&|d, t| d.reference(ReferenceKind::Booking, &t), "reference"),
            (
                &|d, t| {
                    let (kind, sensor) = (ReadingKind::Temperature, Some(t));
                    d.readings.push(Reading { kind, value: 1.0, unit: "Cel".to_owned(), sensor });
                },
                "sensor",
            ),
        ] {
            assert_eq!(refused(change, 500), format!("{name}: more than 500 characters"));
        }
        let remark = refused(&|d, t| d.remark = Some(t), 2_000);
        assert_eq!(remark, "remark: more than 2000 characters");
    }
}
