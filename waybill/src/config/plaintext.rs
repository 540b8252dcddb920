//! What goes over a network in clear is refused unless it is asked for: whoever is on the way reads
//! passwords and rows, and may change them. On this machine nobody is on the way.

use std::net::IpAddr;

use super::{ClickHouse, Kafka};

/// Why what `kafka` says would go out in clear, if it would.
pub(super) fn refused_of_kafka(kafka: &Kafka) -> Option<String> {
    let protocol = &kafka.security_protocol;
    if kafka.allow_plaintext || !matches!(protocol.as_str(), "plaintext" | "sasl_plaintext") {
        return None;
    }
    let brokers = kafka.brokers.split(',').map(str::trim);
    let far = brokers.map(|broker| host(without_scheme(broker))).find(|h| !is_this_machine(h))?;
    Some(format!(
        "kafka.security_protocol: {protocol} to {far:?}, which is not this machine: anybody on the way can \
         read and change it. Set ssl or sasl_ssl, or kafka.allow_plaintext = true if the network is yours alone"
    ))
}

/// The same of `clickhouse`.
pub(super) fn refused_of_clickhouse(clickhouse: &ClickHouse) -> Option<String> {
    let rest = clickhouse.url.strip_prefix("http://")?;
    let far = host(rest);
    if clickhouse.allow_plaintext || is_this_machine(far) {
        return None;
    }
    Some(format!(
        "clickhouse.url: http to {far:?}, which is not this machine: anybody on the way can read and change \
         it, the password too. Use https, or set clickhouse.allow_plaintext = true if the network is yours alone"
    ))
}

/// Whether the host in a URL is this machine.
pub fn is_this_machine_in(url: &str) -> bool {
    is_this_machine(host(without_scheme(url)))
}

fn without_scheme(broker: &str) -> &str {
    broker.split_once("://").map_or(broker, |(_, rest)| rest)
}

/// The host of `host:port/path`, or of `[v6]:port/path`, without the brackets.
fn host(address: &str) -> &str {
    let end = address.find(['/', '?', '#', '\\']).unwrap_or(address.len());
    let authority = address.get(..end).unwrap_or_default();
    if let Some((inside, _)) = authority.strip_prefix('[').and_then(|a| a.split_once(']')) {
        return inside;
    }
    match authority.split_once(':') {
        // An IPv6 address without brackets has no port.
        Some((host, port)) if !port.contains(':') => host,
        _ => authority,
    }
}

/// By what it says: no name is looked up, since the answer may be another one later.
fn is_this_machine(host: &str) -> bool {
    if let Ok(address) = host.parse::<IpAddr>() {
        return address.to_canonical().is_loopback();
    }
    let name = host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase();
    name == "localhost" || name.ends_with(".localhost")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// (host and port, whether that is this machine)
    const HOSTS: [(&str, bool); 24] = [
        ("localhost:9092", true),
        ("LOCALHOST:9092", true),
        ("localhost.", true),
        ("kafka.localhost:9092", true),
        ("127.0.0.1:9092", true),
        ("127.8.9.10", true),
        ("[::1]:9092", true),
        ("::1", true),
        ("[::ffff:127.0.0.1]:9092", true),
        ("kafka:9092", false),
        ("localhost.example.org:9092", false),
        ("notlocalhost", false),
        ("127.0.0.1.example.org:9092", false),
        ("127.1:9092", false),
        ("10.0.0.1:9092", false),
        ("0.0.0.0:9092", false),
        ("128.0.0.1", false),
        ("[::]:9092", false),
        ("[fe80::1]:9092", false),
        ("[::ffff:10.0.0.1]:9092", false),
        ("[::1.example.org]:9092", false),
        ("example.org/127.0.0.1", false),
        ("unix:/run/kafka.sock", false),
        ("", false),
    ];

    fn kafka(protocol: &str, brokers: &str, allow_plaintext: bool) -> Option<String> {
        refused_of_kafka(&Kafka {
            brokers: brokers.to_owned(),
            security_protocol: protocol.to_owned(),
            allow_plaintext,
            ..Kafka::default()
        })
    }

    fn clickhouse(url: String, allow_plaintext: bool) -> Option<String> {
        refused_of_clickhouse(&ClickHouse { url, allow_plaintext, ..ClickHouse::default() })
    }

    #[test]
    fn plaintext_goes_no_further_than_this_machine() {
        for (address, here) in HOSTS {
            for protocol in ["plaintext", "sasl_plaintext"] {
                assert_eq!(kafka(protocol, address, false).is_none(), here, "{protocol} {address}");
            }
            for path in ["", "/", "/proxy?x=localhost"] {
                let url = format!("http://{address}{path}");
                assert_eq!(clickhouse(url.clone(), false).is_none(), here, "{url}");
                assert_eq!(clickhouse(url, true), None, "{address}");
            }
            assert_eq!(clickhouse(format!("https://{address}"), false), None, "{address}");
            assert_eq!(kafka("plaintext", address, true), None, "{address}");
            assert_eq!(kafka("ssl", address, false), None, "{address}");
            assert_eq!(kafka("sasl_ssl", address, false), None, "{address}");
        }
    }

    #[test]
    fn one_broker_that_is_elsewhere_is_enough_and_is_named() {
        for (brokers, far) in [
            ("127.0.0.1:9092,kafka-2:9092", Some("kafka-2")),
            ("PLAINTEXT://10.0.0.1:9092, localhost:9092", Some("10.0.0.1")),
            ("PLAINTEXT://[::1]:9092, SASL_PLAINTEXT://localhost", None),
            ("localhost:9092,", Some("")),
        ] {
            let said = kafka("plaintext", brokers, false);
            assert_eq!(said.is_some(), far.is_some(), "{brokers}: {said:?}");
            if let (Some(said), Some(far)) = (said, far) {
                assert!(said.contains(&format!("to {far:?}, which is not")), "{said}");
                assert!(said.contains("kafka.allow_plaintext = true"), "{said}");
            }
        }
    }
}
