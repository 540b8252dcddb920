//! What is expected to become of a message.

/// What the pipeline must answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// One event.
    Good,
    /// A good message again: same message id, handle, media type and payload.
    Duplicate(Again),
    /// A reject.
    Bad(Bad),
}

/// How a message comes again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Again {
    /// The sealed record itself, byte for byte. The publisher has kept it: the first copy had
    /// [`crate::Message::comes_again`].
    SameBytes,
    /// Sealed a second time, so that only its identity is the same.
    SealedAnew,
}

macro_rules! bad {
    ($($(#[$doc:meta])* $variant:ident = $code:literal at $level:ident),+ $(,)?) => {
        /// What is wrong with a message. What stands before `NotJson` is for the publisher to do
        /// to the record: the payload is a good one.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Bad { $($(#[$doc])* $variant),+ }

        impl Bad {
            pub const ALL: &[Self] = &[$(Self::$variant),+];

            /// The code of docs/rejects.md that it must get.
            pub fn expected_code(self) -> &'static str {
                match self { $(Self::$variant => $code),+ }
            }

            pub fn level(self) -> Level {
                match self { $(Self::$variant => Level::$level),+ }
            }
        }
    };
}

/// Who makes it bad.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Level {
    /// The publisher, as it seals.
    Sealing,
    /// It is already in the payload or the media type.
    Payload,
}

bad! {
    /// Signed with a key that is not registered for the carrier.
    WrongSigningKey = "bad_proof" at Sealing,
    /// `iss` is nobody.
    UnknownCarrier = "unknown_carrier" at Sealing,
    /// `aud` is another deployment.
    WrongAudience = "wrong_audience" at Sealing,
    /// A byte of the ciphertext is another.
    TamperedCiphertext = "not_authentic" at Sealing,
    /// The value is the bare payload.
    NotSealed = "malformed" at Sealing,
    /// The value has 950,000 bytes (what they are does not matter, size is checked first). At
    /// most [`crate::MOST_OVERSIZE`] a run.
    Oversize = "oversize" at Sealing,
    /// The record has no value.
    NullValue = "malformed" at Sealing,
    /// The record's key is not `sub`.
    KeyMismatch = "key_mismatch" at Sealing,
    /// `iat` lies further back than any `max_delivery_delay`.
    Expired = "expired" at Sealing,
    /// `kid` is no key of the platform.
    UnknownPlatformKey = "unknown_key" at Sealing,
    /// The payload breaks off in the middle.
    NotJson = "unparsable" at Payload,
    /// An event type that the standard has not, and no code of one that it has: what happened is not told.
    UnknownEventType = "unknown_code" at Payload,
    /// No `eventDateTime`.
    MissingField = "missing_field" at Payload,
    /// It happened a month from now, says the carrier.
    InFuture = "in_future" at Payload,
    /// A media type that no format is registered for.
    UnknownMediaType = "unknown_format" at Payload,
}

impl Kind {
    /// The reject's code; `None` for what is no reject.
    pub fn expected_code(self) -> Option<&'static str> {
        match self {
            Self::Good | Self::Duplicate(_) => None,
            Self::Bad(bad) => Some(bad.expected_code()),
        }
    }
}
