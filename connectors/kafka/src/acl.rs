//! What the broker must allow a client, in Kafka's own terms. Names of groups and transactional ids come from
//! here too: what is listed (`waybill topics acls`) is what is used.

use std::fmt;

use regex_syntax::hir::literal::{ExtractKind, Extractor};
use waybill_schemas::Role;

use crate::{HostSettings, Topics};

/// The name of the group of who reads as a member of none: librdkafka wants one, and asks the broker for its
/// coordinator.
pub(crate) const READERS: &str = "waybill-reader";

/// What an ACL is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Resource {
    Topic,
    Group,
    TransactionalId,
}

impl Resource {
    /// As Kafka's protocol and its tools' answers have it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Topic => "Topic",
            Self::Group => "Group",
            Self::TransactionalId => "TransactionalId",
        }
    }

    /// The option of `kafka-acls.sh`.
    pub const fn option(self) -> &'static str {
        match self {
            Self::Topic => "--topic",
            Self::Group => "--group",
            Self::TransactionalId => "--transactional-id",
        }
    }
}

/// What is done. Read and Write imply Describe, AlterConfigs implies DescribeConfigs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Operation {
    Read,
    Write,
    Create,
    Describe,
    DescribeConfigs,
    AlterConfigs,
}

impl Operation {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Read => "Read",
            Self::Write => "Write",
            Self::Create => "Create",
            Self::Describe => "Describe",
            Self::DescribeConfigs => "DescribeConfigs",
            Self::AlterConfigs => "AlterConfigs",
        }
    }
}

/// Operations on one resource, or on all whose names begin so.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Acl {
    pub resource: Resource,
    pub name: String,
    /// All that begin with `name`: Kafka's pattern type PREFIXED.
    pub is_prefix: bool,
    /// In order, each once.
    pub operations: Vec<Operation>,
}

impl Acl {
    /// For who commits transactions under this id, or ids that begin so.
    pub(crate) fn transactional(id: &str, is_prefix: bool) -> Self {
        let (resource, name) = (Resource::TransactionalId, id.to_owned());
        Self { resource, name, is_prefix, operations: vec![Operation::Write] }
    }

    /// Kafka's pattern type.
    pub const fn pattern_type(&self) -> &'static str {
        if self.is_prefix { "PREFIXED" } else { "LITERAL" }
    }

    /// What grants it to `principal`, for a shell.
    pub fn command(&self, principal: &str) -> String {
        let operations: Vec<&str> = self.operations.iter().map(|o| o.as_str()).collect();
        format!(
            "kafka-acls.sh --bootstrap-server \"$BROKER\" --command-config admin.properties --add --allow-principal \
             {} --operation {} {} {}{}",
            quoted(principal),
            operations.join(" --operation "),
            self.resource.option(),
            quoted(&self.name),
            if self.is_prefix { " --resource-pattern-type prefixed" } else { "" },
        )
    }
}

/// `Read, Write on Topic waybill.events`
impl fmt::Display for Acl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, operation) in self.operations.iter().enumerate() {
            write!(f, "{}{}", if n == 0 { "" } else { ", " }, operation.as_str())?;
        }
        let rest = if self.is_prefix { "…" } else { "" };
        write!(f, " on {} {}{rest}", self.resource.as_str(), self.name)
    }
}

/// For a shell: names of ours need no quotes.
fn quoted(text: &str) -> String {
    let is_plain = |b: u8| b.is_ascii_alphanumeric() || b"._-:=,/@".contains(&b);
    if !text.is_empty() && text.bytes().all(is_plain) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', r"'\''"))
}

/// Gathers what a client needs, by what it does.
#[derive(Debug)]
pub struct Acls<'a> {
    topics: &'a Topics,
    found: Vec<Acl>,
}

impl<'a> Acls<'a> {
    pub fn new(topics: &'a Topics) -> Self {
        Self { topics, found: Vec::new() }
    }

    /// All of it, each resource once, sorted.
    pub fn into_list(self) -> Vec<Acl> {
        let mut list: Vec<Acl> = Vec::new();
        for acl in self.found {
            let same = |known: &&mut Acl| {
                (known.resource, known.is_prefix, &known.name)
                    == (acl.resource, acl.is_prefix, &acl.name)
            };
            match list.iter_mut().find(same) {
                Some(known) => known.operations.extend(acl.operations),
                None => list.push(acl),
            }
        }
        for acl in &mut list {
            acl.operations.sort_unstable();
            acl.operations.dedup();
        }
        list.sort();
        list
    }

    fn add(&mut self, resource: Resource, name: &str, is_prefix: bool, operations: &[Operation]) {
        let (name, operations) = (name.to_owned(), operations.to_vec());
        self.found.push(Acl { resource, name, is_prefix, operations });
    }

    /// Works as a member of the group, and commits its offsets in transactions of its own.
    pub fn member(mut self, settings: &HostSettings) -> Self {
        self.add(Resource::Group, &settings.group, false, &[Operation::Read]);
        self.found.push(settings.transactional());
        self
    }

