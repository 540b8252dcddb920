use memchr::memchr_iter;
use waybill_schemas::vocabulary::{Classifier, Milestone};
use waybill_stage::{Code, Reject};

use super::{Element, Tree};
use crate::location::Location;
use crate::{Draft, Parts, limits};

/// The parts that a document is read into.
#[derive(Debug)]
pub(crate) struct Out<'p> {
    parts: &'p mut Parts,
    /// Up to where the lines of an XML document are counted.
    counted: (usize, usize),
    delivered: bool,
    full: bool,
}

impl<'p> Out<'p> {
    pub(super) fn new(parts: &'p mut Parts) -> Self {
        Self { parts, counted: (0, 1), delivered: false, full: false }
    }

    /// Adds the part that `at` was read into. Beyond the limit of parts it is dropped, and the
    /// message with it.
    pub(crate) fn push(&mut self, at: Tree<'_>, part: Result<Draft, Reject>) {
        if self.parts.are_full() {
            self.full = true;
            return;
        }
        self.delivered |= part.as_ref().is_ok_and(|draft| {
            draft.milestone == Milestone::Delivered && draft.classifier == Classifier::Actual
        });
        let location = match at.node {
            Element::Json(_) => at.at,
            Element::Xml(node) => {
                let text = node.document().input_text().as_bytes();
                Location::Line(self.line(text, node.range().start))
            }
            Element::Row(row) => Location::Line(row.line()),
            Element::Rows(_) => Location::Line(1),
        };
        self.parts.push_at(location, part);
    }

    /// Reads what one package has in it. What is wrong with the package as a whole, or that it has
    /// no event, is its one reject.
    pub(crate) fn package(
        &mut self,
        at: Tree<'_>,
        read: impl FnOnce(&mut Self) -> Result<(), Reject>,
    ) {
        self.delivered = false;
        let before = self.parts.len();
        let read = read(self);
        match read {
            Ok(()) if self.parts.len() > before => {}
            Ok(()) => self.push(at, Err(at.no_event())),
            Err(reject) => self.push(at, Err(reject)),
        }
    }

    /// `Err` if the message has more parts than it may have, or none.
    pub(super) fn end(self) -> Result<(), Reject> {
        if self.full {
            let detail = format!("more than {} events", limits::EVENTS);
            return Err(Reject::new(Code::TooLarge, detail));
        }
        match self.parts.is_empty() {
            true => Err(Reject::new(Code::WrongStructure, "no event in it")),
            false => Ok(()),
        }
    }

    /// Whether an event of the package, as far as it is read, says that it was delivered.
    pub(crate) fn is_delivered(&self) -> bool {
        self.delivered
    }

    /// The line that the byte stands in. Counts on from where it last was: parts come more or less
    /// in their order.
    fn line(&mut self, text: &[u8], offset: usize) -> usize {
        let (from, line) = self.counted;
        let lines = |from, to| memchr_iter(b'\n', text.get(from..to).unwrap_or_default()).count();
        let line = match from <= offset {
            true => line + lines(from, offset),
            false => line - lines(offset, from),
        };
        self.counted = (offset, line);
        line
    }
}
