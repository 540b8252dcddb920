/// A place at which a test can make the process die, as by kill -9: `FAILPOINTS=NAME=1%return` in
/// the environment. Built only with the feature `failpoints`; elsewhere it is nothing.
#[inline]
pub fn crash_point(name: &str) {
    #[cfg(feature = "failpoints")]
    fail::fail_point!(name, |_| {
        // No destructor, no flush, no goodbye to the group.
        let _ = std::process::Command::new("kill")
            .args(["-9", &std::process::id().to_string()])
            .status();
        std::process::abort();
    });
    #[cfg(not(feature = "failpoints"))]
    let _ = name;
}

/// Reads `FAILPOINTS`, once, at the start of a process.
pub fn arm() {
    #[cfg(feature = "failpoints")]
    std::mem::forget(fail::FailScenario::setup());
}
