//! What is said of a range that is in the store: figures, dead letters, and its entry in the ledger.

use waybill_schemas::RejectRecord;
use waybill_schemas::Role;
use waybill_schemas::vocabulary::LedgerOutcome;
use waybill_stage::{Code, Fault, Reject};

use super::partition::Completed;
use crate::batch::Batch;
use crate::chain::{dead_letter, nobodys};
use crate::event::Now;
use crate::invariant;
use crate::ledger::OutcomeCount;
use crate::metrics::metrics;
use crate::topic_cipher::TopicCipher;

/// Puts all of it into the batch that ends the claim.
pub(super) fn answer(
    stage: &'static str,
    range: &Completed,
    batch: &mut Batch,
    cipher: &TopicCipher,
    now: Now,
) -> Result<(), Fault> {
    let outcome = if range.batch.again { "again" } else { "stored" };
    metrics().ranges.with_label_values(&[outcome]).inc();
    let offsets = range.offsets();
    let (records, taken) = range.records();
    let counted: u64 = range.inserted.counts.iter().map(|count| count.records).sum();
    let readable = records - range.unreadable.len() as u64;
    // Records of the ledger are nobody's: they are not counted.
    invariant!(
        counted == readable || offsets.input.role == Role::Ledger,
        "{}: {counted} records are accounted for, of {readable}",
        range.batch.token
    );
    batch.ledger.open(&offsets.input);
    batch.ledger.read(records);
    count(stage, range, batch);
    let letters = letters(stage, range, batch, now);
    let tally = batch.tally.stage(stage);
    tally.passed += taken;
    tally.events_passed += range.inserted.rows;
    tally.rejected += letters.len() as u64;
    tally.events_rejected += letters.len() as u64;
    let answered = !letters.is_empty();
    for letter in letters {
        batch.put_reject(cipher, &letter)?;
    }
    // An entry about entries would need an entry itself, and so on: only what is out of order.
    if offsets.input.role != Role::Ledger || answered {
        batch.append_entry(cipher, stage, offsets, now.utc_ms)?;
    }
    Ok(())
}

/// Each record's outcome, for the ledger.
fn count(stage: &'static str, range: &Completed, batch: &mut Batch) {
    for count in &range.inserted.counts {
        batch.ledger.count(OutcomeCount {
            stage: stage.into(),
            carrier_id: &count.carrier_id,
            received_at: count.hour,
            outcome: count.outcome,
            code: count.code.clone().into(),
            records: count.records,
            parts: count.parts,
        });
    }
    for record in &range.unreadable {
        batch.ledger.count(OutcomeCount {
            stage: stage.into(),
            carrier_id: "",
            received_at: record.appended_at,
            outcome: LedgerOutcome::Rejected,
            code: Code::Internal.as_str().into(),
            records: 1,
            parts: 1,
        });
    }
}

/// The dead letters of what is no row: what the store has refused, and what nobody of ours has written.
fn letters(
    stage: &'static str,
    range: &Completed,
    batch: &mut Batch,
    now: Now,
) -> Vec<RejectRecord> {
    let tally = batch.tally.stage(stage);
    let at = |offset| format!("{}@{offset}", range.input);
    let of_nobody = |offset, appended_at, reject: Reject| {
        let place = nobodys("", range.input.partition, offset, appended_at);
        let source_topic = range.input.role.as_str().to_owned();
        let letter = dead_letter(stage, &place, 0, reject, now.utc_ms);
        RejectRecord { source_topic, ..letter }
    };
    let mut letters = Vec::new();
    for refused in &range.inserted.rejects {
        let reject = Reject {
            detail: format!("{} {}", at(refused.offset), refused.reject.detail).into(),
            claims: None,
            ..refused.reject
        };
        tally.reject(&reject);
        letters.push(match &refused.provenance {
            Some(known) => dead_letter(stage, known, refused.position, reject, now.utc_ms),
            None => of_nobody(refused.offset, range.appended_at(refused.offset), reject),
        });
    }
    for record in &range.unreadable {
        let reject = Reject::new(Code::Internal, at(record.offset)).because("not_ours");
        tally.reject(&reject);
        letters.push(of_nobody(record.offset, record.appended_at, reject));
    }
    letters
}
