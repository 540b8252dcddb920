//! No record can kill a process again and again. Beside a committed offset stands what was begun behind
//! it; a process that finds something begun there, by another that never came back to commit it, takes
//! fewer records at once than that one did. So the record that kills is found in a few deaths, alone, and
//! after two more it is set aside.
//!
//! | beside the offset | means |
//! |---|---|
//! | nothing | all is well |
//! | `begun WHO AT_ONCE UNTIL DEATHS` | WHO takes AT_ONCE records at once from here, until offset UNTIL |
//! | `rests AT_ONCE UNTIL DEATHS` | the same, and whoever did so has gone in good order |
//!
//! A process that is killed by somebody, and not by a record, costs the same caution, and no more: what
//! is committed in between takes it back. Nor is a record set aside for what another one did: while records
//! are taken alone, it is put down before each that it was begun, and behind it that nothing is.

use std::fmt::Write;

/// By so much fewer records are taken at once after a death.
const FEWER: usize = 16;
/// How often a record that is taken alone may end its process before it is set aside.
const DEATHS: u32 = 2;

/// How a partition is read where a process has died, or may.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Caution {
    /// Records, at most, in one transaction.
    pub at_once: usize,
    /// Behind this offset there is no reason for it.
    until: i64,
    /// How many processes have ended while they had the next record alone.
    deaths: u32,
}

impl Caution {
    /// At the beginning: how `offset` is read on, when that stands beside it. `me` is this process, and
    /// `most` what one takes at once where all is well.
    pub fn taken_over(metadata: &str, offset: i64, me: &str, most: usize) -> Self {
        let calm = Self { at_once: most, until: offset, deaths: 0 };
        let words: Vec<&str> = metadata.split(' ').collect();
        let (who, numbers) = match words.as_slice() {
            ["begun", who, numbers @ ..] => (Some(*who), numbers),
            ["rests", numbers @ ..] => (None, numbers),
            _ => return calm,
        };
        let parsed = match numbers {
            [at_once, until, deaths] => at_once
                .parse()
                .ok()
                .zip(until.parse().ok())
                .zip(deaths.parse().ok())
                .map(|((at_once, until), deaths)| Self { at_once, until, deaths }),
            _ => None,
        };
        let Some(before) = parsed else { return calm };
        // We ourselves are alive: a fault is no death.
        if who.is_none_or(|who| who == me) {
            return before;
        }
        if before.is_alone() {
            return Self { deaths: before.deaths.saturating_add(1), ..before };
        }
        // The one that killed is among these. Offsets have gaps: transactions' markers.
        let among = i64::try_from(before.at_once).unwrap_or(i64::MAX).saturating_mul(4);
        Self {
            at_once: (before.at_once / FEWER).max(1),
            until: offset.saturating_add(among),
            deaths: 0,
        }
    }

    /// Whether what stands beside an offset is about this.
    pub fn wrote(metadata: &str) -> bool {
        metadata.starts_with("begun ") || metadata.starts_with("rests ")
    }

    /// Whether the next record is taken alone.
    pub fn is_alone(self) -> bool {
        self.at_once <= 1
    }

    /// Whether the next record is to be set aside.
    pub fn is_poison(self) -> bool {
        self.is_alone() && self.deaths >= DEATHS
    }

    /// What is to stand beside the offset before its record is taken.
    pub fn begun(self, me: &str) -> String {
        let mut text = format!("begun {me} ");
        let _ = write!(text, "{} {} {}", self.at_once, self.until, self.deaths);
        text
    }

    /// What is to stand there once nobody works at it.
    pub fn rests(self) -> String {
        format!("rests {} {} {}", self.at_once, self.until, self.deaths)
    }

    /// Once everything before `offset` is committed: how to go on, unless as ever.
    pub fn behind(self, offset: i64) -> Option<Self> {
        (offset < self.until).then_some(Self { deaths: 0, ..self })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOST: usize = 2_000;

    /// Processes one after the other read from offset 0; the record at `killer` ends each that takes
    /// it. How many died, and which offset was set aside.
    fn life_after_death(killer: i64, end: i64) -> (u32, Vec<i64>) {
        let (mut offset, mut metadata) = (0, String::new());
        let (mut died, mut aside) = (0, Vec::new());
        for process in 0..100 {
            let me = process.to_string();
            let mut caution = Some(Caution::taken_over(&metadata, offset, &me, MOST));
            loop {
                if let Some(caution) = caution {
                    metadata = caution.begun(&me);
                }
                let at_once = caution.map_or(MOST, |caution| caution.at_once) as i64;
                let next = end.min(offset + at_once);
                if caution.is_some_and(Caution::is_poison) {
                    aside.push(offset);
                } else if (offset..next).contains(&killer) {
                    died += 1;
                    break;
                }
                offset = next;
                caution = caution.and_then(|caution| caution.behind(offset));
                metadata = String::new();
                if offset == end {
                    return (died, aside);
                }
            }
        }
        panic!("killed for ever, at {offset}: {metadata}");
    }

    #[test]
    fn a_record_that_kills_is_found_and_set_aside_alone() {
        for killer in [0, 1, 15, 124, 125, 1_999, 2_000, 4_321, 9_999] {
            let (died, aside) = life_after_death(killer, 10_000);
            assert_eq!(aside, [killer]);
            assert!(died <= 7, "{killer}: {died} deaths");
        }
        assert_eq!(life_after_death(-1, 10_000), (0, vec![]));
    }

    #[test]
    fn a_fault_and_a_good_end_are_no_deaths() {
        let begun = Caution { at_once: 1, until: 50, deaths: 1 };
        let again = |text: &str, me: &str| Caution::taken_over(text, 7, me, MOST);
        assert_eq!(again(&begun.begun("a"), "a"), begun);
        assert_eq!(again(&begun.rests(), "b"), begun);
        assert_eq!(again(&begun.begun("a"), "b"), Caution { deaths: 2, ..begun });
        assert!(again(&begun.begun("a"), "b").is_poison() && !begun.is_poison());
        assert!(Caution::wrote(&begun.begun("a")) && Caution::wrote(&begun.rests()));
        assert!(!Caution::wrote("") && !Caution::wrote("17-42"));
    }

    #[test]
    fn what_nobody_of_us_wrote_is_nothing() {
        let calm = Caution { at_once: MOST, until: 7, deaths: 0 };
        for text in ["", "begun", "begun a 1", "begun a x 1 1", "rests 1 2 3 4", "1-2"] {
            assert_eq!(Caution::taken_over(text, 7, "me", MOST), calm, "{text}");
        }
        assert_eq!(calm.behind(7), None);
    }
}
