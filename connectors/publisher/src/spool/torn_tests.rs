//! The machine loses its power: of what was written since the last sync, some is on the disk, some not, and some
//! in part.

use std::collections::BTreeSet;
use std::io;
use std::sync::{Arc, Mutex};

use redb::StorageBackend;

use super::*;
use crate::testing::sealed;
use crate::transport::Answer;

#[derive(Debug)]
enum Write {
    Bytes(usize, Vec<u8>),
    Length(usize),
}

impl Write {
    /// The first `part` bytes of it, on a disk.
    fn apply(&self, disk: &mut Vec<u8>, part: usize) {
        match self {
            Self::Length(length) => disk.resize(*length, 0),
            Self::Bytes(at, bytes) => {
                let bytes = &bytes[..part.min(bytes.len())];
                disk.resize(disk.len().max(at + bytes.len()), 0);
                disk[*at..at + bytes.len()].copy_from_slice(bytes);
            }
        }
    }
}

/// A disk with a cache before it.
#[derive(Clone, Debug, Default)]
struct Disk(Arc<Mutex<Inside>>);

#[derive(Debug, Default)]
struct Inside {
    seen: Vec<u8>,
    synced: Vec<u8>,
    since: Vec<Write>,
    /// Power is lost after so many writes more, …
    countdown: usize,
    random: fastrand::Rng,
    /// … and this is what is there then.
    lost: Option<Vec<u8>>,
}

impl Inside {
    fn write(&mut self, write: Write) {
        write.apply(&mut self.seen, usize::MAX);
        self.since.push(write);
        self.countdown = self.countdown.wrapping_sub(1);
        if self.countdown == 0 {
            let mut disk = self.synced.clone();
            for write in &self.since {
                match self.random.u8(..3) {
                    0 => write.apply(&mut disk, usize::MAX),
                    1 => write.apply(&mut disk, self.random.usize(..4_096)),
                    _ => {}
                }
            }
            self.lost = Some(disk);
        }
    }
}

impl Disk {
    fn inside(&self) -> std::sync::MutexGuard<'_, Inside> {
        self.0.lock().unwrap()
    }

    fn with(bytes: Vec<u8>) -> Self {
        let inside = Inside { seen: bytes.clone(), synced: bytes, ..Inside::default() };
        Self(Arc::new(Mutex::new(inside)))
    }
}

impl StorageBackend for Disk {
    fn len(&self) -> io::Result<u64> {
        Ok(self.inside().seen.len() as u64)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let at = usize::try_from(offset).unwrap();
        out.copy_from_slice(&self.inside().seen[at..at + out.len()]);
        Ok(())
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.inside().write(Write::Length(usize::try_from(len).unwrap()));
        Ok(())
    }

    fn sync_data(&self) -> io::Result<()> {
        let mut inside = self.inside();
        inside.since.clear();
        inside.synced = inside.seen.clone();
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.inside().write(Write::Bytes(usize::try_from(offset).unwrap(), data.to_vec()));
        Ok(())
    }
}

fn spool(disk: &Disk) -> Spool {
    let file = File::on(disk.clone()).unwrap();
    Spool::of(PathBuf::from("disk"), file, None, 0, Limits::default()).unwrap()
}

fn ids(spool: &Spool) -> BTreeSet<u32> {
    let entries = spool.file.read(0, usize::MAX, usize::MAX).unwrap();
    assert_eq!(spool.held().events, entries.len() as u64);
    entries.iter().map(|entry| entry.event.message_id().parse().unwrap()).collect()
}

/// Each change is there whole or not at all, and is there when it was said to be.
#[test]
fn what_was_taken_survives_a_loss_of_power_at_any_write() {
    let (mut random, mut disk) = (fastrand::Rng::with_seed(7), Disk::default());
    let (mut next, mut torn) = (0, 0);
    for _ in 0..150 {
        let before = spool(&disk);
        let mut there = ids(&before);
        {
            let mut inside = disk.inside();
            inside.countdown = random.usize(1..40);
            inside.random = random.fork();
        }
        let (lost, after) = loop {
            let mut changed = there.clone();
            if random.bool() || there.is_empty() {
                let event = SealedEvent::read(sealed("h", &next.to_string())).unwrap();
                before.take(&[(String::new(), event)]).unwrap();
                changed.insert(next);
                next += 1;
            } else {
                let entries = before.file.read(0, 2, usize::MAX).unwrap();
                let entries: Vec<&Entry> = entries.iter().collect();
                let answer = Answer::Accepted { position: "t-0-1".to_owned() };
                before.settle(&entries, &vec![answer; entries.len()]).unwrap();
                for entry in entries {
                    changed.remove(&entry.event.message_id().parse().unwrap());
                }
            }
            if let Some(lost) = disk.inside().lost.take() {
                break (lost, changed);
            }
            there = changed;
        };
        disk = Disk::with(lost);
        let found = ids(&spool(&disk));
        assert!(found == there || found == after, "{found:?} is neither {there:?} nor {after:?}");
        torn += usize::from(found == there);
    }
    assert!((20..150).contains(&torn), "{torn} of 150 changes were undone");
}
