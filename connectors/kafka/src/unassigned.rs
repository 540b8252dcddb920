//! Partitions of a group that are assigned to nobody.
//!
//! A cooperative rebalance has two rounds: members give up in the first what others get in the second,
//! which those who gave ask for. One that dies in between and comes back under its static name gets
//! what it had in the first round, without a rebalance (KIP-345), and gave nothing that it knows of. So
//! nobody asks for the second round, and what was given up waits for the next rebalance, if ever one
//! comes. Seen in the short chaos, once in 37 runs.

use std::collections::HashSet;
use std::time::Duration;

use rdkafka::consumer::{BaseConsumer, Consumer as _, ConsumerContext};
use rdkafka::error::KafkaResult;

const TIMEOUT: Duration = Duration::from_secs(2);

/// What of the group is assigned to nobody, as its coordinator says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Unassigned {
    /// Partitions of the topics that no member has, while the group is stable.
    pub(crate) partitions: usize,
    /// Of all members, this one is to see to it.
    pub(crate) is_ours: bool,
}

pub(crate) fn unassigned<C: ConsumerContext>(
    client: &BaseConsumer<C>,
    group: &str,
    topics: &[String],
    own_id: &str,
) -> KafkaResult<Unassigned> {
    let list = client.fetch_group_list(Some(group), TIMEOUT)?;
    let mut found = Unassigned { partitions: 0, is_ours: false };
    let Some(group) = list.groups().iter().find(|g| g.name() == group) else { return Ok(found) };
    if group.state() != "Stable" {
        return Ok(found);
    }
    let members = group.members();
    found.is_ours = members.iter().map(|m| m.id()).min() == Some(own_id);
    let mut assigned = HashSet::new();
    for member in members {
        // A member whose assignment cannot be read may have anything.
        match assignment(member.assignment().unwrap_or_default()) {
            Some(partitions) => assigned.extend(partitions),
            None => return Ok(found),
        }
    }
    for topic in topics {
        let metadata = client.fetch_metadata(Some(topic), TIMEOUT)?;
        let all = metadata.topics().iter().flat_map(|t| t.partitions());
        found.partitions += all.filter(|p| !assigned.contains(&(topic.clone(), p.id()))).count();
    }
    Ok(found)
}

/// Topics and partitions of a member's assignment, as the consumer protocol writes it: version (i16),
/// count (i32) of topics, each a name (i16 length, text) and a count (i32) of partitions (i32).
fn assignment(mut bytes: &[u8]) -> Option<Vec<(String, i32)>> {
    if bytes.is_empty() {
        return Some(Vec::new());
    }
    let mut found = Vec::new();
    take(&mut bytes, 2)?;
    for _ in 0..number(&mut bytes)? {
        let length = take(&mut bytes, 2)?.try_into().ok().map(i16::from_be_bytes)?;
        let name = take(&mut bytes, usize::try_from(length).ok()?)?;
        let topic = std::str::from_utf8(name).ok()?;
        for _ in 0..number(&mut bytes)? {
            found.push((topic.to_owned(), number(&mut bytes)?));
        }
    }
    Some(found)
}

fn number(bytes: &mut &[u8]) -> Option<i32> {
    take(bytes, 4)?.try_into().ok().map(i32::from_be_bytes)
}

fn take<'a>(bytes: &mut &'a [u8], count: usize) -> Option<&'a [u8]> {
    let (taken, rest) = bytes.split_at_checked(count)?;
    *bytes = rest;
    Some(taken)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn assignments_are_read_as_the_protocol_writes_them() {
        let two = [
            0, 1, 0, 0, 0, 2, 0, 1, b'a', 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 3, 0, 2, b'b', b'c', 0,
            0, 0, 1, 0, 0, 1, 0, 255, 255, 255, 255,
        ];
        let expect = [("a", 0), ("a", 3), ("bc", 256)].map(|(t, p)| (t.to_owned(), p));
        assert_eq!(assignment(&two), Some(expect.to_vec()));
        assert_eq!(assignment(&[0, 1, 0, 0, 0, 0]), Some(Vec::new()));
        assert_eq!(assignment(&[]), Some(Vec::new()));
        for end in 1..33 {
            assert_eq!(assignment(&two[..end]), None, "{end}");
        }
    }
}
