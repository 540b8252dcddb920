//! Interchanges, groups and messages, with their control numbers and counts.
//!
//! A count or a number that does not fit, and a trailer or a group that is missing, say that something
//! may be missing, and nothing against what is there: the events pass, each with a note of the
//! element. Where there is no event to note it on, it is a reject of its own. A payload that ends
//! within a segment rejects the message that is cut.

use waybill_schemas::vocabulary::NoteCode;
use waybill_stage::{Code, Reject};

use super::segments::Segments;
use super::{Output, Segment, Separators, push};
use crate::Parts;
use crate::wrong::at;

/// A pair of segments around something, the trailer with a count in its element 1 and the control
/// number of the header in its element 2.
#[derive(Debug)]
pub(crate) struct Level {
    pub header: &'static str,
    /// The header's element with the control number.
    pub number: usize,
    pub trailer: &'static str,
    /// The trailer's elements, as the standard names them: `SE01`, `SE02`.
    pub names: [&'static str; 2],
}

#[derive(Debug)]
pub(crate) struct Syntax {
    pub interchange: Level,
    /// Segments that an interchange may begin with.
    pub starts: &'static [&'static str],
    pub group: Level,
    pub groups_required: bool,
    /// A segment beside the groups, which acknowledges an interchange.
    pub acknowledgement: &'static str,
    pub message: Level,
    /// Whether an interchange begins here: its service characters, and how many bytes stand before
    /// its first segment.
    pub begin: fn(&str) -> Option<(Separators, usize)>,
    /// What is said of a payload that does not begin so.
    pub not_begun: &'static str,
    /// Whether the message is of a kind that is read: said first, whatever else is wrong with it.
    pub supports: fn(&Message<'_, '_>) -> Result<(), Reject>,
    /// Reads a message. `Err` rejects the payload, which is too large.
    pub read: fn(Message<'_, '_>, &mut Output<'_>) -> Result<(), Reject>,
}

#[derive(Debug)]
pub(crate) struct Message<'m, 't> {
    /// Header and trailer included.
    pub segments: &'m [Segment<'t>],
    pub group: Option<&'m Segment<'t>>,
}

/// Reads all interchanges of a payload.
pub(crate) fn read(text: &str, syntax: &Syntax, parts: &mut Parts) -> Result<(), Reject> {
    let read = interchanges(text, syntax, &mut Output::new(parts));
    let read = match parts.is_empty() {
        true => read.and(Err(Reject::new(Code::WrongStructure, "no message in it"))),
        false => read,
    };
    read.inspect_err(|_| parts.clear())
}

fn interchanges(text: &str, syntax: &Syntax, parts: &mut Output<'_>) -> Result<(), Reject> {
    let mut segments = Segments::new(text).ending(syntax.interchange.trailer, syntax.starts);
    let not = || Reject::new(Code::Unparsable, syntax.not_begun);
    loop {
        let rest = segments.rest();
        match (syntax.begin)(rest) {
            Some((separators, before)) => {
                segments.skip(before);
                interchange(&mut segments, separators, syntax, parts)?;
            }
            None if rest.is_empty() && segments.next_number() > 1 => return Ok(()),
            None if segments.next_number() == 1 => return Err(not()),
            // Without service characters nothing more can be read.
            None => return push(parts, segments.next_number(), Err(not())),
        }
    }
}

/// A header that was read, and how many of what is in it.
struct Open<'t> {
    header: Segment<'t>,
    count: usize,
    /// How many parts the payload had before it.
    before: usize,
}

/// What is wrong with a trailer: its name or that of its element, and what is said of it where there
/// is no event.
type Wrong = (&'static str, Reject);

impl Open<'_> {
    /// What is wrong with a trailer. Zeros in front of a number are none of it.
    fn check(&self, level: &Level, trailer: &Segment<'_>) -> [Option<Wrong>; 2] {
        let [count_name, number_name] = level.names;
        let number = self.header.component(level.number, 1);
        let count = trailer.component(1, 1);
        let digits = !count.is_empty() && count.bytes().all(|b| b.is_ascii_digit());
        let count_fits = digits && count.trim_start_matches('0').parse().unwrap_or(0) == self.count;
        let number_fits = trailer.component(2, 1) == number;
        let wrong = |fits: bool, name: &'static str, what: &str| {
            (!fits).then(|| (name, at(name).contradicts(what)))
        };
        [
            wrong(count_fits, count_name, "not the count of what is in it"),
            wrong(number_fits, number_name, "not the control number of its header"),
        ]
    }

    fn fits(&self, level: &Level, trailer: &Segment<'_>) -> bool {
        self.check(level, trailer).iter().all(Option::is_none)
    }
}

fn unfinished(level: &Level) -> Reject {
    let detail = format!("{} has no {}", level.header, level.trailer);
    Reject::new(Code::WrongStructure, detail)
}

/// An interchange, from its header on.
struct Reader<'r, 'p, 't> {
    syntax: &'r Syntax,
    parts: &'r mut Output<'p>,
    interchange: Open<'t>,
    group: Option<Open<'t>>,
    /// From its header on; empty outside of messages.
    message: Vec<Segment<'t>>,
    /// Within a run of segments that stand in no message: one reject for all of them.
    astray: bool,
}

