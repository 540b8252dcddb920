//! UN/EDIFACT: real files, read as a person reads them, and what every file gives.

use crate::shown::{self, read, said, shared};

const EDIFACT: &str = "application/EDIFACT";

#[track_caller]
fn check(file: &str, expect: &[(u32, &str)]) {
    shown::check(EDIFACT, &["edifact/", file].concat(), expect);
}

#[test]
fn status_report_of_an_ocean_carrier() {
    // By rail through Syracuse, from Cartagena by way of New York to Woodridge. The header names
    // another container than the status.
    let shipment = "customer_reference=\"100113938\" other=\"ABCD\" booking=\"24O4023815\" \
                    bill_of_lading=\"ABCD224O4023815X\" purchase_order=\"2023521591\" \
                    forwarder_reference=\"31075687\" container=\"TRHU4561222\" \
                    unit=\"TRHU4561222\" iso_type=\"45G1\" empty=\"false\"";
    // The interchange's two numbers are not the same.
    let number = "note=\"envelope_mismatch UNZ 0020\"";
    check(
        "d00b_iftsta.edi",
        &[
            (
                1,
                &format!(
                    "departed actual X12-157/P wall=2022-11-19T07:10:00Z offset=none {shipment} \
                     unlocode=\"USSYR\" name=\"SYRACUSE\" country=\"US\" mode=\"rail\" \
                     vehicle=\"CSX TRANSPORTATION\" note=\"odd_field STS 3055\" {number}"
                ),
            ),
            (
                2,
                &format!(
                    "departed actual EDIFACT-2005/186/9 wall=2022-11-09T14:15:00Z offset=none \
                     {shipment} unlocode=\"COCTG\" \
                     name=\"SOCIEDAD PORTUARIA DE CARTAGEN, , CO\" {number}"
                ),
            ),
            (
                5,
                &format!(
                    "arrived estimated EDIFACT-2005/132/29 wall=2022-11-21T06:00:00Z offset=none \
                     {shipment} unlocode=\"USCHI\" name=\"CSX 59TH STREET RAMP, , US\" {number}"
                ),
            ),
            (
                7,
                &format!(
                    "arrived estimated EDIFACT-2005/132/7 wall=2022-11-21T07:00:00Z offset=none \
                     {shipment} unlocode=\"USWOQ\" name=\"WOODRIDGE, IL, US\" {number}"
                ),
            ),
        ],
    );
}

#[test]
fn status_report_of_eancom() {
    // The standard's own example: delivered, en route (as of the day of the report), refused by
    // customs, and lost, on a 48th of January.
    check(
        "edifabric_eancom_iftsta_d96a.txt",
        &[
            (
                1,
                "delivered actual REC24/21 wall=2002-02-01T14:50:00Z offset=none \
                 transport_document=\"4215A\" other=\"5/2334\" facility=\"GLN/5411111123451\"",
            ),
            (
                2,
                "in_transit actual REC24/31 wall=2002-02-04T00:00:00Z (day) offset=none \
                 transport_document=\"5122C\" note=\"missing_field DTM\"",
            ),
            (
                3,
                "customs_hold actual REC24/17 wall=2002-01-15T00:00:00Z (day) offset=none \
                 transport_document=\"5145E\" \
                 name=\"H.MCUSTOMS AND EXCISE LONDON HEATHROW AIRPORT\" \
                 exception=\"customs_hold REC24/17\" exception=\"address EDIFACT-9013/39\"",
            ),
            (
                4,
                "reject invalid_time segment 20: DTM 2380: expected a time that exists, of format \
                 102, 203, 204, 205, 303, ...",
            ),
        ],
    );
}

#[test]
fn gate_report() {
    // In by truck, full, weighed, for a vessel to leave Huelva.
    check(
        "portofhuelva_codeco_d95b.edi",
        &[(
            1,
            "gate_in actual CODECO/34 wall=2023-08-11T14:47:00Z offset=none booking=\"FUE110823\" \
             other=\"FUE110823\" seal=\"88200\" unit=\"TESI1120274\" iso_type=\"4EG1\" \
             empty=\"false\" unlocode=\"ESHUV\" facility=\"TER/CONCHUV\" mode=\"road\" \
             imo=\"1111111\" vessel=\"CHRISTIAN\" voyage=\"110823110823CCHRIB\" \
             vehicle=\"993NGR\" call=\"110823110823CCHRIB\" verified_gross_mass=\"27000 kg\"",
        )],
    );
}

