//! A line of [`shown`](super::shown) taken apart again: so a test compares values, and no word that may stand
//! anywhere in the line, in another value too.

/// What a line says: the position of its part, and each value under its name, in their order.
#[derive(Debug, PartialEq, Eq)]
pub struct Said<'l> {
    pub position: u32,
    /// `milestone`, `classifier`, `code`, `wall`, `offset` and the fields; of a reject `reject` (its code) and
    /// `detail`. A text is as it is between its quotes.
    pub values: Vec<(&'l str, &'l str)>,
}

impl<'l> Said<'l> {
    #[track_caller]
    pub fn of(line: &'l str) -> Self {
        Self::parse(line).unwrap_or_else(|| panic!("no line of a part: {line}"))
    }

    fn parse(line: &'l str) -> Option<Self> {
        let (position, rest) = line.split_once(' ')?;
        let position = position.parse().ok()?;
        if let Some(reject) = rest.strip_prefix("reject ") {
            let (code, detail) = reject.split_once(' ').unwrap_or((reject, ""));
            return Some(Self { position, values: vec![("reject", code), ("detail", detail)] });
        }
        let (milestone, rest) = rest.split_once(' ')?;
        let (classifier, rest) = rest.split_once(' ')?;
        let (code, rest) = rest.split_once(" wall=")?;
        let (wall, rest) = rest.split_once(" offset=")?;
        let (offset, mut rest) = rest.split_once(' ').unwrap_or((rest, ""));
        let mut values = vec![
            ("milestone", milestone),
            ("classifier", classifier),
            ("code", code),
            ("wall", wall),
            ("offset", offset),
        ];
        while !rest.is_empty() {
            let (name, text) = rest.split_once("=\"")?;
            let (value, after) = text.split_at(end_of_text(text)?);
            values.push((name, value));
            rest = after.strip_prefix('"')?.trim_start_matches(' ');
        }
        Some(Self { position, values })
    }

    pub fn is_reject(&self) -> bool {
        self.all("reject").next().is_some()
    }

    /// The values under a name, of which there may be several.
    pub fn all(&self, name: &str) -> impl Iterator<Item = &'l str> {
        self.values.iter().filter(move |(own, _)| *own == name).map(|(_, value)| *value)
    }

    pub fn has(&self, name: &str, value: &str) -> bool {
        self.all(name).any(|own| own == value)
    }

    /// Whether there is a note with this code, whatever it is about.
    pub fn notes(&self, code: &str) -> bool {
        self.all("note").any(|note| note.split(' ').next() == Some(code))
    }
}

/// What is said of all parts.
pub fn said(text: &str) -> Vec<Said<'_>> {
    text.lines().map(Said::of).collect()
}

/// Where the quote is that no backslash stands before.
fn end_of_text(text: &str) -> Option<usize> {
    let mut is_escaped = false;
    text.bytes().position(|byte| {
        let ends = byte == b'"' && !is_escaped;
        is_escaped = byte == b'\\' && !is_escaped;
        ends
    })
}

#[test]
fn a_value_is_one_whatever_stands_in_it() {
    let line = r#"3 picked_up actual X/Pick up wall=2026-01-01T00:00:00Z (day) offset=none name="a \" reject b" city="delivered" name="c\\" note="unmapped_code X/Pick up""#;
    let said = Said::of(line);
    let expect = [
        ("milestone", "picked_up"),
        ("classifier", "actual"),
        ("code", "X/Pick up"),
        ("wall", "2026-01-01T00:00:00Z (day)"),
        ("offset", "none"),
        ("name", r#"a \" reject b"#),
        ("city", "delivered"),
        ("name", r"c\\"),
        ("note", "unmapped_code X/Pick up"),
    ];
    assert_eq!((said.position, said.values.as_slice()), (3, expect.as_slice()));
    assert!(!said.is_reject() && !said.has("milestone", "delivered"));
    assert!(said.notes("unmapped_code") && !said.notes("unmapped"));
    let reject = Said::of("0 reject missing_field /a: is required");
    assert_eq!(reject.values, [("reject", "missing_field"), ("detail", "/a: is required")]);
    assert_eq!(Said::parse("1 delivered actual"), None);
}
