//! `/metrics`, `/healthz`, `/readyz` of a running process.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::get;
use prometheus::{Encoder, TextEncoder};
use waybill_kafka::Health;

use crate::exit::Failure;

/// A loop that has not turned for this long hangs: `/healthz` says so, and the process is
/// restarted by whoever watches it. Longer than any call to Kafka or ClickHouse may take.
const STALLED_MS: i64 = 90_000;

/// Serves until the process ends. `refresh` is called before each scrape.
pub fn serve(
    listen: SocketAddr,
    health: Arc<Health>,
    refresh: Arc<dyn Fn() + Send + Sync>,
) -> Result<(), Failure> {
    let failed = |e: std::io::Error| {
        Failure::config(format!(
            "metrics.listen: {listen}: {e} (set metrics.listen or WAYBILL_METRICS__LISTEN)"
        ))
    };
    let listener = std::net::TcpListener::bind(listen).map_err(failed)?;
    listener.set_nonblocking(true).map_err(failed)?;
    let alive = health.clone();
    let app = Router::new()
        .route(
            "/metrics",
            get(move || {
                refresh();
                async { metrics() }
            }),
        )
        .route("/healthz", get(move || async move { answer(alive.is_alive(STALLED_MS)) }))
        .route("/readyz", get(move || async move { readiness(&health) }));
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(failed)?;
    std::thread::Builder::new()
        .name("http".to_owned())
        .spawn(move || {
            runtime.block_on(async move {
                let served = match tokio::net::TcpListener::from_std(listener) {
                    Ok(listener) => axum::serve(listener, app).await,
                    Err(error) => Err(error),
                };
                if let Err(error) = served {
                    tracing::error!(%error, "metrics are no longer served");
                }
            });
        })
        .map_err(failed)?;
    Ok(())
}

fn answer(yes: bool) -> impl IntoResponse {
    if yes { (StatusCode::OK, "ok\n") } else { (StatusCode::SERVICE_UNAVAILABLE, "no\n") }
}

/// With the reason, where one is known.
fn readiness(health: &Health) -> (StatusCode, String) {
    if health.is_ready() {
        return (StatusCode::OK, "ok\n".to_owned());
    }
    let why = health.why().map_or_else(|| "no\n".to_owned(), |why| format!("no: {why}\n"));
    (StatusCode::SERVICE_UNAVAILABLE, why)
}

fn metrics() -> impl IntoResponse {
    let mut text = Vec::new();
    let encoder = TextEncoder::new();
    let status = match encoder.encode(&prometheus::gather(), &mut text) {
        Ok(()) => StatusCode::OK,
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR,
    };
    (status, [(header::CONTENT_TYPE, encoder.format_type().to_owned())], text)
}
