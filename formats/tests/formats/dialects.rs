//! Dialects: those that come with Waybill are right, what is wrong with one is told, and what one may say
//! is read so.

use std::path::Path;

use waybill_formats::dialect::Faults;
use waybill_formats::{Format, Parts, REGISTRY, dialect};

use crate::shown::{self, Said};

fn folder() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/dialects"))
}

fn load(text: &str, folder: &Path) -> Result<Format, Faults> {
    dialect::load(text, &|name| {
        std::fs::read_to_string(folder.join(name)).map_err(|error| error.to_string())
    })
}

fn told(format: &Format, payload: &str) -> String {
    let mut parts = Parts::default();
    let whole = format.read(payload.as_bytes(), &mut parts);
    shown::shown(&whole.map(|()| parts))
}

#[test]
fn those_that_come_with_waybill_are_right_and_registered() {
    let mut count = 0;
    for entry in std::fs::read_dir(folder()).unwrap() {
        let path = entry.unwrap().path();
        let text = std::fs::read_to_string(&path).unwrap();
        let format = load(&text, folder()).unwrap_or_else(|faults| panic!("{path:?}: {faults:?}"));
        assert!(REGISTRY.iter().any(|own| own.name == format.name), "{path:?}");
        count += 1;
    }
    assert_eq!(count, 25);
}

/// A dialect that says as much as one may say.
const FULL: &str = r##"
name = "Acme tracking"
media_type = "application/vnd.acme.tracking+json"
kind = "json"
mode = "road"
looks_like = [['"acme"']]
errors = [{ has = ["error"], lacks = ["data"] }]

[codes]
prefix = "ACME"
rows = { PU = "picked_up", "DL/OK" = "delivered", EX = { milestone = "in_transit", exception = "delay" } }

[package]
at = ["data", "pieces"]
errors = [{ is = { state = ["unknown", "gone"] } }]
empty = [{ lacks = ["history"], is_not = { state = "new" } }]
number = ["booking", "waybill"]
number_kind = "booking"
service = "product"
pieces = "count"
weight = { value = "mass", unit_is = "KG" }
mode_by = { path = "carriage", values = { vessel = "ocean" } }

[[package.references]]
kind = "seal"
at = ["boxes", "seals"]
when = { is_not = { broken = "true" } }
value = "no"

[event]
at = "history"
skip = [{ has = ["planned"] }]
code = { join = ["what", "how"], with = "/", group = "-" }
time = { at = ["moment", "day"], clock = "clock", offset = "zone", otherwise = "+01:00", order = "day" }
remark = ["said", "text"]
id = "id"
container = "box"
vessel = "ship"
voyage = "trip"
flight = "plane"
vehicle = "plate"
reason = { at = "why", prefix = "ACME-WHY", rows = { W = "weather", N = "" } }

[event.place]
name = "site"
city = "town"
region = "state"
postal_code = "zip"
country = "land"
unlocode = "unlocode"
iata = "airport"
latitude = "at/lat"
longitude = "at/lon"
facility = { list = "ACME", at = "depot" }

[estimate]
time = "expected"
place = { city_and_region = "goal" }
"##;

