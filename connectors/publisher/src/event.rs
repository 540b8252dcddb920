use std::fmt;

use waybill_sealing::MAX_SEALED;
use waybill_sealing::header::{Header, HeaderError};
use waybill_sealing::jwe::Parts;

/// A sealed event, and what its header says in clear.
#[derive(Clone, PartialEq, Eq)]
pub struct SealedEvent {
    value: String,
    handle: String,
    message_id: String,
    sealed_at_ms: i64,
}

impl fmt::Debug for SealedEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SealedEvent")
            .field("message_id", &self.message_id)
            .field("handle", &self.handle)
            .field("bytes", &self.value.len())
            .finish_non_exhaustive()
    }
}

/// A text is no sealed event of version 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotSealed {
    /// Not five parts of base64url.
    #[error("no sealed event: not five parts of base64url")]
    NotCompact,
    #[error("no sealed event: {0}")]
    Header(HeaderError),
    /// It has so many bytes, more than an event may.
    #[error("the sealed event has {0} bytes, more than {MAX_SEALED}")]
    Oversize(usize),
}

impl SealedEvent {
    /// Reads the header of what [`Sealer::seal`](waybill_sealing::seal::Sealer::seal) made.
    pub fn read(value: impl Into<String>) -> Result<Self, NotSealed> {
        let value = value.into();
        if value.len() > MAX_SEALED {
            return Err(NotSealed::Oversize(value.len()));
        }
        let parts = Parts::split(value.as_bytes()).map_err(|_| NotSealed::NotCompact)?;
        let header = Header::parse(&parts.header).map_err(NotSealed::Header)?;
        let (handle, message_id) = (header.sub.into_owned(), header.jti.into_owned());
        // Saturates.
        let sealed_at_ms = (header.iat * 1_000.0) as i64;
        Ok(Self { value, handle, message_id, sealed_at_ms })
    }

    /// The JWE in Compact Serialization.
    pub fn value(&self) -> &str {
        &self.value
    }

    /// The shipment handle (`sub`): events of one handle keep their order.
    pub fn handle(&self) -> &str {
        &self.handle
    }

    /// `jti`
    pub fn message_id(&self) -> &str {
        &self.message_id
    }

    /// `iat`, ms UTC.
    pub fn sealed_at_ms(&self) -> i64 {
        self.sealed_at_ms
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::sealed;

    #[test]
    fn says_what_its_header_says() {
        let event = SealedEvent::read(sealed("h-1", "m-1")).unwrap();
        assert_eq!((event.handle(), event.message_id()), ("h-1", "m-1"));
        assert_eq!(event.sealed_at_ms(), 1_763_990_400_125);
        let debug = format!("{event:?}");
        assert!(debug.contains("m-1") && !debug.contains("eyJ"), "{debug}");
    }

    #[test]
    fn what_is_none_is_refused() {
        assert_eq!(SealedEvent::read("a.b").unwrap_err(), NotSealed::NotCompact);
        let unsupported = SealedEvent::read("e30.YQ.YQ.YQ.YQ").unwrap_err();
        assert!(matches!(unsupported, NotSealed::Header(_)), "{unsupported}");
        let long = sealed("h-1", "m-1") + &"a".repeat(MAX_SEALED);
        assert!(matches!(SealedEvent::read(long), Err(NotSealed::Oversize(_))));
    }
}
