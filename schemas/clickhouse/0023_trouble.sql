-- More of what analysts ask, over the events that stand (0022_questions.sql): where things went wrong.

CREATE OR REPLACE VIEW {database}.rollovers
(
    carrier_id LowCardinality(String) COMMENT 'Carrier: filter by it',
    shipment_id String COMMENT 'The shipment: filter by it',
    unlocode LowCardinality(String) COMMENT 'Place, UN/LOCODE',
    place_name String COMMENT 'Name of the place',
    country LowCardinality(String) COMMENT 'Country of the place',
    from_vessel String COMMENT 'The vessel that the cargo was to leave with',
    from_voyage String COMMENT 'Its voyage',
    from_departure_at DateTime64(3, 'UTC') COMMENT 'When that was to leave, UTC',
    to_vessel String COMMENT 'The vessel that took its place',
    to_voyage String COMMENT 'Its voyage',
    to_departure_at DateTime64(3, 'UTC') COMMENT 'When that is to leave, or has left, UTC',
    to_classifier LowCardinality(String) COMMENT 'planned or estimated: a new plan; actual: it left with another than planned',
    received_at DateTime64(3, 'UTC') COMMENT 'When that was received, UTC',
    delay_hours Float64 COMMENT 'to_departure_at less from_departure_at, hours'
)
AS SELECT
    carrier_id,
    shipment_id,
    unlocode,
    place_name,
    country,
    from_vessel,
    from_voyage,
    from_departure_at,
    to_vessel,
    to_voyage,
    occurred_at AS to_departure_at,
    classifier AS to_classifier,
    received_at,
    dateDiff('millisecond', from_departure_at, to_departure_at) / 3600000 AS delay_hours
FROM
(
    SELECT
        *,
        vessel_imo AS to_imo,
        vessel_name AS to_vessel,
        voyage AS to_voyage,
        lagInFrame(vessel_imo) OVER told AS from_imo,
        lagInFrame(vessel_name) OVER told AS from_vessel,
        lagInFrame(voyage) OVER told AS from_voyage,
        lagInFrame(occurred_at) OVER told AS from_departure_at,
        lagInFrame(toNullable(received_at)) OVER told AS told_before_at
    FROM
    (
        SELECT
            *,
            minOrNullIf(occurred_at, classifier = 'actual')
                OVER (PARTITION BY carrier_id, shipment_id, unlocode, mode) AS left_at
        FROM {database}.current_events
        WHERE milestone = 'departed' AND unlocode != '' AND (vessel_imo != '' OR vessel_name != '' OR voyage != '')
    )
    -- What is told of a plan after the departure changes nothing.
    WHERE isNull(left_at) OR if(classifier = 'actual', occurred_at = left_at, received_at < left_at)
    WINDOW told AS (PARTITION BY carrier_id, shipment_id, unlocode, mode
        ORDER BY classifier = 'actual', received_at, event_id)
)
-- Two plans of one message are two departures.
WHERE ifNull(received_at != told_before_at, false)
    AND ((from_imo != '' AND to_imo != '' AND from_imo != to_imo)
        OR ((from_imo = '' OR to_imo = '') AND from_vessel != '' AND to_vessel != ''
            AND upperUTF8(from_vessel) != upperUTF8(to_vessel))
        OR (from_voyage != '' AND to_voyage != '' AND from_voyage != to_voyage))
COMMENT 'Roll-overs: a planned or estimated departure on a vessel or voyage in whose place another came, before the cargo left; a row for each. Plans that are sent anew under the same id are gone';

