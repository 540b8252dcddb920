//! Check digits of tracking numbers: UPU S10, GS1 modulo 10, and the carriers' own.
//!
//! Many carriers number their parcels with digits alone, and a row of twelve digits tells of no
//! carrier: that it is wrong as FedEx's says nothing if it may be another's. So a wrong check digit
//! is claimed of numbers alone whose form nobody else has (`1Z…`, `RB…GB`, `9400…`).

use crate::country::is_country;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The check digit is right by a form that the number has.
    Good,
    /// The number has a form that is one carrier's own, and not its check digit.
    CheckDigit,
    /// It has no known form, or one that many have: nothing is claimed.
    Unknown,
}

/// Longest known: 38 characters.
const LONGEST: usize = 40;

/// Whether the check digit of `number` is right; blanks in it do not matter.
pub fn verdict(number: &str) -> Verdict {
    let mut buffer = [0_u8; LONGEST];
    let mut length = 0;
    for byte in number.bytes().filter(|b| !b.is_ascii_whitespace()) {
        let Some(place) = buffer.get_mut(length) else { return Verdict::Unknown };
        *place = byte.to_ascii_uppercase();
        length += 1;
    }
    let number = buffer.get(..length).unwrap_or_default();
    if !number.iter().all(u8::is_ascii_alphanumeric) {
        return Verdict::Unknown;
    }
    let mut claimed = false;
    for form in FORMS {
        match (form.check)(number) {
            Some(true) => return Verdict::Good,
            Some(false) => claimed |= form.own,
            None => {}
        }
    }
    if claimed { Verdict::CheckDigit } else { Verdict::Unknown }
}

struct Form {
    /// Whether the check digit is right; `None` if the number has not the form.
    check: fn(&[u8]) -> Option<bool>,
    /// Nobody else's numbers look like it.
    own: bool,
}

const fn own(check: fn(&[u8]) -> Option<bool>) -> Form {
    Form { check, own: true }
}

const fn shared(check: fn(&[u8]) -> Option<bool>) -> Form {
    Form { check, own: false }
}

const FORMS: &[Form] = &[
    own(ups),
    shared(ups_waybill),
    own(s10),
    own(usps_impb),
    shared(usps_20),
    own(fedex_96),
    own(fedex_34),
    own(fedex_astra),
    shared(fedex_express),
    shared(fedex_ground),
    shared(fedex_sscc),
    shared(canada_post),
    own(dpd),
    shared(dhl_express),
    shared(purolator),
    shared(old_dominion),
    own(ontrac),
];

/// `1Z`, account, service, package.
fn ups(number: &[u8]) -> Option<bool> {
    (number.len() == 18).then_some(())?;
    let (serial, check) = split(number.strip_prefix(b"1Z")?)?;
    Some(ups_digit(serial) == check?)
}

/// A letter for the service and ten digits.
fn ups_waybill(number: &[u8]) -> Option<bool> {
    let (service, rest) = number.split_first()?;
    (b"AHJKTV".contains(service) && rest.len() == 10 && digits(rest)).then_some(())?;
    let (serial, check) = split(rest)?;
    Some(ups_digit(serial) == check?)
}

/// UPU S10: service, eight digits, check digit, country.
fn s10(number: &[u8]) -> Option<bool> {
    let (service, rest) = number.split_at_checked(2)?;
    let (serial, country) = rest.split_at_checked(9)?;
    let letters = |bytes: &[u8]| bytes.len() == 2 && bytes.iter().all(u8::is_ascii_uppercase);
    (letters(service) && digits(serial) && letters(country)).then_some(())?;
    let country = std::str::from_utf8(country).ok()?;
    is_country(country).then_some(())?;
    let (serial, check) = split(serial)?;
    let sum = weighted(serial, &[8, 6, 4, 2, 3, 5, 9, 7]);
    let expected = match 11 - sum % 11 {
        10 => 0,
        11 => 5,
        digit => digit,
    };
    Some(expected == check?)
}

