//! What stands beside a committed offset: what whoever commits it has to say of it, `@`, and the id of the
//! topic that it is an offset of.
//!
//! Without an id it is of a build before 30 November 2026, or was committed by somebody else, such as a tool
//! that has reset the group.

pub fn write(said: &str, topic_id: &str) -> String {
    format!("{said}@{topic_id}")
}

/// What was said, and the topic's id.
pub fn read(metadata: &str) -> (&str, Option<&str>) {
    match metadata.rsplit_once('@') {
        Some((said, id)) => (said, Some(id)),
        None => (metadata, None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_is_read() {
        for (said, id) in
            [("", "8pNgRVcZSdKGZqQH0kaUyA"), ("5-9", "a_b-c"), ("begun 1-2 16 9 0", "x")]
        {
            assert_eq!(read(&write(said, id)), (said, Some(id)));
        }
        assert_eq!(read("5-9"), ("5-9", None));
        assert_eq!(read(""), ("", None));
    }
}
