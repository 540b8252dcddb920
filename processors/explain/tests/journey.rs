//! One journey of one container, told in DCSA, X12 315, IFTSTA and by Terminal49: each tells the same
//! milestones at the same times and places of the same shipment.

#![allow(clippy::unwrap_used)]

use std::fmt::Write as _;
use std::sync::Arc;

use waybill_enrich::{Enrich, Tables};
use waybill_explain::Explainer;
use waybill_validate::Validate;

/// A step of the journey: what is written for it in each format, when (UTC and local), and where.
struct Step {
    milestone: &'static str,
    dcsa: &'static str,
    x12: &'static str,
    /// UN/ECE Recommendation 24 has no code for a gate: CODECO tells of those.
    iftsta: Option<&'static str>,
    terminal49: &'static str,
    /// UTC.
    at: &'static str,
    /// Hours that the clock of the place is ahead.
    ahead: i64,
    place: &'static str,
}

const UNIT: &str = "CSQU3054383";
const BOOKING: &str = "WB4471902";

const JOURNEY: [Step; 6] = [
    Step {
        milestone: "gate_in",
        dcsa: "GTIN",
        x12: "I",
        iftsta: None,
        terminal49: "container.transport.full_in",
        at: "2026-10-12T06:10:00Z",
        ahead: 2,
        place: "NLRTM",
    },
    Step {
        milestone: "loaded",
        dcsa: "LOAD",
        x12: "AE",
        iftsta: Some("48"),
        terminal49: "container.transport.vessel_loaded",
        at: "2026-10-13T20:30:00Z",
        ahead: 2,
        place: "NLRTM",
    },
    Step {
        milestone: "departed",
        dcsa: "DEPA",
        x12: "VD",
        iftsta: Some("24"),
        terminal49: "container.transport.vessel_departed",
        at: "2026-10-14T03:00:00Z",
        ahead: 2,
        place: "NLRTM",
    },
    Step {
        milestone: "arrived",
        dcsa: "ARRI",
        x12: "VA",
        iftsta: Some("1"),
        terminal49: "container.transport.vessel_arrived",
        at: "2026-10-27T15:00:00Z",
        ahead: -4,
        place: "USNYC",
    },
    Step {
        milestone: "discharged",
        dcsa: "DISC",
        x12: "UV",
        iftsta: Some("29"),
        terminal49: "container.transport.vessel_discharged",
        at: "2026-10-28T02:45:00Z",
        ahead: -4,
        place: "USNYC",
    },
    Step {
        milestone: "gate_out",
        dcsa: "GTOT",
        x12: "OA",
        iftsta: None,
        terminal49: "container.transport.full_out",
        at: "2026-10-29T13:05:00Z",
        ahead: -4,
        place: "USNYC",
    },
];

impl Step {
    /// By the clock of the place.
    fn local(&self, format: &str) -> String {
        let utc: jiff::Timestamp = self.at.parse().unwrap();
        let wall = utc.as_second() + self.ahead * 3600;
        jiff::Timestamp::from_second(wall).unwrap().strftime(format).to_string()
    }
}

fn dcsa() -> String {
    let events: Vec<String> = JOURNEY
        .iter()
        .map(|step| {
            let at = format!("{}{:+03}:00", step.local("%Y-%m-%dT%H:%M:%S"), step.ahead);
            let transport = matches!(step.dcsa, "ARRI" | "DEPA");
            let (kind, field) = match transport {
                true => ("TRANSPORT", "transportEventTypeCode"),
                false => ("EQUIPMENT", "equipmentEventTypeCode"),
            };
            format!(
                r#"{{"eventType": "{kind}", "{field}": "{}", "eventClassifierCode": "ACT",
                "eventDateTime": "{at}", "eventCreatedDateTime": "{at}",
                "equipmentReference": "{UNIT}", "emptyIndicatorCode": "LADEN",
                "transportCall": {{"transportCallID": "{}", "modeOfTransport": "VESSEL",
                    "UNLocationCode": "{}"}},
                "references": [{{"referenceType": "EQ", "referenceValue": "{UNIT}"}}],
                "documentReferences": [{{"documentReferenceType": "BKG",
                    "documentReferenceValue": "{BOOKING}"}}]}}"#,
                step.dcsa, step.place, step.place
            )
        })
        .collect();
    format!("[{}]", events.join(","))
}

