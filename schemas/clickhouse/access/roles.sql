-- Roles, for a server whose users are made in SQL: `waybill migrate` makes them where its user may. What a
-- configuration file gives the users of dashboards/clickhouse (sink, gateway, auditor, eraser; the reader there is the
-- analyst here; a carrier's reader) is the same, and a test holds the two together.

CREATE ROLE IF NOT EXISTS {database}_sink;
GRANT INSERT, SELECT ON {database}.events TO {database}_sink;
GRANT INSERT, SELECT ON {database}.shipment_states TO {database}_sink;
GRANT INSERT, SELECT ON {database}.rejects TO {database}_sink;
GRANT INSERT, SELECT ON {database}.ledger TO {database}_sink;
GRANT SELECT ON {database}.migrations TO {database}_sink;
GRANT SELECT ON {database}.conservation TO {database}_sink;
GRANT CREATE TABLE, DROP TABLE, INSERT, SELECT, ALTER DELETE ON {database}_scratch.* TO {database}_sink;
GRANT TABLE ENGINE ON MergeTree TO {database}_sink;
GRANT TABLE ENGINE ON ReplacingMergeTree TO {database}_sink;
GRANT TABLE ENGINE ON Null TO {database}_sink;
GRANT SHOW TABLES ON {database}.* TO {database}_sink;
GRANT SELECT ON system.tables TO {database}_sink;
GRANT SELECT ON system.columns TO {database}_sink;
GRANT SELECT ON system.parts TO {database}_sink;
GRANT SELECT ON system.processes TO {database}_sink;
GRANT SELECT ON system.merge_tree_settings TO {database}_sink;
GRANT SELECT ON system.replicated_merge_tree_settings TO {database}_sink;

CREATE ROLE IF NOT EXISTS {database}_gateway
SETTINGS readonly = 1, max_execution_time = 10, max_memory_usage = 1000000000, max_threads = 2;
GRANT SELECT ON {database}.events TO {database}_gateway;
GRANT SELECT ON {database}.rejects TO {database}_gateway;
GRANT SELECT ON {database}.throughput_by_minute TO {database}_gateway;
GRANT SELECT ON {database}.rejects_by_minute TO {database}_gateway;
GRANT SELECT ON {database}.shipments TO {database}_gateway;
GRANT SELECT ON {database}.shipment_states TO {database}_gateway;
GRANT SELECT ON {database}.shipment_timeline TO {database}_gateway;
GRANT SELECT ON {database}.ledger TO {database}_gateway;

CREATE ROLE IF NOT EXISTS {database}_auditor
SETTINGS readonly = 1, max_execution_time = 600, max_memory_usage = 4000000000;
GRANT SELECT ON {database}.* TO {database}_auditor;

CREATE ROLE IF NOT EXISTS {database}_eraser;
GRANT SELECT ON {database}.* TO {database}_eraser;
GRANT INSERT ON {database}.erasures TO {database}_eraser;
GRANT INSERT ON {database}.erased_rows TO {database}_eraser;
GRANT ALTER DELETE ON {database}.events TO {database}_eraser;
GRANT ALTER DELETE ON {database}.shipment_states TO {database}_eraser;
GRANT ALTER DELETE ON {database}.rejects TO {database}_eraser;
GRANT ALTER DELETE, INSERT ON {database}.throughput_by_minute TO {database}_eraser;
GRANT ALTER DELETE, INSERT ON {database}.latency_by_minute TO {database}_eraser;
GRANT ALTER DELETE, INSERT ON {database}.rejects_by_minute TO {database}_eraser;
GRANT SHOW TABLES ON {database}.* TO {database}_eraser;
GRANT SELECT ON system.tables TO {database}_eraser;
GRANT SELECT ON system.merge_tree_settings TO {database}_eraser;

CREATE ROLE IF NOT EXISTS {database}_analyst
SETTINGS readonly = 1, max_execution_time = 30 MIN 1 MAX 30 CHANGEABLE_IN_READONLY, max_memory_usage = 1000000000,
    max_threads = 2 MIN 1 MAX 4 CHANGEABLE_IN_READONLY;
GRANT SELECT ON {database}.* TO {database}_analyst;

-- A carrier's reader is a user `carrier_ID`, or `carrier_ID@NAME` where it has several, with this role: its name
-- says whose rows it sees. Under any other name the role shows nothing. Each table that has a carrier has the policy
-- before anything is granted, views are read with the reader's own rights, and what has no carrier is not granted.
CREATE ROLE IF NOT EXISTS {database}_carrier
SETTINGS readonly = 1, max_execution_time = 30, max_memory_usage = 1000000000, max_threads = 2;
CREATE ROW POLICY IF NOT EXISTS waybill_carrier ON {database}.events
USING startsWith(currentUser(), 'carrier_') AND carrier_id = substringIndex(substring(currentUser(), 9), '@', 1) TO {database}_carrier;
CREATE ROW POLICY IF NOT EXISTS waybill_carrier ON {database}.shipment_states
USING startsWith(currentUser(), 'carrier_') AND carrier_id = substringIndex(substring(currentUser(), 9), '@', 1) TO {database}_carrier;
CREATE ROW POLICY IF NOT EXISTS waybill_carrier ON {database}.rejects
USING startsWith(currentUser(), 'carrier_') AND carrier_id = substringIndex(substring(currentUser(), 9), '@', 1) TO {database}_carrier;
CREATE ROW POLICY IF NOT EXISTS waybill_carrier ON {database}.throughput_by_minute
USING startsWith(currentUser(), 'carrier_') AND carrier_id = substringIndex(substring(currentUser(), 9), '@', 1) TO {database}_carrier;
CREATE ROW POLICY IF NOT EXISTS waybill_carrier ON {database}.latency_by_minute
USING startsWith(currentUser(), 'carrier_') AND carrier_id = substringIndex(substring(currentUser(), 9), '@', 1) TO {database}_carrier;
CREATE ROW POLICY IF NOT EXISTS waybill_carrier ON {database}.rejects_by_minute
USING startsWith(currentUser(), 'carrier_') AND carrier_id = substringIndex(substring(currentUser(), 9), '@', 1) TO {database}_carrier;
-- Where users_without_row_policies_can_read_rows is off, a policy for one hides the table from everybody else, and
-- the sink would take its rows for lost.
CREATE ROW POLICY IF NOT EXISTS waybill_others ON {database}.events USING 1 TO ALL EXCEPT {database}_carrier;
CREATE ROW POLICY IF NOT EXISTS waybill_others ON {database}.shipment_states USING 1 TO ALL EXCEPT {database}_carrier;
CREATE ROW POLICY IF NOT EXISTS waybill_others ON {database}.rejects USING 1 TO ALL EXCEPT {database}_carrier;
CREATE ROW POLICY IF NOT EXISTS waybill_others ON {database}.throughput_by_minute USING 1 TO ALL EXCEPT {database}_carrier;
CREATE ROW POLICY IF NOT EXISTS waybill_others ON {database}.latency_by_minute USING 1 TO ALL EXCEPT {database}_carrier;
CREATE ROW POLICY IF NOT EXISTS waybill_others ON {database}.rejects_by_minute USING 1 TO ALL EXCEPT {database}_carrier;
GRANT SELECT ON {database}.events TO {database}_carrier;
GRANT SELECT ON {database}.shipment_states TO {database}_carrier;
GRANT SELECT ON {database}.rejects TO {database}_carrier;
GRANT SELECT ON {database}.throughput_by_minute TO {database}_carrier;
GRANT SELECT ON {database}.latency_by_minute TO {database}_carrier;
GRANT SELECT ON {database}.rejects_by_minute TO {database}_carrier;
GRANT SELECT ON {database}.shipments TO {database}_carrier;
GRANT SELECT ON {database}.throughput TO {database}_carrier;
GRANT SELECT ON {database}.latency TO {database}_carrier;
GRANT SELECT ON {database}.lane_performance TO {database}_carrier;
GRANT SELECT ON {database}.shipment_timeline TO {database}_carrier;
GRANT SELECT ON {database}.carrier_scorecard TO {database}_carrier;
GRANT SELECT ON {database}.current_events TO {database}_carrier;
GRANT SELECT ON {database}.moves TO {database}_carrier;
GRANT SELECT ON {database}.dwells TO {database}_carrier;
GRANT SELECT ON {database}.transits TO {database}_carrier;
GRANT SELECT ON {database}.eta_errors TO {database}_carrier;
GRANT SELECT ON {database}.on_time TO {database}_carrier;
GRANT SELECT ON {database}.report_delays TO {database}_carrier;
GRANT SELECT ON {database}.departures TO {database}_carrier;
GRANT SELECT ON {database}.rollovers TO {database}_carrier;
GRANT SELECT ON {database}.transshipments TO {database}_carrier;
GRANT SELECT ON {database}.free_time TO {database}_carrier;
GRANT SELECT ON {database}.excursions TO {database}_carrier;
GRANT SELECT ON {database}.customs_holds TO {database}_carrier;
GRANT SELECT ON {database}.exceptions TO {database}_carrier;
GRANT SELECT ON {database}.parcel_miles TO {database}_carrier;
