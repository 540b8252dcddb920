//! A publisher is killed again and again, at any moment, while its gateway answers badly: nothing that was taken
//! is lost, and the events of a handle arrive in their order.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod fake;

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader};
use std::ops::ControlFlow;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use fake::{FakeGateway, sealed};
use waybill_publisher::{Ended, Https, HttpsSettings, Limits, SealedEvent, Spool};

const HANDLES: u32 = 5;
const KILLS: u32 = 15;

/// Of the process that is killed: where its spool is, whom it asks, and its first event's number.
const FOLDER: &str = "PUBLISHER_TEST_FOLDER";
const URL: &str = "PUBLISHER_TEST_URL";
const FIRST: &str = "PUBLISHER_TEST_FIRST";

fn limits() -> Limits {
    let ms = Duration::from_millis;
    Limits { batch_events: 3, shortest_pause: ms(1), longest_pause: ms(10), ..Limits::default() }
}

fn gateway(url: &str) -> Https {
    Https::new(&HttpsSettings { url: url.to_owned(), ..HttpsSettings::default() }).unwrap()
}

/// Takes events and says so, and delivers them meanwhile, until it is killed.
#[test]
#[ignore = "the process that the other test kills"]
fn publisher() {
    let of = |name| std::env::var(name).unwrap();
    let spool = Spool::open(of(FOLDER), limits()).unwrap();
    let mut gateway = gateway(&of(URL));
    std::thread::scope(|scope| {
        scope.spawn(|| spool.deliver(&mut gateway, |_| ControlFlow::Continue(())).unwrap());
        for n in of(FIRST).parse::<u32>().unwrap().. {
            let event = SealedEvent::read(sealed(&format!("h-{}", n % HANDLES), n)).unwrap();
            spool.take(&[(String::new(), event)]).unwrap();
            println!("taken {n}");
        }
    });
}

fn start(folder: &std::path::Path, url: &str, first: u32) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "publisher", "--ignored", "--nocapture"])
        .env(FOLDER, folder)
        .env(URL, url)
        .env(FIRST, first.to_string())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap()
}

#[test]
fn nothing_that_was_taken_is_lost_and_a_handle_keeps_its_order() {
    let folder = tempfile::tempdir().unwrap();
    let gateway_there = FakeGateway::start();
    let mut taken = BTreeSet::new();
    let mut next = 0;
    for _ in 0..KILLS {
        let mut child = start(folder.path(), &gateway_there.url, next);
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let (killed_at, mut is_killed) = (fastrand::u32(1..20), false);
        let mut in_this = 0;
        for line in lines {
            let line = line.unwrap();
            // The harness of the test begins its lines otherwise, and may not end them.
            let Some(n) = line.rsplit("taken ").next().and_then(|n| n.parse::<u32>().ok()) else {
                continue;
            };
            taken.insert(n);
            in_this += 1;
            if in_this >= killed_at && !is_killed {
                std::thread::sleep(Duration::from_micros(fastrand::u64(..20_000)));
                child.kill().unwrap();
                is_killed = true;
            }
        }
        child.wait().unwrap();
        assert!(is_killed, "it ended before it was killed");
        // One more may have been taken and not said.
        next = taken.last().unwrap() + 2;
    }
    let spool = Spool::open(folder.path(), limits()).unwrap();
    spool.finish();
    let mut https = gateway(&gateway_there.url);
    let (began, mut rejected) = (Instant::now(), 0);
    let ended = spool.deliver(&mut https, |report| {
        assert!(began.elapsed() < Duration::from_secs(60), "{report:?}");
        rejected += u32::from(matches!(report, waybill_publisher::Report::Rejected { .. }));
        ControlFlow::Continue(())
    });
    assert_eq!((ended.unwrap(), spool.held().events, rejected), (Ended::Empty, 0, 0));

    let log = gateway_there.log();
    let there: BTreeSet<u32> = log.iter().map(|(_, n)| *n).collect();
    let lost: Vec<_> = taken.difference(&there).collect();
    assert!(lost.is_empty(), "lost: {lost:?}");
    assert!(taken.len() > KILLS as usize, "{} were taken", taken.len());
    let (mut last, mut seen) = (BTreeMap::new(), BTreeSet::new());
    for (handle, n) in log.iter().filter(|(_, n)| seen.insert(*n)) {
        let before = last.insert(handle, *n);
        assert!(before.is_none_or(|before| before < *n), "{handle}: {n} after {before:?}");
    }
    let copies = log.len() - there.len();
    println!("{} taken, {} there, {copies} copies", taken.len(), there.len());
}
