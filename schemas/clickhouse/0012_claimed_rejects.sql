-- What decrypt rejects was sent in a carrier's name, and is not proven to be its own: it does not stand
-- against the carrier.
CREATE OR REPLACE VIEW {database}.carrier_scorecard
(
    month Date COMMENT 'Month of receipt (of the first event, for what counts shipments)',
    carrier_id LowCardinality(String) COMMENT 'Carrier',
    events UInt64 COMMENT 'Accepted events',
    rejects UInt64 COMMENT 'Rejected records and parts of records that are proven to be its own',
    claimed_rejects UInt64 COMMENT 'Records in its name that decrypt rejected: anybody may have sent them',
    reject_share Float64 COMMENT 'rejects of rejects and events together: 0 to 1',
    duplicates UInt64 COMMENT 'Copies of accepted events that came again',
    out_of_order_share Float64 COMMENT 'Events that came after one that happened later, of all: 0 to 1',
    zone_assumed_share Float64 COMMENT 'Events whose time zone nothing told, of all: 0 to 1',
    flagged_share Float64 COMMENT 'Events with something odd (a wrong check digit, an unknown place), of all: 0 to 1',
    delivery_p50_ms Float64 COMMENT 'Median time from sealing to receipt, ms',
    delivery_p99_ms Float64 COMMENT '99th percentile of it, ms',
    shipments UInt64 COMMENT 'Shipments first heard of in the month',
    finished UInt64 COMMENT 'Of these, shipments that have reached their end',
    with_plan UInt64 COMMENT 'Of these, shipments whose delay is known',
    on_time_share Nullable(Float64) COMMENT 'Shipments that are not late, of those with a plan: 0 to 1'
)
AS SELECT
    month,
    carrier_id,
    e.events AS events,
    r.rejects AS rejects,
    r.claimed AS claimed_rejects,
    if(e.events + r.rejects = 0, 0, r.rejects / (e.events + r.rejects)) AS reject_share,
    s.duplicates AS duplicates,
    if(e.events = 0, 0, e.out_of_order / e.events) AS out_of_order_share,
    if(e.events = 0, 0, e.zone_assumed / e.events) AS zone_assumed_share,
    if(e.events = 0, 0, e.flagged / e.events) AS flagged_share,
    l.p50 AS delivery_p50_ms,
    l.p99 AS delivery_p99_ms,
    s.shipments AS shipments,
    s.finished AS finished,
    s.with_plan AS with_plan,
    if(s.with_plan = 0, NULL, s.on_time / s.with_plan) AS on_time_share
FROM
(
    SELECT DISTINCT month, carrier_id FROM
    (
        SELECT toStartOfMonth(minute) AS month, carrier_id FROM {database}.throughput_by_minute
        UNION ALL
        SELECT toStartOfMonth(minute), carrier_id FROM {database}.rejects_by_minute
        UNION ALL
        SELECT toDate(toStartOfMonth(first_received_at)), carrier_id FROM {database}.shipment_states
    )
    WHERE carrier_id != ''
) AS carriers
LEFT JOIN
(
    SELECT
        toStartOfMonth(minute) AS month,
        carrier_id,
        sum(t.events) AS events,
        sum(t.out_of_order) AS out_of_order,
        sum(t.zone_assumed) AS zone_assumed,
        sum(t.flagged) AS flagged
    FROM {database}.throughput_by_minute AS t
    GROUP BY month, carrier_id
) AS e USING (month, carrier_id)
LEFT JOIN
(
    SELECT
        toStartOfMonth(minute) AS month,
        carrier_id,
        sumIf(t.rejects, stage != 'decrypt') AS rejects,
        sumIf(t.rejects, stage = 'decrypt') AS claimed
    FROM {database}.rejects_by_minute AS t
    GROUP BY month, carrier_id
) AS r USING (month, carrier_id)
LEFT JOIN
(
    SELECT
        toStartOfMonth(minute) AS month,
        carrier_id,
        (quantilesTDigestMerge(0.5, 0.95, 0.99)(quantiles) AS q)[1] AS p50,
        q[3] AS p99
    FROM {database}.latency_by_minute
    WHERE stage = 'delivery'
    GROUP BY month, carrier_id
) AS l USING (month, carrier_id)
LEFT JOIN
(
    SELECT
        toDate(toStartOfMonth(first_received_at)) AS month,
        carrier_id,
        count() AS shipments,
        sum(t.duplicates) AS duplicates,
        countIf(t.finished) AS finished,
        count(t.delay_ms) AS with_plan,
        countIf(t.delay_ms <= 0) AS on_time
    FROM {database}.shipments AS t
    GROUP BY month, carrier_id
) AS s USING (month, carrier_id)
COMMENT 'What each carrier sends and how well it keeps to its plan, by month';
