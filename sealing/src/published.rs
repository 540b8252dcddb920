//! What everybody may know of the platform's keys: the public halves of those that open, and from when on each
//! is shown to carriers. Nothing here can open anything.

use std::collections::{BTreeMap, BTreeSet};

use crate::rsa_key::{JwkSet, RsaPublicKey};

#[derive(Clone, Debug, Default)]
pub struct PublishedKeys {
    opening: BTreeMap<String, Published>,
    retired: BTreeSet<String>,
}

/// A key that opens.
#[derive(Clone, Debug)]
pub struct Published {
    pub key: RsaPublicKey,
    /// Carriers are shown it from then on, ms UTC: by then whoever opens has it. `None`: no more.
    pub shown_from_ms: Option<i64>,
}

impl PublishedKeys {
    /// Keys that open, and the names of those that do no more.
    pub fn new(
        opening: impl IntoIterator<Item = Published>,
        retired: impl IntoIterator<Item = String>,
    ) -> Self {
        let named = opening.into_iter().map(|one| (one.key.kid().to_owned(), one));
        Self { opening: named.collect(), retired: retired.into_iter().collect() }
    }

    /// Of a key that opens.
    pub fn get(&self, kid: &str) -> Option<&RsaPublicKey> {
        self.opening.get(kid).map(|one| &one.key)
    }

    /// Whether the platform had it, and opens nothing with it any more.
    pub fn is_retired(&self, kid: &str) -> bool {
        self.retired.contains(kid)
    }

    /// The keys to seal for. While none has been there for long enough, as in a new deployment, those that
    /// there are.
    pub fn shown(&self, now_ms: i64) -> JwkSet {
        let shown = |is_due: &dyn Fn(i64) -> bool| -> Vec<RsaPublicKey> {
            let due = self.opening.values().filter(|one| one.shown_from_ms.is_some_and(is_due));
            due.map(|one| one.key.clone()).collect()
        };
        let due = shown(&|from| from <= now_ms);
        JwkSet::of(if due.is_empty() { shown(&|_| true) } else { due })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::platform_key::PlatformKey;

    #[test]
    fn a_key_is_shown_when_all_can_open_with_it() {
        let key = |kid: &str| PlatformKey::generate(kid, 2048).unwrap().public().clone();
        let one = |kid: &str, shown_from_ms| Published { key: key(kid), shown_from_ms };
        let keys = [one("a", Some(100)), one("b", Some(200)), one("old", None)];
        let keys = PublishedKeys::new(keys, ["gone".to_owned()]);
        let shown = |now_ms| -> Vec<String> {
            keys.shown(now_ms).keys.iter().map(|key| key.kid().to_owned()).collect()
        };
        assert_eq!(shown(99), ["b", "a"], "none has its time, and carriers must have one");
        assert_eq!(shown(100), ["a"]);
        assert_eq!(shown(199), ["a"]);
        assert_eq!(shown(200), ["b", "a"]);
        assert!(keys.get("old").is_some() && keys.get("gone").is_none());
        assert!(keys.is_retired("gone") && !keys.is_retired("old") && !keys.is_retired("x"));
        assert!(PublishedKeys::default().shown(0).keys.is_empty());
    }
}
