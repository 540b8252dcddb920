//! The keys that carriers sign with: Ed25519 (RFC 8037) and ECDSA on P-256 (RFC 7518 section 3.4).

use std::fmt;

use ed25519_dalek as ed25519;
use p256::ecdsa;
use p256::ecdsa::signature::{Signer, Verifier};
use pkcs8::{DecodePrivateKey, DecodePublicKey, EncodePrivateKey, EncodePublicKey, LineEnding};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use zeroize::Zeroizing;

use crate::jwk::{Jwk, thumbprint};
use crate::jws::Algorithm;
use crate::{KeyError, base64url, random};

/// Bytes of a signature by either kind of key (for ECDSA: R and S, RFC 7518 section 3.4).
pub const SIGNATURE_BYTES: usize = 64;

/// A carrier's public signing key with its `kid`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicSigningKey {
    kid: String,
    key: Verifying,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Verifying {
    Ed25519(ed25519::VerifyingKey),
    P256(ecdsa::VerifyingKey),
}

impl PublicSigningKey {
    /// From a JWK. Without a `kid` it gets its thumbprint (RFC 7638).
    pub fn from_jwk(json: &[u8]) -> Result<Self, KeyError> {
        Self::try_from(&Jwk::parse(json)?)
    }

    /// From SPKI PEM (`-----BEGIN PUBLIC KEY-----`); the `kid` is its thumbprint (RFC 7638).
    pub fn from_pem(pem: &str) -> Result<Self, KeyError> {
        if let Ok(key) = ed25519::VerifyingKey::from_public_key_pem(pem) {
            return Self::ed25519(key);
        }
        match p256::PublicKey::from_public_key_pem(pem) {
            Ok(key) => Ok(Self::new(Verifying::P256(key.into()))),
            Err(_) => Err(KeyError::new("no PEM of a public Ed25519 or P-256 key (SPKI)")),
        }
    }

    pub fn to_pem(&self) -> Result<String, KeyError> {
        match &self.key {
            Verifying::Ed25519(key) => key.to_public_key_pem(LineEnding::LF),
            Verifying::P256(key) => key.to_public_key_pem(LineEnding::LF),
        }
        .map_err(|e| KeyError::new(format!("cannot be written as PEM: {e}")))
    }

    fn new(key: Verifying) -> Self {
        let mut key = Self { kid: String::new(), key };
        key.kid = key.thumbprint();
        key
    }

    fn ed25519(key: ed25519::VerifyingKey) -> Result<Self, KeyError> {
        // A key of small order has signatures that fit any message.
        if key.is_weak() {
            return Err(KeyError::new("a weak Ed25519 key"));
        }
        Ok(Self::new(Verifying::Ed25519(key)))
    }

    pub fn kid(&self) -> &str {
        &self.kid
    }

    pub fn with_kid(mut self, kid: impl Into<String>) -> Self {
        self.kid = kid.into();
        self
    }

    /// RFC 7638.
    pub fn thumbprint(&self) -> String {
        let jwk = self.required_members();
        let text = |member: &Option<String>| member.clone().unwrap_or_default();
        let (crv, x, y) = (text(&jwk.crv), text(&jwk.x), text(&jwk.y));
        match &self.key {
            Verifying::Ed25519(_) => thumbprint(&[("crv", &crv), ("kty", "OKP"), ("x", &x)]),
            Verifying::P256(_) => thumbprint(&[("crv", &crv), ("kty", "EC"), ("x", &x), ("y", &y)]),
        }
    }

    fn required_members(&self) -> Jwk {
        let mut jwk = Jwk::default();
        match &self.key {
            Verifying::Ed25519(key) => {
                jwk.kty = "OKP".into();
                jwk.crv = Some("Ed25519".into());
                jwk.x = Some(base64url::encode(key.as_bytes()));
            }
            Verifying::P256(key) => {
                jwk.kty = "EC".into();
                jwk.crv = Some("P-256".into());
                let point = key.to_sec1_point(false);
                jwk.x = point.x().map(base64url::encode);
                jwk.y = point.y().map(base64url::encode);
            }
        }
        jwk
    }

    fn to_jwk(&self) -> Jwk {
        let mut jwk = self.required_members();
        jwk.kid = Some(self.kid.clone());
        jwk.usage = Some("sig".into());
        jwk.alg = Some(self.algorithm().as_str().into());
        jwk
    }

