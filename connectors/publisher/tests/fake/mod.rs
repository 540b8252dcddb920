//! A gateway that answers badly: it is away, breaks off, takes some and says nothing, says something and takes
//! nothing. What it has, it has in a log.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use serde_json::json;
use waybill_publisher::SealedEvent;
use waybill_sealing::base64url;

/// What looks like a sealed event to whoever has no key.
pub fn sealed(handle: &str, message: u32) -> String {
    let header = format!(
        r#"{{"alg":"RSA-OAEP-256","enc":"A256GCM","kid":"p1","typ":"waybill+jwe","cty":"application/json","iss":"acme","aud":"waybill:test","sub":"{handle}","iat":1763990400.125,"jti":"{message}"}}"#,
    );
    let parts = [header.as_bytes(), &[1; 256], &[2; 12], b"content", &[3; 16]];
    parts.map(base64url::encode).join(".")
}

#[derive(Debug)]
pub struct FakeGateway {
    pub url: String,
    log: Arc<Mutex<Vec<(String, u32)>>>,
}

impl FakeGateway {
    /// It runs until the process ends.
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let log = Arc::new(Mutex::new(Vec::new()));
        let shared = log.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let log = shared.clone();
                // Who was killed leaves half a request.
                std::thread::spawn(move || while_connected(stream.unwrap(), &log));
            }
        });
        Self { url, log }
    }

    /// Handle and message of what it has, in its order.
    pub fn log(&self) -> Vec<(String, u32)> {
        self.log.lock().unwrap().clone()
    }
}

fn while_connected(stream: TcpStream, log: &Mutex<Vec<(String, u32)>>) -> Option<()> {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let mut writer = stream;
    loop {
        let mut length = 0;
        loop {
            let mut line = String::new();
            if reader.read_line(&mut line).ok()? == 0 {
                return None;
            }
            let line = line.trim_end().to_ascii_lowercase();
            if let Some(value) = line.strip_prefix("content-length: ") {
                length = value.parse().unwrap();
            }
            if line.is_empty() {
                break;
            }
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body).ok()?;
        let body = String::from_utf8(body).unwrap();
        let events: Vec<SealedEvent> =
            body.lines().map(|line| SealedEvent::read(line).unwrap()).collect();
        let answer = answer(&events, log)?;
        writer.write_all(answer.as_bytes()).ok()?;
    }
}

/// `None`: it breaks off.
fn answer(events: &[SealedEvent], log: &Mutex<Vec<(String, u32)>>) -> Option<String> {
    match fastrand::u8(..8) {
        0 => return None,
        1 => return Some(problem(503, "unavailable", None)),
        2 if events.len() > 1 => return Some(problem(413, "too_many_messages", None)),
        3 => return Some(http(502, "text/html", "<h1>bad gateway</h1>")),
        _ => {}
    }
    let results: Vec<_> = events
        .iter()
        .map(|event| {
            let id = event.message_id();
            let is_taken = fastrand::bool();
            if is_taken {
                log.lock().unwrap().push((event.handle().to_owned(), id.parse().unwrap()));
            }
            // Whether Kafka has it is not always known.
            match is_taken && fastrand::u8(..4) > 0 {
                true => json!({"id": id, "status": "accepted", "position": "t-0-1"}),
                false => json!({"id": id, "status": "unknown"}),
            }
        })
        .collect();
    match fastrand::u8(..4) {
        // It was killed before it could say.
        0 => None,
        1 => Some(problem(503, "unavailable", Some(json!(results)))),
        _ => Some(http(202, "application/json", &json!({"results": results}).to_string())),
    }
}

fn problem(status: u16, code: &str, results: Option<serde_json::Value>) -> String {
    let kind = format!("urn:waybill:error:{code}");
    let mut document =
        json!({"type": kind, "title": "T", "status": status, "code": code, "detail": "d"});
    if let Some(results) = results {
        document["results"] = results;
    }
    http(status, "application/problem+json", &document.to_string())
}

fn http(status: u16, media_type: &str, body: &str) -> String {
    let length = body.len();
    format!(
        "HTTP/1.1 {status} X\r\nContent-Type: {media_type}\r\nContent-Length: {length}\r\n\r\n{body}"
    )
}
