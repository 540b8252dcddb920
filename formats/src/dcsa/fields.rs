//! The fields of one event, and what is odd about them.

use std::borrow::Cow;
use std::cell::RefCell;

use waybill_identifiers::unlocode;
use waybill_schemas::vocabulary::{Classifier, Mode, NoteCode, ReferenceKind};
use waybill_schemas::{OccurrenceTime, Place, Reference};
use waybill_stage::Reject;

use super::codes::{self, In, V2, V3};
use super::names::{self, Name};
use crate::tree::Tree;
use crate::{Note, limits, text, time};

/// Of a field's name that a note tells; no standard has a longer one.
const NAME_SHOWN: usize = 64;

#[derive(Debug)]
pub(super) struct Fields<'t, 'n> {
    tree: Tree<'t>,
    /// What stands around the events, and may tell what they have in common.
    around: Option<Tree<'t>>,
    /// Where these stand in the event; empty for its own.
    within: &'static str,
    notes: &'n RefCell<Vec<Note>>,
}

impl<'t, 'n> Fields<'t, 'n> {
    pub(super) fn new(
        tree: Tree<'t>,
        around: Option<Tree<'t>>,
        notes: &'n RefCell<Vec<Note>>,
    ) -> Self {
        Self { tree, around, within: "", notes }
    }

    /// The fields of an object of the event.
    pub(super) fn inner(&self, within: &'static str) -> Option<Self> {
        let tree = self.tree.at(within)?;
        Some(Self { tree, around: None, within, notes: self.notes })
    }

    fn pointer(&self, path: &str) -> String {
        match self.within {
            "" => format!("/{path}"),
            within => format!("/{within}/{path}"),
        }
    }

    /// Notes what is odd about the field at that path.
    pub(super) fn note(&self, code: NoteCode, path: &str) {
        self.notes.borrow_mut().push(Note { code, about: self.pointer(path).into() });
    }

    pub(super) fn missing(&self, path: &str) {
        self.note(NoteCode::MissingField, path);
    }

    pub(super) fn odd(&self, path: &str) {
        self.note(NoteCode::OddField, path);
    }

    pub(super) fn contradicts_version(&self, stated: &'static str) {
        let note = Note { code: NoteCode::VersionContradicted, about: stated.into() };
        self.notes.borrow_mut().push(note);
    }

    /// Notes each field whose name the standard writes otherwise, or does not have.
    pub(super) fn note_names(&self) {
        let mut path = String::new();
        self.tree.for_each_name(&mut path, &mut |path, name| {
            let code = match names::of(name) {
                Name::Known => return true,
                Name::Spelt => NoteCode::OtherSpelling,
                Name::Unknown => NoteCode::UnknownField,
            };
            let mut about = path.to_owned();
            about.push('/');
            about.extend(text::clipped(name, NAME_SHOWN));
            self.notes.borrow_mut().push(Note { code, about: about.into() });
            code != NoteCode::UnknownField
        });
    }

    pub(super) fn has(&self, path: &str) -> bool {
        self.tree.has(path)
    }

    pub(super) fn required_reject(&self, path: &str) -> Reject {
        self.tree.missing(self.pointer(path).trim_start_matches('/'))
    }

