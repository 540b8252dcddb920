//! A payload as text.

use std::borrow::Cow;

use encoding_rs::{Encoding, ISO_8859_2, ISO_8859_5, ISO_8859_7, UTF_16BE, UTF_16LE, WINDOWS_1252};
use waybill_stage::{Code, Reject};

use crate::limits;

/// The text of a payload, within the limit of size, without a byte order mark: UTF-8; UTF-16, with its
/// mark or without; else what the payload declares; else Windows-1252, in which every byte has a
/// meaning and which has ISO 8859-1 in it.
pub(crate) fn decoded(payload: &[u8]) -> Result<Cow<'_, str>, Reject> {
    if payload.len() > limits::PAYLOAD_BYTES {
        let detail = format!("payload: more than {} bytes", limits::PAYLOAD_BYTES);
        return Err(Reject::new(Code::TooLarge, detail));
    }
    if let Some(utf_16) = utf_16(payload) {
        return Ok(Cow::Owned(utf_16.decode_with_bom_removal(payload).0.into_owned()));
    }
    Ok(match std::str::from_utf8(payload) {
        Ok(text) => Cow::Borrowed(text.strip_prefix('\u{feff}').unwrap_or(text)),
        Err(_) => declared(payload).unwrap_or(WINDOWS_1252).decode_without_bom_handling(payload).0,
    })
}

/// Whether nothing in the payload says what [`decoded`] has taken it for.
pub(crate) fn is_assumed(payload: &[u8]) -> bool {
    utf_16(payload).is_none()
        && std::str::from_utf8(payload).is_err()
        && declared(payload).is_none()
}

/// By its byte order mark, or by the half of a character that each ASCII character has empty.
fn utf_16(payload: &[u8]) -> Option<&'static Encoding> {
    match payload {
        [0xff, 0xfe, ..] | [1..=0x7f, 0, 1..=0x7f, 0, ..] => Some(UTF_16LE),
        [0xfe, 0xff, ..] | [0, 1..=0x7f, 0, 1..=0x7f, ..] => Some(UTF_16BE),
        _ => None,
    }
}

/// The encoding of an XML declaration, or of the syntax that an EDIFACT interchange names (ISO 9735:
/// UNOC is ISO 8859-1, UNOD 8859-2, UNOE 8859-5, UNOF 8859-7).
fn declared(payload: &[u8]) -> Option<&'static Encoding> {
    let head = payload.get(..payload.len().min(256))?;
    let after = |mark: &[u8]| {
        let at = head.windows(mark.len()).position(|window| window == mark)?;
        head.get(at + mark.len()..)
    };
    if head.trim_ascii_start().starts_with(b"<?xml") {
        let label = after(b"encoding=")?;
        let (quote, label) = label.split_first()?;
        let label = label.split(|byte| byte == quote).next()?;
        return Encoding::for_label(label).filter(|named| named.is_single_byte());
    }
    match after(b"UNB+")?.first_chunk::<4>()? {
        b"UNOC" => Some(WINDOWS_1252),
        b"UNOD" => Some(ISO_8859_2),
        b"UNOE" => Some(ISO_8859_5),
        b"UNOF" => Some(ISO_8859_7),
        _ => None,
    }
}

/// At most so many characters of a text, without blanks around it; `None` if nothing is left. For
/// remarks and names, of which the beginning is worth keeping.
pub(crate) fn clipped(text: &str, characters: usize) -> Option<String> {
    let text = text.trim();
    // Most are short and plain.
    if text.len() <= characters && text.bytes().all(|b| matches!(b, b' '..=b'~')) {
        return (!text.is_empty()).then(|| text.to_owned());
    }
    let clean = |c: char| if c.is_control() { ' ' } else { c };
    (!text.is_empty()).then(|| text.chars().take(characters).map(clean).collect())
}

/// In capitals, as codes are.
pub(crate) fn upper(text: &str) -> Cow<'_, str> {
    match text.bytes().any(|b| b.is_ascii_lowercase()) {
        true => Cow::Owned(text.to_ascii_uppercase()),
        false => Cow::Borrowed(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encodings() {
        let utf_16 = |text: &str| text.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let big = |text: &str| text.encode_utf16().flat_map(u16::to_be_bytes).collect::<Vec<_>>();
        let check = |payload: Vec<u8>, expect: &str, assumed: bool| {
            assert_eq!(decoded(&payload).unwrap(), expect);
            assert_eq!(is_assumed(&payload), assumed, "{expect}");
        };
        check(b"{\"a\":\"K\xc3\xb6ln\"}".to_vec(), "{\"a\":\"Köln\"}", false);
        check(b"\xef\xbb\xbf{}".to_vec(), "{}", false);
        check(utf_16("\u{feff}ISA*Köln"), "ISA*Köln", false);
        check(utf_16("ISA*Köln"), "ISA*Köln", false);
        check(big("\u{feff}<a>Köln</a>"), "<a>Köln</a>", false);
        check(big("<a>Köln</a>"), "<a>Köln</a>", false);
        // What says nothing, and what says it.
        check(b"{\"a\":\"K\xf6ln \x80\"}".to_vec(), "{\"a\":\"Köln €\"}", true);
        check(b"ISA*K\xf6ln".to_vec(), "ISA*Köln", true);
        check(b"UNB+UNOC:3+K\xf6ln".to_vec(), "UNB+UNOC:3+Köln", false);
        check(b"UNA:+.? 'UNB+UNOD:3+\xa3\xf3d\xbc".to_vec(), "UNA:+.? 'UNB+UNOD:3+Łódź", false);
        check(b"UNB+UNOA:3+K\xf6ln".to_vec(), "UNB+UNOA:3+Köln", true);
        let declaration = "<?xml version='1.0' encoding='iso-8859-2'?>";
        let payload = [declaration.as_bytes(), b"<a>\xa3\xf3d\xbc</a>"].concat();
        check(payload, &[declaration, "<a>Łódź</a>"].concat(), false);
        let payload = b"<?xml version='1.0' encoding='utf-8'?><a>K\xf6ln</a>".to_vec();
        check(payload, "<?xml version='1.0' encoding='utf-8'?><a>Köln</a>", true);
    }

    #[test]
    fn no_payload_is_larger_than_the_limit() {
        assert!(decoded(&vec![b' '; limits::PAYLOAD_BYTES]).is_ok());
        assert!(decoded(&vec![b' '; limits::PAYLOAD_BYTES + 1]).is_err());
    }
}
