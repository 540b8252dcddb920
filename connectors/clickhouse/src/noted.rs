use clickhouse::Row;
use serde::Deserialize;
use waybill_stage::Fault;

use crate::{Database, Filter};

/// A note on events of one carrier.
#[derive(Clone, Debug, PartialEq, Eq, Row, Deserialize)]
pub struct Noted {
    pub carrier_id: String,
    /// The note's code: `missing_field`.
    pub note: String,
    /// What it is about: a field, a segment, or nothing.
    pub about: String,
    pub events: u64,
    /// Latest receipt, RFC 3339.
    pub last: String,
}

impl Database {
    /// Notes on events, counted by carrier and by what they are about; the most first.
    pub fn notes(&self, filter: &Filter) -> Result<Vec<Noted>, Fault> {
        // Elements of lists count as one: /references/3/referenceType is /references/referenceType.
        let sql = format!(
            "SELECT toString(carrier_id) AS carrier_id, toString(note) AS note,
                replaceRegexpAll(about, '/[0-9]+', '') AS about,
                count() AS events,
                formatDateTime(max(received_at), '%Y-%m-%dT%H:%i:%SZ', 'UTC') AS last
            FROM {}
            ARRAY JOIN notes AS note, arrayResize(notes_about, length(notes)) AS about
            WHERE received_at >= fromUnixTimestamp64Milli({{since:Int64}}, 'UTC')
                AND ({{carrier:String}} = '' OR carrier_id = {{carrier:String}})
                AND ({{code:String}} = '' OR note = {{code:String}})
            GROUP BY carrier_id, note, about
            ORDER BY events DESC, carrier_id, note, about LIMIT {{limit:UInt64}}",
            self.table("events")
        );
        self.run("counting notes", async {
            self.client
                .query_raw(&sql)
                .param("carrier", filter.carrier.as_deref().unwrap_or_default())
                .param("code", filter.code.as_deref().unwrap_or_default())
                .param("since", filter.since_ms)
                .param("limit", filter.limit)
                .fetch_all()
                .await
        })
    }
}
