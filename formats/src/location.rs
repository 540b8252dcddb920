//! Where in its message a part stands.

use std::fmt;

use waybill_stage::Reject;

/// Where a part stands in its message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Location {
    /// Segment of an EDI interchange: 1, 2, ….
    Segment(usize),
    /// Line of a text or an XML document: 1, 2, ….
    Line(usize),
    /// An element of lists within lists, as a JSON pointer (RFC 6901) names it:
    /// `/shipment/0/package/3/activity/1`. The lists' names, and which element of them: 0, 1, …;
    /// no number where the message has the element itself in the list's place.
    Element([Option<(&'static str, Option<u32>)>; 5]),
}

impl Location {
    /// The message itself, in no list.
    pub(crate) const WHOLE: Self = Self::Element([None; 5]);

    /// An element of a list within this one; it does not matter whether the list's name begins with
    /// a slash. (Nothing nests deeper than five lists. A segment and a line have no lists.)
    pub(crate) fn then(mut self, list: &'static str, index: Option<u32>) -> Self {
        let list = list.strip_prefix('/').unwrap_or(list);
        if let Self::Element(steps) = &mut self {
            let free = steps.iter_mut().find(|step| step.is_none());
            // The message itself in the place of a list of them is no step.
            if let Some(free) = free.filter(|_| !list.is_empty() || index.is_some()) {
                *free = Some((list, index));
            }
        }
        self
    }

    /// The element 0, 1, … of a list within this one.
    pub(crate) fn element(self, list: &'static str, index: usize) -> Self {
        self.then(list, Some(u32::try_from(index).unwrap_or(u32::MAX)))
    }

    /// The number of the element in the innermost list.
    pub(crate) fn last(self) -> Option<u32> {
        match self {
            Self::Element(steps) => steps.iter().flatten().last()?.1,
            Self::Segment(_) | Self::Line(_) => None,
        }
    }

    /// `/3` before `/eventID: is required`; `segment 12: ` before what is said of the part itself.
    pub(crate) fn locate(self, mut reject: Reject) -> Reject {
        if self != Self::WHOLE {
            let is_pointer = matches!(self, Self::Element(_));
            let between = if is_pointer && reject.detail.starts_with('/') { "" } else { ": " };
            reject.detail = format!("{self}{between}{}", reject.detail).into();
        }
        reject
    }
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Segment(number) => write!(f, "segment {number}"),
            Self::Line(number) => write!(f, "line {number}"),
            Self::Element(steps) => steps.iter().flatten().try_for_each(|(list, index)| {
                if !list.is_empty() {
                    write!(f, "/{list}")?;
                }
                index.map_or(Ok(()), |index| write!(f, "/{index}"))
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use waybill_stage::Code;

    use super::*;

    #[test]
    fn before_what_is_wrong() {
        let check = |at: Location, detail: &'static str, expect: &str| {
            let located = at.locate(Reject::new(Code::MissingField, detail));
            assert_eq!(located.detail, expect);
        };
        let whole = Location::WHOLE;
        check(whole, "/a: is required", "/a: is required");
        check(whole.then("", None), "/a: is required", "/a: is required");
        check(whole.element("", 3), "/a: is required", "/3/a: is required");
        check(whole.element("", 3), "no event in it", "/3: no event in it");
        check(whole.element("/b/c", 0), "/a: is required", "/b/c/0/a: is required");
        check(whole.element("b", 0).then("c", None), "/a: is required", "/b/0/c/a: is required");
        check(whole.element("/b", 0).element("/c", 1), "no event", "/b/0/c/1: no event");
        check(Location::Segment(12), "/a: is required", "segment 12: /a: is required");
        check(Location::Line(7), "no event", "line 7: no event");
        let five = (0..6).fold(whole, |at, n| at.element("l", n));
        assert_eq!((five.to_string().as_str(), five.last()), ("/l/0/l/1/l/2/l/3/l/4", Some(4)));
    }
}