    /// The name that a signature by this key is given.
    pub fn algorithm(&self) -> Algorithm {
        match self.key {
            Verifying::Ed25519(_) => Algorithm::EdDsa,
            Verifying::P256(_) => Algorithm::Es256,
        }
    }

    /// Whether `signature` is this key's over `message`, and `algorithm` one that fits it. Both
    /// names of Ed25519 fit an Ed25519 key.
    pub fn verifies(&self, algorithm: Algorithm, message: &[u8], signature: &[u8]) -> bool {
        match (&self.key, algorithm) {
            (Verifying::Ed25519(key), Algorithm::EdDsa | Algorithm::Ed25519) => {
                ed25519::Signature::from_slice(signature)
                    .is_ok_and(|signature| key.verify_strict(message, &signature).is_ok())
            }
            (Verifying::P256(key), Algorithm::Es256) => ecdsa::Signature::from_slice(signature)
                .is_ok_and(|signature| key.verify(message, &signature).is_ok()),
            _ => false,
        }
    }
}

impl TryFrom<&Jwk> for PublicSigningKey {
    type Error = KeyError;

    fn try_from(jwk: &Jwk) -> Result<Self, KeyError> {
        if jwk.d.is_some() {
            return Err(KeyError::new("a private key (`d`) where a public one belongs"));
        }
        public_part(jwk)
    }
}

/// The public key in `jwk`, which may be a private one.
fn public_part(jwk: &Jwk) -> Result<PublicSigningKey, KeyError> {
    let key = match (jwk.kty.as_str(), jwk.crv.as_deref()) {
        ("OKP", Some("Ed25519")) => {
            jwk.check_purpose("sig", &["EdDSA", "Ed25519"])?;
            let key = ed25519::VerifyingKey::from_bytes(&jwk.array("x", &jwk.x)?)
                .map_err(|_| KeyError::new("`x` is no Ed25519 key"))?;
            PublicSigningKey::ed25519(key)?
        }
        ("EC", Some("P-256")) => {
            jwk.check_purpose("sig", &["ES256"])?;
            let mut point = vec![0x04];
            point.extend_from_slice(&jwk.array::<32>("x", &jwk.x)?);
            point.extend_from_slice(&jwk.array::<32>("y", &jwk.y)?);
            let key = ecdsa::VerifyingKey::from_sec1_bytes(&point)
                .map_err(|_| KeyError::new("`x`, `y` are no point on P-256"))?;
            PublicSigningKey::new(Verifying::P256(key))
        }
        (kty, crv) => {
            return Err(KeyError::new(format!(
                "`kty` {kty:?} with `crv` {:?} is no Ed25519 or P-256 key",
                crv.unwrap_or_default()
            )));
        }
    };
    let kid = jwk.kid_or(|| key.thumbprint())?;
    Ok(key.with_kid(kid))
}

/// As a JWK with `kid`, `use` and `alg`.
impl Serialize for PublicSigningKey {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.to_jwk().serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for PublicSigningKey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::try_from(&Jwk::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}

/// A carrier's private signing key with its `kid`. Zeroized when dropped.
pub struct PrivateSigningKey {
    public: PublicSigningKey,
    key: Signing,
}

enum Signing {
    Ed25519(Box<ed25519::SigningKey>),
    P256(Box<ecdsa::SigningKey>),
}

impl fmt::Debug for PrivateSigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PrivateSigningKey").field("kid", &self.public.kid).finish_non_exhaustive()
    }
}

impl PrivateSigningKey {
    /// A new key for `algorithm`; its `kid` is its thumbprint.
    pub fn generate(algorithm: Algorithm) -> Result<Self, KeyError> {
        loop {
            let mut secret = Zeroizing::new([0; 32]);
            random::fill(&mut *secret)?;
            match algorithm {
                Algorithm::EdDsa | Algorithm::Ed25519 => {
                    return Self::ed25519(ed25519::SigningKey::from_bytes(&secret));
                }
                // One in 2^32 texts of 32 bytes is no scalar of P-256.
                Algorithm::Es256 => {
                    if let Ok(key) = ecdsa::SigningKey::from_slice(&*secret) {
                        return Ok(Self::p256(key));
                    }
                }
            }
        }
    }

