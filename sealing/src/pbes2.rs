//! A JWE under a passphrase: PBES2-HS512+A256KW (RFC 7518 section 4.8) and A256GCM. AWS-LC derives and
//! wraps.

use std::num::NonZeroU32;

use aws_lc_rs::key_wrap::{AES_256, AesKek, KeyWrap};
use aws_lc_rs::pbkdf2;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::content_key::{ContentKey, KEY_BYTES};
use crate::jwe::{Parts, complete};
use crate::{CONTENT_ENCRYPTION, KeyError, base64url, random};

const ALGORITHM: &str = "PBES2-HS512+A256KW";
const SALT_BYTES: usize = 16;
/// Of a new one: about a third of a second. OWASP wants 210,000 (2023), RFC 7518 1,000 at least.
const ROUNDS: u32 = 600_000;
/// More is no file of ours: it would hold up the process for minutes.
const MAX_ROUNDS: u32 = 20_000_000;
/// RFC 3394 adds a block of 8.
const WRAPPED_BYTES: usize = KEY_BYTES + 8;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    alg: String,
    enc: String,
    cty: String,
    p2s: String,
    p2c: u32,
}

/// Whether the text looks like one: five parts, of which the first is a JSON object.
pub(crate) fn is_jwe(text: &str) -> bool {
    text.starts_with("ey") && text.matches('.').count() == 4
}

/// Encrypts `plain`, which is of the media type `cty` (without `application/`).
pub(crate) fn seal(passphrase: &str, cty: &str, plain: Vec<u8>) -> Result<String, KeyError> {
    let (mut salt, mut key) = ([0; SALT_BYTES], Zeroizing::new([0; KEY_BYTES]));
    random::fill(&mut salt)?;
    random::fill(&mut *key)?;
    let header = Header {
        alg: ALGORITHM.to_owned(),
        enc: CONTENT_ENCRYPTION.to_owned(),
        cty: cty.to_owned(),
        p2s: base64url::encode(salt),
        p2c: ROUNDS,
    };
    let header = serde_json::to_string(&header).map_err(|e| KeyError::new(e.to_string()))?;
    let mut wrapped = [0; WRAPPED_BYTES];
    let kek = key_encryption_key(passphrase, &salt, ROUNDS)?;
    kek.wrap(&*key, &mut wrapped).map_err(|_| KeyError::new("AES key wrap failed"))?;
    complete(base64url::encode(header), &base64url::encode(wrapped), &ContentKey::new(&key), plain)
}

/// The plaintext. A wrong passphrase and a file that was changed are the same answer.
pub(crate) fn open(passphrase: &str, cty: &str, jwe: &str) -> Result<Zeroizing<Vec<u8>>, KeyError> {
    let no_jwe = |_| KeyError::new("no JWE in compact form");
    let parts = Parts::split(jwe.trim_end().as_bytes()).map_err(no_jwe)?;
    let header: Header = serde_json::from_slice(&parts.header)
        .map_err(|e| KeyError::new(format!("the JWE's header: {e}")))?;
    for (name, value, expected) in [
        ("alg", &header.alg, ALGORITHM),
        ("enc", &header.enc, CONTENT_ENCRYPTION),
        ("cty", &header.cty, cty),
    ] {
        if value != expected {
            return Err(KeyError::new(format!("the JWE's `{name}` is not {expected:?}")));
        }
    }
    if !(1_000..=MAX_ROUNDS).contains(&header.p2c) {
        return Err(KeyError::new(format!("the JWE's `p2c` is not 1000 to {MAX_ROUNDS}")));
    }
    let salt = base64url::decode(&header.p2s)
        .map_err(|e| KeyError::new(format!("the JWE's `p2s` is {e}")))?;
    let wrong = || KeyError::new("the wrong passphrase, or the file was changed");
    let key = content_key(passphrase, &salt, header.p2c, &parts.encrypted_key).ok_or_else(wrong)?;
    let encrypted = parts.content.into_encrypted().ok_or_else(wrong)?;
    encrypted.open(&ContentKey::new(&key)).map(Zeroizing::new).map_err(|_| wrong())
}

