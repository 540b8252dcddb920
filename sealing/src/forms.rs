//! The forms of the texts in a header that both sides check.

use crate::SIGNED_CONTENT;

/// 1 to 256 bytes of UTF-8 without control characters.
pub fn is_subject(text: &str) -> bool {
    (1..=256).contains(&text.len()) && !text.chars().any(char::is_control)
}

/// 1 to 64 characters of `[A-Za-z0-9._:-]`.
pub fn is_message_id(text: &str) -> bool {
    (1..=64).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"._:-".contains(&b))
}

/// Something before and after the first `/`. That is all that is asked of a media type here; the
/// format registry knows the ones that exist.
pub fn is_media_type(text: &str) -> bool {
    text.split_once('/').is_some_and(|(kind, rest)| !kind.is_empty() && !rest.is_empty())
}

/// A media type that is no signed payload: what the real payload has.
pub fn is_payload_type(text: &str) -> bool {
    is_media_type(text) && text != SIGNED_CONTENT
}

/// A NumericDate (RFC 7519 section 2) as ms UTC, rounded to the nearest.
pub fn to_millis(numeric_date: f64) -> i64 {
    // `as` saturates, so a date far out of range stays far out of range.
    (numeric_date * 1000.0).round() as i64
}

/// ms UTC as a NumericDate: the double nearest to it.
pub fn to_numeric_date(millis: i64) -> f64 {
    millis as f64 / 1000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms() {
        let longest = "é".repeat(128);
        for text in ["h", "h-7f3a", "ø 1", &longest] {
            assert!(is_subject(text), "{text}");
        }
        let too_long = format!("{longest}x");
        for text in ["", "a\n", "\0", "\u{85}", "\u{7f}", &too_long] {
            assert!(!is_subject(text), "{text:?}");
        }
        let longest = "a".repeat(64);
        for text in ["01JD-x.y_z:9", "a", &longest] {
            assert!(is_message_id(text), "{text}");
        }
        for text in ["", "a b", "é", "a/b", &"a".repeat(65)] {
            assert!(!is_message_id(text), "{text:?}");
        }
        for text in ["a/b", "application/x;v=1", "a//", "a/b/c"] {
            assert!(is_media_type(text), "{text}");
        }
        for text in ["", "/", "a/", "/b", "/b/c", "json"] {
            assert!(!is_media_type(text), "{text:?}");
        }
        assert!(!is_payload_type("application/jose"));
        assert!(is_payload_type("application/jose+json"));
    }
}
