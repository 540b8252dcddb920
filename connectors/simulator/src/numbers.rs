//! Numbers with check digits.

use std::fmt::Write;

use waybill_identifiers::{imo, iso6346};

/// ISO 6346: owner code, category `U`, six digits, check digit.
pub(crate) fn container(owner: [u8; 3], serial: u32) -> String {
    let mut number = String::with_capacity(11);
    number.extend(owner.map(char::from));
    let _ = write!(number, "U{:06}", serial % 1_000_000);
    let _ = write!(number, "{}", iso6346::check_digit(&number));
    number
}

/// The container's number with a check digit that is wrong.
pub(crate) fn spoil(number: &mut String) {
    if let Some(digit) = number.pop().and_then(|c| c.to_digit(10)) {
        let _ = write!(number, "{}", (digit + 1) % 10);
    }
}

/// IMO ship identification number: six digits and their check digit.
pub(crate) fn vessel(six_digits: u32) -> String {
    let mut number = format!("{:06}", six_digits % 1_000_000);
    let _ = write!(number, "{}", imo::check_digit(&number));
    number
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn check_digits_of_known_numbers() {
        // ISO 6346's own example, and numbers seen on containers
        for (owner, serial, number) in [
            (b"CSQ", 305_438, "CSQU3054383"),
            (b"TOL", 473_478, "TOLU4734787"),
            (b"MSK", 907_032, "MSKU9070323"),
        ] {
            assert_eq!(container(*owner, serial), number);
        }
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
            assert_eq!(vessel(number[..6].parse().unwrap()), number);
        }
    }
}
