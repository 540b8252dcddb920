-- A topic that is made anew has the offsets of the one before once more: what a row or an entry is of is told by
-- Kafka's id of the topic, too.
ALTER TABLE {database}.events
    ADD COLUMN IF NOT EXISTS kafka_topic_id LowCardinality(String)
    COMMENT 'Record that made this row: Kafka''s id of the topic; empty in rows of before 30 November 2026'
    AFTER kafka_offset;

ALTER TABLE {database}.shipment_states
    ADD COLUMN IF NOT EXISTS kafka_topic_id LowCardinality(String)
    COMMENT 'Record that made this row: Kafka''s id of the topic; empty in rows of before 30 November 2026'
    AFTER kafka_offset;

ALTER TABLE {database}.rejects
    ADD COLUMN IF NOT EXISTS kafka_topic_id LowCardinality(String)
    COMMENT 'Record that made this row: Kafka''s id of the topic; empty in rows of before 30 November 2026'
    AFTER kafka_offset;

ALTER TABLE {database}.ledger
    ADD COLUMN IF NOT EXISTS topic_id LowCardinality(String)
    COMMENT 'What it read: Kafka''s id of the topic; empty in entries of before 30 November 2026'
    AFTER topic;

ALTER TABLE {database}.ledger
    ADD COLUMN IF NOT EXISTS kafka_topic_id LowCardinality(String)
    COMMENT 'Record that made this row: Kafka''s id of the topic; empty in rows of before 30 November 2026'
    AFTER kafka_offset;
