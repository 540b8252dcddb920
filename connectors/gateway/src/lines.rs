//! Lines out of a body that comes in pieces: at most one piece and one line are held.

/// Cuts pieces into lines.
#[derive(Debug)]
pub struct Lines {
    begun: Vec<u8>,
    most: usize,
}

/// A line is longer than it may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooLong;

impl Lines {
    pub fn new(most: usize) -> Self {
        Self { begun: Vec::new(), most }
    }

    /// Gives each whole line to `take`, without its end (LF or CRLF); empty ones are passed over.
    pub fn push<E: From<TooLong>>(
        &mut self,
        piece: &[u8],
        mut take: impl FnMut(&[u8]) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut rest = piece;
        while let Some(end) = memchr::memchr(b'\n', rest) {
            let (line, after) = rest.split_at(end);
            rest = after.get(1..).unwrap_or_default();
            if self.begun.is_empty() {
                self.check(line.len())?;
                give(line, &mut take)?;
            } else {
                self.check(self.begun.len() + line.len())?;
                self.begun.extend_from_slice(line);
                let whole = std::mem::take(&mut self.begun);
                give(&whole, &mut take)?;
            }
        }
        self.check(self.begun.len() + rest.len())?;
        self.begun.extend_from_slice(rest);
        Ok(())
    }

    /// The last line need not have an end.
    pub fn end<E>(self, mut take: impl FnMut(&[u8]) -> Result<(), E>) -> Result<(), E> {
        give(&self.begun, &mut take)
    }

    fn check(&self, length: usize) -> Result<(), TooLong> {
        // A CR may follow.
        if length > self.most + 1 { Err(TooLong) } else { Ok(()) }
    }
}

fn give<E>(line: &[u8], take: &mut impl FnMut(&[u8]) -> Result<(), E>) -> Result<(), E> {
    let line = line.trim_ascii();
    if line.is_empty() { Ok(()) } else { take(line) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(pieces: &[&str], most: usize) -> Result<Vec<String>, TooLong> {
        let mut found = Vec::new();
        let mut lines = Lines::new(most);
        let mut take = |line: &[u8]| {
            found.push(String::from_utf8(line.to_vec()).unwrap());
            Ok::<(), TooLong>(())
        };
        for piece in pieces {
            lines.push(piece.as_bytes(), &mut take)?;
        }
        lines.end(&mut take)?;
        Ok(found)
    }

    #[test]
    fn wherever_the_pieces_end() {
        let text = "ab\r\n\ncde\nf\n\n gh";
        for at in 0..text.len() {
            for then in at..text.len() {
                let pieces = [&text[..at], &text[at..then], &text[then..]];
                assert_eq!(cut(&pieces, 3).unwrap(), ["ab", "cde", "f", "gh"], "{pieces:?}");
            }
        }
        assert!(cut(&[], 3).unwrap().is_empty() && cut(&["\n", "\r\n"], 3).unwrap().is_empty());
    }

    #[test]
    fn a_line_without_an_end_is_not_waited_for() {
        assert_eq!(cut(&["abcde"], 3), Err(TooLong));
        assert_eq!(cut(&["ab", "cd", "e"], 3), Err(TooLong));
        assert_eq!(cut(&["abcde\n"], 3), Err(TooLong));
        assert_eq!(cut(&["ab", "cde\n"], 3), Err(TooLong));
    }
}
