-- What `waybill erase` has removed. It names no shipment: a row that is gone is known by where its record stood on
-- Kafka, so that the ledger's sums can still be held against what is there.
CREATE TABLE IF NOT EXISTS {database}.erasures
(
    id String COMMENT 'Of the erasure, as its receipt has it',
    carrier_id LowCardinality(String) COMMENT 'Whose shipments they were',
    reason String COMMENT 'As who erased gave it' CODEC(ZSTD(1)),
    shipments UInt64 COMMENT 'How many shipments',
    asked_at DateTime64(3, 'UTC') COMMENT 'When it was asked for',
    finished_at Nullable(DateTime64(3, 'UTC')) COMMENT 'When all of it was done; NULL while it is not: `waybill erase --unfinished` goes on',
    written_at DateTime64(3, 'UTC') DEFAULT now64(3) COMMENT 'When this was written: of several rows of an erasure, the latest counts'
)
ENGINE = ReplacingMergeTree(written_at)
ORDER BY id
COMMENT 'Erasures of shipments: read it with FINAL';

CREATE TABLE IF NOT EXISTS {database}.erased_rows
(
    erasure String COMMENT 'Which erasure has removed the row',
    from_table LowCardinality(String) COMMENT 'Which table it was in: events, shipment_states or rejects',
    carrier_id LowCardinality(String) COMMENT 'Carrier',
    minute DateTime('UTC') COMMENT 'Minute of receipt (of the first event, for a state of a shipment)' CODEC(Delta, LZ4),
    kafka_topic_id LowCardinality(String) COMMENT 'Record that made the row: Kafka''s id of the topic; empty in rows of before 30 November 2026',
    kafka_partition Int32 COMMENT 'Record that made the row: partition of its topic',
    kafka_offset Int64 COMMENT 'Record that made the row: offset in that partition' CODEC(Delta, LZ4),
    erased_at DateTime('UTC') DEFAULT now() COMMENT 'When it was listed, right before it was removed' CODEC(Delta, LZ4)
)
ENGINE = ReplacingMergeTree
PARTITION BY toYYYYMM(minute)
ORDER BY (from_table, kafka_topic_id, kafka_partition, kafka_offset, carrier_id, minute)
COMMENT 'Rows that erasures have removed, by where their records stood: read it with FINAL';

ALTER TABLE {database}.ledger
    COMMENT COLUMN `counts.outcome` 'Counts: passed, rejected, duplicate, superseded, redriven (dead letters of the stage that an operator has taken back), deferred (put off, and counted again with topic deferred), or erased (no event, but what has a shipment forgotten)',
    COMMENT COLUMN topic 'What it read: role of the topic (sealed, redrive, deferred, opened, valid, enriched, events, …); erase where an operator has had shipments forgotten, and nothing was read';

-- What has a shipment forgotten is read by aggregate and the sink, and is no event.
CREATE OR REPLACE VIEW {database}.conservation
(
    carrier_id LowCardinality(String) COMMENT 'Carrier, empty when not known',
    hour DateTime('UTC') COMMENT 'Hour of receipt of the sealed record',
    received UInt64 COMMENT 'Messages that decrypt has read from the sealed topic; each once, however often it was redriven',
    opened UInt64 COMMENT 'Messages that decrypt has passed on; a redriven one counts each time',
    rejected Int64 COMMENT 'Dead letters of all stages, without those that a redrive has taken back',
    events UInt64 COMMENT 'Events that validate has passed on',
    duplicates UInt64 COMMENT 'Copies that aggregate has dropped',
    accepted UInt64 COMMENT 'Events that aggregate has passed on',
    stored UInt64 COMMENT 'Of these, rows that were stored in events; those that were erased since are in erased_rows',
    in_flight Int64 COMMENT 'What one stage has passed on and the next has not accounted for: 0 when all is accounted for'
)
AS
WITH
    c.outcome = 'passed' AS passed,
    c.outcome NOT IN ('redriven', 'erased') AS read,
    c.stage = 'clickhouse' AND topic = 'events' AS stores
SELECT
    c.carrier_id AS carrier_id,
    c.hour AS hour,
    sumIf(c.records, c.stage = 'decrypt' AND c.outcome IN ('passed', 'rejected') AND topic != 'redrive') AS received,
    sumIf(c.parts, c.stage = 'decrypt' AND passed) AS opened,
    toInt64(sumIf(c.parts, c.outcome = 'rejected')) - toInt64(sumIf(c.parts, c.outcome = 'redriven')) AS rejected,
    sumIf(c.parts, c.stage = 'validate' AND passed) AS events,
    sumIf(c.parts, c.outcome = 'duplicate') AS duplicates,
    sumIf(c.parts, c.stage = 'aggregate' AND passed) AS accepted,
    sumIf(c.records, stores AND passed) AS stored,
    toInt64(opened) - toInt64(sumIf(c.records, c.stage = 'validate' AND read))
        + toInt64(events) - toInt64(sumIf(c.records, c.stage = 'enrich' AND read))
        + toInt64(sumIf(c.parts, c.stage = 'enrich' AND passed)) - toInt64(sumIf(c.records, c.stage = 'aggregate' AND read))
        + toInt64(accepted) - toInt64(sumIf(c.records, stores AND read)) AS in_flight
FROM {database}.ledger
ARRAY JOIN counts AS c
GROUP BY carrier_id, hour
COMMENT 'Where everything that was received has gone, by carrier and hour of receipt, from the ledger';
