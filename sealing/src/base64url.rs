//! base64url as RFC 7515 section 2 has it: no padding, no white space, and unused bits zero, so
//! that bytes and text determine each other.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// The text is not strict base64url, or not of the expected length.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not base64url without padding, unused bits zero")]
pub struct NotBase64Url;

pub fn encode(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Without a text of its own: `TEXT` must be as many characters as `bytes` become.
pub(crate) fn encode_array<const TEXT: usize>(bytes: &[u8]) -> [u8; TEXT] {
    let mut text = [0; TEXT];
    let written = URL_SAFE_NO_PAD.encode_slice(bytes, &mut text);
    debug_assert_eq!(written, Ok(TEXT));
    text
}

/// Appends to `text`.
pub fn encode_to(bytes: &[u8], text: &mut String) {
    URL_SAFE_NO_PAD.encode_string(bytes, text);
}

pub fn decode(text: &str) -> Result<Vec<u8>, NotBase64Url> {
    URL_SAFE_NO_PAD.decode(text).map_err(|_| NotBase64Url)
}

/// Exactly `N` bytes.
pub fn decode_array<const N: usize>(text: &str) -> Result<[u8; N], NotBase64Url> {
    decode(text)?.try_into().map_err(|_| NotBase64Url)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_strict() {
        let accepted: [(&str, &[u8]); 4] =
            [("", b""), ("AA", b"\0"), ("-_8", b"\xfb\xff"), ("AQID", b"\x01\x02\x03")];
        for (text, bytes) in accepted {
            assert_eq!(decode(text).as_deref(), Ok(bytes), "{text:?}");
            assert_eq!(encode(bytes), text);
            if let [_, _, _] = bytes {
                assert_eq!(encode_array::<4>(bytes), text.as_bytes());
            }
        }
        // Padding, white space, the other alphabet, a lone symbol, unused bits, no ASCII.
        for text in [
            "AA==", "AAA=", "AQID=", "AQ ID", "AQID\n", " AA", "+/8", "A", "AQIDA", "AB", "AAB",
            "AQIDAB", "é", "A\0",
        ] {
            assert_eq!(decode(text), Err(NotBase64Url), "{text:?}");
        }
        assert_eq!(decode_array::<2>("AQID"), Err(NotBase64Url));
    }
}
