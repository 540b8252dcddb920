//! The second stage: reads what a carrier said in its own format into the one shipment model, and
//! holds it to the model's rules.
//!
//! One message may carry several events. Each gets its position in it (1, 2, …), its shipment and
//! its id; a bad one among them is rejected alone and keeps its place. A message that is no list of
//! events at all is one reject.
//!
//! Every rule about time goes by the receipt of the message, never by the clock, so that a replay
//! gives the same answer.

mod private_codes;
mod rules;
mod shipment_id;

pub use private_codes::PrivateCodes;
pub use rules::Rules;
use waybill_formats::{Draft, Parts, find};
use waybill_identifiers::iso6346;
use waybill_schemas::{EventId, Opened, Provenance, ShipmentEvent};
use waybill_stage::{Context, Failure, Outputs, Reject, Stage};

/// The stage. Holds its settings and no state.
#[derive(Clone, Debug, Default)]
pub struct Validate {
    rules: Rules,
    codes: PrivateCodes,
}

impl Validate {
    pub fn new(rules: Rules, codes: PrivateCodes) -> Self {
        Self { rules, codes }
    }

    fn event(
        &self,
        draft: Draft,
        position: u32,
        provenance: &std::sync::Arc<Provenance>,
        cx: &Context,
    ) -> Result<ShipmentEvent, Reject> {
        let mut draft = normalised(draft);
        rules::check_lengths(&mut draft)?;
        // Some formats state no year (Cargo-IMP: `16OCT1317`).
        draft.resolve_year(provenance.received_at);
        self.rules.check_times(&mut draft, provenance.received_at)?;
        self.codes.map(&provenance.carrier_id, &mut draft);
        rules::flag_identifiers(&mut draft);
        let shipment_id = shipment_id::of(provenance, &draft)?;
        Ok(ShipmentEvent {
            provenance: provenance.clone(),
            position,
            event_id: EventId::new(
                &provenance.carrier_id,
                &provenance.message_id,
                position,
                &shipment_id,
            ),
            shipment_id,
            milestone: draft.milestone,
            classifier: draft.classifier,
            raw_code: draft.raw_code,
            raw_id: draft.raw_id,
            occurred: draft.occurred,
            created_at: draft.created_at,
            references: draft.references,
            equipment: draft.equipment,
            place: draft.place,
            transport: draft.transport,
            exceptions: draft.exceptions,
            customs: draft.customs,
            quantities: draft.quantities,
            remark: draft.remark,
            readings: draft.readings,
            withdraws: draft.withdraws,
            notes: draft.notes.iter().map(|note| note.code).collect(),
            notes_about: draft.notes.into_iter().map(|note| note.about.into_owned()).collect(),
            validated_at: cx.now_ms,
        })
    }
}

/// A unit has one number, however it is written.
fn normalised(mut draft: Draft) -> Draft {
    if let Some(unit) = &mut draft.equipment
        && let std::borrow::Cow::Owned(number) = iso6346::normalise(&unit.number)
    {
        unit.number = number;
    }
    draft
}

impl Stage for Validate {
    type Input = Opened;
    type Output = ShipmentEvent;
    const NAME: &'static str = "validate";

    fn apply(
        &self,
        cx: &Context,
        input: Opened,
        outputs: &mut Outputs<ShipmentEvent>,
    ) -> Result<(), Failure> {
        let format = find(&input.media_type)?;
        let mut parts = Parts::default();
        format.read(&input.payload, &mut parts)?;
        for (position, part) in parts.take() {
            let event = match part {
                Ok(draft) => self
                    .event(draft, position, &input.provenance, cx)
                    .map_err(|reject| parts.locate(position, reject)),
                Err(reject) => Err(reject),
            };
            match event {
                Ok(event) => outputs.emit(event),
                Err(reject) => outputs.reject(position, reject),
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use waybill_schemas::OccurrenceTime;
    use waybill_schemas::vocabulary::Milestone;

    use super::*;

    /// Whatever a reader lets through.
    #[test]
    fn a_text_that_is_too_long_is_a_reject() {
        let draft = |code: String| Draft::new(Milestone::Other, code, OccurrenceTime::stated(0, 0));
        let (stage, cx) = (Validate::default(), Context::at(0));
        let of = |draft| stage.event(draft, 1, &Provenance::default().into(), &cx).map(|_| ());
        let detail = of(draft("x".repeat(501))).unwrap_err().detail;
        assert_eq!(detail, "raw_code: more than 500 characters");
        let other = of(draft("x".repeat(500))).err().map(|reject| reject.detail);
        assert!(other.is_none_or(|detail| !detail.contains("characters")));
    }
}
