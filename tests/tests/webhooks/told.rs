//! From a carrier's event to its endpoint, on real servers.

use std::time::Duration;

use serde_json::Value;
use waybill_tests::{
    Behaviour, DCSA_22, Deployment, Received, Receiver, authority, certificate, free_port, gate_in,
    wait_until,
};
use waybill_webhooks::Secret;

use crate::verifier;

pub const PATIENCE: Duration = Duration::from_secs(60);

/// A deployment whose carriers' endpoints are on this machine.
pub fn deployment(name: &str, ports: &[u16]) -> Deployment {
    let d = Deployment::new(name, "");
    authority(&d.folder, "ca");
    certificate(&d.folder, "ca", "endpoint", "/CN=endpoint");
    let folder = d.folder.display();
    d.configure(&format!(
        "[webhooks]\nmaster_key_file = \"{folder}/webhooks.key\"\nca_file = \"{folder}/ca.pem\"\n\
         allow_addresses = [\"127.0.0.0/8\"]\nallow_ports = {ports:?}"
    ));
    d.ok(&["carriers", "init"]);
    d
}

/// Registers an endpoint: its id, and its secret.
pub fn register(d: &Deployment, carrier: &str, port: u16) -> (String, String) {
    let url = format!("https://127.0.0.1:{port}/hook?key=hush");
    let shown = d.ok(&[
        "carriers",
        "webhook",
        "add",
        carrier,
        "--url",
        &url,
        "--rejects",
        "--milestones",
        "gate_in,arrived",
    ]);
    let (id, secret) = shown.trim().split_once(' ').unwrap();
    (id.to_owned(), secret.to_owned())
}

/// Of what was received, id, and what it says; each must be signed with that secret.
pub fn read(received: &[Received], secret: &str) -> Vec<(String, Value)> {
    let secret = Secret::from_text(secret).unwrap();
    let read = |request: &Received| {
        let header = |name: &str| request.headers[name].clone();
        let (id, signature) = (header("webhook-id"), header("webhook-signature"));
        let expected =
            secret.sign(&id, header("webhook-timestamp").parse().unwrap(), &request.body);
        assert!(signature.split(' ').any(|one| one == expected), "{signature} is not {expected}");
        (id, serde_json::from_slice(&request.body).unwrap())
    };
    received.iter().map(read).collect()
}

