//! One request to an endpoint: a connection of its own, to the very address that was looked at, and as much of time
//! and bytes as is said here.
//!
//! What is absent: redirects are not followed, no proxy is asked, and no connection is kept: one that was made to an
//! address that was looked at for one name would be there for another.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1;
use hyper::header::{CONTENT_TYPE, HOST, RETRY_AFTER, USER_AGENT};
use hyper::{HeaderMap, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::address::may_go_to;
use crate::ended::{Ended, Why};
use crate::target::{Allowed, Name, Target};

/// Of the answer's head; hyper reads no more.
const HEAD_BYTES: usize = 16 * 1024;
const HEAD_LINES: usize = 64;
/// Of its body, which nobody reads: only so much, and so long, that a server can say what it has to.
const BODY_BYTES: usize = 4 * 1024;
const BODY_TIME: Duration = Duration::from_secs(1);
/// Of the addresses of a name, so many are tried.
const ADDRESSES: usize = 4;

/// What asks DNS: all addresses of a name.
pub type Resolve = Arc<
    dyn Fn(String, u16) -> Pin<Box<dyn Future<Output = std::io::Result<Vec<SocketAddr>>> + Send>>
        + Send
        + Sync,
>;

/// The system's resolver.
pub fn system_resolver() -> Resolve {
    Arc::new(|name, port| {
        Box::pin(async move { Ok(tokio::net::lookup_host((name, port)).await?.collect()) })
    })
}

/// How long each step may take, and all of them.
#[derive(Clone, Copy, Debug)]
pub struct Times {
    pub step: Duration,
    pub all: Duration,
}

/// Headers of Standard Webhooks, and the body that they are about.
#[derive(Clone)]
pub struct Message {
    pub id: String,
    /// Seconds since 1970.
    pub timestamp: i64,
    /// One for each secret in force, with spaces between.
    pub signature: String,
    pub body: Bytes,
}

/// It is a carrier's.
impl fmt::Debug for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Message({})", self.id)
    }
}

#[derive(Clone)]
pub struct Client {
    tls: TlsConnector,
    allowed: Arc<Allowed>,
    resolve: Resolve,
    times: Times,
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Client")
    }
}

impl Client {
    pub fn new(
        tls: Arc<rustls::ClientConfig>,
        allowed: Allowed,
        resolve: Resolve,
        times: Times,
    ) -> Self {
        Self { tls: tls.into(), allowed: Arc::new(allowed), resolve, times }
    }

    /// Whether the endpoint has taken it.
    pub async fn send(&self, url: &str, message: Message) -> Ended {
        let Ok(target) = Target::parse(url, &self.allowed) else { return Ended::failed(Why::Url) };
        let sent = timeout(self.times.all, self.exchange(&target, message)).await;
        sent.unwrap_or(Err(Why::Timeout)).unwrap_or_else(Ended::failed)
    }

    async fn exchange(&self, target: &Target, message: Message) -> Result<Ended, Why> {
        let stream = self.connect(target).await?;
        let mut http = http1::Builder::new();
        http.max_buf_size(HEAD_BYTES).max_headers(HEAD_LINES);
        let (mut sender, connection) =
            http.handshake(TokioIo::new(stream)).await.map_err(|_| Why::Broken)?;
        let request = request(target, message)?;
        // The connection ends with this: whoever goes on sending sends to nobody.
        tokio::pin!(connection);
        let answer = async {
            let answer = sender.send_request(request).await.map_err(|_| Why::Broken)?;
            Ok(read(answer).await)
        };
        tokio::pin!(answer);
        tokio::select! {
            biased;
            answer = &mut answer => answer,
            // It is closed, and the answer is there or is not.
            _ = &mut connection => answer.await,
        }
    }

    /// To an address of the name, all of which were looked at: DNS is asked once, so it cannot say something else
    /// when it comes to connecting.
    async fn connect(&self, target: &Target) -> Result<TlsStream<TcpStream>, Why> {
        let addresses = self.addresses(target).await?;
        let mut last = Why::Resolve;
        for address in addresses.into_iter().take(ADDRESSES) {
            let stream = match timeout(self.times.step, TcpStream::connect(address)).await {
                Ok(Ok(stream)) => stream,
                Ok(Err(_)) => {
                    last = Why::Connect;
                    continue;
                }
                Err(_) => {
                    last = Why::Timeout;
                    continue;
                }
            };
            let _ = stream.set_nodelay(true);
            let name = match &target.host {
                Name::Domain(name) => ServerName::try_from(name.clone()).map_err(|_| Why::Url)?,
                Name::Address(address) => ServerName::from(*address),
            };
            let tls = timeout(self.times.step, self.tls.connect(name, stream)).await;
            return tls.map_err(|_| Why::Timeout)?.map_err(|_| Why::Tls);
        }
        Err(last)
    }

