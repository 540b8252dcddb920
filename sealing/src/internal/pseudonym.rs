//! What stands as a record's key in place of what the record is about: HMAC-SHA256 (RFC 2104) of that,
//! under a key that HKDF derives from the role's. One thing has one pseudonym as long as the role's key is
//! the same, so that compaction and whoever counts can go by it; who has not the key can neither turn it
//! back nor try numbers out.

use std::fmt;

use aws_lc_rs::hmac;

use super::InternalError;
use super::keys::{RoleKey, derived};

/// Of 128 bits, two of 2^32 things have the same with a chance of 2^-65.
const BYTES: usize = 16;
/// As base64url, which Kafka's tools can show, and which is not what it stands for in any role.
const CHARACTERS: usize = (BYTES * 8).div_ceil(6);

/// Makes the pseudonyms of one topic role.
#[derive(Clone)]
pub struct Pseudonyms(hmac::Key);

impl fmt::Debug for Pseudonyms {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Pseudonyms")
    }
}

/// The key of a record: base64url text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Pseudonym([u8; CHARACTERS]);

impl AsRef<[u8]> for Pseudonym {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl RoleKey {
    pub fn pseudonyms(&self) -> Result<Pseudonyms, InternalError> {
        let key = derived(None, &self.0, &[b"waybill record key v1"])?;
        Ok(Pseudonyms(hmac::Key::new(hmac::HMAC_SHA256, &*key)))
    }
}

impl Pseudonyms {
    /// Of `clear`, such as a shipment's id.
    pub fn of(&self, clear: &[u8]) -> Pseudonym {
        let tag = hmac::sign(&self.0, clear);
        let bytes = tag.as_ref().first_chunk::<BYTES>().copied().unwrap_or_default();
        Pseudonym(crate::base64url::encode_array(&bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::super::InternalKey;
    use super::*;

    fn text(pseudonym: Pseudonym) -> String {
        String::from_utf8(pseudonym.0.to_vec()).unwrap()
    }

    /// Made once by another implementation (Python's `hmac`), from the RFCs' steps.
    #[test]
    fn a_pseudonym_is_hmac_under_a_key_of_the_role() {
        let key = InternalKey::new([7; 32]);
        let of = |role: &str, clear: &str| {
            text(key.role(role).unwrap().pseudonyms().unwrap().of(clear.as_bytes()))
        };
        assert_eq!(of("valid", "acme-line/MSKU1234565"), VALID);
        assert_eq!(of("events", "acme-line/MSKU1234565"), EVENTS);
        assert_eq!(of("events", ""), OF_NOTHING);
    }

    #[test]
    fn one_thing_has_one_in_a_role_and_another_in_any_other() {
        let [a, b] = [0, 1].map(|_| InternalKey::generate().unwrap());
        let of = |key: &InternalKey, role: &str, clear: &[u8]| {
            key.role(role).unwrap().pseudonyms().unwrap().of(clear)
        };
        let clear = b"acme-line/MSKU1234565";
        assert_eq!(of(&a, "events", clear), of(&a, "events", clear));
        let others = [
            of(&a, "shipments", clear),
            of(&b, "events", clear),
            of(&a, "events", b"acme-line/MSKU1234564"),
            of(&a, "events", b"acme-line/MSKU123456"),
        ];
        assert!(!others.contains(&of(&a, "events", clear)), "{others:?}");
        assert_eq!(format!("{:?}", a.role("valid").unwrap().pseudonyms().unwrap()), "Pseudonyms");
    }

    const VALID: &str = "kghmp85izoEQ61R2dvRzFw";
    const EVENTS: &str = "Q-syrncl3PI1Urep7XqIMA";
    const OF_NOTHING: &str = "E1Ku_xc8SWuc70pmj7kQvg";
}
