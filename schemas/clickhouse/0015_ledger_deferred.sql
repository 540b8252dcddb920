-- A sealed record that costs much is put off, and counted again where it is read next.
ALTER TABLE {database}.ledger
    COMMENT COLUMN `counts.outcome` 'Counts: passed, rejected, duplicate, superseded, redriven (dead letters of the stage that an operator has taken back), or deferred (put off, and counted again with topic deferred)',
    COMMENT COLUMN topic 'What it read: role of the topic (sealed, redrive, deferred, opened, valid, enriched, events, …)';