#[test]
fn an_endpoint_is_told_of_its_own_once_and_again_after_all_that_may_happen() {
    let ports = [free_port(), free_port()];
    let d = deployment("webhooks", &ports);
    for carrier in ["acme-line", "other-line"] {
        d.add_carrier(carrier);
    }
    let (endpoint, secret) = register(&d, "acme-line", ports[0]);
    let (_, other_secret) = register(&d, "other-line", ports[1]);
    let registry = std::fs::read_to_string(d.folder.join("carriers.json")).unwrap();
    for shown in [&secret, &other_secret, &secret["whsec_".len()..].to_owned()] {
        assert!(!registry.contains(shown.as_str()));
    }
    let open = || Receiver::open(&d.folder, "endpoint", ports[0]);
    let receiver = open();
    let other = Receiver::open(&d.folder, "endpoint", ports[1]);
    let mut processes = d.start_each(&["decrypt", "validate", "enrich", "aggregate", "webhooks"]);
    let publish = |bad: &[u8]| d.publish("acme-line", DCSA_22, bad, &[]);

    // One of each, signed, and another's endpoint hears nothing of it.
    d.publish_all("acme-line", DCSA_22, &[gate_in("MSKU1234565"), b"no JSON".to_vec()], &[]);
    wait_until("both to be told", PATIENCE, || receiver.received().len() >= 2);
    let mut told = read(&receiver.received(), &secret);
    for request in receiver.received() {
        verifier::holds(&request, &secret, &other_secret);
    }
    told.sort_by_key(|(_, told)| told["type"].to_string());
    assert_eq!(receiver.received()[0].line, "POST /hook?key=hush HTTP/1.1");
    let (rejected, milestone) = (&told[0].1, &told[1].1);
    assert_eq!(rejected["type"], "event.rejected");
    assert_eq!(rejected["data"]["code"], "unparsable");
    assert!(rejected["data"]["what_to_do"].as_str().unwrap().len() > 5);
    assert_eq!(milestone["type"], "shipment.milestone");
    assert_eq!(milestone["data"]["milestone"], "gate_in");
    assert_eq!(milestone["data"]["unlocode"], "NLRTM");
    assert_eq!(milestone["data"]["equipment"], "MSKU1234565");

    // Away, and back.
    drop(receiver);
    let webhooks = processes.pop().unwrap();
    let failed = |p: &waybill_tests::Process| {
        p.metric("waybill_webhook_requests_total", "ended=\"connect\"")
    };
    publish(b"away");
    wait_until("a request to fail", PATIENCE, || failed(&webhooks) >= 1.0);
    let receiver = open();
    wait_until("it to be told after all", PATIENCE, || !receiver.received().is_empty());
    assert_eq!(read(&receiver.received(), &secret).len(), 1);
    let settled = || webhooks.metric("waybill_webhook_deliveries_total", "settled");
    wait_until("it to be settled", PATIENCE, || settled() >= 3.0);
    let open_now = || webhooks.metric("waybill_webhook_open_deliveries", "");
    wait_until("nothing to be open", PATIENCE, || open_now() == 0.0);
    let log = webhooks.log();
    for hidden in ["hush", "whsec_", "MSKU1234565"] {
        assert!(!log.contains(hidden), "{hidden} is in the log");
    }

    // Killed while something waits.
    drop(receiver);
    publish(b"killed");
    wait_until("a request to fail", PATIENCE, || failed(&webhooks) >= 2.0);
    // What ends meanwhile, of another carrier, has offsets committed; that of what waits is not passed.
    d.publish("other-line", DCSA_22, b"no JSON", &[]);
    wait_until("the other to be settled", PATIENCE, || settled() >= 4.0 && open_now() == 1.0);
    let mut webhooks = webhooks;
    webhooks.kill();
    let receiver = open();
    let webhooks = d.start("webhooks");
    wait_until("it to be told after the crash", PATIENCE, || !receiver.received().is_empty());
    let after = read(&receiver.received(), &secret);
    assert!(told.iter().all(|(id, _)| *id != after[0].0), "what was settled is told again");

    // Gone: it is dead, and replayed once the registration has changed. Meanwhile two secrets sign.
    receiver.behave(Behaviour::Answers(410, None));
    publish(b"gone");
    let list = || d.ok(&["webhooks", "list", "--carrier", "acme-line", "--dead"]);
    wait_until("it to be given up", PATIENCE, || list().contains("gone"));
    let id = list()
        .lines()
        .find(|l| l.contains(" gone "))
        .unwrap()
        .split(' ')
        .next()
        .unwrap()
        .to_owned();
    receiver.behave(Behaviour::Answers(200, None));
    let before = receiver.received().len();
    let rotated = d.ok(&["carriers", "webhook", "rotate", "acme-line", &endpoint]);
    let new_secret = rotated.trim().split_once(' ').unwrap().1.to_owned();
    assert_ne!(new_secret, secret);
    // The running process has taken it up when its endpoint is not gone any more.
    publish(b"after the rotation");
    wait_until("the endpoint to be told again", PATIENCE, || {
        if receiver.received().len() > before {
            return true;
        }
        let said = d.ok(&["webhooks", "replay", "--carrier", "acme-line"]);
        assert!(said.contains("tried again"), "{said}");
        false
    });
    d.ok(&["webhooks", "replay", "--carrier", "acme-line", "--id", &id]);
    wait_until("the replay", PATIENCE, || {
        receiver.received()[before..].iter().any(|r| r.headers["webhook-id"] == id)
    });
    let again = &receiver.received()[before..];
    assert_eq!(read(again, &secret).len(), read(again, &new_secret).len());
    // The other carrier's endpoint has heard of its own alone.
    let others = read(&other.received(), &other_secret);
    assert_eq!(others.len(), 1, "{others:?}");
    let ids: Vec<String> =
        receiver.received().iter().map(|r| r.headers["webhook-id"].clone()).collect();
    assert!(!ids.contains(&others[0].0));
    let dead = ["webhooks", "list", "--carrier", "other-line", "--dead"];
    assert!(d.ok(&dead).contains("no deliveries"));
    webhooks.stop(Duration::from_secs(20));
}

/// A URL that leads into the platform's own network is not registered, and one that does later is not asked.
#[test]
fn an_endpoint_in_the_platform_s_network_is_not_registered() {
    let d = deployment("webhooks_url", &[]);
    d.add_carrier("acme-line");
    for url in [
        "http://hooks.example.org/",
        "https://127.0.0.1:8443/",
        "https://10.0.0.1/",
        "https://kafka/",
        "https://[::ffff:10.0.0.1]/",
        "https://user:pw@hooks.example.org/",
    ] {
        let out = d.run(&["carriers", "webhook", "add", "acme-line", "--rejects", "--url", url]);
        assert_eq!(out.status.code(), Some(3), "{url}");
    }
    assert_eq!(d.ok(&["carriers", "webhook", "list", "acme-line"]), "");
}
