//! Interchanges, groups and messages, with their control numbers and counts. What is wrong with a
//! message's own envelope rejects it; what is wrong with the envelope around it is a reject of its
//! own, at the trailer that says it, since the messages in it are whole.

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
    /// Reads a message whose envelope is right. `Err` rejects the payload, which is too large.
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
    let mut segments = Segments::new(text);
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
}

impl Open<'_> {
    /// What is wrong with a trailer.
    fn check(&self, level: &Level, trailer: &Segment<'_>) -> Option<Reject> {
        let [count_name, number_name] = level.names;
        let number = self.header.component(level.number, 1);
        let count = trailer.component(1, 1);
        let digits = !count.is_empty() && count.bytes().all(|b| b.is_ascii_digit());
        if !digits || count.trim_start_matches('0').parse().unwrap_or(0) != self.count {
            Some(at(count_name).contradicts("not the count of what is in it"))
        } else if trailer.component(2, 1) != number {
            Some(at(number_name).contradicts("not the control number of its header"))
        } else {
            None
        }
    }
}

fn unfinished(level: &Level) -> Reject {
    let detail = format!("{} has no {}", level.header, level.trailer);
    Reject::new(Code::WrongStructure, detail)
}

fn interchange(
    segments: &mut Segments<'_>,
    separators: Separators,
    syntax: &Syntax,
    parts: &mut Output<'_>,
) -> Result<(), Reject> {
    let Some(header) = segments.next(separators) else { return Ok(()) };
    let mut interchange = Open { header, count: 0 };
    let mut group: Option<Open<'_>> = None;
    let mut message: Vec<Segment<'_>> = Vec::new();
    let mut astray = false;
    while let Some(segment) = segments.next(separators) {
        let number = segment.number;
        let tag = segment.tag();
        let around = [
            syntax.message.header,
            syntax.group.header,
            syntax.group.trailer,
            syntax.interchange.header,
            syntax.interchange.trailer,
        ];
        if let Some(first) = message.first()
            && around.contains(&tag)
        {
            push(parts, first.number, Err(unfinished(&syntax.message)))?;
            message.clear();
        }
        if tag == syntax.message.header {
            if syntax.groups_required && group.is_none() {
                let detail = format!("{tag} stands in no {}", syntax.group.header);
                push(parts, number, Err(Reject::new(Code::WrongStructure, detail)))?;
                astray = true;
            } else {
                group.as_mut().unwrap_or(&mut interchange).count += 1;
                message.push(segment);
                astray = false;
            }
        } else if !message.is_empty() {
            let ends = tag == syntax.message.trailer;
            message.push(segment);
            if ends {
                finish(&message, group.as_ref(), syntax, parts)?;
                message.clear();
            }
        } else if tag == syntax.group.header {
            if let Some(open) = &group {
                push(parts, open.header.number, Err(unfinished(&syntax.group)))?;
            }
            interchange.count += 1;
            group = Some(Open { header: segment, count: 0 });
            astray = false;
        } else if tag == syntax.group.trailer {
            let wrong = match group.take() {
                Some(open) => open.check(&syntax.group, &segment),
                None => Some(Reject::new(Code::WrongStructure, "ends no group")),
            };
            if let Some(reject) = wrong {
                push(parts, number, Err(reject))?;
            }
            astray = false;
        } else if tag == syntax.interchange.trailer {
            if let Some(open) = &group {
                push(parts, open.header.number, Err(unfinished(&syntax.group)))?;
            }
            if let Some(reject) = interchange.check(&syntax.interchange, &segment) {
                push(parts, number, Err(reject))?;
            }
            return Ok(());
        } else if tag == syntax.interchange.header {
            push(parts, interchange.header.number, Err(unfinished(&syntax.interchange)))?;
            interchange = Open { header: segment, count: 0 };
            group = None;
            astray = false;
        } else if tag == syntax.acknowledgement {
            let detail = format!("{tag}: acknowledgements are not read");
            push(parts, number, Err(Reject::new(Code::Unsupported, detail)))?;
        } else if !astray {
            // One reject for a run of them.
            let detail = "stands in no message";
            push(parts, number, Err(Reject::new(Code::WrongStructure, detail)))?;
            astray = true;
        }
    }
    if let Some(first) = message.first() {
        push(parts, first.number, Err(unfinished(&syntax.message)))?;
    }
    if let Some(open) = &group {
        push(parts, open.header.number, Err(unfinished(&syntax.group)))?;
    }
    push(parts, interchange.header.number, Err(unfinished(&syntax.interchange)))
}

/// A message from its header to its trailer.
fn finish(
    segments: &[Segment<'_>],
    group: Option<&Open<'_>>,
    syntax: &Syntax,
    parts: &mut Output<'_>,
) -> Result<(), Reject> {
    let [header, .., trailer] = segments else { return Ok(()) };
    let message = Message { segments, group: group.map(|open| &open.header) };
    if let Err(reject) = (syntax.supports)(&message) {
        return push(parts, header.number, Err(reject));
    }
    let open = Open { header: header.clone(), count: segments.len() };
    if let Some(reject) = open.check(&syntax.message, trailer) {
        return push(parts, trailer.number, Err(reject));
    }
    (syntax.read)(message, parts)
}
