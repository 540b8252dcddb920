use waybill_stage::Fault;

use crate::Database;

impl Database {
    /// How near a table is to the number of parts from which ClickHouse slows inserts down: 0 to 1,
    /// of the table and partition that is nearest.
    pub(crate) fn pressure(&self) -> Result<f64, Fault> {
        let sql = "WITH
                (SELECT toUInt64(value) FROM system.merge_tree_settings
                    WHERE name = 'parts_to_delay_insert') AS default_limit
            SELECT ifNull(max(least(1, parts / limit)), 0)
            FROM
            (
                SELECT table, partition_id, count() AS parts FROM system.parts
                WHERE database = {database:String} AND active
                GROUP BY table, partition_id
            ) AS p
            INNER JOIN
            (
                SELECT name AS table, toUInt64OrZero(
                    extract(engine_full, '[ ,]parts_to_delay_insert = (\\\\d+)')) AS own,
                    if(own = 0, default_limit, own) AS limit
                FROM system.tables
                WHERE database = {database:String} AND engine LIKE '%MergeTree'
            ) AS t USING (table)
            WHERE limit > 0";
        self.run("asking how many parts there are", async {
            let query = self.client.query_raw(sql).param("database", &self.config.database);
            query.fetch_one::<f64>().await
        })
    }
}
