//! Connections: each has its bounds in time and bytes before it costs anything.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use axum::Router;
use axum::body::Body;
use axum::http::Request;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use rustls::ServerConfig;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tower_service::Service as _;

use crate::Gateway;
use crate::caller::Peer;
use crate::linger::Lingering;
use crate::metrics::metrics;
use crate::routes::router;
use crate::tls::subject;

/// Of a request's head.
const HEAD_BYTES: usize = 32 << 10;
const HEADERS: usize = 64;
/// Requests of one HTTP/2 connection at a time.
const STREAMS: u32 = 100;
/// What a client may send ahead on an HTTP/2 connection.
const WINDOW_BYTES: u32 = 1 << 20;
/// A connection on which nobody answers is closed.
const PING: Duration = Duration::from_secs(20);
/// For requests that are in hand when the gateway is stopped.
const DRAIN: Duration = Duration::from_secs(5);

/// Serves until `stop` is done, and then ends what was begun.
pub async fn serve(
    listener: TcpListener,
    gateway: Arc<Gateway>,
    tls: Option<Arc<ArcSwap<ServerConfig>>>,
    stop: impl Future<Output = ()>,
) {
    let idle = gateway.settings.idle;
    let room = Arc::new(Semaphore::new(gateway.settings.connections));
    let router = router(gateway.clone(), tls.is_some());
    let builder = Arc::new(builder(idle));
    let graceful = GracefulShutdown::new();
    let mut stop = std::pin::pin!(stop);
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = &mut stop => break,
        };
        let (stream, address) = match accepted {
            Ok(accepted) => accepted,
            // Out of file descriptors, say: others close theirs meanwhile.
            Err(error) => {
                tracing::warn!(%error, "a connection was not accepted");
                tokio::time::sleep(Duration::from_millis(50)).await;
                continue;
            }
        };
        let Some(connected) = gateway.limits.connect(address.ip()) else { continue };
        let Ok(place) = room.clone().try_acquire_owned() else {
            metrics().limited.with_label_values(&["connections"]).inc();
            continue;
        };
        let (router, builder, watcher) = (router.clone(), builder.clone(), graceful.watcher());
        let tls = tls.as_ref().map(|tls| tls.load_full());
        tokio::spawn(async move {
            metrics().connections.inc();
            connection(stream, address, tls, router, &builder, watcher, idle).await;
            metrics().connections.dec();
            drop((place, connected));
        });
    }
    drop(listener);
    let _ = timeout(DRAIN, graceful.shutdown()).await;
}

fn builder(idle: Duration) -> auto::Builder<TokioExecutor> {
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(idle)
        .max_buf_size(HEAD_BYTES)
        .max_headers(HEADERS);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(STREAMS)
        .max_header_list_size(HEAD_BYTES as u32)
        .max_pending_accept_reset_streams(20)
        .initial_connection_window_size(WINDOW_BYTES)
        .initial_stream_window_size(WINDOW_BYTES)
        .keep_alive_interval(PING)
        .keep_alive_timeout(idle);
    builder
}

async fn connection(
    stream: TcpStream,
    address: SocketAddr,
    tls: Option<Arc<ServerConfig>>,
    router: Router,
    builder: &auto::Builder<TokioExecutor>,
    watcher: Watcher,
    idle: Duration,
) {
    let _ = stream.set_nodelay(true);
    let address = address.ip().to_canonical();
    let Some(tls) = tls else {
        return requests(stream, Peer { address, subject: None }, router, builder, watcher).await;
    };
    match timeout(idle, TlsAcceptor::from(tls).accept(stream)).await {
        Ok(Ok(stream)) => {
            let certificate = stream.get_ref().1.peer_certificates().and_then(<[_]>::first);
            let peer = Peer { address, subject: certificate.and_then(subject) };
            requests(stream, peer, router, builder, watcher).await;
        }
        Ok(Err(error)) => refused(address, &error.to_string()),
        Err(_) => refused(address, "too slow"),
    }
}

fn refused(address: IpAddr, error: &str) {
    tracing::debug!(%address, error, "no TLS");
}

async fn requests(
    stream: impl AsyncRead + AsyncWrite + Unpin + 'static,
    peer: Peer,
    router: Router,
    builder: &auto::Builder<TokioExecutor>,
    watcher: Watcher,
) {
    let service = service_fn(move |request: Request<Incoming>| {
        let mut request = request.map(Body::new);
        request.extensions_mut().insert(peer.clone());
        router.clone().call(request)
    });
    let stream = TokioIo::new(Lingering::new(stream));
    let served = watcher.watch(builder.serve_connection(stream, service).into_owned());
    if let Err(error) = served.await {
        tracing::debug!(error, "a connection ended");
    }
}
