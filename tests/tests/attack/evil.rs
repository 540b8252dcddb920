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
    /// Its own messages, sealed: what they become is much. Keys and values.
    messages: Vec<(Vec<u8>, Option<Vec<u8>>)>,
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
    /// Seals on topics of its own: nothing of that is measured.
    pub fn new(d: &'a Deployment) -> Self {
        d.add_carrier("evil-line");
        let prefix = format!("{}evil.", d.prefix);
        let mut staging =
            d.with(&[("WAYBILL_TOPICS__PREFIX", &prefix), ("WAYBILL_TOPICS__PARTITIONS", "1")]);
        staging.prefix = prefix;
        staging.ok(&["topics"]);
        for proof in ["signed", "granted"] {
            let event = [gate_in("CSQU3054383")];
            let more = ["--shipment", "h-1", "--proof", proof];
            staging.publish_all("evil-line", DCSA_22, &event, &more);
        }
        let messages: Vec<_> =
            (0..20).map(|n| if n % 5 == 0 { much(n) } else { many(n) }).collect();
        staging.publish_all("evil-line", UPS, &messages, &[]);
        let mut sealed = staging.read_all("sealed").into_iter();
        let mut next = || sealed.next().and_then(|(_, value)| value).unwrap();
        let (signed, granted) = (next(), next());
        Self { d, signed, granted, messages: sealed.collect() }
    }

    /// The messages are sent over so many seconds.
    pub fn begin(self, seconds: u64) -> Attack {
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
                    // It costs the attacker more than the broker, and both are on this machine.
                    std::thread::sleep(Duration::from_secs(5));
                }
                sent
            })
        };
        let messages = {
            let (attacker, messages) = (Attacker::of(self.d, "sealed"), self.messages);
            std::thread::spawn(move || {
                let each = Duration::from_secs(seconds) / u32::try_from(messages.len()).unwrap();
                for (key, value) in &messages {
                    attacker.send(key, value.as_deref());
                    attacker.flush();
                    std::thread::sleep(each);
                }
                messages.len() as i64
            })
        };
        Attack { ends, floods, bombs, messages }
    }
}

pub struct Attack {
    ends: Arc<AtomicBool>,
    floods: [JoinHandle<i64>; 3],
    bombs: JoinHandle<i64>,
    messages: JoinHandle<i64>,
}

impl Attack {
    pub fn end(self) -> Tried {
        self.ends.store(true, Ordering::Relaxed);
        let [forged, again, noise] = self.floods.map(|flood| flood.join().unwrap());
        let bombs = self.bombs.join().unwrap();
        let messages = self.messages.join().unwrap();
        Tried { forged, again, noise, bombs, messages }
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
