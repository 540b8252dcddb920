//! ASC X12: real files, read as a person reads them, and what every file gives.

use crate::shown::{self, Said, read, said, shared};

const X12: &str = "application/EDI-X12";

#[track_caller]
fn check(file: &str, expect: &[(u32, &str)]) {
    shown::check(X12, &["x12/", file].concat(), expect);
}

#[test]
fn carrier_status_214() {
    // Three stops of one shipment, each with its delivery order; Pacific standard time is said.
    let first = "pro=\"995551\" shipper_reference=\"99948782\"";
    // The interchange's two numbers are not the same.
    let number = "note=\"envelope_mismatch IEA02\"";
    check(
        "apimeister_214_1.edi",
        &[
            (
                1,
                &format!(
                    "appointment_set planned X12/AA wall=2011-12-17T08:30:00Z offset=-480 {first} \
                     other=\"99997666\" mode=\"road\" {number}"
                ),
            ),
            (
                5,
                &format!(
                    "arrived actual X12/X1 wall=2011-12-22T07:45:00Z offset=-480 {first} \
                     other=\"99997666\" mode=\"road\" exception=\"delay X12/AD\" {number}"
                ),
            ),
            (
                12,
                &format!(
                    "delivered actual X12/D1 wall=2011-12-19T11:00:00Z offset=-480 {first} \
                     other=\"99990835\" mode=\"road\" {number}"
                ),
            ),
        ],
    );
    // Local time is of the place; the terminal is named by its city's code. The first message ends with
    // another number; of the second's shipment a part was delivered (Q7).
    check(
        "apimeister_214_2.edi",
        &[
            (
                1,
                "delivered estimated X12-432/17 wall=2006-03-01T17:00:00Z offset=none \
                 pro=\"1234567\" shipper_reference=\"1234567\" tracking_number=\"123456789\" \
                 customer_reference=\"30011622\" mode=\"road\" note=\"envelope_mismatch SE02\"",
            ),
            (
                3,
                "delivered actual X12/D1 wall=2006-03-01T16:30:00Z offset=none pro=\"1234567\" \
                 shipper_reference=\"1234567\" tracking_number=\"123456789\" \
                 customer_reference=\"30011622\" name=\"RNO\" mode=\"road\" \
                 exception=\"missing X12-33/P\" gross_weight=\"351 [lb_av]\" packages=\"1 1\"",
            ),
        ],
    );
    // Another terminator; a container on a truck; codes that only sender and receiver know.
    check(
        "aws_roadone_214.edi",
        &[(
            2,
            "other actual X12/LY wall=2022-09-20T02:02:00Z offset=-420 pro=\"TCLU8928703\" \
             shipper_reference=\"9920267\" bill_of_lading=\"ZIMUSHH033017689\" other=\"112K9V6WS\" \
             container=\"TCLU8928703\" unit=\"TCLU8928703\" city=\"PORT WENTWORTH\" region=\"GA\" \
             country=\"USA\" mode=\"road\" note=\"unmapped_code\"",
        )],
    );
    // One line; a trailer; the weight of the loop is of each status in it.
    check(
        "ballerina_214.edi",
        &[(
            2,
            "picked_up actual X12/AF wall=2023-04-20T14:10:00Z offset=none pro=\"187676\" \
             shipper_reference=\"857395857\" city=\"NEWYORK_01\" region=\"NY\" mode=\"road\" \
             vehicle=\"ALNK7843\" gross_weight=\"20383 [lb_av]\" packages=\"1308 1\"",
        )],
    );
    // 91 degrees 47' 26" west, 43 degrees 18' 36" north; central time, in summer.
    check(
        "edifabric_214.txt",
        &[(
            1,
            "arrived actual X12/X3 wall=1997-09-25T08:30:00Z offset=-300 pro=\"123456\" \
                 other=\"ROUTE1\" carrier_equipment=\"55555555\" at=\"43.31,-91.79056\" \
                 mode=\"road\" note=\"envelope_mismatch GE01\"",
        )],
    );
}

