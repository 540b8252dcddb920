//! docs/milestones.md and docs/formats.md are made from the tables that the code uses, and from what
//! it makes of real files. `WAYBILL_BLESS=1` writes them.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use strum::VariantArray;
use waybill_formats::codes::table;
use waybill_formats::dcsa::codes as dcsa;
use waybill_formats::milestones::{EXCEPTIONS, MILESTONES};
use waybill_formats::{LISTS, Parts, REASONS, REGISTRY, guess};
use waybill_schemas::vocabulary::{ExceptionKind, Milestone, NoteCode};
use waybill_stage::Code;

use crate::shown;

#[test]
fn every_milestone_and_exception_is_defined_in_order() {
    let defined: Vec<Milestone> = MILESTONES.iter().map(|(milestone, _)| *milestone).collect();
    assert_eq!(defined, Milestone::VARIANTS);
    let defined: Vec<ExceptionKind> = EXCEPTIONS.iter().map(|(kind, _)| *kind).collect();
    assert_eq!(defined, ExceptionKind::VARIANTS);
}

/// The tables of `codes/` are the lists, one each, and nothing in them is wrong: no milestone that is
/// none, no code twice, no field too many.
#[test]
fn every_table_is_a_list_and_has_no_fault() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("codes");
    let mut tables: Vec<String> = std::fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    tables.sort();
    let rows = LISTS.iter().map(|list| (list.table, table::CODES, list.rows().len()));
    let reasons = REASONS.iter().map(|list| (list.table, table::REASONS, list.rows().len()));
    let lists: Vec<_> = rows.chain(reasons).collect();
    let mut listed: Vec<String> = lists.iter().map(|(name, ..)| format!("{name}.tsv")).collect();
    listed.sort();
    assert_eq!(tables, listed);
    for (name, columns, rows) in lists {
        let text = std::fs::read_to_string(folder.join(name).with_extension("tsv")).unwrap();
        let (lines, faults) = table::read(&text, columns);
        assert_eq!(faults, Vec::<String>::new(), "{name}.tsv");
        assert_eq!(lines.len(), rows, "{name}.tsv");
        for line in lines {
            assert!(!line.name.is_empty() && !line.source.is_empty(), "{name}.tsv: {line:?}");
        }
    }
}

fn docs(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs").join(name)
}

/// The text between the two comments that name `part` is `made`, or becomes it.
fn check(name: &str, part: &str, made: &str) {
    let path = docs(name);
    let text = std::fs::read_to_string(&path).unwrap();
    let (begin, end) = (format!("<!-- {part} -->\n"), format!("<!-- end of {part} -->"));
    let (before, rest) = text.split_once(&begin).unwrap_or_else(|| panic!("no {begin}"));
    let (now, after) = rest.split_once(&end).unwrap_or_else(|| panic!("no {end}"));
    if std::env::var_os("WAYBILL_BLESS").is_some() {
        std::fs::write(&path, [before, &begin, made, &end, after].concat()).unwrap();
    } else {
        assert_eq!(now, made, "docs/{name}, {part}: see CONTRIBUTING.md, \"What tests write\"");
    }
}

#[test]
fn milestones_and_code_lists() {
    let mut text = String::from("| milestone | |\n|---|---|\n");
    for (milestone, meaning) in MILESTONES {
        writeln!(text, "| `{}` | {meaning} |", milestone.as_str()).unwrap();
    }
    check("milestones.md", "milestones", &text);

    let mut text = String::from("| exception | |\n|---|---|\n");
    for (kind, meaning) in EXCEPTIONS {
        writeln!(text, "| `{}` | {meaning} |", kind.as_str()).unwrap();
    }
    check("milestones.md", "exceptions", &text);

    let mut text = String::new();
    for (name, rows) in [
        ("shipmentEventTypeCode", dcsa::SHIPMENT),
        ("transportEventTypeCode", dcsa::TRANSPORT),
        ("equipmentEventTypeCode", dcsa::EQUIPMENT),
    ] {
        writeln!(text, "### DCSA Track & Trace, `{name}`\n").unwrap();
        text.push_str("| code | name | versions | milestone | if |\n|---|---|---|---|---|\n");
        for row in rows {
            let versions = [(dcsa::V2, "2.x"), (dcsa::V3, "3.x")];
            let versions: Vec<&str> =
                versions.iter().filter(|(v, _)| row.versions.has(*v)).map(|(_, n)| *n).collect();
            let when = match row.when {
                dcsa::When::Always => "",
                dcsa::When::Booking => "the document is a booking",
                dcsa::When::Customs => "the document is of customs",
                dcsa::When::EmptyComesBack => "the unit is empty, and comes back from import",
                dcsa::When::EmptyGoesOut => "the unit is empty, and goes out for export",
            };
            let (code, name, milestone) = (row.code, row.name, row.milestone.as_str());
            writeln!(
                text,
                "| `{code}` | {name} | {} | `{milestone}` | {when} |",
                versions.join(", ")
            )
            .unwrap();
        }
        text.push('\n');
    }
    check("milestones.md", "DCSA", &text);

    let mut text = String::new();
    for list in LISTS {
        let sources = sources(list.rows().iter().map(|row| row.source));
        writeln!(text, "### {}\n\nRaw codes `{}/…`. {sources}\n", list.name, list.prefix).unwrap();
        text.push_str("| code | name | milestone | exception |\n|---|---|---|---|\n");
        for row in list.rows() {
            let exception =
                row.meaning.exception.map_or(String::new(), |e| format!("`{}`", e.as_str()));
            let (code, name) = (row.code, row.name.replace('|', "/"));
            let milestone = row.meaning.milestone.as_str();
            writeln!(text, "| `{code}` | {name} | `{milestone}` | {exception} |").unwrap();
        }
        text.push('\n');
    }
    check("milestones.md", "codes", &text);

    let mut text = String::new();
    for list in REASONS {
        let sources = sources(list.rows().iter().map(|row| row.source));
        writeln!(text, "### {}\n\nRaw codes `{}/…`. {sources}\n", list.name, list.prefix).unwrap();
        text.push_str("| code | name | exception |\n|---|---|---|\n");
        for row in list.rows() {
            let exception = row.exception.map_or("none".into(), |e| format!("`{}`", e.as_str()));
            writeln!(text, "| `{}` | {} | {exception} |", row.code, row.name.replace('|', "/"))
                .unwrap();
        }
        text.push('\n');
    }
    check("milestones.md", "reasons", &text);
}

