use std::collections::{BTreeSet, HashMap};
use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use super::*;
use crate::testing::sealed;
use crate::transport::{Answer, Kind, Sent, Transport, Trouble};

const QUICK: Limits = Limits {
    bytes: 1 << 20,
    batch_events: 8,
    batch_bytes: 1 << 20,
    shortest_pause: Duration::from_millis(1),
    longest_pause: Duration::from_millis(2),
};

fn event(handle: &str, id: &str) -> (String, SealedEvent) {
    (format!("{id}.json"), SealedEvent::read(sealed(handle, id)).unwrap())
}

/// A platform that answers as a test says.
struct Answering<F>(F);

impl<F: FnMut(&[&SealedEvent]) -> Sent + Send> Transport for Answering<F> {
    fn send(&mut self, events: &[&SealedEvent]) -> Sent {
        (self.0)(events)
    }
}

fn accepted() -> Answer {
    Answer::Accepted { position: "t-0-1".to_owned() }
}

fn all_accepted(events: &[&SealedEvent]) -> Sent {
    Sent { answers: vec![accepted(); events.len()], trouble: None }
}

/// Delivers all that is in it; the ids, as they were accepted and rejected.
fn deliver(spool: &Spool, transport: &mut impl Transport) -> (Vec<String>, Vec<String>) {
    let (mut good, mut bad) = (Vec::new(), Vec::new());
    spool.finish();
    let ended = spool.deliver(transport, |report| {
        match report {
            Report::Accepted { entry, .. } => good.push(entry.event.message_id().to_owned()),
            Report::Rejected { entry, .. } => bad.push(entry.event.message_id().to_owned()),
            Report::Trouble { .. } => {}
        }
        ControlFlow::Continue(())
    });
    assert_eq!(ended.unwrap(), Ended::Empty);
    (good, bad)
}

/// A platform on which everything goes wrong that can: what it has, it has in the order of each handle.
#[test]
fn whatever_it_is_answered_the_order_of_a_handle_stays() {
    for seed in 0..20 {
        let mut random = fastrand::Rng::with_seed(seed);
        let spool = Spool::in_memory(QUICK).unwrap();
        let events: Vec<_> =
            (0..60).map(|n| event(&format!("h-{}", n % 7), &format!("{n}"))).collect();
        spool.take(&events).unwrap();
        let (mut log, mut refused) = (Vec::new(), BTreeSet::new());
        let mut platform = Answering(|events: &[&SealedEvent]| {
            let handles: BTreeSet<_> = events.iter().map(|event| event.handle()).collect();
            assert_eq!(handles.len(), events.len(), "two of one handle on their way");
            match random.u8(..8) {
                0 => return Trouble::away("nobody is there").into(),
                1 if events.len() > 1 => return Trouble::new(Kind::TooLarge, "too many").into(),
                _ => {}
            }
            let answered = random.usize(..=events.len());
            let mut answers = Vec::new();
            for event in events.iter().take(answered) {
                let id: u32 = event.message_id().parse().unwrap();
                // What is not known may be there.
                if random.bool() {
                    log.push((event.handle().to_owned(), id));
                }
                let is_there = log.iter().any(|(_, there)| *there == id);
                answers.push(match random.u8(..4) {
                    0 if !is_there => {
                        refused.insert(id);
                        Answer::Rejected { code: "expired".into(), detail: String::new() }
                    }
                    1.. if is_there => accepted(),
                    _ => Answer::Unknown,
                });
            }
            Sent { answers, trouble: None }
        });
        let (good, bad) = deliver(&spool, &mut platform);
        assert_eq!(good.len() + bad.len(), 60, "seed {seed}");
        assert_eq!(bad.len(), refused.len());
        let mut last: HashMap<&str, u32> = HashMap::new();
        let mut seen = BTreeSet::new();
        for (handle, id) in log.iter().filter(|(_, id)| seen.insert(*id)) {
            let before = last.insert(handle, *id);
            assert!(before.is_none_or(|before| before < *id), "seed {seed}: {handle}: {log:?}");
        }
        let ids: BTreeSet<u32> = good.iter().map(|id| id.parse().unwrap()).collect();
        assert!(ids.is_subset(&seen), "accepted, and not there");
        assert_eq!(spool.held(), Held { events: 0, bytes: 0, rejected_bytes: 0 });
    }
}