CREATE OR REPLACE VIEW {database}.transshipments
(
    carrier_id LowCardinality(String) COMMENT 'Carrier: filter by it',
    shipment_id String COMMENT 'The shipment: filter by it',
    unlocode LowCardinality(String) COMMENT 'Place, UN/LOCODE',
    place_name String COMMENT 'Name of the place',
    country LowCardinality(String) COMMENT 'Country of the place',
    equipment String COMMENT 'Container or unit',
    discharged_at DateTime64(3, 'UTC') COMMENT 'When it was discharged, UTC',
    from_vessel String COMMENT 'The vessel that it came with',
    from_voyage String COMMENT 'Its voyage',
    loaded_at DateTime64(3, 'UTC') COMMENT 'When it was loaded again, UTC',
    to_vessel String COMMENT 'The vessel that it left with',
    to_voyage String COMMENT 'Its voyage',
    hours Float64 COMMENT 'From discharged_at to loaded_at, hours'
)
AS SELECT
    carrier_id,
    shipment_id,
    unlocode,
    place_name,
    country,
    equipment,
    occurred_at AS discharged_at,
    from_vessel,
    from_voyage,
    next_at AS loaded_at,
    to_vessel,
    to_voyage,
    dateDiff('millisecond', discharged_at, loaded_at) / 3600000 AS hours
FROM
(
    SELECT
        *,
        vessel_imo AS from_imo,
        vessel_name AS from_vessel,
        voyage AS from_voyage,
        leadInFrame(vessel_imo) OVER next AS to_imo,
        leadInFrame(vessel_name) OVER next AS to_vessel,
        leadInFrame(voyage) OVER next AS to_voyage,
        leadInFrame(milestone) OVER next AS next_milestone,
        leadInFrame(unlocode) OVER next AS next_unlocode,
        leadInFrame(occurred_at) OVER next AS next_at
    FROM {database}.current_events
    WHERE classifier = 'actual' AND milestone IN ('discharged', 'loaded') AND unlocode != ''
    WINDOW next AS (PARTITION BY carrier_id, shipment_id, equipment ORDER BY occurred_at, stay_step, event_id
        ROWS BETWEEN CURRENT ROW AND 1 FOLLOWING)
)
WHERE milestone = 'discharged' AND next_milestone = 'loaded' AND next_unlocode = unlocode
    AND ((from_imo != '' AND to_imo != '' AND from_imo != to_imo)
        OR ((from_imo = '' OR to_imo = '') AND from_vessel != '' AND to_vessel != ''
            AND upperUTF8(from_vessel) != upperUTF8(to_vessel))
        OR (from_voyage != '' AND to_voyage != '' AND from_voyage != to_voyage))
COMMENT 'Transshipments: discharged and loaded again at the same place onto another vessel or voyage; a row for each';

CREATE OR REPLACE VIEW {database}.free_time
(
    carrier_id LowCardinality(String) COMMENT 'Carrier: filter by it',
    shipment_id String COMMENT 'The shipment: filter by it',
    equipment String COMMENT 'Container or unit',
    destination_unlocode LowCardinality(String) COMMENT 'Destination, UN/LOCODE: where it was discharged',
    discharged_at DateTime64(3, 'UTC') COMMENT 'Last actual discharge at the destination, UTC: free time and demurrage count from here',
    gated_out_at Nullable(DateTime64(3, 'UTC')) COMMENT 'First actual gate-out there after it, UTC; NULL while it is in the terminal',
    empty_returned_at Nullable(DateTime64(3, 'UTC')) COMMENT 'First actual return of the empty unit after that, UTC; NULL while it is out',
    demurrage_hours Nullable(Float64) COMMENT 'From the discharge to the gate-out, free time included, hours; NULL while it is in the terminal',
    detention_hours Nullable(Float64) COMMENT 'From the gate-out to the return of the empty unit, free time included, hours; NULL while it is out'
)
AS SELECT
    carrier_id,
    shipment_id,
    equipment,
    destination_unlocode,
    assumeNotNull(last_discharged_at) AS discharged_at,
    arrayReduce('minOrNull', arrayFilter(at -> at >= discharged_at, gate_outs)) AS gated_out_at,
    if(isNull(gated_out_at), NULL,
        arrayReduce('minOrNull', arrayFilter(at -> at >= gated_out_at, returns))) AS empty_returned_at,
    dateDiff('millisecond', discharged_at, gated_out_at) / 3600000 AS demurrage_hours,
    dateDiff('millisecond', gated_out_at, empty_returned_at) / 3600000 AS detention_hours