#[test]
fn discharge_and_loading_report() {
    // Genoa, terminal VTE: two come off voyage 031W, nineteen go on 032E. The vessel is named by its
    // call sign, which is no IMO number.
    let at = "empty=\"false\" unlocode=\"ITGOA\" facility=\"TER/VTE\" mode=\"ocean\" \
              vessel=\"COSCO AFRICA\"";
    check(
        "D95BCOARRI.edi",
        &[
            (
                1,
                &format!(
                    "discharged actual COARRI/44 wall=2016-02-03T09:13:00Z offset=none seal=\"SI\" \
                     unit=\"FCIU9908030\" iso_type=\"45G1\" {at} voyage=\"031W\" \
                     tare_weight=\"4000 kg\" gross_weight=\"8914 kg\" remark=\"GENERAL CARGO\""
                ),
            ),
            (
                3,
                &format!(
                    "loaded actual COARRI/46 wall=2016-02-04T14:38:00Z offset=none \
                     booking=\"9000157890\" seal=\"H53175\" unit=\"CBHU6192031\" iso_type=\"42G1\" \
                     {at} voyage=\"032E\" tare_weight=\"4000 kg\" gross_weight=\"21500 kg\" \
                     remark=\"GENERAL CARGO\""
                ),
            ),
            (
                14,
                &format!(
                    "loaded actual COARRI/46 wall=2016-02-04T12:35:00Z offset=none \
                     booking=\"9000157850\" seal=\"6234012\" unit=\"TEMU3412100\" \
                     iso_type=\"22G1\" {at} voyage=\"032E\" tare_weight=\"2000 kg\" \
                     gross_weight=\"28300 kg\" remark=\"FOODSTUFF\""
                ),
            ),
        ],
    );
}

/// Of each file: events, rejects, events whose code no list has. Those of PAORES (of airlines'
/// availability) are only there for their syntax.
#[test]
fn every_file_gives_an_answer() {
    for (file, expect) in [
        ("D95BCOARRI.edi", (21, 0, 0)),
        ("d00b_iftsta.edi", (7, 0, 0)),
        ("edifabric_eancom_iftsta_d96a.txt", (3, 3, 0)),
        ("exampleMulti.edi", (0, 2, 0)),
        ("example_release_character.edi", (0, 1, 0)),
        ("example_wrapped.edi", (0, 1, 0)),
        ("portofhuelva_codeco_d95b.edi", (1, 0, 0)),
    ] {
        let Some(payload) = shared(&["edifact/", file].concat()) else { return };
        assert_eq!(shown::counts(&read(EDIFACT, &payload)), expect, "{file}");
    }
}

/// A status, its code as it stands in STS, and what is made of it.
#[test]
fn a_code_is_of_the_list_that_it_names() {
    for (sts, expect) in [
        ("1+21", "delivered actual REC24/21"),
        ("1+21::6", "delivered actual REC24/21"),
        ("1+21::9", "delivered actual REC24/21"),
        ("1+21::87", "other actual CARRIER/21"),
        ("1+21::86", "other actual SENDER/21"),
        ("1+21::116", "other actual X12/21"),
        ("1+21::12", "other actual UIC/21"),
        ("1+21:OWN", "other actual OWN/21"),
        ("1+I", "gate_in actual X12-157/I"),
        ("1+i", "gate_in actual X12-157/I"),
        ("1+I::116", "gate_in actual X12-157/I"),
        ("1+I::6", "other actual EDIFACT/I"),
        ("1+I::87:DELIVERED", "other actual CARRIER/I"),
        ("1+I:LIST:87", "other actual CARRIER-LIST/I"),
        ("1+I::ZZZ", "other actual MUTUAL/I"),
        ("1+DLV::3", "delivered actual FSU/DLV"),
        ("1:D2:21", "other actual D2/21"),
        ("1:21", "delivered actual REC24/21"),
        ("2+21", "other actual EDIFACT/21"),
    ] {
        let payload = format!(
            "UNB+UNOA:1+A+B+1+1'UNH+1+IFTSTA:D:96A'CNI+1+C'STS+{sts}'DTM+334:20260101:102'UNT+5+1'UNZ+1+1'"
        );
        let text = shown::shown(&read(EDIFACT, payload.as_bytes()));
        assert!(text.starts_with(&format!("1 {expect} wall=")), "{sts}: {text}");
        let is_unmapped = said(&text)[0].notes("unmapped_code");
        assert_eq!(is_unmapped, expect.starts_with("other"), "{sts}: {text}");
    }
}

