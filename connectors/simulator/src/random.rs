//! Chance, from a seed.

/// SplitMix64 (Steele, Lea, Flood 2014). Our own ten lines, since a simulation must give the same
/// bytes for its seed in every release, which the generators of `rand` do not promise.
#[derive(Clone, Debug)]
pub(crate) struct Random(u64);

impl Random {
    /// Independent of every generator whose parts differ.
    pub(crate) fn new(parts: &[u64]) -> Self {
        let mut state = 0;
        for part in parts {
            state = Self(state ^ part).next();
        }
        Self(state)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// 0 ≤ n < `end`; 0 if `end` is 0.
    pub(crate) fn below(&mut self, end: usize) -> usize {
        let product = u128::from(self.next()) * u128::try_from(end).unwrap_or(0);
        usize::try_from(product >> 64).unwrap_or(0)
    }

    /// 0 ≤ x < 1.
    pub(crate) fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1u64 << 53) as f64
    }

    pub(crate) fn chance(&mut self, share: f64) -> bool {
        self.unit() < share
    }

    /// Between `from` and `to`.
    pub(crate) fn between(&mut self, from: f64, to: f64) -> f64 {
        from + self.unit() * (to - from)
    }

    /// `None` only for an empty list.
    pub(crate) fn pick<'a, T>(&mut self, list: &'a [T]) -> Option<&'a T> {
        list.get(self.below(list.len()))
    }
}
