//! The messages of one request: each is judged, counted against its carrier's limits and handed to Kafka,
//! in their order; at the end each has its result.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use waybill_decrypt::{Action, Scope};
use waybill_publisher::Answers;
use waybill_sealing::published::PublishedKeys;
use waybill_sealing::seal::{Message, SealError};

use crate::Gateway;
use crate::caller::{Caller, needed};
use crate::limits::Standing;
use crate::lines::TooLong;
use crate::problem::{Code, Problem};
use crate::registry::Registry;
use crate::results::{Entry, Results};

pub struct Intake<'g> {
    gateway: &'g Gateway,
    registry: Arc<Registry>,
    keys: Arc<PublishedKeys>,
    caller: Option<Caller>,
    answers: Arc<Answers>,
    entries: Vec<Entry>,
    sent: usize,
    standing: Option<Standing>,
    /// Carriers of which a message was over the limit.
    over: HashMap<String, Standing>,
    /// A message was not handed over.
    is_away: bool,
}

/// A payload in plain, of the caller's.
pub struct Plain {
    pub message_id: String,
    pub subject: Option<String>,
    pub media_type: String,
    pub payload: Vec<u8>,
}

/// What came of a request's messages.
pub struct Taken {
    pub results: Results,
    /// Of the carrier of the last message.
    pub standing: Option<Standing>,
}

impl<'g> Intake<'g> {
    pub fn new(
        gateway: &'g Gateway,
        registry: Arc<Registry>,
        keys: Arc<PublishedKeys>,
        caller: Option<Caller>,
    ) -> Self {
        Self {
            gateway,
            registry,
            keys,
            caller,
            answers: Arc::default(),
            entries: Vec::new(),
            sent: 0,
            standing: None,
            over: HashMap::new(),
            is_away: false,
        }
    }

    pub fn sealed(&mut self, value: &[u8]) -> Result<(), Problem> {
        self.check_number()?;
        let now_ms = self.gateway.now_ms();
        let judged = self.gateway.door.judge(now_ms, value, &self.registry.carriers, &self.keys);
        let judged = match judged {
            Ok(judged) => judged,
            Err(refused) => {
                let (code, detail) = (refused.reject.code.as_str(), refused.reject.detail);
                self.reject(refused.message_id, code, detail);
                return Ok(());
            }
        };
        let Some(carrier) = self.registry.carriers.get(&judged.carrier_id) else {
            return Err(Problem::new(Code::Internal, "the registry changed meanwhile; send again"));
        };
        let restriction = carrier.restriction(judged.media_type.as_deref(), now_ms);
        if let Some(restriction) = restriction.filter(|one| one.action == Action::Reject) {
            let reject = restriction.reject();
            self.reject(Some(judged.message_id), reject.code.as_str(), reject.detail);
            return Ok(());
        }
        // Of a signed event the type of the payload is not known here, nor whether it is the carrier's.
        let is_own = self.caller.as_ref().is_some_and(|c| c.carrier_id == judged.carrier_id);
        let is_proven = judged.media_type.is_some() || is_own;
        // What is not taken holds up what comes behind it: else a shipment's events would change places.
        let standing = match self.over.get(&judged.carrier_id) {
            Some(over) => *over,
            None => self.gateway.limits.message(carrier, is_proven, value.len(), now_ms),
        };
        self.standing = Some(standing);
        let id = judged.message_id;
        if let Standing::Over { pause, quota } = standing {
            let seconds = crate::problem::seconds_up(pause);
            let detail = match quota {
                None => format!("more than the carrier may send now: come again in {seconds} s"),
                Some(quota) => format!(
                    "the carrier may send {quota} messages a day, and has: come again in {seconds} s, when the day ends \
                     (UTC), or ask the operator for more"
                ),
            };
            self.over.insert(judged.carrier_id, standing);
            self.reject(Some(id), Code::RateLimited.as_str(), detail);
            return Ok(());
        }
        if self.is_away {
            self.entries.push(Entry::Unsent { id });
            return Ok(());
        }
        // A carrier's own topic, or that of all who have none.
        let topic = carrier.topics().first().map(|own| own.as_str().into());
        let topic: Arc<str> = topic.unwrap_or_else(|| self.gateway.topic.clone());
        match self.gateway.kafka.send(&topic, judged.handle.as_bytes(), value, &self.answers) {
            Ok(()) => {
                self.entries.push(Entry::Sent { id, topic, index: self.sent });
                self.sent += 1;
                // What only claims to be the carrier's counts once decrypt has found that it is.
                let has_quota = matches!(standing, Standing::Within { of_day: Some(_), .. });
                if is_proven && has_quota {
                    self.gateway.limits.quotas.take(&judged.carrier_id, now_ms);
                }
            }
            Err(_) => {
                self.is_away = true;
                self.entries.push(Entry::Unsent { id });
            }
        }
        Ok(())
    }

