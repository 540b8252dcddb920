use std::process::{Child, Command};

/// Foreign load on this machine, until it is dropped.
#[derive(Debug)]
pub struct BusyLoops([Child; 4]);

impl BusyLoops {
    /// # Panics
    /// When there is no shell.
    pub fn start() -> Self {
        // Bounded: it ends by itself if we do not live to end it.
        let one =
            || Command::new("timeout").args(["30", "sh", "-c", "while :; do :; done"]).spawn();
        Self(std::array::from_fn(|_| one().unwrap()))
    }
}

impl Drop for BusyLoops {
    fn drop(&mut self) {
        for one in &mut self.0 {
            // `timeout` hands it on to the shell; its own death would not.
            let _ = Command::new("kill").args(["-TERM", &one.id().to_string()]).status();
            let _ = one.wait();
        }
    }
}
