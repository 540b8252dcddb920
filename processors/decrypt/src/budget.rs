//! How many RSA operations are free now. What is beyond that waits, and holds nobody up.
//!
//! A grant is proven before its content key is unwrapped: then the carrier has spent it. A signed event is
//! proven only by what it wraps, so anybody may make the platform pay for one in any carrier's name: that
//! takes nothing from what carriers have proven, and all such together have a budget, too.

use std::collections::HashMap;

use waybill_stage::Pace;

/// Whose operation it is. Such carriers are registered, so they are not many.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Payer<'a> {
    Proven(&'a str),
    Claimed(&'a str),
}

#[derive(Debug)]
pub(crate) struct Budget {
    claimed: Pace,
    per_carrier: u32,
    of_proven: HashMap<Box<str>, Pace>,
    of_claimed: HashMap<Box<str>, Pace>,
}

impl Budget {
    /// So many a second for what is not proven, and so many for each carrier, of what it has proven and of
    /// what it has not.
    pub fn new(claimed: u32, per_carrier: u32) -> Self {
        Self {
            claimed: Pace::per_second(claimed),
            per_carrier,
            of_proven: HashMap::new(),
            of_claimed: HashMap::new(),
        }
    }

    /// Takes one, if one is free.
    pub fn allows(&mut self, payer: Payer<'_>, now_ms: i64) -> bool {
        let (carriers, all, carrier_id) = match payer {
            Payer::Proven(carrier_id) => (&mut self.of_proven, None, carrier_id),
            Payer::Claimed(carrier_id) => {
                (&mut self.of_claimed, Some(&mut self.claimed), carrier_id)
            }
        };
        if !carriers.contains_key(carrier_id) {
            carriers.insert(carrier_id.into(), Pace::per_second(self.per_carrier));
        }
        let Some(own) = carriers.get_mut(carrier_id) else { return false };
        if !own.is_free(now_ms) || all.as_ref().is_some_and(|all| !all.is_free(now_ms)) {
            return false;
        }
        own.charge(now_ms);
        if let Some(all) = all {
            all.charge(now_ms);
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::Payer::{Claimed, Proven};
    use super::*;

    #[test]
    fn nobody_takes_what_is_anothers() {
        let mut budget = Budget::new(100, 40);
        let mut taken =
            |payer: Payer<'_>, now: i64| (0..100).filter(|_| budget.allows(payer, now)).count();
        // A quarter of a second's share at once.
        assert_eq!(taken(Claimed("a"), 1_000_000), 10);
        assert_eq!(taken(Claimed("b"), 1_000_000), 10);
        assert_eq!(taken(Claimed("c"), 1_000_000), 5);
        assert_eq!(taken(Claimed("d"), 1_000_000), 0);
        assert_eq!(taken(Proven("a"), 1_000_000), 10);
        assert_eq!(taken(Proven("d"), 1_000_000), 10);
        assert_eq!(taken(Claimed("a"), 1_000_100), 4);
    }
}
