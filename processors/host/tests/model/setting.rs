//! What is checked: how large a world, which faults, and what of the protocol is left out.

/// What can go wrong, at any moment. Every use of one takes from the setting's budget.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// An instance ends. What it has sent is still on its way.
    Crash,
    /// An instance's session expires while it stands still. From then on it is a zombie: it goes on
    /// where it was, and notices late or never. (How long it stands still needs no step of its own:
    /// that is what all the others do before its next.)
    Freeze,
    /// An insert's answer does not come in time, whether or not the insert arrived, or still will.
    LoseAnswer,
    /// A commit's answer does not come.
    LoseCommit,
    /// The store ends, at any step of the inserts it is at, and starts again.
    StoreCrash,
}

pub const ALL_FAULTS: &[Fault] =
    &[Fault::Crash, Fault::Freeze, Fault::LoseAnswer, Fault::LoseCommit, Fault::StoreCrash];

/// The protocol as it is, or otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Variant {
    AsItIs,
    /// Insert, then commit: what a sink does that promises at least once.
    NoClaim,
    /// Every commit is accepted. That is also what Kafka does with a transactional one that carries
    /// neither member id nor generation, as a client's does that has lost its membership.
    Unfenced,
    /// A commit of no generation is accepted while the group is empty, as Kafka does with one
    /// outside of transactions.
    UnfencedWhenEmpty,
    /// A takeover reads past an open transaction.
    UnstableRead,
    NoToken,
    /// An answer that does not come is taken for a yes.
    TakesSilenceForYes,
    /// A takeover asks first, and inserts nothing if rows of the range are there.
    SkipWhatIsThere,
    /// Whoever inserts a range that may be in already (a takeover, or a second attempt) asks first,
    /// and goes no further if rows of it are there: for when the window may have forgotten the token.
    StopAtWhatIsThere,
    /// What the rows' token drops does not go on to the rollup: ClickHouse without
    /// `deduplicate_blocks_in_dependent_materialized_views`.
    RollupNotFed,
    /// The store keeps a token before the rows; a crash between leaves a token without rows. The
    /// plain MergeTree of ClickHouse 26.7 does that: it writes its deduplication log, and then makes
    /// the part visible by renaming it.
    TokenBeforeRows,
    /// The other way round; a crash between leaves rows without a token.
    RowsBeforeToken,
}

#[derive(Clone, Copy, Debug)]
pub struct Setting {
    /// For each partition, the offsets of its records.
    pub partitions: &'static [&'static [i64]],
    /// Records of a range, at most.
    pub batch: usize,
    pub instances: usize,
    /// Tokens a table of the store keeps.
    pub window: usize,
    /// A table's monthly parts, over which records go in turn: each part of an insert comes into
    /// being by itself, and under a token of its own.
    pub months: usize,
    /// How many faults there may be, of these kinds.
    pub faults: u8,
    pub kinds: &'static [Fault],
    /// An insert may still arrive when whoever sent it has ended.
    pub late_inserts: bool,
    pub variant: Variant,
    /// The one property to look at. The first world against it is the end then, so that breadth
    /// first finds one of the shortest ways there.
    pub only: Option<&'static str>,
}

impl Setting {
    pub fn is(&self, variant: Variant) -> bool {
        self.variant == variant
    }

    pub fn asks(&self) -> bool {
        self.is(Variant::SkipWhatIsThere) || self.is(Variant::StopAtWhatIsThere)
    }
}
