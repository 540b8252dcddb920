//! An endpoint's URL, as far as it may be asked.

use std::net::IpAddr;

use ipnet::IpNet;
use url::{Host, Url};

use crate::address::may_go_to;

const HTTPS: u16 = 443;
/// Longer is nobody's, and logs and registries stay small.
const LONGEST: usize = 2_000;
/// Names that never are public: RFC 6761, RFC 6762, RFC 8375, RFC 9476, and ICANN's `internal`.
const NOT_PUBLIC: [&str; 8] =
    ["localhost", "local", "internal", "home.arpa", "alt", "test", "invalid", "onion"];

/// What operators allow beside what is public.
#[derive(Clone, Debug, Default)]
pub struct Allowed {
    /// Networks whose addresses may be gone to.
    pub addresses: Vec<IpNet>,
    /// Ports beside 443.
    pub ports: Vec<u16>,
}

/// Where a request goes.
#[derive(Clone, PartialEq, Eq)]
pub struct Target {
    pub host: Name,
    pub port: u16,
    /// Path and query: it may hold a secret of the carrier's.
    pub path: String,
}

/// A path is nobody's business.
impl std::fmt::Debug for Target {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.authority())
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Name {
    /// As DNS has it, in ASCII.
    Domain(String),
    Address(IpAddr),
}

impl Target {
    /// Or what is wrong with the URL. The addresses of a name are looked at whenever it is connected to.
    pub fn parse(url: &str, allowed: &Allowed) -> Result<Self, String> {
        if url.len() > LONGEST {
            return Err(format!("longer than {LONGEST} bytes"));
        }
        let url = Url::parse(url).map_err(|e| e.to_string())?;
        if url.scheme() != "https" {
            return Err("not https".to_owned());
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err("user and password are not sent: what is told is signed".to_owned());
        }
        if url.fragment().is_some() {
            return Err("a fragment is not sent".to_owned());
        }
        let port = url.port_or_known_default().unwrap_or(HTTPS);
        if port != HTTPS && !allowed.ports.contains(&port) {
            return Err(format!("port {port} is not 443, nor in webhooks.allow_ports"));
        }
        let host = match url.host() {
            Some(Host::Domain(name)) => Name::Domain(public_name(name)?),
            Some(Host::Ipv4(address)) => Name::Address(address.into()),
            Some(Host::Ipv6(address)) => Name::Address(address.into()),
            None => return Err("no host".to_owned()),
        };
        if let Name::Address(address) = host
            && !may_go_to(address, &allowed.addresses)
        {
            return Err(format!("{address} is no public address"));
        }
        let query = url.query().map_or_else(String::new, |query| format!("?{query}"));
        Ok(Self { host, port, path: format!("{}{query}", url.path()) })
    }

    /// For the header `Host`, and for logs.
    pub fn authority(&self) -> String {
        let host = match &self.host {
            Name::Domain(name) => name.clone(),
            Name::Address(IpAddr::V4(address)) => address.to_string(),
            Name::Address(IpAddr::V6(address)) => format!("[{address}]"),
        };
        if self.port == HTTPS { host } else { format!("{host}:{}", self.port) }
    }
}

fn public_name(name: &str) -> Result<String, String> {
    let bare = name.strip_suffix('.').unwrap_or(name);
    let is_of = |end: &&str| {
        bare.strip_suffix(*end).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
    };
    if !bare.contains('.') || NOT_PUBLIC.iter().any(is_of) {
        return Err(format!("{name:?} is no public name"));
    }
    Ok(bare.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_https_to_something_public() {
        let parse = |url: &str| Target::parse(url, &Allowed::default());
        let good = parse("https://Hooks.Example.ORG/waybill?key=1").unwrap();
        assert_eq!(good.authority(), "hooks.example.org");
        assert_eq!((good.port, good.path.as_str()), (443, "/waybill?key=1"));
        assert_eq!(format!("{good:?}"), "hooks.example.org");
        assert_eq!(parse("https://example.org:443").unwrap().path, "/");
        assert_eq!(parse("https://example.org./x").unwrap().authority(), "example.org");
        assert_eq!(parse("https://8.8.8.8/").unwrap().authority(), "8.8.8.8");
        assert_eq!(parse("https://[2606:4700::1111]/").unwrap().authority(), "[2606:4700::1111]");
        let long = format!("https://example.org/{}", "x".repeat(2_000));
        for (url, why) in [
            ("http://example.org/", "not https"),
            ("ftp://example.org/", "not https"),
            ("file:///etc/passwd", "not https"),
            ("gopher://example.org/", "not https"),
            ("example.org", "relative URL"),
            ("https://", "empty host"),
            ("https://user@example.org/", "user and password"),
            ("https://:pw@example.org/", "user and password"),
            ("https://example.org/#x", "fragment"),
            ("https://example.org:8443/", "port 8443"),
            ("https://example.org:22/", "port 22"),
            ("https://localhost/", "no public name"),
            ("https://LOCALHOST./", "no public name"),
            ("https://a.localhost/", "no public name"),
            ("https://kafka/", "no public name"),
            ("https://printer.local/", "no public name"),
            ("https://metadata.google.internal/", "no public name"),
            ("https://127.0.0.1/", "no public address"),
            // as browsers, and the system's resolver, read them
            ("https://127.1/", "no public address"),
            ("https://0x7f.1/", "no public address"),
            ("https://2130706433/", "no public address"),
            ("https://0177.0.0.1/", "no public address"),
            ("https://①②⑦.0.0.1/", "no public address"),
            ("https://169.254.169.254/latest/meta-data/", "no public address"),
            ("https://[::1]/", "no public address"),
            ("https://[::ffff:127.0.0.1]/", "no public address"),
            ("https://[::ffff:7f00:1]/", "no public address"),
            ("https://[fe80::1]/", "no public address"),
            ("https://[fe80::1%25eth0]/", "invalid"),
            (&long, "longer than"),
        ] {
            let said = parse(url).unwrap_err();
            assert!(said.contains(why), "{url}: {said}");
        }
    }

    #[test]
    fn what_an_operator_allows_is_a_target() {
        let addresses = vec!["127.0.0.0/8".parse().unwrap()];
        let allowed = Allowed { addresses, ports: vec![8443] };
        let target = Target::parse("https://127.0.0.1:8443/a", &allowed).unwrap();
        assert_eq!(target.authority(), "127.0.0.1:8443");
        assert!(Target::parse("https://127.0.0.1:8444/", &allowed).is_err());
        assert!(Target::parse("https://10.0.0.1:8443/", &allowed).is_err());
    }
}
