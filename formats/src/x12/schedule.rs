//! 323, Vessel Schedule and Itinerary (Ocean): a vessel on a voyage (`V1`), its ports (`R4`), and for each
//! when it comes and goes (`DTM`), and what happens there (`V9`). Of a plan nothing has happened: a date
//! that is not said to be actual is planned or estimated.

use waybill_schemas::vocabulary::{Mode, NoteCode};
use waybill_stage::{Code, Reject};

use super::ports::{self, Port, Vessel};
use super::vessel::event;
use crate::edi::{Odd, Output, Segment, push};
use crate::{Draft, limits, text};

#[derive(Default)]
struct Voyage {
    vessel: Vessel,
    remark: Option<String>,
    odd: Odd,
}

pub(super) fn read(segments: &[Segment<'_>], parts: &mut Output<'_>) -> Result<(), Reject> {
    let mut voyage = Voyage::default();
    for segment in segments {
        let taken = voyage.take(segment);
        if let Err(reject) = voyage.odd.keep(taken) {
            return push(parts, segment.number, Err(reject));
        }
    }
    let mut port: Option<Port<'_>> = None;
    let mut any = false;
    for segment in segments {
        let read = match segment.tag() {
            "R4" => {
                port = Some(Port::read(segment, &mut voyage.odd)?);
                continue;
            }
            "DTM" => ports::dated(segment, port.as_ref()),
            "V9" if !segment.text(3).is_empty() => event(segment, port.as_ref()).map(Some),
            _ => continue,
        };
        if let Some(part) = read.map(|draft| draft.map(|draft| voyage.share(draft))).transpose() {
            any = true;
            push(parts, segment.number, part)?;
        }
    }
    if any {
        return Ok(());
    }
    let number = segments.first().map_or(0, |header| header.number);
    let detail = "no date of a port in it (DTM or V9 behind an R4)";
    push(parts, number, Err(Reject::new(Code::MissingField, detail)))
}

impl Voyage {
    fn take(&mut self, segment: &Segment<'_>) -> Result<(), Reject> {
        match segment.tag() {
            "V1" => {
                let code = (segment.text(1), segment.text(8), "V101");
                self.vessel = Vessel::read(code, segment.text(2), (segment.text(4), "V104"))?;
            }
            "K1" if self.remark.is_none() => {
                let remark = [segment.text(1), segment.text(2)].join(" ");
                self.remark = text::clipped(&remark, limits::REMARK);
            }
            _ => {}
        }
        Ok(())
    }

    fn share(&self, mut draft: Draft) -> Draft {
        draft.transport = self.vessel.transport(Some(Mode::Ocean));
        draft.remark.clone_from(&self.remark);
        self.odd.note(&mut draft);
        if draft.place.is_none() {
            draft.note_about(NoteCode::MissingField, "R4");
        }
        draft
    }
}
