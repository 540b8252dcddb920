use waybill_clickhouse::{Database, DeadLetter, Filter, RejectedRecord};
use waybill_host::topic_cipher::TopicCipher;
use waybill_kafka::{Attempt, HostSettings, Redriver, Source, check_topics, source};
use waybill_schemas::Role;
use waybill_schemas::{Answered, Redrive};

use crate::acls::Client;
use crate::commands::publish;
use crate::config::Config;
use crate::exit::Failure;

/// More redrives than this of one record are a loop.
const MOST_ATTEMPTS: u32 = 3;

/// So many go into one transaction.
const AT_ONCE: usize = 500;

/// Look at dead letters, and send their records through once more
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  waybill rejects list --code unknown_carrier --since 24h
  waybill rejects show 3-1042
  waybill rejects redrive --code unknown_carrier --since 24h --dry-run
  waybill rejects redrive --code unknown_key --carrier acme-line --since 7d

A redriven record is judged anew, as of the time of its receipt: its new outcome takes the place of
its dead letters in the ledger. Each record can be redriven 3 times. What was sent is on the topic
waybill.redrive, so a redrive that was broken off goes on where it was.")]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// The latest first
    List(Which),
    /// Everything about one sealed record
    Show {
        /// Where it stands: of the first topic that topics.sealed names, unless another is named
        #[arg(value_name = "[TOPIC-]PARTITION-OFFSET", value_parser = place)]
        place: Place,
    },
    /// Put the sealed records of these dead letters on waybill.redrive
    Redrive {
        #[command(flatten)]
        which: Which,
        /// Say what would be sent, and send nothing
        #[arg(long)]
        dry_run: bool,
    },
}

#[derive(Debug, clap::Args)]
struct Which {
    /// Only this code (docs/rejects.md)
    #[arg(long)]
    code: Option<String>,
    /// Only this carrier
    #[arg(long, value_name = "ID")]
    carrier: Option<String>,
    /// Only what was received since then: a time (RFC 3339) or how long ago (24h, 7d)
    #[arg(long, value_name = "TIME", value_parser = crate::since::parse)]
    since: Option<i64>,
    /// At most so many
    #[arg(long, default_value_t = 1000)]
    limit: u64,
}

impl Which {
    fn filter(&self, settings: &HostSettings) -> Filter {
        Filter {
            first_topic: settings.topics.sealed().first().unwrap_or_default().to_owned(),
            code: self.code.clone(),
            carrier: self.carrier.clone(),
            since_ms: self.since.unwrap_or_default(),
            limit: self.limit,
        }
    }
}

/// Topic, if it was named, partition and offset.
type Place = (Option<String>, i32, i64);

fn place(text: &str) -> Result<Place, String> {
    let mut parts = text.rsplitn(3, '-');
    let (offset, partition, topic) = (parts.next(), parts.next(), parts.next());
    let is_number = |part: &&str| part.bytes().all(|b| b.is_ascii_digit());
    let partition = partition.filter(is_number).and_then(|partition| partition.parse().ok());
    let offset = offset.filter(is_number).and_then(|offset| offset.parse().ok());
    let parsed = partition.zip(offset);
    match (topic, parsed) {
        (Some(""), _) | (_, None) => {
            Err("a partition and an offset, such as 3-1042, or with the topic before them"
                .to_owned())
        }
        (topic, Some((partition, offset))) => Ok((topic.map(str::to_owned), partition, offset)),
    }
}

