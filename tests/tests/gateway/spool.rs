//! `waybill publish --spool`: what was taken arrives once, whatever is killed meanwhile.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use waybill_tests::{DCSA_22, Deployment, Door, OwnServers, gate_in, wait_until};

const MESSAGES: usize = 300;

/// A carrier who publishes files by a spool.
struct Carrier<'d> {
    d: &'d Deployment,
    spool: String,
    keys: Vec<String>,
}

impl<'d> Carrier<'d> {
    fn new(d: &'d Deployment, spool: &str) -> Self {
        let file = |name: &str| d.folder.join(name).to_str().unwrap().to_owned();
        d.jwks();
        let keys = ["--carrier", "acme-line", "--signing-key", &file("acme-line.pem"), "--jwks"];
        let mut keys: Vec<String> = keys.map(str::to_owned).to_vec();
        keys.extend([file("platform.jwks"), "--media-type".to_owned(), DCSA_22.to_owned()]);
        Self { d, spool: file(spool), keys }
    }

    /// Files of `n` different containers, the first of that number.
    fn files(&self, first: usize, n: usize) -> Vec<String> {
        let file = |n: usize| {
            let path = self.d.folder.join(format!("file-{n}.json"));
            std::fs::write(&path, gate_in(&format!("MSKU{n:07}"))).unwrap();
            path.to_str().unwrap().to_owned()
        };
        (first..first + n).map(file).collect()
    }

    fn args<'a>(&'a self, to: &'a str, files: &'a [String]) -> Vec<&'a str> {
        let mut args = vec!["publish", "--to", to, "--spool", &self.spool];
        if !files.is_empty() {
            args.extend(self.keys.iter().chain(files).map(String::as_str));
        }
        args
    }

    /// Publishes in a process of its own; it has taken all when this returns.
    fn start(&self, to: &str, files: &[String]) -> Publishing {
        let log = self.d.folder.join(format!("publish-{}.log", std::process::id()));
        let out = std::fs::File::create(&log).unwrap();
        let child = Command::new(Deployment::binary())
            .arg("--config")
            .arg(self.d.config())
            .args(self.args(to, files))
            .stdin(Stdio::null())
            .stdout(out.try_clone().unwrap())
            .stderr(out)
            .spawn()
            .unwrap();
        let publishing = Publishing { child, log };
        let taken = format!("publish: {} messages taken", files.len());
        wait_until(&taken, Duration::from_secs(60), || publishing.said().contains(&taken));
        publishing
    }

    /// Publishes what is left; it ends by itself.
    fn drain(&self, to: &str) -> String {
        let said = self.d.ok(&self.args(to, &[]));
        assert!(said.contains(" 0 rejected, 0 still in "), "{said}");
        said
    }
}

struct Publishing {
    child: Child,
    log: std::path::PathBuf,
}

impl Publishing {
    fn said(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap()
    }

    fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// SIGTERM; it ends in good order.
    fn stop(mut self) -> String {
        Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status().unwrap();
        let began = Instant::now();
        assert!(self.child.wait().unwrap().success(), "{}", self.said());
        assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
        self.said()
    }
}

fn each_is_there_once(d: &Deployment, containers: std::ops::Range<usize>) {
    let number = i64::try_from(containers.len()).unwrap();
    d.wait_for("SELECT uniqExact(message_id) FROM events", number);
    d.audit();
    assert_eq!(d.number("SELECT count() FROM events"), number, "each once");
    let rows = d.rows("SELECT equipment AS id FROM events");
    let stored: BTreeSet<&str> = rows.iter().map(|row| row["id"].as_str().unwrap()).collect();
    let expected: Vec<String> = containers.map(|n| format!("MSKU{n:07}")).collect();
    assert_eq!(stored, expected.iter().map(String::as_str).collect());
}

