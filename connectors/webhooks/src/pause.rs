//! How long to wait before the next try: twice as long each time, and up to twice that by chance, so that what failed
//! together is not tried together.

use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBuilder};

/// With what chance adds, up to an hour.
const LONGEST: Duration = Duration::from_secs(30 * 60);
const FIRST: Duration = Duration::from_secs(5);
/// An endpoint that has failed is left alone so long, whatever is due to it.
const FIRST_REST: Duration = Duration::from_secs(1);
const LONGEST_REST: Duration = Duration::from_secs(30);
/// No endpoint may ask to be left alone for longer (`Retry-After`).
const LONGEST_ASKED: Duration = Duration::from_secs(3_600);

/// Before a delivery is tried again that was tried `attempts` times.
pub fn before_next(attempts: u32) -> Duration {
    nth(FIRST, LONGEST, attempts)
}

/// For an endpoint that has failed so many times in a row.
pub fn rest(failures: u32) -> Duration {
    nth(FIRST_REST, LONGEST_REST, failures)
}

/// What the endpoint has asked for, within bounds.
pub fn asked(wait: Duration) -> Duration {
    wait.min(LONGEST_ASKED)
}

fn nth(first: Duration, longest: Duration, n: u32) -> Duration {
    let mut pauses = ExponentialBuilder::default()
        .with_min_delay(first)
        .with_max_delay(longest)
        .with_jitter()
        .without_max_times()
        .build();
    pauses.nth(n.saturating_sub(1).min(32) as usize).unwrap_or(longest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_from_seconds_to_an_hour() {
        for (attempts, least) in [(1, 5), (2, 10), (3, 20), (9, 1_280), (10, 1_800), (99, 1_800)] {
            for _ in 0..50 {
                let pause = before_next(attempts).as_secs_f64();
                let least = f64::from(least);
                assert!((least..=2.0 * least).contains(&pause), "{attempts}: {pause}");
            }
        }
        let different: std::collections::BTreeSet<_> = (0..50).map(|_| before_next(5)).collect();
        assert!(different.len() > 40);
        assert!(rest(1) >= Duration::from_secs(1) && rest(40) <= Duration::from_secs(60));
        assert_eq!(asked(Duration::from_secs(86_400)), Duration::from_secs(3_600));
    }
}
