-- What analysts ask, over the events that stand. Each view has a row for each thing that is asked for (a stay, a
-- departure, a hold), so that medians and shares are those of the asker's own groups. No view looks at the clock: what
-- is still open has NULL where its end would be. All partition by carrier and shipment, by which a condition on
-- these reaches the sorting key of events.

CREATE OR REPLACE VIEW {database}.current_events
(
    carrier_id LowCardinality(String) COMMENT 'Carrier: filter by it',
    shipment_id String COMMENT 'The shipment: filter by it',
    event_id UUID COMMENT 'The event, as in events',
    milestone LowCardinality(String) COMMENT 'What happened',
    classifier LowCardinality(String) COMMENT 'planned, estimated or actual',
    occurred_at DateTime64(3, 'UTC') COMMENT 'When it happened (or is planned to), UTC',
    time_precision LowCardinality(String) COMMENT 'second, minute or day; a plan or an estimate of a day is at its end, what has happened on a day at its beginning',
    stay_step UInt8 COMMENT 'Which of several events of one time and place comes first: an arrival before a discharge, a departure last; 0 for what does not say where the cargo is',
    zone_quality LowCardinality(String) COMMENT 'How the time zone is known: stated, from_place or assumed',
    received_at DateTime64(3, 'UTC') COMMENT 'When its message was received, UTC',
    unlocode LowCardinality(String) COMMENT 'Place, UN/LOCODE',
    place_name String COMMENT 'Name of the place',
    country LowCardinality(String) COMMENT 'Country of the place',
    facility String COMMENT 'Terminal or depot, with its list: SMDG/ADT',
    equipment String COMMENT 'Container or unit',
    mode LowCardinality(String) COMMENT 'Mode of transport',
    vessel_imo String COMMENT 'IMO number of the vessel',
    vessel_name String COMMENT 'Name of the vessel',
    voyage String COMMENT 'Voyage number',
    `readings.kind` Array(LowCardinality(String)) COMMENT 'Sensor readings: what was measured',
    `readings.value` Array(Float64) COMMENT 'Sensor readings: values',
    `readings.unit` Array(String) COMMENT 'Sensor readings: units (UCUM)',
    `readings.sensor` Array(String) COMMENT 'Sensor readings: which probe or device',
    `exceptions.kind` Array(LowCardinality(String)) COMMENT 'What went otherwise than planned',
    `exceptions.code` Array(String) COMMENT 'The reason of each as the carrier sent it'
)
AS SELECT
    carrier_id,
    shipment_id,
    event_id,
    milestone,
    classifier,
    occurred_at,
    time_precision,
    toUInt8(transform(toString(milestone),
        [
            'arrived', 'empty_picked_up', 'berthed', 'discharged', 'gate_in', 'dropped_off', 'accepted',
            'received', 'other', 'stuffed', 'stripped', 'inspected', 'resealed', 'removed', 'in_transit',
            'delivery_attempted', 'available_for_pickup', 'customs_inspected', 'sensor_reading',
            'sensor_alert', 'gate_out', 'picked_up', 'loaded', 'out_for_delivery', 'unberthed', 'delivered',
            'departed', 'empty_returned', 'transferred', 'returned'
        ],
        [1, 1, 2, 3, 4, 4, 4, 4, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 6, 6, 7, 7, 8, 8, 9, 9, 9, 9],
        0)) AS stay_step,
    zone_quality,
    received_at,
    unlocode,
    place_name,
    country,
    facility,
    equipment,
    mode,
    vessel_imo,
    vessel_name,
    voyage,
    `readings.kind`,
    `readings.value`,
    `readings.unit`,
    `readings.sensor`,
    `exceptions.kind`,
    `exceptions.code`
FROM
(
    -- The events of one message may share an id. A later message takes the place of them all.
    SELECT *, max(received_at) OVER (PARTITION BY carrier_id, shipment_id, raw_id) AS last_received_at
    FROM {database}.events
)
WHERE (raw_id = '' OR received_at = last_received_at)
    AND milestone != 'withdrawn'
    AND (carrier_id, raw_id) NOT IN
        (SELECT carrier_id, withdraws FROM {database}.events WHERE withdraws != '')