    /// From PKCS#8 PEM (`-----BEGIN PRIVATE KEY-----`) or, with a passphrase, from encrypted
    /// PKCS#8; the `kid` is the thumbprint.
    pub fn from_pem(pem: &str, passphrase: Option<&str>) -> Result<Self, KeyError> {
        let ed25519: Result<ed25519::SigningKey, _> = read_pem(pem, passphrase);
        if let Ok(key) = ed25519 {
            return Self::ed25519(key);
        }
        let p256: Result<p256::SecretKey, _> = read_pem(pem, passphrase);
        match p256 {
            Ok(key) => Ok(Self::p256(key.into())),
            Err(_) if passphrase.is_none() && pem.contains("ENCRYPTED PRIVATE KEY") => {
                Err(KeyError::new("the PEM is encrypted: a passphrase is needed"))
            }
            Err(_) => Err(KeyError::new(
                "no PEM of a private Ed25519 or P-256 key (PKCS#8), or the wrong passphrase",
            )),
        }
    }

    /// From a private JWK (RFC 8037 section 2, RFC 7518 section 6.2.2).
    pub fn from_jwk(json: &[u8]) -> Result<Self, KeyError> {
        let jwk = Jwk::parse(json)?;
        let public = public_part(&jwk)?;
        let secret = Zeroizing::new(jwk.array::<32>("d", &jwk.d)?);
        let key = match public.key {
            Verifying::Ed25519(_) => Self::ed25519(ed25519::SigningKey::from_bytes(&secret))?,
            Verifying::P256(_) => Self::p256(
                ecdsa::SigningKey::from_slice(&*secret)
                    .map_err(|_| KeyError::new("`d` is no private key of P-256"))?,
            ),
        };
        if key.public.key != public.key {
            return Err(KeyError::new("`d` is not the private key of the public one beside it"));
        }
        Ok(key.with_kid(public.kid))
    }

    /// As PKCS#8 PEM, encrypted (PBES2 with scrypt) under the passphrase if there is one.
    pub fn to_pem(&self, passphrase: Option<&str>) -> Result<Zeroizing<String>, KeyError> {
        match &self.key {
            Signing::Ed25519(key) => write_pem(&**key, passphrase),
            Signing::P256(key) => write_pem(&p256::SecretKey::from(&**key), passphrase),
        }
    }

    fn ed25519(key: ed25519::SigningKey) -> Result<Self, KeyError> {
        let public = PublicSigningKey::ed25519(key.verifying_key())?;
        Ok(Self { public, key: Signing::Ed25519(Box::new(key)) })
    }

    fn p256(key: ecdsa::SigningKey) -> Self {
        let public = PublicSigningKey::new(Verifying::P256(*key.verifying_key()));
        Self { public, key: Signing::P256(Box::new(key)) }
    }

    pub fn with_kid(mut self, kid: impl Into<String>) -> Self {
        self.public.kid = kid.into();
        self
    }

    pub fn public(&self) -> &PublicSigningKey {
        &self.public
    }

    /// The signature over `message`, as it stands in a JWS (RFC 8037 section 3.1, RFC 7518
    /// section 3.4).
    pub fn sign(&self, message: &[u8]) -> Result<[u8; SIGNATURE_BYTES], KeyError> {
        match &self.key {
            Signing::Ed25519(key) => Ok(key.sign(message).to_bytes()),
            Signing::P256(key) => {
                let signature: ecdsa::Signature =
                    key.try_sign(message).map_err(|_| KeyError::new("ECDSA could not sign"))?;
                Ok(signature.to_bytes().into())
            }
        }
    }
}

pub(crate) fn read_pem<K: DecodePrivateKey>(
    pem: &str,
    passphrase: Option<&str>,
) -> Result<K, pkcs8::Error> {
    match passphrase {
        Some(passphrase) if pem.contains("ENCRYPTED PRIVATE KEY") => {
            K::from_pkcs8_encrypted_pem(pem, passphrase)
        }
        _ => K::from_pkcs8_pem(pem),
    }
}