FROM
(
    SELECT
        carrier_id,
        shipment_id,
        e.equipment AS equipment,
        any(s.destination_unlocode) AS destination_unlocode,
        maxOrNullIf(e.occurred_at, e.milestone = 'discharged' AND e.unlocode = s.destination_unlocode) AS last_discharged_at,
        groupArrayIf(e.occurred_at, e.milestone = 'gate_out' AND e.unlocode = s.destination_unlocode) AS gate_outs,
        groupArrayIf(e.occurred_at, e.milestone = 'empty_returned') AS returns
    FROM {database}.current_events AS e
    INNER JOIN
    (
        -- Of several histories of a shipment the latest.
        SELECT carrier_id, shipment_id, argMax(destination_unlocode, began_at) AS destination_unlocode
        FROM {database}.shipments
        GROUP BY carrier_id, shipment_id
    ) AS s USING (carrier_id, shipment_id)
    WHERE e.classifier = 'actual' AND e.milestone IN ('discharged', 'gate_out', 'empty_returned')
        AND s.destination_unlocode != ''
    GROUP BY carrier_id, shipment_id, e.equipment
)
WHERE isNotNull(last_discharged_at)
COMMENT 'Free time, demurrage and detention: units that were discharged at their destination, one row each';

CREATE OR REPLACE VIEW {database}.excursions
(
    carrier_id LowCardinality(String) COMMENT 'Carrier: filter by it',
    shipment_id String COMMENT 'The shipment: filter by it',
    kind LowCardinality(String) COMMENT 'temperature or shock',
    limits LowCardinality(String) COMMENT 'Which limits: frozen (at most -15 Cel), chilled (2 to 8 Cel), ambient (15 to 25 Cel), shock (at most 5 g). Each reading is held against all of its kind: ask for those that the cargo has',
    sensor String COMMENT 'Which probe or device',
    `from` DateTime64(3, 'UTC') COMMENT 'First reading outside, UTC',
    last_at DateTime64(3, 'UTC') COMMENT 'Last reading outside, UTC',
    until Nullable(DateTime64(3, 'UTC')) COMMENT 'First reading within again, UTC; NULL where none came',
    readings UInt64 COMMENT 'How many readings outside, one after the other',
    lowest Float64 COMMENT 'Lowest of them, Cel or g',
    highest Float64 COMMENT 'Highest of them, Cel or g',
    hours Float64 COMMENT 'Duration: from the first reading outside to the first within again, or to the last outside where none came, hours'
)
AS SELECT
    carrier_id,
    shipment_id,
    any(r.kind) AS kind,
    r.limits AS limits,
    r.sensor AS sensor,
    min(r.occurred_at) AS `from`,
    max(r.occurred_at) AS last_at,
    if(max(r.next_at) > last_at, max(r.next_at), NULL) AS until,
    count() AS readings,
    min(assumeNotNull(r.measured)) AS lowest,
    max(assumeNotNull(r.measured)) AS highest,
    dateDiff('millisecond', `from`, ifNull(until, last_at)) / 3600000 AS hours
