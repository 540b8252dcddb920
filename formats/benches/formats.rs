//! How fast each format is read, on one core: `cargo bench -p waybill-formats`.

#![allow(clippy::expect_used)] // a bench may stop

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use waybill_formats::{Parts, find};

macro_rules! fixture {
    ($name:literal) => {
        include_bytes!(concat!("../fixtures/", $name))
    };
}

/// Media type, fixture, and what it holds.
const SAMPLES: &[(&str, &str, &[u8])] = &[
    (
        "application/vnd.dcsa.tnt+json;version=2.2",
        "dcsa-2.2/good-single.json",
        fixture!("dcsa-2.2/good-single.json"),
    ),
    (
        "application/vnd.dcsa.tnt+json;version=2.2",
        "dcsa-2.2/good.json",
        fixture!("dcsa-2.2/good.json"),
    ),
    (
        "application/vnd.dcsa.tnt+json;version=3.0",
        "dcsa-3.0/good-single.json",
        fixture!("dcsa-3.0/good-single.json"),
    ),
    (
        "application/vnd.dcsa.tnt+json;version=3.0",
        "dcsa-3.0/good.json",
        fixture!("dcsa-3.0/good.json"),
    ),
    (
        "application/vnd.iata.cargo-imp",
        "cargo-imp/good-booking.txt",
        fixture!("cargo-imp/good-booking.txt"),
    ),
    (
        "application/vnd.iata.cargo-imp",
        "cargo-imp/good-fsu.txt",
        fixture!("cargo-imp/good-fsu.txt"),
    ),
    ("application/vnd.iata.xfsu+xml", "xfsu/good.xml", fixture!("xfsu/good.xml")),
    (
        "application/vnd.iata.one-record+json",
        "one-record/good-graph.json",
        fixture!("one-record/good-graph.json"),
    ),
    (
        "application/vnd.gs1.epcis+json",
        "epcis-json/good-single.jsonld",
        fixture!("epcis-json/good-single.jsonld"),
    ),
    (
        "application/vnd.gs1.epcis+json",
        "epcis-json/good.jsonld",
        fixture!("epcis-json/good.jsonld"),
    ),
    ("application/vnd.gs1.epcis+xml", "epcis-xml/good-2.0.xml", fixture!("epcis-xml/good-2.0.xml")),
    ("application/vnd.asendia.tracking+json", "asendia/good.json", fixture!("asendia/good.json")),
    (
        "application/vnd.auspost.tracking+json",
        "australia-post/good.json",
        fixture!("australia-post/good.json"),
    ),
    ("application/vnd.bpost.tracking+xml", "bpost/good.xml", fixture!("bpost/good.xml")),
    (
        "application/vnd.canadapost.track+xml",
        "canada-post/good.xml",
        fixture!("canada-post/good.xml"),
    ),
    (
        "application/vnd.chronopost.tracking+xml",
        "chronopost/good.xml",
        fixture!("chronopost/good.xml"),
    ),
    (
        "application/vnd.dhl.express-tracking+xml",
        "dhl-express/good.xml",
        fixture!("dhl-express/good.xml"),
    ),
    (
        "application/vnd.dhl.parcel-de-tracking+xml",
        "dhl-parcel-de/good.xml",
        fixture!("dhl-parcel-de/good.xml"),
    ),
    (
        "application/vnd.dhl.poland-tracking+xml",
        "dhl-poland/good.xml",
        fixture!("dhl-poland/good.xml"),
    ),
    (
        "application/vnd.dhl.unified-tracking+json",
        "dhl-unified/good.json",
        fixture!("dhl-unified/good.json"),
    ),
    ("application/vnd.dpd.tracking+xml", "dpd/good.xml", fixture!("dpd/good.xml")),
    ("application/vnd.easypost.event+json", "easypost/good.json", fixture!("easypost/good.json")),
    ("application/vnd.fedex.track+json", "fedex/good.json", fixture!("fedex/good.json")),
    ("application/vnd.fedex.track+xml", "fedex-soap/good.xml", fixture!("fedex-soap/good.xml")),
    ("application/vnd.gls.tracking+json", "gls/good.json", fixture!("gls/good.json")),
    ("application/vnd.hermes.shipmentinfo+json", "hermes/good.json", fixture!("hermes/good.json")),
    ("application/vnd.laposte.suivi+json", "la-poste/good.json", fixture!("la-poste/good.json")),
    ("application/vnd.mydhl.tracking+json", "mydhl/good.json", fixture!("mydhl/good.json")),
    (
        "application/vnd.parcelone.tracking+json",
        "parcelone/good.json",
        fixture!("parcelone/good.json"),
    ),
    (
        "application/vnd.royalmail.tracking+json",
        "royal-mail/good.json",
        fixture!("royal-mail/good.json"),
    ),
    ("application/vnd.seko.tracking+json", "seko/good.json", fixture!("seko/good.json")),
    ("application/vnd.sendle.tracking+json", "sendle/good.json", fixture!("sendle/good.json")),
    (
        "application/vnd.smartkargo.tracking+json",
        "smartkargo/good.json",
        fixture!("smartkargo/good.json"),
    ),
    ("application/vnd.spring.tracking+json", "spring/good.json", fixture!("spring/good.json")),
    ("application/vnd.stamps.tracking+xml", "stamps/good.xml", fixture!("stamps/good.xml")),
    (
        "application/vnd.teleship.tracking+json",
        "teleship/good.json",
        fixture!("teleship/good.json"),
    ),
    (
        "application/vnd.terminal49.webhook+json",
        "terminal49/good.json",
        fixture!("terminal49/good.json"),
    ),
    ("application/vnd.landmark.tracking+xml", "landmark/good.xml", fixture!("landmark/good.xml")),
    (
        "application/vnd.lasership.tracking+json",
        "lasership/good.json",
        fixture!("lasership/good.json"),
    ),
    ("application/vnd.ontrac.tracking+xml", "ontrac/good.xml", fixture!("ontrac/good.xml")),
    (
        "application/vnd.purolator.tracking+xml",
        "purolator/good.xml",
        fixture!("purolator/good.xml"),
    ),
    (
        "application/vnd.aftership.tracking+json",
        "aftership/good.json",
        fixture!("aftership/good.json"),
    ),
    ("application/vnd.ship24.tracking+json", "ship24/good.json", fixture!("ship24/good.json")),
    (
        "application/vnd.shipengine.tracking+json",
        "shipengine/good.json",
        fixture!("shipengine/good.json"),
    ),
    ("application/vnd.17track.tracking+json", "track17/good.json", fixture!("track17/good.json")),
    ("application/vnd.shippo.track+json", "shippo/good.json", fixture!("shippo/good.json")),
    ("application/vnd.ups.tracking+xml", "ups-xml/good.xml", fixture!("ups-xml/good.xml")),
    (
        "application/vnd.ups.track-alert+json",
        "ups-track-alert/good.json",
        fixture!("ups-track-alert/good.json"),
    ),
    (
        "application/vnd.ups.quantum-view+xml",
        "ups-quantum-view/good.xml",
        fixture!("ups-quantum-view/good.xml"),
    ),
    (
        "application/vnd.usps.iv-mtr+json",
        "usps-iv-mtr/good.json",
        fixture!("usps-iv-mtr/good.json"),
    ),
    ("text/vnd.usps.iv-mtr+csv", "usps-iv-mtr-csv/good.csv", fixture!("usps-iv-mtr-csv/good.csv")),
    ("application/vnd.cma-cgm.tracking+json", "cma-cgm/good.json", fixture!("cma-cgm/good.json")),
    ("application/vnd.maersk.tracking+json", "maersk/good.json", fixture!("maersk/good.json")),
    ("text/vnd.cn.quicktrace+csv", "cn-quicktrace/good.csv", fixture!("cn-quicktrace/good.csv")),
    (
        "application/vnd.dhl.ecommerce-americas+json",
        "dhl-ecommerce-americas/good.json",
        fixture!("dhl-ecommerce-americas/good.json"),
    ),
    ("application/vnd.ups.track+json", "ups/good.json", fixture!("ups/good.json")),
    ("application/vnd.usps.tracking+json", "usps/good.json", fixture!("usps/good.json")),
    (
        "application/vnd.usps.tracking+xml",
        "usps-web-tools/good.xml",
        fixture!("usps-web-tools/good.xml"),
    ),
    ("application/EDIFACT", "edifact/good-iftsta.edi", fixture!("edifact/good-iftsta.edi")),
    ("application/EDIFACT", "edifact/good-codeco.edi", fixture!("edifact/good-codeco.edi")),
    (
        "application/EDIFACT",
        "edifact/good-coarri-groups.edi",
        fixture!("edifact/good-coarri-groups.edi"),
    ),
    ("application/EDI-X12", "x12/good-214.edi", fixture!("x12/good-214.edi")),
    ("application/EDI-X12", "x12/good-315.edi", fixture!("x12/good-315.edi")),
    ("application/EDI-X12", "x12/good-322-short-isa.edi", fixture!("x12/good-322-short-isa.edi")),
];

/// As it travels: JSON without the blanks that make a file readable.
fn payload(sample: &[u8]) -> Vec<u8> {
    match serde_json::from_slice::<serde_json::Value>(sample) {
        Ok(json) => serde_json::to_vec(&json).expect("JSON"),
        Err(_) => sample.to_vec(),
    }
}

fn formats(c: &mut Criterion) {
    for unit in ["events", "bytes"] {
        let mut group = c.benchmark_group(unit);
        for (media_type, name, sample) in SAMPLES {
            let payload = payload(sample);
            let format = find(media_type).expect("registered");
            let mut parts = Parts::default();
            format.read(&payload, &mut parts).expect("good");
            group.throughput(match unit {
                "events" => Throughput::Elements(parts.len() as u64),
                _ => Throughput::Bytes(payload.len() as u64),
            });
            let id = BenchmarkId::new(*name, format!("{} B", payload.len()));
            group.bench_with_input(id, &payload, |b, payload| {
                b.iter(|| {
                    parts.clear();
                    format.read(black_box(payload), &mut parts).expect("good");
                });
            });
        }
        group.finish();
    }
}

criterion_group!(benches, formats);
criterion_main!(benches);
