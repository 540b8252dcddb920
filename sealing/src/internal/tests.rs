use super::*;
use crate::base64url;

const PLACE: &[&[u8]] = &[b"opened", b"h-1"];

fn role_key() -> RoleKey {
    InternalKey::generate().unwrap().role("opened").unwrap()
}

fn sealed(sealer: &mut Sealer, plain: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    sealer.seal(PLACE, b"", plain, &mut out).unwrap();
    out
}

#[test]
fn opens_in_its_place_only() {
    let key = role_key();
    let mut sealer = Sealer::new(&key).unwrap();
    let mut opener = Opener::new([&key]);
    for (origin, plain) in
        [(&b""[..], &b""[..]), (b"", b"x"), (b"0@7", b"x"), (&[1; 255], &[7; 5000])]
    {
        let mut value = b"others before it".to_vec();
        sealer.seal(PLACE, origin, plain, &mut value).unwrap();
        let value = value.split_off(16);
        assert_eq!(value.len(), PREFIX_BYTES + 1 + origin.len() + plain.len() + TAG_BYTES);
        assert_eq!(opener.open(PLACE, &value).as_deref(), Ok(plain));
        let mut out = b"before".to_vec();
        assert_eq!(opener.open_onto(PLACE, &value, &mut out), Ok(origin));
        assert_eq!(out, [b"before", plain].concat());
        for place in [[b"valid".as_slice(), b"h-1"], [b"opened", b"h-2"], [b"openedh", b"-1"]] {
            assert_eq!(opener.open(&place, &value), Err(OpenError::NotAuthentic));
        }
        for at in 0..value.len() {
            let mut changed = value.clone();
            changed[at] ^= 1;
            let error = opener.open(PLACE, &changed).unwrap_err();
            let is_key_id = (1..5).contains(&at);
            // The version becomes a later one.
            let is_version = at == 0;
            assert_eq!(matches!(error, OpenError::UnknownKey { .. }), is_key_id, "byte {at}");
            assert_eq!(matches!(error, OpenError::LaterVersion(_)), is_version, "byte {at}");
            let mut out = b"before".to_vec();
            assert!(opener.open_onto(PLACE, &changed, &mut out).is_err());
            assert_eq!(out, b"before");
            let cut = opener.open(PLACE, &value[..at]);
            assert_eq!(cut, Err(OpenError::NotAuthentic), "{at} bytes");
        }
    }
    let other = role_key();
    let unknown = Err(OpenError::UnknownKey { version: 2, id: key.id() });
    let value = sealed(&mut sealer, b"x");
    assert_eq!(Opener::new([&other]).open(PLACE, &value), unknown);
    assert!(Opener::new([&other, &key]).open(PLACE, &value).is_ok());
    assert_eq!(named_key(&value), Some((2, key.id())));
    assert_eq!(named_key(b"{}"), None);
}

/// One stage's keys are nothing worth in another's topics, whatever place it names.
#[test]
fn the_key_of_another_role_opens_nothing() {
    let internal = InternalKey::generate().unwrap();
    let [opened, valid] = ["opened", "valid"].map(|role| internal.role(role).unwrap());
    let value = sealed(&mut Sealer::new(&opened).unwrap(), b"x");
    let unknown = Err(OpenError::UnknownKey { version: 2, id: opened.id() });
    assert_eq!(Opener::new([&valid]).open(PLACE, &value), unknown);
    // Named by the other's id, it is what nobody of us has sealed.
    let mut renamed = value;
    renamed[1..5].copy_from_slice(&valid.id().0);
    assert_eq!(Opener::new([&valid]).open(PLACE, &renamed), Err(OpenError::NotAuthentic));
    // And the internal key itself is none of a role's.
    let mut version_1 = Opener::default().with_version_1(&internal);
    assert!(version_1.open(PLACE, &renamed).is_err());
}

#[test]
fn an_origin_is_short() {
    let mut out = b"before".to_vec();
    let mut sealer = Sealer::new(&role_key()).unwrap();
    assert_eq!(sealer.seal(PLACE, &[0; 256], b"x", &mut out), Err(InternalError));
    assert_eq!(out, b"before");
}

