//! One request, to receivers of every kind.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use waybill_tests::{Behaviour, Receiver, authority, certificate};
use waybill_webhooks::{
    Allowed, Client, Ended, Message, Resolve, Times, Why, client_config, system_resolver,
};

const TIMES: Times =
    Times { step: Duration::from_millis(1_500), all: Duration::from_millis(2_500) };

fn client(folder: &Path, port: u16, networks: &[&str], resolve: Resolve) -> Client {
    let tls = client_config(Some(&folder.join("ca.pem"))).unwrap();
    let addresses = networks.iter().map(|network| network.parse().unwrap()).collect();
    Client::new(tls, Allowed { addresses, ports: vec![port] }, resolve, TIMES)
}

fn message() -> Message {
    Message {
        id: "msg_1".into(),
        timestamp: 1_000,
        signature: "v1,abc".into(),
        body: b"{}".as_slice().into(),
    }
}

fn block_on<F: Future>(future: F) -> F::Output {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(future)
}

fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    authority(folder.path(), "ca");
    certificate(folder.path(), "ca", "endpoint", "/CN=endpoint");
    folder
}

#[test]
fn an_endpoint_is_told_and_costs_a_bounded_time_however_it_behaves() {
    let folder = folder();
    let receiver = Receiver::open(folder.path(), "endpoint", 0);
    let port = receiver.port;
    let client = client(folder.path(), port, &["127.0.0.0/8"], system_resolver());
    let url = format!("https://127.0.0.1:{port}/hook?key=1");
    let send = || {
        let began = Instant::now();
        let ended = block_on(client.send(&url, message()));
        assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
        ended
    };
    let answers = |status, header| Behaviour::Answers(status, header);
    let elsewhere = Some(("location", "https://127.0.0.1:1/"));
    for (behaviour, expected) in [
        (answers(200, None), Ended::Taken),
        (answers(302, elsewhere), Ended::failed(Why::Redirect)),
        (answers(307, elsewhere), Ended::failed(Why::Redirect)),
        (answers(404, None), Ended::failed(Why::Refused)),
        (answers(410, None), Ended::failed(Why::Gone)),
        (answers(500, None), Ended::failed(Why::Status)),
        (
            answers(503, Some(("retry-after", "7"))),
            Ended::Failed { why: Why::Later, retry_after: Some(Duration::from_secs(7)) },
        ),
        // The status says that it has it: what becomes of the body is nobody's business.
        (Behaviour::Endless, Ended::Taken),
        (Behaviour::Stalls, Ended::Taken),
        (Behaviour::EndlessHead, Ended::failed(Why::Broken)),
        (Behaviour::Silent, Ended::failed(Why::Timeout)),
        (Behaviour::Breaks, Ended::failed(Why::Broken)),
        (Behaviour::Babbles, Ended::failed(Why::Broken)),
    ] {
        let before = receiver.received().len();
        receiver.behave(behaviour);
        assert_eq!(send(), expected, "{behaviour:?}");
        // One request, whatever the answer.
        assert_eq!(receiver.received().len(), before + 1, "{behaviour:?}");
    }
    let request = receiver.received().remove(0);
    assert_eq!(request.line, "POST /hook?key=1 HTTP/1.1");
    assert_eq!(request.body, b"{}");
    for (name, value) in [
        ("host", format!("127.0.0.1:{port}")),
        ("content-type", "application/json".to_owned()),
        ("webhook-id", "msg_1".to_owned()),
        ("webhook-timestamp", "1000".to_owned()),
        ("webhook-signature", "v1,abc".to_owned()),
    ] {
        assert_eq!(request.headers[name], value);
    }
    drop(receiver);
    assert_eq!(send(), Ended::failed(Why::Connect));
}

