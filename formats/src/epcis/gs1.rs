//! GS1 keys: EPC URIs (Tag Data Standard section 6) and GS1 Digital Link URIs (section 4), brought
//! into one form, the canonical Digital Link. Check digits, which EPC URIs leave out, are computed.

/// What every canonical Digital Link begins with.
const BASE: &str = "https://id.gs1.org";

/// A key and what qualifies it, as a canonical Digital Link without query:
/// `https://id.gs1.org/01/04012345111118/21/9876`. The finest level only: where there is a serial
/// number the lot is left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key(String);

impl Key {
    /// Reads an EPC URI, an EPC class or pattern, or a Digital Link of any domain.
    pub fn read(uri: &str) -> Option<Self> {
        match uri.strip_prefix("urn:epc:") {
            Some(urn) => of_urn(urn),
            None => of_link(uri),
        }
    }

    /// A key of which no more is known than how it begins, and about how long it is.
    fn begun(length: usize) -> Self {
        let mut uri = String::with_capacity(BASE.len() + length);
        uri.push_str(BASE);
        Self(uri)
    }

    fn push(&mut self, parts: &[&str]) {
        parts.iter().for_each(|part| self.0.push_str(part));
    }

    /// Adds digits, and their check digit.
    fn push_checked(&mut self, digits: &[&str]) -> Option<()> {
        let from = self.0.len();
        self.push(digits);
        let check = check_digit(self.0.get(from..)?)?;
        self.0.push(char::from(b'0' + check));
        Some(())
    }

    /// Adds text of an EPC URI: what it leaves as it is, and Digital Link does not (its table 7-1).
    fn push_encoded(&mut self, text: &str) {
        for c in text.chars() {
            match c {
                '!' => self.0.push_str("%21"),
                '(' => self.0.push_str("%28"),
                ')' => self.0.push_str("%29"),
                '*' => self.0.push_str("%2A"),
                '+' => self.0.push_str("%2B"),
                ',' => self.0.push_str("%2C"),
                ':' => self.0.push_str("%3A"),
                c => self.0.push(c),
            }
        }
    }

    pub fn as_uri(&self) -> &str {
        &self.0
    }

    /// Without the domain: `01/04012345111118/21/9876`.
    pub fn as_path(&self) -> &str {
        self.0.get(BASE.len() + 1..).unwrap_or_default()
    }

    /// Application identifier and value of the key: `00` and the 18 digits of an SSCC.
    pub fn primary(&self) -> (&str, &str) {
        let mut segments = self.as_path().split('/');
        (segments.next().unwrap_or_default(), segments.next().unwrap_or_default())
    }

    /// What qualifies it: serial number, lot, extension of a GLN.
    pub fn qualifier(&self) -> Option<&str> {
        self.as_path().split('/').nth(3)
    }
}

/// GS1 General Specifications section 7.9: modulo 10, weights 3 and 1 from the right.
pub fn check_digit(digits: &str) -> Option<u8> {
    let mut sum = 0_u32;
    for (place, byte) in digits.bytes().rev().enumerate() {
        let digit = byte.is_ascii_digit().then(|| u32::from(byte - b'0'))?;
        sum += digit * if place % 2 == 0 { 3 } else { 1 };
    }
    u8::try_from((10 - sum % 10) % 10).ok()
}

fn are_digits(text: &str) -> bool {
    text.bytes().all(|b| b.is_ascii_digit())
}