/// A later build's value stops its reader until that is of the later build, too; what nobody of us
/// writes does not.
#[test]
fn later_versions_are_told_from_what_is_none_of_ours() {
    let key = role_key();
    let mut value = sealed(&mut Sealer::new(&key).unwrap(), b"x");
    for (version, error) in [
        (0, OpenError::NotAuthentic),
        (1, OpenError::UnknownKey { version: 1, id: key.id() }),
        (3, OpenError::LaterVersion(3)),
        (15, OpenError::LaterVersion(15)),
        (16, OpenError::NotAuthentic),
        (b'{', OpenError::NotAuthentic),
        (0xC3, OpenError::NotAuthentic),
    ] {
        value[0] = version;
        assert_eq!(Opener::new([&key]).open(PLACE, &value), Err(error));
    }
}

#[test]
fn no_nonce_comes_twice() {
    let key = role_key();
    let mut sealer = Sealer::new(&key).unwrap();
    let first_salt = sealer.salt;
    let prefix = |value: &[u8]| value[..PREFIX_BYTES].to_vec();
    let mut seen = std::collections::HashSet::new();
    for _ in 0..1000 {
        assert!(seen.insert(prefix(&sealed(&mut sealer, b"x"))));
    }
    sealer.counter = VALUES_PER_SALT - 1;
    assert!(seen.insert(prefix(&sealed(&mut sealer, b"x"))));
    assert_eq!(sealer.salt, first_salt);
    let value = sealed(&mut sealer, b"x");
    assert!(seen.insert(prefix(&value)));
    assert_ne!(sealer.salt, first_salt, "a new salt after 2^32 values");
    assert_eq!(sealer.counter, 1);
    assert!(Opener::new([&key]).open(PLACE, &value).is_ok());
    assert_ne!(Sealer::new(&key).unwrap().salt, Sealer::new(&key).unwrap().salt);
}

#[test]
fn keeps_a_bounded_number_of_data_keys() {
    let key = role_key();
    let mut opener = Opener::new([&key]);
    for _ in 0..KEPT_DATA_KEYS + 10 {
        let value = sealed(&mut Sealer::new(&key).unwrap(), b"x");
        assert!(opener.open(PLACE, &value).is_ok());
        assert!(opener.data_keys.len() <= KEPT_DATA_KEYS);
    }
}

/// A value sealed by an earlier build must open for ever: changelogs keep them.
#[test]
fn the_formats_do_not_change() {
    let internal = InternalKey::new([7; 32]);
    let key = internal.role("opened").unwrap();
    let mut sealer = Sealer::new(&key).unwrap();
    sealer.salt = [9; SALT_BYTES];
    sealer.data_key = key.data_key(&sealer.salt).unwrap();
    sealer.counter = 258;
    let mut value = Vec::new();
    sealer.seal(PLACE, b"0@7", b"text", &mut value).unwrap();
    assert_eq!(base64url::encode(&value), GOLDEN_2);

    let mut opener = Opener::new([&key]).with_version_1(&internal);
    for (golden, origin) in [(GOLDEN_1, &b""[..]), (GOLDEN_2, b"0@7")] {
        let (value, mut plain) = (base64url::decode(golden).unwrap(), Vec::new());
        assert_eq!(opener.open_onto(PLACE, &value, &mut plain), Ok(origin));
        assert_eq!(plain, b"text");
    }
    // Without the internal key itself, version 1 is sealed.
    let value = base64url::decode(GOLDEN_1).unwrap();
    let unknown = Err(OpenError::UnknownKey { version: 1, id: internal.id() });
    assert_eq!(Opener::new([&key]).open(PLACE, &value), unknown);
}

/// Written by the build of 27 November 2026.
const GOLDEN_1: &str = "AZGJebcJCQkJCQkJCQkJCQkJCQkJAAAAAAAAAQIEQNfBVoC4owMGmoOVq0pWHJ_s9g";
/// Made by another implementation (Python's `hmac` and `cryptography`), from the table above.
const GOLDEN_2: &str = "AkAkINEJCQkJCQkJCQkJCQkJCQkJAAAAAAAAAQIDMEA3Bu84nYWkRu4slu3X1vL8YYZsIGY";
