//! The sealed event, version 1, as bytes: JWE (RFC 7516), JWS (RFC 7515), JWK (RFC 7517) and the
//! two proofs of who sent it. No I/O, no clock, no async: times come in as parameters, bytes go
//! out.
//!
//! | for | see |
//! |---|---|
//! | a carrier, which seals | [`seal::Sealer`] |
//! | the platform, which opens | [`jwe::Parts`], [`header::Header`], [`grant::Grant`], [`signed::Signed`], [`platform_key::PlatformKeys`] |
//! | keys as files | [`signing_key`], [`rsa_key`], [`platform_key`], [`file_key`] |
//! | values on internal topics | [`internal`] |
//!
//! Which check answers with which code is no business of this crate: that is `waybill-decrypt`.

pub mod base64url;
pub mod content_key;
pub mod file_key;
pub mod forms;
pub mod grant;
pub mod header;
pub mod internal;
pub mod jwe;
mod jwk;
pub mod jws;
mod key_error;
mod pbes2;
pub mod platform_key;
pub mod published;
mod random;
pub mod rsa_key;
pub mod seal;
pub mod signed;
pub mod signing_key;
pub mod strict_json;

pub use key_error::KeyError;
pub use random::{RandomError, fill as fill_random};

/// A sealed event is at most this long, bytes.
pub const MAX_SEALED: usize = 900_000;

/// `alg` of the JWE: RFC 7518 section 4.3.
pub const KEY_WRAPPING: &str = "RSA-OAEP-256";
/// `enc` of the JWE: RFC 7518 section 5.3.
pub const CONTENT_ENCRYPTION: &str = "A256GCM";
/// `typ` of the JWE. A later version has another.
pub const EVENT_TYPE: &str = "waybill+jwe";
/// `typ` of a grant.
pub const GRANT_TYPE: &str = "waybill-grant+jwt";
/// `cty` of a JWE whose payload is a JWS.
pub const SIGNED_CONTENT: &str = "application/jose";
