/// So many a second, and a few of them at once: what is beyond is told, and may be done all the same.
///
/// It is charged for what was done, which a limiter that only allows or refuses cannot be; and its clock is
/// a parameter. That is the "virtual scheduling" form of GCRA (ITU-T I.371, annex A).
#[derive(Clone, Debug)]
pub struct Pace {
    /// Between two, ms.
    interval: f64,
    /// How far ahead of the clock one may be, ms.
    ahead: f64,
    /// When the last one that was charged would have been done, ms UTC.
    at: f64,
}

impl Pace {
    /// At once goes what a quarter of a second allows, and one at least.
    pub fn per_second(most: u32) -> Self {
        let interval = 1000.0 / f64::from(most.max(1));
        Self { interval, ahead: interval.max(250.0), at: 0.0 }
    }

    /// Whether there is one free.
    #[allow(clippy::cast_precision_loss)]
    pub fn is_free(&self, now_ms: i64) -> bool {
        let wait = self.at - now_ms as f64;
        // The clock was set back: nobody waits for it.
        let is_strange = wait > 60_000.0;
        wait + self.interval <= self.ahead || is_strange
    }

    #[allow(clippy::cast_precision_loss)]
    pub fn charge(&mut self, now_ms: i64) {
        let now = now_ms as f64;
        let since = if self.at - now > 60_000.0 { now } else { self.at.max(now) };
        self.at = since + self.interval;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many are free from `from` to `to`, if each that is free is taken.
    fn taken(pace: &mut Pace, from: i64, to: i64) -> usize {
        let mut taken = 0;
        for now in from..to {
            while pace.is_free(now) {
                pace.charge(now);
                taken += 1;
            }
        }
        taken
    }

    #[test]
    fn so_many_a_second_and_a_quarter_of_them_at_once() {
        let mut pace = Pace::per_second(100);
        assert_eq!(taken(&mut pace, 1_000_000, 1_000_001), 25);
        assert_eq!(taken(&mut pace, 1_000_001, 1_001_000), 99);
        // What was not taken is not saved up.
        assert_eq!(taken(&mut pace, 1_100_000, 1_100_001), 25);
        let mut slow = Pace::per_second(1);
        assert_eq!(taken(&mut slow, 1_000_000, 1_010_000), 10);
    }

    #[test]
    fn what_was_done_beyond_it_is_waited_for() {
        let mut pace = Pace::per_second(10);
        for _ in 0..12 {
            pace.charge(5_000);
        }
        assert!(!pace.is_free(5_900));
        assert!(pace.is_free(6_100));
    }

    #[test]
    fn a_clock_that_is_set_back_stops_nothing() {
        let mut pace = Pace::per_second(10);
        pace.charge(10_000_000);
        assert_eq!(taken(&mut pace, 1_000, 1_001), 2);
    }
}
