//! The cache of granted content keys: unwrapped key and verdict on the grant, by the exact bytes
//! of encrypted key and grant together, so that neither RSA nor a signature is paid for each
//! event. Successes only. Whether a verdict still counts is not asked here.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use quick_cache::Equivalent;
use quick_cache::sync::Cache;
use waybill_sealing::content_key::ContentKey;
use waybill_sealing::grant::Claims;
use waybill_sealing::signing_key::PublicSigningKey;

/// How often what is too old is thrown out, though nobody asks for it, ms.
const SWEEP_MS: i64 = 60_000;

#[derive(Debug)]
pub(crate) struct Granted {
    /// Zeroized when the last user drops it.
    pub content_key: ContentKey,
    pub verdict: Verdict,
    /// Thumbprint of the platform key that unwrapped it.
    pub platform_key: String,
    pub cached_at_ms: i64,
}

/// A grant whose signature is right.
#[derive(Debug)]
pub(crate) struct Verdict {
    pub claims: Claims<'static>,
    /// The key that gave the verdict: one replaced under its `kid` is another.
    pub signer: PublicSigningKey,
}

#[derive(Debug, PartialEq, Eq, Hash)]
pub(crate) struct Key {
    pub encrypted_key: Box<str>,
    pub grant: Box<str>,
}

/// Hashes as [`Key`] does: the same texts in the same order.
#[derive(Hash)]
pub(crate) struct KeyRef<'a> {
    pub encrypted_key: &'a str,
    pub grant: &'a str,
}

impl Equivalent<Key> for KeyRef<'_> {
    fn equivalent(&self, key: &Key) -> bool {
        *key.encrypted_key == *self.encrypted_key && *key.grant == *self.grant
    }
}

/// The end of an encrypted key's text: as good as random, so it tells keys apart, and short.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Tail([u8; 16]);

impl Tail {
    pub fn of(encrypted_key: &[u8]) -> Option<Self> {
        encrypted_key.last_chunk().copied().map(Self)
    }
}

#[derive(Debug)]
pub(crate) struct KeyCache {
    entries: Cache<Key, Arc<Granted>>,
    /// Of the entries; of some that are gone, too.
    tails: Cache<Tail, ()>,
    max_age_ms: i64,
    swept_at_ms: AtomicI64,
}

impl KeyCache {
    pub fn new(max_entries: usize, max_age_ms: i64) -> Self {
        Self {
            entries: Cache::new(max_entries),
            tails: Cache::new(max_entries),
            max_age_ms,
            swept_at_ms: AtomicI64::new(0),
        }
    }

    /// Whether the encrypted key that ends so is likely here.
    pub fn knows(&self, tail: Tail) -> bool {
        self.tails.get(&tail).is_some()
    }

    pub fn get(&self, encrypted_key: &str, grant: &str, now_ms: i64) -> Option<Arc<Granted>> {
        self.sweep(now_ms);
        let granted = self.entries.get(&KeyRef { encrypted_key, grant })?;
        self.is_fresh(&granted, now_ms).then_some(granted)
    }

    pub fn insert(&self, encrypted_key: &str, grant: &str, granted: Arc<Granted>) {
        if let Some(tail) = Tail::of(encrypted_key.as_bytes()) {
            self.tails.insert(tail, ());
        }
        self.entries
            .insert(Key { encrypted_key: encrypted_key.into(), grant: grant.into() }, granted);
    }

    /// A clock set back makes an entry old, not young for longer.
    fn is_fresh(&self, granted: &Granted, now_ms: i64) -> bool {
        (0..self.max_age_ms).contains(&now_ms.saturating_sub(granted.cached_at_ms))
    }

    /// Throws out what is too old, once a minute.
    pub fn sweep(&self, now_ms: i64) {
        let swept_at_ms = self.swept_at_ms.load(Ordering::Relaxed);
        if (0..SWEEP_MS).contains(&now_ms.saturating_sub(swept_at_ms)) {
            return;
        }
        self.swept_at_ms.store(now_ms, Ordering::Relaxed);
        self.entries.retain(|_, granted| self.is_fresh(granted, now_ms));
    }

    pub fn len(&self) -> usize {
        self.entries.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use waybill_sealing::jws::Algorithm;
    use waybill_sealing::signing_key::PrivateSigningKey;

    fn granted(cached_at_ms: i64) -> Arc<Granted> {
        let private = PrivateSigningKey::generate(Algorithm::EdDsa).unwrap();
        let (iss, aud, kid) = ("i".into(), "a".into(), "k".into());
        Arc::new(Granted {
            content_key: ContentKey::new(&[0; 32]),
            verdict: Verdict {
                claims: Claims { iss, aud, kid, iat: 0.0, exp: 1.0 },
                signer: private.public().clone(),
            },
            platform_key: String::new(),
            cached_at_ms,
        })
    }

    #[test]
    fn found_by_both_texts_and_not_by_their_concatenation() {
        let cache = KeyCache::new(100, 1000);
        cache.insert("ab", "cd", granted(0));
        assert!(cache.get("ab", "cd", 0).is_some());
        for (encrypted_key, grant) in [("a", "bcd"), ("abc", "d"), ("ab", "ce"), ("abcd", "")] {
            assert!(cache.get(encrypted_key, grant, 0).is_none());
        }
    }

    /// A collision of hashes finds nothing: the texts themselves are compared.
    #[test]
    fn equal_texts_and_only_they_are_the_same_key() {
        let key = Key { encrypted_key: "ab".into(), grant: "cd".into() };
        for (encrypted_key, grant, same) in
            [("ab", "cd", true), ("ab", "ce", false), ("aB", "cd", false), ("abc", "d", false)]
        {
            assert_eq!(KeyRef { encrypted_key, grant }.equivalent(&key), same);
        }
    }

    #[test]
    fn bounded_by_number_and_age() {
        let cache = KeyCache::new(100, 90_000);
        for n in 0..1000 {
            cache.insert(&n.to_string(), "", granted(10_000));
        }
        assert!(cache.len() <= 100);
        cache.insert("x", "", granted(10_000));
        for (now_ms, found) in [(10_000, true), (99_999, true), (100_000, false), (9_999, false)] {
            cache.swept_at_ms.store(now_ms, Ordering::Relaxed);
            assert_eq!(cache.get("x", "", now_ms).is_some(), found, "{now_ms}");
        }
        let held = granted(10_000);
        cache.insert("y", "", held.clone());
        cache.sweep(200_000);
        assert_eq!(cache.len(), 0, "nobody has to ask for an old key");
        assert_eq!(Arc::strong_count(&held), 1, "so it is dropped, and zeroized");
    }
}
