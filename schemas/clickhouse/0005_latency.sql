-- Stages, in the order of the way of an event: delivery (sealed to received), decrypt (to opened),
-- validate, enrich, aggregate, clickhouse (to inserted), and total (sealed to inserted).
CREATE TABLE IF NOT EXISTS {database}.latency_by_minute
(
    minute DateTime('UTC') COMMENT 'Minute of receipt' CODEC(Delta, LZ4),
    carrier_id LowCardinality(String) COMMENT 'Carrier',
    stage LowCardinality(String) COMMENT 'delivery, decrypt, validate, enrich, aggregate, clickhouse, or total',
    events SimpleAggregateFunction(sum, UInt64) COMMENT 'Accepted events: sum it',
    sum_ms SimpleAggregateFunction(sum, Int64) COMMENT 'Sum of their latencies, ms: sum it',
    max_ms SimpleAggregateFunction(max, Int64) COMMENT 'Highest of their latencies, ms: take the max',
    quantiles AggregateFunction(quantilesTDigest(0.5, 0.95, 0.99), Int64) COMMENT 'Their distribution, ms: quantilesTDigestMerge(0.5, 0.95, 0.99)(quantiles)'
)
ENGINE = AggregatingMergeTree
PARTITION BY toYYYYMM(minute)
ORDER BY (carrier_id, stage, minute)
SETTINGS non_replicated_deduplication_window = 100000
COMMENT 'Rollup behind the view latency';

CREATE MATERIALIZED VIEW IF NOT EXISTS {database}.events_to_latency TO {database}.latency_by_minute
AS SELECT
    toStartOfMinute(received_at) AS minute,
    carrier_id,
    stage,
    count() AS events,
    sum(ms) AS sum_ms,
    max(ms) AS max_ms,
    quantilesTDigestState(0.5, 0.95, 0.99)(ms) AS quantiles
FROM {database}.events
ARRAY JOIN
    ['delivery', 'decrypt', 'validate', 'enrich', 'aggregate', 'clickhouse', 'total'] AS stage,
    [
        toUnixTimestamp64Milli(received_at) - toUnixTimestamp64Milli(sealed_at),
        toUnixTimestamp64Milli(opened_at) - toUnixTimestamp64Milli(received_at),
        toUnixTimestamp64Milli(validated_at) - toUnixTimestamp64Milli(opened_at),
        toUnixTimestamp64Milli(enriched_at) - toUnixTimestamp64Milli(validated_at),
        toUnixTimestamp64Milli(aggregated_at) - toUnixTimestamp64Milli(enriched_at),
        toUnixTimestamp64Milli(inserted_at) - toUnixTimestamp64Milli(aggregated_at),
        toUnixTimestamp64Milli(inserted_at) - toUnixTimestamp64Milli(sealed_at)
    ] AS ms
GROUP BY minute, carrier_id, stage
COMMENT 'Feeds latency_by_minute';

CREATE VIEW IF NOT EXISTS {database}.latency
(
    minute DateTime('UTC') COMMENT 'Minute of receipt',
    carrier_id LowCardinality(String) COMMENT 'Carrier',
    stage LowCardinality(String) COMMENT 'delivery, decrypt, validate, enrich, aggregate, clickhouse, or total',
    events UInt64 COMMENT 'Accepted events',
    avg_ms Float64 COMMENT 'Mean latency, ms',
    p50_ms Float64 COMMENT 'Median latency, ms',
    p95_ms Float64 COMMENT '95th percentile, ms',
    p99_ms Float64 COMMENT '99th percentile, ms',
    max_ms Int64 COMMENT 'Highest latency, ms'
)
AS SELECT
    minute,
    carrier_id,
    stage,
    sum(l.events) AS events,
    sum(l.sum_ms) / events AS avg_ms,
    (quantilesTDigestMerge(0.5, 0.95, 0.99)(l.quantiles) AS q)[1] AS p50_ms,
    q[2] AS p95_ms,
    q[3] AS p99_ms,
    max(l.max_ms) AS max_ms
FROM {database}.latency_by_minute AS l
GROUP BY minute, carrier_id, stage
COMMENT 'Latency by minute of receipt, carrier and stage';
