-- Carriers may have a topic each: partition and offset alone do not say any more where a sealed record stands.
ALTER TABLE {database}.events
    ADD COLUMN IF NOT EXISTS sealed_topic LowCardinality(String)
    COMMENT 'Where the sealed record stands: name of the sealed topic; empty in rows of before 30 November 2026'
    AFTER source_offset;

ALTER TABLE {database}.shipment_states
    ADD COLUMN IF NOT EXISTS sealed_topic LowCardinality(String)
    COMMENT 'Of the last accepted event: name of the sealed topic; empty in rows of before 30 November 2026'
    AFTER source_offset;

ALTER TABLE {database}.rejects
    ADD COLUMN IF NOT EXISTS sealed_topic LowCardinality(String)
    COMMENT 'Where the sealed record stands: name of the sealed topic; empty for a record of an internal topic, and in rows of before 30 November 2026'
    AFTER source_offset;

CREATE OR REPLACE VIEW {database}.shipments
(
    carrier_id LowCardinality(String) COMMENT 'Carrier that moves it, proven by its signature',
    shipment_id String COMMENT 'The shipment',
    revision UInt64 COMMENT 'How many events were accepted',
    duplicates UInt64 COMMENT 'How many copies of accepted events came again and changed nothing',
    equipment String COMMENT 'Container number (ISO 6346), or the carrier''s own number of the unit',
    unit String COMMENT 'Carrier and unit, if it is a shipment of a unit: one unit has many',
    `documents.kind` Array(LowCardinality(String)) COMMENT 'Of a shipment of a unit: bookings, bills of lading and the like that its events name',
    `documents.value` Array(String) COMMENT 'Documents: the number of each, in the same order',
    origin_unlocode LowCardinality(String) COMMENT 'Origin, UN/LOCODE',
    origin_country LowCardinality(String) COMMENT 'Country of origin, ISO 3166-1 alpha-2',
    destination_unlocode LowCardinality(String) COMMENT 'Destination, UN/LOCODE',
    destination_country LowCardinality(String) COMMENT 'Country of destination, ISO 3166-1 alpha-2',
    crosses_border Nullable(Bool) COMMENT 'Whether the lane crosses a border',
    distance_km Float64 COMMENT 'Sum of the legs'' great circles, km',
    last_unlocode LowCardinality(String) COMMENT 'Last place with an actual event, UN/LOCODE',
    last_country LowCardinality(String) COMMENT 'Country of the last place',
    last_milestone LowCardinality(String) COMMENT 'What happened there',
    last_occurred_at Nullable(DateTime64(3, 'UTC')) COMMENT 'When that was',
    eta Nullable(DateTime64(3, 'UTC')) COMMENT 'Latest expected arrival at the last place of the plan',
    delay_ms Nullable(Int64) COMMENT 'Delay of the last actual event that had a plan, ms; positive is late',
    finished Bool COMMENT 'The cargo has reached its end: delivered, or the empty container returned',
    events_checksum Int64 COMMENT 'Exclusive or of the first 64 bits of the ids of its accepted events: whether events has all of them',
    `legs.from_unlocode` Array(LowCardinality(String)) COMMENT 'Legs in order: from which place, UN/LOCODE',
    `legs.to_unlocode` Array(LowCardinality(String)) COMMENT 'Legs: to which place, UN/LOCODE',
    `legs.mode` Array(LowCardinality(String)) COMMENT 'Legs: mode of transport',
    `legs.departed_at` Array(Nullable(DateTime64(3, 'UTC'))) COMMENT 'Legs: actual departure',
    `legs.arrived_at` Array(Nullable(DateTime64(3, 'UTC'))) COMMENT 'Legs: actual arrival',
    `legs.planned_departure_at` Array(Nullable(DateTime64(3, 'UTC'))) COMMENT 'Legs: planned departure',
    `legs.planned_arrival_at` Array(Nullable(DateTime64(3, 'UTC'))) COMMENT 'Legs: planned arrival',
    `legs.distance_km` Array(Nullable(Float64)) COMMENT 'Legs: great-circle distance, km',
    `dwells.unlocode` Array(LowCardinality(String)) COMMENT 'Stays in order: place, UN/LOCODE',
    `dwells.from` Array(DateTime64(3, 'UTC')) COMMENT 'Stays: first actual event there',
    `dwells.until` Array(DateTime64(3, 'UTC')) COMMENT 'Stays: last actual event there',
    handle String COMMENT 'Of the last accepted event: shipment handle of the sealed event (sub)',
    message_id String COMMENT 'Of the last accepted event: id of the sealed message (jti)',
    source_partition Int32 COMMENT 'Of the last accepted event: partition of the sealed topic',
    source_offset Int64 COMMENT 'Of the last accepted event: offset in that partition',
    sealed_topic LowCardinality(String) COMMENT 'Of the last accepted event: name of the sealed topic; empty in rows of before 30 November 2026',
    sealed_at DateTime64(3, 'UTC') COMMENT 'Of the last accepted event: when the carrier sealed it',
    received_at DateTime64(3, 'UTC') COMMENT 'Of the last accepted event: when the broker received it',
    opened_at DateTime64(3, 'UTC') COMMENT 'Of the last accepted event: when decrypt opened it',
    first_received_at DateTime64(3, 'UTC') COMMENT 'Receipt of the shipment''s first event',
    last_received_at DateTime64(3, 'UTC') COMMENT 'Receipt of its last event, duplicates too',
    began_at DateTime64(3, 'UTC') COMMENT 'Which history of the shipment: receipt of its first event',
    aggregated_at DateTime64(3, 'UTC') COMMENT 'When aggregate last changed the shipment',
    kafka_partition Int32 COMMENT 'Record that made this row: partition of the shipments topic',
    kafka_offset Int64 COMMENT 'Record that made this row: offset in that partition',
    kafka_topic_id LowCardinality(String) COMMENT 'Record that made this row: Kafka''s id of the topic; empty in rows of before 30 November 2026',
    inserted_at DateTime64(3, 'UTC') COMMENT 'When ClickHouse inserted this state'
)
AS SELECT * FROM {database}.shipment_states FINAL
COMMENT 'Shipments: the latest state of each; what comes for one whose history has been closed begins another history';
