//! Project Wycheproof's vectors, through the functions that the sealed event is opened with.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use waybill_sealing::content_key::ContentKey;
use waybill_sealing::jws::Algorithm;
use waybill_sealing::platform_key::{KeyState, PlatformKey};
use waybill_sealing::signing_key::PublicSigningKey;
use wycheproof::TestResult;

#[test]
fn rsa_oaep_256() {
    use wycheproof::rsa_oaep::{TestName, TestSet};
    let (mut keys, mut refused) = (0, 0);
    for name in [
        TestName::Rsa2048Sha256Mgf1Sha256,
        TestName::Rsa3072Sha256Mgf1Sha256,
        TestName::Rsa4096Sha256Mgf1Sha256,
    ] {
        for group in TestSet::load(name).unwrap().test_groups {
            let platform = PlatformKey::from_pem("p", KeyState::Active, &group.pem, None).unwrap();
            for test in group.tests {
                // A content key has 32 bytes and no label: anything else must be refused, too.
                let content_key = <[u8; 32]>::try_from(test.pt.as_ref())
                    .ok()
                    .filter(|_| test.result != TestResult::Invalid && test.label.is_empty());
                match (platform.unwrap(&test.ct), content_key) {
                    (Ok(unwrapped), Some(expected)) => {
                        keys += 1;
                        assert!(
                            same_key(&unwrapped, &ContentKey::new(&expected)),
                            "{name:?} {}",
                            test.tc_id
                        );
                    }
                    (Err(_), None) => refused += 1,
                    (result, _) => panic!("{name:?} {} {:?}: {result:?}", test.tc_id, test.comment),
                }
            }
        }
    }
    println!("{keys} content keys, {refused} refused");
    assert!(keys >= 3 && refused >= 50);
}

fn same_key(a: &ContentKey, b: &ContentKey) -> bool {
    let mut buffer = *b"text";
    let tag = a.encrypt(&[0; 12], b"", &mut buffer).unwrap();
    b.decrypt(&[0; 12], b"", &mut buffer, &tag).is_ok()
}

#[test]
fn a256gcm() {
    use wycheproof::aead::{TestName, TestSet};
    let (mut valid, mut invalid) = (0, 0);
    let groups = TestSet::load(TestName::AesGcm).unwrap().test_groups;
    let ours = |sizes| sizes == (256, 96, 128);
    for group in groups.iter().filter(|g| ours((g.key_size, g.nonce_size, g.tag_size))) {
        for test in &group.tests {
            let key = ContentKey::new(test.key.as_ref().try_into().unwrap());
            let iv = test.nonce.as_ref().try_into().unwrap();
            let tag: [u8; 16] = test.tag.as_ref().try_into().unwrap();
            let mut buffer = test.ct.to_vec();
            let opened = key.decrypt(iv, &test.aad, &mut buffer, &tag);
            if test.result == TestResult::Invalid {
                invalid += 1;
                assert!(opened.is_err(), "{}", test.tc_id);
                assert_eq!(buffer, test.ct.as_ref(), "{}: untouched", test.tc_id);
            } else {
                valid += 1;
                assert!(opened.is_ok(), "{}", test.tc_id);
                assert_eq!(buffer, test.pt.as_ref(), "{}", test.tc_id);
                assert_eq!(key.encrypt(iv, &test.aad, &mut buffer), Ok(tag), "{}", test.tc_id);
                assert_eq!(buffer, test.ct.as_ref(), "{}", test.tc_id);
            }
        }
    }
    println!("{valid} valid, {invalid} invalid");
    assert!(valid >= 30 && invalid >= 15);
}

#[test]
fn ed25519() {
    use wycheproof::eddsa::{TestName, TestSet};
    let mut count = 0;
    for group in TestSet::load(TestName::Ed25519).unwrap().test_groups {
        let key = PublicSigningKey::from_pem(&group.pem).unwrap();
        for test in group.tests {
            count += 1;
            let verifies = key.verifies(Algorithm::Ed25519, &test.msg, &test.sig);
            assert_eq!(
                verifies,
                test.result == TestResult::Valid,
                "{} {}",
                test.tc_id,
                test.comment
            );
        }
    }
    assert!(count >= 100, "{count}");
}

#[test]
fn es256() {
    use wycheproof::ecdsa::{TestName, TestSet};
    let mut count = 0;
    for group in TestSet::load(TestName::EcdsaSecp256r1Sha256P1363).unwrap().test_groups {
        let key = PublicSigningKey::from_pem(&group.pem).unwrap();
        for test in group.tests {
            count += 1;
            let verifies = key.verifies(Algorithm::Es256, &test.msg, &test.sig);
            assert_eq!(
                verifies,
                test.result != TestResult::Invalid,
                "{} {}",
                test.tc_id,
                test.comment
            );
        }
    }
    assert!(count >= 200, "{count}");
}
