use std::borrow::Cow;

use crate::text;

/// The service characters of an interchange; all are ASCII.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Separators {
    pub segment: u8,
    pub element: u8,
    pub component: u8,
    pub repetition: Option<u8>,
    /// Takes its meaning from the character that follows it.
    pub release: Option<u8>,
}

impl Separators {
    /// Whether they can be told apart from each other and from letters and digits.
    pub(crate) fn are_distinct(&self) -> bool {
        let own = [Some(self.segment), Some(self.element), Some(self.component)];
        let own = || own.into_iter().chain([self.repetition, self.release]).flatten();
        own().all(|b| b.is_ascii() && !b.is_ascii_alphanumeric() && b != b' ')
            && own().all(|b| own().filter(|other| *other == b).count() == 1)
    }

    /// Splits at the first `separator` that is not released.
    fn split<'t>(&self, text: &'t str, separator: u8) -> Option<(&'t str, &'t str)> {
        let mut released = false;
        let at = text.bytes().position(|b| {
            if released {
                released = false;
                return false;
            }
            released = Some(b) == self.release;
            b == separator && !released
        })?;
        Some((text.get(..at)?, text.get(at + 1..)?))
    }

    fn nth<'t>(&self, text: &'t str, separator: u8, n: usize) -> &'t str {
        let mut rest = text;
        for _ in 0..n {
            let Some((_, after)) = self.split(rest, separator) else { return "" };
            rest = after;
        }
        self.split(rest, separator).map_or(rest, |(before, _)| before)
    }

    /// The text without the release characters.
    fn plain<'t>(&self, text: &'t str) -> Cow<'t, str> {
        let text = text.trim();
        let Some(release) = self.release.map(char::from).filter(|r| text.contains(*r)) else {
            return Cow::Borrowed(text);
        };
        let mut plain = String::with_capacity(text.len());
        let mut released = false;
        for c in text.chars() {
            released = !released && c == release;
            if !released {
                plain.push(c);
            }
        }
        Cow::Owned(plain)
    }
}

/// One segment, without its terminator.
#[derive(Clone, Debug)]
pub(crate) struct Segment<'t> {
    /// 1, 2, … in the payload.
    pub number: usize,
    /// No terminator stands behind it: the payload ends with it, or within it.
    pub is_last: bool,
    text: Cow<'t, str>,
    separators: Separators,
}

impl Segment<'_> {
    pub(crate) fn tag(&self) -> &str {
        let end = self.text.bytes().position(|b| !b.is_ascii_alphanumeric());
        self.text.get(..end.unwrap_or(self.text.len())).unwrap_or("")
    }

    pub(crate) fn is(&self, tag: &str) -> bool {
        self.tag() == tag
    }

    /// Element `n`: 1, 2, …; empty if it is not sent. Of repetitions the first.
    fn element(&self, n: usize) -> &str {
        let element = self.separators.nth(&self.text, self.separators.element, n);
        match self.separators.repetition {
            Some(repetition) => self.separators.nth(element, repetition, 0),
            None => element,
        }
    }

    /// Component `m` of element `n`: both 1, 2, …; empty if it is not sent.
    pub(crate) fn component(&self, n: usize, m: usize) -> Cow<'_, str> {
        let component = self.separators.component;
        self.separators.plain(self.separators.nth(self.element(n), component, m - 1))
    }

    /// A code or a qualifier: letters of either case are the same.
    pub(crate) fn code(&self, n: usize, m: usize) -> Cow<'_, str> {
        upper(self.component(n, m))
    }

    /// Element `n` of a syntax without release characters, whole.
    pub(crate) fn text(&self, n: usize) -> &str {
        self.element(n).trim()
    }

    /// That element, where it is a code or a qualifier.
    pub(crate) fn code_at(&self, n: usize) -> Cow<'_, str> {
        upper(Cow::Borrowed(self.text(n)))
    }
}

