use std::borrow::Cow;

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

    /// Element `n` of a syntax without release characters, whole.
    pub(crate) fn text(&self, n: usize) -> &str {
        self.element(n).trim()
    }
}

/// The segments of a text, with the service characters that hold from some point on.
#[derive(Debug)]
pub(crate) struct Segments<'t> {
    rest: &'t str,
    number: usize,
}

impl<'t> Segments<'t> {
    pub(crate) fn new(text: &'t str) -> Self {
        Self { rest: text, number: 0 }
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
            let (text, after) = separators.split(rest, separators.segment).unwrap_or((rest, ""));
            self.rest = after;
            // An empty segment is two terminators, or one and the end of a line.
            if text.is_empty() {
                continue;
            }
            self.number += 1;
            return Some(Segment { number: self.number, text: unwrapped(text), separators });
        }
    }
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