#[test]
fn ocean_status_315() {
    check(
        "apimeister_315_1.edi",
        &[(
            1,
            "arrived actual X12-157/VA wall=2022-09-01T08:07:00Z offset=none \
             bill_of_lading=\"21001ASK5V9U\" booking=\"1NAN910141\" container=\"GMCU6094137\" \
             unit=\"GMCU6094137\" empty=\"true\" city=\"LOCKBOURNE\" mode=\"ocean\" \
             imo=\"9330141\" vessel=\"MARIM\" voyage=\"202N\"",
        )],
    );
    // Discharged in Manzanillo, on its way from Busan to Queretaro.
    let shipment = "customer_reference=\"800992458\" bill_of_lading=\"SUDUN2SL008733AF\" \
                    booking=\"2SOL008733\" container=\"MRSU4371639\" seal=\"5512862\" \
                    unit=\"MRSU4371639\" iso_type=\"45G1\" empty=\"false\"";
    let vessel = "mode=\"ocean\" imo=\"9352004\" vessel=\"MAERSK STEPNICA\" voyage=\"242S\"";
    check(
        "apimeister_315_4.edi",
        &[
            (
                1,
                &format!(
                    "discharged actual X12-157/UV wall=2022-11-21T01:24:00Z offset=none {shipment} \
                     unlocode=\"MXZLO\" name=\"MANZANILLO\" {vessel}"
                ),
            ),
            (
                2,
                &format!(
                    "departed actual X12-374/140/L wall=2022-11-03T12:55:00Z offset=none {shipment} \
                     unlocode=\"KRPUS\" name=\"PUSAN NEWPORT CONTAINER\" country=\"KR\" {vessel}"
                ),
            ),
            (
                3,
                &format!(
                    "arrived actual X12-374/140/D wall=2022-11-20T23:00:00Z offset=none {shipment} \
                     unlocode=\"MXZLO\" name=\"SSA MEXICO HOLDINGS\" country=\"MX\" {vessel}"
                ),
            ),
            (
                4,
                &format!(
                    "arrived estimated X12-374/139/E wall=2022-11-25T23:00:00Z offset=none \
                     {shipment} unlocode=\"MXQRO\" name=\"QUERETARO\" region=\"QU\" country=\"MX\""
                ),
            ),
        ],
    );
}

#[test]
fn ramp_activity_322() {
    let shipment = "seal=\"SN1234567\" seal=\"SN1234568\" booking=\"6PHLSA1234\" \
                    bill_of_lading=\"A5GEMEN1976X\" unit=\"HASU4316170\" iso_type=\"451G\" \
                    empty=\"false\"";
    check(
        "apimeister_322_1.edi",
        &[
            (
                1,
                &format!(
                    "arrived actual X12-157/A wall=2016-05-26T21:45:20Z offset=none {shipment} \
                     unlocode=\"USSTP\" name=\"SAINT PAUL\" city=\"SAINT PAUL\" region=\"MN\" \
                     country=\"US\" mode=\"rail\" gross_weight=\"43459 [lb_av]\""
                ),
            ),
            (
                2,
                &format!(
                    "arrived estimated X12-374/371 wall=2016-05-28T09:12:00Z offset=none {shipment} \
                     unlocode=\"USCHI\" name=\"BNSF CHICAGO RAMP (CICERO)\" region=\"IL\" \
                     country=\"US\" mode=\"rail\""
                ),
            ),
            (
                3,
                &format!(
                    "delivered estimated X12-374/017 wall=2016-05-29T08:00:00Z offset=none {shipment}"
                ),
            ),
        ],
    );
    check(
        "apimeister_322_2.edi",
        &[(
            1,
            &format!(
                "gate_out actual X12-157/OA wall=2016-06-10T10:45:20Z offset=none {shipment} \
                 unlocode=\"USCHI\" name=\"BNSF CHICAGO (LOGISTICS PARK)\" \
                 city=\"BNSF CHICAGO (LOGISTICS PARK)\" region=\"IL\" country=\"US\" \
                 gross_weight=\"43459 [lb_av]\""
            ),
        )],
    );
    // One segment more than it counts.
    check(
        "apimeister_322_4.edi",
        &[(
            1,
            &format!(
                "loaded actual X12-157/AL wall=2016-05-24T07:30:00Z offset=none {shipment} \
                 unlocode=\"USLGB\" name=\"LONG BEACH\" city=\"LONG BEACH\" region=\"CA\" \
                 country=\"US\" mode=\"rail\" gross_weight=\"43459 [lb_av]\" \
                 note=\"envelope_mismatch SE01\""
            ),
        )],
    );
}

/// Of each file: events, rejects, events whose code no list has.
#[test]
fn every_file_gives_an_answer() {
    for (file, expect) in [
        ("004010_310.edi", (0, 3, 0)),
        ("004010_315.edi", (1, 0, 0)),
        ("005010_214.edi", (0, 1, 0)),
        ("apimeister_214_1.edi", (18, 0, 0)),
        ("apimeister_214_2.edi", (3, 0, 0)),
        ("apimeister_315_1.edi", (1, 0, 0)),
        ("apimeister_315_2.edi", (1, 0, 0)),
        ("apimeister_315_3.edi", (3, 0, 0)),
        ("apimeister_315_4.edi", (4, 0, 0)),
        ("apimeister_322_1.edi", (4, 0, 0)),
        ("apimeister_322_2.edi", (1, 0, 0)),
        ("apimeister_322_3.edi", (1, 0, 0)),
        ("apimeister_322_4.edi", (3, 0, 0)),
        ("apimeister_322_5.edi", (1, 0, 0)),
        ("aws_roadone_214.edi", (8, 0, 8)),
        ("ballerina_214.edi", (4, 0, 1)),
        ("edifabric_214.txt", (1, 0, 0)),
    ] {
        let Some(payload) = shared(&["x12/", file].concat()) else { return };
        assert_eq!(shown::counts(&read(X12, &payload)), expect, "{file}");
    }
}

