//! https with an authority of our own. The server of these tests serves no TLS itself
//! (clickhouse-local has no such listener), so what stands before it does.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};
use tokio_rustls::TlsAcceptor;
use waybill_clickhouse::{ClickHouseSink, Config, Database, Tls};

use crate::samples::event;
use crate::server::{ask, batch, config, insert, migrated, try_insert, url};

/// Certificates in a folder, by openssl.
struct Authority {
    folder: tempfile::TempDir,
}

impl Authority {
    fn new() -> Self {
        Self::named("Waybill test authority")
    }

    fn named(name: &str) -> Self {
        let authority = Self { folder: tempfile::tempdir().unwrap() };
        authority.openssl(&[
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:P-256",
            "-nodes",
            "-subj",
            &format!("/CN={name}"),
            "-days",
            "2",
            "-keyout",
            "ca.key",
            "-out",
            "ca.pem",
        ]);
        authority
    }

    fn openssl(&self, args: &[&str]) {
        let out = Command::new("openssl").args(args).current_dir(self.folder.path()).output();
        let out = out.unwrap();
        assert!(out.status.success(), "openssl {args:?}: {}", String::from_utf8_lossy(&out.stderr));
    }

    /// Certificate and key for `name`.
    fn sign(&self, name: &str, days: &str) -> (PathBuf, PathBuf) {
        let extensions = format!("subjectAltName={name}\nbasicConstraints=critical,CA:false\n");
        std::fs::write(self.folder.path().join("extensions"), extensions).unwrap();
        let file = |end: &str| format!("{}.{end}", name.replace([':', ','], "-"));
        let (request, key, certificate) = (file("csr"), file("key"), file("pem"));
        self.openssl(&[
            "req",
            "-new",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:P-256",
            "-nodes",
            "-subj",
            "/CN=x",
            "-keyout",
            &key,
            "-out",
            &request,
        ]);
        self.openssl(&[
            "x509",
            "-req",
            "-in",
            &request,
            "-CA",
            "ca.pem",
            "-CAkey",
            "ca.key",
            "-CAcreateserial",
            "-days",
            days,
            "-extfile",
            "extensions",
            "-out",
            &certificate,
        ]);
        (self.folder.path().join(certificate), self.folder.path().join(key))
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join("ca.pem")
    }
}

fn chain(file: &Path) -> Vec<CertificateDer<'static>> {
    CertificateDer::pem_file_iter(file).unwrap().map(Result::unwrap).collect()
}

/// A way to the server of these tests that speaks TLS; its port. `clients`: who must sign theirs.
fn serve(certificate: &(PathBuf, PathBuf), clients: Option<&Authority>) -> u16 {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ServerConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()
        .unwrap();
    let builder = match clients {
        None => builder.with_no_client_auth(),
        Some(authority) => {
            let mut roots = RootCertStore::empty();
            chain(&authority.file()).into_iter().for_each(|root| roots.add(root).unwrap());
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
            builder.with_client_cert_verifier(verifier.build().unwrap())
        }
    };
    let key = PrivateKeyDer::from_pem_file(&certificate.1).unwrap();
    let config = builder.with_single_cert(chain(&certificate.0), key).unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let port = listener.local_addr().unwrap().port();
    let to = url().strip_prefix("http://").unwrap();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let listener = tokio::net::TcpListener::from_std(listener).unwrap();
            loop {
                let (client, _) = listener.accept().await.unwrap();
                let acceptor = acceptor.clone();
                tokio::spawn(async move {
                    let Ok(mut client) = acceptor.accept(client).await else { return };
                    let mut server = tokio::net::TcpStream::connect(to).await.unwrap();
                    let _ = tokio::io::copy_bidirectional(&mut client, &mut server).await;
                });
            }
        });
    });
    port
}

fn at(database: &str, url: String, tls: Tls) -> Config {
    Config { url, tls, ..config(database) }
}

fn trusting(authority: &Authority) -> Tls {
    Tls { ca_file: Some(authority.file()), ..Tls::default() }
}

