use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use comfy_table::{ContentArrangement, Table, presets};
use strum::VariantArray;
use waybill_clickhouse::{Database, Filter};
use waybill_enrich::Enrich;
use waybill_explain::{Explained, Explainer, Guess};
use waybill_formats::Format;
use waybill_schemas::vocabulary::{Classifier, Milestone, NoteCode, PlaceSource, TimePrecision};

use crate::config::Config;
use crate::exit::Failure;

/// What carriers may send, what a file of theirs is understood as, and which codes are not known
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  waybill formats list
  waybill formats explain message.edi
  waybill formats explain answer.json --media-type application/vnd.ups.track+json --carrier acme
  waybill formats check acme.toml answer-1.json answer-2.json
  waybill formats unmapped --carrier acme-line --since 7d
  waybill formats notes --carrier acme-line

`explain` and `check` read files as the pipeline would, in this process, and send nothing.")]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Formats, and the media types that name them
    List,
    /// What a message is understood as: events, unmapped codes, rejects
    Explain {
        #[arg(value_name = "FILE")]
        file: PathBuf,
        /// Its media type [default: guessed from the content]
        #[arg(long, value_name = "TYPE")]
        media_type: Option<String>,
        /// As if this carrier had sent it: its private codes count
        #[arg(long, value_name = "ID", default_value = "carrier")]
        carrier: String,
        /// When it is taken to be received, a time (RFC 3339) or how long ago (24h) [default: just
        /// after the last event in it]
        #[arg(long, value_name = "TIME", value_parser = crate::since::parse)]
        received: Option<i64>,
    },
    /// What is wrong with a dialect (docs/new-carrier.md), and what files are understood as by it
    #[command(after_help = "Exit status 1 if the dialect or a part of a file is wrong.")]
    Check {
        #[arg(value_name = "DIALECT")]
        dialect: PathBuf,
        #[arg(value_name = "FILE")]
        files: Vec<PathBuf>,
        /// As if this carrier had sent them: its private codes count
        #[arg(long, value_name = "ID", default_value = "carrier")]
        carrier: String,
    },
    /// What is odd about events that were accepted, by carrier: what to tell it
    Notes {
        /// Only this carrier
        #[arg(long, value_name = "ID")]
        carrier: Option<String>,
        /// Only this note, such as missing_field
        #[arg(long, value_name = "CODE")]
        note: Option<String>,
        /// Only what was received since then: a time (RFC 3339) or how long ago (24h, 7d)
        #[arg(long, value_name = "TIME", value_parser = crate::since::parse)]
        since: Option<i64>,
        /// At most so many
        #[arg(long, default_value_t = 1000)]
        limit: u64,
    },
    /// Codes that no mapping names, by carrier
    Unmapped {
        /// Only this carrier
        #[arg(long, value_name = "ID")]
        carrier: Option<String>,
        /// Only what was received since then: a time (RFC 3339) or how long ago (24h, 7d)
        #[arg(long, value_name = "TIME", value_parser = crate::since::parse)]
        since: Option<i64>,
        /// At most so many
        #[arg(long, default_value_t = 1000)]
        limit: u64,
    },
}

