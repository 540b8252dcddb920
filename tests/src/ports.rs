use std::collections::BTreeSet;
use std::net::TcpListener;
use std::sync::Mutex;

/// What this process has handed out: a port stays free until its server starts, and the tests of one
/// process run beside each other.
static GIVEN: Mutex<BTreeSet<u16>> = Mutex::new(BTreeSet::new());

/// A free port that nobody else in this process gets. No outgoing connection is given it either
/// (those begin at 32,768): one could take it before the server does, and while the server is down,
/// a connection to it could be one to itself. Runs beside each other on one machine each have a part of
/// the range: `WAYBILL_TEST_PORTS=20000-22000`.
///
/// # Panics
/// When there is none.
pub fn free_port() -> u16 {
    let range = std::env::var("WAYBILL_TEST_PORTS");
    let range = range.as_deref().unwrap_or("20000-32000");
    let (first, last) = range.split_once('-').expect("WAYBILL_TEST_PORTS is FIRST-LAST");
    let [first, last] = [first, last].map(|port| port.parse::<u16>().expect("WAYBILL_TEST_PORTS"));
    for _ in 0..10_000 {
        let port = fastrand::u16(first..last);
        let free = TcpListener::bind(("127.0.0.1", port)).is_ok();
        if free && GIVEN.lock().unwrap().insert(port) {
            return port;
        }
    }
    panic!("no free port of {range}");
}

#[test]
fn no_port_is_given_twice() {
    let ports: Vec<u16> = (0..1_000).map(|_| free_port()).collect();
    let different: BTreeSet<_> = ports.iter().collect();
    assert_eq!(different.len(), ports.len());
}
