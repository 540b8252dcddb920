//! Clients that mean harm, or are broken: each costs bounded time and memory, and others nothing.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use waybill_sealing::seal::Proof;
use waybill_tests::{DCSA_22, Deployment, Door, gate_in, seal, sealer};

const HEAD: &str = "POST /v1/events HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-ndjson\r\n";

fn connect(door: &Door) -> TcpStream {
    let stream = TcpStream::connect(("127.0.0.1", door.port)).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    stream
}

/// What comes until the connection is closed, and after which time.
fn until_closed(stream: &mut TcpStream) -> (String, Duration) {
    let began = Instant::now();
    let mut all = Vec::new();
    let mut buffer = [0; 4096];
    while let Ok(read @ 1..) = stream.read(&mut buffer) {
        all.extend_from_slice(&buffer[..read]);
    }
    (String::from_utf8_lossy(&all).into_owned(), began.elapsed())
}

#[test]
fn slow_endless_and_broken_clients_are_let_go() {
    let d = Deployment::new(
        "clients",
        "[gateway]\nidle_timeout = \"2s\"\nrequest_timeout = \"5s\"\nmax_body_bytes = 1000000\n\
         max_bytes_in_hand = 4000000\nmax_connections_per_address = 40",
    );
    d.add_carrier("acme-line");
    let door = Door::open(&d);
    let mut sealer = sealer(&d, "acme-line", Proof::Granted);
    let mut is_served = || {
        let sealed = seal(&mut sealer, "m-1", DCSA_22, &gate_in("MSKU1234565"));
        door.publish("application/jose", sealed, &[]).status == 202
    };

    // Half a head.
    let mut slow = connect(&door);
    slow.write_all(b"POST /v1/events HT").unwrap();
    // A body that pauses; one that comes a byte at a time.
    let mut pausing = connect(&door);
    pausing.write_all(format!("{HEAD}Content-Length: 100\r\n\r\nabc").as_bytes()).unwrap();
    let mut dripping = connect(&door);
    dripping.write_all(format!("{HEAD}Content-Length: 100000\r\n\r\n").as_bytes()).unwrap();
    let mut writer = dripping.try_clone().unwrap();
    let drip = std::thread::spawn(move || {
        for _ in 0..40 {
            std::thread::sleep(Duration::from_millis(250));
            if writer.write_all(b"x").is_err() {
                break;
            }
        }
    });
    assert!(is_served());
    let (_, took) = until_closed(&mut slow);
    assert!(took < Duration::from_secs(4), "{took:?}");
    let (said, _) = until_closed(&mut pausing);
    assert!(said.starts_with("HTTP/1.1 408"), "{said}");
    let (said, took) = until_closed(&mut dripping);
    // Also who goes on sending has its answer.
    let is_answered = said.starts_with("HTTP/1.1 408");
    assert!(is_answered && took < Duration::from_secs(8), "{took:?} {said}");
    drip.join().unwrap();

    // A body without an end, and one longer than it may be.
    let mut endless = connect(&door);
    endless.write_all(format!("{HEAD}Transfer-Encoding: chunked\r\n\r\n").as_bytes()).unwrap();
    let chunk = format!("10000\r\n{}\r\n", "a\n".repeat(0x8000));
    let mut sent = 0;
    while sent < 100_000_000 && endless.write_all(chunk.as_bytes()).is_ok() {
        sent += chunk.len();
    }
    assert!(sent < 40_000_000, "{sent} bytes were taken");
    let mut long = connect(&door);
    long.write_all(format!("{HEAD}Content-Length: 99999999999\r\n\r\n").as_bytes()).unwrap();
    let (said, took) = until_closed(&mut long);
    assert!(said.starts_with("HTTP/1.1 413"), "{took:?} {said:?}");

    // Heads: too many, too long, none at all.
    let flood: String = (0..500).map(|n| format!("X-{n}: y\r\n")).collect();
    for head in [flood, format!("X: {}\r\n", "y".repeat(1 << 20)), "\r\n\0\x16\x03\x01".to_owned()]
    {
        let mut bad = connect(&door);
        let _ = bad.write_all(format!("{HEAD}{head}\r\n").as_bytes());
        let (said, took) = until_closed(&mut bad);
        assert!(
            !said.starts_with("HTTP/1.1 2") && took < Duration::from_secs(8),
            "{took:?} {said}"
        );
    }
    assert!(is_served());

    // More connections than one address may have are closed at once.
    let held: Vec<TcpStream> = (0..100).map(|_| connect(&door)).collect();
    let began = Instant::now();
    let closed = held.into_iter().rev().take(50).map(|mut stream| {
        stream.set_read_timeout(Some(Duration::from_millis(200))).unwrap();
        matches!(stream.read(&mut [0]), Ok(0)) || began.elapsed() > Duration::from_secs(20)
    });
    assert!(closed.filter(|is_closed| *is_closed).count() >= 45);
    waybill_tests::wait_until("others to be served again", Duration::from_secs(10), || {
        std::panic::catch_unwind(std::panic::AssertUnwindSafe(&mut is_served)).unwrap_or(false)
    });
    assert!(door.process.metric("waybill_gateway_limited_total", "connections") >= 45.0);
    assert!(door.process.metric("process_resident_memory_bytes", "") < 150e6);

    // A client that stays connected and asks nothing does not hold up the end.
    let _idle = connect(&door);
    door.process.stop(Duration::from_secs(4));
}