    /// Seals it in the caller's name, and goes on as with one that was sealed.
    pub fn plain(&mut self, plain: &Plain) -> Result<(), Problem> {
        let caller = self.caller.as_ref().ok_or_else(needed)?;
        caller.may(Scope::Publish)?;
        let (carrier_id, id) = (caller.carrier_id.clone(), plain.message_id.clone());
        let allows =
            self.registry.carriers.get(&carrier_id).map(|c| c.access.allows(&plain.media_type));
        let (Some(true), Some(sealer)) = (allows, &self.gateway.plain) else {
            let detail = "plain payloads of this media type are not taken of this carrier: seal them, or ask \
                          the operator to allow the type";
            return Err(Problem::new(Code::Forbidden, detail));
        };
        if let Err(reject) = waybill_formats::find(&plain.media_type) {
            self.check_number()?;
            self.reject(Some(id), reject.code.as_str(), reject.detail);
            return Ok(());
        }
        let shown = self.keys.shown(self.gateway.now_ms());
        let Some(platform_key) = shown.keys.first() else {
            return Err(Problem::new(Code::Internal, "the platform has no key to seal for"));
        };
        let message = Message {
            subject: plain.subject.as_deref().unwrap_or(&plain.message_id),
            message_id: &plain.message_id,
            media_type: &plain.media_type,
            payload: &plain.payload,
        };
        match sealer.seal(self.gateway.now_ms(), &carrier_id, platform_key, &message) {
            Ok(value) => self.sealed(value.as_bytes()),
            Err(error) => {
                let code = match error {
                    SealError::TooLarge(_) => waybill_stage::Code::Oversize,
                    _ => waybill_stage::Code::Malformed,
                };
                self.check_number()?;
                self.reject(Some(id), code.as_str(), error.to_string());
                Ok(())
            }
        }
    }

    /// Something that is no message.
    pub fn reject(
        &mut self,
        id: Option<String>,
        code: &'static str,
        detail: impl Into<std::borrow::Cow<'static, str>>,
    ) {
        self.entries.push(Entry::Rejected { id, code, detail: detail.into().into_owned() });
    }

    pub fn check_number(&self) -> Result<(), Problem> {
        let most = self.gateway.settings.messages;
        if self.entries.len() < most {
            return Ok(());
        }
        Err(Problem::new(Code::TooManyMessages, format!("a request may have {most} messages")))
    }

    /// Waits for Kafka's answers.
    pub async fn finish(self) -> Taken {
        let places = self.answers.all().await;
        let results = Results::new(self.entries, &places);
        results.count_in_metrics();
        Taken { results, standing: self.standing }
    }
}

impl From<TooLong> for Problem {
    fn from(_: TooLong) -> Self {
        Self::new(
            Code::BodyTooLarge,
            format!("a line may have {} bytes", waybill_sealing::MAX_SEALED),
        )
    }
}

impl Standing {
    pub fn pause(self) -> Option<Duration> {
        match self {
            Self::Within { .. } => None,
            Self::Over { pause, .. } => Some(pause),
        }
    }
}
