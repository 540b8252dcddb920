//! Events changed at random never open, and never panic.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod forge;

use forge::{Event, World};

/// xorshift64*: the cases are the same in every run.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) as usize % limit
    }
}

const ALPHABET: &[u8] =
    b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.=\n\0\xff";

fn mutate(value: &mut Vec<u8>, random: &mut Random) {
    for _ in 0..=random.below(3) {
        if value.is_empty() {
            return;
        }
        let at = random.below(value.len());
        let byte = ALPHABET[random.below(ALPHABET.len())];
        match random.below(6) {
            0 => drop(value.remove(at)),
            1 => value.insert(at, byte),
            2 => value.truncate(at.max(1)),
            3 => {
                let other = random.below(value.len());
                value.swap(at, other);
            }
            _ => value[at] = byte,
        }
    }
}

#[test]
fn a_changed_event_never_opens() {
    let world = World::new();
    let mut random = Random(0x5eed);
    for (event, rounds) in [(Event::granted(), 20_000), (Event::signed(), 3000)] {
        let record = event.record();
        world.open(&record).unwrap();
        for _ in 0..rounds {
            let mut changed = record.clone();
            mutate(changed.value.as_mut().unwrap(), &mut random);
            assert!(
                changed.value == record.value || world.open(&changed).is_err(),
                "{}",
                String::from_utf8_lossy(&changed.value.unwrap())
            );
        }
    }
}

/// The header in clear, changed and sealed again by somebody who knows the content key but not
/// the signing key: text by text, so that the changes get past base64url.
#[test]
fn a_changed_header_never_panics() {
    let world = World::new();
    let mut random = Random(0xfeed);
    let event = Event::granted();
    let json = event.header.json();
    for _ in 0..20_000 {
        let mut header = json.clone().into_bytes();
        mutate(&mut header, &mut random);
        let mut record = event.record();
        let value = String::from_utf8(record.value.unwrap()).unwrap();
        let rest = value.split_once('.').unwrap().1;
        let text = waybill_sealing::base64url::encode(&header);
        record.value = Some(format!("{text}.{rest}").into_bytes());
        assert!(header == json.as_bytes() || world.open(&record).is_err());
    }
}
