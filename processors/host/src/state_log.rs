//! What stands in aggregate's changelog, told from what somebody else has written there.
//!
//! Every value is sealed, and says which batch of its partition wrote it: batches are numbered, and the numbers
//! only grow. So an old value that is put back is seen, since a later batch's stands before it. What takes a
//! record away is sealed too: a value without content, and behind it the null that lets the broker forget both.
//! A null alone takes nothing away.
//!
//! What is strange is left out, said and counted, and what was there before it stays in force, as long as the
//! broker has it: compaction keeps the last record of a key, whoever wrote it. Only the broker's access lists
//! keep others from writing here.

use std::collections::HashSet;
use std::hash::{BuildHasher, RandomState};

use waybill_schemas::Role;
use waybill_stage::Fault;

use crate::topic_cipher::TopicCipher;

/// What a record of the changelog means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Meaning {
    Value(Vec<u8>),
    /// The key's record is taken away.
    Gone,
    /// It was said before, or it is of a key that has no record.
    Nothing,
    /// Nobody of us wrote it here and now; what it is, for those who read a log.
    Strange(&'static str),
}

/// Reads a changelog from its beginning.
#[derive(Debug, Default)]
pub struct StateLog {
    /// The last batch that wrote so far.
    pub batch: u64,
    hasher: RandomState,
    /// Keys that were said to be gone, and whose null comes next.
    gone: HashSet<u64>,
    /// Keys whose value is of a build before 30 November 2026, which took away by a null alone.
    of_before: HashSet<u64>,
}

impl StateLog {
    /// `is_there`: the key has a record by what was read so far.
    pub fn read(
        &mut self,
        cipher: &TopicCipher,
        key: &[u8],
        value: Option<&[u8]>,
        is_there: bool,
    ) -> Result<Meaning, Fault> {
        let id = self.hasher.hash_one(key);
        let Some(value) = value else {
            let of_before = self.of_before.remove(&id);
            let meaning = match () {
                () if self.gone.remove(&id) || !is_there => Meaning::Nothing,
                () if of_before => Meaning::Gone,
                () => Meaning::Strange("null"),
            };
            return Ok(meaning);
        };
        let mut plain = Vec::with_capacity(value.len());
        let opened = cipher.open_from(Role::AggregateState, key, value, &mut plain)?;
        let Some(origin) = opened else { return Ok(Meaning::Strange("not_ours")) };
        match <[u8; 8]>::try_from(origin.as_slice()).map(u64::from_be_bytes) {
            Ok(batch) if batch >= self.batch => self.batch = batch,
            Err(_) if self.batch == 0 => {
                self.of_before.insert(id);
                return Ok(Meaning::Value(plain));
            }
            _ => return Ok(Meaning::Strange("put_back")),
        }
        self.of_before.remove(&id);
        if plain.is_empty() {
            self.gone.insert(id);
            return Ok(Meaning::Gone);
        }
        self.gone.remove(&id);
        Ok(Meaning::Value(plain))
    }
}

/// What says of a value which batch wrote it.
pub fn origin(batch: u64) -> [u8; 8] {
    batch.to_be_bytes()
}

#[cfg(test)]
mod tests {
    use waybill_sealing::internal::InternalKey;

    use super::*;
    use crate::topic_cipher::RoleKeys;

