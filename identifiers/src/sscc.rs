//! Serial shipping container codes (GS1 General Specifications, section 3.2): 17 digits and a check
//! digit.

/// 18 digits, of which the last makes their sum, weighted 3, 1, 3, … from the left, a multiple
/// of ten (GS1 General Specifications, section 7.9).
pub fn is_valid(code: &str) -> bool {
    code.len() == 18
        && code.bytes().all(|b| b.is_ascii_digit())
        && code
            .bytes()
            .zip([3, 1].into_iter().cycle())
            .map(|(d, w)| u32::from(d - b'0') * w)
            .sum::<u32>()
            % 10
            == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes() {
        for (code, expect) in [
            ("106141412345678908", true),
            ("376104250021234569", true),
            ("000000000000000000", true),
            ("106141412345678907", false),
            ("06141412345678908", false),
            ("1061414123456789080", false),
            ("10614141234567890X", false),
            ("", false),
        ] {
            assert_eq!(is_valid(code), expect, "{code}");
        }
    }
}