fn upper(text: Cow<'_, str>) -> Cow<'_, str> {
    match text {
        Cow::Borrowed(text) => text::upper(text),
        Cow::Owned(text) => Cow::Owned(text.to_ascii_uppercase()),
    }
}

/// The segments of a text, with the service characters that hold from some point on.
#[derive(Debug)]
pub(crate) struct Segments<'t> {
    rest: &'t str,
    number: usize,
    /// What was not read yet when the last one was.
    before: &'t str,
    /// The segment that ends an interchange, and those that begin the next.
    ends: (&'static str, &'static [&'static str]),
}

impl<'t> Segments<'t> {
    pub(crate) fn new(text: &'t str) -> Self {
        Self { rest: text, number: 0, before: text, ends: ("", &[]) }
    }

    /// Where files are put behind one another, the end of a line may be all that stands between the
    /// trailer of one interchange and the header of the next.
    pub(crate) fn ending(self, trailer: &'static str, headers: &'static [&'static str]) -> Self {
        Self { ends: (trailer, headers), ..self }
    }

    /// The last segment is read again, perhaps with other service characters.
    pub(crate) fn back(&mut self) {
        self.rest = self.before;
        self.number = self.number.saturating_sub(1);
    }

    /// What is not read yet, without the blanks, line ends and fillers in front of it.
    pub(crate) fn rest(&mut self) -> &'t str {
        self.rest = self.rest.trim_start_matches(|c: char| c.is_whitespace() || c.is_control());
        self.rest
    }

    /// The number of the segment that comes next.
    pub(crate) fn next_number(&self) -> usize {
        self.number + 1
    }

    pub(crate) fn skip(&mut self, bytes: usize) {
        self.rest = self.rest.get(bytes..).unwrap_or("");
    }

    pub(crate) fn next(&mut self, separators: Separators) -> Option<Segment<'t>> {
        loop {
            let rest = self.rest();
            if rest.is_empty() {
                return None;
            }
            self.before = rest;
            let found = separators.split(rest, separators.segment);
            let is_last = found.is_none();
            let (mut text, mut after) = found.unwrap_or((rest, ""));
            if let Some(end) = self.glued(text) {
                (text, after) = rest.split_at_checked(end).unwrap_or((text, after));
            }
            self.rest = after;
            // An empty segment is two terminators, or one and the end of a line.
            if text.is_empty() {
                continue;
            }
            self.number += 1;
            let mut text = unwrapped(text);
            // Whoever writes tags in lower case makes no difference anywhere.
            if text.bytes().next().is_some_and(|b| b.is_ascii_lowercase()) {
                text = upper(text);
            }
            return Some(Segment { number: self.number, is_last, text, separators });
        }
    }

    /// Where a trailer ends that no terminator parts from the header of the next interchange.
    fn glued(&self, text: &str) -> Option<usize> {
        let (trailer, headers) = self.ends;
        if trailer.is_empty() || !begins(text, trailer) {
            return None;
        }
        let is_header = |next: &str| headers.iter().any(|header| begins(next, header));
        text.match_indices(['\r', '\n'])
            .map(|(end, _)| end)
            .find(|end| text.get(*end..).is_some_and(|next| is_header(next.trim_start())))
    }
}

/// Whether a text begins with that tag, in either case.
pub(crate) fn begins(text: &str, tag: &str) -> bool {
    text.get(..tag.len()).is_some_and(|head| head.eq_ignore_ascii_case(tag))
}

/// A text without the line ends that cut it into records of a fixed length.
fn unwrapped(text: &str) -> Cow<'_, str> {
    let text = text.trim_end_matches(['\r', '\n']);
    match text.contains(['\r', '\n']) {
        true => Cow::Owned(text.replace(['\r', '\n'], "")),
        false => Cow::Borrowed(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EDIFACT: Separators = Separators {
        segment: b'\'',
        element: b'+',
        component: b':',
        repetition: None,
        release: Some(b'?'),
    };

    fn check(separators: Separators, text: &str, expect: &[&[&str]]) {
        let mut segments = Segments::new(text);
        for (index, expect) in expect.iter().enumerate() {
            let segment = segments.next(separators).unwrap();
            assert_eq!(segment.number, index + 1);
            assert_eq!(segment.tag(), expect[0], "{text}");
            for (n, element) in expect.iter().enumerate().skip(1) {
                let mut components = element.split('|');
                for m in 1..=4 {
                    let expect = components.next().unwrap_or("");
                    assert_eq!(segment.component(n, m), expect, "{text} {n}.{m}");
                }
            }
            assert_eq!(segment.component(expect.len(), 1), "");
        }
        assert!(segments.next(separators).is_none());
    }

    #[test]
    fn released_characters() {
        check(EDIFACT, "FTX+AAA+a?+b?:c:d??'", &[&["FTX", "AAA", "a+b:c|d?"]]);
        check(EDIFACT, "A+x???'y'B+z??+w'", &[&["A", "x?'y"], &["B", "z?", "w"]]);
        check(EDIFACT, "A+x?", &[&["A", "x"]]);
    }

    #[test]
    fn line_ends() {
        check(EDIFACT, "A+1'\r\nB+2'\n\n''C'\n", &[&["A", "1"], &["B", "2"], &["C"]]);
        check(EDIFACT, "A+12\r\n34:5'B\n+6'", &[&["A", "1234|5"], &["B", "6"]]);
        let lines = Separators { segment: b'\n', release: None, ..EDIFACT };
        check(lines, "A+1?\r\nB+2\r\n", &[&["A", "1?"], &["B", "2"]]);
    }

    #[test]
    fn case_and_blanks() {
        check(EDIFACT, "loc+14+deham:139'", &[&["LOC", "14", "DEHAM|139"]]);
        check(EDIFACT, "LOC+14 + deham : 139'", &[&["LOC", "14", "deham|139"]]);
        let mut segments = Segments::new("STS+1+ab:x'");
        let segment = segments.next(EDIFACT).unwrap();
        assert_eq!((&*segment.code(2, 1), &*segment.code_at(2)), ("AB", "AB:X"));
    }

    #[test]
    fn where_a_payload_ends() {
        let mut segments = Segments::new("A+1'B+2'\r\n C");
        let last: Vec<bool> =
            std::iter::from_fn(|| segments.next(EDIFACT)).map(|s| s.is_last).collect();
        assert_eq!(last, [false, false, true]);
    }

    #[test]
    fn interchanges_behind_one_another() {
        let mut segments = Segments::new("UNZ+1\r\n+7\r\nunb+2'A'").ending("UNZ", &["UNB"]);
        assert_eq!(segments.next(EDIFACT).unwrap().component(2, 1), "7");
        assert!(segments.next(EDIFACT).unwrap().is("UNB"));
        segments.back();
        assert_eq!(segments.next(EDIFACT).unwrap().number, 2);
        assert!(segments.next(EDIFACT).unwrap().is("A"));
    }

    #[test]
    fn of_repetitions_the_first() {
        let repeated = Separators { repetition: Some(b'*'), ..EDIFACT };
        check(repeated, "A+1:2*3+4'", &[&["A", "1|2", "4"]]);
        check(EDIFACT, "A+1:2*3+4'", &[&["A", "1|2*3", "4"]]);
    }

    #[test]
    fn distinct() {
        assert!(EDIFACT.are_distinct());
        assert!(!Separators { element: b':', ..EDIFACT }.are_distinct());
        assert!(!Separators { element: b'A', ..EDIFACT }.are_distinct());
        assert!(!Separators { element: 0xe9, ..EDIFACT }.are_distinct());
    }
}