fn interchange(
    segments: &mut Segments<'_>,
    separators: Separators,
    syntax: &Syntax,
    parts: &mut Output<'_>,
) -> Result<(), Reject> {
    let Some(header) = segments.next(separators) else { return Ok(()) };
    let interchange = Open { header, count: 0, before: parts.parts.len() };
    let mut reader =
        Reader { syntax, parts, interchange, group: None, message: Vec::new(), astray: false };
    while let Some(segment) = segments.next(separators) {
        let tag = segment.tag();
        if syntax.starts.contains(&tag) {
            // It may have other service characters.
            segments.back();
            break;
        }
        if tag == syntax.interchange.trailer {
            reader.end_message()?;
            reader.end_group(None)?;
            return reader.end_interchange(Some(&segment));
        }
        reader.take(segment)?;
    }
    reader.end_message()?;
    reader.end_group(None)?;
    reader.end_interchange(None)
}

impl<'t> Reader<'_, '_, 't> {
    fn take(&mut self, segment: Segment<'t>) -> Result<(), Reject> {
        let syntax = self.syntax;
        let (tag, number) = (segment.tag(), segment.number);
        if tag == syntax.message.header {
            self.end_message()?;
            self.group.as_mut().unwrap_or(&mut self.interchange).count += 1;
            self.message.push(segment);
            self.astray = false;
        } else if tag == syntax.group.header {
            self.end_message()?;
            self.end_group(None)?;
            self.interchange.count += 1;
            let before = self.parts.parts.len();
            self.group = Some(Open { header: segment, count: 0, before });
            self.astray = false;
        } else if tag == syntax.group.trailer {
            self.end_message()?;
            self.end_group(Some(&segment))?;
            self.astray = false;
        } else if !self.message.is_empty() {
            let ends = tag == syntax.message.trailer;
            self.message.push(segment);
            if ends {
                self.end_message()?;
            }
        } else if tag == syntax.acknowledgement {
            let detail = format!("{tag}: acknowledgements are not read");
            push(self.parts, number, Err(Reject::new(Code::Unsupported, detail)))?;
        } else if !self.astray && !segment.is_last {
            // (What is cut here is the trailer that is noted to be missing.)
            let detail = "stands in no message";
            push(self.parts, number, Err(Reject::new(Code::WrongStructure, detail)))?;
            self.astray = true;
        }
        Ok(())
    }

    /// Reads a message from its header to its trailer, or to where the next thing begins.
    fn end_message(&mut self) -> Result<(), Reject> {
        let syntax = self.syntax;
        let segments = std::mem::take(&mut self.message);
        let (Some(header), Some(last)) = (segments.first(), segments.last()) else {
            return Ok(());
        };
        let message =
            Message { segments: &segments, group: self.group.as_ref().map(|open| &open.header) };
        // (Of what kind it is, a header that is cut does not say.)
        if !(header.is_last && segments.len() == 1)
            && let Err(reject) = (syntax.supports)(&message)
        {
            return push(self.parts, header.number, Err(reject));
        }
        let before = self.parts.parts.len();
        let open = Open { header: header.clone(), count: segments.len(), before };
        let level = &syntax.message;
        let trailer = Some(last).filter(|last| segments.len() > 1 && last.is(level.trailer));
        // A trailer without its terminator is whole if what it says fits.
        let is_whole = |trailer: &Segment<'_>| open.fits(level, trailer);
        if last.is_last && !trailer.is_some_and(is_whole) {
            let detail = "the payload ends within it";
            return push(self.parts, last.number, Err(Reject::new(Code::WrongStructure, detail)));
        }
        (syntax.read)(message, self.parts)?;
        let mut note = |about: &'static str| {
            self.parts.parts.note_since(before, NoteCode::EnvelopeMismatch, about);
        };
        match trailer {
            Some(trailer) => {
                open.check(level, trailer).into_iter().flatten().for_each(|wrong| note(wrong.0));
            }
            None => note(level.trailer),
        }
        if syntax.groups_required && self.group.is_none() {
            note(syntax.group.header);
        }
        Ok(())
    }

    fn end_group(&mut self, trailer: Option<&Segment<'t>>) -> Result<(), Reject> {
        match (self.group.take(), trailer) {
            (Some(open), trailer) => self.end(&open, &self.syntax.group, trailer),
            (None, None) => Ok(()),
            // Its messages were read without it, and are noted for that.
            (None, Some(_)) if self.syntax.groups_required && self.interchange.count > 0 => Ok(()),
            (None, Some(trailer)) => {
                let reject = Reject::new(Code::WrongStructure, "ends no group");
                self.doubt(
                    self.interchange.before,
                    trailer.number,
                    (self.syntax.group.header, reject),
                )
            }
        }
    }

    fn end_interchange(mut self, trailer: Option<&Segment<'t>>) -> Result<(), Reject> {
        let Self { syntax, .. } = self;
        let before = self.interchange.before;
        let header = self.interchange.header.clone();
        let open = Open { header, count: self.interchange.count, before };
        self.end(&open, &syntax.interchange, trailer)
    }

    fn end(
        &mut self,
        open: &Open<'_>,
        level: &Level,
        trailer: Option<&Segment<'_>>,
    ) -> Result<(), Reject> {
        let Some(trailer) = trailer else {
            let wrong = (level.trailer, unfinished(level));
            return self.doubt(open.before, open.header.number, wrong);
        };
        for wrong in open.check(level, trailer).into_iter().flatten() {
            self.doubt(open.before, trailer.number, wrong)?;
        }
        Ok(())
    }

    /// Notes what is wrong with an envelope on the events in it, which begin at the part `before`;
    /// where there is none, it is a reject.
    fn doubt(&mut self, before: usize, number: usize, wrong: Wrong) -> Result<(), Reject> {
        let (about, reject) = wrong;
        if self.parts.parts.note_since(before, NoteCode::EnvelopeMismatch, about) {
            return Ok(());
        }
        push(self.parts, number, Err(reject))
    }
}