FROM
(
    SELECT
        *,
        sum(turned) OVER (PARTITION BY carrier_id, shipment_id, sensor, limits ORDER BY occurred_at, event_id
            ROWS UNBOUNDED PRECEDING) AS run
    FROM
    (
        SELECT
            *,
            NOT (assumeNotNull(measured) BETWEEN low AND high) AS outside,
            outside != lagInFrame(outside) OVER (
                PARTITION BY carrier_id, shipment_id, sensor, limits ORDER BY occurred_at, event_id) AS turned,
            leadInFrame(toNullable(occurred_at)) OVER (
                PARTITION BY carrier_id, shipment_id, sensor, limits ORDER BY occurred_at, event_id
                ROWS BETWEEN CURRENT ROW AND 1 FOLLOWING) AS next_at
        FROM
        (
            SELECT
                carrier_id,
                shipment_id,
                event_id,
                occurred_at,
                kind,
                sensor,
                multiIf(
                    unit = 'Cel' AND kind = 'temperature', value,
                    unit = '[degF]' AND kind = 'temperature', (value - 32) / 1.8,
                    unit = 'K' AND kind = 'temperature', value - 273.15,
                    unit = '[g]' AND kind = 'shock', abs(value),
                    unit = 'm/s2' AND kind = 'shock', abs(value) / 9.80665,
                    NULL) AS measured,
                arrayJoin(if(kind = 'shock',
                    [('shock', -inf, 5.)],
                    [('frozen', -inf, -15.), ('chilled', 2., 8.), ('ambient', 15., 25.)])) AS held_against,
                held_against.1 AS limits,
                held_against.2 AS low,
                held_against.3 AS high
            FROM {database}.current_events
            -- As a text: where few columns are asked for, ClickHouse fails on an AND over one of LowCardinality.
            ARRAY JOIN
                CAST(`readings.kind`, 'Array(String)') AS kind,
                `readings.value` AS value,
                `readings.unit` AS unit,
                `readings.sensor` AS sensor
            WHERE classifier = 'actual' AND kind IN ('temperature', 'shock')
        )
        WHERE isNotNull(measured)
    )
) AS r
WHERE r.outside
GROUP BY carrier_id, shipment_id, r.sensor, r.limits, r.run
COMMENT 'Temperature and shock excursions: readings of one sensor of a shipment outside of limits, one after the other, make one; a row for each';

CREATE OR REPLACE VIEW {database}.customs_holds
(
    carrier_id LowCardinality(String) COMMENT 'Carrier: filter by it',
    shipment_id String COMMENT 'The shipment: filter by it',
    unlocode LowCardinality(String) COMMENT 'Place, UN/LOCODE',
    place_name String COMMENT 'Name of the place',
    country LowCardinality(String) COMMENT 'Country of the place',
    held_at DateTime64(3, 'UTC') COMMENT 'When customs first held it, UTC',
    released_at Nullable(DateTime64(3, 'UTC')) COMMENT 'When customs released it, UTC; NULL while it is held',
    hours Nullable(Float64) COMMENT 'From held_at to released_at, hours; NULL while it is held'
)
AS SELECT
    carrier_id,
    shipment_id,
    argMinIf(e.unlocode, (e.occurred_at, e.event_id), e.milestone = 'customs_hold') AS unlocode,
    argMinIf(e.place_name, (e.occurred_at, e.event_id), e.milestone = 'customs_hold') AS place_name,
    argMinIf(e.country, (e.occurred_at, e.event_id), e.milestone = 'customs_hold') AS country,
    min(e.occurred_at) AS held_at,
    minOrNullIf(e.occurred_at, e.milestone = 'customs_released') AS released_at,
    dateDiff('millisecond', held_at, released_at) / 3600000 AS hours
FROM
(
    SELECT *, sum(begins) OVER (PARTITION BY carrier_id, shipment_id
        ORDER BY occurred_at, milestone = 'customs_released', event_id ROWS UNBOUNDED PRECEDING) AS hold
    FROM
    (
        -- A hold that is told again before the release is the same hold.
        SELECT
            *,
            milestone = 'customs_hold' AND lagInFrame(milestone) OVER (PARTITION BY carrier_id, shipment_id
                ORDER BY occurred_at, milestone = 'customs_released', event_id) != 'customs_hold' AS begins
        FROM {database}.current_events
        WHERE classifier = 'actual' AND milestone IN ('customs_hold', 'customs_released')
    )
) AS e
WHERE e.hold > 0
GROUP BY carrier_id, shipment_id, e.hold
COMMENT 'Customs holds, from the first word of one to the release; a row for each';