/// After `urn:epc:`.
fn of_urn(urn: &str) -> Option<Key> {
    let (form, rest) = urn.split_once(':')?;
    let (scheme, rest) = rest.split_once(':')?;
    let (company, rest) = rest.split_once('.')?;
    if !(6..=12).contains(&company.len()) || !are_digits(company) {
        return None;
    }
    // A pattern stands for the class: all serial numbers of it.
    let pattern = form == "idpat";
    if !matches!((form, scheme), ("id" | "idpat", _) | ("class", "lgtin")) {
        return None;
    }
    // A reference that has so many digits together with the company prefix, and what comes after it.
    let fixed = |digits: usize| {
        let (reference, rest) = rest.split_once('.').unwrap_or((rest, ""));
        let fits = company.len() + reference.len() == digits && are_digits(reference);
        fits.then_some((reference, rest))
    };
    let mut key = Key::begun(urn.len());
    let serial = |key: &mut Key, name: &str, serial: &str| match (pattern, serial) {
        (true, "*") => Some(()),
        (false, serial) if !serial.is_empty() => {
            key.push(&[name]);
            key.push_encoded(serial);
            Some(())
        }
        _ => None,
    };
    // The first digit of the reference is the indicator, which leads.
    let indicator_first = |key: &mut Key, reference: &str| {
        let (indicator, item) = reference.split_at_checked(1)?;
        key.push_checked(&[indicator, company, item])
    };
    let plain = |key: &mut Key, name: &str, digits: usize| {
        let (reference, rest) = fixed(digits)?;
        key.push(&[name]);
        key.push_checked(&[company, reference])?;
        Some(rest)
    };
    match scheme {
        "sgtin" | "upui" | "lgtin" => {
            let (reference, rest) = fixed(13)?;
            key.push(&["/01/"]);
            indicator_first(&mut key, reference)?;
            let name = match scheme {
                "sgtin" => "/21/",
                "upui" => "/235/",
                _ => "/10/",
            };
            serial(&mut key, name, rest)?;
        }
        "sscc" => {
            let (reference, rest) = fixed(17)?;
            rest.is_empty().then_some(())?;
            key.push(&["/00/"]);
            indicator_first(&mut key, reference)?;
        }
        "sgln" => {
            let extension = plain(&mut key, "/414/", 12)?;
            if extension != "0" {
                key.push(&["/254/"]);
                serial(&mut key, "", extension)?;
            }
        }
        "pgln" => _ = plain(&mut key, "/417/", 12)?,
        "grai" => {
            let (reference, rest) = fixed(12)?;
            key.push(&["/8003/"]);
            key.push_checked(&["0", company, reference])?;
            serial(&mut key, "", rest)?;
        }
        "giai" => {
            key.push(&["/8004/", company]);
            serial(&mut key, "", rest)?;
        }
        "ginc" => {
            key.push(&["/401/", company]);
            serial(&mut key, "", rest)?;
        }
        "gsrn" => _ = plain(&mut key, "/8018/", 17)?,
        "gsrnp" => _ = plain(&mut key, "/8017/", 17)?,
        "gsin" => _ = plain(&mut key, "/402/", 16)?,
        "gdti" => {
            let rest = plain(&mut key, "/253/", 12)?;
            serial(&mut key, "", rest)?;
        }
        "sgcn" => {
            let rest = plain(&mut key, "/255/", 12)?;
            serial(&mut key, "", rest)?;
        }
        "cpi" => {
            let (part, rest) = rest.split_once('.')?;
            key.push(&["/8010/", company]);
            key.push_encoded(part);
            serial(&mut key, "/8011/", rest)?;
        }
        "itip" => {
            let (reference, rest) = fixed(13)?;
            let (piece, rest) = rest.split_once('.')?;
            let (total, rest) = rest.split_once('.')?;
            let two = |digits: &str| digits.len() == 2 && are_digits(digits);
            (two(piece) && two(total)).then_some(())?;
            key.push(&["/8006/"]);
            indicator_first(&mut key, reference)?;
            key.push(&[piece, total]);
            serial(&mut key, "/21/", rest)?;
        }
        _ => return None,
    }
    Some(key)
}

fn of_link(uri: &str) -> Option<Key> {
    let rest = uri.strip_prefix("https://").or_else(|| uri.strip_prefix("http://"))?;
    let rest = rest.split(['?', '#']).next()?;
    let path = rest.split_once('/')?.1;
    let mut segments = path.split('/');
    let (key, value) = loop {
        let name = segments.next()?;
        if let Some(key) = primary_key(name) {
            // A domain may have a folder of that name.
            if let Some(value) = segments.clone().next().filter(|value| is_value(key, value)) {
                segments.next();
                break (key, value);
            }
        }
    };
    let (mut lot, mut fine) = (None, None);
    while let Some(name) = segments.next().filter(|name| !name.is_empty()) {
        let value = segments.next().filter(|value| !value.is_empty())?;
        match (key, name) {
            ("01", "22" | "cpv") | ("8006", "22" | "cpv") => {}
            ("01" | "8006", "10" | "lot") => lot = Some(("10", value)),
            ("01" | "8006", "21" | "ser") => fine = Some(("21", value)),
            ("01", "235") => fine = Some(("235", value)),
            ("414", "254") if value != "0" => fine = Some(("254", value)),
            ("414", "254") => {}
            ("8010", "8011") => fine = Some(("8011", value)),
            _ => return None,
        }
    }
    let mut link = Key::begun(path.len());
    link.push(&["/", key, "/"]);
    if key == "01" {
        // A GTIN of any length as one of 14 digits.
        link.push(&[ZEROS.get(value.len()..).unwrap_or_default()]);
    }
    link.push(&[value]);
    if let Some((name, qualifier)) = fine.or(lot) {
        link.push(&["/", name, "/", qualifier]);
    }
    Some(link)
}

/// As many as a GTIN has digits.
const ZEROS: &str = "00000000000000";

fn primary_key(name: &str) -> Option<&'static str> {
    Some(match name {
        "00" | "sscc" => "00",
        "01" | "gtin" => "01",
        "253" | "gdti" => "253",
        "255" | "gcn" => "255",
        "401" | "ginc" => "401",
        "402" | "gsin" => "402",
        "414" | "gln" => "414",
        "417" | "party" => "417",
        "8003" | "grai" => "8003",
        "8004" | "giai" => "8004",
        "8006" | "itip" => "8006",
        "8010" | "cpid" => "8010",
        "8017" | "gsrnp" => "8017",
        "8018" | "gsrn" => "8018",
        _ => return None,
    })
}

