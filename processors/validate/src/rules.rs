use waybill_formats::{Draft, limits};
use waybill_identifiers::tracking_number::{self, Verdict};
use waybill_identifiers::{air_waybill, imo, iso6346, sscc};
use waybill_schemas::vocabulary::{Classifier, Milestone, NoteCode, ReferenceKind, TimePrecision};
use waybill_stage::{Code, Reject};

const HOUR_MS: i64 = 3_600_000;
const DAY_MS: i64 = 24 * HOUR_MS;
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
        // What nobody says has happened, and lies ahead, has not.
        if draft.has_note(NoteCode::ClassifierAssumed)
            && draft.occurred.utc_or_wall_ms() > received_at
        {
            draft.classifier = Classifier::Estimated;
        }
        // Nobody delivers at midnight: an estimate for it is one for the day that begins then.
        if draft.classifier == Classifier::Estimated
            && draft.milestone == Milestone::Delivered
            && draft.occurred.wall_ms.rem_euclid(DAY_MS) == 0
        {
            draft.occurred.precision = TimePrecision::Day;
        }
        let occurred = draft.occurred.counted(draft.classifier).utc_or_wall_ms();
        let ahead = occurred.saturating_sub(received_at);
        if draft.classifier == Classifier::Actual {
            if ahead > self.future_tolerance_ms {
                let hours = self.future_tolerance_ms / HOUR_MS;
                let detail = format!("an actual event more than {hours} h after its receipt");
                return Err(Reject::new(Code::InFuture, detail).because("occurred_in_future"));
            }
            if ahead > 0 {
                draft.note(NoteCode::InFuture);
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
            draft.created_at = None;
            draft.note_about(NoteCode::OddField, "recorded after its receipt");
        }
        Ok(())
    }
}

/// Each reader keeps to the limits of its texts; this holds whatever one has forgotten. What is stored, and
/// indexed, is no longer than this: what tells which event it is must fit, what else is too long is left out.
pub(crate) fn check_lengths(draft: &mut Draft) -> Result<(), Reject> {
    let fits = |text: &str, most: usize| {
        // Bytes are at least as many as characters.
        text.len() <= most || text.chars().count() <= most
    };
    let short = |text: &str| fits(text, limits::EVENT_ID);
    let unit = draft.equipment.as_ref();
    for (name, text) in [
        ("raw_code", Some(&draft.raw_code)),
        ("withdraws", draft.withdraws.as_ref()),
        ("document", draft.document.as_ref().map(|document| &document.number)),
        ("equipment", unit.map(|unit| &unit.number)),
    ] {
        if text.is_some_and(|text| !short(text)) {
            let detail = format!("{name}: more than {} characters", limits::EVENT_ID);
            return Err(Reject::new(Code::InvalidField, detail));
        }
    }
    let mut left_out = Vec::new();
    let mut keep = |name: &'static str, text: &mut Option<String>, most: usize| {
        if text.as_ref().is_some_and(|text| !fits(text, most)) {
            *text = None;
            left_out.push(name);
        }
    };
    keep("raw_id", &mut draft.raw_id, limits::EVENT_ID);
    keep("remark", &mut draft.remark, limits::REMARK);
    if let Some(unit) = &mut draft.equipment {
        keep("equipment type", &mut unit.iso_type, limits::EVENT_ID);
    }
    if let Some(place) = &mut draft.place {
        for (name, text) in [
            ("unlocode", &mut place.unlocode),
            ("iata", &mut place.iata),
            ("place name", &mut place.name),
            ("facility", &mut place.facility),
            ("facility type", &mut place.facility_type),
            ("city", &mut place.city),
            ("region", &mut place.region),
            ("postal code", &mut place.postal_code),
            ("country", &mut place.country),
        ] {
            keep(name, text, limits::EVENT_ID);
        }
    }
    if let Some(transport) = &mut draft.transport {
        for (name, text) in [
            ("vessel_imo", &mut transport.vessel_imo),
            ("vessel name", &mut transport.vessel_name),
            ("voyage", &mut transport.voyage),
            ("flight", &mut transport.flight),
            ("vehicle", &mut transport.vehicle),
            ("service", &mut transport.service),
            ("call_id", &mut transport.call_id),
        ] {
            keep(name, text, limits::EVENT_ID);
        }
    }
    if let Some(customs) = &mut draft.customs {
        keep("customs procedure", &mut customs.procedure, limits::EVENT_ID);
        keep("customs status", &mut customs.status, limits::EVENT_ID);
    }
    for exception in &mut draft.exceptions {
        keep("exception", &mut exception.raw_code, limits::EVENT_ID);
    }
    for reading in &mut draft.readings {
        keep("sensor", &mut reading.sensor, limits::EVENT_ID);
    }
    let mut all = |name: &'static str, before: usize, now: usize| {
        if now < before {
            left_out.push(name);
        }
    };
    let before = draft.references.len();
    draft.references.retain(|reference| short(&reference.value));
    all("reference", before, draft.references.len());
    let before = draft.quantities.len() + draft.readings.len();
    draft.quantities.retain(|quantity| short(&quantity.unit));
    draft.readings.retain(|reading| short(&reading.unit));
    all("unit", before, draft.quantities.len() + draft.readings.len());
    for name in left_out {
        draft.note_about(NoteCode::OddField, name);
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
            iso6346::Verdict::CheckDigit => draft.note(NoteCode::ContainerCheckDigit),
            iso6346::Verdict::Form => draft.note(NoteCode::ContainerForm),
        }
    }
    let imo = draft.transport.as_ref().and_then(|t| t.vessel_imo.as_deref());
    if imo.is_some_and(|number| !imo::is_valid(number)) {
        draft.note(NoteCode::ImoCheckDigit);
    }
    let mut wrong = Vec::new();
    for reference in &draft.references {
        match reference.kind {
            ReferenceKind::AirWaybill => {
                let digits = of_digits(&reference.value, 11);
                if digits.is_some_and(|number| !air_waybill::is_valid(&number)) {
                    wrong.push(NoteCode::AirWaybillCheckDigit);
                }
            }
            ReferenceKind::Sscc => {
                let digits = of_digits(&reference.value, 18);
                if digits.is_some_and(|code| !sscc::is_valid(&code)) {
                    wrong.push(NoteCode::SsccCheckDigit);
                }
            }
            ReferenceKind::TrackingNumber
                if tracking_number::verdict(&reference.value) == Verdict::CheckDigit =>
            {
                wrong.push(NoteCode::TrackingCheckDigit);
            }
            _ => {}
        }
    }
    for note in wrong {
        draft.note(note);
    }
}

