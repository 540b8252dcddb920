//! Ports, and services that call at them: the trade lanes of container shipping.

use jiff::tz::TimeZone;
use waybill_enrich::{Coordinates, Places, Zones};

use crate::ConfigError;
use crate::numbers;
use crate::random::Random;

/// UN/LOCODE and the SMDG code of one of the port's terminals; none where SMDG lists none under
/// this UN/LOCODE.
const PORTS: [(&str, &str); 71] = [
    ("AEJEA", "DPWJA"),
    ("ARBUE", "TRP"),
    ("AUBNE", "DPBNE"),
    ("AUFRE", "CONFR"),
    ("AUMEL", "VICTM"),
    ("AUSYD", "ASLPB"),
    ("BEANR", "K1742"),
    ("BRIOA", "ITP"),
    ("BRPNG", "TCP"),
    ("BRSSZ", "BTP"),
    ("CAVAN", "DLT"),
    ("CIABJ", "CIT"),
    ("CLSAI", "STI"),
    ("CNNGB", ""),
    ("CNNSA", "NICT"),
    ("CNSHA", ""),
    ("CNTAO", ""),
    ("CNTXG", ""),
    ("CNXMN", ""),
    ("CNYTN", "YICT"),
    ("COCTG", "SPRC"),
    ("DEBRV", "NTB"),
    ("DEHAM", "CTB"),
    ("ECGYE", "CONTE"),
    ("EGPSD", "SCCT"),
    ("ESALG", "TTI"),
    ("ESBCN", "BEST"),
    ("ESVLC", "NOATV"),
    ("FRLEH", "TDF"),
    ("GBFXT", "TTY"),
    ("GBLGP", "DPWLG"),
    ("GHTEM", "MPS3"),
    ("GRPIR", "GRPCT"),
    ("HKHKG", "HITHK"),
    ("IDJKT", "UTC1"),
    ("INMUN", "AMCT"),
    ("INNSA", "GTICI"),
    ("ITGOA", "VTE"),
    ("JPTYO", "AOH"),
    ("JPUKB", "RC2"),
    ("JPYOK", "HD4"),
    ("KRPUS", "HPNT"),
    ("LKCMB", "CICT"),
    ("MAPTM", "APM2"),
    ("MXZLO", "SSAMX"),
    ("MYPKG", "KMT"),
    ("MYTPP", "PTP"),
    ("NLRTM", "NLMVII"),
    ("NZAKL", "PAFW"),
    ("NZTRG", "TRGCT"),
    ("OMSLL", "APMT"),
    ("PAMIT", "MIT"),
    ("PECLL", "DPCLL"),
    ("PHMNL", "MIC"),
    ("PLGDN", "DCT"),
    ("SADMM", "SCT"),
    ("SAJED", "RSGT"),
    ("SGSIN", "PSAPPT"),
    ("SNDKR", "DPWSN"),
    ("TGLFW", "LCT"),
    ("THLCH", "HLTD"),
    ("TWKHH", "KMCT"),
    ("USCHS", "WWMT"),
    ("USLAX", "APMT"),
    ("USNYC", "MAHER"),
    ("USOAK", "B58"),
    ("USORF", "NIT"),
    ("USSAV", "GCMT"),
    ("USSEA", "SSA18"),
    ("VNHPH", "DINHVU"),
    ("ZADUR", "TNP2"),
];

