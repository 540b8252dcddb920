//! What an operator has restricted: a carrier, or one kind of its messages, for some time. Unlike a suspended
//! carrier's, the messages are known to be the carrier's own: what is restricted can be redriven once it is not.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use strum::{Display, EnumString};
use waybill_stage::{Reject, safe_detail};

use crate::Reason;
use crate::access::essence;

/// Characters of the reason that a carrier is told.
const SHOWN: usize = 200;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Restriction {
    /// Payloads of this type, with any parameters; of every type, if it is absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub media_type: Option<String>,
    pub action: Action,
    /// Who has restricted it, …
    pub by: String,
    /// … and why: the carrier is told.
    pub why: String,
    /// From then on nothing is restricted by it: what was diverted can be redriven.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
}

/// What becomes of what is restricted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Display, EnumString, Serialize, Deserialize)]
#[strum(serialize_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// The gateway does not take it in. What comes over Kafka is a reject.
    Reject,
    /// The gateway takes it in, and it is a reject, which waits to be redriven.
    Divert,
}

impl Restriction {
    /// Whether it holds for a payload of this type. A type that is not known yet is none.
    pub fn holds(&self, media_type: Option<&str>, now_ms: i64) -> bool {
        let is_over = self.until.is_some_and(|until| until.as_millisecond() <= now_ms);
        let is_meant = match (&self.media_type, media_type) {
            (None, _) => true,
            (Some(_), None) => false,
            (Some(meant), Some(given)) => essence(meant).eq_ignore_ascii_case(essence(given)),
        };
        is_meant && !is_over
    }

    pub fn reject(&self) -> Reject {
        let until = match self.until {
            Some(until) => format!("until {until:.0}"),
            None => "until further notice".to_owned(),
        };
        let what = self.media_type.as_deref().map_or("events", |_| "events of this type");
        let why = safe_detail(&self.why, SHOWN);
        Reason::Restricted.reject(format!("{what} are not taken {until}: {why}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_holds_for_its_type_and_time() {
        let of = |media_type: Option<&str>, until: Option<i64>| Restriction {
            media_type: media_type.map(str::to_owned),
            action: Action::Divert,
            by: "ops".into(),
            why: "a flood of copies".into(),
            until: until.map(|ms| Timestamp::from_millisecond(ms).unwrap()),
        };
        for (restriction, media_type, at, holds) in [
            (of(None, None), None, 0, true),
            (of(None, None), Some("a/b"), i64::MAX, true),
            (of(Some("a/b"), None), Some("A/B; v=2"), 0, true),
            (of(Some("a/b;v=1"), None), Some("a/b"), 0, true),
            (of(Some("a/b"), None), Some("a/bc"), 0, false),
            (of(Some("a/b"), None), None, 0, false),
            (of(None, Some(1000)), Some("a/b"), 999, true),
            (of(None, Some(1000)), Some("a/b"), 1000, false),
        ] {
            assert_eq!(restriction.holds(media_type, at), holds, "{restriction:?} {media_type:?}");
        }
        let told = of(None, Some(0)).reject().detail;
        assert_eq!(told, "events are not taken until 1970-01-01T00:00:00Z: a flood of copies");
    }
}
