use crate::exit::Failure;

/// Calls `then` on the first SIGINT or SIGTERM; a second one ends the process at once.
pub fn on_stop(then: impl FnOnce() + Send + 'static) -> Result<(), Failure> {
    let failed = |e: std::io::Error| Failure::failed(format!("signals: {e}"));
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(failed)?;
    std::thread::Builder::new()
        .name("signals".to_owned())
        .spawn(move || {
            runtime.block_on(async move {
                use tokio::signal::unix::{SignalKind, signal};
                let (Ok(mut int), Ok(mut term)) =
                    (signal(SignalKind::interrupt()), signal(SignalKind::terminate()))
                else {
                    tracing::error!("signals cannot be caught: only a kill will end this process");
                    return;
                };
                tokio::select! { _ = int.recv() => {} _ = term.recv() => {} }
                then();
                tokio::select! { _ = int.recv() => {} _ = term.recv() => {} }
                std::process::exit(130);
            });
        })
        .map_err(failed)?;
    Ok(())
}
