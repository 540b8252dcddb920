//! What can be wrong with a driver, a server or a task: each was wrong once, somewhere, or nearly. One is put back at
//! a time, and the simulation must find it.

macro_rules! flaws {
    ($($(#[$doc:meta])* $name:ident: $says:literal,)+) => {
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Flaw { $($(#[$doc])* $name,)+ }

        impl Flaw {
            pub const ALL: &[Self] = &[$(Self::$name,)+];

            /// For a table.
            pub fn says(self) -> &'static str {
                match self { $(Self::$name => $says,)+ }
            }
        }
    };
}

flaws! {
    NoClaim: "a claim is not made durable",
    Unfenced: "commits name no member",
    NotAskedWhoWeAre: "a client that has lost its membership commits all the same",
    UnstableRead: "committed offsets are read while a transaction is open on them",
    UncommittedRead: "records are read that may yet be aborted",
    SilenceOfCommitIsYes: "a commit that is not answered counts as done",
    SilenceOfInsertIsYes: "an insert that is not answered counts as done",
    AbortIsYes: "a commit that was aborted counts as done",
    ReusedNumbers: "after an abort the same producer goes on",
    OutputsOutside: "records are written outside of the transaction",
    OffsetsOutside: "offsets are committed outside of the transaction",
    OffsetsAhead: "offsets are committed of a record that was not taken",
    RetryWithoutOutputs: "an aborted batch is committed anew without its records",
    EntryLeftOut: "an entry of the ledger is left out",
    StateLeftOut: "a record of the changelog is left out",
    NothingBegun: "it is not put down that a partition was begun",
    RestoresToLastStable: "the state is read to the last stable offset only",
    AssignedBeforeRestored: "a partition is taken on before all of its state is read",
    RangeReadInPart: "a claimed range is read again without one of its records",
    OfferedTwice: "a record that was taken is offered again",
    UntakenSkipped: "records that were not taken are left out",
    GivesUpFirst: "partitions are given up before their batch is committed",
    LeavingDropsBatch: "who gives partitions up commits nothing first",
    SettledFirst: "a claim is settled before its insert is answered",
    OtherToken: "who takes a claim over inserts under another token",
    SkipsWhatIsThere: "who takes a claim over inserts nothing where rows are there",
    LeaseIgnored: "inserts are begun after their lease has ended",
    LeaseBeginsLate: "a lease begins when its claim's commit is answered",
    RefusalsForgotten: "what the store has refused gets no dead letter",
    NoToken: "the store heeds no token",
    SmallWindow: "the store remembers one token",
    RollupNotFed: "rows that are there do not complete the rollup",
    TokenBeforeRows: "the store keeps a token before its rows",
    RowsBeforeToken: "the store keeps rows before their token",
}
