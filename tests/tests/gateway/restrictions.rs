//! What an operator restricts for a while, without a restart.

use std::time::Duration;

use waybill_sealing::seal::Proof;
use waybill_tests::{DCSA_22, Deployment, Door, gate_in, seal, sealer, wait_until};

const LIMIT: Duration = Duration::from_secs(30);

#[test]
fn what_is_diverted_is_redriven_when_it_is_over() {
    let d = Deployment::new("restricted", "");
    d.add_carrier("acme-line");
    d.add_carrier("other-line");
    let _stages = d.start_all();
    let door = Door::open(&d);
    let mut n = 0;
    let mut publish = |carrier: &str| {
        n += 1;
        let mut sealer = sealer(&d, carrier, Proof::Granted);
        let sealed = seal(&mut sealer, &format!("m-{n}"), DCSA_22, &gate_in("MSKU1234565"));
        let answer = door.publish("application/jose", sealed, &[]);
        let (status, code) = answer.results()[0];
        (status.to_owned(), code.to_owned())
    };
    let is = |status: &str, code: &str| (status.to_owned(), code.to_owned());
    let of = |answer: &str| -> i64 {
        d.number(&format!("SELECT count() FROM rejects WHERE code = '{answer}'"))
    };

    // The gateway takes it in, and decrypt rejects it.
    d.ok(&["carriers", "restrict", "acme-line", "--why", "a flood of copies", "--by", "ops"]);
    wait_until("decrypt to know", LIMIT, || {
        assert_eq!(publish("acme-line"), is("accepted", ""));
        of("restricted") > 0
    });
    assert_eq!(publish("other-line"), is("accepted", ""));
    d.wait_for("SELECT count() FROM events WHERE carrier_id = 'other-line'", 1);
    let told = d.rows("SELECT detail FROM rejects WHERE code = 'restricted' LIMIT 1");
    assert!(told[0]["detail"].as_str().unwrap().ends_with("a flood of copies"), "{told:?}");
    assert!(d.ok(&["carriers", "list"]).contains("divert until it is lifted, by ops"));

    // The gateway does not take it in.
    d.ok(&[
        "carriers",
        "restrict",
        "acme-line",
        "--action",
        "reject",
        "--why",
        "still",
        "--for",
        "1h",
    ]);
    wait_until("the gateway to know", LIMIT, || {
        publish("acme-line") == is("rejected", "restricted")
    });
    assert_eq!(publish("other-line"), is("accepted", ""));

    d.ok(&["carriers", "restrict", "acme-line", "--lift"]);
    wait_until("it to be over", LIMIT, || publish("acme-line") == is("accepted", ""));
    assert!(!d.run(&["carriers", "restrict", "acme-line", "--lift"]).status.success());
    // All that came in before was taken in: it waits.
    d.wait_for("SELECT count() > 0 FROM events WHERE carrier_id = 'acme-line'", 1);
    let waiting = of("restricted");
    d.ok(&["rejects", "redrive", "--code", "restricted"]);
    let of_acme = "SELECT count() FROM events WHERE carrier_id = 'acme-line'";
    wait_until("the redriven to be stored", LIMIT, || d.number(of_acme) > waiting);
    d.audit();
}
