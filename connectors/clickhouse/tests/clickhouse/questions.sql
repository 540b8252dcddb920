-- Journeys for what analysts ask (docs/analysts.md). Each line says what happened; what is remarked on is there so
-- that a question put carelessly is answered otherwise.
--
-- Times are of 2026, UTC. Without a time of receipt an event came 2 hours after it happened.
INSERT INTO {database}.events
    (carrier_id, shipment_id, event_id, milestone, classifier, occurred_at, received_at, unlocode, place_name, country,
    facility, equipment, vessel_imo, vessel_name, voyage, mode, raw_id, withdraws, time_precision, zone_quality,
    `readings.kind`, `readings.value`, `readings.unit`, `readings.sensor`, `exceptions.kind`, `exceptions.code`)
SELECT
    splitByChar(':', shipment)[1],
    shipment,
    reinterpretAsUUID(sipHash128(shipment, milestone, classifier, at, came, vessel, voyage, terminal)),
    milestone,
    classifier,
    toDateTime64('2026-' || at, 3, 'UTC') AS happened,
    if(came = '', happened + INTERVAL 2 HOUR, toDateTime64('2026-' || came, 3, 'UTC')),
    place,
    transform(place, ['SGSIN', 'MYPKG', 'NLRTM', 'DEDUI'], ['Singapore', 'Port Klang', 'Rotterdam', 'Duisburg'], ''),
    substring(place, 1, 2),
    if(terminal = '', '', 'SMDG/' || terminal),
    if(splitByChar(':', shipment)[2] IN ('7', '8'), '', splitByChar(':', shipment)[2]),
    more['imo'],
    vessel,
    voyage,
    if(splitByChar(':', shipment)[2] IN ('7', '8'), 'parcel', 'ocean'),
    more['id'],
    more['withdraws'],
    if(more['precision'] = '', 'second', more['precision']),
    if(more['zone'] = '', 'stated', more['zone']),
    if(more['reading'] = '', [], [more['reading']]),
    if(more['reading'] = '', [], [toFloat64(more['value'])]),
    if(more['reading'] = '', [], [more['unit']]),
    if(more['reading'] = '', [], [more['sensor']]),
    if(more['exception'] = '', [], [more['exception']]),
    if(more['exception'] = '', [], [more['code']])
