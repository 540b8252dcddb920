CREATE VIEW IF NOT EXISTS {database}.lane_performance
(
    origin_country LowCardinality(String) COMMENT 'Country of origin, ISO 3166-1 alpha-2; empty when not known',
    destination_country LowCardinality(String) COMMENT 'Country of destination; empty when not known',
    carrier_id LowCardinality(String) COMMENT 'Carrier',
    shipments UInt64 COMMENT 'Shipments seen on the lane',
    finished UInt64 COMMENT 'Of these, shipments that have reached their end',
    with_plan UInt64 COMMENT 'Of these, shipments whose delay is known: a planned and an actual time of the same milestone at the same place',
    on_time UInt64 COMMENT 'Of those with a plan, shipments that are not late',
    delay_p50_hours Nullable(Float64) COMMENT 'Median delay of those with a plan, hours; positive is late',
    delay_p90_hours Nullable(Float64) COMMENT '90th percentile of the delay, hours',
    transit_p50_days Nullable(Float64) COMMENT 'Median time from the first actual departure to the last actual arrival of finished shipments, days',
    dwell_p50_hours Nullable(Float64) COMMENT 'Median stay in one place, hours',
    distance_km Float64 COMMENT 'Mean great-circle distance travelled, km'
)
AS SELECT
    origin_country,
    destination_country,
    carrier_id,
    count() AS shipments,
    countIf(s.finished) AS finished,
    count(s.delay_ms) AS with_plan,
    countIf(s.delay_ms <= 0) AS on_time,
    quantileOrNull(0.5)(s.delay_ms) / 3600000 AS delay_p50_hours,
    quantileOrNull(0.9)(s.delay_ms) / 3600000 AS delay_p90_hours,
    quantileOrNullIf(0.5)(
        dateDiff('millisecond',
            arrayReduce('minOrNull', s.`legs.departed_at`),
            arrayReduce('maxOrNull', s.`legs.arrived_at`)) / 86400000,
        s.finished) AS transit_p50_days,
    quantileOrNullArray(0.5)(
        arrayMap((f, u) -> dateDiff('millisecond', f, u), s.`dwells.from`, s.`dwells.until`)) / 3600000 AS dwell_p50_hours,
    avg(s.distance_km) AS distance_km
FROM {database}.shipments AS s
GROUP BY origin_country, destination_country, carrier_id
COMMENT 'How carriers perform on each lane, by the latest state of the shipments';
