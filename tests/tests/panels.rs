//! Every panel of the dashboard answers on live data.

use std::process::{Command, Stdio};
use std::time::Duration;

use waybill_sealing::seal::Proof;
use waybill_tests::panels::{check_panels, scrape_config};
use waybill_tests::{
    DCSA_22, Deployment, Door, Receiver, authority, certificate, free_port, seal, sealer,
    wait_until,
};

struct Prometheus(std::process::Child);

impl Drop for Prometheus {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn every_panel_has_an_answer() {
    let d = Deployment::new("panels", "");
    authority(&d.folder, "ca");
    certificate(&d.folder, "ca", "endpoint", "/CN=endpoint");
    let receiver = Receiver::open(&d.folder, "endpoint", free_port());
    d.configure(&format!(
        "[gateway.carriers]\nmessages_per_second = 1\nburst = 1\n\
         [webhooks]\nmaster_key_file = \"{f}/webhooks.key\"\nca_file = \"{f}/ca.pem\"\n\
         allow_addresses = [\"127.0.0.0/8\"]\nallow_ports = [{}]",
        receiver.port,
        f = d.folder.display(),
    ));
    d.ok(&["carriers", "init"]);
    d.add_carrier("at-the-door");
    let url = format!("https://127.0.0.1:{}/", receiver.port);
    d.ok(&["carriers", "webhook", "add", "at-the-door", "--url", &url, "--rejects"]);
    let stages = ["decrypt", "validate", "enrich", "aggregate", "clickhouse"];
    let processes = d.start_all();
    let webhooks = d.start("webhooks");
    let door = Door::open(&d);
    let mut scraped: Vec<_> = stages.iter().zip(&processes).map(|(s, p)| (*s, p.port)).collect();
    scraped.push(("gateway", door.process.port));
    scraped.push(("webhooks", webhooks.port));
    let config = d.folder.join("prometheus.yml");
    std::fs::write(&config, scrape_config(&scraped).unwrap()).unwrap();
    let port = free_port();
    let downloads = std::env::var("WAYBILL_DOWNLOADS").unwrap();
    let own = std::path::Path::new(&downloads).join("prometheus/usr/bin/prometheus");
    let binary = if own.is_file() { own } else { "prometheus".into() };
    let _prometheus = Prometheus(
        Command::new(&binary)
            .arg(format!("--config.file={}", config.display()))
            .arg(format!("--storage.tsdb.path={}", d.folder.join("tsdb").display()))
            .arg(format!("--web.listen-address=127.0.0.1:{port}"))
            .stderr(Stdio::null())
            .spawn()
            .unwrap_or_else(|e| panic!("{}: {e}: run dev/setup", binary.display())),
    );
    d.ok(&[
        "simulate",
        "--register",
        "--signing-keys",
        d.folder.join("carriers").to_str().unwrap(),
        "--rate",
        "200",
        "--seconds",
        "12",
        "--containers",
        "20",
        "--bad",
        "0.1",
    ]);
    d.wait_for("SELECT count() FROM events", 1000);
    let url = format!("http://127.0.0.1:{port}");
    // Rates want two scrapes of a counter that has moved.
    let mut problems = Vec::new();
    let mut sealer = sealer(&d, "at-the-door", Proof::Granted);
    for n in 0..12 {
        // One is taken, one is over the limit, and somebody is not let in.
        let mut event = |k: usize| seal(&mut sealer, &format!("{n}-{k}"), DCSA_22, b"{}");
        let both = [event(0), event(1)].join("\n");
        assert_eq!(door.publish("application/x-ndjson", both, &[]).status, 202);
        assert_eq!(door.get("/v1/usage", &[("X-API-Key", "none")]).status, 401);
        problems = check_panels(&url, &d.servers.clickhouse, &d.database);
        if problems.is_empty() {
            break;
        }
        std::thread::sleep(Duration::from_secs(5));
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
    wait_until("metrics of inserts", Duration::from_secs(5), || {
        processes[4].metric("waybill_inserts_total", "") > 0.0
    });
    d.audit();
}