/// The gateway and the publisher are killed, and the broker is away: first over HTTPS, then over Kafka.
#[test]
fn what_was_taken_is_there_once() {
    let servers = OwnServers::start();
    let d = Deployment::on(servers.addresses(), "spool", 2, "");
    d.add_carrier("acme-line");
    let _stages = d.start_all();
    let carrier = Carrier::new(&d, "spool");
    let mut door = Door::open(&d);
    let to = format!("http://127.0.0.1:{}", door.port);

    // kill -9 of the gateway, and of the publisher while it waits for it.
    let publishing = carrier.start(&to, &carrier.files(0, MESSAGES));
    door.process.kill();
    publishing.kill();
    let publishing = carrier.start(&to, &carrier.files(MESSAGES, 10));
    door = Door::again(&d, door.port);
    let events = "SELECT uniqExact(message_id) FROM events";
    d.wait_for(events, 20);
    publishing.kill();
    carrier.drain(&to);
    each_is_there_once(&d, 0..MESSAGES + 10);
    drop(door);

    // Nobody listens: it goes on trying, and SIGTERM leaves all where it is.
    let said = carrier.start(&to, &carrier.files(MESSAGES + 10, 10)).stop();
    assert!(said.contains("publish: 0 accepted, 0 rejected, 10 still in "), "{said}");

    // The broker is away while files are taken for it, and comes back.
    servers.kill("kafka");
    let publishing = carrier.start("kafka", &carrier.files(MESSAGES + 20, 10));
    servers.up();
    d.wait_for(events, i64::try_from(MESSAGES).unwrap() + 11);
    publishing.kill();
    carrier.drain("kafka");
    each_is_there_once(&d, 0..MESSAGES + 30);
    assert!(!Path::new(&carrier.spool).join("rejected").exists());
}

/// What the gateway says of each message is said by file, and what it says of the whole in words.
#[test]
fn answers_are_said_in_words_and_by_file() {
    let d = Deployment::new("spool_answers", "");
    d.add_carrier("acme-line");
    d.add_carrier("other-line");
    let door = Door::open(&d);
    let to = format!("http://127.0.0.1:{}", door.port);
    let carrier = Carrier::new(&d, "spool");
    let files = carrier.files(0, 2);
    let run = |to: &str, more: &[&str], files: &[String]| {
        let mut args = carrier.args(to, files);
        args.splice(3..3, more.iter().copied());
        let out = d.run(&args);
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        (out.status.code().unwrap(), text(&out.stdout), text(&out.stderr))
    };

    let (status, said, _) = run(&to, &[], &files);
    assert_eq!(status, 0, "{said}");
    assert!(said.contains("publish: 2 accepted, 0 rejected, 0 still in "), "{said}");

    // For another deployment.
    let (status, said, error) = run(&to, &["--audience", "waybill:other"], &files);
    assert_eq!(status, 1, "{said}");
    let line = format!("rejected {}: wrong_audience: ", files[0]);
    assert!(said.contains(&line) && said.contains("0 accepted, 2 rejected, 0 still"), "{said}");
    assert!(error.contains("2 messages were rejected: they are in "), "{error}");
    let kept = std::fs::read_dir(Path::new(&carrier.spool).join("rejected")).unwrap();
    assert_eq!(kept.count(), 2);

    // A key that is none is no reason to lose anything.
    let key = d.folder.join("key");
    std::fs::write(&key, "wb_no_key\n").unwrap();
    let with_key = ["--api-key-file", key.to_str().unwrap()];
    let (status, said, error) = run(&to, &with_key, &files);
    assert_eq!(status, 3, "{said}{error}");
    assert!(error.contains("(401 unauthenticated)"), "{error}");
    assert!(said.contains("publish: 0 accepted, 0 rejected, 2 still in "), "{said}");
    // Another server.
    let metrics = format!("http://127.0.0.1:{}", door.process.port);
    let (status, _, error) = run(&metrics, &[], &[]);
    assert_eq!(status, 3, "{error}");
    assert!(error.contains("not a gateway's answer: 404"), "{error}");
    // What does not fit is said; what lies there is delivered all the same.
    let (status, said, error) = run(&to, &["--spool-bytes", "1000"], &carrier.files(5, 3));
    assert_eq!(status, 1, "{said}{error}");
    assert!(error.contains("more than the whole spool may have (1000) (0 messages"), "{error}");
    assert!(said.contains("publish: 2 accepted, 0 rejected, 0 still in "), "{said}");
    carrier.drain(&to);
    assert_eq!(d.records("sealed"), 4);

    // Without a spool, too.
    let more: Vec<&str> = carrier.keys.iter().chain(&files).map(String::as_str).collect();
    let said = d.ok(&[&["publish", "--to", &to][..], &more].concat());
    assert!(said.contains("publish: 2 accepted, 0 rejected\n"), "{said}");
}
