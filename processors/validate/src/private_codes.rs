use std::collections::HashMap;

use waybill_formats::Draft;
use waybill_schemas::vocabulary::{Milestone, NoteCode};

/// What an operator says a carrier's code means: by carrier, then by the raw code with its list in
/// front (`X12/ZZ`). It goes before what the format's own table says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PrivateCodes(HashMap<String, HashMap<String, Milestone>>);

impl PrivateCodes {
    pub fn new(codes: impl IntoIterator<Item = (String, HashMap<String, Milestone>)>) -> Self {
        Self(codes.into_iter().collect())
    }

    pub(crate) fn map(&self, carrier_id: &str, draft: &mut Draft) {
        if self.0.is_empty() {
            return;
        }
        let milestone = self.0.get(carrier_id).and_then(|codes| codes.get(&draft.raw_code));
        if let Some(milestone) = milestone {
            draft.milestone = *milestone;
            draft.drop_note(NoteCode::UnmappedCode);
        }
    }
}