/// Each source of a list's rows once, in their order.
fn sources<'t>(of_rows: impl Iterator<Item = &'t str>) -> String {
    let mut sources = Vec::new();
    for source in of_rows {
        if !sources.contains(&source) {
            sources.push(source);
        }
    }
    format!("Source: {}.", sources.join("; "))
}

#[test]
fn notes() {
    let mut made = String::from("| note | what it says |\n|---|---|\n");
    for code in NoteCode::VARIANTS {
        made += &format!("| `{}` | {} |\n", code.as_str(), code.meaning());
    }
    check("formats.md", "notes", &made);
}

#[test]
fn media_types() {
    let mut text = String::from("| format | media type |\n|---|---|\n");
    for format in REGISTRY.iter() {
        let types: Vec<String> = format.patterns.iter().map(|p| format!("`{p}`")).collect();
        writeln!(text, "| {} | {} |", format.name, types.join(", ")).unwrap();
    }
    check("formats.md", "media types", &text);
}

/// Files of ../shared/data that hold carriers' messages, by folder.
const FOLDERS: [&str; 11] = [
    "air",
    "dcsa",
    "easypost",
    "edifact",
    "epcis",
    "epcis/capture_json",
    "field",
    "parcel_karrio",
    "parcel_xml",
    "terminal49",
    "x12",
];

/// Every real file gets an answer, and the table in the docs says which.
#[test]
fn real_files() {
    let Some(shared) = shown::shared_data() else { return };
    let mut text = String::from(
        "| file | format | events | rejects | notes | unmapped codes |\n|---|---|---|---|---|---|\n",
    );
    for folder in FOLDERS {
        let mut files: Vec<PathBuf> =
            std::fs::read_dir(shared.join(folder)).unwrap().map(|e| e.unwrap().path()).collect();
        files.extend(match folder {
            "terminal49" => std::fs::read_dir(shared.join("terminal49/webhooks"))
                .unwrap()
                .map(|e| e.unwrap().path())
                .collect(),
            _ => Vec::new(),
        });
        files.sort();
        for path in files {
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            let is_message = !name.ends_with(".yaml") && !name.ends_with(".tsv") && path.is_file();
            if is_message {
                writeln!(text, "| {folder}/{name} | {}", row(&path)).unwrap();
            }
        }
    }
    check("formats.md", "real files", &text);
}

fn row(path: &Path) -> String {
    let payload = std::fs::read(path).unwrap();
    let Some(format) = guess(&payload).first().copied() else {
        return "not recognised | | | | |".to_owned();
    };
    let mut parts = Parts::default();
    let whole = format.read(&payload, &mut parts);
    let rejects: Vec<Code> = match &whole {
        Err(reject) => vec![reject.code],
        Ok(()) => parts.iter().filter_map(|(_, part)| Some(part.as_ref().err()?.code)).collect(),
    };
    let drafts = || parts.iter().filter_map(|(_, part)| part.as_ref().ok());
    assert!(drafts().count() + rejects.len() > 0, "{}: no answer", path.display());
    let mut unmapped: Vec<&str> = drafts()
        .filter(|draft| draft.has_note(NoteCode::UnmappedCode))
        .map(|draft| draft.raw_code.as_str())
        .collect();
    unmapped.sort_unstable();
    unmapped.dedup();
    let counted = |codes: &mut dyn Iterator<Item = &'static str>| {
        let mut counts = std::collections::BTreeMap::new();
        for code in codes {
            *counts.entry(code).or_insert(0) += 1;
        }
        let each = counts.iter().map(|(code, n)| format!("{n} `{code}`"));
        each.collect::<Vec<_>>().join(", ")
    };
    // Unmapped codes have a column of their own.
    let noted = drafts().flat_map(|draft| &draft.notes).map(|note| note.code);
    let mut noted = noted.filter(|code| *code != NoteCode::UnmappedCode).map(|code| code.as_str());
    let notes = counted(&mut noted);
    let rejects = counted(&mut rejects.iter().map(|code| code.as_str()));
    format!(
        "{} | {} | {rejects} | {notes} | {} |",
        format.name,
        drafts().count(),
        unmapped.iter().map(|code| format!("`{code}`")).collect::<Vec<_>>().join(", ")
    )
}