#[test]
fn a_private_authority_is_trusted_and_the_sink_works_through_it() {
    let ours = Authority::new();
    let port = serve(&ours.sign("DNS:localhost,IP:127.0.0.1", "2"), None);
    let database = migrated("tls");
    for host in ["localhost", "127.0.0.1"] {
        let config = at("tls", format!("https://{host}:{port}"), trusting(&ours));
        Database::open(config.clone()).unwrap().ping().unwrap();
        let mut sink = ClickHouseSink::open(config).unwrap();
        insert(&mut sink, batch("events", 5, &[event("acme", "s1", 0)]));
    }
    assert_eq!(ask(&database, "SELECT count() FROM events"), "1");
}

/// Another authority, another host's name, a time that is over: each in words that say which.
#[test]
fn a_certificate_that_is_not_the_servers_is_refused() {
    let (ours, others) = (Authority::new(), Authority::new());
    migrated("tls_refused");
    let check = |certificate: (PathBuf, PathBuf), tls: Tls, expect: &str| {
        let url = format!("https://localhost:{}", serve(&certificate, None));
        let config = at("tls_refused", url, tls);
        let said = Database::open(config.clone()).unwrap().ping().unwrap_err().0;
        assert!(said.contains(expect), "{said}");
        // The sink does not try again what only an operator can mend.
        let mut sink = ClickHouseSink::open(config).unwrap();
        let events = batch("events", 0, &[event("acme", "s1", 0)]);
        let said = try_insert(&mut sink, &[events]).unwrap_err().0;
        assert!(said.contains(expect), "{said}");
    };
    let here = "DNS:localhost";
    let issuer = "signed by no authority that is trusted here (clickhouse.ca_file";
    check(ours.sign(here, "2"), trusting(&others), issuer);
    check(ours.sign(here, "2"), trusting(&Authority::named("Another")), issuer);
    // A private authority is none of the public ones, and takes their place.
    check(ours.sign(here, "2"), Tls::default(), issuer);
    check(
        ours.sign("DNS:clickhouse.example", "2"),
        trusting(&ours),
        "for another host than clickhouse.url",
    );
    check(ours.sign(here, "-1"), trusting(&ours), "has expired");
}

#[test]
fn a_server_that_asks_for_our_certificate_gets_it() {
    let (ours, others) = (Authority::new(), Authority::new());
    migrated("tls_client");
    let port = serve(&ours.sign("DNS:localhost", "2"), Some(&ours));
    let ping = |certificate: Option<(PathBuf, PathBuf)>| {
        let (certificate_file, key_file) = certificate.unzip();
        let tls = Tls { certificate_file, key_file, ..trusting(&ours) };
        Database::open(at("tls_client", format!("https://localhost:{port}"), tls)).unwrap().ping()
    };
    ping(Some(ours.sign("DNS:sink", "2"))).unwrap();
    for refused in [None, Some(others.sign("DNS:sink", "2"))] {
        let said = ping(refused).unwrap_err().0;
        assert!(said.contains("does not accept our certificate"), "{said}");
    }
}

#[test]
fn a_wrong_file_is_named_before_anything_is_sent() {
    let ours = Authority::new();
    let (certificate, key) = ours.sign("DNS:localhost", "2");
    let (_, other_key) = ours.sign("DNS:other", "2");
    let check = |url: &str, files: [Option<&PathBuf>; 3], expect: &str| {
        let [ca_file, certificate_file, key_file] = files.map(Option::<&PathBuf>::cloned);
        let tls = Tls { ca_file, certificate_file, key_file };
        let said = Database::open(at("tls_files", url.to_owned(), tls)).unwrap_err().0;
        assert!(said.contains(expect), "{said}");
    };
    let (https, absent) = ("https://localhost:1", PathBuf::from("/no/such/file"));
    check(https, [Some(&absent), None, None], "clickhouse.ca_file: /no/such/file: ");
    check(https, [Some(&key), None, None], "no certificate is in it");
    check(https, [None, Some(&certificate), None], "give both");
    check(https, [None, Some(&certificate), Some(&absent)], "clickhouse.key_file: /no/such/file");
    check(https, [None, Some(&certificate), Some(&other_key)], "clickhouse.certificate_file: ");
    check("http://localhost:1", [Some(&ours.file()), None, None], "for an https url");
}
