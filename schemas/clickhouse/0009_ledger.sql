-- What every committed batch did with one stretch of an input partition. The entries of a partition
-- lie end to end: a gap is something lost, an overlap something done twice.
CREATE TABLE IF NOT EXISTS {database}.ledger
(
    stages LowCardinality(String) COMMENT 'Stages of the process that committed the batch: decrypt,validate',
    topic LowCardinality(String) COMMENT 'What it read: role of the topic (sealed, redrive, opened, valid, enriched, events, …)',
    partition Int32 COMMENT 'What it read: partition',
    from_offset Int64 COMMENT 'What it read: where the entry before it ends' CODEC(Delta, LZ4),
    next_offset Int64 COMMENT 'What it read: the first offset that it does not cover; offsets without a record are covered too' CODEC(Delta, LZ4),
    records UInt64 COMMENT 'Records read',
    committed_at DateTime64(3, 'UTC') COMMENT 'When the batch was about to be committed' CODEC(Delta, LZ4),
    `counts.stage` Array(LowCardinality(String)) COMMENT 'What became of the records: in which of the stages',
    `counts.carrier_id` Array(LowCardinality(String)) COMMENT 'Counts: carrier, empty when not known',
    `counts.hour` Array(DateTime('UTC')) COMMENT 'Counts: hour of receipt of the sealed record' CODEC(ZSTD(1)),
    `counts.outcome` Array(LowCardinality(String)) COMMENT 'Counts: passed, rejected, duplicate, superseded, or redriven (dead letters of the stage that an operator has taken back)',
    `counts.code` Array(LowCardinality(String)) COMMENT 'Counts: code of a reject, else empty',
    `counts.records` Array(UInt64) COMMENT 'Counts: records that the stage took in; one of which some parts passed and some did not counts where it passed' CODEC(ZSTD(1)),
    `counts.parts` Array(UInt64) COMMENT 'Counts: what came of them: records passed on, dead letters, copies dropped' CODEC(ZSTD(1)),
    `outputs.topic` Array(LowCardinality(String)) COMMENT 'Records written to topics that another stage reads: role of the topic',
    `outputs.records` Array(UInt64) COMMENT 'Outputs: how many' CODEC(ZSTD(1)),
    kafka_partition Int32 COMMENT 'Record that made this row: partition of the ledger topic',
    kafka_offset Int64 COMMENT 'Record that made this row: offset in that partition' CODEC(Delta, LZ4),
    inserted_at DateTime64(3, 'UTC') DEFAULT now64(3) COMMENT 'When ClickHouse inserted it' CODEC(Delta, LZ4),

    INDEX kafka kafka_offset TYPE minmax GRANULARITY 1
)
ENGINE = MergeTree
PARTITION BY toYYYYMM(committed_at)
ORDER BY (topic, partition, from_offset)
SETTINGS non_replicated_deduplication_window = 100000
COMMENT 'What each committed batch read and what became of it: one row each';
