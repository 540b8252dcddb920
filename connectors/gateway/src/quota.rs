//! What a carrier may send in a day, UTC, whichever gateway it sends to. What the ledger has of the day is asked for
//! now and then. It is some seconds behind, so what this gateway has taken in of late is added: a carrier that sends
//! to several at once may get so much more.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

const DAY_MS: i64 = 86_400_000;
/// By then what was taken in stands in the ledger. If it does not, it counts for the part that this gateway knows.
const BEHIND_MS: i64 = 30_000;

/// How a carrier stands that has a quota.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OfDay {
    pub quota: u64,
    pub remaining: u64,
    /// Until the day ends.
    pub left: Duration,
}

#[derive(Debug, Default)]
pub struct Quotas(RwLock<HashMap<String, Arc<Mutex<Used>>>>);

/// What one carrier has used up of a day.
#[derive(Debug, Default)]
struct Used {
    /// Since 1970.
    day: i64,
    /// Taken in here.
    own: u64,
    /// By the ledger, when it was asked last.
    ledger: u64,
    /// Of `own`, what the ledger has for certain.
    own_in_ledger: u64,
    /// When the ledger was asked, and `own` then.
    asked: VecDeque<(i64, u64)>,
}

impl Used {
    fn turn(&mut self, now_ms: i64) {
        let day = now_ms.div_euclid(DAY_MS);
        if day > self.day {
            *self = Self { day, ..Self::default() };
        }
    }

    fn messages(&self) -> u64 {
        self.own.max(self.ledger + (self.own - self.own_in_ledger))
    }

    fn learn(&mut self, asked_ms: i64, now_ms: i64, ledger: u64) {
        self.turn(now_ms);
        // An answer of yesterday tells nothing of today.
        if asked_ms.div_euclid(DAY_MS) != self.day {
            return;
        }
        let is_settled = |(at, _): &(i64, u64)| *at <= asked_ms - BEHIND_MS;
        while self.asked.front().is_some_and(is_settled) {
            self.own_in_ledger = self.asked.pop_front().map_or(0, |(_, own)| own);
        }
        self.asked.push_back((now_ms, self.own));
        self.ledger = ledger;
    }
}

impl Quotas {
    /// Whether one more message of the carrier is within its quota.
    pub fn of_day(&self, carrier: &str, quota: u64, now_ms: i64) -> OfDay {
        let used = self.used(carrier);
        let mut used = used.lock().unwrap_or_else(PoisonError::into_inner);
        used.turn(now_ms);
        let left = (DAY_MS - now_ms.rem_euclid(DAY_MS)).unsigned_abs();
        let remaining = quota.saturating_sub(used.messages());
        OfDay { quota, remaining, left: Duration::from_millis(left) }
    }

    /// A message that is the carrier's own was taken in.
    pub fn take(&self, carrier: &str, now_ms: i64) {
        let used = self.used(carrier);
        let mut used = used.lock().unwrap_or_else(PoisonError::into_inner);
        used.turn(now_ms);
        used.own += 1;
    }

    /// What the ledger said of the day, by carrier, when it was asked.
    pub fn learn(&self, asked_ms: i64, now_ms: i64, ledger: &HashMap<String, u64>) {
        for carrier in ledger.keys() {
            self.used(carrier);
        }
        for (carrier, used) in self.0.read().unwrap_or_else(PoisonError::into_inner).iter() {
            let messages = ledger.get(carrier).copied().unwrap_or_default();
            let mut used = used.lock().unwrap_or_else(PoisonError::into_inner);
            used.learn(asked_ms, now_ms, messages);
        }
    }

    fn used(&self, carrier: &str) -> Arc<Mutex<Used>> {
        if let Some(used) = self.0.read().unwrap_or_else(PoisonError::into_inner).get(carrier) {
            return used.clone();
        }
        let mut all = self.0.write().unwrap_or_else(PoisonError::into_inner);
        all.entry(carrier.to_owned()).or_default().clone()
    }
}

/// When the day began, ms UTC.
pub fn day_began_ms(now_ms: i64) -> i64 {
    now_ms - now_ms.rem_euclid(DAY_MS)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Noon of some day.
    const NOON: i64 = 20_000 * DAY_MS + DAY_MS / 2;

    fn remaining(quotas: &Quotas, now_ms: i64) -> u64 {
        quotas.of_day("acme", 100, now_ms).remaining
    }

    fn take(quotas: &Quotas, messages: usize, now_ms: i64) {
        (0..messages).for_each(|_| quotas.take("acme", now_ms));
    }

    fn learn(quotas: &Quotas, asked_ms: i64, messages: u64) {
        quotas.learn(asked_ms, asked_ms + 100, &HashMap::from([("acme".to_owned(), messages)]));
    }

    #[test]
    fn what_is_taken_in_counts_at_once_and_a_day_ends_at_midnight() {
        let quotas = Quotas::default();
        take(&quotas, 30, NOON);
        let of_day = quotas.of_day("acme", 100, NOON);
        let half = Duration::from_millis(DAY_MS as u64 / 2);
        assert_eq!(of_day, OfDay { quota: 100, remaining: 70, left: half });
        assert_eq!(quotas.of_day("other", 100, NOON).remaining, 100);
        take(&quotas, 100, NOON);
        assert_eq!(remaining(&quotas, NOON), 0);
        assert_eq!(remaining(&quotas, NOON + DAY_MS / 2 - 1), 0);
        assert_eq!(remaining(&quotas, NOON + DAY_MS / 2), 100);
    }

    #[test]
    fn what_others_took_in_is_known_from_the_ledger() {
        let quotas = Quotas::default();
        take(&quotas, 10, NOON);
        learn(&quotas, NOON, 40);
        assert_eq!(remaining(&quotas, NOON), 50, "whether the 40 have our 10 is not known yet");
        learn(&quotas, NOON + 40_000, 50);
        assert_eq!(remaining(&quotas, NOON), 50, "now they have");
        take(&quotas, 5, NOON + 40_000);
        assert_eq!(remaining(&quotas, NOON + 40_000), 45);
        learn(&quotas, NOON + 80_000, 55);
        learn(&quotas, NOON + 120_000, 55);
        assert_eq!(remaining(&quotas, NOON + 120_000), 45);
    }

    #[test]
    fn a_ledger_that_forgets_or_is_of_another_day_does_not_give_it_back() {
        let quotas = Quotas::default();
        take(&quotas, 20, NOON);
        learn(&quotas, NOON + 40_000, 20);
        learn(&quotas, NOON + 80_000, 0);
        assert_eq!(remaining(&quotas, NOON + 80_000), 80, "what was taken in here is known here");
        let tomorrow = NOON + DAY_MS / 2;
        quotas.learn(tomorrow - 50, tomorrow + 50, &HashMap::from([("acme".to_owned(), 99)]));
        assert_eq!(remaining(&quotas, tomorrow + 50), 100);
    }
}
