//! TLS to a ClickHouse whose certificate an authority of our own has signed, or that asks for one of
//! ours. The clickhouse crate's own client trusts the public authorities, and has no certificate.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use clickhouse::Client;
use hyper_rustls::{ConfigBuilderExt, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client as HyperClient;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{CertificateError, ClientConfig, RootCertStore};
use waybill_stage::Fault;

/// PEM files; none of them: the public authorities, and no certificate of ours.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tls {
    /// Authorities that sign the server's certificate: these alone are trusted.
    pub ca_file: Option<PathBuf>,
    /// Our certificate, with what leads to its authority, and its key: both or none.
    pub certificate_file: Option<PathBuf>,
    pub key_file: Option<PathBuf>,
}

// As the clickhouse crate has them: shorter than the 3 s for which ClickHouse keeps a connection.
const IDLE: Duration = Duration::from_secs(2);
const KEEPALIVE: Duration = Duration::from_secs(60);

impl Tls {
    /// A client that goes by these files, which are read now.
    pub(crate) fn client(&self) -> Result<Client, Fault> {
        if *self == Self::default() {
            return Ok(Client::default());
        }
        let mut connector = HttpConnector::new();
        connector.set_keepalive(Some(KEEPALIVE));
        connector.enforce_http(false);
        let connector = HttpsConnectorBuilder::new()
            .with_tls_config(self.read()?)
            .https_only()
            .enable_http1()
            .wrap_connector(connector);
        let mut client = HyperClient::builder(TokioExecutor::new());
        client.pool_idle_timeout(IDLE);
        Ok(Client::with_http_client(client.build(connector)))
    }

    fn read(&self) -> Result<ClientConfig, Fault> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|e| Fault(format!("ClickHouse, TLS: {e}")))?;
        let builder = match &self.ca_file {
            None => builder.with_webpki_roots(),
            Some(file) => {
                let mut roots = RootCertStore::empty();
                for certificate in certificates("ca_file", file)? {
                    roots.add(certificate).map_err(|e| wrong("ca_file", file, &e))?;
                }
                builder.with_root_certificates(roots)
            }
        };
        match (&self.certificate_file, &self.key_file) {
            (None, None) => Ok(builder.with_no_client_auth()),
            (Some(file), Some(key_file)) => {
                let key = PrivateKeyDer::from_pem_file(key_file)
                    .map_err(|e| wrong("key_file", key_file, &e))?;
                let chain = certificates("certificate_file", file)?;
                let both = builder.with_client_auth_cert(chain, key);
                both.map_err(|e| wrong("certificate_file", file, &e))
            }
            _ => Err(Fault("clickhouse.certificate_file and key_file: give both".to_owned())),
        }
    }
}

fn certificates(key: &str, file: &Path) -> Result<Vec<CertificateDer<'static>>, Fault> {
    let found =
        CertificateDer::pem_file_iter(file).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    match found {
        Ok(found) if found.is_empty() => Err(wrong(key, file, &"no certificate is in it")),
        Ok(found) => Ok(found),
        Err(error) => Err(wrong(key, file, &error)),
    }
}

fn wrong(key: &str, file: &Path, why: &dyn std::fmt::Display) -> Fault {
    Fault(format!("clickhouse.{key}: {}: {why}", file.display()))
}

/// If `error` is about a certificate: what about it, for the operator.
pub(crate) fn complaint(error: &(dyn Error + 'static)) -> Option<&'static str> {
    let mut cause = Some(error);
    while let Some(error) = cause {
        match error.downcast_ref::<rustls::Error>() {
            Some(rustls::Error::InvalidCertificate(why)) => return Some(of_server(why)),
            Some(rustls::Error::AlertReceived(_)) => {
                return Some("it does not accept our certificate (clickhouse.certificate_file)");
            }
            _ => {}
        }
        // An I/O error gives the cause of what it holds as its own: what it holds would be passed over.
        cause = match error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref) {
            Some(held) => Some(held),
            None => error.source(),
        };
    }
    None
}

fn of_server(why: &CertificateError) -> &'static str {
    match why {
        // The second: of an authority that has the name of a trusted one, and another key.
        CertificateError::UnknownIssuer | CertificateError::BadSignature => {
            "its certificate is signed by no authority that is trusted here (clickhouse.ca_file names it)"
        }
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            "its certificate is for another host than clickhouse.url names"
        }
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
            "its certificate has expired"
        }
        _ => "its certificate is not accepted",
    }
}