    /// The text at that path: what is too long, or no text, is left out.
    pub(super) fn text(&self, path: &str, characters: usize) -> Option<&'t str> {
        self.text_of(self.tree, path, characters)
    }

    fn text_of(&self, tree: Tree<'t>, path: &str, characters: usize) -> Option<&'t str> {
        let found = tree.at(path)?;
        let Some(sent) = found.text("") else {
            if found.holds_more("") {
                self.odd(path);
            }
            return None;
        };
        if !is_good(sent, characters) {
            self.odd(path);
            return None;
        }
        Some(sent)
    }

    pub(super) fn owned(&self, path: &str, characters: usize) -> Option<String> {
        self.text(path, characters).map(str::to_owned)
    }

    /// The beginning of a remark.
    pub(super) fn remark(&self, path: &str) -> Option<String> {
        let sent = self.tree.text(path)?;
        if sent.chars().count() > limits::REMARK {
            self.odd(path);
        }
        text::clipped(sent, limits::REMARK)
    }

    /// The first that is there of fields that took each other's place from version to version.
    pub(super) fn first(&self, paths: &[&str], characters: usize) -> Option<&'t str> {
        paths.iter().find_map(|path| self.text(path, characters))
    }

    /// The first that is there of the event's own fields, or of those around the events.
    pub(super) fn common(&self, paths: &[&str], characters: usize) -> Option<&'t str> {
        self.first(paths, characters).or_else(|| {
            let around = self.around?;
            paths.iter().find_map(|path| self.text_of(around, path, characters))
        })
    }

    /// A code, in capitals, as all of the standard's are.
    pub(super) fn code(&self, path: &str) -> Option<Cow<'t, str>> {
        Some(text::upper(self.text(path, limits::CODE)?))
    }

    /// What a code of the standard means; another is odd.
    fn coded<T: Copy>(&self, table: &[(&str, In, T)], path: &str) -> Option<T> {
        let code = self.code(path)?;
        let meaning =
            [V2, V3].into_iter().find_map(|version| codes::meaning(table, &code, version));
        if meaning.is_none() {
            self.odd(path);
        }
        meaning
    }

    /// Without one it is assumed to have happened, until the receipt says that it cannot have.
    pub(super) fn classifier(&self, path: &str) -> Classifier {
        self.coded(codes::CLASSIFIERS, path).unwrap_or_else(|| {
            self.note(NoteCode::ClassifierAssumed, path);
            Classifier::Actual
        })
    }

    /// The moment. One without an offset is by the clock of its place, which the standard does not allow.
    pub(super) fn occurred(&self, path: &str) -> Result<OccurrenceTime, Reject> {
        let sent = self.tree.text(path).ok_or_else(|| self.tree.missing(path))?;
        if let Some(occurred) = time::rfc3339(sent) {
            return Ok(occurred);
        }
        let occurred = time::read(sent).ok_or_else(|| self.tree.invalid_time(path))?;
        self.odd(path);
        Ok(occurred)
    }

    /// ms UTC, of a time that the event can do without.
    pub(super) fn instant(&self, path: &str) -> Option<i64> {
        let read = time::read(self.text(path, limits::ID)?);
        if read.is_none() {
            self.odd(path);
        }
        read.map(|time| time.utc_or_wall_ms())
    }

    pub(super) fn mode(&self, path: &str) -> Option<Mode> {
        self.coded(codes::MODES, path)
    }

    pub(super) fn empty(&self, path: &str) -> Option<bool> {
        self.coded(codes::EMPTY_INDICATORS, path)
    }

    /// In capitals; one that the standard does not have is left out.
    pub(super) fn facility_type(&self, path: &str) -> Option<String> {
        self.coded(codes::FACILITY_TYPES, path)?;
        self.code(path).map(Cow::into_owned)
    }

    /// `SMDG/ADT`; the code alone where no list is named.
    pub(super) fn facility(&self, code: &str, list: &str) -> Option<String> {
        let code = self.text(code, limits::CODE)?;
        let provider = self.code(list);
        if provider.is_some() {
            self.coded(codes::FACILITY_LISTS, list);
        }
        Some(match provider {
            Some(provider) => [&provider, "/", code].concat(),
            None => code.to_owned(),
        })
    }

    pub(super) fn un_location(&self, path: &str) -> Option<String> {
        let sent = self.text(path, limits::CODE)?;
        let code = unlocode::read(sent).ok();
        if code.is_none() {
            self.odd(path);
        }
        code
    }

    pub(super) fn number(&self, path: &str) -> Option<f64> {
        let sent = self.text(path, limits::CODE)?;
        let number = sent.parse::<f64>().ok().filter(|number| number.is_finite());
        if number.is_none() {
            self.odd(path);
        }
        number
    }

    /// Degrees, WGS 84. Half a coordinate tells nothing, and counts as none.
    pub(super) fn coordinates(&self, latitude: &str, longitude: &str) -> Option<(f64, f64)> {
        let degrees = |path: &str, limit: f64| {
            let degrees = self.number(path)?;
            if degrees.abs() > limit {
                self.odd(path);
                return None;
            }
            Some(degrees)
        };
        degrees(latitude, 90.0).zip(degrees(longitude, 180.0))
    }

    /// The elements of a list, of which there are not too many, with the place of each.
    pub(super) fn each(&self, list: &'static str) -> impl Iterator<Item = (Tree<'t>, At)> + '_ {
        let all = self.tree.each(list).take(limits::LIST + 1).enumerate();
        all.filter_map(move |(index, element)| {
            if index == limits::LIST {
                self.odd(list);
                return None;
            }
            if !element.is_object() && element.text("").is_none() {
                self.odd(list);
            }
            Some((element, At { list, index }))
        })
    }

    pub(super) fn within(
        &self,
        element: Tree<'t>,
        at: At,
        name: &'static str,
        characters: usize,
    ) -> Option<&'t str> {
        let sent = element.text(name);
        let good = sent.is_some_and(|sent| is_good(sent, characters));
        if !good && (sent.is_some() || element.holds_more(name)) {
            self.odd(&at.member(name));
        }
        sent.filter(|_| good)
    }

    /// References with their kinds: those of an unknown kind are kept as such.
    pub(super) fn references(
        &self,
        path: &'static str,
        kind: &'static str,
        value: &'static str,
        to: &mut Vec<Reference>,
    ) {
        for (element, at) in self.each(path) {
            let code = self.within(element, at, kind, limits::CODE);
            let code = code.map(text::upper);
            let known = code.as_deref().and_then(|code| {
                let versions = [V2, V3].into_iter();
                versions.clone().find_map(|v| codes::meaning(codes::REFERENCES, code, v)).or_else(
                    || {
                        versions
                            .clone()
                            .find_map(|v| codes::document_type(code, v))
                            .map(|d| d.reference)
                    },
                )
            });
            let Some(value) = self.within(element, at, value, limits::ID) else {
                self.missing(&at.member(value));
                continue;
            };
            if known.is_none() {
                self.odd(&at.member(kind));
            }
            let kind = known.unwrap_or(ReferenceKind::Other);
            to.push(Reference { kind, value: value.to_owned() });
        }
    }
}

