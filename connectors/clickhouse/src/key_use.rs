use clickhouse::Row;
use serde::Deserialize;
use waybill_stage::Fault;

use crate::Database;

/// What one carrier sealed for one platform key.
#[derive(Clone, Debug, PartialEq, Eq, Row, Deserialize)]
pub struct KeyUse {
    pub kid: String,
    pub carrier_id: String,
    /// Records that decrypt opened.
    pub records: u64,
    /// When the last of them were committed, RFC 3339.
    pub last: String,
}

impl Database {
    /// What decrypt opened since then (ms UTC), by key and carrier, the most first; from the ledger.
    pub fn key_use(&self, since_ms: i64) -> Result<Vec<KeyUse>, Fault> {
        let sql = format!(
            "SELECT toString(k.kid) AS kid, toString(k.carrier_id) AS carrier_id, sum(k.records) AS records,
                formatDateTime(max(committed_at), '%Y-%m-%dT%H:%i:%SZ', 'UTC') AS last
            FROM {} ARRAY JOIN keys AS k
            WHERE committed_at >= fromUnixTimestamp64Milli({{since:Int64}}, 'UTC')
            GROUP BY kid, carrier_id
            ORDER BY kid, records DESC, carrier_id",
            self.table("ledger")
        );
        self.run("asking which keys are used", async {
            self.client.query_raw(&sql).param("since", since_ms).fetch_all().await
        })
    }
}
