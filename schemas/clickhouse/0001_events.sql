-- One row for each accepted event. Text that is not known is empty; numbers and times that are not
-- known are NULL. The month is that of receipt: the carrier's own times may lie years apart, and a
-- batch must not scatter over many partitions.
CREATE TABLE IF NOT EXISTS {database}.events
(
    carrier_id LowCardinality(String) COMMENT 'Carrier that sent the event, proven by its signature',
    shipment_id String COMMENT 'Shipment it belongs to' CODEC(ZSTD(1)),
    event_id UUID COMMENT 'Identity of the event: a hash of carrier, message, shipment and position',
    milestone LowCardinality(String) COMMENT 'What happened, in the words of the shipment model: loaded, departed, …',
    classifier LowCardinality(String) COMMENT 'planned, estimated or actual',
    raw_code LowCardinality(String) COMMENT 'Code as the carrier sent it, with its list in front: EQUIPMENT/LOAD',
    raw_id String COMMENT 'Carrier''s own id of the event' CODEC(ZSTD(1)),

    occurred_at DateTime64(3, 'UTC') COMMENT 'When it happened (or is planned to)' CODEC(Delta, LZ4),
    occurred_local DateTime64(3, 'UTC') COMMENT 'Wall clock as the message gives it, written as if it were UTC' CODEC(Delta, LZ4),
    offset_minutes Nullable(Int32) COMMENT 'Offset from UTC that the message states, minutes, positive east',
    zone_quality LowCardinality(String) COMMENT 'How the offset is known: stated, from_place, or assumed (taken as UTC)',
    time_zone LowCardinality(String) COMMENT 'IANA time zone of the place',
    created_at Nullable(DateTime64(3, 'UTC')) COMMENT 'When the carrier says it recorded the event',

    unlocode LowCardinality(String) COMMENT 'Place, UN/LOCODE',
    place_name LowCardinality(String) COMMENT 'Name of the place',
    country LowCardinality(String) COMMENT 'Country of the place, ISO 3166-1 alpha-2',
    latitude Nullable(Float64) COMMENT 'Latitude of the place, degrees, WGS 84',
    longitude Nullable(Float64) COMMENT 'Longitude of the place, degrees, WGS 84',
    facility LowCardinality(String) COMMENT 'Terminal or depot, with its list: SMDG/ADT',
    facility_type LowCardinality(String) COMMENT 'DCSA facility type code: POTE, DEPO, …',
    sent_unlocode LowCardinality(String) COMMENT 'UN/LOCODE as the carrier sent it',
    sent_iata LowCardinality(String) COMMENT 'IATA code of the airport or city, as the carrier sent it',
    sent_place_name String COMMENT 'Name of the place as the carrier sent it' CODEC(ZSTD(1)),
    sent_city String COMMENT 'City as the carrier sent it' CODEC(ZSTD(1)),
    sent_region LowCardinality(String) COMMENT 'State, province or county as the carrier sent it',
    sent_postal_code String COMMENT 'Postal code as the carrier sent it' CODEC(ZSTD(1)),
    sent_country LowCardinality(String) COMMENT 'Country as the carrier sent it: a code or a name',
    sent_latitude Nullable(Float64) COMMENT 'Latitude as the carrier sent it, degrees, WGS 84',
    sent_longitude Nullable(Float64) COMMENT 'Longitude as the carrier sent it, degrees, WGS 84',
    sent_origin_country LowCardinality(String) COMMENT 'Country of origin, where the message itself names it',
    sent_destination_country LowCardinality(String) COMMENT 'Country of destination, where the message itself names it',

    equipment String COMMENT 'Container number (ISO 6346), or the carrier''s own number of the unit' CODEC(ZSTD(1)),
    equipment_type LowCardinality(String) COMMENT 'ISO 6346 size and type: 22G1',
    equipment_empty Nullable(Bool) COMMENT 'Whether the unit was empty',
    mode LowCardinality(String) COMMENT 'ocean, barge, air, road, rail, parcel, post or multimodal',
    vessel_imo LowCardinality(String) COMMENT 'IMO number of the vessel',
    vessel_name LowCardinality(String) COMMENT 'Name of the vessel',
    voyage LowCardinality(String) COMMENT 'Voyage number on leaving the place',
    flight LowCardinality(String) COMMENT 'Flight: carrier and number',
    vehicle String COMMENT 'Truck, trailer, wagon or train, as the carrier sent it' CODEC(ZSTD(1)),
    service LowCardinality(String) COMMENT 'Carrier''s service',
    call_id String COMMENT 'Carrier''s id of the transport''s call at this place' CODEC(ZSTD(1)),

    `references.kind` Array(LowCardinality(String)) COMMENT 'References: what each is, such as bill_of_lading or booking',
    `references.value` Array(String) COMMENT 'References: the number of each, in the same order' CODEC(ZSTD(1)),
    `readings.kind` Array(LowCardinality(String)) COMMENT 'Sensor readings: what was measured',
    `readings.value` Array(Float64) COMMENT 'Sensor readings: values, in the same order',
    `readings.unit` Array(LowCardinality(String)) COMMENT 'Sensor readings: units (UCUM: Cel, %, …), in the same order',
    `readings.sensor` Array(LowCardinality(String)) COMMENT 'Sensor readings: which probe or device, in the same order',
    flags Array(LowCardinality(String)) COMMENT 'What is odd about the event though it was kept: container_check_digit, …',
    `exceptions.kind` Array(LowCardinality(String)) COMMENT 'What went otherwise than planned: delay, damage, customs_hold, …',
    `exceptions.code` Array(LowCardinality(String)) COMMENT 'The reason of each as the carrier sent it, with its list in front: SMDG/WEA, in the same order',
    `quantities.kind` Array(LowCardinality(String)) COMMENT 'Quantities: pieces, gross_weight, volume, …',
    `quantities.value` Array(Float64) COMMENT 'Quantities: values, in the same order',
    `quantities.unit` Array(LowCardinality(String)) COMMENT 'Quantities: units (UCUM: kg, m3; 1 for things that are counted), in the same order',
    customs_procedure LowCardinality(String) COMMENT 'Customs procedure, as sent',
    customs_status LowCardinality(String) COMMENT 'Customs status, as sent',
    withdraws String COMMENT 'Raw id of the earlier event of the carrier that this one declares void' CODEC(ZSTD(1)),
    remark String COMMENT 'Carrier''s remark' CODEC(ZSTD(1)),

    sequence UInt32 COMMENT 'Position by order of occurrence among the shipment''s events of the same classifier, as known when it was accepted: 1, 2, …',
    revision UInt64 COMMENT 'Order of acceptance within the shipment: 1, 2, …' CODEC(Delta, LZ4),
    out_of_order Bool COMMENT 'An event of the same classifier that happened later had been accepted before',
    previous_unlocode LowCardinality(String) COMMENT 'UN/LOCODE of the shipment''s place before this one, by order of occurrence',
    distance_km Nullable(Float64) COMMENT 'Great-circle distance from the previous place, km',
    delay_ms Nullable(Int64) COMMENT 'Actual against planned (or first estimated) time of the same milestone at the same place, ms; positive is late',
    dwell_ms Nullable(Int64) COMMENT 'On a departure: time since the arrival at the same place, ms',
    origin_country LowCardinality(String) COMMENT 'Lane of the shipment as known when the event was accepted: country of origin',
    destination_country LowCardinality(String) COMMENT 'Lane of the shipment as known when the event was accepted: country of destination',
    crosses_border Nullable(Bool) COMMENT 'Whether that lane crosses a border',

    handle String COMMENT 'Shipment handle of the sealed event (sub): opaque, chosen by the carrier' CODEC(ZSTD(1)),
    message_id String COMMENT 'Id of the sealed message (jti): unique for the carrier' CODEC(ZSTD(1)),
    position UInt32 COMMENT 'Position of the event in its message: 1, 2, …',
    source_partition Int32 COMMENT 'Where the sealed record stands: partition of the sealed topic',
    source_offset Int64 COMMENT 'Where the sealed record stands: offset in that partition' CODEC(Delta, LZ4),
    kafka_partition Int32 COMMENT 'Record that made this row: partition of the events topic',
    kafka_offset Int64 COMMENT 'Record that made this row: offset in that partition' CODEC(Delta, LZ4),

    sealed_at DateTime64(3, 'UTC') COMMENT 'When the carrier sealed it, by the carrier''s clock' CODEC(Delta, LZ4),
    received_at DateTime64(3, 'UTC') COMMENT 'When the broker received the sealed record' CODEC(Delta, LZ4),
    opened_at DateTime64(3, 'UTC') COMMENT 'When decrypt opened it' CODEC(Delta, LZ4),
    validated_at DateTime64(3, 'UTC') COMMENT 'When validate accepted it' CODEC(Delta, LZ4),
    enriched_at DateTime64(3, 'UTC') COMMENT 'When enrich was done with it' CODEC(Delta, LZ4),
    aggregated_at DateTime64(3, 'UTC') COMMENT 'When aggregate accepted it into the shipment''s history' CODEC(Delta, LZ4),
    inserted_at DateTime64(3, 'UTC') DEFAULT now64(3) COMMENT 'When ClickHouse inserted it' CODEC(Delta, LZ4),

    INDEX received received_at TYPE minmax GRANULARITY 1,
    INDEX source source_offset TYPE minmax GRANULARITY 1,
    INDEX kafka kafka_offset TYPE minmax GRANULARITY 1
)
ENGINE = MergeTree
PARTITION BY toYYYYMM(received_at)
ORDER BY (carrier_id, shipment_id, occurred_at, event_id)
SETTINGS non_replicated_deduplication_window = 100000
COMMENT 'Accepted events: one row each';