pub fn run(config: &Config, args: &Args) -> Result<(), Failure> {
    match &args.command {
        Command::List => {
            config.validate.connect()?;
            let mut table = table(&["format", "media type"]);
            for format in waybill_formats::all() {
                table.add_row([format.name.to_owned(), media_types(format)]);
            }
            println!("{table}");
            Ok(())
        }
        Command::Explain { file, media_type, carrier, received } => {
            config.validate.connect()?;
            let payload = payload(file)?;
            let media_type = match media_type {
                Some(stated) => {
                    println!("{}: read as {stated}", file.display());
                    stated.clone()
                }
                None => guessed(&payload, &file.display().to_string())?,
            };
            let now = jiff::Timestamp::now().as_millisecond();
            let found = explainer(config)?.explain(carrier, &media_type, payload, *received, now);
            show(&found, carrier);
            Ok(())
        }
        Command::Notes { carrier, note, since, limit } => {
            let unreachable = |f: waybill_stage::Fault| Failure::unreachable(f.to_string());
            if let Some(note) = note
                && note.parse::<NoteCode>().is_err()
            {
                let all: Vec<&str> = NoteCode::VARIANTS.iter().map(|code| code.as_str()).collect();
                return Err(Failure::failed(format!(
                    "no note is called {note:?}; notes are {}",
                    all.join(", ")
                )));
            }
            let filter = Filter {
                code: note.clone(),
                carrier: carrier.clone(),
                since_ms: since.unwrap_or_default(),
                limit: *limit,
                ..Filter::default()
            };
            let database = Database::open(config.clickhouse()?).map_err(unreachable)?;
            let notes = database.notes(&filter).map_err(unreachable)?;
            if notes.is_empty() {
                println!("no event has a note");
                return Ok(());
            }
            let mut table =
                table(&["carrier", "note", "about", "events", "last received", "what it says"]);
            for n in &notes {
                let meaning = n.note.parse().map_or("", NoteCode::meaning);
                let events = n.events.to_string();
                table.add_row([&n.carrier_id, &n.note, &n.about, &events, &n.last, meaning]);
            }
            println!("{table}");
            Ok(())
        }
        Command::Check { dialect, files, carrier } => check(config, dialect, files, carrier),
        Command::Unmapped { carrier, since, limit } => {
            let unreachable = |f: waybill_stage::Fault| Failure::unreachable(f.to_string());
            let filter = Filter {
                code: None,
                carrier: carrier.clone(),
                since_ms: since.unwrap_or_default(),
                limit: *limit,
                ..Filter::default()
            };
            let database = Database::open(config.clickhouse()?).map_err(unreachable)?;
            let codes = database.unmapped_codes(&filter).map_err(unreachable)?;
            if codes.is_empty() {
                println!("every code is mapped");
                return Ok(());
            }
            let mut table = table(&["carrier", "code", "events", "last received"]);
            for c in &codes {
                table.add_row([&c.carrier_id, &c.raw_code, &c.events.to_string(), &c.last]);
            }
            println!("{table}");
            how_to_map(codes.iter().map(|c| (c.carrier_id.as_str(), c.raw_code.as_str())));
            Ok(())
        }
    }
}

fn payload(file: &Path) -> Result<Vec<u8>, Failure> {
    std::fs::read(file).map_err(|e| Failure::failed(format!("{}: {e}", file.display())))
}

fn explainer(config: &Config) -> Result<Explainer, Failure> {
    let enrich = Enrich::new(Arc::new(config.enrich.tables()?));
    Ok(Explainer::new(config.validate.stage()?, enrich))
}

/// Whether the dialect is right, and each file has nothing but events in it. Of the configuration only this
/// dialect is connected, so that it may be one of those that are configured.
fn check(config: &Config, dialect: &Path, files: &[PathBuf], carrier: &str) -> Result<(), Failure> {
    let wrong = |faults: Vec<String>| Failure::failed(faults.join("\n"));
    let format = crate::config::format_of(dialect).map_err(wrong)?;
    let (name, media_type) = (format.name, media_types(&format));
    waybill_formats::connect(vec![format]).map_err(|faults| {
        Failure::failed(format!("{}: {}", dialect.display(), faults.join("\n")))
    })?;
    println!("{}: {name}, {media_type}", dialect.display());
    let explainer = explainer(config)?;
    let now = jiff::Timestamp::now().as_millisecond();
    let mut faulty = Vec::new();
    for file in files {
        println!("\n{}", file.display());
        let found = explainer.explain(carrier, &media_type, payload(file)?, None, now);
        show(&found, carrier);
        if !found.rejects.is_empty() {
            faulty.push(file.display().to_string());
        }
    }
    match faulty.is_empty() {
        true => Ok(()),
        false => Err(Failure::failed(format!("rejects in {}", faulty.join(", ")))),
    }
}

fn table(columns: &[&str]) -> Table {
    let mut table = Table::new();
    table
        .load_preset(presets::UTF8_BORDERS_ONLY)
        .set_content_arrangement(ContentArrangement::Dynamic)
        .set_header(columns);
    if table.width().is_none() {
        table.set_width(160); // no terminal
    }
    table
}

/// A media type that names the format, its version if it needs one.
fn media_types(format: &Format) -> String {
    let mut all: Vec<String> = format.patterns.iter().map(ToString::to_string).collect();
    all.dedup();
    all.join(", ")
}

fn guessed(payload: &[u8], file: &str) -> Result<String, Failure> {
    let Some(Guess { format, media_type, others }) = Guess::of(payload) else {
        return Err(Failure::failed(format!(
            "{file}: looks like none of the formats (`waybill formats list`); name it with \
             --media-type"
        )));
    };
    println!("{file}: looks like {}; read as {media_type}", format.name);
    for other in others {
        println!("  it could also be {}: --media-type {}", other.name, media_types(other));
    }
    Ok(media_type)
}