    /// Nothing is gone to of a name that has a single address which is not public: nobody means that well.
    async fn addresses(&self, target: &Target) -> Result<Vec<SocketAddr>, Why> {
        let found = match &target.host {
            Name::Address(address) => vec![SocketAddr::new(*address, target.port)],
            Name::Domain(name) => {
                let asked = (self.resolve)(name.clone(), target.port);
                let found = timeout(self.times.step, asked).await;
                found.map_err(|_| Why::Resolve)?.map_err(|_| Why::Resolve)?
            }
        };
        let may = |address: IpAddr| may_go_to(address, &self.allowed.addresses);
        match found.iter().all(|address| may(address.ip()) && address.port() == target.port) {
            true => Ok(found),
            false => Err(Why::Address),
        }
    }
}

fn request(target: &Target, message: Message) -> Result<Request<Full<Bytes>>, Why> {
    Request::post(&target.path)
        .header(HOST, target.authority())
        .header(USER_AGENT, "waybill-webhooks")
        .header(CONTENT_TYPE, "application/json")
        .header("webhook-id", message.id)
        .header("webhook-timestamp", message.timestamp)
        .header("webhook-signature", message.signature)
        .body(Full::new(message.body))
        .map_err(|_| Why::Url)
}

/// The status says all: whatever the body does, it was taken or not.
async fn read<B>(answer: Response<B>) -> Ended
where
    B: hyper::body::Body<Data = Bytes> + Unpin,
{
    let (status, headers) = (answer.status(), answer.headers().clone());
    let mut body = answer.into_body();
    let take_in = async {
        let mut read = 0;
        while read < BODY_BYTES
            && let Some(Ok(frame)) = body.frame().await
        {
            read += frame.data_ref().map_or(0, Bytes::len);
        }
    };
    let _ = timeout(BODY_TIME, take_in).await;
    ended(status, &headers, SystemTime::now())
}

fn ended(status: StatusCode, headers: &HeaderMap, now: SystemTime) -> Ended {
    let why = match status.as_u16() {
        200..=299 => return Ended::Taken,
        300..=399 => Why::Redirect,
        410 => Why::Gone,
        429 | 503 => {
            let retry_after = headers.get(RETRY_AFTER).and_then(|value| value.to_str().ok());
            let retry_after = retry_after.and_then(|text| wait(text, now));
            return Ended::Failed { why: Why::Later, retry_after };
        }
        408 => Why::Status,
        400..=499 => Why::Refused,
        _ => Why::Status,
    };
    Ended::failed(why)
}

/// RFC 9110 section 10.2.3: seconds, or a date.
fn wait(text: &str, now: SystemTime) -> Option<Duration> {
    if let Ok(seconds) = text.trim().parse::<u32>() {
        return Some(Duration::from_secs(seconds.into()));
    }
    let at = httpdate::parse_http_date(text.trim()).ok()?;
    Some(at.duration_since(now).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_status_says_what_becomes_of_it() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000_000);
        let seconds = |n| Some(Duration::from_secs(n));
        for (status, retry_after, why, wait) in [
            (200, "", None, None),
            (204, "", None, None),
            (299, "", None, None),
            (301, "", Some(Why::Redirect), None),
            (308, "", Some(Why::Redirect), None),
            (400, "", Some(Why::Refused), None),
            (404, "7", Some(Why::Refused), None),
            (408, "", Some(Why::Status), None),
            (410, "", Some(Why::Gone), None),
            (429, "", Some(Why::Later), None),
            (429, "120", Some(Why::Later), seconds(120)),
            (503, " 7 ", Some(Why::Later), seconds(7)),
            (503, "Sun, 09 Sep 2001 01:47:40 GMT", Some(Why::Later), seconds(60)),
            (503, "Sun, 09 Sep 2001 01:46:39 GMT", Some(Why::Later), seconds(0)),
            (503, "-1", Some(Why::Later), None),
            (503, "soon", Some(Why::Later), None),
            (500, "7", Some(Why::Status), None),
            (599, "", Some(Why::Status), None),
        ] {
            let mut headers = HeaderMap::new();
            if !retry_after.is_empty() {
                headers.insert(RETRY_AFTER, retry_after.parse().unwrap());
            }
            let expected = match why {
                None => Ended::Taken,
                Some(why) => Ended::Failed { why, retry_after: wait },
            };
            let status = StatusCode::from_u16(status).unwrap();
            assert_eq!(ended(status, &headers, now), expected, "{status} {retry_after}");
        }
    }
}