COMMENT 'Accepted events that stand: without those that the carrier has declared void or sent anew under the same id';

CREATE OR REPLACE VIEW {database}.moves
(
    carrier_id LowCardinality(String) COMMENT 'Carrier: filter by it',
    shipment_id String COMMENT 'The shipment: filter by it',
    stay UInt64 COMMENT 'Which stay of the shipment, 1, 2, …: events in one place, with none elsewhere between them',
    event_id UUID COMMENT 'The event, as in events',
    milestone LowCardinality(String) COMMENT 'What happened',
    occurred_at DateTime64(3, 'UTC') COMMENT 'When it happened, UTC',
    stay_step UInt8 COMMENT 'Which of several events of one time comes first',
    unlocode LowCardinality(String) COMMENT 'Place, UN/LOCODE',
    place_name String COMMENT 'Name of the place',
    country LowCardinality(String) COMMENT 'Country of the place',
    facility String COMMENT 'Terminal or depot, with its list: SMDG/ADT'
)
AS SELECT
    carrier_id, shipment_id,
    sum(elsewhere) OVER (
        PARTITION BY carrier_id, shipment_id ORDER BY occurred_at, stay_step, event_id
        ROWS UNBOUNDED PRECEDING) AS stay,
    event_id, milestone, occurred_at, stay_step, unlocode, place_name, country, facility
FROM
(
    SELECT *, unlocode != lagInFrame(unlocode) OVER way AS elsewhere
    FROM {database}.current_events
    WHERE classifier = 'actual' AND stay_step > 0 AND unlocode != ''
    WINDOW way AS (PARTITION BY carrier_id, shipment_id ORDER BY occurred_at, stay_step, event_id)
)
COMMENT 'Where the cargo was: actual events of the cargo itself (papers and customs may be elsewhere) at a known place, by stay';

CREATE OR REPLACE VIEW {database}.dwells
(
    carrier_id LowCardinality(String) COMMENT 'Carrier: filter by it',
    shipment_id String COMMENT 'The shipment: filter by it',
    unlocode LowCardinality(String) COMMENT 'Place, UN/LOCODE',
    place_name String COMMENT 'Name of the place',
    country LowCardinality(String) COMMENT 'Country of the place',
    facility String COMMENT 'Terminal or depot, with its list: SMDG/ADT; empty when no event of the stay names it',
    `from` DateTime64(3, 'UTC') COMMENT 'First actual event there, UTC',
    until DateTime64(3, 'UTC') COMMENT 'Last actual event there so far, UTC',
    events UInt64 COMMENT 'How many events of the stay',
    left Bool COMMENT 'The cargo has left: its last event there is a leaving, or there is a later one elsewhere',
    hours Nullable(Float64) COMMENT 'Dwell: from the first to the last event there, hours; NULL for a stay that goes on, and of one event alone'
)
AS SELECT
    carrier_id,
    shipment_id,
    any(s.unlocode) AS unlocode,
    any(s.place_name) AS place_name,
    any(s.country) AS country,
    max(s.facility) AS facility,
    min(s.occurred_at) AS `from`,
    max(s.occurred_at) AS until,
    count() AS events,
    (s.stay, s.terminal) < any(s.last_stay)
        OR argMax(s.milestone, (s.occurred_at, s.stay_step, s.event_id)) IN
            ('departed', 'gate_out', 'picked_up', 'empty_picked_up', 'out_for_delivery', 'unberthed', 'transferred')
        AS left,
    if(left AND events > 1, dateDiff('millisecond', `from`, until) / 3600000, NULL) AS hours
