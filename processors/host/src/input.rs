use std::fmt;
use std::sync::Arc;

use waybill_schemas::Role;

/// A partition that is read. Its role alone does not name it: carriers may have a topic each.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Input {
    pub role: Role,
    pub topic: Arc<str>,
    pub partition: i32,
}

impl Input {
    pub fn new(role: Role, topic: &str, partition: i32) -> Self {
        Self { role, topic: topic.into(), partition }
    }
}

impl fmt::Display for Input {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.topic, self.partition)
    }
}
