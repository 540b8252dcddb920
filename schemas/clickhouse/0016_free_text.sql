-- LowCardinality is for words of a list that is ours: then a part's dictionary is small. What carriers write
-- as they like (a voyage, a sensor's serial number, a code that no list has) has as many values as they choose, and
-- a dictionary of those takes more memory and time than the texts. (How long one may be, validate says.)
-- Parts that are there are rewritten behind this, while rows come and go.
ALTER TABLE {database}.events
    MODIFY COLUMN raw_code String CODEC(ZSTD(1)),
    MODIFY COLUMN place_name String CODEC(ZSTD(1)),
    MODIFY COLUMN facility String CODEC(ZSTD(1)),
    MODIFY COLUMN facility_type String CODEC(ZSTD(1)),
    MODIFY COLUMN sent_unlocode String CODEC(ZSTD(1)),
    MODIFY COLUMN sent_iata String CODEC(ZSTD(1)),
    MODIFY COLUMN sent_region String CODEC(ZSTD(1)),
    MODIFY COLUMN sent_country String CODEC(ZSTD(1)),
    MODIFY COLUMN equipment_type String CODEC(ZSTD(1)),
    MODIFY COLUMN vessel_imo String CODEC(ZSTD(1)),
    MODIFY COLUMN vessel_name String CODEC(ZSTD(1)),
    MODIFY COLUMN voyage String CODEC(ZSTD(1)),
    MODIFY COLUMN flight String CODEC(ZSTD(1)),
    MODIFY COLUMN service String CODEC(ZSTD(1)),
    MODIFY COLUMN `readings.unit` Array(String) CODEC(ZSTD(1)),
    MODIFY COLUMN `readings.sensor` Array(String) CODEC(ZSTD(1)),
    MODIFY COLUMN `exceptions.code` Array(String) CODEC(ZSTD(1)),
    MODIFY COLUMN `quantities.unit` Array(String) CODEC(ZSTD(1)),
    MODIFY COLUMN customs_procedure String CODEC(ZSTD(1)),
    MODIFY COLUMN customs_status String CODEC(ZSTD(1))
    SETTINGS alter_sync = 0;

CREATE OR REPLACE VIEW {database}.shipment_timeline
(
    shipment_id String COMMENT 'The shipment: filter by it',
    carrier_id LowCardinality(String) COMMENT 'Carrier',
    step UInt64 COMMENT 'Position in order of occurrence: 1, 2, …',
    occurred_at DateTime64(3, 'UTC') COMMENT 'When it happened (or is planned to)',
    classifier LowCardinality(String) COMMENT 'planned, estimated or actual',
    milestone LowCardinality(String) COMMENT 'What happened',
    unlocode LowCardinality(String) COMMENT 'Place, UN/LOCODE',
    place_name String COMMENT 'Name of the place',
    country LowCardinality(String) COMMENT 'Country of the place',
    mode LowCardinality(String) COMMENT 'Mode of transport',
    vessel_name String COMMENT 'Name of the vessel',
    voyage String COMMENT 'Voyage number',
    delay_hours Nullable(Float64) COMMENT 'Actual against planned, hours; positive is late',
    dwell_hours Nullable(Float64) COMMENT 'On a departure: hours since the arrival at the same place',
    distance_km Nullable(Float64) COMMENT 'Great-circle distance from the previous place, km',
    zone_quality LowCardinality(String) COMMENT 'How the time zone is known: stated, from_place or assumed',
    received_at DateTime64(3, 'UTC') COMMENT 'When its message was received',
    event_id UUID COMMENT 'The event, as in events'
)
AS SELECT
    shipment_id,
    carrier_id,
    row_number() OVER (PARTITION BY shipment_id ORDER BY occurred_at, event_id) AS step,
    occurred_at,
    classifier,
    milestone,
    unlocode,
    place_name,
    country,
    mode,
    vessel_name,
    voyage,
    delay_ms / 3600000 AS delay_hours,
    dwell_ms / 3600000 AS dwell_hours,
    distance_km,
    zone_quality,
    received_at,
    event_id
FROM
(
    -- The events of one message may share an id; a later message takes the place of them all.
    SELECT
        *,
        max(received_at) OVER (PARTITION BY shipment_id, carrier_id, raw_id) AS last_received_at
    FROM {database}.events
)
WHERE (raw_id = '' OR received_at = last_received_at)
    AND milestone != 'withdrawn'
    AND (carrier_id, raw_id) NOT IN
        (SELECT carrier_id, withdraws FROM {database}.events WHERE withdraws != '')
COMMENT 'What happened to a shipment, in order of occurrence; without events that the carrier has declared void or sent anew under the same id';
