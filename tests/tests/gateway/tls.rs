//! TLS, and certificates of carriers, as curl speaks it.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use waybill_tests::{DCSA_22, Deployment, Door, authority, certificate, gate_in, wait_until};

/// Status and HTTP version, or curl's exit code; -1 without one.
fn curl(folder: &Path, url: &str, args: &[&str]) -> Result<(String, String), i32> {
    let out = Command::new("curl")
        .args(["--silent", "--max-time", "20", "--cacert", "server-ca.pem", "--output", "body"])
        .args(["--write-out", "%{http_code} %{http_version}"])
        .args(args)
        .arg(url)
        .current_dir(folder)
        .output()
        .unwrap();
    if !out.status.success() {
        return Err(out.status.code().unwrap_or(-1));
    }
    let said = String::from_utf8(out.stdout).unwrap();
    let (status, version) = said.split_once(' ').unwrap();
    Ok((status.to_owned(), version.to_owned()))
}

#[test]
fn certificates_show_who_calls_and_are_read_again() {
    let d = Deployment::new("tls", "");
    let folder = d.folder.clone();
    authority(&folder, "server-ca");
    authority(&folder, "client-ca");
    authority(&folder, "wrong-ca");
    certificate(&folder, "server-ca", "server", "/CN=first");
    certificate(&folder, "client-ca", "acme", "/C=NL/O=Acme Line/CN=edi");
    certificate(&folder, "client-ca", "unknown", "/CN=somebody");
    certificate(&folder, "wrong-ca", "wrong", "/C=NL/O=Acme Line/CN=edi");
    let file = |name: &str| folder.join(name).to_str().unwrap().to_owned();
    let d = d.with_own(&[
        ("WAYBILL_GATEWAY__SIGNING_KEY_FILE", &file("gateway.pem")),
        ("WAYBILL_GATEWAY__CERTIFICATE_FILE", &file("server.pem")),
        ("WAYBILL_GATEWAY__KEY_FILE", &file("server.key")),
        ("WAYBILL_GATEWAY__CLIENT_CA_FILE", &file("client-ca.pem")),
    ]);
    d.add_carrier("acme-line");
    d.ok(&[
        "carriers",
        "allow",
        "acme-line",
        "--plain",
        "application/vnd.dcsa.tnt+json",
        "--certificate",
        "C=NL, O=Acme Line, CN=edi",
    ]);
    let door = Door::open(&d);
    let url = format!("https://127.0.0.1:{}", door.port);
    let (usage, events) = (format!("{url}/v1/usage"), format!("{url}/v1/events"));
    let acme = ["--cert", "acme.pem", "--key", "acme.key"];
    std::fs::write(folder.join("payload"), gate_in("MSKU1234565")).unwrap();
    let content = format!("Content-Type: {DCSA_22}");
    let publish = ["--header", &content, "--data-binary", "@payload"];

    let is = |status: &str, version: &str| Ok((status.to_owned(), version.to_owned()));
    assert_eq!(curl(&folder, &usage, &acme), is("200", "2"));
    assert_eq!(curl(&folder, &usage, &[&acme[..], &["--http1.1"]].concat()), is("200", "1.1"));
    assert_eq!(curl(&folder, &events, &[&acme[..], &publish].concat()), is("202", "2"));
    assert_eq!(curl(&folder, &usage, &[]), is("401", "2"));
    assert_eq!(
        curl(&folder, &usage, &["--cert", "unknown.pem", "--key", "unknown.key"]),
        is("401", "2")
    );
    let wrong = curl(&folder, &usage, &["--cert", "wrong.pem", "--key", "wrong.key"]);
    assert!(wrong.is_err(), "a certificate of another authority: {wrong:?}");
    assert!(curl(&folder, &usage, &["--tls-max", "1.1"]).is_err());
    assert!(curl(&folder, &usage, &["--tls-max", "1.2"]).is_ok());
    assert!(curl(&folder, &format!("http://127.0.0.1:{}/", door.port), &[]).is_err());

    // `waybill publish` knows the server's authority if it is told, and shows the carrier's certificate.
    let (key, jwks) = (file("acme-line.pem"), d.jwks());
    let by = |more: &[&str]| {
        let mut args = vec!["publish", "--to", &url, "--carrier", "acme-line", "--proof", "signed"];
        args.extend(["--signing-key", &key, "--jwks", jwks.to_str().unwrap()]);
        args.extend(["--media-type", DCSA_22]);
        args.extend(more);
        let payload = file("payload");
        args.push(&payload);
        let out = d.run(&args);
        (out.status.code(), String::from_utf8_lossy(&out.stderr).into_owned())
    };
    let (ca, shown, its_key) = (file("server-ca.pem"), file("acme.pem"), file("acme.key"));
    assert_eq!(by(&["--ca-file", &ca]).0, Some(0));
    let own = ["--client-certificate", &shown, "--client-key", &its_key];
    assert_eq!(by(&[&["--ca-file", &ca][..], &own].concat()).0, Some(0));
    let (status, error) = by(&[]);
    assert!(status == Some(3) && error.contains("certificate"), "{status:?} {error}");
    let (status, error) = by(&[
        "--ca-file",
        &ca,
        "--client-certificate",
        &file("wrong.pem"),
        "--client-key",
        &file("wrong.key"),
    ]);
    assert!(status == Some(3), "another authority's certificate: {status:?} {error}");

    // A new certificate is shown without a restart.
    let shown = || {
        let out = Command::new("curl").args(["--silent", "--verbose", "--insecure", &url]).output();
        String::from_utf8_lossy(&out.unwrap().stderr).into_owned()
    };
    assert!(shown().contains("CN=first"), "{}", shown());
    certificate(&folder, "server-ca", "server", "/CN=second");
    wait_until("the new certificate", Duration::from_secs(10), || shown().contains("CN=second"));
    // A broken one leaves the last good one.
    std::fs::write(folder.join("server.pem"), "broken").unwrap();
    std::thread::sleep(Duration::from_secs(3));
    assert_eq!(curl(&folder, &usage, &acme), is("200", "2"));
    assert_eq!(door.process.metric("waybill_file_ok", "gateway_tls"), 0.0);
}