#[test]
fn everything_that_a_dialect_may_say_is_read() {
    let acme = load(FULL, folder()).unwrap();
    let answer = r#"{"data": [{"pieces": [
        {"waybill": "W1", "product": "Fast", "count": 2, "mass": "1.5", "carriage": "vessel", "expected": "2026-05-01",
         "goal": "TEANECK, NJ",
         "boxes": [{"seals": [{"no": "S1", "broken": false}, {"no": "S2", "broken": true}]}, {"seals": {"no": "S3", "broken": "no"}}],
         "history": [
            {"what": "EX", "moment": "3/4/2026", "clock": "10:15", "said": "late", "id": "i-1", "box": "CSQU3054383",
             "ship": "S", "trip": "T", "plane": "P", "plate": "V", "why": "W", "site": "Yard", "town": "Ulm",
             "state": "BW", "zip": "89073", "land": "DE", "unlocode": "de ulm", "airport": "FRA",
             "at": {"lat": 48.4, "lon": 10}, "depot": "17"},
            {"what": "EX", "how": "late-x", "day": "2026-04-03T10:15:00Z", "text": "t", "why": "N"},
            {"what": "PU-x", "day": "2026-04-03T10:15", "zone": "-05:00", "why": "Q", "airport": "fra", "at": {"lat": 91}},
            {"planned": 1},
            {"moment": "2026-04-03"},
            {"what": "PU", "moment": "soon"}
         ]},
        {"booking": "B1", "history": {"what": "DL", "how": "OK", "day": "2026-04-03"}, "expected": "2026-05-01"},
        {"booking": "B2", "state": "gone"},
        {"booking": "B3", "state": "old"},
        {"booking": "B4", "state": "new"},
        {"history": []}
    ]}]}"#;
    let expect = "\
1 in_transit actual ACME/EX wall=2026-04-03T10:15:00Z offset=60 id=\"i-1\" document=\"booking:W1\" booking=\"W1\" seal=\"S1\" seal=\"S3\" unit=\"CSQU3054383\" unlocode=\"DEULM\" iata=\"FRA\" name=\"Yard\" facility=\"ACME/17\" city=\"Ulm\" region=\"BW\" postal_code=\"89073\" country=\"DE\" at=\"48.4,10\" mode=\"ocean\" vessel=\"S\" voyage=\"T\" flight=\"P\" vehicle=\"V\" service=\"Fast\" exception=\"delay ACME/EX\" exception=\"weather ACME-WHY/W\" gross_weight=\"1.5 kg\" pieces=\"2 1\" remark=\"late\"
";
    let found = told(&acme, answer);
    let lines: Vec<&str> = found.lines().collect();
    assert_eq!(lines[0], expect.trim_end());
    let rest: Vec<String> =
        lines[1..].iter().map(|l| l.split(" document=").next().unwrap().to_owned()).collect();
    assert_eq!(
        rest,
        [
            "2 other actual ACME/EX/late-x wall=2026-04-03T10:15:00Z offset=0",
            "3 picked_up actual ACME/PU-x wall=2026-04-03T10:15:00Z offset=-300",
            "4 reject missing_field /data/0/pieces/0/history/4/what: is required",
            "5 reject invalid_time /data/0/pieces/0/history/5/moment: expected a date and a time",
            "6 delivered estimated ACME/estimated_delivery wall=2026-05-01T00:00:00Z (day) offset=none",
            "7 delivered actual ACME/DL/OK wall=2026-04-03T00:00:00Z (day) offset=60",
            "8 reject carrier_error /data/0/pieces/2: the carrier answers with an error, not with events",
            "9 reject wrong_structure /data/0/pieces/3: no event in it",
            "10 reject wrong_structure /data/0/pieces/4: no event in it",
            "11 reject missing_field /data/0/pieces/5/booking: is required",
        ]
    );
    let error = "0 reject carrier_error the carrier answers with an error, not with events\n";
    assert_eq!(told(&acme, r#"{"error": "x"}"#), error);
    let sixth = Said::of(lines[5]);
    assert!(sixth.has("city", "TEANECK") && sixth.has("region", "NJ"), "{sixth:?}");
}

const WRAPPED: &str = r##"
name = "Borealis tracking"
media_type = "application/vnd.borealis.tracking+json"
kind = "json"
mode = "road"
codes = { prefix = "BO", rows = { "Handed over" = "delivered", T = "in_transit", T-1 = "departed" } }

[package]
at_first = ["hook/parcels", "parcels"]
number = "no"

[event]
at = "events"
code = { at = ["sub", "code"], meaning = ["words", "sub", "code"] }
time = "at"
place = { city_region_country = "where" }

[estimate]
time = { at = "eta", midnight_is_day = true }
"##;

#[test]
fn one_dialect_reads_several_wrappings_and_takes_the_meaning_from_where_it_is_said() {
    let borealis = load(WRAPPED, folder()).unwrap();
    let parcel = r#"{"no": "B1", "eta": "2026-05-01T00:00:00Z", "events": [
        {"sub": "T-1", "code": "T", "at": "2026-04-01T10:00:00Z", "where": "Laval, QC, CA"},
        {"sub": "T-9", "code": "T", "at": "2026-04-02T10:00:00Z"},
        {"sub": "Q", "code": "Q", "at": "2026-04-03T10:00:00Z"}]}"#;
    let expect = [
        "1 departed actual BO/T-1 wall=2026-04-01T10:00:00Z offset=0",
        "2 in_transit actual BO/T-9 wall=2026-04-02T10:00:00Z offset=0",
        "3 other actual BO/Q wall=2026-04-03T10:00:00Z offset=0",
        "4 delivered estimated BO/estimated_delivery wall=2026-05-01T00:00:00Z (day) offset=none",
    ];
    for body in [
        format!(r#"{{"hook": {{"parcels": [{parcel}]}}}}"#),
        format!(r#"{{"Parcels": {parcel}}}"#),
        parcel.to_owned(),
        format!("[{parcel}]"),
    ] {
        let found = told(&borealis, &body);
        let lines: Vec<&str> =
            found.lines().map(|line| line.split(" document=").next().unwrap()).collect();
        assert_eq!(lines, expect, "{body}");
        let first = Said::of(found.lines().next().unwrap());
        for (name, value) in [("city", "Laval"), ("region", "QC"), ("country", "CA")] {
            assert!(first.has(name, value), "{first:?}");
        }
    }
    let said = r#"{"no": "B1", "eta": "2026-05-01T10:00:00Z", "events": {"code": "T", "words": "handed over", "at": "2026-04-01"}}"#;
    assert!(told(&borealis, said).starts_with("1 delivered actual BO/T wall="));
    let both = WRAPPED.replace("at_first =", "at = \"x\"\nat_first =");
    let faults = load(&both, folder()).err().unwrap();
    assert_eq!(faults, ["package.at_first: stands in the place of package.at"]);
}

/// What holds of an answer as a whole is not asked of a list's first element.
#[test]
fn a_list_is_no_error_as_a_whole() {
    let seko =
        load(&std::fs::read_to_string(folder().join("seko.toml")).unwrap(), folder()).unwrap();
    let one = r#"{"ConsignmentNo": "C1", "Errors": "late", "Events": [{"Code": "OP-1", "EventDT": "2026-01-20"}]}"#;
    assert!(told(&seko, &format!("[{one}]")).starts_with("1 shipment_created actual SEKO/OP-1"));
    assert!(told(&seko, one).starts_with("0 reject carrier_error"));
}

const CSV: &str = r##"
name = "Boreal export"
media_type = "text/vnd.boreal.events+csv"
kind = "csv"
mode = "road"
codes = { prefix = "BOREAL", rows = { D = "delivered" } }
csv = { delimiter = ";" }

[package]
number = "Shipment no."
empty = [{ is = { Kind = "note" } }]

[event]
code = "Kind"
time = { at = "Date", clock = "Time", order = "day" }
place = { city = "City/Town" }
"##;

#[test]
fn csv_has_lines() {
    let boreal = load(CSV, folder()).unwrap();
    let text = "\u{feff}Shipment no.;Date;Time;Kind;City/Town\r\n\
        1;3.4.2026;10:00;D;\"Bad; \"\"Ort\"\"\"\r\n\r\n\"2\n2\";3.4.2026;;D;\r\n3;;;D;\r\n4;1\r\n5;3.4.2026;;note;\r\n";
    assert_eq!(
        told(&boreal, text),
        "1 delivered actual BOREAL/D wall=2026-04-03T10:00:00Z offset=none document=\"tracking_number:1\" tracking_number=\"1\" city=\"Bad; \\\"Ort\\\"\" mode=\"road\"\n\
         2 reject invalid_field line 4: Shipment no.: expected no control characters\n\
         3 reject missing_field line 6: Date: is required\n\
         4 reject wrong_structure line 7: 2 fields, expected 5\n\
         5 reject wrong_structure line 8: no event in it\n"
    );
    assert_eq!(told(&boreal, ""), "0 reject wrong_structure no event in it\n");
    assert_eq!(told(&boreal, "a;b\n"), "0 reject wrong_structure no event in it\n");
    let named = CSV.replace(
        "delimiter = \";\"",
        "columns = [\"Shipment no.\", \"Date\", \"Time\", \"Kind\", \"City/Town\"]",
    );
    let named = load(&named, folder()).unwrap();
    assert!(told(&named, "1,3.4.2026,,D,\n").starts_with("1 delivered actual BOREAL/D"));
    // No more events than any message may have, and no more columns than a list.
    let rows = |n: usize| {
        format!("Shipment no.;Date;Time;Kind;City/Town\n{}", "1;3.4.2026;;D;\n".repeat(n))
    };
    assert_eq!(told(&boreal, &rows(10_000)).lines().count(), 10_000);
    assert_eq!(told(&boreal, &rows(10_001)), "0 reject too_large more than 10000 events\n");
    let wide = format!("{}\n", ";".repeat(1_000));
    assert_eq!(told(&boreal, &wide), "0 reject too_large line 1: more than 1000 columns\n");
}

#[test]
fn what_is_wrong_with_a_dialect_is_told_with_its_place() {
    let check = |text: &str, expect: &[&str]| {
        let faults = load(text, folder()).map(|_| ()).unwrap_err();
        assert_eq!(faults, expect, "{text}");
    };
    let full = |from: &str, to: &str| {
        assert!(FULL.contains(from), "{from}");
        FULL.replacen(from, to, 1)
    };
    for (from, to, expect) in [
        (
            "kind = \"json\"",
            "kind = \"yaml\"",
            "line 4: unknown variant `yaml`, expected one of `json`, `xml`, `csv`",
        ),
        ("mode = \"road\"", "mod = \"road\"", "line 5: unknown field `mod`, expected one of"),
        ("PU = \"picked_up\"", "PU = \"picked\"", "line 11: \"picked\" is no milestone"),
        ("exception = \"delay\"", "exception = \"late\"", "line 11: unknown variant `late`"),
        (
            "at = \"history\"",
            "at = 7",
            "line 31: invalid type: integer `7`, expected a path, or a list of paths",
        ),
        ("looks_like = [['\"acme\"']]", "looks_like = [[]]", "looks_like: a list without a text"),
        ("vnd.acme", "VND.acme", "media_type: is written in lower case"),
        ("tracking+json", "tracking+json;version=1", "media_type: parameters count for nothing"),
        ("application/vnd.acme.tracking+json", "acme", "media_type: not of the form type/subtype"),
        ("prefix = \"ACME\"", "", "codes.prefix: is required"),
        ("prefix = \"ACME\"", "prefix = \"A/B\"", "codes.prefix: \"A/B\": letters, digits"),
        (
            "prefix = \"ACME\"",
            "prefix = \"ACME\"\nlist = \"gls\"",
            "codes: one of list, file and rows",
        ),
        (
            "PU = \"picked_up\"",
            "PU = \"picked_up\", pu = \"loaded\"",
            "codes.rows: the code \"pu\" twice",
        ),
        (
            "service = \"product\"",
            "service = \"a//b\"",
            "package.service: \"a//b\": a name that is empty",
        ),
        (
            "service = \"product\"",
            "service = \"/a\"",
            "package.service: \"/a\": names with / between",
        ),
        (
            "service = \"product\"",
            "service = \"@a\"",
            "package.service: \"@a\": attributes are of XML",
        ),
        (
            "pieces\"]",
            "pieces\", \"a\", \"b\", \"c\"]",
            "event.at: more than 5 lists within one another",
        ),
        ("id = \"id\"", "id = \"\"", "event.id: \"\": names with / between"),
        (
            "otherwise = \"+01:00\"",
            "otherwise = \"Berlin\"",
            "event.time.otherwise: no offset from UTC",
        ),
        ("at = [\"moment\", \"day\"], ", "", "event.time: at is required"),
        (
            "join = [\"what\", \"how\"]",
            "at = \"a\", join = [\"what\", \"how\"]",
            "event.code: one of at and join",
        ),
        ("W = \"weather\"", "W = \"rain\"", "event.reason.rows.W: \"rain\" is no exception"),
        ("kind = \"json\"", "kind = \"json\"\nroot = \"a\"", "root: of XML alone"),
        ("kind = \"json\"", "kind = \"json\"\ncsv = {}", "csv: of CSV alone"),
        (
            "has = [\"planned\"]",
            "has = [\"a b/ c\"]",
            "event.skip[0]: \"a b/ c\": a name that is empty, or has blanks",
        ),
    ] {
        let faults = load(&full(from, to), folder()).map(|_| ()).unwrap_err();
        assert_eq!(faults.len(), 1, "{to}: {faults:?}");
        assert!(faults[0].starts_with(expect), "{to}: {faults:?}");
    }
    check(
        &CSV.replace("delimiter = \";\"", "delimiter = \"é\", columns = [\"Date\", \"Date\"]")
            .replace("code = \"Kind\"", "at = \"x\"\ncode = \"Kind\"")
            .replace(
                "codes = {",
                "errors = [{ has = [\"Date\"] }]\ncodes = { list = \"none\" }\n#",
            ),
        &[
            "event.at: there are no lists in CSV: each row is a package with one event",
            "errors: not of CSV as a whole; package.errors is of a row",
            "csv.delimiter: one character of ASCII, no letter and no digit",
            "csv.columns: \"Date\" stands twice, or has blanks around it",
            "event.at: \"x\": no such column in csv.columns",
            "package.number: \"Shipment no.\": no such column in csv.columns",
            "event.code: \"Kind\": no such column in csv.columns",
            "event.time: \"Time\": no such column in csv.columns",
            "event.place.city: \"City/Town\": no such column in csv.columns",
            "package.empty[0]: \"Kind\": no such column in csv.columns",
            "codes.list: no list \"none\"",
        ],
    );
    check(
        &CSV.replace("rows = { D = \"delivered\" }", "file = \"none.tsv\""),
        &["codes.file: none.tsv: No such file or directory (os error 2)"],
    );
    check(
        &CSV.replace("rows = { D = \"delivered\" }", "file = \"gls.toml\""),
        &[
            "gls.toml: line 3: unknown column \"name = \\\"GLS tracking\\\"\"; known are code, milestone, exception, name, source",
            "gls.toml: line 3: no column code",
            "gls.toml: line 3: no column milestone",
        ],
    );
}

#[test]
fn codes_may_be_a_table_beside_the_dialect() {
    let codes = tempfile();
    std::fs::write(codes.join("b.tsv"), "code\tmilestone\texception\nD\tdelivered\tdamage\n")
        .unwrap();
    let text = CSV.replace("rows = { D = \"delivered\" }", "file = \"b.tsv\"");
    let boreal = load(&text, &codes).unwrap();
    let line = told(&boreal, "Shipment no.;Date;Kind\n1;3.4.2026;d\n");
    let part = Said::of(line.trim_end());
    for (name, value) in
        [("milestone", "delivered"), ("code", "BOREAL/d"), ("exception", "damage BOREAL/d")]
    {
        assert!(part.has(name, value), "{part:?}");
    }
    std::fs::remove_dir_all(codes).unwrap();
}

fn tempfile() -> std::path::PathBuf {
    let folder = std::env::temp_dir().join(format!("waybill-dialects-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

/// Whatever a dialect and a document are: an answer comes, and it shows nothing of the document. Bounded, and
/// the same each time.
#[test]
fn no_dialect_and_no_document_make_it_panic() {
    let mut random = 0x9e37_79b9_7f4a_7c15_u64;
    let mut next = |below: usize| {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (random >> 33) as usize % below.max(1)
    };
    let mut seeds: Vec<String> = vec![FULL.to_owned(), CSV.to_owned()];
    for entry in std::fs::read_dir(folder()).unwrap() {
        seeds.push(std::fs::read_to_string(entry.unwrap().path()).unwrap());
    }
    let documents = [
        r#"{"data":[{"pieces":[{"waybill":"SECRET","history":[{"what":"SECRET","moment":"SECRET"}]}]}],"a":[1,{}]}"#,
        "<r><return><events><code>SECRET</code></events></return><a b='SECRET'/></r>",
        "Shipment no.;Date;Time;Kind;City/Town\n1;SECRET;;SECRET;\n;;\n",
        "[[[]]]",
        "",
    ];
    let paths = ["", "a", "@x", "a/b", "data", "pieces", "history", "return", "events", "Kind"];
    let mut read = 0;
    for seed in &seeds {
        for _ in 0..150 {
            let mut lines: Vec<String> = seed.lines().map(str::to_owned).collect();
            for _ in 0..1 + next(3) {
                let at = next(lines.len());
                match next(4) {
                    0 => _ = lines.remove(at),
                    1 => {
                        let other = lines[next(lines.len())].clone();
                        lines.insert(at, other);
                    }
                    2 => {
                        let texts: Vec<&str> = lines[at].split('"').collect();
                        if texts.len() > 2 {
                            let mut texts: Vec<String> =
                                texts.iter().map(|t| (*t).to_owned()).collect();
                            let text = 1 + 2 * next(texts.len() / 2);
                            texts[text] = paths[next(paths.len())].to_owned();
                            lines[at] = texts.join("\"");
                        }
                    }
                    _ => {
                        let cut = lines[at].char_indices().map(|(i, _)| i).nth(next(20));
                        lines[at].truncate(cut.unwrap_or(0));
                    }
                }
                if lines.is_empty() {
                    break;
                }
            }
            match load(&lines.join("\n"), folder()) {
                Err(faults) => assert!(!faults.is_empty()),
                Ok(format) => {
                    read += 1;
                    for document in documents {
                        let mut parts = Parts::default();
                        let whole = format.read(document.as_bytes(), &mut parts);
                        assert_eq!(whole.is_err(), parts.is_empty(), "{lines:?} {document}");
                        let rejects = parts.iter().filter_map(|(_, part)| part.as_ref().err());
                        for reject in rejects.chain(whole.as_ref().err()) {
                            assert!(!reject.detail.contains("SECRET"), "{}", reject.detail);
                        }
                    }
                }
            }
        }
    }
    assert!(read > 200, "{read} of the dialects are right: they are broken too much");
}
