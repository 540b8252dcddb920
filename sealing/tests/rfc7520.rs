//! The JOSE cookbook's vectors (RFC 7520, RFC 8037) that use what the sealed event uses. They lie
//! beside the repository.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::path::PathBuf;

use serde_json::Value;
use waybill_sealing::content_key::ContentKey;
use waybill_sealing::jws::{self, Algorithm};
use waybill_sealing::rsa_key::RsaPublicKey;
use waybill_sealing::signing_key::{PrivateSigningKey, PublicSigningKey};
use waybill_sealing::{base64url, jwe};

fn vector(path: &str) -> Option<Value> {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared/data/crypto/rfc7520");
    if !root.exists() {
        println!("skipped: {}: ../shared is absent", std::thread::current().name().unwrap_or("?"));
        return None;
    }
    Some(serde_json::from_slice(&std::fs::read(root.join(path)).unwrap()).unwrap())
}

#[test]
fn content_encryption_5_2() {
    let path = "jwe/5_2.key_encryption_using_rsa-oaep_with_aes-gcm.json";
    let Some(vector) = vector(path) else { return };
    let cek: [u8; 32] =
        base64url::decode_array(vector["generated"]["cek"].as_str().unwrap()).unwrap();
    let compact = vector["output"]["compact"].as_str().unwrap();
    let parts = jwe::Parts::split(compact.as_bytes()).unwrap();
    let header: Value = serde_json::from_slice(&parts.header).unwrap();
    assert_eq!(header, vector["encrypting_content"]["protected"]);
    let plaintext = parts.content.into_encrypted().unwrap().open(&ContentKey::new(&cek)).unwrap();
    assert_eq!(plaintext, vector["input"]["plaintext"].as_str().unwrap().as_bytes());
}

#[test]
fn ed25519_signature() {
    let Some(vector) = vector("curve25519/jws.json") else { return };
    let jwk = vector["input"]["key"].to_string();
    let key = PrivateSigningKey::from_jwk(jwk.as_bytes()).unwrap();
    let parts = jws::Parts::split(vector["output"]["compact"].as_str().unwrap()).unwrap();
    assert_eq!(parts.payload, vector["input"]["payload"].as_str().unwrap().as_bytes());
    assert!(parts.is_signed_by(key.public(), Algorithm::EdDsa));
    assert!(parts.is_signed_by(key.public(), Algorithm::Ed25519));
    // As it stands it is no JWS of ours: it has no `kid`.
    assert_eq!(parts.header().unwrap_err(), jws::JwsError::Form("kid"));
}

#[test]
fn other_algorithms_are_refused() {
    for path in [
        "jws/4_1.rsa_v15_signature.json",
        "jws/4_2.rsa-pss_signature.json",
        "jws/4_3.ecdsa_signature.json",
        "jws/4_4.hmac-sha2_integrity_protection.json",
    ] {
        let Some(vector) = vector(path) else { return };
        let parts = jws::Parts::split(vector["output"]["compact"].as_str().unwrap()).unwrap();
        assert_eq!(parts.header().unwrap_err(), jws::JwsError::Algorithm, "{path}");
    }
}

#[test]
fn keys_of_another_kind_are_refused() {
    for (path, expected) in [
        ("jwk/3_1.ec_public_key.json", "P-521"),
        ("jwk/3_2.ec_private_key.json", "private key"),
        ("jwk/3_5.symmetric_key_mac_computation.json", "oct"),
    ] {
        let Some(vector) = vector(path) else { return };
        let error = PublicSigningKey::from_jwk(vector.to_string().as_bytes()).unwrap_err();
        assert!(error.to_string().contains(expected), "{path}: {error}");
    }
    // A key for signatures, where one for encryption is asked.
    let Some(mut key) = vector("jwk/3_3.rsa_public_key.json") else { return };
    assert!(RsaPublicKey::from_jwk(key.to_string().as_bytes()).is_err());
    key.as_object_mut().unwrap().remove("use");
    let rsa = RsaPublicKey::from_jwk(key.to_string().as_bytes()).unwrap();
    assert_eq!((rsa.kid(), rsa.modulus_bits()), ("bilbo.baggins@hobbiton.example", 2048));
}
