use std::borrow::Cow;

use strum::{IntoStaticStr, VariantArray};
use waybill_stage::{Code, Reject};

/// Which check under a code it was: a label of the operators' metric, a closed set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, IntoStaticStr, VariantArray)]
#[strum(serialize_all = "snake_case")]
pub enum Reason {
    TooManyBytes,
    NoValue,
    NotCompact,
    HeaderNotJson,
    HeaderParameter,
    ContentLengths,
    OtherVersion,
    OtherKey,
    OtherAudience,
    CarrierNotRegistered,
    /// The topic is another carrier's, or this carrier has others.
    OtherTopic,
    CarrierSuspended,
    PlatformKeyNotHeld,
    PlatformKeyRetired,
    NoProof,
    TwoProofs,
    /// The grant or the signed payload is not of its form.
    ProofForm,
    /// The proof speaks of another carrier, deployment, platform key, content key or event.
    ProofMismatch,
    SigningKeyNotRegistered,
    SigningKeyNotValid,
    SigningKeyRevoked,
    WrongSignature,
    OutsideGrant,
    AfterReceipt,
    TooLate,
    Restricted,
    // The three of `not_authentic`. A carrier must not learn which it was.
    EncryptedKeyLength,
    EncryptedKeyUnwrap,
    Tag,
}

impl Reason {
    pub fn as_str(self) -> &'static str {
        self.into()
    }

    pub fn code(self) -> Code {
        match self {
            Self::TooManyBytes => Code::Oversize,
            Self::NoValue
            | Self::NotCompact
            | Self::HeaderNotJson
            | Self::HeaderParameter
            | Self::ContentLengths => Code::Malformed,
            Self::OtherVersion => Code::Unsupported,
            Self::OtherKey => Code::KeyMismatch,
            Self::OtherAudience => Code::WrongAudience,
            Self::CarrierNotRegistered => Code::UnknownCarrier,
            Self::OtherTopic => Code::WrongTopic,
            Self::CarrierSuspended => Code::SuspendedCarrier,
            Self::PlatformKeyNotHeld => Code::UnknownKey,
            Self::PlatformKeyRetired => Code::RetiredKey,
            Self::NoProof
            | Self::TwoProofs
            | Self::ProofForm
            | Self::ProofMismatch
            | Self::SigningKeyNotRegistered
            | Self::SigningKeyNotValid
            | Self::SigningKeyRevoked
            | Self::WrongSignature => Code::BadProof,
            Self::OutsideGrant | Self::AfterReceipt | Self::TooLate => Code::Expired,
            Self::Restricted => Code::Restricted,
            Self::EncryptedKeyLength | Self::EncryptedKeyUnwrap | Self::Tag => Code::NotAuthentic,
        }
    }

    /// `detail` is for the carrier: names and limits, and text of the record only through
    /// [`waybill_stage::safe_detail`].
    pub(crate) fn reject(self, detail: impl Into<Cow<'static, str>>) -> Reject {
        Reject::new(self.code(), detail).because(self.as_str())
    }
}
