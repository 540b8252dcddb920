//! For tests: what looks like a sealed event to whoever has no key.

use waybill_sealing::base64url;

/// Sealed at 1763990400.125.
pub fn sealed(handle: &str, message_id: &str) -> String {
    sealed_at(handle, message_id, 1_763_990_400_125)
}

pub fn sealed_at(handle: &str, message_id: &str, at_ms: i64) -> String {
    let header = format!(
        r#"{{"alg":"RSA-OAEP-256","enc":"A256GCM","kid":"p1","typ":"waybill+jwe","cty":"application/json","iss":"acme","aud":"waybill:test","sub":"{handle}","iat":{},"jti":"{message_id}"}}"#,
        at_ms as f64 / 1_000.0
    );
    let part = |bytes: &[u8]| base64url::encode(bytes);
    let (key, iv, tag) = (part(&[1; 256]), part(&[2; 12]), part(&[3; 16]));
    format!("{}.{key}.{iv}.{}.{tag}", part(header.as_bytes()), part(b"content"))
}