#[test]
fn what_is_no_interchange() {
    let check = |payload: &str, expect: &str| {
        assert_eq!(shown::shown(&read(X12, payload.as_bytes())), format!("0 {expect}\n"));
    };
    let not = "reject unparsable no X12: expected ISA, 16 elements and distinct separators";
    check("", not);
    check("ISA*00*~", not);
    check("GS*QM*A*B~", not);
    let isa = "ISA*00**00**ZZ*A*ZZ*B*220524*1120*U*00401*1*0*P*:~";
    check(&[isa, "IEA*0*1~"].concat(), "reject wrong_structure no message in it");
    let status = "AT7*X1*NS***20260101~".repeat(10_001);
    let set = format!("{isa}GS*QM*A*B*1*1*1*X*004010~ST*214*1~{status}SE*10003*1~");
    check(&set, "reject too_large more than 10000 events");
    // A header is given to each of its events: a list has its length, and all together have one.
    let of = |references: usize, statuses: usize| {
        let references: String = (0..references).map(|n| format!("L11*{n}*PO~")).collect();
        let statuses = "AT7*X1*NS***20260101~".repeat(statuses);
        let set = format!("ST*214*1~{references}{statuses}");
        let count = set.matches('~').count() + 1;
        format!("{isa}GS*QM*A*B*1*1*1*X*004010~{set}SE*{count}*1~GE*1*1~IEA*1*1~")
    };
    let too_long = "1 reject too_large segment 1004: L1101: more than 1000 elements\n";
    assert_eq!(shown::shown(&read(X12, of(1_001, 1).as_bytes())), too_long);
    assert_eq!(shown::counts(&read(X12, of(1_000, 200).as_bytes())), (200, 0, 0));
    check(&of(1_000, 201), "reject too_large more than 200000 elements in all events");
}

/// Where a payload may end: behind the message, within it at the end of a segment, and within a segment.
#[test]
fn what_is_cut_is_rejected_and_what_is_whole_passes() {
    let set =
        |n: u8| format!("ST*214*{n}~B10*P{n}~AT7*X1*NS***20260101~AT7*D1*NS***20260102~SE*5*{n}~");
    let isa = "ISA*00**00**ZZ*A*ZZ*B*220524*1120*U*00401*1*0*P*:~GS*QM*A*B*1*1*1*X*004010~";
    let whole = [isa, &set(1), &set(2), "GE*2*1~IEA*1*1~"].concat();
    let read_to = |end: usize| shown::shown(&read(X12, &whole.as_bytes()[..end]));
    let of = |text: &str| {
        let parts = said(text);
        let events = parts.iter().filter(|part| part.has("classifier", "actual")).count();
        (events, parts.iter().filter(|part| part.is_reject()).count())
    };
    let has_note = |text: &str, about: &str| {
        let note = ["envelope_mismatch", about].join(" ");
        said(text).iter().any(|part| part.has("note", &note))
    };
    let is_noted = |text: &str| said(text).iter().any(|part| part.notes("envelope_mismatch"));
    let of_pro =
        |text: &str, pro: &str| said(text).iter().filter(|part| part.has("pro", pro)).count();
    let begin_2 = whole.find("ST*214*2").unwrap();
    let end_2 = whole.find("GE*2").unwrap();
    assert_eq!(of(&read_to(whole.len())), (4, 0));
    assert!(!is_noted(&read_to(whole.len())));
    // (Of one letter nobody knows what it begins: the group has no trailer.)
    for end in begin_2 + 2..end_2 {
        let text = read_to(end);
        assert_eq!(of_pro(&text, "P1"), 2, "{end} {text}");
        assert!(has_note(&text, "GE") && has_note(&text, "IEA"), "{end} {text}");
        let is_between = whole[..end].ends_with('~');
        // The last trailer's terminator alone is no loss.
        let is_whole = end == end_2 - 1;
        let cut =
            |part: &Said<'_>| part.all("detail").any(|d| d.ends_with("the payload ends within it"));
        let is_rejected = said(&text).iter().any(cut);
        assert_eq!(is_rejected, !is_between && !is_whole, "{} {text}", &whole[begin_2..end]);
        if is_between && whole[begin_2..end].contains("AT7") {
            assert!(of_pro(&text, "P2") > 0 && is_noted(&text), "{text}");
        }
    }
    for end in end_2..whole.len() {
        let text = read_to(end);
        assert_eq!(of(&text), (4, 0), "{} {text}", &whole[end_2..end]);
        assert_eq!(is_noted(&text), end < whole.len() - 1, "{text}");
    }
}

#[test]
fn no_reject_shows_a_value() {
    let good = include_str!("../../fixtures/x12/good-214.edi");
    let wrong = include_str!("../../fixtures/x12/wrong-parts.edi");
    let schedule = include_str!("../../fixtures/x12/good-323.edi");
    let odd = include_str!("../../fixtures/x12/odd-times-and-envelope.edi");
    shown::no_value_is_shown(X12, &[good, wrong, schedule, odd], '*');
}