/// In any place of the group, by any qualifier that says when the status came to be, and by no other.
#[test]
fn when_a_status_came_to_be() {
    let read_so = |group: &str| {
        let payload = format!(
            "UNB+UNOC:3+A+B+1+1'UNH+1+IFTSTA:D:04A'DTM+137:202601200915:203'CNI+1+C'\
             STS+1+21'{group}UNT+9+1'UNZ+1+1'"
        );
        shown::shown(&read(EDIFACT, payload.as_bytes()))
    };
    for qualifier in ["334", "78", "7", "203", "178", "11", "35", "186", "136", "200"] {
        let dtm = format!("DTM+{qualifier}:202601171628:203'");
        for group in [
            dtm.clone(),
            format!("RFF+CU:X'NAD+CN+++SOMEBODY'{dtm}LOC+14+DEHAM'"),
            format!("LOC+14+DEHAM'GID+1+1'{dtm}"),
            format!("DTM+137:202601200915:203'DTM+132:202602010000:203'{dtm}"),
        ] {
            let text = read_so(&group);
            let first = "1 delivered actual REC24/21 wall=2026-01-17T16:28:00Z offset=none";
            assert!(text.starts_with(first), "{group} {text}");
            let others =
                said(&text).iter().skip(1).all(|part| part.has("code", "EDIFACT-2005/132"));
            assert!(others, "{group} {text}");
        }
    }
    let of = "DTM: is required, of when the status came to be (334, 78, 7, ...)";
    for (group, found) in [
        ("", "137 (of the message)"),
        ("DTM+137:202601171628:203'", "137 (of the message)"),
        ("DTM+132:202601171628:203'", "137 (of the message), 132 (estimated arrival)"),
        ("DTM+XYZ:202601171628:203'", "137 (of the message), another"),
    ] {
        let text = read_so(group);
        let expect = format!("1 reject missing_field segment 5: {of}; found {found}\n");
        assert!(text.starts_with(&expect), "{text}");
    }
}

#[test]
fn what_is_no_interchange() {
    let check = |payload: &str, expect: &str| {
        assert_eq!(shown::shown(&read(EDIFACT, payload.as_bytes())), format!("0 {expect}\n"));
    };
    let not = "reject unparsable no EDIFACT: expected UNA or UNB, and distinct service characters";
    check("", not);
    check("UNA:+.? '", not);
    check("UNA:+.? 'UNH+1'", not);
    check("UNH+1+IFTSTA'", not);
    check("UNB+UNOA:1+A+B+1+1'UNZ+0+1'", "reject wrong_structure no message in it");
    let units = "EQD+CN+A'DTM+7:20260101:102'".repeat(10_001);
    let many = format!("UNB+UNOA:1+A+B+1+1'UNH+1+CODECO'BGM+34'{units}UNT+20005+1'UNZ+1+1'");
    check(&many, "reject too_large more than 10000 events");
}

#[test]
fn no_reject_shows_a_value() {
    let good = include_str!("../../fixtures/edifact/good-iftsta.edi");
    let wrong = include_str!("../../fixtures/edifact/wrong-parts.edi");
    let gate = include_str!("../../fixtures/edifact/good-codeco.edi");
    let own = include_str!("../../fixtures/edifact/good-iftsta-own-codes.edi");
    let times = include_str!("../../fixtures/edifact/wrong-iftsta-times.edi");
    for separator in ['+', ':'] {
        shown::no_value_is_shown(EDIFACT, &[good, wrong, gate, own, times], separator);
    }
}
