//! A request's body, piece by piece: bounded in bytes and time.

use std::time::Duration;

use axum::body::Body;
use axum::http::{HeaderMap, header};
use bytes::Bytes;
use http_body_util::BodyExt;
use tokio::time::{Instant, timeout, timeout_at};

use crate::memory::{Held, Memory};
use crate::problem::{Code, Problem};
use crate::settings::Settings;

/// What is still sent when the answer is known is read for so long, …
const LINGER: Duration = Duration::from_secs(2);
/// … and so many bytes of it.
const LINGER_BYTES: usize = 16 << 20;

#[derive(Debug)]
pub struct Incoming<'g> {
    body: &'g mut Body,
    memory: &'g Memory,
    held: Held,
    left: usize,
    most: usize,
    idle: Duration,
    deadline: Instant,
}

impl<'g> Incoming<'g> {
    /// Of a request that began now. `announced`: its Content-Length. `most`: bytes that it may have.
    pub fn new(
        body: &'g mut Body,
        announced: Option<u64>,
        most: usize,
        settings: &Settings,
        memory: &'g Memory,
    ) -> Result<Self, Problem> {
        if announced.is_some_and(|bytes| bytes > most as u64) {
            return Err(too_long(most));
        }
        Ok(Self {
            body,
            memory,
            held: Held::default(),
            left: most,
            most,
            idle: settings.idle,
            deadline: Instant::now() + settings.request,
        })
    }

    /// The next piece; `None` at the end.
    pub async fn piece(&mut self) -> Result<Option<Bytes>, Problem> {
        loop {
            let until = self.deadline.min(Instant::now() + self.idle);
            let Ok(frame) = timeout_at(until, self.body.frame()).await else {
                let detail = "the body came too slowly";
                return Err(Problem::new(Code::RequestTimeout, detail));
            };
            let frame = match frame {
                None => return Ok(None),
                Some(Ok(frame)) => frame,
                Some(Err(_)) => {
                    return Err(Problem::new(Code::BadRequest, "the body ended before its end"));
                }
            };
            // Trailers are passed over.
            let Ok(piece) = frame.into_data() else { continue };
            let Some(left) = self.left.checked_sub(piece.len()) else {
                return Err(too_long(self.most));
            };
            self.left = left;
            self.memory.take(&mut self.held, piece.len())?;
            return Ok(Some(piece));
        }
    }

    /// All of it.
    pub async fn whole(&mut self) -> Result<Vec<u8>, Problem> {
        let mut whole = Vec::new();
        while let Some(piece) = self.piece().await? {
            whole.extend_from_slice(&piece);
        }
        Ok(whole)
    }
}

/// The Content-Length.
pub fn announced(headers: &HeaderMap) -> Option<u64> {
    headers.get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

/// Passes over what is still on its way: a connection that is closed on it is reset, and a client that is
/// still sending never reads its answer.
pub async fn pass_over(body: &mut Body) {
    let pass = async {
        let mut left = LINGER_BYTES;
        while let Some(Ok(frame)) = body.frame().await {
            let bytes = frame.data_ref().map_or(0, Bytes::len);
            let Some(rest) = left.checked_sub(bytes) else { return };
            left = rest;
        }
    };
    let _ = timeout(LINGER, pass).await;
}

fn too_long(most: usize) -> Problem {
    Problem::new(
        Code::BodyTooLarge,
        format!("a body may have {most} bytes: send fewer messages at once"),
    )
}
