CREATE VIEW IF NOT EXISTS {database}.conservation
(
    carrier_id LowCardinality(String) COMMENT 'Carrier, empty when not known',
    hour DateTime('UTC') COMMENT 'Hour of receipt of the sealed record',
    received UInt64 COMMENT 'Messages that decrypt has read from the sealed topic; each once, however often it was redriven',
    opened UInt64 COMMENT 'Messages that decrypt has passed on; a redriven one counts each time',
    rejected Int64 COMMENT 'Dead letters of all stages, without those that a redrive has taken back',
    events UInt64 COMMENT 'Events that validate has passed on',
    duplicates UInt64 COMMENT 'Copies that aggregate has dropped',
    accepted UInt64 COMMENT 'Events that aggregate has passed on',
    stored UInt64 COMMENT 'Of these, rows in events',
    in_flight Int64 COMMENT 'What one stage has passed on and the next has not accounted for: 0 when all is accounted for'
)
AS
WITH
    c.outcome = 'passed' AS passed,
    c.outcome != 'redriven' AS read,
    c.stage = 'clickhouse' AND topic = 'events' AS stores
SELECT
    c.carrier_id AS carrier_id,
    c.hour AS hour,
    sumIf(c.records, c.stage = 'decrypt' AND c.outcome IN ('passed', 'rejected') AND topic != 'redrive') AS received,
    sumIf(c.parts, c.stage = 'decrypt' AND passed) AS opened,
    toInt64(sumIf(c.parts, c.outcome = 'rejected')) - toInt64(sumIf(c.parts, c.outcome = 'redriven')) AS rejected,
    sumIf(c.parts, c.stage = 'validate' AND passed) AS events,
    sumIf(c.parts, c.outcome = 'duplicate') AS duplicates,
    sumIf(c.parts, c.stage = 'aggregate' AND passed) AS accepted,
    sumIf(c.records, stores AND passed) AS stored,
    toInt64(opened) - toInt64(sumIf(c.records, c.stage = 'validate' AND read))
        + toInt64(events) - toInt64(sumIf(c.records, c.stage = 'enrich' AND read))
        + toInt64(sumIf(c.parts, c.stage = 'enrich' AND passed)) - toInt64(sumIf(c.records, c.stage = 'aggregate' AND read))
        + toInt64(accepted) - toInt64(sumIf(c.records, stores AND read)) AS in_flight
FROM {database}.ledger
ARRAY JOIN counts AS c
GROUP BY carrier_id, hour
COMMENT 'Where everything that was received has gone, by carrier and hour of receipt, from the ledger';
