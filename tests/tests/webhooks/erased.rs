//! Of a shipment that was erased nobody is told any more.

use waybill_tests::{DCSA_22, Receiver, free_port, gate_in, wait_until};

use crate::told::{PATIENCE, deployment, register};

#[test]
fn of_an_erased_shipment_nobody_is_told_any_more() {
    let port = free_port();
    let d = deployment("webhooks_erased", &[port]);
    d.add_carrier("acme-line");
    register(&d, "acme-line", port);
    let mut processes =
        d.start_each(&["decrypt", "validate", "enrich", "aggregate", "clickhouse", "webhooks"]);
    let mut webhooks = processes.pop().unwrap();
    let publish = |unit: &str| {
        d.publish("acme-line", DCSA_22, &gate_in(unit), &["--shipment", unit]);
    };
    // Nobody answers yet.
    let (goes, stays) = ("TCLU4265917", "MSKU1234565");
    publish(goes);
    publish(stays);
    let open = || webhooks.metric("waybill_webhook_open_deliveries", "");
    wait_until("both to be open", PATIENCE, || open() == 2.0);
    d.wait_for("SELECT count() FROM events", 2);
    d.ok(&["erase", "--carrier", "acme-line", "--reference", goes, "--yes"]);
    let erased = || webhooks.metric("waybill_webhook_deliveries_total", "why=\"erased\"");
    wait_until("one to be over", PATIENCE, || erased() == 1.0);
    assert_eq!(open(), 1.0);
    // Nobody remembers it after a crash, nor has an operator tell it.
    webhooks.kill();
    let list = d.ok(&["webhooks", "list", "--dead"]);
    assert_eq!(list.lines().filter(|line| line.contains(" erased ")).count(), 1, "{list}");
    let said = d.ok(&["webhooks", "replay", "--carrier", "acme-line", "--since", "1h"]);
    assert!(said.contains("0 are tried again; 1 are open anyway\n1 are not"), "{said}");
    let receiver = Receiver::open(&d.folder, "endpoint", port);
    let webhooks = d.start("webhooks");
    let told = || -> Vec<String> {
        let body = |r: waybill_tests::Received| String::from_utf8(r.body).unwrap();
        receiver.received().into_iter().map(body).collect()
    };
    let open = || webhooks.metric("waybill_webhook_open_deliveries", "");
    wait_until("the other to be told", PATIENCE, || !told().is_empty() && open() == 0.0);
    assert!(told().iter().all(|body| body.contains(stays)), "{:?}", told());
    // What comes behind the erasure is of another history.
    publish(goes);
    wait_until("it to be told", PATIENCE, || told().iter().any(|body| body.contains(goes)));
    drop(processes);
}
