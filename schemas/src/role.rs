//! The topics of the pipeline, by what each is for.

/// What a topic is for. Its name is a setting.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Role {
    /// What carriers publish.
    Sealed,
    /// Sealed records that an operator sends through once more.
    Redrive,
    /// Sealed records that decrypt has put off, since they cost much.
    Deferred,
    Opened,
    Valid,
    Enriched,
    Events,
    Shipments,
    Rejects,
    /// What each committed batch did.
    Ledger,
    /// Aggregate's state, compacted; its partitions are those of `Enriched`.
    AggregateState,
    /// What carriers' endpoints are to be told, and what became of that.
    Webhooks,
}

impl Role {
    pub const ALL: [Role; 12] = [
        Role::Sealed,
        Role::Redrive,
        Role::Deferred,
        Role::Opened,
        Role::Valid,
        Role::Enriched,
        Role::Events,
        Role::Shipments,
        Role::Rejects,
        Role::Ledger,
        Role::AggregateState,
        Role::Webhooks,
    ];

    /// The configuration key, and the name without its prefix.
    pub const fn as_str(self) -> &'static str {
        match self {
            Role::Sealed => "sealed",
            Role::Redrive => "redrive",
            Role::Deferred => "deferred",
            Role::Opened => "opened",
            Role::Valid => "valid",
            Role::Enriched => "enriched",
            Role::Events => "events",
            Role::Shipments => "shipments",
            Role::Rejects => "rejects",
            Role::Ledger => "ledger",
            Role::AggregateState => "aggregate_state",
            Role::Webhooks => "webhooks",
        }
    }

    /// Whether the platform alone writes to it: then values are encrypted and authenticated under its
    /// internal key.
    pub const fn is_internal(self) -> bool {
        !matches!(self, Role::Sealed)
    }

    /// Whether its records are about one shipment each: what they are about has business numbers, and their
    /// keys are pseudonyms of it.
    pub const fn is_of_shipments(self) -> bool {
        matches!(
            self,
            Role::Valid | Role::Enriched | Role::Events | Role::Shipments | Role::AggregateState
        )
    }

    /// Whether earlier builds wrote its values as plain Avro.
    pub const fn was_plain(self) -> bool {
        matches!(self, Role::Redrive | Role::Rejects | Role::Ledger)
    }

    /// How many partitions it gets, of the number that is set. Rejects and entries are few, and
    /// each partition costs the sink an insert; redriven records are few.
    pub fn partitions(self, set: i32) -> i32 {
        if matches!(self, Role::Redrive | Role::Rejects | Role::Ledger) { 1 } else { set }
    }

    /// Whether transactional producers write to it: a share of a transaction is one request, which the topic must
    /// take.
    pub fn takes_transactions(self) -> bool {
        self != Role::Sealed
    }
}
