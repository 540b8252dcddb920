use waybill_formats::{Draft, imo, iso6346};
use waybill_schemas::vocabulary::{Classifier, Flag};
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
}
