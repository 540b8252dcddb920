//! Several instances of the role: one joins, one dies.

use std::collections::BTreeSet;
use std::time::Duration;

use waybill_tests::{DCSA_22, Receiver, free_port, wait_until};

use crate::told::{PATIENCE, deployment, register};

/// A partition goes to another while deliveries of it are open, and an instance is killed with some under way: what was
/// to be told is told, and is then over.
#[test]
fn instances_that_join_and_die_lose_nothing_and_repeat_nothing_for_ever() {
    let patience = PATIENCE * 2;
    let port = free_port();
    let d = deployment("webhooks_two", &[port]);
    d.add_carrier("acme-line");
    register(&d, "acme-line", port);
    let _stages = d.start_each(&["decrypt", "validate"]);
    let instance = |name: &str| {
        let mut started = d.spawn("webhooks", name, &[]);
        started.wait_ready("webhooks");
        started
    };
    let publish = |from: u32| {
        let bad: Vec<_> = (from..from + 10).map(|n| format!("bad {n}").into_bytes()).collect();
        d.publish_all("acme-line", DCSA_22, &bad, &[]);
    };
    let metric = |of: &waybill_tests::Process, name: &str| of.metric(name, "");
    let open = "waybill_webhook_open_deliveries";

    // Nobody answers yet: all of them stay open.
    let first = instance("1");
    publish(0);
    wait_until("ten to be open", patience, || metric(&first, open) == 10.0);
    let second = instance("2");
    let shared = "waybill_assigned_partitions";
    wait_until("partitions to be shared, and what is open to be with its owners", patience, || {
        let all = [&first, &second].map(|of| metric(of, open)).iter().sum::<f64>();
        all == 10.0 && [&first, &second].iter().all(|of| metric(of, shared) > 0.0)
    });
    publish(10);
    wait_until("twenty to be open", patience, || {
        metric(&first, open) + metric(&second, open) == 20.0
    });
    let receiver = Receiver::open(&d.folder, "endpoint", port);
    wait_until("some to be told", patience, || !receiver.received().is_empty());
    // The one that has more in hand dies.
    let mut both = [first, second];
    both.sort_by(|a, b| metric(a, open).total_cmp(&metric(b, open)));
    let [first, mut second] = both;
    second.kill();
    publish(20);
    let ids = || -> BTreeSet<String> {
        receiver.received().iter().map(|r| r.headers["webhook-id"].clone()).collect()
    };
    wait_until("all to be told", patience, || ids().len() == 30);
    wait_until("nothing to be open", patience, || metric(&first, open) == 0.0);
    first.stop(Duration::from_secs(20));

    // Whoever comes next has nothing to do but what is new.
    let before = receiver.received().len();
    let third = instance("3");
    publish(30);
    wait_until("what is new to be told", patience, || ids().len() == 40);
    wait_until("nothing to be open", patience, || metric(&third, open) == 0.0);
    assert_eq!(receiver.received().len(), before + 10);
    third.stop(Duration::from_secs(20));
}
