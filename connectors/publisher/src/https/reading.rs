//! What a gateway answers, as docs/gateway.md and docs/errors.md have it. What is not of their form is not a
//! gateway's, and nothing of it counts as accepted.

use std::time::Duration;

use serde::Deserialize;

use crate::transport::{Answer, Kind, Sent, Trouble};

/// `type` of a problem document begins so.
const PROBLEM: &str = "urn:waybill:error:";
/// As long as a day's quota may ask for, and no longer.
const LONGEST_PAUSE: Duration = Duration::from_secs(86_400);
/// Of one that names no code of the platform's own.
const RATE_LIMITED: &str = "rate_limited";

/// An answer in HTTP.
#[derive(Debug)]
pub struct Said {
    pub status: u16,
    pub media_type: String,
    pub retry_after: Option<String>,
    pub body: Vec<u8>,
}

#[derive(Deserialize)]
struct Accepted {
    results: Vec<Result>,
}

#[derive(Deserialize)]
struct Problem {
    r#type: String,
    title: String,
    code: String,
    detail: String,
    #[serde(default)]
    results: Vec<Result>,
}

#[derive(Deserialize)]
struct Result {
    id: Option<String>,
    status: Status,
    position: Option<String>,
    code: Option<String>,
    detail: Option<String>,
}

#[derive(Deserialize, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
enum Status {
    Accepted,
    Rejected,
    Unknown,
}

impl Said {
    /// The answers to events of these ids.
    pub fn read(&self, ids: &[&str]) -> Sent {
        let essence = self.media_type.split(';').next().unwrap_or_default().trim();
        if self.status == 202
            && essence.eq_ignore_ascii_case("application/json")
            && let Ok(Accepted { results }) = serde_json::from_slice(&self.body)
            && results.len() == ids.len()
            && let Some(answers) = answers(&results, ids)
        {
            let is_limited = results.iter().any(Result::is_limited);
            let trouble = is_limited.then(|| {
                Trouble::new(Kind::OverLimit, "more was sent than the carrier may send now")
                    .after(self.pause())
            });
            return Sent { answers, trouble };
        }
        if essence.eq_ignore_ascii_case("application/problem+json")
            && let Ok(problem) = serde_json::from_slice::<Problem>(&self.body)
            && problem.r#type.starts_with(PROBLEM)
            && problem.results.len() <= ids.len()
            && let Some(answers) = answers(&problem.results, ids)
        {
            // It goes in no other way.
            if let ("body_too_large", [_], []) = (&*problem.code, ids, &*answers) {
                let Problem { code, detail, .. } = problem;
                return Sent { answers: vec![Answer::Rejected { code, detail }], trouble: None };
            }
            return Sent { answers, trouble: self.trouble(&problem, ids.len()) };
        }
        self.of_another(ids.len()).into()
    }

    fn trouble(&self, problem: &Problem, sent: usize) -> Option<Trouble> {
        let Problem { title, detail, code, .. } = problem;
        let kind = match code.as_str() {
            // Each message has its own.
            "rejected" => return None,
            RATE_LIMITED => Kind::OverLimit,
            "body_too_large" | "too_many_messages" if sent > 1 => Kind::TooLarge,
            "overloaded"
            | "unavailable"
            | "answers_unavailable"
            | "internal"
            | "request_timeout" => Kind::Away,
            _ if self.status >= 500 => Kind::Away,
            _ => Kind::Refused,
        };
        let why = format!("{title}: {detail} ({} {code})", self.status);
        Some(Trouble::new(kind, why).after(self.pause()))
    }

    /// Something on the way answers, or it is another server.
    fn of_another(&self, sent: usize) -> Trouble {
        let Self { status, media_type, .. } = self;
        let media_type: String = media_type.chars().take(80).collect();
        let why = format!("not a gateway's answer: {status} {media_type}");
        let kind = match status {
            413 if sent > 1 => Kind::TooLarge,
            429 => Kind::OverLimit,
            408 | 500.. => Kind::Away,
            _ => Kind::Refused,
        };
        Trouble::new(kind, why.trim_end()).after(self.pause())
    }

    /// `Retry-After` in seconds (RFC 9110 section 10.2.3), or until a date.
    fn pause(&self) -> Option<Duration> {
        let text = self.retry_after.as_deref()?.trim();
        let pause = match text.parse() {
            Ok(seconds) => Duration::from_secs(seconds),
            Err(_) => {
                let until = jiff::fmt::rfc2822::parse(text).ok()?.timestamp();
                Duration::try_from(until.duration_since(jiff::Timestamp::now())).ok()?
            }
        };
        Some(pause.min(LONGEST_PAUSE))
    }
}

impl Result {
    /// It would be taken later.
    fn is_limited(&self) -> bool {
        self.status == Status::Rejected && self.code.as_deref() == Some(RATE_LIMITED)
    }
}

/// `None`: they are not of these events.
fn answers(results: &[Result], ids: &[&str]) -> Option<Vec<Answer>> {
    let each = results.iter().zip(ids).map(|(result, id)| {
        if result.id.as_deref().is_some_and(|of| of != *id) {
            return None;
        }
        if result.is_limited() {
            return Some(Answer::Unknown);
        }
        match result.status {
            Status::Accepted => {
                // Whose event it is must be said where it counts as done.
                result.id.as_ref()?;
                Some(Answer::Accepted { position: result.position.clone()? })
            }
            Status::Rejected => Some(Answer::Rejected {
                code: result.code.clone()?,
                detail: result.detail.clone().unwrap_or_default(),
            }),
            Status::Unknown => Some(Answer::Unknown),
        }
    });
    each.collect()
}

#[cfg(test)]
#[path = "reading_tests.rs"]
mod tests;