#[test]
fn what_was_taken_is_there_when_it_is_opened_again() {
    let folder = tempfile::tempdir().unwrap();
    let open = || Spool::open(folder.path(), QUICK).unwrap();
    let spool = open();
    spool.take(&[event("a", "1"), event("a", "2")]).unwrap();
    spool.take(&[event("b", "3")]).unwrap();
    let held = spool.held();
    drop(spool);
    let spool = open();
    assert_eq!((spool.held(), held.events), (held, 3));
    // The first comes, and then nobody is there.
    let mut asked = 0;
    let mut platform = Answering(|events: &[&SealedEvent]| {
        asked += 1;
        match asked {
            1 => Sent { answers: vec![accepted()], trouble: None },
            _ => {
                assert_eq!(events[0].message_id(), "2", "it is the first of its handle now");
                Trouble::away("gone").into()
            }
        }
    });
    let mut troubles = 0;
    let ended = spool.deliver(&mut platform, |report| {
        troubles += usize::from(matches!(report, Report::Trouble { .. }));
        if troubles == 2 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    assert_eq!(ended.unwrap(), Ended::Stopped);
    drop(spool);
    let spool = open();
    assert_eq!(spool.held().events, 2);
    assert_eq!(deliver(&spool, &mut Answering(all_accepted)).0, ["2", "3"]);
    drop(spool);
    assert_eq!(open().held(), Held { events: 0, bytes: 0, rejected_bytes: 0 });
}

#[test]
fn one_process_at_a_time() {
    let folder = tempfile::tempdir().unwrap();
    let spool = Spool::open(folder.path(), QUICK).unwrap();
    let second = Spool::open(folder.path(), QUICK).unwrap_err();
    assert!(matches!(second, SpoolError::InUse(_)), "{second}");
    drop(spool);
    Spool::open(folder.path(), QUICK).unwrap();
}

#[test]
fn a_rejected_one_is_kept_with_its_answer_and_does_not_block() {
    let folder = tempfile::tempdir().unwrap();
    let spool = Spool::open(folder.path(), QUICK).unwrap();
    spool.take(&[event("a", "bad"), event("a", "good")]).unwrap();
    let mut platform = Answering(|events: &[&SealedEvent]| {
        let answers = events.iter().map(|event| match event.message_id() {
            "bad" => Answer::Rejected { code: "expired".into(), detail: "too late".into() },
            _ => accepted(),
        });
        Sent { answers: answers.collect(), trouble: None }
    });
    let (good, bad) = deliver(&spool, &mut platform);
    assert_eq!((good, bad), (vec!["good".to_owned()], vec!["bad".to_owned()]));
    let text = std::fs::read(folder.path().join("rejected/000000000000-bad.json")).unwrap();
    let kept: serde_json::Value = serde_json::from_slice(&text).unwrap();
    assert_eq!((&kept["code"], &kept["detail"]), (&"expired".into(), &"too late".into()));
    assert_eq!(kept["source"], "bad.json");
    assert_eq!(kept["sealed"], sealed("a", "bad"), "as it was");
    assert_eq!(spool.held().rejected_bytes, text.len() as u64);
    drop(spool);
    // Numbers are not given again: the next one to be rejected has a file of its own.
    let spool = Spool::open(folder.path(), QUICK).unwrap();
    assert_eq!(spool.held().rejected_bytes, text.len() as u64);
    spool.take(&[event("a", "bad")]).unwrap();
    deliver(&spool, &mut platform);
    assert_eq!(std::fs::read_dir(folder.path().join("rejected")).unwrap().count(), 2);
}

#[test]
fn it_is_bounded_and_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let size = Entry::bytes("1.json", &event("a", "1").1);
    let limits = Limits { bytes: size * 3, ..QUICK };
    let spool = Spool::open(folder.path(), limits).unwrap();
    spool.take(&[event("a", "1"), event("a", "2")]).unwrap();
    let full = spool.take(&[event("a", "3"), event("a", "4")]).unwrap_err();
    assert!(full.to_string().contains("is full"), "{full}");
    assert_eq!(spool.held().events, 2, "nothing of it was taken");
    spool.take(&[event("a", "3")]).unwrap();
    assert!(spool.take(&[event("a", "4")]).is_err());
    let four: Vec<_> = (0..4).map(|n| event("a", &n.to_string())).collect();
    assert!(matches!(spool.take(&four), Err(SpoolError::NeverFits { .. })));

    // What was rejected counts until somebody has looked at it.
    let mut platform = Answering(|events: &[&SealedEvent]| {
        let no = Answer::Rejected { code: "expired".into(), detail: String::new() };
        Sent { answers: vec![no; events.len()], trouble: None }
    });
    assert_eq!(deliver(&spool, &mut platform).1.len(), 3);
    let full = spool.take(&[event("a", "5")]).unwrap_err();
    assert!(full.to_string().contains("of rejected events"), "{full}");
    std::fs::remove_dir_all(folder.path().join("rejected")).unwrap();
    spool.take(&[event("a", "5")]).unwrap();
}

/// The file's room is used again, and it does not grow with what has gone through it.
#[test]
fn its_file_stays_near_its_bound() {
    let folder = tempfile::tempdir().unwrap();
    let limits = Limits { bytes: 2 << 20, batch_events: 1_000, ..QUICK };
    let spool = Spool::open(folder.path(), limits).unwrap();
    let mut n = 0;
    for _ in 0..10 {
        loop {
            let next: Vec<_> = (n..n + 300).map(|n| event("a", &n.to_string())).collect();
            n += 300;
            match spool.take(&next) {
                Ok(()) => {}
                Err(SpoolError::Full { .. }) => break,
                Err(error) => panic!("{error}"),
            }
        }
        let entries = spool.file.read(0, usize::MAX, usize::MAX).unwrap();
        let entries: Vec<&Entry> = entries.iter().collect();
        let answers = vec![accepted(); entries.len()];
        spool.settle(&entries, &answers).unwrap();
        assert_eq!(spool.held().bytes, 0);
    }
    let bytes = std::fs::metadata(folder.path().join("events.redb")).unwrap().len();
    assert!(bytes < (2 << 20) * 3, "{bytes} bytes after 10 times 2 MiB");
}

#[test]
fn too_large_requests_are_split() {
    let spool = Spool::in_memory(Limits { batch_events: 100, ..QUICK }).unwrap();
    let events: Vec<_> = (0..50).map(|n| event(&n.to_string(), &n.to_string())).collect();
    spool.take(&events).unwrap();
    let mut asked = 0;
    let mut platform = Answering(|events: &[&SealedEvent]| {
        asked += 1;
        match events.len() {
            ..=3 => all_accepted(events),
            _ => Trouble::new(Kind::TooLarge, "at most three").into(),
        }
    });
    let (good, _) = deliver(&spool, &mut platform);
    assert_eq!(good.len(), 50);
    assert!(asked < 50, "{asked} requests");
}

#[test]
fn pauses_grow_and_the_other_sides_are_obeyed() {
    let limits = Limits { longest_pause: Duration::from_millis(20), ..QUICK };
    let spool = Spool::in_memory(limits).unwrap();
    spool.take(&[event("a", "1")]).unwrap();
    let asked = Some(Duration::from_millis(100));
    let mut n = 0;
    let mut platform = Answering(move |events: &[&SealedEvent]| {
        n += 1;
        match n {
            1..=9 => Trouble::away("gone").into(),
            10 => Trouble::new(Kind::OverLimit, "slowly").after(asked).into(),
            _ => all_accepted(events),
        }
    });
    let (mut pauses, began) = (Vec::new(), Instant::now());
    spool.finish();
    let ended = spool.deliver(&mut platform, |report| {
        if let Report::Trouble { pause, .. } = report {
            pauses.push(pause);
        }
        ControlFlow::Continue(())
    });
    assert_eq!(ended.unwrap(), Ended::Empty);
    assert_eq!(pauses.len(), 10);
    let longest = Duration::from_millis(40);
    assert!(pauses[0] < Duration::from_millis(4), "{pauses:?}");
    assert!(pauses[8] >= Duration::from_millis(20) && pauses[8] <= longest, "{pauses:?}");
    assert!(pauses[9] >= Duration::from_millis(120), "{pauses:?}");
    assert!(began.elapsed() >= pauses.iter().sum(), "it rested as long as it said");
}

#[test]
fn a_pause_ends_when_it_is_told_to_stop() {
    let spool = Spool::in_memory(QUICK).unwrap();
    spool.take(&[event("a", "1")]).unwrap();
    let mut platform = Answering(|_: &[&SealedEvent]| {
        Trouble::away("gone").after(Some(Duration::from_secs(3_600))).into()
    });
    let began = Instant::now();
    std::thread::scope(|scope| {
        let delivery = scope.spawn(|| {
            spool.deliver(&mut platform, |_| {
                spool.stop();
                ControlFlow::Continue(())
            })
        });
        assert_eq!(delivery.join().unwrap().unwrap(), Ended::Stopped);
    });
    assert!(began.elapsed() < Duration::from_secs(60));
    assert_eq!(spool.held().events, 1);
}

/// It waits for what comes, and goes on.
#[test]
fn what_is_taken_meanwhile_is_delivered() {
    let spool = Spool::in_memory(QUICK).unwrap();
    let mut platform = Answering(all_accepted);
    let mut good = 0;
    std::thread::scope(|scope| {
        let delivery = scope.spawn(|| {
            spool.deliver(&mut platform, |report| {
                good += usize::from(matches!(report, Report::Accepted { .. }));
                ControlFlow::Continue(())
            })
        });
        for n in 0..20 {
            spool.take(&[event("a", &n.to_string())]).unwrap();
            while spool.held().events > 0 {
                spool.wait_for_room(Duration::from_millis(10));
            }
        }
        spool.finish();
        assert_eq!(delivery.join().unwrap().unwrap(), Ended::Empty);
    });
    assert_eq!(good, 20);
}

/// The file is this process', and is opened again by it.
#[test]
fn after_a_failure_of_the_disk_the_file_is_opened_again() {
    let folder = tempfile::tempdir().unwrap();
    let spool = Spool::open(folder.path(), QUICK).unwrap();
    spool.take(&[event("a", "1")]).unwrap();
    spool.file.fail();
    spool.take(&[event("a", "2")]).unwrap();
    assert_eq!(spool.held().events, 2);
    spool.file.fail();
    assert_eq!(deliver(&spool, &mut Answering(all_accepted)).0, ["1", "2"]);
}

/// A new folder's name lies in the one above it: without that on the disk, what is in it goes with the power.
#[test]
fn all_folders_that_get_a_new_name_are_known() {
    let folder = tempfile::tempdir().unwrap();
    let above = folder.path();
    let new = |path: &str| super::file::holders_of_new(&above.join(path));
    assert_eq!(new("a/b/c"), [above.join("a/b"), above.join("a"), above.to_owned()]);
    std::fs::create_dir(above.join("a")).unwrap();
    assert_eq!(new("a/b"), [above.join("a")]);
    assert!(new("a").is_empty());
    assert_eq!(super::file::holders_of_new(Path::new("no-such-spool")), [Path::new(".")]);
}