/// Intelligent Mail package barcode: 22, 26 or 30 digits from `91` to `95`, with or without the
/// ZIP code of its destination in front (`420`, 5 or 9 digits).
fn usps_impb(number: &[u8]) -> Option<bool> {
    digits(number).then_some(())?;
    let is_impb = |number: &[u8]| {
        matches!(number.len(), 22 | 26 | 30) && matches!(number, [b'9', b'1'..=b'5', ..])
    };
    let zip = |length: usize| {
        let rest = number.strip_prefix(b"420")?.get(length..)?;
        is_impb(rest).then_some(rest)
    };
    let number = if is_impb(number) { Some(number) } else { None };
    gs1(number.or_else(|| zip(5)).or_else(|| zip(9))?)
}

/// The older 20 digits; printed without the `91` that may belong to them.
fn usps_20(number: &[u8]) -> Option<bool> {
    (number.len() == 20 && digits(number)).then_some(())?;
    let mut with = [0_u8; 22];
    for (to, from) in with.iter_mut().zip(b"91".iter().chain(number)) {
        *to = *from;
    }
    Some(gs1(number)? || gs1(&with)?)
}

fn fedex_96(number: &[u8]) -> Option<bool> {
    (number.len() == 22 && digits(number) && number.starts_with(b"96")).then_some(())?;
    gs1(number.get(7..)?)
}

/// The barcode of 34 digits, Express and Ground: the tracking number are the last ones.
fn fedex_34(number: &[u8]) -> Option<bool> {
    (number.len() == 34 && digits(number)).then_some(())?;
    // A USPS number behind a ZIP code is as long.
    usps_impb(number).is_none().then_some(())?;
    (number.first()? != &b'9' || number.starts_with(b"96")).then_some(())?;
    fedex_digit(number.get(20..)?, &[1, 7, 3, 1, 7, 3, 1, 7, 3, 1, 7, 3, 1])
}

/// The barcode of 32 digits before it.
fn fedex_astra(number: &[u8]) -> Option<bool> {
    (number.len() == 32 && digits(number) && number.first() == Some(&b'3')).then_some(())?;
    fedex_digit(number.get(16..28)?, &[3, 1, 7, 3, 1, 7, 3, 1, 7, 3, 1])
}

fn fedex_express(number: &[u8]) -> Option<bool> {
    (number.len() == 12 && digits(number)).then_some(())?;
    fedex_digit(number, &[3, 1, 7, 3, 1, 7, 3, 1, 7, 3, 1])
}

fn fedex_ground(number: &[u8]) -> Option<bool> {
    (number.len() == 15 && digits(number)).then(|| gs1(number)).flatten()
}

/// Container type, 15 digits and the check digit of these alone.
fn fedex_sscc(number: &[u8]) -> Option<bool> {
    (number.len() == 18 && digits(number)).then(|| gs1(number.get(2..)?)).flatten()
}

fn canada_post(number: &[u8]) -> Option<bool> {
    (number.len() == 16 && digits(number)).then(|| gs1(number)).flatten()
}

/// 14 or 27 digits and a character by ISO/IEC 7064 MOD 37,36. Where that is a digit, the shorter
/// one is any row of 15.
fn dpd(number: &[u8]) -> Option<bool> {
    let (check, serial) = number.split_last()?;
    let formed = matches!(serial.len(), 14 | 27) && digits(serial);
    (formed && (serial.len() == 27 || check.is_ascii_uppercase())).then_some(())?;
    let mut product = 36_u32;
    for digit in serial {
        let sum = product + value(*digit)?;
        product = (if sum > 36 { sum - 36 } else { sum }) * 2 % 37;
    }
    let check = match check {
        digit @ b'0'..=b'9' => value(*digit)?,
        letter => u32::from(letter - b'A') + 10,
    };
    Some((37 - product) % 36 == check)
}

/// An air waybill number: the last digit is the others modulo 7.
fn dhl_express(number: &[u8]) -> Option<bool> {
    (matches!(number.len(), 10 | 11) && digits(number)).then_some(())?;
    let (serial, check) = split(number)?;
    Some(serial.iter().try_fold(0, |sum, d| Some((sum * 10 + value(*d)?) % 7))? == check?)
}

fn purolator(number: &[u8]) -> Option<bool> {
    let formed = number.len() == 12 && digits(number) && matches!(number, [b'0'..=b'5', ..]);
    formed.then(|| luhn(number)).flatten()
}

fn old_dominion(number: &[u8]) -> Option<bool> {
    let prefixes: [&[u8]; 5] = [b"777", b"778", b"072", b"780", b"80"];
    let formed = number.len() == 11 && digits(number);
    (formed && prefixes.iter().any(|prefix| number.starts_with(prefix))).then_some(())?;
    luhn(number)
}

