use clickhouse::Row;
use serde::Deserialize;
use waybill_stage::Fault;

use crate::{Database, Filter};

/// A code that no mapping names, of one carrier.
#[derive(Clone, Debug, PartialEq, Eq, Row, Deserialize)]
pub struct UnmappedCode {
    pub carrier_id: String,
    /// With its list in front.
    pub raw_code: String,
    pub events: u64,
    /// Latest receipt, RFC 3339.
    pub last: String,
}

impl Database {
    /// Events whose code no mapping names, counted by carrier and code; the most first.
    pub fn unmapped_codes(&self, filter: &Filter) -> Result<Vec<UnmappedCode>, Fault> {
        let sql = format!(
            "SELECT toString(carrier_id) AS carrier_id, toString(raw_code) AS raw_code,
                count() AS events,
                formatDateTime(max(received_at), '%Y-%m-%dT%H:%i:%SZ', 'UTC') AS last
            FROM {}
            WHERE has(notes, 'unmapped_code')
                AND received_at >= fromUnixTimestamp64Milli({{since:Int64}}, 'UTC')
                AND ({{carrier:String}} = '' OR events.carrier_id = {{carrier:String}})
            GROUP BY carrier_id, raw_code
            ORDER BY events DESC, carrier_id, raw_code LIMIT {{limit:UInt64}}",
            self.table("events")
        );
        self.run("counting unmapped codes", async {
            self.client
                .query_raw(&sql)
                .param("carrier", filter.carrier.as_deref().unwrap_or_default())
                .param("since", filter.since_ms)
                .param("limit", filter.limit)
                .fetch_all()
                .await
        })
    }
}