fn show(found: &Explained, carrier: &str) {
    let received = jiff::Timestamp::from_millisecond(found.received_at).unwrap_or_default();
    println!("as if received at {received}\n");
    let rows: Vec<[String; 7]> = found.events.iter().map(explained_row).collect();
    if !rows.is_empty() {
        let mut table = table(&[
            "#",
            "milestone",
            "raw code",
            "when (UTC)",
            "zone",
            "place",
            "shipment and more",
        ]);
        table.add_rows(rows);
        println!("{table}");
    }
    let unmapped: BTreeSet<&str> = found.unmapped().collect();
    let count = |n: usize, one: &str, many: &str| match n {
        0 => format!("no {one}"),
        1 => format!("1 {one}"),
        n => format!("{n} {many}"),
    };
    println!(
        "{}, {}, {}",
        count(found.events.len(), "event", "events"),
        count(found.rejects.len(), "reject", "rejects"),
        count(unmapped.len(), "unmapped code", "unmapped codes"),
    );
    if !found.rejects.is_empty() {
        let mut table = table(&["#", "reject", "where and what"]);
        for (position, reject) in &found.rejects {
            let position = if *position == 0 { "all".into() } else { position.to_string() };
            table.add_row([position, reject.code.as_str().to_owned(), reject.detail.to_string()]);
        }
        println!("\n{table}");
    }
    how_to_map(unmapped.into_iter().map(|code| (carrier, code)));
}

fn explained_row(e: &waybill_schemas::EnrichedEvent) -> [String; 7] {
    let (event, more) = (&e.event, &e.enrichment);
    let at = jiff::Timestamp::from_millisecond(more.occurred_at);
    let mut when = at.map_or_else(|e| e.to_string(), short);
    if event.occurred.precision == TimePrecision::Day {
        // The date as it was sent, and what of it counts.
        let day = jiff::Timestamp::from_millisecond(event.occurred.wall_ms).unwrap_or_default();
        let word = if event.classifier == Classifier::Actual { "from" } else { "until" };
        when = format!("{} (a day, {word} {when})", day.strftime("%Y-%m-%d"));
    }
    let what = match event.classifier {
        Classifier::Actual => event.milestone.as_str().to_owned(),
        planned => format!("{} ({})", event.milestone.as_str(), planned.as_str()),
    };
    let zone = match &more.time_zone {
        Some(zone) => format!("{}, {zone}", more.zone_quality.as_str()),
        None => more.zone_quality.as_str().to_owned(),
    };
    let place = [&more.unlocode, &more.place_name.as_deref().map(str::to_owned), &more.country]
        .into_iter()
        .flatten()
        .map(String::as_str)
        .collect::<Vec<_>>()
        .join(", ");
    let place = match (more.place_source, more.place_score) {
        (PlaceSource::None, _) => place,
        (source, Some(score)) => format!("{place} (by {}, {score})", source.as_str()),
        (source, None) => format!("{place} (by {})", source.as_str()),
    };
    let shipment = event.shipment_id.split_once('/').map_or("", |(_, rest)| rest);
    let mut notes = vec![shipment.to_owned()];
    notes.extend(event.references.iter().map(|r| format!("{} {}", r.kind.as_str(), r.value)));
    notes.extend(event.exceptions.iter().map(|x| {
        format!("exception {} {}", x.kind.as_str(), x.raw_code.as_deref().unwrap_or_default())
    }));
    notes.extend(
        event.quantities.iter().map(|q| format!("{} {} {}", q.kind.as_str(), q.value, q.unit)),
    );
    notes.extend(
        event.readings.iter().map(|r| format!("{} {} {}", r.kind.as_str(), r.value, r.unit)),
    );
    notes.extend(event.noted().map(|(code, about)| match about {
        "" => format!("note {}", code.as_str()),
        about => format!("note {} {about}", code.as_str()),
    }));
    [event.position.to_string(), what, event.raw_code.clone(), when, zone, place, notes.join("; ")]
}

/// To the minute, unless seconds say more.
fn short(at: jiff::Timestamp) -> String {
    let text = at.strftime("%Y-%m-%d %H:%M:%S").to_string();
    text.strip_suffix(":00").map_or_else(|| text.clone(), str::to_owned)
}

/// The lines of configuration that would map these codes.
fn how_to_map<'a>(codes: impl Iterator<Item = (&'a str, &'a str)>) {
    let mut before = None;
    for (carrier, code) in codes.collect::<BTreeSet<_>>() {
        if before.is_none() {
            println!(
                "\nto map them, in waybill.toml (milestones: docs/milestones.md, such as {:?}):",
                Milestone::InTransit.as_str()
            );
        }
        if before != Some(carrier) {
            println!("\n[validate.codes.{}]", toml::Value::from(carrier));
            before = Some(carrier);
        }
        println!("{} = \"…\"", toml::Value::from(code));
    }
}
