//! Air waybill numbers (IATA Resolution 600a): the airline's prefix of three digits, a serial number
//! of seven, and its check digit.

/// `020-12345675`: the last digit is the seven before it modulo 7. The hyphen may be absent.
pub fn is_valid(number: &str) -> bool {
    let digits = match number.split_once('-') {
        Some((prefix, serial)) => prefix.len() == 3 && serial.len() == 8,
        None => number.len() == 11,
    };
    let mut serial = number.bytes().filter(|b| *b != b'-').skip(3);
    if !digits || !number.bytes().filter(|b| *b != b'-').all(|b| b.is_ascii_digit()) {
        return false;
    }
    let value = serial.by_ref().take(7).fold(0, |sum: u32, d| sum * 10 + u32::from(d - b'0'));
    serial.next().is_some_and(|check| check_digit(value) == u32::from(check - b'0'))
}

/// Of a serial number of seven digits.
pub fn check_digit(serial: u32) -> u32 {
    serial % 7
}

/// Whether the text has the form of such a number: `020-12345675`.
pub fn has_form(number: &str) -> bool {
    number.len() == 12
        && number.bytes().enumerate().all(|(i, b)| match i {
            3 => b == b'-',
            _ => b.is_ascii_digit(),
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers() {
        for (number, expect) in [
            ("020-12345675", true),
            ("02012345675", true),
            ("157-41266466", true),
            ("157-66792751", true),
            ("157-53806270", true),
            ("020-12345676", false),
            ("020-12345678", false),
            ("02-012345675", false),
            ("020-1234567", false),
            ("020-123456755", false),
            ("020-1234-675", false),
            ("02O-12345675", false),
            ("", false),
        ] {
            assert_eq!(is_valid(number), expect, "{number}");
        }
        assert!(has_form("020-12345678"));
        assert!(!has_form("02012345678"));
        assert!(!has_form("020-1234567é"));
    }
}