CREATE OR REPLACE VIEW {database}.exceptions
(
    carrier_id LowCardinality(String) COMMENT 'Carrier: filter by it',
    shipment_id String COMMENT 'The shipment: filter by it',
    event_id UUID COMMENT 'The event, as in events',
    milestone LowCardinality(String) COMMENT 'What happened',
    classifier LowCardinality(String) COMMENT 'planned, estimated or actual',
    kind LowCardinality(String) COMMENT 'What went otherwise than planned: delay, damage, customs_hold, …',
    code String COMMENT 'The reason as the carrier sent it, with its list in front: SMDG/WEA',
    unlocode LowCardinality(String) COMMENT 'Place, UN/LOCODE',
    place_name String COMMENT 'Name of the place',
    country LowCardinality(String) COMMENT 'Country of the place',
    occurred_at DateTime64(3, 'UTC') COMMENT 'When it happened (or is planned to), UTC',
    received_at DateTime64(3, 'UTC') COMMENT 'When its message was received, UTC'
)
AS SELECT
    carrier_id,
    shipment_id,
    event_id,
    milestone,
    classifier,
    kind,
    code,
    unlocode,
    place_name,
    country,
    occurred_at,
    received_at
FROM {database}.current_events
ARRAY JOIN `exceptions.kind` AS kind, `exceptions.code` AS code
COMMENT 'What went otherwise than planned, and where: a row for each reason of an event';

CREATE OR REPLACE VIEW {database}.parcel_miles
(
    carrier_id LowCardinality(String) COMMENT 'Carrier: filter by it',
    shipment_id String COMMENT 'The shipment: filter by it',
    accepted_at Nullable(DateTime64(3, 'UTC')) COMMENT 'First actual pick-up or acceptance, UTC',
    departed_at Nullable(DateTime64(3, 'UTC')) COMMENT 'First actual departure after it, that of the first facility, UTC',
    out_for_delivery_at Nullable(DateTime64(3, 'UTC')) COMMENT 'First time out for delivery, UTC',
    delivered_at Nullable(DateTime64(3, 'UTC')) COMMENT 'First delivery after that, UTC; NULL while there is none',
    tries UInt64 COMMENT 'How often it was out for delivery, until it was delivered',
    first_mile_hours Nullable(Float64) COMMENT 'From accepted_at to departed_at, hours',
    last_mile_hours Nullable(Float64) COMMENT 'From out_for_delivery_at to delivered_at, failed attempts included, hours'
)
AS SELECT
    carrier_id,
    shipment_id,
    accepted_at,
    if(isNull(accepted_at), NULL, arrayReduce('minOrNull', arrayFilter(at -> at >= accepted_at, departures))) AS departed_at,
    arrayReduce('minOrNull', tours) AS out_for_delivery_at,
    if(isNull(out_for_delivery_at), NULL,
        arrayReduce('minOrNull', arrayFilter(at -> at >= out_for_delivery_at, deliveries))) AS delivered_at,
    arrayCount(at -> isNull(delivered_at) OR at <= delivered_at, tours) AS tries,
    dateDiff('millisecond', accepted_at, departed_at) / 3600000 AS first_mile_hours,
    dateDiff('millisecond', out_for_delivery_at, delivered_at) / 3600000 AS last_mile_hours
FROM
(
    SELECT
        carrier_id,
        shipment_id,
        minOrNullIf(e.occurred_at, e.milestone IN ('picked_up', 'accepted')) AS accepted_at,
        groupArrayIf(e.occurred_at, e.milestone = 'departed') AS departures,
        groupArrayIf(e.occurred_at, e.milestone = 'out_for_delivery') AS tours,
        groupArrayIf(e.occurred_at, e.milestone = 'delivered') AS deliveries
    FROM {database}.current_events AS e
    WHERE e.classifier = 'actual'
        AND e.milestone IN ('picked_up', 'accepted', 'departed', 'out_for_delivery', 'delivered')
    GROUP BY carrier_id, shipment_id
    HAVING countIf(e.mode IN ('parcel', 'post')) > 0
)
COMMENT 'First and last mile of parcels and post: one row for each shipment';
