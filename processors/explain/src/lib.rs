//! What a message would be understood as: through the stages validate and enrich, in this process. Nothing is stored.
//! `waybill formats explain` shows it to operators, the gateway to carriers.

use std::sync::Arc;

use waybill_enrich::Enrich;
use waybill_formats::{Format, Parts, find, guess};
use waybill_schemas::vocabulary::{Classifier, NoteCode};
use waybill_schemas::{EnrichedEvent, Opened, Proof, Provenance};
use waybill_stage::{Code, Context, Failure, Outputs, Reject, Stage};
use waybill_validate::Validate;

/// The stages, as the pipeline has them.
#[derive(Debug)]
pub struct Explainer {
    validate: Validate,
    enrich: Enrich,
}

#[derive(Debug)]
pub struct Explained {
    /// When it is taken to be received, ms UTC.
    pub received_at: i64,
    /// In the order of the message.
    pub events: Vec<EnrichedEvent>,
    /// With the position of each part; 0 is the message as a whole.
    pub rejects: Vec<(u32, Reject)>,
}

/// What a payload looks like of which nobody knows the media type.
#[derive(Debug)]
pub struct Guess {
    pub format: &'static Format,
    /// That names it.
    pub media_type: String,
    /// Others that it looks like, too.
    pub others: Vec<&'static Format>,
}

impl Guess {
    pub fn of(payload: &[u8]) -> Option<Self> {
        let mut likely = guess(payload).into_iter();
        let format = likely.next()?;
        let media_type = format.patterns.first()?.to_string();
        Some(Self { format, media_type, others: likely.collect() })
    }
}

impl Explained {
    /// Raw codes that no mapping names.
    pub fn unmapped(&self) -> impl Iterator<Item = &str> {
        let unmapped = |e: &&EnrichedEvent| e.event.notes.contains(&NoteCode::UnmappedCode);
        self.events.iter().filter(unmapped).map(|e| e.event.raw_code.as_str())
    }
}

impl Explainer {
    pub fn new(validate: Validate, enrich: Enrich) -> Self {
        Self { validate, enrich }
    }

    /// As if the carrier had sent it, and it had come at `received`, ms UTC; without that, just after the last thing that
    /// it says has happened, or else `now`.
    pub fn explain(
        &self,
        carrier_id: &str,
        media_type: &str,
        payload: Vec<u8>,
        received: Option<i64>,
        now: i64,
    ) -> Explained {
        let received_at = received.or_else(|| just_after(media_type, &payload)).unwrap_or(now);
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
        let mut found = Explained { received_at, events: Vec::new(), rejects: Vec::new() };
        let mut valid = Outputs::default();
        if let Err(failure) = self.validate.apply(&cx, opened, &mut valid) {
            found.rejects.push((0, whole(failure)));
        }
        found.rejects.extend(valid.rejects.into_iter().map(|r| (r.position, r.reject)));
        for event in valid.emitted {
            let position = event.position;
            let mut enriched = Outputs::default();
            if let Err(failure) = self.enrich.apply(&cx, event, &mut enriched) {
                found.rejects.push((position, whole(failure)));
            }
            found.events.extend(enriched.emitted);
        }
        found
    }
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
    times.max().and_then(|last| last.checked_add(MINUTE_MS))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_795_507_200_000; // 2026-11-24T08:00:00Z

    fn explainer() -> Explainer {
        Explainer::new(
            Validate::default(),
            Enrich::new(Arc::new(waybill_enrich::Tables::bundled())),
        )
    }

    fn dcsa(time: &str) -> Vec<u8> {
        format!(
            r#"[{{"eventType": "SHIPMENT", "eventClassifierCode": "ACT", "eventDateTime": "{time}",
            "eventCreatedDateTime": "{time}", "shipmentEventTypeCode": "CONF", "documentTypeCode": "BKG",
            "documentID": "ABC709951"}}]"#
        )
        .into_bytes()
    }

    #[test]
    fn an_old_sample_is_read_as_if_it_had_just_come() {
        let payload = dcsa("2019-01-20T10:00:00Z");
        let guess = Guess::of(&payload).unwrap();
        assert_eq!(guess.media_type, "application/vnd.dcsa.tnt+json;version=2");
        let found = explainer().explain("acme", &guess.media_type, payload.clone(), None, NOW);
        assert_eq!((found.events.len(), found.rejects.len()), (1, 0), "{found:?}");
        assert_eq!(found.received_at, 1_547_978_460_000, "a minute after it");
        assert_eq!(found.events[0].event.milestone.as_str(), "booking_confirmed");
        let now = explainer().explain("acme", &guess.media_type, payload, Some(NOW), NOW);
        assert_eq!(now.rejects[0].1.code, Code::TooOld, "{now:?}");
    }

    #[test]
    fn what_is_no_message_is_one_reject() {
        assert!(Guess::of(b"hello").is_none());
        for (media_type, payload, code) in [
            ("text/plain", "hello", Code::UnknownFormat),
            ("application/vnd.dcsa.tnt+json", "hello", Code::Unparsable),
        ] {
            let found = explainer().explain("acme", media_type, payload.into(), None, NOW);
            assert_eq!((found.received_at, found.events.len()), (NOW, 0));
            let said: Vec<_> = found.rejects.iter().map(|(n, reject)| (*n, reject.code)).collect();
            assert_eq!(said, [(0, code)]);
        }
    }
}