fn x12() -> String {
    let mut text = String::from(
        "ISA*00*          *00*          *ZZ*WAYBILL LINE   *ZZ*FORWARDER      *261101*0524*U*00401*000000001*0*P*>~\
         GS*QO*LINE*FORWARDER*20261101*0524*1*X*004010~",
    );
    for (n, step) in (1..).zip(&JOURNEY) {
        let (date, clock) = (step.local("%Y%m%d"), step.local("%H%M"));
        write!(
            text,
            "ST*315*{n:04}~B4***{}*{date}*{clock}*{place}*CSQU*305438*L*2200*{place}*UN*3~\
             N9*BN*{BOOKING}~R4*5*UN*{place}~DTM*140*{date}*{clock}*LT~SE*6*{n:04}~",
            step.x12,
            place = step.place
        )
        .unwrap();
    }
    text + "GE*6*1~IEA*1*000000001~"
}

fn iftsta() -> String {
    let mut text = String::from(
        "UNB+UNOC:3+LINE+FORWARDER+261101:0524+1'UNH+1+IFTSTA:D:00B:UN'BGM+23+1+9'\
         DTM+137:202611010524:203'",
    );
    for (n, step) in (1..).zip(JOURNEY.iter().filter(|step| step.iftsta.is_some())) {
        write!(
            text,
            "CNI+{n}'STS+1+{}::6'RFF+BN:{BOOKING}'DTM+334:{}:203'LOC+9+{}:139:6'EQD+CN+{UNIT}+22G1:102:5++3+5'",
            step.iftsta.unwrap(),
            step.local("%Y%m%d%H%M"),
            step.place
        )
        .unwrap();
    }
    let segments = text.matches('\'').count();
    text + &format!("UNT+{segments}+1'UNZ+1+1'")
}

fn terminal49() -> String {
    let events: Vec<String> = (1..)
        .zip(&JOURNEY)
        .map(|(n, step)| {
            format!(
                r#"{{"id": "e{n}", "type": "transport_event", "attributes": {{"event": "{}",
                "timestamp": "{}", "location_locode": "{}"}}, "relationships": {{
                "shipment": {{"data": {{"id": "s1", "type": "shipment"}}}}}}}}"#,
                step.terminal49, step.at, step.place
            )
        })
        .collect();
    format!(
        r#"{{"data": {{"id": "c1", "type": "container", "attributes": {{"number": "{UNIT}"}}}},
        "included": [{}, {{"id": "s1", "type": "shipment", "attributes": {{
            "bill_of_lading_number": "{BOOKING}"}}}}]}}"#,
        events.join(",")
    )
}

#[test]
fn four_formats_tell_one_journey() {
    let expected = |of: &dyn Fn(&&Step) -> bool| -> Vec<String> {
        JOURNEY
            .iter()
            .filter(of)
            .map(|s| format!("{} actual {} {} carrier/{UNIT}", s.milestone, s.at, s.place))
            .collect()
    };
    let (all, on_the_way) = (expected(&|_| true), expected(&|step| step.iftsta.is_some()));
    assert_eq!((all.len(), on_the_way.len()), (6, 4));
    let explainer = Explainer::new(Validate::default(), Enrich::new(Arc::new(Tables::bundled())));
    for (media_type, payload, expected) in [
        ("application/vnd.dcsa.tnt+json", dcsa(), &all),
        ("application/edi-x12", x12(), &all),
        ("application/edifact", iftsta(), &on_the_way),
        ("application/vnd.terminal49.webhook+json", terminal49(), &all),
    ] {
        let found = explainer.explain("carrier", media_type, payload.into(), None, 0);
        assert!(found.rejects.is_empty(), "{media_type}: {:?}", found.rejects);
        let told: Vec<String> = found
            .events
            .iter()
            .map(|e| {
                let at = jiff::Timestamp::from_millisecond(e.enrichment.occurred_at).unwrap();
                let (event, place) = (&e.event, e.enrichment.unlocode.as_deref());
                format!(
                    "{} {} {at} {} {}",
                    event.milestone.as_str(),
                    event.classifier.as_str(),
                    place.unwrap_or("-"),
                    event.shipment_id
                )
            })
            .collect();
        assert_eq!(&told, expected, "{media_type}");
    }
}
