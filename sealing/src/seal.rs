//! What a carrier uses: it seals events, with either proof.

use std::sync::Arc;

use strum::{Display, EnumString};

use crate::content_key::ContentKey;
use crate::jws::json_text;
use crate::rsa_key::RsaPublicKey;
use crate::signed::{self, Repeated};
use crate::signing_key::PrivateSigningKey;
use crate::strict_json::MAX_BYTES;
use crate::{
    CONTENT_ENCRYPTION, EVENT_TYPE, KEY_WRAPPING, KeyError, MAX_SEALED, SIGNED_CONTENT, base64url,
    forms, grant, jwe,
};

/// A content key is used for at most this long: a carrier's own duty.
pub const MAX_CONTENT_KEY_LIFE_MS: i64 = 3_600_000;
/// And for at most this many messages, since its IVs are random.
pub const MAX_CONTENT_KEY_MESSAGES: u32 = 1 << 20;
/// A clock that was set back by more than this gets a new content key: its grant must not begin
/// later than the events under it (the platform tolerates 60 s).
const CLOCK_TOLERANCE_MS: i64 = 30_000;

/// Which proof of who sent it an event carries (sealed-event.md).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Display, EnumString)]
#[strum(serialize_all = "snake_case")]
pub enum Proof {
    /// One signature and one key wrap for many events.
    #[default]
    Granted,
    /// A signature and a key wrap for each event.
    Signed,
}

#[derive(Debug)]
pub struct SealerConfig {
    /// The carrier's id, as registered.
    pub issuer: String,
    /// The deployment, for example `waybill:prod`.
    pub audience: String,
    pub platform_key: RsaPublicKey,
    pub signing_key: Arc<PrivateSigningKey>,
    pub proof: Proof,
    /// A granted content key is renewed at this age, ms; 1 to [`MAX_CONTENT_KEY_LIFE_MS`].
    pub content_key_life_ms: i64,
}

