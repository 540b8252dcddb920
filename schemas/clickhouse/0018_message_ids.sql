-- A carrier asks by the id of its message, which no sorting key has.
ALTER TABLE {database}.events
    ADD INDEX IF NOT EXISTS message message_id TYPE bloom_filter(0.001) GRANULARITY 1;

ALTER TABLE {database}.events MATERIALIZE INDEX message;

ALTER TABLE {database}.rejects
    ADD INDEX IF NOT EXISTS message message_id TYPE bloom_filter(0.001) GRANULARITY 1;

ALTER TABLE {database}.rejects MATERIALIZE INDEX message;