/// An element of a list of the event.
#[derive(Clone, Copy, Debug)]
pub(super) struct At {
    list: &'static str,
    index: usize,
}

impl At {
    pub(super) fn member(self, name: &str) -> String {
        let Self { list, index } = self;
        match name {
            "" => format!("{list}/{index}"),
            name => format!("{list}/{index}/{name}"),
        }
    }
}

/// Short enough, and nothing but text.
fn is_good(sent: &str, characters: usize) -> bool {
    let short = sent.len() <= characters || sent.chars().count() <= characters;
    short && !sent.bytes().any(|b| b < b' ' && !b.is_ascii_whitespace() || b == 0x7f)
}

/// A place, unless nothing is known of it.
pub(super) fn some_place(place: Place) -> Option<Place> {
    (place != Place::default()).then_some(place)
}

/// The milestone of a code in any version, as carriers mix them.
pub(super) fn milestone(
    rows: &[codes::Row],
    code: &str,
    of: codes::Circumstances<'_>,
) -> Option<waybill_schemas::vocabulary::Milestone> {
    [V2, V3].into_iter().find_map(|version| codes::milestone(rows, code, version, of))
}

/// The type of a document in any version.
pub(super) fn document_type(code: &str) -> Option<&'static codes::DocumentType> {
    [V2, V3].into_iter().find_map(|version| codes::document_type(code, version))
}