/// `C` or `D` (which count as 4 and 5) and 14 digits.
fn ontrac(number: &[u8]) -> Option<bool> {
    let (letter, rest) = number.split_first()?;
    (matches!(letter, b'C' | b'D') && rest.len() == 14 && digits(rest)).then_some(())?;
    let mut with = [0_u8; 15];
    for (to, from) in with.iter_mut().zip(std::iter::once(&(letter - b'C' + b'4')).chain(rest)) {
        *to = *from;
    }
    let (serial, check) = split(&with)?;
    Some(ups_digit(serial) == check?)
}

fn digits(bytes: &[u8]) -> bool {
    bytes.iter().all(u8::is_ascii_digit)
}

/// Of a digit; `None` of anything else.
fn value(byte: u8) -> Option<u32> {
    byte.is_ascii_digit().then(|| u32::from(byte - b'0'))
}

/// What comes before the check digit, and that.
fn split(number: &[u8]) -> Option<(&[u8], Option<u32>)> {
    let (check, serial) = number.split_last()?;
    Some((serial, value(*check)))
}

fn weighted(serial: &[u8], weights: &[u32]) -> u32 {
    let digits = serial.iter().map(|d| value(*d).unwrap_or(0));
    digits.zip(weights).map(|(digit, weight)| digit * weight).sum()
}

/// Every second character counts twice; letters count as 2, 3, … 9, 0, 1, ….
fn ups_digit(serial: &[u8]) -> u32 {
    let sum: u32 = (0_u32..)
        .zip(serial)
        .map(|(i, byte)| {
            let value = value(*byte).unwrap_or_else(|| u32::from(byte.saturating_sub(3)) % 10);
            value * (1 + i % 2)
        })
        .sum();
    (10 - sum % 10) % 10
}

/// GS1 General Specifications, section 7.9: from the right, 3 and 1 by turns.
fn gs1(number: &[u8]) -> Option<bool> {
    let (serial, check) = split(number)?;
    let sum: u32 = (0_u32..)
        .zip(serial.iter().rev())
        .map(|(i, digit)| value(*digit).unwrap_or(0) * if i % 2 == 0 { 3 } else { 1 })
        .sum();
    Some((10 - sum % 10) % 10 == check?)
}

fn fedex_digit(number: &[u8], weights: &[u32]) -> Option<bool> {
    let (serial, check) = split(number)?;
    Some(weighted(serial, weights) % 11 % 10 == check?)
}

fn luhn(number: &[u8]) -> Option<bool> {
    let (serial, check) = split(number)?;
    let sum: u32 = (0_u32..)
        .zip(serial.iter().rev())
        .map(|(i, digit)| {
            let value = value(*digit).unwrap_or(0) * if i % 2 == 0 { 2 } else { 1 };
            value / 10 + value % 10
        })
        .sum();
    Some((10 - sum % 10) % 10 == check?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers() {
        let check = |number: &str, expect: Verdict| assert_eq!(verdict(number), expect, "{number}");
        check("1Z5R89390357567127", Verdict::Good);
        check("1z 5r8 939 03 5756 7127", Verdict::Good);
        check("1Z5R89390357567128", Verdict::CheckDigit);
        check("1Z5R8939035756712X", Verdict::Unknown);
        check("RB123456785GB", Verdict::Good);
        check("RB123456786GB", Verdict::CheckDigit);
        check("RB123456785XX", Verdict::Unknown);
        check("9400111206206406260787", Verdict::Good);
        check("420787459400111206206406260787", Verdict::Good);
        check("9400111206206406260788", Verdict::CheckDigit);
        check("1001921334250001000300779017972697", Verdict::Good);
        check("1001921334250001000300779017972698", Verdict::CheckDigit);
        check("008182709980000020033350276C", Verdict::Good);
        check("008182709980000020033350276A", Verdict::CheckDigit);
        // Twelve digits that are not FedEx's may be another's.
        check("986578788855", Verdict::Good);
        check("996578788855", Verdict::Unknown);
        for none in ["", "Z", "1Z", "0", "９400111206206406260787", "RB12345678\u{e9}GB"] {
            check(none, Verdict::Unknown);
        }
        check(&"9".repeat(1_000), Verdict::Unknown);
    }
}
