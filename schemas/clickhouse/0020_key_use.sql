-- Which platform keys carriers still seal for: by then an old one may be retired.
ALTER TABLE {database}.ledger
    ADD COLUMN IF NOT EXISTS `keys.kid` Array(LowCardinality(String))
    COMMENT 'Of what decrypt opened: the platform key that it was sealed for; nothing in rows of before 1 December 2026'
    AFTER `outputs.records`;

ALTER TABLE {database}.ledger
    ADD COLUMN IF NOT EXISTS `keys.carrier_id` Array(LowCardinality(String))
    COMMENT 'Keys: carrier'
    AFTER `keys.kid`;

ALTER TABLE {database}.ledger
    ADD COLUMN IF NOT EXISTS `keys.records` Array(UInt64)
    COMMENT 'Keys: records that were opened'
    AFTER `keys.carrier_id`;