pub fn run(config: &Config, args: &Args) -> Result<(), Failure> {
    let unreachable = |f: waybill_stage::Fault| Failure::unreachable(f.to_string());
    let database = Database::open(config.clickhouse()?).map_err(unreachable)?;
    let settings = config.host("redrive", &config.batch)?;
    match &args.command {
        Command::List(which) => {
            let filter = which.filter(&settings);
            let letters = database.dead_letters(&filter).map_err(unreachable)?;
            print(&letters, settings.topics.sealed().only().is_none());
            Ok(())
        }
        Command::Show { place: (topic, partition, offset) } => {
            let first = settings.topics.sealed().first().unwrap_or_default();
            let topic = publish::topic(config, topic.as_deref())?;
            let place = (topic.as_str(), *partition, *offset);
            let letters = database.dead_letters_of(place, first).map_err(unreachable)?;
            let source = source(&settings, &topic, *partition, *offset);
            show(&letters, &source.map_err(unreachable)?);
            Ok(())
        }
        Command::Redrive { which, dry_run } => {
            Client::Redrive.check(config)?;
            let records =
                database.rejected_records(&which.filter(&settings)).map_err(unreachable)?;
            let cipher = config.cipher(&[Role::Redrive])?;
            check_topics(&settings.connection, &settings.topics, &[Role::Redrive])
                .map_err(unreachable)?;
            redrive(&settings, &cipher, &records, *dry_run).map_err(unreachable)
        }
    }
}

/// Of several sealed topics, each is named.
fn print(letters: &[DeadLetter], named: bool) {
    if letters.is_empty() {
        println!("no dead letters");
        return;
    }
    println!(
        "{:<20}  {:<12}  {:<18}  {:<10}  {:<16}  try  detail",
        "received", "stands at", "code", "stage", "carrier"
    );
    for l in letters {
        println!(
            "{:<20}  {:<12}  {:<18}  {:<10}  {:<16}  {:>3}  {}",
            l.received_at,
            stands_at(l, named),
            l.code,
            l.stage,
            l.carrier_id,
            l.attempt,
            l.detail
        );
    }
}

/// Of the sealed topic, or of another that is named.
fn stands_at(letter: &DeadLetter, named: bool) -> String {
    let place = format!("{}-{}", letter.source_partition, letter.source_offset);
    match letter.source_topic.as_str() {
        "sealed" if named => format!("{}-{place}", letter.sealed_topic),
        "sealed" => place,
        topic => format!("{topic} {place}"),
    }
}

fn show(letters: &[DeadLetter], source: &Source) {
    match source {
        Source::Record { key, value, received_at } => println!(
            "sealed record: {} bytes under a key of {}, received {}",
            value.as_ref().map_or(0, Vec::len),
            key.as_ref().map_or(0, Vec::len),
            moment(*received_at)
        ),
        Source::Expired { oldest } => println!("sealed record: gone; {}", gone(*oldest)),
    }
    if letters.is_empty() {
        println!("no dead letters");
    }
    for l in letters {
        println!(
            "\n{} in {} at {}, attempt {}\n  carrier  {}\n  handle   {}\n  message  {}\n  part     {}\n  detail   {}",
            l.code,
            l.stage,
            l.rejected_at,
            l.attempt,
            l.carrier_id,
            l.handle,
            l.message_id,
            if l.position == 0 { "the whole".to_owned() } else { l.position.to_string() },
            l.detail
        );
    }
}

fn moment(ms: i64) -> String {
    jiff::Timestamp::from_millisecond(ms).map_or_else(|_| ms.to_string(), |t| format!("{t:.0}"))
}

fn gone(oldest: Option<i64>) -> String {
    match oldest {
        Some(ms) => format!("what was received before {} is kept no longer", moment(ms)),
        None => "nothing of its partition is left".to_owned(),
    }
}

fn place_of(record: &RejectedRecord, named: bool) -> String {
    let place = format!("{}-{}", record.source_partition, record.source_offset);
    if named { format!("{}-{place}", record.sealed_topic) } else { place }
}

/// What became of the records that were to be redriven.
#[derive(Debug, Default)]
struct Tally {
    sent: u64,
    on_their_way: u64,
    too_often: u64,
    accepted: u64,
    gone: u64,
}

