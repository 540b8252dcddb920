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
    /// There is no room for what is written after so many writes more.
    room: Option<usize>,
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

impl Inside {
    fn use_room(&mut self) -> io::Result<()> {
        match &mut self.room {
            Some(0) => Err(io::Error::from(io::ErrorKind::StorageFull)),
            Some(room) => {
                *room -= 1;
                Ok(())
            }
            None => Ok(()),
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
        self.inside().use_room()?;
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
        self.inside().use_room()?;
        self.inside().write(Write::Bytes(usize::try_from(offset).unwrap(), data.to_vec()));
        Ok(())
    }
}

fn spool(disk: &Disk) -> Spool {
    let disk = disk.clone();
    let open = move || super::file::builder().create_with_backend(disk.clone());
    let file = File::on(open).unwrap();
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

/// A disk that is full refuses, whatever was being written; what was taken is there, and once there is room it goes on,
/// in the same process.
#[test]
fn a_full_disk_refuses_and_the_spool_goes_on_when_there_is_room() {
    let answer = || Answer::Accepted { position: "t-0-1".to_owned() };
    let (mut refused, mut there_all_the_same) = (0, 0);
    for room in 0..40 {
        let disk = Disk::default();
        let spool = spool(&disk);
        let event = |id: u32| {
            (String::new(), SealedEvent::read(sealed(&format!("h-{id}"), &id.to_string())).unwrap())
        };
        spool.take(&[event(0), event(1)]).unwrap();
        disk.inside().room = Some(room);
        let took = spool.take(&[event(2)]);
        if let Err(error) = &took {
            assert!(matches!(error, SpoolError::Storage { .. }), "{error}");
            refused += 1;
            // There still is none, or there is.
            if room % 2 == 0 {
                assert!(spool.take(&[event(3)]).is_err(), "room {room}");
            }
        }
        disk.inside().room = None;
        spool.take(&[event(4)]).unwrap();
        let mut found = ids(&spool);
        there_all_the_same += usize::from(took.is_err() && found.contains(&2));
        assert!(took.is_err() || found.contains(&2), "room {room}");
        found.remove(&2);
        found.remove(&3);
        assert_eq!(found, [0, 1, 4].into(), "room {room}");
        let entries = spool.file.read(0, usize::MAX, usize::MAX).unwrap();
        let entries: Vec<&Entry> = entries.iter().collect();
        disk.inside().room = Some(room);
        let settled = spool.settle(&entries, &vec![answer(); entries.len()]);
        disk.inside().room = None;
        spool.heal().unwrap();
        match settled {
            Ok(_) => assert_eq!(ids(&spool), BTreeSet::new()),
            // Sent once more: nothing is forgotten.
            Err(_) => assert!(ids(&spool).is_empty() || ids(&spool).len() == entries.len()),
        }
    }
    assert!(refused > 2, "{refused} of 40 were refused, {there_all_the_same} of them there");
}