    type Records = Vec<(&'static [u8], Option<Vec<u8>>)>;

    fn cipher() -> TopicCipher {
        TopicCipher::new(&RoleKeys::of(&InternalKey::generate().unwrap()).unwrap(), || 0).unwrap()
    }

    fn sealed(cipher: &TopicCipher, key: &[u8], origin: &[u8], plain: &[u8]) -> Option<Vec<u8>> {
        let mut value = Vec::new();
        cipher.seal_from(Role::AggregateState, key, origin, plain, &mut value).unwrap();
        Some(value)
    }

    /// What each record means, and what is there in the end.
    fn read(
        cipher: &TopicCipher,
        records: &Records,
    ) -> (Vec<String>, Vec<(&'static [u8], String)>) {
        let mut log = StateLog::default();
        let mut there = std::collections::BTreeMap::new();
        let mut said = Vec::new();
        for (key, value) in records {
            let is_there = there.contains_key(key);
            let meaning = log.read(cipher, key, value.as_deref(), is_there).unwrap();
            said.push(match meaning {
                Meaning::Value(plain) => {
                    let text = String::from_utf8(plain).unwrap();
                    there.insert(*key, text.clone());
                    text
                }
                Meaning::Gone => {
                    there.remove(key);
                    "gone".to_owned()
                }
                Meaning::Nothing => String::new(),
                Meaning::Strange(what) => format!("({what})"),
            });
        }
        (said, there.into_iter().collect())
    }

    #[test]
    fn what_somebody_else_writes_changes_nothing() {
        let v = cipher();
        let of = |key: &'static [u8], batch, plain: &str| {
            (key, sealed(&v, key, &origin(batch), plain.as_bytes()))
        };
        let (one, two) = (of(b"a", 1, "a1"), of(b"a", 2, "a2"));
        let records = vec![
            one.clone(),
            of(b"b", 1, "b1"),
            two.clone(),
            (&b"b"[..], None),
            one.clone(),
            (&b"a"[..], Some(b"{}".to_vec())),
            // Moved from another key.
            (&b"b"[..], two.1.clone()),
            // The last batch's own, once more, says what it said.
            two.clone(),
        ];
        let (said, there) = read(&v, &records);
        assert_eq!(
            said,
            ["a1", "b1", "a2", "(null)", "(put_back)", "(not_ours)", "(not_ours)", "a2"]
        );
        assert_eq!(there, [(&b"a"[..], "a2".to_owned()), (&b"b"[..], "b1".to_owned())]);
    }

    #[test]
    fn what_we_take_away_is_gone_whatever_compaction_has_left_of_it() {
        let v = cipher();
        let of = |key: &'static [u8], batch, plain: &str| {
            (key, sealed(&v, key, &origin(batch), plain.as_bytes()))
        };
        let all = [
            of(b"a", 1, "a1"),
            of(b"b", 1, "b1"),
            of(b"a", 2, ""),
            (&b"a"[..], None),
            of(b"b", 3, "b3"),
        ];
        for left_out in [&[][..], &[0], &[0, 2], &[0, 2, 3], &[1]] {
            let records = all
                .iter()
                .enumerate()
                .filter(|(n, _)| !left_out.contains(n))
                .map(|(_, r)| r.clone());
            let (said, there) = read(&v, &records.collect());
            assert!(said.iter().all(|said| !said.starts_with('(')), "{left_out:?} {said:?}");
            assert_eq!(there, [(&b"b"[..], "b3".to_owned())], "{left_out:?}");
        }
        // It comes again; and that it was gone once is no more put back than a value is.
        let gone = of(b"a", 2, "");
        let again =
            vec![of(b"a", 1, "a1"), gone.clone(), (&b"a"[..], None), of(b"a", 4, "a4"), gone];
        let (said, there) = read(&v, &again);
        assert_eq!(said, ["a1", "gone", "", "a4", "(put_back)"]);
        assert_eq!(there, [(&b"a"[..], "a4".to_owned())]);
    }

    /// What a build before wrote is as it was, until this one has written: from then on it is put back.
    #[test]
    fn values_of_before_are_taken_as_they_were() {
        let v = cipher();
        let before =
            |key: &'static [u8], plain: &str| (key, sealed(&v, key, &[], plain.as_bytes()));
        let of = |key: &'static [u8], batch, plain: &str| {
            (key, sealed(&v, key, &origin(batch), plain.as_bytes()))
        };
        let records = vec![
            before(b"a", "a"),
            before(b"b", "b"),
            before(b"c", "c"),
            (&b"a"[..], None),
            of(b"b", 1, "b1"),
            // An old one, of which the new build has written nothing yet.
            (&b"c"[..], None),
            before(b"b", "b"),
            (&b"b"[..], None),
        ];
        let (said, there) = read(&v, &records);
        assert_eq!(said, ["a", "b", "c", "gone", "b1", "gone", "(put_back)", "(null)"]);
        assert_eq!(there, [(&b"b"[..], "b1".to_owned())]);
    }
}
