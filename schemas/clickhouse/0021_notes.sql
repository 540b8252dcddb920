-- What is odd about an event is a note, and a note may say what it is about. Times have a precision, and places a
-- score. Notes stand where flags stood: sinks of the release before write there, and a rollup counts them, whose
-- view must stay as it is, since a range that comes again is known in the rollup by it.
ALTER TABLE {database}.events
    ADD COLUMN IF NOT EXISTS time_precision LowCardinality(String) DEFAULT 'second'
    COMMENT 'How finely the message tells the time: second (or finer), minute or day. What is planned or estimated for a day is at the end of that day, local time; what has happened on a day at its beginning'
    AFTER zone_quality;

ALTER TABLE {database}.events
    ADD COLUMN IF NOT EXISTS place_score Nullable(UInt8)
    COMMENT 'How sure the place is: 100 for a code, less for a name (docs/formats.md); NULL where none was found, and in rows of before 1 December 2026'
    AFTER place_source;

ALTER TABLE {database}.events
    ADD COLUMN IF NOT EXISTS notes Array(LowCardinality(String)) ALIAS flags
    COMMENT 'What is odd about the event though it was kept: container_check_digit, missing_field, … (docs/formats.md)'
    AFTER flags;

ALTER TABLE {database}.events
    ADD COLUMN IF NOT EXISTS notes_about Array(String)
    COMMENT 'What each note is about, in the same order: a field, a segment, or nothing; empty in rows of before 1 December 2026'
    AFTER notes;

ALTER TABLE {database}.events
    COMMENT COLUMN flags 'Where notes stand: ask for notes';

CREATE OR REPLACE VIEW {database}.shipment_timeline
(
    shipment_id String COMMENT 'The shipment: filter by it',
    carrier_id LowCardinality(String) COMMENT 'Carrier',
    step UInt64 COMMENT 'Position in order of occurrence: 1, 2, …',
    occurred_at DateTime64(3, 'UTC') COMMENT 'When it happened (or is planned to)',
    time_precision LowCardinality(String) COMMENT 'How finely the message tells that: second, minute or day; a plan or an estimate of a day is at its end',
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
    time_precision,
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
