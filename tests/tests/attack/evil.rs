//! What is tried.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use waybill_tests::{Attacker, DCSA_22, Deployment, forged, gate_in};

const UPS: &str = "application/vnd.ups.track+json";

/// Makes ready what the attack needs: nothing of it is measured.
pub struct Evil<'a> {
    d: &'a Deployment,
    /// A genuine signed event, and a genuine granted one.
    signed: Vec<u8>,
    granted: Vec<u8>,
    much: Vec<Vec<u8>>,
    many: Vec<Vec<u8>>,
}

/// What was sent of each kind.
pub struct Tried {
    pub forged: i64,
    again: i64,
    noise: i64,
    bombs: i64,
    messages: i64,
}

impl fmt::Display for Tried {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} forged events, {} copies of one event, {} records of noise, {} bombs that the broker refused, \
             {} messages of much",
            self.forged, self.again, self.noise, self.bombs, self.messages
        )
    }
}

impl<'a> Evil<'a> {
    pub fn new(d: &'a Deployment) -> Self {
        d.add_carrier("evil-line");
        let publish = |proof: &str| {
            let event = [gate_in("CSQU3054383")];
            let more = ["--shipment", "h-1", "--proof", proof];
            d.publish_all("evil-line", DCSA_22, &event, &more);
            d.read_last()
        };
        let (signed, granted) = (publish("signed"), publish("granted"));
        let much = (0..4).map(much).collect();
        let many = (0..16).map(many).collect();
        Self { d, signed, granted, much, many }
    }

    pub fn begin(self) -> Attack<'a> {
        let ends = Arc::new(AtomicBool::new(false));
        let flood = |each: Duration, value: Box<dyn Fn(i64) -> Vec<u8> + Send>| {
            let (attacker, ends) = (Attacker::of(self.d, "sealed"), ends.clone());
            std::thread::spawn(move || {
                let (began, mut sent) = (Instant::now(), 0);
                while !ends.load(Ordering::Relaxed) {
                    attacker.send(b"h-1", Some(&value(sent)));
                    sent += 1;
                    let due = each * u32::try_from(sent).unwrap();
                    std::thread::sleep(due.saturating_sub(began.elapsed()));
                }
                attacker.flush();
                sent
            })
        };
        let (signed, granted) = (self.signed, self.granted);
        let floods = [
            flood(Duration::from_millis(5), Box::new(move |_| forged(&signed))),
            flood(Duration::from_millis(10), Box::new(move |_| granted.clone())),
            flood(Duration::from_millis(20), Box::new(|n| format!("noise {n}").into_bytes())),
        ];
        let bombs = {
            let (attacker, ends) = (Attacker::of(self.d, "sealed"), ends.clone());
            std::thread::spawn(move || {
                let (bomb, mut sent) = (vec![b'a'; 20_000_000], 0);
                while !ends.load(Ordering::Relaxed) {
                    let kind = if sent % 2 == 0 { "zstd" } else { "gzip" };
                    assert!(
                        attacker.send_compressed(kind, &bomb).is_some(),
                        "the broker took a bomb"
                    );
                    sent += 1;
                    std::thread::sleep(Duration::from_secs(1));
                }
                sent
            })
        };
        // A carrier's own messages: what they become is much.
        for messages in [&self.much, &self.many] {
            self.d.publish_all("evil-line", UPS, messages, &[]);
        }
        let messages = (self.much.len() + self.many.len()) as i64;
        Attack { ends, floods, bombs, messages, of: std::marker::PhantomData }
    }
}

pub struct Attack<'a> {
    ends: Arc<AtomicBool>,
    floods: [JoinHandle<i64>; 3],
    bombs: JoinHandle<i64>,
    messages: i64,
    of: std::marker::PhantomData<&'a ()>,
}

impl Attack<'_> {
    pub fn end(self) -> Tried {
        self.ends.store(true, Ordering::Relaxed);
        let [forged, again, noise] = self.floods.map(|flood| flood.join().unwrap());
        let bombs = self.bombs.join().unwrap();
        Tried { forged, again, noise, bombs, messages: self.messages }
    }
}

/// 428 kB that were 82 MB: a list that all of its events share.
fn much(n: usize) -> Vec<u8> {
    let list =
        |n: usize, of: &dyn Fn(usize) -> String| (0..n).map(of).collect::<Vec<_>>().join(",");
    let references = list(30, &|n| format!(r#"{{"number":"{n:0>200}"}}"#));
    let activities =
        list(5_500, &|_| r#"{"status":{"type":"I"},"date":"20260120","time":"101500"}"#.to_owned());
    format!(
        r#"{{"trackResponse":{{"shipment":[{{"package":[{{"trackingNumber":"1Z999AA1012345678{n}","referenceNumber":[{references}],"activity":[{activities}]}}]}}]}}}}"#
    )
    .into_bytes()
}

/// A thousand shipments of one event.
fn many(n: usize) -> Vec<u8> {
    let packages: Vec<String> = (0..1_000)
        .map(|of| {
            let number = n * 1_000 + of;
            format!(
                r#"{{"trackingNumber":"1Z999AA1{number:0>10}","activity":[{{"status":{{"type":"I"}},"date":"20260120","time":"101500"}}]}}"#
            )
        })
        .collect();
    format!(r#"{{"trackResponse":{{"shipment":[{{"package":[{}]}}]}}}}"#, packages.join(","))
        .into_bytes()
}
