use std::collections::HashMap;

use waybill_formats::Draft;
use waybill_formats::codes::Meaning;
use waybill_schemas::vocabulary::NoteCode;

/// What an operator says a carrier's code means: by carrier, then by the raw code with its list in
/// front (`X12/ZZ`), of which letters of either case are the same. It goes before what the format's own
/// table says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PrivateCodes(HashMap<String, HashMap<String, Meaning>>);

impl PrivateCodes {
    /// Adds what a code of the carrier means; `false` if that is said already, and stays so.
    pub fn add(&mut self, carrier_id: &str, raw_code: &str, meaning: Meaning) -> bool {
        let codes = self.0.entry(carrier_id.to_owned()).or_default();
        let key = raw_code.to_ascii_lowercase();
        let is_new = !codes.contains_key(&key);
        if is_new {
            codes.insert(key, meaning);
        }
        is_new
    }

    pub(crate) fn map(&self, carrier_id: &str, draft: &mut Draft) {
        let Some(codes) = self.0.get(carrier_id) else { return };
        let Some(meaning) = codes.get(&draft.raw_code.to_ascii_lowercase()) else { return };
        draft.milestone = meaning.milestone;
        draft.drop_note(NoteCode::UnmappedCode);
        if let Some(kind) = meaning.exception {
            // In the place of what the format's own table says of the code.
            let raw_code = Some(draft.raw_code.clone());
            draft.exceptions.retain(|own| own.raw_code != raw_code);
            draft.exception(kind, raw_code);
        }
    }
}
