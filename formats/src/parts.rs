use std::collections::HashSet;
use std::fmt;

use waybill_schemas::vocabulary::NoteCode;
use waybill_stage::{Code, Reject};

use crate::{Draft, limits};

/// The parts of one message, in its order; a rejected part keeps its place.
#[derive(Debug, Default)]
pub struct Parts {
    parts: Vec<Result<Draft, Reject>>,
    /// Where each part stands in the message. It outlives the parts: their rules come later.
    places: Vec<Whence>,
    /// Of memory, about. Beyond the limit nothing is kept, whatever comes.
    bytes: usize,
}

/// Where a part stands in its message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Whence {
    /// The message is this part.
    Whole,
    /// An element of the list at that JSON pointer (RFC 6901): 0, 1, ….
    Element(&'static str, usize),
    /// An element of a list within an element of a list: `/shipment/0/package/3`.
    Nested(&'static str, usize, &'static str, usize),
    /// Segment of an EDI interchange: 1, 2, ….
    Segment(usize),
    /// Line of a text or an XML document: 1, 2, ….
    Line(usize),
    /// An element of lists within lists.
    Pointer(Pointer),
}

/// A JSON pointer (RFC 6901) to an element of lists within lists:
/// `/shipment/0/package/3/activity/1`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Pointer {
    /// The lists' names, without the slash in front, and which element of them; no number where
    /// the message has the element itself in the list's place.
    steps: [Option<(&'static str, Option<u32>)>; 5],
}

impl Pointer {
    /// An element of a list within this one. (Nothing nests deeper than five lists.)
    pub(crate) fn then(mut self, list: &'static str, index: Option<u32>) -> Self {
        let free = self.steps.iter_mut().find(|step| step.is_none());
        // The message itself in the place of a list of them is no step.
        if let Some(free) = free.filter(|_| !list.is_empty() || index.is_some()) {
            *free = Some((list, index));
        }
        self
    }

    /// The number of the element in the innermost list.
    pub(crate) fn last(self) -> Option<u32> {
        self.steps.iter().flatten().last()?.1
    }
}

impl fmt::Display for Pointer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (list, index) in self.steps.iter().flatten() {
            if !list.is_empty() {
                write!(f, "/{list}")?;
            }
            if let Some(index) = index {
                write!(f, "/{index}")?;
            }
        }
        Ok(())
    }
}

impl fmt::Display for Whence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Whole => Ok(()),
            Self::Element(list, index) => write!(f, "{list}/{index}"),
            Self::Nested(list, index, inner, element) => {
                write!(f, "{list}/{index}{inner}/{element}")
            }
            Self::Segment(number) => write!(f, "segment {number}"),
            Self::Line(number) => write!(f, "line {number}"),
            Self::Pointer(pointer) => write!(f, "{pointer}"),
        }
    }
}

impl Whence {
    /// `/3` before `/eventID: is required`; `segment 12: ` before what is said of the part itself.
    fn locate(self, mut reject: Reject) -> Reject {
        if !matches!(self, Self::Whole) && self != Self::Pointer(Pointer::default()) {
            let pointers = matches!(self, Self::Element(..) | Self::Nested(..) | Self::Pointer(..));
            let between = if pointers && reject.detail.starts_with('/') { "" } else { ": " };
            reject.detail = format!("{self}{between}{}", reject.detail).into();
        }
        reject
    }
}

impl Parts {
    /// Adds the next part, which stands at `at`.
    pub(crate) fn push_at(&mut self, at: Whence, part: Result<Draft, Reject>) {
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
                self.push_at(Whence::Whole, part);
                Ok(())
            }
        }
    }

    fn whence(&self, index: usize) -> Whence {
        self.places.get(index).copied().unwrap_or(Whence::Whole)
    }

    /// Puts the part's place in front of a reject's detail.
    pub fn locate(&self, position: u32, reject: Reject) -> Reject {
        let index = usize::try_from(position).unwrap_or(usize::MAX).saturating_sub(1);
        self.whence(index).locate(reject)
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
