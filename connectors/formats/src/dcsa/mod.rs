//! DCSA Track & Trace: shipment, transport and equipment events of 2.x, and these with IoT and
//! reefer events of 3.x.
//!
//! | version | body | event |
//! |---|---|---|
//! | 2.x | an array of events, or one event | `eventType` beside its own fields |
//! | 3.x | `{"events": […]}`, an array of events, or one event | `eventClassification` and `…Details` |
//!
//! Without the parameter `version` the structure decides: an object with `events`, or an event
//! (of an array: the first) with `eventClassification`, is 3.x, everything else 2.x.
//!
//! Every required field and code list is the standard's (`TNT_v2.2.0-resolved.yaml`, the event
//! domain 2.0.2 that 2.3 refers to, `TNT_v3.0.0.yaml`). `null` and an empty text are as good as
//! absent; unknown fields are ignored.

pub mod codes;
mod fields;
pub mod v2;
pub mod v3;

use serde::Deserialize;
use serde::de::IgnoredAny;
use waybill_stage::Reject;

use crate::{Parts, json};

pub const MEDIA_TYPE: &str = "application/vnd.dcsa.tnt+json";

/// Reads a body whose version is not stated.
pub fn read_any(payload: &[u8], parts: &mut Parts) -> Result<(), Reject> {
    let text = json::text(payload)?;
    if is_v3(text) { v3::read_text(text, parts) } else { v2::read_text(text, parts) }
}

/// A DCSA event has these names in it, whatever its version.
pub(crate) fn is_dcsa(text: &str) -> bool {
    text.contains("\"eventClassifierCode\"") && text.contains("\"eventDateTime\"")
}

pub(crate) fn is_v3(text: &str) -> bool {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Shape {
        events: Option<IgnoredAny>,
        event_classification: Option<IgnoredAny>,
    }
    let mut head = text;
    if json::first(text) == Some(b'[') {
        // Stops at the first: an error, and no matter.
        _ = json::elements(text, None, &mut |element| {
            head = element;
            false
        });
    }
    serde_json::from_str::<json::Object<Shape>>(head)
        .is_ok_and(|shape| shape.0.events.is_some() || shape.0.event_classification.is_some())
}
