CREATE TABLE IF NOT EXISTS {database}.throughput_by_minute
(
    minute DateTime('UTC') COMMENT 'Minute of receipt' CODEC(Delta, LZ4),
    carrier_id LowCardinality(String) COMMENT 'Carrier',
    milestone LowCardinality(String) COMMENT 'What happened',
    events UInt64 COMMENT 'Accepted events: sum it, since rows of the same key merge later',
    out_of_order UInt64 COMMENT 'Of these, events that came after one that happened later',
    zone_assumed UInt64 COMMENT 'Of these, events whose time zone nothing told',
    flagged UInt64 COMMENT 'Of these, events with at least one flag'
)
ENGINE = SummingMergeTree
PARTITION BY toYYYYMM(minute)
ORDER BY (carrier_id, minute, milestone)
SETTINGS non_replicated_deduplication_window = 100000
COMMENT 'Rollup behind the view throughput';

CREATE MATERIALIZED VIEW IF NOT EXISTS {database}.events_to_throughput TO {database}.throughput_by_minute
AS SELECT
    toStartOfMinute(received_at) AS minute,
    carrier_id,
    milestone,
    count() AS events,
    countIf(out_of_order) AS out_of_order,
    countIf(zone_quality = 'assumed') AS zone_assumed,
    countIf(notEmpty(flags)) AS flagged
FROM {database}.events
GROUP BY minute, carrier_id, milestone
COMMENT 'Feeds throughput_by_minute';

CREATE VIEW IF NOT EXISTS {database}.throughput
(
    minute DateTime('UTC') COMMENT 'Minute of receipt',
    carrier_id LowCardinality(String) COMMENT 'Carrier',
    milestone LowCardinality(String) COMMENT 'What happened',
    events UInt64 COMMENT 'Accepted events',
    events_per_second Float64 COMMENT 'The same, divided by 60'
)
AS SELECT minute, carrier_id, milestone, sum(t.events) AS events, sum(t.events) / 60 AS events_per_second
FROM {database}.throughput_by_minute AS t
GROUP BY minute, carrier_id, milestone
COMMENT 'Events by minute of receipt, carrier and milestone';