#[test]
fn a_certificate_must_be_of_the_authority_and_of_the_host() {
    let folder = folder();
    authority(folder.path(), "other-ca");
    certificate(folder.path(), "other-ca", "other", "/CN=endpoint");
    let other = Receiver::open(folder.path(), "other", 0);
    let good = Receiver::open(folder.path(), "endpoint", 0);
    let sent = |receiver: &Receiver, host: &str| {
        let here = SocketAddr::from(([127, 0, 0, 1], receiver.port));
        let resolve: Resolve = Arc::new(move |_, _| Box::pin(async move { Ok(vec![here]) }));
        let client = client(folder.path(), receiver.port, &["127.0.0.0/8"], resolve);
        block_on(client.send(&format!("https://{host}:{}/", receiver.port), message()))
    };
    assert_eq!(sent(&good, "127.0.0.1"), Ended::Taken);
    assert_eq!(sent(&good, "hooks.example.org"), Ended::failed(Why::Tls));
    assert_eq!(sent(&other, "127.0.0.1"), Ended::failed(Why::Tls));
    assert!(other.received().is_empty());
}

/// What DNS says is looked at whenever it is asked, and it is asked once for each request: nothing that it says later
/// can lead elsewhere.
#[test]
fn a_name_that_changes_leads_nowhere_else() {
    let folder = folder();
    let receiver = Receiver::open(folder.path(), "endpoint", 0);
    let port = receiver.port;
    for (answers, expected) in [
        // None of these is gone to: 127.0.0.1 is where somebody listens.
        (&["127.0.0.1"][..], Why::Address),
        (&["::ffff:127.0.0.1"], Why::Address),
        (&["192.0.2.7", "127.0.0.1"], Why::Address),
        (&["8.8.8.8", "10.0.0.1"], Why::Address),
        (&["169.254.169.254"], Why::Address),
        (&["64:ff9b::7f00:1"], Why::Address),
        (&[], Why::Resolve),
    ] {
        let asked = Arc::new(AtomicUsize::new(0));
        let found: Vec<SocketAddr> =
            answers.iter().map(|ip| SocketAddr::new(ip.parse().unwrap(), port)).collect();
        let count = asked.clone();
        let resolve: Resolve = Arc::new(move |name, port| {
            assert_eq!((name.as_str(), port), ("hooks.example.org", port));
            count.fetch_add(1, Ordering::Relaxed);
            let found = found.clone();
            Box::pin(async move { Ok(found) })
        });
        let client = client(folder.path(), port, &[], resolve);
        let ended = block_on(client.send(&format!("https://hooks.example.org:{port}/"), message()));
        assert_eq!(ended, Ended::failed(expected), "{answers:?}");
        assert_eq!(asked.load(Ordering::Relaxed), 1);
    }
    // A resolver that says one thing, and then another: the first is gone to, and nobody asks a second time.
    let asked = Arc::new(AtomicUsize::new(0));
    let count = asked.clone();
    let resolve: Resolve = Arc::new(move |_, port| {
        let first = count.fetch_add(1, Ordering::Relaxed) == 0;
        let ip = if first { [127, 0, 0, 2] } else { [127, 0, 0, 1] };
        Box::pin(async move { Ok(vec![SocketAddr::from((ip, port))]) })
    });
    let client = client(folder.path(), port, &["127.0.0.2/32"], resolve);
    let url = format!("https://hooks.example.org:{port}/");
    assert_eq!(block_on(client.send(&url, message())), Ended::failed(Why::Connect));
    assert_eq!(block_on(client.send(&url, message())), Ended::failed(Why::Address));
    assert_eq!(asked.load(Ordering::Relaxed), 2);
    assert!(receiver.received().is_empty());
    // Nor does an address lead there that is no public one, and a URL that is none.
    let client = self::client(folder.path(), port, &[], system_resolver());
    for url in ["https://127.0.0.1", "https://localhost", "http://127.0.0.1", "https://[::1]"] {
        let ended = block_on(client.send(&format!("{url}:{port}/"), message()));
        assert_eq!(ended, Ended::failed(Why::Url), "{url}");
    }
    assert!(receiver.received().is_empty());
}
