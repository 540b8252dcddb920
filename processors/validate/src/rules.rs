use waybill_formats::tracking_number::{self, Verdict};
use waybill_formats::{Draft, air_waybill, imo, iso6346, sscc};
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
