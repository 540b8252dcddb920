//! Numbers with check digits.

use std::fmt::Write;

/// ISO 6346 section 3.1 and annex A: owner code, category `U`, six digits, check digit.
pub(crate) fn container(owner: [u8; 3], serial: u32) -> String {
    let mut number = String::with_capacity(11);
    number.extend(owner.map(char::from));
    let _ = write!(number, "U{:06}", serial % 1_000_000);
    let digit = container_check_digit(&number);
    number.push(char::from(b'0' + digit));
    number
}

/// A letter counts from 10 on, without the multiples of 11; the nth character times 2^n; the sum
/// modulo 11, and 10 becomes 0.
pub(crate) fn container_check_digit(first_ten: &str) -> u8 {
    let mut sum = 0u32;
    for (n, c) in first_ten.bytes().enumerate() {
        let value = match c {
            b'0'..=b'9' => u32::from(c - b'0'),
            b'A' => 10,
            b'B'..=b'K' => u32::from(c - b'B') + 12,
            b'L'..=b'U' => u32::from(c - b'L') + 23,
            _ => u32::from(c.saturating_sub(b'V')) + 34,
        };
        sum += value << n;
    }
    u8::try_from(sum % 11 % 10).unwrap_or(0)
}

/// The container's number with a check digit that is wrong.
pub(crate) fn spoil(number: &mut String) {
    if let Some(digit) = number.pop().and_then(|c| c.to_digit(10)) {
        let _ = write!(number, "{}", (digit + 1) % 10);
    }
}

/// IMO ship identification number (IMO Resolution A.1117(30)): six digits and the last digit of
/// their sum, weighted 7 to 2.
pub(crate) fn imo(six_digits: u32) -> String {
    let mut number = format!("{:06}", six_digits % 1_000_000);
    let sum: u32 = number.bytes().zip((2..=7).rev()).map(|(d, w)| u32::from(d - b'0') * w).sum();
    let _ = write!(number, "{}", sum % 10);
    number
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn check_digits_of_known_numbers() {
        // ISO 6346's own example, and numbers seen on containers
        for (first_ten, digit) in [("CSQU305438", 3), ("TOLU473478", 7), ("MSKU907032", 3)] {
            assert_eq!(container_check_digit(first_ten), digit, "{first_ten}");
        }
        assert_eq!(container(*b"CSQ", 305_438), "CSQU3054383");
        // 10 becomes 0
        let zeros = (0..200).map(|n| container(*b"ACM", n)).filter(|c| c.ends_with('0')).count();
        assert!((20..60).contains(&zeros), "{zeros}: twice as many as of another digit");
    }

    #[test]
    fn a_spoilt_number_is_wrong_by_its_check_digit_alone() {
        let good = container(*b"BAN", 77);
        let mut bad = good.clone();
        spoil(&mut bad);
        assert_eq!(good[..10], bad[..10]);
        assert_ne!(good, bad);
        assert!(bad.ends_with(|c: char| c.is_ascii_digit()));
    }

    #[test]
    fn imo_numbers() {
        for number in ["9074729", "9321483", "9811000"] {
            assert_eq!(imo(number[..6].parse().unwrap()), number);
        }
    }
}