/// Code and rotation of each service; the last port's ship goes back to the first.
const SERVICES: [(&str, &str); 16] = [
    ("AE1", "CNNGB CNSHA CNYTN SGSIN LKCMB EGPSD MAPTM GBFXT NLRTM DEHAM BEANR EGPSD MYTPP"),
    ("AE2", "KRPUS CNTAO CNSHA CNNGB MYTPP LKCMB EGPSD ESALG DEBRV PLGDN DEHAM NLRTM FRLEH"),
    ("AE3", "CNTXG CNXMN CNNSA MYPKG OMSLL EGPSD GBLGP NLRTM BEANR FRLEH EGPSD SGSIN"),
    ("MD1", "CNTAO CNSHA CNNGB TWKHH HKHKG SGSIN SAJED EGPSD GRPIR ITGOA ESBCN ESVLC EGPSD"),
    ("TP1", "THLCH CNYTN CNXMN TWKHH USLAX USOAK JPTYO KRPUS"),
    ("TP2", "CNSHA CNNGB KRPUS CAVAN USSEA JPYOK JPUKB"),
    ("TE1", "CNYTN CNSHA KRPUS PAMIT USSAV USCHS USNYC PAMIT"),
    ("TA1", "DEBRV NLRTM GBFXT BEANR USNYC USORF USCHS USSAV"),
    ("TA2", "GRPIR ITGOA ESVLC ESALG USNYC USORF USSAV MAPTM"),
    ("SA1", "NLRTM DEHAM BEANR FRLEH MAPTM BRSSZ BRPNG ARBUE BRIOA BRSSZ ESALG"),
    ("WS1", "CNNGB CNSHA KRPUS MXZLO ECGYE PECLL CLSAI"),
    ("CA1", "BEANR FRLEH COCTG PAMIT COCTG USSAV"),
    ("AF1", "CNSHA CNNSA SGSIN LKCMB ZADUR MYTPP"),
    ("AF2", "ESALG MAPTM SNDKR CIABJ GHTEM TGLFW"),
    ("IG1", "CNSHA CNYTN SGSIN MYPKG LKCMB INNSA INMUN AEJEA SADMM OMSLL"),
    ("IA1", "JPTYO JPYOK KRPUS CNSHA HKHKG VNHPH THLCH SGSIN IDJKT MYPKG PHMNL"),
];

/// A shuttle between two oceans: ships for Australia and New Zealand start where others call.
const OCEANIA: (&str, &str) =
    ("OC1", "CNSHA CNYTN SGSIN MYTPP AUFRE AUMEL AUSYD AUBNE NZAKL NZTRG");

const VESSEL_FIRST: [&str; 16] = [
    "AMBER", "BOREAL", "CEDAR", "CORAL", "DAWN", "EMERALD", "FALCON", "GRANITE", "HORIZON",
    "INDIGO", "LAUREL", "MERIDIAN", "NORTHERN", "OPAL", "SILVER", "TIDAL",
];
const VESSEL_SECOND: [&str; 12] = [
    "BRIDGE",
    "CREST",
    "ENTERPRISE",
    "HARMONY",
    "HERON",
    "JOURNEY",
    "PIONEER",
    "QUEST",
    "STAR",
    "TERN",
    "VOYAGER",
    "WAVE",
];
const VESSELS_PER_SERVICE: usize = 8;

#[derive(Debug)]
pub(crate) struct Port {
    pub unlocode: &'static str,
    pub terminal: &'static str,
    pub name: &'static str,
    pub coordinates: Coordinates,
    pub zone: TimeZone,
}

#[derive(Debug)]
pub(crate) struct Vessel {
    pub imo: String,
    pub name: String,
}

#[derive(Debug)]
pub(crate) struct Service {
    pub code: &'static str,
    /// Indices of ports, in the order of calls.
    pub rotation: Vec<usize>,
    /// Hours at sea from the nth call to the next.
    pub sea_hours: Vec<f64>,
    pub vessels: Vec<Vessel>,
}

#[derive(Debug)]
pub(crate) struct Network {
    pub ports: Vec<Port>,
    pub services: Vec<Service>,
}