/// One event, or one message with several.
#[derive(Clone, Copy, Debug)]
pub struct Message<'a> {
    /// The shipment handle: 1 to 256 bytes of UTF-8 without control characters. Also the record's
    /// key on Kafka.
    pub subject: &'a str,
    /// 1 to 64 characters of `[A-Za-z0-9._:-]`, unique for this carrier.
    pub message_id: &'a str,
    pub media_type: &'a str,
    /// At least one byte.
    pub payload: &'a [u8],
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// What is named here is empty or not of its form.
    #[error("{0} is empty or not of its form")]
    Form(&'static str),
    /// The sealed event would have this many bytes, more than [`MAX_SEALED`].
    #[error("the sealed event has {0} bytes, more than {MAX_SEALED}")]
    TooLarge(usize),
    /// The header would be longer than 16 KiB.
    #[error("the header is longer than 16 KiB")]
    HeaderTooLarge,
    #[error(transparent)]
    Key(#[from] KeyError),
}

impl From<crate::RandomError> for SealError {
    fn from(error: crate::RandomError) -> Self {
        Self::Key(error.into())
    }
}

/// Seals a carrier's events. One for each thread: it counts what it seals.
#[derive(Debug)]
pub struct Sealer {
    config: SealerConfig,
    granted: Option<Box<Granted>>,
    /// The constant part of a header as base64url, and what it was made for.
    prefix: Prefix,
}

/// A content key with its grant.
#[derive(Debug)]
struct Granted {
    key: ContentKey,
    encrypted_key_text: String,
    grant: String,
    made_at_ms: i64,
    messages: u32,
}

#[derive(Debug, Default)]
struct Prefix {
    media_type: String,
    /// base64url of whole groups of three bytes, so that more can be appended.
    text: String,
}

impl Sealer {
    pub fn new(config: SealerConfig) -> Result<Self, SealError> {
        for (text, name) in [(&config.issuer, "issuer"), (&config.audience, "audience")] {
            if text.is_empty() {
                return Err(SealError::Form(name));
            }
        }
        if !(1..=MAX_CONTENT_KEY_LIFE_MS).contains(&config.content_key_life_ms) {
            return Err(SealError::Form("the content key's life"));
        }
        Ok(Self { config, granted: None, prefix: Prefix::default() })
    }

    /// The sealed event: a JWE in Compact Serialization, the value of a record whose key is the
    /// message's subject. `now_ms` (UTC) becomes its `iat`.
    pub fn seal(&mut self, now_ms: i64, message: &Message<'_>) -> Result<String, SealError> {
        if !forms::is_subject(message.subject) {
            return Err(SealError::Form("the subject"));
        }
        if !forms::is_message_id(message.message_id) {
            return Err(SealError::Form("the message id"));
        }
        if !forms::is_payload_type(message.media_type) {
            return Err(SealError::Form("the media type"));
        }
        if message.payload.is_empty() {
            return Err(SealError::Form("the payload"));
        }
        let sealed = match self.config.proof {
            Proof::Granted => self.seal_granted(now_ms, message)?,
            Proof::Signed => self.seal_signed(now_ms, message)?,
        };
        if sealed.len() > MAX_SEALED {
            return Err(SealError::TooLarge(sealed.len()));
        }
        Ok(sealed)
    }

    fn seal_granted(&mut self, now_ms: i64, message: &Message<'_>) -> Result<String, SealError> {
        let life_ms = self.config.content_key_life_ms;
        let granted = match self.granted.take().filter(|granted| granted.is_usable(now_ms, life_ms))
        {
            Some(granted) => self.granted.insert(granted),
            None => {
                self.prefix = Prefix::default();
                self.granted.insert(Box::new(Granted::new(&self.config, now_ms)?))
            }
        };
        if self.prefix.media_type != message.media_type {
            self.prefix = Prefix::new(&self.config, message.media_type, Some(&granted.grant));
        }
        granted.messages += 1;
        let header = self.prefix.header(now_ms, message)?;
        Ok(jwe::complete(
            header,
            &granted.encrypted_key_text,
            &granted.key,
            message.payload.to_vec(),
        )?)
    }

    fn seal_signed(&mut self, now_ms: i64, message: &Message<'_>) -> Result<String, SealError> {
        if self.prefix.text.is_empty() {
            self.prefix = Prefix::new(&self.config, SIGNED_CONTENT, None);
        }
        let repeated = Repeated {
            iss: &self.config.issuer,
            aud: &self.config.audience,
            sub: message.subject,
            jti: message.message_id,
            iat: forms::to_numeric_date(now_ms),
        };
        let signed =
            signed::sign(&self.config.signing_key, message.media_type, &repeated, message.payload)?;
        let (key, encrypted_key) = ContentKey::wrapped_for(&self.config.platform_key)?;
        let header = self.prefix.header(now_ms, message)?;
        Ok(jwe::complete(header, &base64url::encode(encrypted_key), &key, signed.into_bytes())?)
    }
}

impl Granted {
    fn new(config: &SealerConfig, now_ms: i64) -> Result<Self, SealError> {
        let (key, encrypted_key) = ContentKey::wrapped_for(&config.platform_key)?;
        let grant = grant::sign(
            &config.signing_key,
            (&config.issuer, &config.audience, config.platform_key.kid()),
            &encrypted_key,
            (now_ms, now_ms + config.content_key_life_ms),
        )?;
        let encrypted_key_text = base64url::encode(encrypted_key);
        Ok(Self { key, encrypted_key_text, grant, made_at_ms: now_ms, messages: 0 })
    }

    fn is_usable(&self, now_ms: i64, life_ms: i64) -> bool {
        (-CLOCK_TOLERANCE_MS..life_ms).contains(&(now_ms - self.made_at_ms))
            && self.messages < MAX_CONTENT_KEY_MESSAGES
    }
}

impl Prefix {
    fn new(config: &SealerConfig, media_type: &str, grant: Option<&str>) -> Self {
        let mut json = format!(
            "{{\"alg\":\"{KEY_WRAPPING}\",\"enc\":\"{CONTENT_ENCRYPTION}\",\"kid\":{},\
             \"typ\":\"{EVENT_TYPE}\",\"cty\":{},\"iss\":{},\"aud\":{},",
            json_text(config.platform_key.kid()),
            json_text(media_type),
            json_text(&config.issuer),
            json_text(&config.audience),
        );
        if let Some(grant) = grant {
            // A JWS has no character that JSON escapes.
            json.push_str(&format!("\"grant\":\"{grant}\","));
        }
        // Filled up to whole groups of base64url, this part has the same text in every event and
        // compresses away in Kafka's batches.
        while json.len() % 3 != 0 {
            json.push(' ');
        }
        Self { media_type: media_type.to_owned(), text: base64url::encode(json) }
    }

    /// The whole protected header as base64url.
    fn header(&self, now_ms: i64, message: &Message<'_>) -> Result<String, SealError> {
        let rest = format!(
            "\"sub\":{},\"iat\":{},\"jti\":\"{}\"}}",
            json_text(message.subject),
            forms::to_numeric_date(now_ms),
            message.message_id,
        );
        if self.text.len() / 4 * 3 + rest.len() > MAX_BYTES {
            return Err(SealError::HeaderTooLarge);
        }
        let payload_text = message.payload.len() * 4 / 3;
        let mut header =
            String::with_capacity(self.text.len() + rest.len() * 2 + payload_text + 800);
        header.push_str(&self.text);
        base64url::encode_to(rest.as_bytes(), &mut header);
        Ok(header)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::jws::Algorithm;
    use crate::platform_key::PlatformKey;

    const T: i64 = 1_763_990_400_125;

    fn sealer(proof: Proof) -> Sealer {
        Sealer::new(SealerConfig {
            issuer: "acme \"line\"".into(),
            audience: "waybill:test".into(),
            platform_key: PlatformKey::generate("p1", 2048).unwrap().public().clone(),
            signing_key: PrivateSigningKey::generate(Algorithm::EdDsa).unwrap().into(),
            proof,
            content_key_life_ms: MAX_CONTENT_KEY_LIFE_MS,
        })
        .unwrap()
    }

    const MESSAGE: Message<'_> = Message {
        subject: "h-1 é",
        message_id: "m-1",
        media_type: "application/json",
        payload: b"{}",
    };

    fn parts(sealed: &str) -> Vec<&str> {
        sealed.split('.').collect()
    }

    fn header(sealed: &str) -> String {
        String::from_utf8(base64url::decode(parts(sealed)[0]).unwrap()).unwrap()
    }

    #[test]
    fn headers_are_as_documented() {
        let mut granted = sealer(Proof::Granted);
        let text = header(&granted.seal(T, &MESSAGE).unwrap());
        let grant = granted.granted.as_ref().unwrap().grant.clone();
        let constant = format!(
            r#"{{"alg":"RSA-OAEP-256","enc":"A256GCM","kid":"p1","typ":"waybill+jwe","cty":"application/json","iss":"acme \"line\"","aud":"waybill:test","grant":"{grant}","#
        );
        let rest = r#""sub":"h-1 é","iat":1763990400.125,"jti":"m-1"}"#;
        assert_eq!(text.replacen(&constant, "", 1).trim_start(), rest);

        let text = header(&sealer(Proof::Signed).seal(T, &MESSAGE).unwrap());
        let constant = r#"{"alg":"RSA-OAEP-256","enc":"A256GCM","kid":"p1","typ":"waybill+jwe","cty":"application/jose","iss":"acme \"line\"","aud":"waybill:test","#;
        assert_eq!(text.replacen(constant, "", 1).trim_start(), rest);
    }

    /// What Kafka's compression lives from, at every alignment.
    #[test]
    fn the_constant_part_has_a_constant_text() {
        for media_type in ["a/b", "a/bc", "a/bcd"] {
            let mut sealer = sealer(Proof::Granted);
            let first = sealer.seal(T, &Message { media_type, ..MESSAGE }).unwrap();
            let second = sealer
                .seal(T + 1, &Message { media_type, subject: "k", message_id: "n", payload: b"1" })
                .unwrap();
            let (first, second) = (parts(&first), parts(&second));
            let constant = sealer.prefix.text.len();
            assert!(constant > 400);
            assert_eq!(first[0][..constant], second[0][..constant]);
            assert_eq!(first[1], second[1], "the encrypted key");
            assert_ne!(first[2], second[2], "a new IV for each event");
        }
    }

    #[test]
    fn a_content_key_is_renewed() {
        let mut sealer = sealer(Proof::Granted);
        let key_at =
            |sealer: &mut Sealer, now| parts(&sealer.seal(now, &MESSAGE).unwrap())[1].to_owned();
        let first = key_at(&mut sealer, T);
        assert_eq!(key_at(&mut sealer, T + MAX_CONTENT_KEY_LIFE_MS - 1), first);
        assert_eq!(key_at(&mut sealer, T - CLOCK_TOLERANCE_MS), first);
        let second = key_at(&mut sealer, T + MAX_CONTENT_KEY_LIFE_MS);
        assert_ne!(second, first, "by age");
        let third = key_at(&mut sealer, T);
        assert_ne!(third, second, "by a clock set back");
        sealer.granted.as_mut().unwrap().messages = MAX_CONTENT_KEY_MESSAGES - 1;
        assert_eq!(key_at(&mut sealer, T), third);
        assert_ne!(key_at(&mut sealer, T), third, "by its number of messages");
    }

    #[test]
    fn refuses_what_the_platform_would() {
        let mut sealer = sealer(Proof::Granted);
        for (message, expected) in [
            (Message { subject: "", ..MESSAGE }, SealError::Form("the subject")),
            (Message { subject: "a\n", ..MESSAGE }, SealError::Form("the subject")),
            (Message { message_id: "a b", ..MESSAGE }, SealError::Form("the message id")),
            (Message { media_type: "json", ..MESSAGE }, SealError::Form("the media type")),
            (Message { media_type: SIGNED_CONTENT, ..MESSAGE }, SealError::Form("the media type")),
            (Message { payload: b"", ..MESSAGE }, SealError::Form("the payload")),
            (
                Message { media_type: &format!("a/{}", "b".repeat(MAX_BYTES)), ..MESSAGE },
                SealError::HeaderTooLarge,
            ),
        ] {
            assert_eq!(sealer.seal(T, &message).unwrap_err(), expected);
        }
        let payload = vec![b'x'; MAX_SEALED * 3 / 4];
        let error = sealer.seal(T, &Message { payload: &payload, ..MESSAGE }).unwrap_err();
        assert!(matches!(error, SealError::TooLarge(bytes) if bytes > MAX_SEALED));
    }

    #[test]
    fn debug_shows_no_key() {
        let mut sealer = sealer(Proof::Granted);
        sealer.seal(T, &MESSAGE).unwrap();
        let text = format!("{sealer:?}");
        assert!(text.contains("key: ContentKey,"), "{text}");
        assert!(text.contains("signing_key: PrivateSigningKey { kid: "), "{text}");
    }
}
