//! JSON Web Keys (RFC 7517, RFC 7518 section 6, RFC 8037) as they stand in files. Members that are
//! not named here are ignored, as RFC 7517 section 4 wants it.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::{KeyError, base64url};

#[derive(Clone, Default, Serialize, Deserialize, Zeroize, ZeroizeOnDrop)]
pub(crate) struct Jwk {
    #[serde(default)]
    pub kty: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kid: Option<String>,
    #[serde(rename = "use", skip_serializing_if = "Option::is_none")]
    pub usage: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub alg: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub crv: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub x: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub y: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub n: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub e: Option<String>,
    /// The private part of an OKP or EC key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub d: Option<String>,
}

impl Jwk {
    pub fn parse(json: &[u8]) -> Result<Self, KeyError> {
        // serde_json's message names members, lines and columns; it could quote a value of the
        // wrong type, so the text of a private key is kept out of it.
        serde_json::from_slice(json)
            .map_err(|e| KeyError::new(format!("no JWK: line {}, column {}", e.line(), e.column())))
    }

    /// `use` and `alg` are absent, or say what the key is taken for here.
    pub fn check_purpose(&self, usage: &str, algs: &[&str]) -> Result<(), KeyError> {
        if let Some(other) = self.usage.as_deref().filter(|u| *u != usage) {
            return Err(KeyError::new(format!("`use` is {other:?}, not {usage:?}")));
        }
        if let Some(other) = self.alg.as_deref().filter(|a| !algs.contains(a)) {
            return Err(KeyError::new(format!("`alg` is {other:?}, not one of {algs:?}")));
        }
        Ok(())
    }

    /// The `kid` as given, or the key's thumbprint.
    pub fn kid_or(&self, thumbprint: impl FnOnce() -> String) -> Result<String, KeyError> {
        match self.kid.as_deref() {
            None => Ok(thumbprint()),
            Some("") => Err(KeyError::new("`kid` is empty")),
            Some(kid) => Ok(kid.to_owned()),
        }
    }

    /// Member `name` as bytes.
    pub fn bytes(&self, name: &str, text: &Option<String>) -> Result<Vec<u8>, KeyError> {
        let text = text.as_deref().ok_or_else(|| KeyError::new(format!("`{name}` is absent")))?;
        base64url::decode(text).map_err(|e| KeyError::new(format!("`{name}` is {e}")))
    }

    pub fn array<const N: usize>(
        &self,
        name: &str,
        text: &Option<String>,
    ) -> Result<[u8; N], KeyError> {
        let mut bytes = self.bytes(name, text)?;
        let array = <[u8; N]>::try_from(bytes.as_slice());
        bytes.zeroize();
        array.map_err(|_| KeyError::new(format!("`{name}` has not {N} bytes")))
    }
}

/// RFC 7638: the SHA-256 of the required members in lexical order, as base64url.
pub(crate) fn thumbprint(required: &[(&str, &str)]) -> String {
    let mut hash = Sha256::new();
    let mut open = "{";
    // The values are base64url texts and names of curves: nothing in them needs an escape.
    for (name, value) in required {
        hash.update(format!("{open}\"{name}\":\"{value}\""));
        open = ",";
    }
    hash.update("}");
    base64url::encode(hash.finalize())
}

#[cfg(test)]
mod tests {
    #[test]
    fn thumbprint_of_rfc_8037_appendix_a_3() {
        let required = [
            ("crv", "Ed25519"),
            ("kty", "OKP"),
            ("x", "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"),
        ];
        assert_eq!(super::thumbprint(&required), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
    }
}
