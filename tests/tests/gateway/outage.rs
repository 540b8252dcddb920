//! Kafka is away, or slow.

use std::time::{Duration, Instant};

use waybill_sealing::seal::Proof;
use waybill_tests::{DCSA_22, Deployment, Door, OwnServers, gate_in, seal, sealer, wait_until};

#[test]
fn while_kafka_is_away_nothing_is_taken_and_that_is_said_at_once() {
    let servers = OwnServers::start();
    let d = Deployment::on(servers.addresses(), "away", 2, "");
    d.add_carrier("acme-line");
    let door = Door::open(&d);
    let mut sealer = sealer(&d, "acme-line", Proof::Granted);
    let mut id = 0;
    let mut publish = || {
        id += 1;
        let sealed = seal(&mut sealer, &format!("m-{id}"), DCSA_22, &gate_in("MSKU1234565"));
        let began = Instant::now();
        let answer = door.publish("application/jose", sealed, &[]);
        (answer, began.elapsed())
    };
    assert_eq!(publish().0.status, 202);
    servers.kill("kafka");
    // The first may wait until it is known; whoever comes after it does not.
    let (first, took) = publish();
    assert_eq!(
        (first.status, first.body["code"].as_str()),
        (503, Some("unavailable")),
        "{first:?}"
    );
    assert!(took < Duration::from_secs(8), "{took:?}");
    for _ in 0..20 {
        let (answer, took) = publish();
        assert_eq!((answer.status, answer.header("retry-after")), (503, Some("1")), "{answer:?}");
        assert!(took < Duration::from_millis(500), "{took:?}");
    }
    assert!(door.process.get("/readyz").is_none() && door.process.get("/healthz").is_some());

    servers.up();
    wait_until("events to be taken again", Duration::from_secs(60), || publish().0.status == 202);
    wait_until("it to be ready", Duration::from_secs(10), || door.process.get("/readyz").is_some());
}

/// A gateway that starts before Kafka is there waits for it.
#[test]
fn it_starts_without_kafka() {
    let d = Deployment::new("early", "");
    d.add_carrier("acme-line");
    let port = waybill_tests::free_port();
    let brokers = format!("127.0.0.1:{port}");
    let mut door = Door::begin(&d, &[("WAYBILL_KAFKA__BROKERS", brokers.as_str())]);
    wait_until("it to live", Duration::from_secs(30), || door.process.get("/healthz").is_some());
    wait_until("it to listen", Duration::from_secs(30), || {
        std::net::TcpStream::connect(("127.0.0.1", door.port)).is_ok()
    });
    let mut sealer = sealer(&d, "acme-line", Proof::Granted);
    let sealed = seal(&mut sealer, "m-1", DCSA_22, b"{}");
    let began = Instant::now();
    assert_eq!(door.publish("application/jose", sealed, &[]).status, 503);
    assert!(began.elapsed() < Duration::from_millis(500), "{:?}", began.elapsed());
    assert!(door.process.get("/readyz").is_none() && !door.process.has_ended());
}