#[cfg(test)]
mod tests {
    use waybill_schemas::vocabulary::{ExceptionKind, Milestone, ReadingKind};
    use waybill_schemas::{Customs, OccurrenceTime, Place, Reading, Transport};

    use super::*;

    /// 2026-10-28T00:00:00Z
    const MIDNIGHT: i64 = 1_793_145_600_000;

    fn checked(classifier: Classifier, milestone: Milestone, at: i64, note: bool) -> Draft {
        let mut draft = Draft::new(milestone, "X/Y".to_owned(), OccurrenceTime::stated(at, 0));
        draft.classifier = classifier;
        if note {
            draft.note(NoteCode::ClassifierAssumed);
        }
        Rules::default().check_times(&mut draft, MIDNIGHT).unwrap();
        draft
    }

    #[test]
    fn a_delivery_that_is_estimated_for_midnight_is_one_for_the_day() {
        use Classifier::{Actual, Estimated, Planned};
        for (classifier, milestone, at, expect) in [
            (Estimated, Milestone::Delivered, MIDNIGHT, TimePrecision::Day),
            (Estimated, Milestone::Delivered, MIDNIGHT + 60_000, TimePrecision::Second),
            (Estimated, Milestone::Arrived, MIDNIGHT, TimePrecision::Second),
            (Planned, Milestone::Delivered, MIDNIGHT, TimePrecision::Second),
            (Actual, Milestone::Delivered, MIDNIGHT, TimePrecision::Second),
        ] {
            let draft = checked(classifier, milestone, at, false);
            assert_eq!(draft.occurred.precision, expect, "{classifier:?} {milestone:?} {at}");
        }
    }

    #[test]
    fn what_nobody_says_has_happened_and_lies_ahead_has_not() {
        let of = |at, note| checked(Classifier::Actual, Milestone::Loaded, at, note).classifier;
        assert_eq!(of(MIDNIGHT, true), Classifier::Actual);
        assert_eq!(of(MIDNIGHT + 1, true), Classifier::Estimated);
        assert_eq!(of(MIDNIGHT + 1, false), Classifier::Actual);
    }

    #[test]
    fn no_text_is_longer_than_is_stored() {
        type Change = dyn Fn(&mut Draft, String);
        let checked = |change: &Change, characters: usize| {
            let occurred = OccurrenceTime::stated(0, 0);
            let mut draft = Draft::new(Milestone::Other, "X/Y".to_owned(), occurred);
            change(&mut draft, "é".repeat(characters));
            let before = draft.clone();
            check_lengths(&mut draft).map_err(|reject| reject.detail).map(|()| (before, draft))
        };
        // What tells which event it is.
        for (change, name) in [
            (&(|d: &mut Draft, t| d.raw_code = t) as &Change, "raw_code"),
            (&|d, t| d.withdraws = Some(t), "withdraws"),
        ] {
            assert!(checked(change, 500).is_ok());
            let refused = checked(change, 501).unwrap_err();
            assert_eq!(refused, format!("{name}: more than 500 characters"));
        }
        for (change, name, most) in [
            (&(|d: &mut Draft, t| d.raw_id = Some(t)) as &Change, "raw_id", 500),
            (&|d, t| d.place = Some(Place { region: Some(t), ..Place::default() }), "region", 500),
            (
                &|d, t| d.transport = Some(Transport { voyage: Some(t), ..Transport::default() }),
                "voyage",
                500,
            ),
            (
                &|d, t| d.customs = Some(Customs { status: Some(t), ..Customs::default() }),
                "customs status",
                500,
            ),
            (&|d, t| d.exception(ExceptionKind::Delay, Some(t)), "exception", 500),
            (&|d, t| d.reference(ReferenceKind::Booking, &t), "reference", 500),
            (
                &|d, t| {
                    let (kind, sensor) = (ReadingKind::Temperature, Some(t));
                    d.readings.push(Reading { kind, value: 1.0, unit: "Cel".to_owned(), sensor });
                },
                "sensor",
                500,
            ),
            (
                &|d, t| {
                    let kind = ReadingKind::Temperature;
                    d.readings.push(Reading { kind, value: 1.0, unit: t, sensor: None });
                },
                "unit",
                500,
            ),
            (&|d, t| d.remark = Some(t), "remark", 2_000),
        ] {
            let (before, after) = checked(change, most).unwrap();
            assert_eq!(before, after, "{name}");
            let (_, after) = checked(change, most + 1).unwrap();
            let noted: Vec<_> = after.notes.iter().map(|n| (n.code, &*n.about)).collect();
            assert_eq!(noted, [(NoteCode::OddField, name)]);
            assert!(!format!("{after:?}").contains('é'), "{name} is left out");
        }
    }
}
