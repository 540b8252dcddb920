//! kill -9 of the gateway, of the broker, and of both, while carriers publish.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use waybill_sealing::seal::Proof;
use waybill_tests::{DCSA_22, Deployment, Door, OwnServers, gate_in, seal, sealer};

/// Publishes events until it is told to stop; what has no answer is sent again, as often as it takes. The ids.
fn publish(d: &Deployment, port: u16, client: usize, stop: &AtomicBool) -> BTreeSet<String> {
    let mut sealer = sealer(d, "acme-line", Proof::Granted);
    let mut ids = BTreeSet::new();
    for n in 0.. {
        let batch: Vec<(String, String)> = (0..5)
            .map(|k| {
                let id = format!("c{client}-{n}-{k}");
                let container = format!("MSKU{:07}", client * 1_000_000 + n * 10 + k);
                let sealed = seal(&mut sealer, &id, DCSA_22, &gate_in(&container));
                (id, sealed)
            })
            .collect();
        let body: Vec<&str> = batch.iter().map(|(_, sealed)| sealed.as_str()).collect();
        let body = body.join("\n");
        loop {
            let answer = Door::try_publish(port, "application/x-ndjson", &body);
            if answer.is_some_and(|answer| answer.status == 202) {
                break;
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        ids.extend(batch.into_iter().map(|(id, _)| id));
        if stop.load(Ordering::Relaxed) {
            break;
        }
    }
    ids
}

#[test]
fn what_was_accepted_is_there_once() {
    let servers = OwnServers::start();
    let d = Deployment::on(servers.addresses(), "crashes", 2, "");
    d.add_carrier("acme-line");
    let _stages = d.start_all();
    let mut door = Door::open(&d);
    let (port, stop) = (door.port, AtomicBool::new(false));
    let ids: BTreeSet<String> = std::thread::scope(|scope| {
        let clients: Vec<_> = (0..3)
            .map(|n| {
                scope.spawn({
                    let (d, stop) = (&d, &stop);
                    move || publish(d, port, n, stop)
                })
            })
            .collect();
        let pause = || std::thread::sleep(Duration::from_secs(2));
        pause();
        door.process.kill();
        pause();
        door = Door::again(&d, port);
        pause();
        servers.kill("kafka");
        pause();
        servers.up();
        pause();
        door.process.kill();
        servers.kill("kafka");
        servers.up();
        door = Door::again(&d, port);
        pause();
        stop.store(true, Ordering::Relaxed);
        clients.into_iter().flat_map(|client| client.join().unwrap()).collect()
    });
    assert!(ids.len() > 50, "{} were published", ids.len());
    let number = i64::try_from(ids.len()).unwrap();
    d.wait_for("SELECT uniqExact(message_id) FROM events", number);
    d.audit();
    assert_eq!(d.number("SELECT count() FROM events"), number, "each once");
    let stored: BTreeSet<String> = d
        .rows("SELECT message_id FROM events")
        .iter()
        .map(|row| row["message_id"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(stored, ids);
}
