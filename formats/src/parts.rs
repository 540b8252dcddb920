use std::collections::HashSet;

use waybill_schemas::vocabulary::NoteCode;
use waybill_stage::{Code, Reject};

use crate::location::Location;
use crate::{Draft, limits};

/// The parts of one message, in its order; a rejected part keeps its place.
#[derive(Debug, Default)]
pub struct Parts {
    parts: Vec<Result<Draft, Reject>>,
    /// Where each part stands in the message. It outlives the parts: their rules come later.
    places: Vec<Location>,
    /// Of memory, about. Beyond the limit nothing is kept, whatever comes.
    bytes: usize,
}

impl Parts {
    /// Adds the next part, which stands at `at`.
    pub(crate) fn push_at(&mut self, at: Location, part: Result<Draft, Reject>) {
        if self.are_too_large() {
            return;
        }
        let part = part.map_err(|reject| at.locate(reject));
        self.bytes += match &part {
            Ok(draft) => draft.bytes(),
            Err(reject) => size_of::<Draft>() + reject.detail.len(),
        };
        if self.are_too_large() {
            (self.parts, self.places) = (Vec::new(), Vec::new());
            return;
        }
        self.places.push(at);
        self.parts.push(part);
    }

    /// Whether the message has as many parts as it may have. (Whoever adds one asks.)
    pub(crate) fn are_full(&self) -> bool {
        self.parts.len() >= limits::EVENTS || self.are_too_large()
    }

    /// Whether the parts would take more memory than one message may: it is rejected as a whole.
    pub(crate) fn are_too_large(&self) -> bool {
        self.bytes > limits::OUTPUT_BYTES
    }

    /// Takes the one part of a message that is no list. What is wrong with its structure is wrong
    /// with the message.
    pub(crate) fn only(&mut self, part: Result<Draft, Reject>) -> Result<(), Reject> {
        match part {
            Err(whole) if matches!(whole.code, Code::Unparsable | Code::WrongStructure) => {
                Err(whole)
            }
            part => {
                self.clear();
                self.push_at(Location::WHOLE, part);
                Ok(())
            }
        }
    }

    fn location(&self, index: usize) -> Location {
        self.places.get(index).copied().unwrap_or(Location::WHOLE)
    }

    /// Puts the part's place in front of a reject's detail.
    pub fn locate(&self, position: u32, reject: Reject) -> Reject {
        let index = usize::try_from(position).unwrap_or(usize::MAX).saturating_sub(1);
        self.location(index).locate(reject)
    }

    /// Notes what is odd about the message on each of its events.
    pub(crate) fn note_all(&mut self, code: NoteCode) {
        for draft in self.parts.iter_mut().flatten() {
            draft.note(code);
        }
    }

    /// Notes something on each event from the part at `from` (0, 1, …) on; whether there is one.
    pub(crate) fn note_since(&mut self, from: usize, code: NoteCode, about: &'static str) -> bool {
        let mut any = false;
        for draft in self.parts.get_mut(from..).unwrap_or_default().iter_mut().flatten() {
            draft.note_about(code, about);
            any = true;
        }
        any
    }

    /// Notes which events repeat a carrier's id of one before them in the message.
    pub(crate) fn mark_repeats(&mut self) {
        if self.parts.len() < 2 {
            return;
        }
        let mut known = HashSet::with_capacity(self.parts.len());
        let ids = self.parts.iter().map(|part| part.as_ref().ok()?.raw_id.as_deref());
        let repeats: Vec<bool> = ids.map(|id| id.is_some_and(|id| !known.insert(id))).collect();
        let drafts = self.parts.iter_mut().zip(repeats).filter(|(_, repeats)| *repeats);
        for draft in drafts.flat_map(|(part, _)| part) {
            draft.note(NoteCode::RepeatedRawId);
        }
    }

    /// The parts with their positions: 1, 2, ….
    pub fn iter(&self) -> impl Iterator<Item = (u32, &Result<Draft, Reject>)> {
        (1..).zip(&self.parts)
    }

    /// Takes the parts out, with their positions: 1, 2, …. Where they stood is still known.
    pub fn take(&mut self) -> impl Iterator<Item = (u32, Result<Draft, Reject>)> + use<> {
        (1..).zip(std::mem::take(&mut self.parts))
    }

    pub fn len(&self) -> usize {
        self.parts.len()
    }

    pub fn is_empty(&self) -> bool {
        self.parts.is_empty()
    }

    /// For the next message.
    pub(crate) fn begin(&mut self) {
        self.bytes = 0;
        self.clear();
    }

    /// Takes all parts out, as of a message that is rejected as a whole. It stays too large if it was.
    pub fn clear(&mut self) {
        self.parts.clear();
        self.places.clear();
        if !self.are_too_large() {
            self.bytes = 0;
        }
    }
}
