//! Chance, by a seed: the same one, the same history, on every machine.

/// SplitMix64 (Steele, Lea, Flood 2014).
#[derive(Clone, Debug)]
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// One of `from..to`, which has one at least.
    pub fn within(&mut self, from: i64, to: i64) -> i64 {
        let width = u64::try_from(to - from).expect("from is not behind to");
        from + i64::try_from(self.next() % width).expect("it is less than the width")
    }

    /// True so many times in a thousand.
    pub fn permille(&mut self, so_many: u64) -> bool {
        self.next() % 1000 < so_many
    }

    pub fn index(&mut self, len: usize) -> usize {
        usize::try_from(self.next() % len as u64).expect("it is less than the length")
    }

    pub fn pick<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[self.index(of.len())]
    }

    pub fn shuffle<T>(&mut self, all: &mut [T]) {
        for n in (1..all.len()).rev() {
            all.swap(n, self.index(n + 1));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_numbers_are_splitmix_s() {
        // The first ones from 1234567, as published with the reference implementation's tests.
        let mut random = Random::new(1_234_567);
        let first = [6_457_827_717_110_365_317, 3_203_168_211_198_807_973];
        assert_eq!([random.next(), random.next()], first);
    }

    #[test]
    fn what_is_drawn_is_within_its_bounds_and_reaches_them() {
        let mut random = Random::new(1);
        let mut seen = [false; 3];
        for _ in 0..100 {
            seen[usize::try_from(random.within(-1, 2) + 1).unwrap()] = true;
        }
        assert_eq!(seen, [true; 3]);
        assert!(!random.permille(0) && random.permille(1000));
        let mut all = [1, 2, 3, 4, 5];
        random.shuffle(&mut all);
        all.sort_unstable();
        assert_eq!(all, [1, 2, 3, 4, 5]);
    }
}