FROM values(
    'shipment String, milestone String, classifier String, at String, came String, place String, terminal String,
    vessel String, voyage String, more Map(String, String)',

    -- Container 1: on its way as planned, and a day and 6 hours late.
    ('acme:1', 'gate_in', 'actual', '10-01 06:00', '', 'SGSIN', 'PSA', '', '', map()),
    ('acme:1', 'loaded', 'actual', '10-02 20:00', '', 'SGSIN', 'PSA', 'Emma', '041W', map()),
    -- A restow: taken off, and put onto the same vessel again. No transshipment.
    ('acme:1', 'discharged', 'actual', '10-02 22:00', '', 'SGSIN', 'PSA', 'Emma', '041W', map()),
    ('acme:1', 'loaded', 'actual', '10-02 23:00', '', 'SGSIN', 'PSA', 'Emma', '041W', map()),
    ('acme:1', 'departed', 'planned', '10-03 00:00', '09-20 08:00', 'SGSIN', '', 'Emma', '041W', map('imo', '9321483')),
    -- The same vessel with a later hour, and in other words: no roll-over.
    ('acme:1', 'departed', 'estimated', '10-03 06:00', '09-28 08:00', 'SGSIN', '', 'MV EMMA', '041W', map('imo', '9321483')),
    ('acme:1', 'departed', 'actual', '10-03 06:00', '', 'SGSIN', '', 'Emma', '', map('imo', '9321483')),
    -- The promise of before the departure, twice; and one that was declared void.
    ('acme:1', 'arrived', 'planned', '10-24 12:00', '09-20 08:00', 'NLRTM', '', 'Emma', '041W', map()),
    ('acme:1', 'arrived', 'planned', '10-25 12:00', '10-01 08:00', 'NLRTM', '', 'Emma', '041W', map()),
    ('acme:1', 'arrived', 'planned', '10-31 12:00', '10-02 08:00', 'NLRTM', '', 'Emma', '041W', map('id', 'p1')),
    ('acme:1', 'withdrawn', 'actual', '10-02 09:00', '', '', '', '', '', map('withdraws', 'p1')),
    -- Estimates from on the way; the one of the 16th was sent anew; one came after the arrival.
    ('acme:1', 'arrived', 'estimated', '10-25 18:00', '10-10 08:00', 'NLRTM', '', 'Emma', '041W', map()),
    ('acme:1', 'arrived', 'estimated', '10-30 18:00', '10-16 08:00', 'NLRTM', '', 'Emma', '041W', map('id', 'e1')),
    ('acme:1', 'arrived', 'estimated', '10-26 12:00', '10-24 18:00', 'NLRTM', '', 'Emma', '041W', map('id', 'e1')),
    ('acme:1', 'arrived', 'estimated', '10-26 18:00', '10-27 08:00', 'NLRTM', '', 'Emma', '041W', map()),
    -- It was said to have come four days before it did.
    ('acme:1', 'arrived', 'actual', '10-22 18:00', '', 'NLRTM', '', 'Emma', '041W', map('id', 'a1')),
    ('acme:1', 'withdrawn', 'actual', '10-22 23:00', '', '', '', '', '', map('withdraws', 'a1')),
    ('acme:1', 'arrived', 'actual', '10-26 18:00', '', 'NLRTM', '', 'Emma', '041W', map()),
    ('acme:1', 'discharged', 'actual', '10-27 04:00', '', 'NLRTM', 'ECT', 'Emma', '041W', map()),
    -- Cleared while a paper was issued elsewhere: no other stay.
    ('acme:1', 'document_issued', 'actual', '10-28 04:00', '', 'SGSIN', '', '', '', map()),
    ('acme:1', 'customs_hold', 'actual', '10-27 10:00', '', 'NLRTM', '', '', '', map('id', 'h1')),
    ('acme:1', 'withdrawn', 'actual', '10-27 11:00', '', '', '', '', '', map('withdraws', 'h1')),
    ('acme:1', 'gate_out', 'actual', '10-30 04:00', '', 'NLRTM', 'ECT', '', '', map()),
    ('acme:1', 'empty_returned', 'actual', '11-02 16:00', '', 'NLRTM', 'WBT', '', '', map()),

    -- Container 2: rolled over in Singapore, transshipped in Port Klang, held by customs, and in the terminal.
    ('acme:2', 'gate_in', 'actual', '10-01 08:00', '', 'SGSIN', 'PSA', '', '', map()),
    ('acme:2', 'departed', 'planned', '10-03 00:00', '09-20 08:00', 'SGSIN', '', 'Emma', '041W', map()),
    ('acme:2', 'departed', 'planned', '10-05 00:00', '10-02 20:00', 'SGSIN', '', 'Freya', '007W', map()),
    ('acme:2', 'departed', 'actual', '10-05 02:00', '', 'SGSIN', '', 'Freya', '007W', map()),
    -- What a list of plans still says after it left.
    ('acme:2', 'departed', 'planned', '10-09 00:00', '10-06 08:00', 'SGSIN', '', 'Emma', '042W', map()),
    ('acme:2', 'arrived', 'planned', '10-28 12:00', '10-02 20:00', 'NLRTM', '', 'Aurora', '113N', map()),
    ('acme:2', 'arrived', 'actual', '10-06 02:00', '', 'MYPKG', '', 'Freya', '007W', map()),
    ('acme:2', 'discharged', 'actual', '10-06 08:00', '', 'MYPKG', 'WP', 'Freya', '007W', map()),
    ('acme:2', 'loaded', 'actual', '10-09 08:00', '', 'MYPKG', 'WP', 'Aurora', '113N', map()),
    ('acme:2', 'departed', 'actual', '10-09 14:00', '', 'MYPKG', '', 'Aurora', '113N', map()),
    ('acme:2', 'arrived', 'actual', '10-28 10:00', '', 'NLRTM', '', 'Aurora', '113N', map()),
    ('acme:2', 'discharged', 'actual', '10-29 04:00', '', 'NLRTM', 'ECT', 'Aurora', '113N', map()),
    -- Said twice: one hold of 54 hours.
    ('acme:2', 'customs_hold', 'actual', '10-29 06:00', '', 'NLRTM', '', '', '', map('exception', 'customs_hold', 'code', 'ACME/SCAN')),
    ('acme:2', 'customs_hold', 'actual', '10-30 06:00', '', 'NLRTM', '', '', '', map()),
    ('acme:2', 'customs_released', 'actual', '10-31 12:00', '', 'NLRTM', '', '', '', map()),
    -- A gate-out that was declared void: it is in the terminal.
    ('acme:2', 'gate_out', 'actual', '11-01 04:00', '', 'NLRTM', 'ECT', '', '', map('id', 'g2')),
    ('acme:2', 'withdrawn', 'actual', '11-01 09:00', '', '', '', '', '', map('withdraws', 'g2')),
    ('acme:2', 'gate_out', 'planned', '11-03 04:00', '10-30 08:00', 'NLRTM', 'ECT', '', '', map()),

    -- Container 3 of the other carrier: in time to the day, at two terminals of one port, out with the consignee.
    ('boreal:3', 'departed', 'actual', '10-04 08:00', '10-05 20:00', 'SGSIN', '', 'Idun', '88', map()),
    -- By day: in time until the 26th ends.
    ('boreal:3', 'arrived', 'planned', '10-26 23:59:59.999', '10-01 08:00', 'NLRTM', '', 'Idun', '88', map('precision', 'day')),
    ('boreal:3', 'arrived', 'estimated', '10-24 20:00', '10-19 08:00', 'NLRTM', '', 'Idun', '88', map()),
    ('boreal:3', 'arrived', 'actual', '10-26 20:00', '10-28 08:00', 'NLRTM', '', 'Idun', '88', map()),
    ('boreal:3', 'discharged', 'actual', '10-27 02:00', '10-28 08:00', 'NLRTM', 'ECT', 'Idun', '88', map('exception', 'delay', 'code', 'BOREAL/BERTH')),
    ('boreal:3', 'gate_out', 'actual', '10-27 14:00', '10-28 08:00', 'NLRTM', 'ECT', '', '', map('exception', 'delay', 'code', 'BOREAL/BERTH')),
    ('boreal:3', 'gate_in', 'actual', '10-27 16:00', '10-28 08:00', 'NLRTM', 'RWG', '', '', map()),
    ('boreal:3', 'gate_out', 'actual', '10-29 16:00', '10-30 20:00', 'NLRTM', 'RWG', '', '', map('exception', 'damage', 'code', 'BOREAL/DMG')),
    -- Whose hour nobody knows: its delay is no measure.
    ('boreal:3', 'stripped', 'actual', '10-30 00:00', '11-09 00:00', 'DEDUI', '', '', '', map('zone', 'assumed')),

    -- Container 4 left and was not heard of again; but for the plan, and a berth in the port that it left.
    ('boreal:4', 'departed', 'actual', '10-06 08:00', '10-06 12:00', 'SGSIN', '', 'Idun', '89', map()),
    ('boreal:4', 'arrived', 'planned', '10-28 12:00', '10-01 08:00', 'NLRTM', '', 'Idun', '89', map()),
    ('boreal:4', 'arrived', 'actual', '10-06 20:00', '10-07 08:00', 'SGSIN', '', 'Idun', '89', map()),
    -- Container 5 was discharged, and its arrival not told. It stands in the port of transshipment, and customs hold it.
    ('boreal:5', 'departed', 'actual', '10-06 08:00', '10-06 12:00', 'SGSIN', '', 'Idun', '89', map()),
    ('boreal:5', 'discharged', 'actual', '10-08 08:00', '10-08 12:00', 'MYPKG', 'WP', 'Idun', '89', map()),
    ('boreal:5', 'customs_hold', 'actual', '10-09 08:00', '10-09 12:00', 'MYPKG', '', '', '', map('exception', 'customs_hold', 'code', 'BOREAL/XRAY')),

    -- A reefer that should be at 2 to 8 degrees: 3 hours too warm in three readings, then once more in degrees
    -- Fahrenheit, with no reading since. Neither what it is set to nor the air around it counts.
    ('acme:6', 'sensor_reading', 'actual', '10-10 00:00', '', '', '', '', '', map('reading', 'temperature', 'value', '5.5', 'unit', 'Cel', 'sensor', 's1')),
    ('acme:6', 'sensor_reading', 'actual', '10-10 01:00', '', '', '', '', '', map('reading', 'temperature', 'value', '9', 'unit', 'Cel', 'sensor', 's1')),
    ('acme:6', 'sensor_reading', 'actual', '10-10 01:30', '', '', '', '', '', map('reading', 'temperature', 'value', '5', 'unit', 'Cel', 'sensor', 's2')),
    ('acme:6', 'sensor_reading', 'actual', '10-10 02:00', '', '', '', '', '', map('reading', 'temperature', 'value', '11.5', 'unit', 'Cel', 'sensor', 's1')),
    ('acme:6', 'sensor_reading', 'actual', '10-10 02:30', '', '', '', '', '', map('reading', 'set_point', 'value', '4', 'unit', 'Cel', 'sensor', 's1')),
    ('acme:6', 'sensor_reading', 'actual', '10-10 02:45', '', '', '', '', '', map('reading', 'ambient_temperature', 'value', '31', 'unit', 'Cel', 'sensor', 's1')),
    ('acme:6', 'sensor_reading', 'actual', '10-10 03:00', '', '', '', '', '', map('reading', 'temperature', 'value', '10', 'unit', 'Cel', 'sensor', 's1')),
    ('acme:6', 'sensor_reading', 'actual', '10-10 04:00', '', '', '', '', '', map('reading', 'temperature', 'value', '8', 'unit', 'Cel', 'sensor', 's1')),
    ('acme:6', 'sensor_reading', 'actual', '10-10 05:00', '', '', '', '', '', map('reading', 'temperature', 'value', '41', 'unit', '[degF]', 'sensor', 's1')),
    ('acme:6', 'sensor_reading', 'actual', '10-10 06:00', '', '', '', '', '', map('reading', 'temperature', 'value', '50', 'unit', '[degF]', 'sensor', 's1')),
    ('acme:6', 'sensor_reading', 'actual', '10-10 07:00', '', '', '', '', '', map('reading', 'temperature', 'value', '60', 'unit', 'Cel', 'sensor', 's1', 'id', 't1')),
    ('acme:6', 'withdrawn', 'actual', '10-10 09:00', '', '', '', '', '', map('withdraws', 't1')),
    ('acme:6', 'sensor_alert', 'actual', '10-11 00:00', '', '', '', '', '', map('reading', 'shock', 'value', '-68.64655', 'unit', 'm/s2', 'sensor', 's1')),
    ('acme:6', 'sensor_alert', 'actual', '10-11 00:10', '', '', '', '', '', map('reading', 'shock', 'value', '1', 'unit', '[g]', 'sensor', 's1')),

    -- Parcels. The first was out twice; the second has not come; the third is a container's truck, and no parcel.
    ('swift:7', 'picked_up', 'actual', '11-02 16:00', '', 'DEDUI', '', '', '', map()),
    ('swift:7', 'accepted', 'actual', '11-02 19:00', '', 'DEDUI', '', '', '', map()),
    ('swift:7', 'departed', 'actual', '11-03 01:00', '', 'DEDUI', '', '', '', map()),
    ('swift:7', 'departed', 'actual', '11-03 09:00', '', 'NLRTM', '', '', '', map()),
    ('swift:7', 'out_for_delivery', 'actual', '11-04 08:00', '', 'NLRTM', '', '', '', map()),
    ('swift:7', 'delivery_attempted', 'actual', '11-04 12:00', '', 'NLRTM', '', '', '', map('exception', 'recipient_absent', 'code', 'SWIFT/NH')),
    -- Delivered, it was said, and then not.
    ('swift:7', 'delivered', 'actual', '11-04 12:05', '', 'NLRTM', '', '', '', map('id', 'd7')),
    ('swift:7', 'withdrawn', 'actual', '11-04 13:00', '', '', '', '', '', map('withdraws', 'd7')),
    ('swift:7', 'out_for_delivery', 'actual', '11-05 08:00', '', 'NLRTM', '', '', '', map()),
    ('swift:7', 'delivered', 'actual', '11-05 11:00', '', 'NLRTM', '', '', '', map()),
    -- Promised for the 4th, when it was picked up.
    ('swift:7', 'delivered', 'planned', '11-04 23:59:59.999', '11-02 18:00', 'NLRTM', '', '', '', map('precision', 'day')),
    ('swift:8', 'accepted', 'actual', '11-03 10:00', '', 'DEDUI', '', '', '', map()),
    ('swift:8', 'departed', 'planned', '11-03 12:00', '11-03 10:00', 'DEDUI', '', '', '', map()),
    ('swift:8', 'departed', 'actual', '11-03 22:00', '', 'DEDUI', '', '', '', map()),
    ('swift:8', 'out_for_delivery', 'actual', '11-05 08:00', '', 'NLRTM', '', '', '', map()),
    ('swift:8', 'delivery_attempted', 'actual', '11-05 10:00', '', 'NLRTM', '', '', '', map('exception', 'recipient_absent', 'code', 'SWIFT/NH', 'id', 'n8')),
    ('swift:8', 'withdrawn', 'actual', '11-05 13:00', '', '', '', '', '', map('withdraws', 'n8')),
    ('acme:9', 'picked_up', 'actual', '11-03 10:00', '', 'DEDUI', '', '', '', map()),
    ('acme:9', 'departed', 'actual', '11-03 11:00', '', 'DEDUI', '', '', '', map())
);

