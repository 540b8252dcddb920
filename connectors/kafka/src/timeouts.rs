//! How long is waited for what, all in one place, since some must be longer than others: the compiler holds that.

use std::time::Duration;

const fn seconds(n: u64) -> Duration {
    Duration::from_secs(n)
}

/// The group puts out a member that it has not heard of for so long (`session.timeout.ms`).
pub(crate) const SESSION: Duration = seconds(10);
/// A transaction that nobody ends is ended by the broker (`transaction.timeout.ms`). A process that dies without a
/// successor of its name holds its readers up for as long as this.
pub(crate) const TRANSACTION: Duration = seconds(15);
/// One call of a transaction.
pub(crate) const CALL: Duration = seconds(15);
/// An error that may pass is tried again for this long.
pub(crate) const RETRY: Duration = seconds(30);
/// A question to the cluster.
pub(crate) const LOOKUP: Duration = seconds(10);
/// The broker does not say what is committed while a transaction on it is open.
pub(crate) const COMMITTED: Duration = seconds(40);
/// What lies in a partition is not read to its end while a transaction is open on it; and a reader that gets
/// nothing for so long gives up.
pub(crate) const STABLE: Duration = seconds(40);
/// A request to join that is lost, as when a coordinator moves, is repeated by librdkafka after minutes only
/// (`max.poll.interval.ms`); a new client asks at once.
pub(crate) const JOIN: Duration = seconds(45);
/// Whoever leaves the group so that it rebalances stays away for so long: it must be forgotten.
pub(crate) const AWAY: Duration = seconds(13);

/// A commit: a new producer, then begin, send, offsets, deliver, commit, each with its retries, or abort.
pub(crate) const LONGEST_COMMIT: Duration = seconds(240);
/// One sign of life of whoever reads before partitions are taken on.
pub(crate) const LONGEST_READ: Duration = seconds(300);
/// What an insert may take longer than its lease: one request that began within it.
pub(crate) const LONGEST_REQUEST: Duration = seconds(120);

/// Something that a process waits for that takes longer shows: it is not ready.
pub(crate) const SLOW: Duration = seconds(10);

const _: () = {
    const fn less(a: Duration, b: Duration) -> bool {
        a.as_nanos() < b.as_nanos()
    }
    assert!(less(SESSION, AWAY), "the group would not have forgotten who comes back");
    assert!(less(TRANSACTION, COMMITTED), "a broken transaction would fail each takeover");
    assert!(less(TRANSACTION, STABLE), "a broken transaction would fail each restore");
    let commit = CALL.as_secs() * 4 + RETRY.as_secs() * 4 + LOOKUP.as_secs();
    assert!(commit < LONGEST_COMMIT.as_secs(), "a commit that is only slow would be called hung");
    // Each question is asked five times.
    let read = COMMITTED.as_secs() * 5 + LOOKUP.as_secs() * 5;
    assert!(read < LONGEST_READ.as_secs(), "as would what is read before partitions are taken on");
};
