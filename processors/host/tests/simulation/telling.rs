//! Events and commands as lines of a history.

use std::fmt::Debug;

use waybill_host::batch::Batch;
use waybill_host::event::{Command, Event};

pub fn event<R: Debug>(event: &Event<R>) -> String {
    match event {
        Event::Assigned { member, starts } => {
            let starts: Vec<String> = starts
                .iter()
                .map(|s| format!("{}@{} {:?}", s.input, s.offset, s.metadata))
                .collect();
            format!("Assigned as {}/{}: {starts:?}", member.id, member.generation)
        }
        Event::Restored(_) => "Restored".to_owned(),
        Event::Committed(batch) => format!("Committed {}", marks(batch)),
        Event::Aborted(batch, why) => format!("Aborted {}: {why}", marks(batch)),
        Event::Inserted(inserts) => {
            let answers: Vec<_> = inserts
                .batches
                .iter()
                .map(|(batch, inserted)| (&batch.token, inserted.as_ref().map(|i| i.rows)))
                .collect();
            format!("Inserted by {}: {answers:?}", inserts.worker)
        }
        other => short(&format!("{other:?}")),
    }
}

pub fn command<R: Debug>(command: &Command<R>) -> String {
    match command {
        Command::Restore(readings) => {
            let of: Vec<_> = readings.iter().map(|r| (r.input.to_string(), r.span)).collect();
            format!("Restore {of:?}")
        }
        Command::Commit { batch, member } => {
            format!("Commit as {}/{} {}", member.id, member.generation, marks(batch))
        }
        Command::Insert { worker, batches, .. } => {
            let batches: Vec<_> = batches.iter().map(|b| (&b.token, b.again)).collect();
            format!("Insert by {worker}: {batches:?}")
        }
        other => short(&format!("{other:?}")),
    }
}

fn marks(batch: &Batch) -> String {
    let marks = batch.offsets.iter();
    let marks: Vec<_> = marks.map(|(i, m)| format!("{i}@{} {:?}", m.offset, m.metadata)).collect();
    format!("{} records {marks:?}", batch.outgoing().count())
}

fn short(text: &str) -> String {
    text.chars().take(300).collect()
}
