//! What a process has used, as Linux tells it.

/// User and system time, s (fields 14 and 15 of /proc/PID/stat, in ticks of 10 ms). 0 for a process
/// that has ended.
pub fn cpu_seconds(pid: u32) -> f64 {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let after = stat.rsplit(')').next().unwrap_or_default();
    after.split_whitespace().skip(11).take(2).filter_map(|t| t.parse::<f64>().ok()).sum::<f64>()
        / 100.0
}

/// The most memory it ever had resident, MB.
pub fn peak_mb(pid: u32) -> f64 {
    status(pid, "VmHWM:") / 1024.0
}

/// How often its threads that live have stopped to wait for something.
pub fn waits(pid: u32) -> f64 {
    let Ok(threads) = std::fs::read_dir(format!("/proc/{pid}/task")) else { return 0.0 };
    threads
        .flatten()
        .filter_map(|thread| std::fs::read_to_string(thread.path().join("status")).ok())
        .map(|text| line(&text, "voluntary_ctxt_switches:"))
        .sum()
}

fn status(pid: u32, key: &str) -> f64 {
    line(&std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default(), key)
}

fn line(text: &str, key: &str) -> f64 {
    let line = text.lines().find(|l| l.starts_with(key)).unwrap_or_default();
    line.split_whitespace().nth(1).and_then(|n| n.parse().ok()).unwrap_or(0.0)
}
