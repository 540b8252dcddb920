use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;

/// Logs go to stderr: readable on a terminal, JSON otherwise. `WAYBILL_LOG` sets the filter
/// (`info` by default; the syntax of `tracing`'s EnvFilter).
pub fn start() {
    let filter = EnvFilter::try_from_env("WAYBILL_LOG").unwrap_or_else(|_| EnvFilter::new("info"));
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    if std::io::stderr().is_terminal() {
        builder.with_target(false).init();
    } else {
        builder.json().flatten_event(true).init();
    }
    // A panic's message may hold a record's content: where it was is all that is logged.
    std::panic::set_hook(Box::new(|info| {
        let place = info.location().map(ToString::to_string).unwrap_or_default();
        tracing::error!(place, "panic");
    }));
}