FROM
(
    SELECT *, max((stay, terminal)) OVER (PARTITION BY carrier_id, shipment_id) AS last_stay
    FROM
    (
        SELECT
            *,
            sum(facility != '' AND ifNull(facility != named_before, false))
                OVER (PARTITION BY carrier_id, shipment_id, stay ORDER BY occurred_at, stay_step, event_id
                    ROWS UNBOUNDED PRECEDING) AS terminal
        FROM
        (
            -- An event without a terminal is at that of the event before.
            SELECT
                *,
                anyLast(nullIf(facility, ''))
                    OVER (PARTITION BY carrier_id, shipment_id, stay ORDER BY occurred_at, stay_step, event_id
                        ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS named_before
            FROM {database}.moves
        )
    )
) AS s
GROUP BY carrier_id, shipment_id, s.stay, s.terminal
COMMENT 'How long shipments stay in a place or terminal: a row for each stay';

CREATE OR REPLACE VIEW {database}.transits
(
    carrier_id LowCardinality(String) COMMENT 'Carrier: filter by it',
    shipment_id String COMMENT 'The shipment: filter by it',
    origin_unlocode LowCardinality(String) COMMENT 'Origin, UN/LOCODE',
    origin_country LowCardinality(String) COMMENT 'Country of origin',
    destination_unlocode LowCardinality(String) COMMENT 'Destination, UN/LOCODE',
    destination_country LowCardinality(String) COMMENT 'Country of destination',
    departed_at Nullable(DateTime64(3, 'UTC')) COMMENT 'First actual departure, UTC',
    arrived_at DateTime64(3, 'UTC') COMMENT 'First actual arrival at the destination, or delivery where no arrival there was told, UTC; one that is told by day at the beginning of the day',
    milestone LowCardinality(String) COMMENT 'Which of the two arrived_at is: arrived or delivered',
    transit_hours Nullable(Float64) COMMENT 'From departed_at to arrived_at, hours'
)
AS SELECT
    carrier_id,
    shipment_id,
    any(e.origin_unlocode) AS origin_unlocode,
    any(e.origin_country) AS origin_country,
    any(e.destination_unlocode) AS destination_unlocode,
    any(e.destination_country) AS destination_country,
    minOrNullIf(e.occurred_at, e.milestone = 'departed') AS departed_at,
    minOrNullIf(e.occurred_at, e.milestone = 'arrived' AND e.destination_unlocode != ''
        AND e.unlocode = e.destination_unlocode) AS at_destination,
    minOrNullIf(e.occurred_at, e.milestone = 'delivered') AS delivered,
    assumeNotNull(ifNull(at_destination, delivered)) AS arrived_at,
    if(isNull(at_destination), 'delivered', 'arrived') AS milestone,
    dateDiff('millisecond', departed_at, arrived_at) / 3600000 AS transit_hours
FROM
(
    SELECT
        carrier_id,
        shipment_id,
        e.milestone,
        e.occurred_at,
        e.unlocode,
        s.origin_unlocode,
        s.origin_country,
        s.destination_unlocode,
        s.destination_country
    FROM {database}.current_events AS e
    LEFT JOIN (
        -- Of several histories of a shipment the latest.
        SELECT
            carrier_id,
            shipment_id,
            argMax(origin_unlocode, began_at) AS origin_unlocode,
            argMax(origin_country, began_at) AS origin_country,
            argMax(destination_unlocode, began_at) AS destination_unlocode,
            argMax(destination_country, began_at) AS destination_country
        FROM {database}.shipments
        GROUP BY carrier_id, shipment_id
    ) AS s USING (carrier_id, shipment_id)
    WHERE e.classifier = 'actual' AND e.milestone IN ('departed', 'arrived', 'delivered')
) AS e
GROUP BY carrier_id, shipment_id
HAVING isNotNull(at_destination) OR isNotNull(delivered)
COMMENT 'Shipments that have come to their destination, and how long they took: one row each';

CREATE OR REPLACE VIEW {database}.eta_errors
(
    carrier_id LowCardinality(String) COMMENT 'Carrier: filter by it',
    shipment_id String COMMENT 'The shipment: filter by it',
    origin_unlocode LowCardinality(String) COMMENT 'Origin, UN/LOCODE',
    origin_country LowCardinality(String) COMMENT 'Country of origin',
    destination_unlocode LowCardinality(String) COMMENT 'Destination, UN/LOCODE',
    destination_country LowCardinality(String) COMMENT 'Country of destination',
    milestone LowCardinality(String) COMMENT 'arrived or delivered, as in transits',
    classifier LowCardinality(String) COMMENT 'planned or estimated',
    promised_at DateTime64(3, 'UTC') COMMENT 'The promised time, UTC; one of a day is at its end',
    received_at DateTime64(3, 'UTC') COMMENT 'When the promise was received, UTC',
    arrived_at DateTime64(3, 'UTC') COMMENT 'When it came true, as in transits, UTC',
    days_before Int64 COMMENT 'Horizon: whole days from the receipt of the promise to arrived_at',
    error_hours Float64 COMMENT 'arrived_at less promised_at, hours; positive is later than promised'
)
AS SELECT
    t.carrier_id AS carrier_id,
    t.shipment_id AS shipment_id,
    t.origin_unlocode AS origin_unlocode,
    t.origin_country AS origin_country,
    t.destination_unlocode AS destination_unlocode,
    t.destination_country AS destination_country,
    t.milestone AS milestone,
    p.classifier AS classifier,
    p.occurred_at AS promised_at,
    p.received_at AS received_at,
    t.arrived_at AS arrived_at,
    intDiv(dateDiff('millisecond', p.received_at, t.arrived_at), 86400000) AS days_before,
    dateDiff('millisecond', p.occurred_at, t.arrived_at) / 3600000 AS error_hours
FROM {database}.transits AS t
INNER JOIN (
    SELECT carrier_id, shipment_id, classifier, milestone, unlocode, occurred_at, received_at
    FROM {database}.current_events
    WHERE classifier != 'actual' AND milestone IN ('arrived', 'delivered')
) AS p ON p.carrier_id = t.carrier_id AND p.shipment_id = t.shipment_id AND p.milestone = t.milestone
WHERE (t.milestone = 'delivered' OR p.unlocode = t.destination_unlocode) AND p.received_at < t.arrived_at
COMMENT 'How wrong each promise was of when a shipment comes to its destination: a row for each that was received before it did and still stands (one sent anew under the same id is gone)';

CREATE OR REPLACE VIEW {database}.on_time
(
    carrier_id LowCardinality(String) COMMENT 'Carrier: filter by it',
    shipment_id String COMMENT 'The shipment: filter by it',
    origin_unlocode LowCardinality(String) COMMENT 'Origin, UN/LOCODE',
    origin_country LowCardinality(String) COMMENT 'Country of origin',
    destination_unlocode LowCardinality(String) COMMENT 'Destination, UN/LOCODE',
    destination_country LowCardinality(String) COMMENT 'Country of destination',
    milestone LowCardinality(String) COMMENT 'arrived or delivered, as in transits',
    departed_at Nullable(DateTime64(3, 'UTC')) COMMENT 'First actual departure, UTC: the promise is the last one received by then',
    arrived_at DateTime64(3, 'UTC') COMMENT 'Arrival or delivery, as in transits, UTC',
    promised_at Nullable(DateTime64(3, 'UTC')) COMMENT 'The last promise (planned or estimated, of the same milestone at the destination) received no later than departed_at that still stands, UTC; NULL where there is none',
    late_hours Nullable(Float64) COMMENT 'arrived_at less promised_at, hours: compare it with the tolerance; NULL where there is no promise'
)
AS SELECT
    t.carrier_id AS carrier_id,
    t.shipment_id AS shipment_id,
    any(t.origin_unlocode) AS origin_unlocode,
    any(t.origin_country) AS origin_country,
    any(t.destination_unlocode) AS destination_unlocode,
    any(t.destination_country) AS destination_country,
    any(t.milestone) AS milestone,
    any(t.departed_at) AS departed_at,
    any(t.arrived_at) AS arrived_at,
    argMaxOrNullIf(p.occurred_at, (p.received_at, p.occurred_at), p.milestone = t.milestone
        AND (t.milestone = 'delivered' OR p.unlocode = t.destination_unlocode)
        AND ifNull(p.received_at <= t.departed_at, false)) AS promised_at,
    dateDiff('millisecond', promised_at, arrived_at) / 3600000 AS late_hours
FROM {database}.transits AS t
LEFT JOIN (
    SELECT carrier_id, shipment_id, classifier, milestone, unlocode, occurred_at, received_at
    FROM {database}.current_events
    WHERE classifier != 'actual' AND milestone IN ('arrived', 'delivered')
) AS p ON p.carrier_id = t.carrier_id AND p.shipment_id = t.shipment_id
GROUP BY carrier_id, shipment_id
COMMENT 'Shipments that have come to their destination, against the last promise of before they left: one row each. For a promise of another time take eta_errors';

CREATE OR REPLACE VIEW {database}.report_delays
(
    carrier_id LowCardinality(String) COMMENT 'Carrier: filter by it',
    shipment_id String COMMENT 'The shipment: filter by it',
    milestone LowCardinality(String) COMMENT 'What happened',
    occurred_at DateTime64(3, 'UTC') COMMENT 'When it happened, UTC',
    time_precision LowCardinality(String) COMMENT 'second, minute or day: of what happened on a day, the delay counts from its beginning',
    received_at DateTime64(3, 'UTC') COMMENT 'When its message was received, UTC',
    delay_hours Float64 COMMENT 'From occurred_at to received_at, hours'
)
AS SELECT
    carrier_id,
    shipment_id,
    milestone,
    occurred_at,
    time_precision,
    received_at,
    dateDiff('millisecond', occurred_at, received_at) / 3600000 AS delay_hours
FROM {database}.current_events
WHERE classifier = 'actual' AND zone_quality != 'assumed'
COMMENT 'How late carriers report what has happened: actual events whose time zone is known';

CREATE OR REPLACE VIEW {database}.departures
(
    carrier_id LowCardinality(String) COMMENT 'Carrier: filter by it',
    shipment_id String COMMENT 'The shipment: filter by it',
    unlocode LowCardinality(String) COMMENT 'Place, UN/LOCODE',
    place_name String COMMENT 'Name of the place',
    country LowCardinality(String) COMMENT 'Country of the place',
    departed_at DateTime64(3, 'UTC') COMMENT 'Last actual departure of the stay, UTC',
    arrived_at Nullable(DateTime64(3, 'UTC')) COMMENT 'First actual arrival at another place after it, UTC; NULL where none was told',
    seen_at Nullable(DateTime64(3, 'UTC')) COMMENT 'First actual event of any kind at another place after it, UTC: with arrived_at NULL, the cargo went on, and its arrival was not told',
    hours Nullable(Float64) COMMENT 'From departed_at to arrived_at, hours'
)
AS SELECT
    carrier_id,
    shipment_id,
    any(m.unlocode) AS unlocode,
    any(m.place_name) AS place_name,
    any(m.country) AS country,
    max(m.occurred_at) AS departed_at,
    any(m.next_arrived_at) AS arrived_at,
    any(m.next_seen_at) AS seen_at,
    dateDiff('millisecond', departed_at, arrived_at) / 3600000 AS hours
FROM
(
    SELECT
        *,
        minOrNullIf(occurred_at, milestone = 'arrived') OVER later AS next_arrived_at,
        minOrNull(occurred_at) OVER later AS next_seen_at
    FROM {database}.moves
    WINDOW later AS (PARTITION BY carrier_id, shipment_id ORDER BY stay
        RANGE BETWEEN 1 FOLLOWING AND UNBOUNDED FOLLOWING)
) AS m
WHERE m.milestone = 'departed'
GROUP BY carrier_id, shipment_id, m.stay
COMMENT 'Departures, and when the cargo arrived elsewhere: a row for each stay that it departed from';
