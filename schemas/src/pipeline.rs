//! The pipeline, written once: which stage reads which topics, and which its transactions write to.
//!
//! A consumer group has the name of a process's first stage, so stages can be put together or taken apart.

use crate::Role;

/// A stage, and the topics that it stands between.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StageTopics {
    pub stage: &'static str,
    /// Read as a member of its group; the first is the topic whose partitions it may have state for.
    pub inputs: &'static [Role],
    /// What it passes records on to.
    pub outputs: &'static [Role],
    /// What it writes for itself, and reads back.
    pub own: &'static [Role],
    /// It answers for each record that it takes: rejects are dead letters, and each batch has its entry in the
    /// ledger. Who does not, takes nothing on.
    pub has_ledger: bool,
}

pub const DECRYPT: StageTopics = StageTopics {
    stage: "decrypt",
    inputs: &[Role::Sealed, Role::Redrive, Role::Deferred],
    outputs: &[Role::Opened],
    own: &[Role::Deferred],
    has_ledger: true,
};

pub const VALIDATE: StageTopics = StageTopics {
    stage: "validate",
    inputs: &[Role::Opened],
    outputs: &[Role::Valid],
    own: &[],
    has_ledger: true,
};

pub const ENRICH: StageTopics = StageTopics {
    stage: "enrich",
    inputs: &[Role::Valid],
    outputs: &[Role::Enriched],
    own: &[],
    has_ledger: true,
};

pub const AGGREGATE: StageTopics = StageTopics {
    stage: "aggregate",
    inputs: &[Role::Enriched],
    outputs: &[Role::Events, Role::Shipments],
    own: &[Role::AggregateState],
    has_ledger: true,
};

pub const CLICKHOUSE: StageTopics = StageTopics {
    stage: "clickhouse",
    inputs: &[Role::Events, Role::Shipments, Role::Rejects, Role::Ledger],
    outputs: &[],
    own: &[],
    has_ledger: true,
};

/// Takes events in from carriers, and answers them.
pub const GATEWAY: StageTopics = StageTopics {
    stage: "gateway",
    inputs: &[],
    outputs: &[Role::Sealed],
    own: &[],
    has_ledger: false,
};

/// Tells carriers' endpoints.
pub const WEBHOOKS: StageTopics = StageTopics {
    stage: "webhooks",
    inputs: &[Role::Rejects, Role::Events, Role::Webhooks],
    outputs: &[],
    own: &[Role::Webhooks],
    has_ledger: false,
};

/// Those that any consecutive run of can be one process, in the order in which an event goes through them.
pub const STATELESS: [StageTopics; 3] = [DECRYPT, VALIDATE, ENRICH];

/// The way of an event, and beside it who takes events in and who tells of them.
pub const PIPELINE: [StageTopics; 7] =
    [DECRYPT, VALIDATE, ENRICH, AGGREGATE, CLICKHOUSE, GATEWAY, WEBHOOKS];

/// The stages that an event goes through.
pub fn stages() -> impl Iterator<Item = StageTopics> {
    PIPELINE.into_iter().filter(|stage| stage.has_ledger)
}

/// Who answers for the records of each topic: the topic, and the stage.
pub fn readers() -> impl Iterator<Item = (Role, &'static str)> {
    stages().flat_map(|stage| stage.inputs.iter().map(move |role| (*role, stage.stage)))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// No topic is without a reader, and none is answered for twice.
    #[test]
    fn each_topic_has_one_that_answers_for_it() {
        for role in Role::ALL {
            let readers: Vec<_> = readers().filter(|(of, _)| *of == role).collect();
            let is_own = matches!(role, Role::AggregateState | Role::Webhooks);
            assert_eq!(readers.len(), usize::from(!is_own), "{role:?}: {readers:?}");
            let is_of_stages = matches!(role, Role::Redrive | Role::Rejects | Role::Ledger);
            let writers = PIPELINE
                .iter()
                .filter(|stage| stage.outputs.contains(&role) || stage.own.contains(&role));
            assert_eq!(writers.count(), usize::from(!is_of_stages), "{role:?}");
        }
    }

    /// What docs/architecture.md says of each stage.
    #[test]
    fn the_page_lists_what_stages_read_and_write() {
        let page = include_str!("../../docs/architecture.md");
        let names = |roles: &[Role]| {
            let names: Vec<_> = roles.iter().map(|role| format!("`{}`", role.as_str())).collect();
            names.join(", ")
        };
        for StageTopics { stage, inputs, outputs, own, has_ledger } in PIPELINE {
            let ledger = if has_ledger { "yes" } else { "" };
            let row = [&format!("`{stage}`"), &names(inputs), &names(outputs), &names(own), ledger];
            let row = format!("| {} |", row.join(" | "));
            assert!(page.lines().any(|line| line == row), "docs/architecture.md lacks:\n{row}");
        }
    }

    #[test]
    fn each_stateless_stage_reads_what_the_one_before_it_writes() {
        for pair in STATELESS.windows(2) {
            assert_eq!(pair[0].outputs, pair[1].inputs, "{}", pair[1].stage);
        }
    }
}