pub(crate) fn write_pem<K: EncodePrivateKey>(
    key: &K,
    passphrase: Option<&str>,
) -> Result<Zeroizing<String>, KeyError> {
    match passphrase {
        Some(passphrase) => key.to_pkcs8_encrypted_pem(passphrase, LineEnding::LF),
        None => key.to_pkcs8_pem(LineEnding::LF),
    }
    .map_err(|e| KeyError::new(format!("cannot be written as PEM: {e}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn both() -> [PrivateSigningKey; 2] {
        [Algorithm::EdDsa, Algorithm::Es256].map(|a| PrivateSigningKey::generate(a).unwrap())
    }

    #[test]
    fn written_and_read_again() {
        for key in both() {
            let public = key.public();
            assert_eq!(public.kid(), public.thumbprint());
            let jwk = serde_json::to_vec(public).unwrap();
            assert_eq!(&PublicSigningKey::from_jwk(&jwk).unwrap(), public);
            assert_eq!(&PublicSigningKey::from_pem(&public.to_pem().unwrap()).unwrap(), public);
            for passphrase in [None, Some("a test passphrase")] {
                let pem = key.to_pem(passphrase).unwrap();
                let read = PrivateSigningKey::from_pem(&pem, passphrase).unwrap();
                assert_eq!(read.public(), public);
                assert_eq!(pem.contains("ENCRYPTED"), passphrase.is_some());
                assert!(passphrase.is_none() || PrivateSigningKey::from_pem(&pem, None).is_err());
                assert!(PublicSigningKey::from_pem(&pem).is_err());
            }
            let text = format!("{key:?}");
            assert!(text.contains(public.kid()) && !text.contains("key:"), "{text}");
        }
    }

    #[test]
    fn private_jwk() {
        // RFC 8037 appendix A.1.
        let jwk = br#"{"kty":"OKP","crv":"Ed25519","kid":"k",
            "d":"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A",
            "x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;
        let key = PrivateSigningKey::from_jwk(jwk).unwrap();
        assert_eq!(key.public().kid(), "k");
        assert!(PublicSigningKey::from_jwk(jwk).unwrap_err().to_string().contains("private key"));
        let other = String::from_utf8(jwk.to_vec()).unwrap().replace("nWGx", "nWGy");
        assert!(PrivateSigningKey::from_jwk(other.as_bytes()).is_err());
    }

    #[test]
    fn refused_jwks() {
        let x = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";
        let zero = base64url::encode([0; 32]);
        for (members, expected) in [
            (String::new(), "no Ed25519 or P-256"),
            (r#""kty":"oct","k":"AA""#.into(), "no Ed25519 or P-256"),
            (r#""kty":"OKP","crv":"Ed448""#.into(), "no Ed25519 or P-256"),
            (r#""kty":"EC","crv":"P-521""#.into(), "no Ed25519 or P-256"),
            (r#""kty":"OKP","crv":"Ed25519""#.into(), "`x` is absent"),
            (r#""kty":"OKP","crv":"Ed25519","x":"AA==""#.into(), "`x` is not base64url"),
            (r#""kty":"OKP","crv":"Ed25519","x":"AA""#.into(), "`x` has not 32 bytes"),
            (format!(r#""kty":"OKP","crv":"Ed25519","x":"{x}","alg":"ES256""#), "`alg`"),
            (format!(r#""kty":"OKP","crv":"Ed25519","x":"{x}","use":"enc""#), "`use`"),
            (format!(r#""kty":"OKP","crv":"Ed25519","x":"{x}","kid":"""#), "`kid` is empty"),
            (format!(r#""kty":"OKP","crv":"Ed25519","x":"{zero}""#), "weak"),
            (format!(r#""kty":"EC","crv":"P-256","x":"{x}","y":"{x}""#), "no point"),
        ] {
            let error = PublicSigningKey::from_jwk(format!("{{{members}}}").as_bytes());
            let error = error.unwrap_err().to_string();
            assert!(error.contains(expected), "{members}: {error}");
        }
    }

    #[test]
    fn an_algorithm_must_fit_its_key() {
        let [ed25519, p256] = both();
        for (key, algorithm, fits) in [
            (&ed25519, Algorithm::EdDsa, true),
            (&ed25519, Algorithm::Ed25519, true),
            (&ed25519, Algorithm::Es256, false),
            (&p256, Algorithm::Es256, true),
            (&p256, Algorithm::EdDsa, false),
        ] {
            let mut signature = key.sign(b"message").unwrap();
            assert_eq!(key.public().verifies(algorithm, b"message", &signature), fits);
            assert!(!key.public().verifies(algorithm, b"massage", &signature));
            assert!(!key.public().verifies(algorithm, b"message", &signature[..63]));
            signature[5] ^= 1;
            assert!(!key.public().verifies(algorithm, b"message", &signature));
        }
    }
}