fn redrive(
    settings: &HostSettings,
    cipher: &TopicCipher,
    records: &[RejectedRecord],
    dry_run: bool,
) -> Result<(), waybill_stage::Fault> {
    let mut redriver = Redriver::open(settings, cipher)?;
    let mut tally = Tally::default();
    for some in records.chunks(AT_ONCE) {
        let mut to_send = Vec::new();
        for record in some {
            let place = place_of(record, settings.topics.sealed().only().is_none());
            if record.sealed_topic.is_empty() {
                println!(
                    "{place}: refused: it is of a time when there was one sealed topic: name that one first in \
                     topics.sealed"
                );
                tally.gone += 1;
                continue;
            }
            let attempt = Attempt {
                sealed_topic: record.sealed_topic.clone(),
                source_partition: record.source_partition,
                source_offset: record.source_offset,
                attempt: record.attempt + 1,
            };
            if attempt.attempt > MOST_ATTEMPTS {
                println!("{place}: refused: redriven {MOST_ATTEMPTS} times already");
                tally.too_often += 1;
                continue;
            }
            if record.answers.iter().any(|(stage, ..)| stage == "clickhouse") {
                println!(
                    "{place}: refused: it was accepted, and the store refused it: once more it \
                     would be a duplicate"
                );
                tally.accepted += 1;
                continue;
            }
            if redriver.has_sent(&attempt) {
                tally.on_their_way += 1;
                continue;
            }
            let (topic, partition, offset) =
                (&attempt.sealed_topic, attempt.source_partition, attempt.source_offset);
            match source(settings, topic, partition, offset)? {
                Source::Record { received_at, .. } if received_at != record.received_ms => {
                    println!(
                        "{place}: refused: another record stands there, received {}: the topic was made anew",
                        moment(received_at)
                    );
                    tally.gone += 1;
                }
                Source::Record { received_at, .. } if !redriver.knows_all_of(received_at) => {
                    println!(
                        "{place}: refused: received {}, and what was redriven of then is kept no longer \
                         (topics.retention.redrive): it may have passed already",
                        moment(received_at)
                    );
                    tally.gone += 1;
                }
                Source::Record { key, value, received_at } => {
                    let codes: Vec<&str> =
                        record.answers.iter().map(|(_, _, code, _)| code.as_str()).collect();
                    println!("{place}: attempt {} ({})", attempt.attempt, codes.join(", "));
                    let answers = record.answers.iter().cloned();
                    let answers = answers.map(|(stage, carrier_id, code, parts)| Answered {
                        stage,
                        carrier_id,
                        code,
                        parts,
                    });
                    to_send.push((
                        key,
                        Redrive {
                            sealed_topic: attempt.sealed_topic,
                            source_partition: attempt.source_partition,
                            source_offset: attempt.source_offset,
                            received_at,
                            attempt: attempt.attempt,
                            sealed: value.unwrap_or_default(),
                            answers: answers.collect(),
                        },
                    ));
                }
                Source::Expired { oldest } => {
                    println!("{place}: refused: {}", gone(oldest));
                    tally.gone += 1;
                }
            }
        }
        tally.sent += to_send.len() as u64;
        if !dry_run && !to_send.is_empty() {
            redriver.send(&to_send)?;
        }
    }
    println!(
        "{} {} records; {} sent before and without a new dead letter; refused: {} redriven \
         {MOST_ATTEMPTS} times, {} no longer kept, {} refused by the store",
        if dry_run { "would redrive" } else { "redrove" },
        tally.sent,
        tally.on_their_way,
        tally.too_often,
        tally.gone,
        tally.accepted
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_a_partition_and_an_offset_and_maybe_a_topic() {
        assert_eq!(place("3-1042"), Ok((None, 3, 1042)));
        assert_eq!(place("sealed.acme-line-3-7"), Ok((Some("sealed.acme-line".into()), 3, 7)));
        for bad in ["3", "3-", "-3", "a-b", "-3-1", "x-3--1", "x-+3-1", "x-3"] {
            assert!(place(bad).is_err(), "{bad}");
        }
    }
}