    /// Looks at what the group has committed.
    pub fn looks_at(mut self, group: &str) -> Self {
        self.add(Resource::Group, group, false, &[Operation::Describe]);
        self
    }

    /// Commits transactions under this id.
    pub fn transactional(mut self, id: &str) -> Self {
        self.found.push(Acl::transactional(id, false));
        self
    }

    /// Reads as a member of no group.
    pub fn reader(self) -> Self {
        self.looks_at(READERS)
    }

    /// # Errors
    /// A pattern that no ACL can stand for.
    pub fn on(mut self, role: Role, operations: &[Operation]) -> Result<Self, String> {
        if role.is_internal() {
            self.add(Resource::Topic, self.topics.name(role), false, operations);
            return Ok(self);
        }
        for name in self.topics.sealed().names() {
            self.add(Resource::Topic, name, false, operations);
        }
        for pattern in self.topics.sealed().patterns() {
            for prefix in beginnings(pattern)? {
                self.add(Resource::Topic, &prefix, true, operations);
            }
        }
        Ok(self)
    }

    /// The topic of a carrier.
    pub fn on_topic(mut self, name: &str, operations: &[Operation]) -> Self {
        self.add(Resource::Topic, name, false, operations);
        self
    }
}

/// With what the names begin that a pattern may find.
fn beginnings(pattern: &str) -> Result<Vec<String>, String> {
    let no = |why: &str| {
        format!(
            "topics.sealed: {pattern}: {why}, so no ACL can stand for the topics that it finds: name them, or begin \
             the pattern with what they have in common"
        )
    };
    let hir = regex_syntax::parse(pattern).map_err(|e| no(&e.to_string()))?;
    let found = Extractor::new().kind(ExtractKind::Prefix).extract(&hir);
    let Some(literals) = found.literals() else { return Err(no("it begins with no fixed text")) };
    let texts: Result<Vec<String>, _> =
        literals.iter().map(|l| String::from_utf8(l.as_bytes().to_vec())).collect();
    let mut texts = texts.map_err(|_| no("it is not of UTF-8"))?;
    if texts.iter().any(String::is_empty) {
        return Err(no("it begins with no fixed text"));
    }
    texts.sort();
    // What begins with another one is found by that.
    texts.dedup_by(|later, first| later.starts_with(first.as_str()));
    Ok(texts)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SealedTopics;

    #[test]
    fn what_a_pattern_finds_is_named_by_its_beginning() {
        let found = |pattern: &str| beginnings(pattern).map_err(|why| why.contains(pattern));
        let is = |texts: &[&str]| Ok(texts.iter().map(|t| (*t).to_owned()).collect::<Vec<_>>());
        assert_eq!(found(r"^waybill[.]sealed[.]"), is(&["waybill.sealed."]));
        assert_eq!(found(r"^carriers\.[a-z]+$"), is(&["carriers."]));
        assert_eq!(found(r"^(acme|blue)[.]in"), is(&["acme.in", "blue.in"]));
        assert_eq!(found(r"^(a|ab)"), is(&["a"]));
        assert_eq!(found("^.*"), Err(true));
        assert_eq!(found("^(a|)"), Err(true));
        assert_eq!(found(r"^[a-z]+[.]sealed"), Err(true));
    }

    #[test]
    fn a_resource_stands_once_with_all_that_is_done_to_it() {
        let sealed = SealedTopics::parse(&["in", "^in[.]"]).unwrap();
        let topics = Topics::new("w.", sealed, []);
        let acls = Acls::new(&topics);
        let acls = acls.on(Role::Redrive, &[Operation::Write, Operation::DescribeConfigs]).unwrap();
        let acls = acls.on(Role::Redrive, &[Operation::Read, Operation::Write]).unwrap();
        let acls = acls.on(Role::Sealed, &[Operation::Read]).unwrap().reader().reader();
        let said: Vec<String> = acls.into_list().iter().map(Acl::to_string).collect();
        assert_eq!(
            said,
            [
                "Read on Topic in",
                "Read on Topic in.…",
                "Read, Write, DescribeConfigs on Topic w.redrive",
                "Describe on Group waybill-reader",
            ]
        );
    }

    #[test]
    fn a_command_can_be_pasted() {
        let acl = |name: &str, is_prefix| Acl {
            resource: Resource::Topic,
            name: name.to_owned(),
            is_prefix,
            operations: vec![Operation::Read, Operation::DescribeConfigs],
        };
        let start = "kafka-acls.sh --bootstrap-server \"$BROKER\" --command-config admin.properties --add \
                     --allow-principal ";
        assert_eq!(
            acl("w.sealed.", true).command("User:decrypt"),
            format!(
                "{start}User:decrypt --operation Read --operation DescribeConfigs --topic w.sealed. \
                 --resource-pattern-type prefixed"
            )
        );
        assert_eq!(
            acl("w", false).command("User:CN=it's, O=x"),
            format!(
                r"{start}'User:CN=it'\''s, O=x' --operation Read --operation DescribeConfigs --topic w"
            )
        );
    }
}
