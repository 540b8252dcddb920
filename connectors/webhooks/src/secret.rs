//! What deliveries are signed with. An endpoint's secret is derived from the platform's own, the endpoint's id and a
//! version: so the registry holds none, and whoever has the platform's file can tell every endpoint's.

use std::fmt;

use aws_lc_rs::hmac;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hkdf::Hkdf;
use sha2::Sha256;
use waybill_sealing::base64url;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

const BYTES: usize = 32;
/// How every secret begins: Standard Webhooks, "Symmetric signatures".
const PREFIX: &str = "whsec_";
/// What the scheme allows.
const LENGTHS: std::ops::RangeInclusive<usize> = 24..=64;

/// All endpoints' secrets come from it.
#[derive(Zeroize, ZeroizeOnDrop)]
pub struct PlatformSecret([u8; BYTES]);

impl fmt::Debug for PlatformSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PlatformSecret")
    }
}

impl PlatformSecret {
    pub fn generate() -> Result<Self, String> {
        let mut secret = Self([0; BYTES]);
        waybill_sealing::fill_random(&mut secret.0).map_err(|e| e.to_string())?;
        Ok(secret)
    }

    /// From base64url; white space around it is no part.
    pub fn from_text(text: &str) -> Result<Self, String> {
        let bytes = base64url::decode(text.trim()).map(Zeroizing::new);
        let bytes = bytes.map_err(|e| format!("no base64url: {e}"))?;
        let bytes = <[u8; BYTES]>::try_from(bytes.as_slice());
        bytes.map(Self).map_err(|_| format!("not {BYTES} bytes"))
    }

    /// base64url.
    pub fn to_text(&self) -> Zeroizing<String> {
        Zeroizing::new(base64url::encode(self.0))
    }

    /// The secret of an endpoint in that version.
    pub fn of(&self, endpoint_id: &str, version: u32) -> Secret {
        let version = version.to_be_bytes();
        let info: [&[u8]; 3] = [b"waybill webhook secret v1", &version, endpoint_id.as_bytes()];
        let mut secret = vec![0; BYTES];
        // HKDF gives up to 255 times as many bytes as a hash has.
        let made = Hkdf::<Sha256>::new(None, &self.0).expand_multi_info(&info, &mut secret);
        debug_assert!(made.is_ok());
        Secret(secret)
    }
}

/// Of one endpoint.
#[derive(Zeroize, ZeroizeOnDrop)]
pub struct Secret(Vec<u8>);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}

impl Secret {
    /// From `whsec_` and base64.
    pub fn from_text(text: &str) -> Result<Self, String> {
        let encoded = text.strip_prefix(PREFIX).ok_or_else(|| format!("no {PREFIX}"))?;
        let bytes = STANDARD.decode(encoded).map_err(|e| e.to_string())?;
        match LENGTHS.contains(&bytes.len()) {
            true => Ok(Self(bytes)),
            false => Err(format!("{} bytes, and not {LENGTHS:?}", bytes.len())),
        }
    }

    /// As its holder is shown it.
    pub fn to_text(&self) -> Zeroizing<String> {
        Zeroizing::new(format!("{PREFIX}{}", STANDARD.encode(&self.0)))
    }

    /// `v1,` and the base64 of the HMAC-SHA256 of id, time (seconds since 1970) and body, with dots between.
    pub fn sign(&self, id: &str, timestamp: i64, body: &[u8]) -> String {
        let key = hmac::Key::new(hmac::HMAC_SHA256, &self.0);
        let mut context = hmac::Context::with_key(&key);
        for part in [id.as_bytes(), b".", timestamp.to_string().as_bytes(), b".", body] {
            context.update(part);
        }
        format!("v1,{}", STANDARD.encode(context.sign()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of the Standard Webhooks libraries' own tests (`test_sign_function`, and Svix's documentation).
    #[test]
    fn signatures_are_those_of_the_scheme() {
        for (secret, id, timestamp, body, expected) in [
            (
                "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
                "msg_p5jXN8AQM9LWM0D4loKWxJek",
                1_614_265_330,
                r#"{"test": 2432232314}"#,
                "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
            ),
            (
                "plJ3nmyCDGBKInavdOK15jsl",
                "msg_loFOjxBNrRLzqYUf",
                1_731_705_121,
                r#"{"event_type":"ping","data":{"success":true}}"#,
                "v1,rAvfW3dJ/X/qxhsaXPOyyCGmRKsaKWcsNccKXlIktD0=",
            ),
        ] {
            // The second is shorter than a secret should be.
            let secret = Secret(STANDARD.decode(secret).unwrap());
            assert_eq!(secret.sign(id, timestamp, body.as_bytes()), expected);
        }
    }

    #[test]
    fn an_endpoint_s_secret_is_its_own_and_its_version_s() {
        let platform = PlatformSecret([7; BYTES]);
        let text = |id: &str, version| platform.of(id, version).to_text().to_string();
        let all = [text("wh_a", 1), text("wh_a", 2), text("wh_b", 1)];
        let different: std::collections::BTreeSet<_> = all.iter().collect();
        assert_eq!(different.len(), all.len());
        for secret in &all {
            assert_eq!(*Secret::from_text(secret).unwrap().to_text(), *secret);
        }
        // It must stay what it is: carriers have been shown it. Made by another implementation (Python's hmac).
        assert_eq!(all[0], FIRST);
        let again = PlatformSecret::from_text(&format!("{}\n", &*platform.to_text())).unwrap();
        assert_eq!(*again.of("wh_a", 1).to_text(), all[0]);
        let shown = format!("{platform:?} {:?}", platform.of("wh_a", 1));
        assert_eq!(shown, "PlatformSecret Secret");
    }

    const FIRST: &str = "whsec_Anr80Tv0JrrIz97kzte0b1EQJp1NjlM8r/JinNLNpqs=";

    #[test]
    fn what_is_no_secret_is_refused() {
        for wrong in ["", "whsec_", "whsec_AAAA", "whsec_!", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"] {
            assert!(Secret::from_text(wrong).is_err(), "{wrong}");
        }
        let long = format!("whsec_{}", STANDARD.encode([1; 65]));
        assert!(Secret::from_text(&long).is_err());
        for wrong in ["", "AAAA", "not base64!"] {
            assert!(PlatformSecret::from_text(wrong).is_err(), "{wrong}");
        }
    }
}
