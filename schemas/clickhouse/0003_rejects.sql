-- A reject points at the sealed record and says why; it holds no plaintext.
CREATE TABLE IF NOT EXISTS {database}.rejects
(
    carrier_id LowCardinality(String) COMMENT 'Carrier, empty when not known; from decrypt it is what the record claims, if so registered',
    code LowCardinality(String) COMMENT 'Why: one of the codes of docs/rejects.md',
    stage LowCardinality(String) COMMENT 'Which stage rejected it',
    detail String COMMENT 'For the carrier: what to mend, such as a JSON pointer; no values of the payload' CODEC(ZSTD(1)),
    handle String COMMENT 'Shipment handle (sub), empty when not known' CODEC(ZSTD(1)),
    message_id String COMMENT 'Id of the sealed message (jti), empty when not known' CODEC(ZSTD(1)),
    position UInt32 COMMENT 'Which part of the message was rejected: 1, 2, …; 0 for the message as a whole',
    attempt UInt32 COMMENT '0 for the record as it first came, 1, 2, … for each time it was sent through once more',
    source_partition Int32 COMMENT 'Where the sealed record stands: partition of the sealed topic',
    source_offset Int64 COMMENT 'Where the sealed record stands: offset in that partition' CODEC(Delta, LZ4),
    kafka_partition Int32 COMMENT 'Record that made this row: partition of the rejects topic',
    kafka_offset Int64 COMMENT 'Record that made this row: offset in that partition' CODEC(Delta, LZ4),
    sealed_at Nullable(DateTime64(3, 'UTC')) COMMENT 'When it was sealed, if the record says so believably',
    received_at DateTime64(3, 'UTC') COMMENT 'When the broker received the sealed record' CODEC(Delta, LZ4),
    rejected_at DateTime64(3, 'UTC') COMMENT 'When it was rejected' CODEC(Delta, LZ4),
    inserted_at DateTime64(3, 'UTC') DEFAULT now64(3) COMMENT 'When ClickHouse inserted it' CODEC(Delta, LZ4),

    INDEX source source_offset TYPE minmax GRANULARITY 1,
    INDEX kafka kafka_offset TYPE minmax GRANULARITY 1
)
ENGINE = MergeTree
PARTITION BY toYYYYMM(received_at)
ORDER BY (carrier_id, received_at, source_partition, source_offset, position)
SETTINGS non_replicated_deduplication_window = 100000
COMMENT 'Rejected records and parts of records: one row each';

CREATE TABLE IF NOT EXISTS {database}.rejects_by_minute
(
    minute DateTime('UTC') COMMENT 'Minute of receipt' CODEC(Delta, LZ4),
    carrier_id LowCardinality(String) COMMENT 'Carrier, empty when not known',
    stage LowCardinality(String) COMMENT 'Which stage rejected them',
    code LowCardinality(String) COMMENT 'Why: one of the codes of docs/rejects.md',
    rejects UInt64 COMMENT 'How many: sum it, since rows of the same key merge later'
)
ENGINE = SummingMergeTree
PARTITION BY toYYYYMM(minute)
ORDER BY (carrier_id, minute, stage, code)
SETTINGS non_replicated_deduplication_window = 100000
COMMENT 'Rollup of rejects';

CREATE MATERIALIZED VIEW IF NOT EXISTS {database}.rejects_to_minutes TO {database}.rejects_by_minute
AS SELECT toStartOfMinute(received_at) AS minute, carrier_id, stage, code, count() AS rejects
FROM {database}.rejects
GROUP BY minute, carrier_id, stage, code
COMMENT 'Feeds rejects_by_minute';
