//! What a message is understood as: through the stages validate and enrich, in this process.

use std::sync::Arc;

use waybill_enrich::Enrich;
use waybill_formats::{Parts, find};
use waybill_schemas::vocabulary::{Classifier, Flag};
use waybill_schemas::{EnrichedEvent, Opened, Proof, Provenance};
use waybill_stage::{Answer, Code, Context, Failure, Reject, Stage};
use waybill_validate::Validate;

pub struct Explained {
    /// When it is taken to be received.
    pub received: jiff::Timestamp,
    /// In the order of the message.
    pub events: Vec<EnrichedEvent>,
    /// With the position of each part; 0 is the message as a whole.
    pub rejects: Vec<(u32, Reject)>,
}

impl Explained {
    /// Raw codes that no mapping names.
    pub fn unmapped(&self) -> impl Iterator<Item = &str> {
        let unmapped = |e: &&EnrichedEvent| e.event.flags.contains(&Flag::UnmappedCode);
        self.events.iter().filter(unmapped).map(|e| e.event.raw_code.as_str())
    }
}

pub fn explain(
    validate: &Validate,
    enrich: &Enrich,
    carrier_id: &str,
    media_type: &str,
    payload: Vec<u8>,
    received: Option<i64>,
) -> Explained {
    let now = jiff::Timestamp::now();
    let received_at =
        received.or_else(|| just_after(media_type, &payload)).unwrap_or(now.as_millisecond());
    let opened = Opened {
        provenance: Arc::new(Provenance {
            carrier_id: carrier_id.to_owned(),
            received_at,
            sealed_at: received_at,
            ..Provenance::default()
        }),
        proof: Proof::Signed,
        media_type: media_type.to_owned(),
        payload,
    };
    let cx = Context::at(received_at);
    let mut found = Explained {
        received: jiff::Timestamp::from_millisecond(received_at).unwrap_or(now),
        events: Vec::new(),
        rejects: Vec::new(),
    };
    let mut valid = Answer::default();
    if let Err(failure) = validate.apply(&cx, opened, &mut valid) {
        found.rejects.push((0, whole(failure)));
    }
    found.rejects.extend(valid.rejects.into_iter().map(|r| (r.position, r.reject)));
    for event in valid.passed {
        let position = event.position;
        let mut enriched = Answer::default();
        if let Err(failure) = enrich.apply(&cx, event, &mut enriched) {
            found.rejects.push((position, whole(failure)));
        }
        found.events.extend(enriched.passed);
    }
    found
}

fn whole(failure: Failure) -> Reject {
    match failure {
        Failure::Reject(reject) => reject,
        Failure::Later => Reject::new(Code::Internal, "it was put off"),
        Failure::Fault(fault) => Reject::new(Code::Internal, fault.to_string()),
    }
}

/// Sample files are old, and rules go by receipt: as if the message had come just after the last
/// thing that it says has happened or was recorded. ms UTC.
fn just_after(media_type: &str, payload: &[u8]) -> Option<i64> {
    const MINUTE_MS: i64 = 60_000;
    let mut parts = Parts::default();
    find(media_type).ok()?.read(payload, &mut parts).ok()?;
    let drafts = || parts.iter().filter_map(|(_, part)| part.as_ref().ok());
    // Without a year nobody can say when that was.
    if drafts().any(|draft| draft.year_open.is_some()) {
        return None;
    }
    let times = drafts().flat_map(|draft| {
        let actual = draft.classifier == Classifier::Actual;
        actual.then(|| draft.occurred.utc_or_wall_ms()).into_iter().chain(draft.created_at)
    });
    times.max().map(|last| last + MINUTE_MS)
}
