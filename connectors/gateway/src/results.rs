//! One result for each message of a request, in their order.

use std::sync::Arc;

use serde::Serialize;
use strum::VariantArray;
use utoipa::ToSchema;
use utoipa::openapi::schema::{Object, ObjectBuilder, Type};
use waybill_publisher::Place;

use crate::metrics::metrics;
use crate::problem::Code;

/// What became of a message at the door.
#[derive(Debug)]
pub enum Entry {
    /// Handed to that topic; its answer is the one of this index.
    Sent {
        id: String,
        topic: Arc<str>,
        index: usize,
    },
    Rejected {
        id: Option<String>,
        code: &'static str,
        detail: String,
    },
    /// Kafka was away before it was handed over.
    Unsent {
        id: String,
    },
}

/// What became of one message.
#[derive(Debug, Serialize, ToSchema)]
pub struct Result {
    /// The message's id (`jti`), where it is known.
    #[schema(required)]
    id: Option<String>,
    status: Status,
    /// Topic, partition and offset of the record: what `GET /v1/events/ID?position=…` takes, to tell a copy from
    /// its original.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, example = "waybill.sealed-2-4711")]
    position: Option<String>,
    /// Why it was rejected.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(schema_with = code_schema)]
    code: Option<&'static str>,
    /// For people.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    detail: Option<String>,
}

/// A code of docs/rejects.md, or that the carrier is over its limit.
fn code_schema() -> Object {
    let codes = waybill_stage::Code::VARIANTS.iter().map(|code| code.as_str());
    ObjectBuilder::new()
        .schema_type(Type::String)
        .description(Some("Why it was rejected: a code of docs/rejects.md, or `rate_limited`."))
        .enum_values(Some(codes.chain([Code::RateLimited.as_str()])))
        .build()
}

/// What is known of a message when the request is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = ResultStatus)]
pub enum Status {
    /// Kafka has it, on all replicas that are in sync.
    Accepted,
    Rejected,
    /// Whether Kafka has it is not known: send it again. If it has, the second is a duplicate.
    Unknown,
}

/// One for each message, in their order.
#[derive(Debug, Default, Serialize, ToSchema)]
#[serde(transparent)]
pub struct Results(Vec<Result>);

impl Results {
    /// `places`: Kafka's answers, by index.
    pub fn new(entries: Vec<Entry>, places: &[Option<Place>]) -> Self {
        Self(entries.into_iter().map(|entry| Result::new(entry, places)).collect())
    }

    pub fn count(&self, status: Status) -> usize {
        self.0.iter().filter(|result| result.status == status).count()
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether all were rejected with this code.
    pub fn are_all(&self, code: &str) -> bool {
        !self.0.is_empty() && self.0.iter().all(|result| result.code == Some(code))
    }

    pub fn count_in_metrics(&self) {
        let counter = &metrics().messages;
        for result in &self.0 {
            let outcome = match result.status {
                Status::Accepted => "accepted",
                Status::Rejected => "rejected",
                Status::Unknown => "unknown",
            };
            counter.with_label_values(&[outcome, result.code.unwrap_or_default()]).inc();
        }
    }
}

impl Result {
    fn new(entry: Entry, places: &[Option<Place>]) -> Self {
        let of = |id, status| Self { id, status, position: None, code: None, detail: None };
        match entry {
            Entry::Sent { id, topic, index } => match places.get(index).copied().flatten() {
                Some(Place { partition, offset }) => Self {
                    position: Some(format!("{topic}-{partition}-{offset}")),
                    ..of(Some(id), Status::Accepted)
                },
                None => of(Some(id), Status::Unknown),
            },
            Entry::Unsent { id } => of(Some(id), Status::Unknown),
            Entry::Rejected { id, code, detail } => {
                Self { code: Some(code), detail: Some(detail), ..of(id, Status::Rejected) }
            }
        }
    }
}
