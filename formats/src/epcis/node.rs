//! An event as both syntaxes are read into: a tree in the data model of EPCIS' XML, which is also
//! what CBV's hash is made over.
//!
//! XML's attributes are children like elements; JSON's lists have the elements that XML writes.

use std::borrow::Cow;

use waybill_stage::Reject;

use crate::limits;
use crate::wrong::At;

/// An element: of the standard, or of a user's extension.
#[derive(Debug, Default)]
pub(super) struct Node<'a> {
    /// In XML the local name. In JSON an extension's name has its prefix: `example:myField`.
    pub(super) name: Cow<'a, str>,
    /// XML's namespace of an extension.
    pub(super) namespace: Option<&'a str>,
    pub(super) text: Cow<'a, str>,
    pub(super) children: Vec<Node<'a>>,
}

/// An event (its name is its type), and what JSON's prefixes stand for, those of the event itself
/// before those of the document.
#[derive(Debug, Default)]
pub(super) struct Event<'a> {
    pub(super) root: Node<'a>,
    pub(super) own: Prefixes<'a>,
    pub(super) outer: &'a [Prefix<'a>],
}

/// A prefix and what it stands for.
pub(super) type Prefix<'a> = (Cow<'a, str>, Cow<'a, str>);

/// At most [`limits::LIST`].
pub(super) type Prefixes<'a> = Vec<Prefix<'a>>;

impl Event<'_> {
    pub(super) fn namespace(&self, prefix: &str) -> Option<&str> {
        let mut all = self.own.iter().chain(self.outer);
        all.find(|(own, _)| own == prefix).map(|(_, uri)| &**uri)
    }
}

impl<'a> Node<'a> {
    pub(super) fn new(name: impl Into<Cow<'a, str>>) -> Self {
        Self { name: name.into(), ..Self::default() }
    }

    pub(super) fn leaf(name: impl Into<Cow<'a, str>>, text: impl Into<Cow<'a, str>>) -> Self {
        Self { name: name.into(), text: text.into(), ..Self::default() }
    }

    /// Whether it is the standard's element `name`.
    pub(super) fn is(&self, name: &str) -> bool {
        // Length and first letter tell nearly all names apart, without a call.
        self.name.len() == name.len()
            && self.name.as_bytes().first() == name.as_bytes().first()
            && self.name == name
            && self.namespace.is_none()
    }

    /// A user's own, which a reader has no name for.
    pub(super) fn is_extension(&self) -> bool {
        self.namespace.is_some() || self.name.contains(':')
    }

    pub(super) fn all<'n, 's>(
        &'n self,
        name: &'s str,
    ) -> impl Iterator<Item = &'n Node<'a>> + use<'n, 's, 'a> {
        self.children.iter().filter(move |child| child.is(name))
    }

    pub(super) fn child(&self, name: &str) -> Option<&Node<'a>> {
        self.children.iter().find(|child| child.is(name))
    }

    /// The elements of the list `list`, of which there are at most [`limits::LIST`].
    pub(super) fn list<'n, 's>(
        &'n self,
        list: &'s str,
        element: &'s str,
        at: At,
    ) -> Result<impl Iterator<Item = (usize, &'n Node<'a>)> + use<'n, 's, 'a>, Reject> {
        // Most lists are not there: what is not found is not looked for again.
        let first = self.children.iter().position(|child| child.is(list));
        let from = first.unwrap_or(self.children.len());
        let lists = self.children.get(from..).unwrap_or_default().iter();
        let lists = lists.filter(move |child| child.is(list));
        let count: usize = lists.clone().map(|list| list.all(element).count()).sum();
        let elements = lists.flat_map(move |list| list.all(element));
        if count > limits::LIST {
            return Err(at.too_many(limits::LIST));
        }
        Ok(elements.enumerate())
    }

    /// The text without blanks around it; `None` if there is none.
    pub(super) fn trimmed(&self) -> Option<&str> {
        Some(self.text.trim()).filter(|text| !text.is_empty())
    }

    /// The text of the child `name`, which stands there once, of at most `max` characters and
    /// without control characters.
    pub(super) fn value(&self, name: &str, at: At, max: usize) -> Result<Option<&str>, Reject> {
        let mut all = self.all(name);
        let Some(first) = all.next() else { return Ok(None) };
        if all.next().is_some() {
            return Err(at.contradicts("stands twice"));
        }
        if first.children.iter().any(|child| !child.is_extension()) {
            return Err(at.invalid("a string"));
        }
        first.checked(at, max)
    }

    pub(super) fn required(&self, name: &str, at: At, max: usize) -> Result<&str, Reject> {
        self.value(name, at, max)?.ok_or_else(|| at.missing())
    }

    /// Its own text, of at most `max` characters and without control characters.
    pub(super) fn checked(&self, at: At, max: usize) -> Result<Option<&str>, Reject> {
        let Some(text) = self.trimmed() else { return Ok(None) };
        if text.len() > max && text.chars().count() > max {
            return Err(at.too_long(max));
        }
        if text.bytes().any(|b| b < b' ' || b == 0x7f) {
            return Err(at.invalid("no control characters"));
        }
        Ok(Some(text))
    }

    pub(super) fn number(&self, name: &str, at: At) -> Result<Option<f64>, Reject> {
        let Some(text) = self.value(name, at, limits::ID)? else { return Ok(None) };
        match text.parse::<f64>() {
            Ok(number) if number.is_finite() => Ok(Some(number)),
            _ => Err(at.invalid("a number")),
        }
    }
}
