use std::time::Duration;

use clickhouse::Client;
use secrecy::{ExposeSecret, SecretString};
use waybill_stage::Fault;

use crate::{Retention, Tls};

/// How to reach ClickHouse. `Debug` does not show the password.
#[derive(Clone, Debug)]
pub struct Config {
    /// `http://host:8123` or `https://host:8443`. Holds neither user nor password nor settings.
    pub url: String,
    /// Database of all tables: a plain name.
    pub database: String,
    pub user: Option<String>,
    pub password: Option<SecretString>,
    /// With `https` alone.
    pub tls: Tls,
    pub retention: Retention,
    /// How long one request may take.
    pub request_timeout: Duration,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            url: "http://127.0.0.1:8123".to_owned(),
            database: "waybill".to_owned(),
            user: None,
            password: None,
            tls: Tls::default(),
            retention: Retention::default(),
            request_timeout: Duration::from_secs(30),
        }
    }
}

impl Config {
    /// Says what is wrong, for `waybill check-config` and before anything is sent. It never
    /// repeats the URL, which may hold the password that it should not.
    pub fn check(&self) -> Result<(), Fault> {
        let fault = |text: &str| Err(Fault(text.to_owned()));
        let rest = self.url.strip_prefix("https://").or_else(|| self.url.strip_prefix("http://"));
        let Some(rest) = rest else {
            return fault("ClickHouse's url must begin with http:// or https://");
        };
        if rest.contains('@') {
            return fault(
                "ClickHouse's url must not hold user or password: they have own settings",
            );
        }
        if rest.is_empty() || rest.contains(['?', '#']) {
            return fault("ClickHouse's url must be a host and a port, without query or fragment");
        }
        let mut name = self.database.bytes();
        let starts = name.next().is_some_and(|b| b.is_ascii_alphabetic() || b == b'_');
        if !starts || !name.all(|b| b.is_ascii_alphanumeric() || b == b'_') {
            return fault("ClickHouse's database must be letters, digits and underscores");
        }
        if self.tls != Tls::default() && !self.url.starts_with("https://") {
            return fault("ClickHouse's certificates are for an https url: this one is http");
        }
        self.tls.client().map(drop)
    }

    /// The database of tables that stand for a moment, next to the other. There the sink may make and drop
    /// tables; where the rows are, it may not.
    pub(crate) fn scratch_database(&self) -> String {
        format!("{}_scratch", self.database)
    }

    /// A client without a default database (it may not exist yet): every name is written in full.
    pub(crate) fn client(&self) -> Result<Client, Fault> {
        let mut client = self
            .tls
            .client()?
            .with_url(&self.url)
            .with_product_info("waybill", env!("CARGO_PKG_VERSION"))
            // The answer comes when all is done. (No setting, and so allowed to users who may set none.)
            .with_setting("wait_end_of_query", "1");
        if let Some(user) = &self.user {
            client = client.with_user(user);
        }
        if let Some(password) = &self.password {
            client = client.with_password(password.expose_secret());
        }
        Ok(client)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_is_said_without_the_url() {
        let check = |url: &str, database: &str, expect: Option<&str>| {
            let config =
                Config { url: url.to_owned(), database: database.to_owned(), ..Config::default() };
            let said = config.check().err().map(|fault| fault.0);
            match expect {
                None => assert_eq!(said, None, "{url} {database}"),
                Some(part) => {
                    let said = said.unwrap_or_default();
                    assert!(said.contains(part), "{url} {database}: {said}");
                    assert!(!said.contains("s3cret"), "{said}");
                }
            }
        };
        check("http://localhost:8123", "waybill", None);
        check("https://ch.example.org:8443/", "_w2", None);
        check("tcp://localhost:9000", "waybill", Some("http://"));
        check("http://", "waybill", Some("host"));
        check("http://me:s3cret@localhost", "waybill", Some("own settings"));
        check("http://localhost?password=s3cret", "waybill", Some("query"));
        check("http://localhost", "", Some("database"));
        check("http://localhost", "2w", Some("database"));
        check("http://localhost", "w; DROP", Some("database"));
    }

    #[test]
    fn debug_does_not_show_the_password() {
        let config = Config { password: Some("s3cret".to_owned().into()), ..Config::default() };
        assert!(!format!("{config:?}").contains("s3cret"));
    }
}
