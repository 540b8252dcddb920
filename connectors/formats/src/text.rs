//! A payload as text.

use std::borrow::Cow;

use waybill_stage::{Code, Reject};

use crate::limits;

/// The text of a payload, within the limit of size. UTF-8, or else ISO 8859-1: EDI and older XML are
/// written in it (EDIFACT: UNOC), and every byte has a meaning there.
pub(crate) fn decoded(payload: &[u8]) -> Result<Cow<'_, str>, Reject> {
    if payload.len() > limits::PAYLOAD_BYTES {
        let detail = format!("payload: more than {} bytes", limits::PAYLOAD_BYTES);
        return Err(Reject::new(Code::TooLarge, detail));
    }
    Ok(match std::str::from_utf8(payload) {
        Ok(text) => Cow::Borrowed(text.strip_prefix('\u{feff}').unwrap_or(text)),
        Err(_) => Cow::Owned(payload.iter().map(|byte| char::from(*byte)).collect()),
    })
}

/// At most so many characters of a text, without blanks around it; `None` if nothing is left. For
/// remarks and names, of which the beginning is worth keeping.
pub(crate) fn clipped(text: &str, characters: usize) -> Option<String> {
    let text = text.trim();
    let clean = |c: char| if c.is_control() { ' ' } else { c };
    (!text.is_empty()).then(|| text.chars().take(characters).map(clean).collect())
}
