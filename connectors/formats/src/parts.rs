use waybill_schemas::vocabulary::Flag;
use waybill_stage::{Code, Reject};

use crate::Draft;

/// The parts of one message, in its order; a rejected part keeps its place.
#[derive(Debug, Default)]
pub struct Parts {
    parts: Vec<Result<Draft, Reject>>,
    /// Where the list stands that the parts are elements of; absent if the message is one part.
    list: Option<&'static str>,
}

impl Parts {
    /// The parts that follow are elements of the list at JSON pointer (RFC 6901) `list`.
    pub(crate) fn within(&mut self, list: &'static str) {
        self.list = Some(list);
    }

    /// Adds the next part. A pointer in front of a reject's detail counts from the part on.
    pub(crate) fn push(&mut self, part: Result<Draft, Reject>) {
        let at = self.pointer(self.parts.len());
        self.parts.push(part.map_err(|reject| Self::located(&at, reject)));
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
                self.push(part);
                Ok(())
            }
        }
    }

    /// `/3` before `/eventID: is required`, `/3: ` before what is said of the part itself.
    fn located(at: &str, mut reject: Reject) -> Reject {
        if !at.is_empty() {
            let between = if reject.detail.starts_with('/') { "" } else { ": " };
            reject.detail = format!("{at}{between}{}", reject.detail).into();
        }
        reject
    }

    /// JSON pointer of the part with `index` 0, 1, …; empty for a message of one part.
    pub(crate) fn pointer(&self, index: usize) -> String {
        match self.list {
            Some(list) => format!("{list}/{index}"),
            None => String::new(),
        }
    }

    /// Puts the part's place in front of a reject's detail.
    pub fn locate(&self, position: u32, reject: Reject) -> Reject {
        let index = usize::try_from(position).unwrap_or(usize::MAX).saturating_sub(1);
        Self::located(&self.pointer(index), reject)
    }

    /// Marks events that repeat a carrier's id within the message: with the same content the later
    /// one is flagged; with other content it is what `other` makes of it, given the pointer of the
    /// first.
    pub(crate) fn mark_repeats(&mut self, other: fn(&str) -> Option<Reject>) {
        if self.parts.len() < 2 {
            return;
        }
        let mut first = std::collections::HashMap::with_capacity(self.parts.len());
        let mut repeats = Vec::new();
        for (index, part) in self.parts.iter().enumerate() {
            let Ok(draft) = part else { continue };
            let Some(id) = draft.raw_id.as_deref() else { continue };
            match first.entry(id) {
                std::collections::hash_map::Entry::Vacant(entry) => {
                    entry.insert((index, draft));
                }
                std::collections::hash_map::Entry::Occupied(entry) => {
                    let &(earlier, same) = entry.get();
                    repeats.push((index, earlier, same == draft));
                }
            }
        }
        for (index, earlier, same) in repeats {
            let refused = if same { None } else { other(&self.pointer(earlier)) };
            let refused = refused.map(|reject| Self::located(&self.pointer(index), reject));
            let Some(part) = self.parts.get_mut(index) else { continue };
            match (refused, part) {
                (Some(reject), part) => *part = Err(reject),
                (None, Ok(draft)) => draft.flags.push(Flag::RepeatedRawId),
                (None, Err(_)) => {}
            }
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

    pub fn clear(&mut self) {
        self.parts.clear();
        self.list = None;
    }
}