fn content_key(
    passphrase: &str,
    salt: &[u8],
    rounds: u32,
    wrapped: &[u8],
) -> Option<Zeroizing<[u8; KEY_BYTES]>> {
    if wrapped.len() != WRAPPED_BYTES {
        return None;
    }
    // The library wants room for what is wrapped.
    let mut out = Zeroizing::new([0; WRAPPED_BYTES]);
    let kek = key_encryption_key(passphrase, salt, rounds).ok()?;
    let key = kek.unwrap(wrapped, &mut *out).ok()?;
    let key: &[u8; KEY_BYTES] = (&*key).try_into().ok()?;
    Some(Zeroizing::new(*key))
}

/// RFC 7518 section 4.8.1.1: the salt has the algorithm's name and a zero byte before it.
fn key_encryption_key(passphrase: &str, salt: &[u8], rounds: u32) -> Result<AesKek, KeyError> {
    let salt = [ALGORITHM.as_bytes(), &[0], salt].concat();
    let rounds = NonZeroU32::new(rounds).ok_or_else(|| KeyError::new("no rounds of PBKDF2"))?;
    let mut key = Zeroizing::new([0; KEY_BYTES]);
    pbkdf2::derive(
        pbkdf2::PBKDF2_HMAC_SHA512,
        rounds,
        &salt,
        passphrase.as_bytes(),
        key.as_mut_slice(),
    );
    AesKek::new(&AES_256, key.as_slice()).map_err(|_| KeyError::new("AES refuses the key"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn opens_under_its_passphrase_only() {
        let jwe = seal("correct horse", "text", b"plain".to_vec()).unwrap();
        assert!(is_jwe(&jwe) && !is_jwe("AQID") && !is_jwe("{\"a\":\"b.c.d.e.f\"}"));
        assert_eq!(
            open("correct horse", "text", &format!("{jwe}\n")).unwrap().as_slice(),
            b"plain"
        );
        let why = |passphrase, cty, jwe: &str| open(passphrase, cty, jwe).unwrap_err().to_string();
        assert!(why("battery", "text", &jwe).contains("wrong passphrase"));
        assert!(why("correct horse", "jwk", &jwe).contains("`cty`"));
        let parts: Vec<&str> = jwe.split('.').collect();
        for n in [1, 2, 3, 4] {
            let mut changed: Vec<String> = parts.iter().map(|p| (*p).to_owned()).collect();
            let first = if changed[n].starts_with('A') { "B" } else { "A" };
            changed[n].replace_range(..1, first);
            assert!(
                why("correct horse", "text", &changed.join(".")).contains("was changed"),
                "{n}"
            );
        }
        // What would hold the process up is refused before it is done.
        for (rounds, refused) in [("0", true), ("999", true), ("4000000000", true)] {
            let header = String::from_utf8(base64url::decode(parts[0]).unwrap()).unwrap();
            let header = header.replace("600000", rounds);
            let jwe = [&[base64url::encode(header).as_str()], &parts[1..]].concat().join(".");
            assert_eq!(why("correct horse", "text", &jwe).contains("`p2c`"), refused, "{rounds}");
        }
    }

    /// RFC 7520 section 5.3, figures 93, 96 and 98: its content is encrypted otherwise, its key is not.
    #[test]
    fn the_key_of_rfc_7520() {
        let wrapped = "d3qNhUWfqheyPp4H8sjOWsDYajoej4c5Je6rlUtFPWdgtURtmeDV1g";
        let passphrase = "entrap_o\u{2013}peter_long\u{2013}credit_tun";
        let salt = base64url::decode("8Q1SzinasR3xchYz6ZZcHA").unwrap();
        let wrapped = base64url::decode(wrapped).unwrap();
        let key = content_key(passphrase, &salt, 8192, &wrapped).unwrap();
        assert_eq!(base64url::encode(*key), "uwsjJXaBK407Qaf0_zpcpmr1Cs0CC50hIUEyGNEt3m0");
    }
}