/// Whether it is a value of that key.
fn is_value(key: &str, value: &str) -> bool {
    let leading = |digits: usize, more: usize| {
        let number = value.split_at_checked(digits);
        number.is_some_and(|(number, serial)| are_digits(number) && serial.len() <= more)
    };
    match key {
        "00" | "8006" | "8017" | "8018" => leading(18, 0),
        "402" => leading(17, 0),
        "414" | "417" => leading(13, 0),
        "253" => leading(13, 17),
        "255" => leading(13, 12),
        "8003" => leading(14, 16),
        "401" | "8004" | "8010" => leading(4, 26),
        _ => matches!(value.len(), 8 | 12 | 13 | 14) && are_digits(value),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_scheme() {
        let check = |uri: &str, expect: Option<&str>| {
            let key = Key::read(uri);
            assert_eq!(key.as_ref().map(Key::as_path), expect, "{uri}");
        };
        check("urn:epc:id:sgtin:4012345.011111.9876", Some("01/04012345111118/21/9876"));
        check("urn:epc:id:sgtin:0614141.812345.67(9)", Some("01/80614141123458/21/67%289%29"));
        check("urn:epc:id:sgtin:415056789012.0.98.76", Some("01/04150567890128/21/98.76"));
        check("urn:epc:id:sscc:0614141.1234567890", Some("00/106141412345678908"));
        check("urn:epc:id:sgln:4012345.00005.122", Some("414/4012345000054/254/122"));
        check("urn:epc:id:sgln:4012345.00005.0", Some("414/4012345000054"));
        check("urn:epc:id:pgln:4000001.00000", Some("417/4000001000005"));
        check("urn:epc:id:pgln:999999999999.", Some("417/9999999999994"));
        check("urn:epc:id:grai:4012345.00022.334455", Some("8003/04012345000221334455"));
        check("urn:epc:id:giai:4012345.ABC345", Some("8004/4012345ABC345"));
        check("urn:epc:id:gsrn:4012345.0000006765", Some("8018/401234500000067657"));
        check("urn:epc:id:gsrnp:4012345.0000000007", Some("8017/401234500000000074"));
        check("urn:epc:id:gdti:4012345.00009.PO-4711", Some("253/4012345000092PO-4711"));
        check("urn:epc:id:sgcn:4012345.99999.44", Some("255/401234599999044"));
        check("urn:epc:id:cpi:0614141.111-A%23.1234", Some("8010/0614141111-A%23/8011/1234"));
        check("urn:epc:id:ginc:0614141.xyz47%2F11", Some("401/0614141xyz47%2F11"));
        check("urn:epc:id:gsin:4012345.222333444", Some("402/40123452223334442"));
        check("urn:epc:id:itip:4012345.011111.01.02.987", Some("8006/040123451111180102/21/987"));
        check("urn:epc:id:upui:1234567.098765.51q*", Some("01/01234567987651/235/51q%2A"));
        check("urn:epc:class:lgtin:4012345.012345.Lot987", Some("01/04012345123456/10/Lot987"));
        check("urn:epc:idpat:sgtin:4012345.012345.*", Some("01/04012345123456"));
        check("urn:epc:idpat:itip:4012345.012345.01.02.*", Some("8006/040123451234560102"));
        check("urn:epc:idpat:cpi:4012345.AB12.*", Some("8010/4012345AB12"));
        check("urn:epc:id:sgtin:4012345.01111.9876", None);
        check("urn:epc:id:sgtin:4012345.0111x1.9876", None);
        check("urn:epc:id:sscc:4012345.31111111111", None);
        check("urn:epc:id:adi:W81X9C.3KL984PX1.2WMA52", None);
        check("urn:epc:class:sgtin:4012345.011111.9876", None);
    }

    #[test]
    fn digital_links() {
        let check = |uri: &str, expect: Option<&str>| {
            let key = Key::read(uri);
            assert_eq!(key.as_ref().map(Key::as_path), expect, "{uri}");
        };
        check("https://id.gs1.org/gtin/09780345418913", Some("01/09780345418913"));
        check("http://example.com/gtin-8/01/97803111", Some("01/00000097803111"));
        check("http://id.example.com/x/01/001122334455/ser/GHB", Some("01/00001122334455/21/GHB"));
        check("https://a.b/gtin/9780345418913/cpv/34/lot/12/ser/7", Some("01/09780345418913/21/7"));
        check("https://a.b/01/9780345418913/10/1223?11=221109", Some("01/09780345418913/10/1223"));
        check("https://a.b/sscc/340123453111111115#x", Some("00/340123453111111115"));
        check("https://a.b/414/4280000000002/254/12", Some("414/4280000000002/254/12"));
        check("https://a.b/party/4226350800008/", Some("417/4226350800008"));
        check("https://a.b/8010/0628165987/8011/9876", Some("8010/0628165987/8011/9876"));
        check("https://a.b/01/9780345418913/99/utfgf", None);
        check("https://a.b/01/97803", None);
        check("https://a.b/99/9780345418913", None);
        check("https://a.b", None);
        check("geo:47.5,11.1", None);
        check("42", None);
    }
}
