-- A record of an internal topic that cannot be read back is rejected where it stands.
ALTER TABLE {database}.rejects
    ADD COLUMN IF NOT EXISTS source_topic LowCardinality(String) DEFAULT 'sealed'
    COMMENT 'Of which topic source_partition and source_offset are: sealed, or the internal one whose record could not be read back'
    AFTER attempt;
