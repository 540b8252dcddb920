//! What the events of a message have in common: the air waybill, and how much of it they are about.

use waybill_schemas::Quantity;
use waybill_schemas::vocabulary::{QuantityKind, ReferenceKind};

use crate::{Document, Draft};

/// Pieces, weight and volume, the latter with UCUM units.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Amounts {
    pub pieces: Option<f64>,
    pub weight: Option<(f64, &'static str)>,
    pub volume: Option<(f64, &'static str)>,
}

impl Amounts {
    pub fn give_to(self, draft: &mut Draft) {
        let mut add = |kind, value, unit: &str| {
            draft.quantities.push(Quantity { kind, value, unit: unit.to_owned() });
        };
        if let Some(pieces) = self.pieces {
            add(QuantityKind::Pieces, pieces, "1");
        }
        if let Some((weight, unit)) = self.weight {
            add(QuantityKind::GrossWeight, weight, unit);
        }
        if let Some((volume, unit)) = self.volume {
            add(QuantityKind::Volume, volume, unit);
        }
    }

    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// Makes `number`, of the form `020-12345675`, the document of the event.
pub(super) fn give_air_waybill(number: &str, draft: &mut Draft) {
    draft.document = Some(Document { kind: "air_waybill", number: number.to_owned() });
    draft.reference(ReferenceKind::AirWaybill, number);
}

/// Three letters: an airport's code, or a city's.
pub(super) fn iata(text: &str) -> Option<String> {
    let good = text.len() == 3 && text.bytes().all(|b| b.is_ascii_alphabetic());
    good.then(|| text.to_ascii_uppercase())
}