-- What the shipments are known to be bound for. The first was heard of again, after its history had been closed.
INSERT INTO {database}.shipment_states
    (carrier_id, shipment_id, revision, origin_unlocode, origin_country, destination_unlocode, destination_country, began_at)
SELECT splitByChar(':', shipment)[1], shipment, 1, origin, substring(origin, 1, 2), destination, substring(destination, 1, 2), began
FROM values(
    'shipment String, origin String, destination String, began DateTime64(3, \'UTC\')',
    ('acme:1', '', '', '2026-09-20 08:00:00'),
    ('acme:1', 'SGSIN', 'NLRTM', '2026-10-01 08:00:00'),
    ('acme:2', 'SGSIN', 'NLRTM', '2026-09-20 08:00:00'),
    ('acme:6', '', '', '2026-10-10 02:00:00'),
    ('acme:9', 'DEDUI', '', '2026-11-03 02:00:00'),
    ('boreal:3', 'SGSIN', 'NLRTM', '2026-10-01 08:00:00'),
    ('boreal:4', 'SGSIN', 'NLRTM', '2026-10-01 08:00:00'),
    ('boreal:5', 'SGSIN', 'NLRTM', '2026-10-06 12:00:00'),
    ('swift:7', 'DEDUI', 'NLRTM', '2026-11-02 18:00:00'),
    ('swift:8', 'DEDUI', 'NLRTM', '2026-11-03 12:00:00')
);