impl Network {
    pub(crate) fn new() -> Result<Self, ConfigError> {
        let (places, zones) = (Places::bundled(), Zones::bundled());
        let port = |(unlocode, terminal)| {
            let place = places.lookup(unlocode)?;
            Some(Port {
                unlocode,
                terminal,
                name: place.name,
                coordinates: place.coordinates?,
                zone: zones.get(place.zone?)?.rules.clone(),
            })
        };
        let ports: Option<Vec<Port>> = PORTS.into_iter().map(port).collect();
        let ports = ports.ok_or(ConfigError("a port is missing in the table of places"))?;
        let services: Option<Vec<Service>> = SERVICES
            .iter()
            .chain([&OCEANIA])
            .zip(0..)
            .map(|(s, n)| service(*s, n, &ports))
            .collect();
        let services = services.ok_or(ConfigError("a service calls at a port without a table"))?;
        Ok(Self { ports, services })
    }
}

fn service((code, rotation): (&'static str, &str), number: u64, ports: &[Port]) -> Option<Service> {
    let rotation: Option<Vec<usize>> = rotation
        .split(' ')
        .map(|unlocode| ports.iter().position(|port| port.unlocode == unlocode))
        .collect();
    let rotation = rotation?;
    let next = rotation.iter().skip(1).chain(rotation.first());
    let sea_hours: Option<Vec<f64>> = rotation
        .iter()
        .zip(next)
        .map(|(from, to)| {
            let km = great_circle_km(ports.get(*from)?.coordinates, ports.get(*to)?.coordinates);
            // Ships go round land: a fifth more; at 16 knots.
            Some((km * 1.2 / (16.0 * 1.852)).max(10.0))
        })
        .collect();
    let mut random = Random::new(&[number]);
    let vessels = (0..VESSELS_PER_SERVICE)
        .map(|n| {
            let first = random.pick(&VESSEL_FIRST).copied().unwrap_or_default();
            let second = random.pick(&VESSEL_SECOND).copied().unwrap_or_default();
            let six = 970_000
                + u32::try_from(number).unwrap_or(0) * 97
                + u32::try_from(n).unwrap_or(0) * 11;
            Vessel { imo: numbers::vessel(six), name: format!("{first} {second}") }
        })
        .collect();
    Some(Service { code, rotation, sea_hours: sea_hours?, vessels })
}

/// By the haversine, on a sphere of the mean radius of the earth.
fn great_circle_km(a: Coordinates, b: Coordinates) -> f64 {
    let (lat_a, lat_b) = (a.latitude.to_radians(), b.latitude.to_radians());
    let lat = ((lat_b - lat_a) / 2.0).sin();
    let lon = ((b.longitude - a.longitude).to_radians() / 2.0).sin();
    let h = lat * lat + lat_a.cos() * lat_b.cos() * lon * lon;
    2.0 * 6371.0088 * h.sqrt().min(1.0).asin()
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_port_is_called_at_and_every_vessel_has_its_own_number() {
        let network = Network::new().unwrap();
        let called: HashSet<_> = network.services.iter().flat_map(|s| &s.rotation).collect();
        assert_eq!(called.len(), PORTS.len());
        let vessels: Vec<_> = network.services.iter().flat_map(|s| &s.vessels).collect();
        let numbers: HashSet<_> = vessels.iter().map(|v| &v.imo).collect();
        assert_eq!(numbers.len(), vessels.len());
        assert!(vessels.iter().all(|v| v.imo.len() == 7 && v.name.len() <= 35));
        assert!(PORTS.iter().all(|(code, terminal)| code.len() == 5 && terminal.len() <= 6));
    }

    #[test]
    fn sea_times_are_plausible() {
        let network = Network::new().unwrap();
        let hours = |code: &str, from: &str| {
            let service = network.services.iter().find(|s| s.code == code).unwrap();
            let port = |n: &usize| network.ports[*n].unlocode == from;
            service.sea_hours[service.rotation.iter().position(port).unwrap()]
        };
        assert!((10.0..24.0).contains(&hours("AE1", "GBFXT")), "to Rotterdam");
        assert!((300.0..480.0).contains(&hours("TP1", "TWKHH")), "to Los Angeles");
        for service in &network.services {
            assert!(service.sea_hours.iter().all(|h| (10.0..800.0).contains(h)), "{service:?}");
        }
    }
}
