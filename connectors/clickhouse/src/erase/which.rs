//! Which shipments are meant.

use clickhouse::Row;
use serde::Deserialize;
use waybill_stage::Fault;

use crate::Database;

/// How somebody names a shipment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Named {
    /// By its id.
    Shipment(String),
    /// By what its events or itself refer to: a booking, a bill of lading, the number of a unit, …
    Reference(String),
}

/// A shipment that is there.
#[derive(Clone, Debug, PartialEq, Eq, Row, Deserialize)]
pub struct Erasable {
    pub shipment_id: String,
    pub equipment: String,
    pub events: u64,
    /// Receipt of its first event, and of its last, as text.
    pub first: String,
    pub last: String,
}

impl Database {
    /// The carrier's shipments of that name, in order of id.
    pub fn erasable(&self, carrier_id: &str, named: &Named) -> Result<Vec<Erasable>, Fault> {
        let (events, states) = (self.table("events"), self.table("shipment_states"));
        let (which, name) = match named {
            Named::Shipment(id) => ("shipment_id = {name:String}".to_owned(), id),
            Named::Reference(name) => {
                // A shipment by document is CARRIER/KIND:NUMBER.
                let of_id = "position(substring(shipment_id, length({carrier:String}) + 2), \
                    concat(':', {name:String})) > 0 AND endsWith(shipment_id, concat(':', {name:String}))";
                let own = format!(
                    "carrier_id = {{carrier:String}} AND (equipment = {{name:String}} OR ({of_id}) OR has("
                );
                let which = format!(
                    "shipment_id IN (
                        SELECT shipment_id FROM {events} WHERE {own}`references.value`, {{name:String}}))
                        UNION DISTINCT
                        SELECT shipment_id FROM {states} WHERE {own}`documents.value`, {{name:String}})))"
                );
                (which, name)
            }
        };
        let sql = format!(
            "SELECT shipment_id, max(number) AS equipment, sum(n) AS events,
                toString(toDateTime(min(since))) AS first, toString(toDateTime(max(until))) AS last
            FROM (
                SELECT shipment_id, equipment AS number, 1 AS n, received_at AS since, received_at AS until
                FROM {events} WHERE carrier_id = {{carrier:String}} AND {which}
                UNION ALL
                SELECT shipment_id, equipment, 0, first_received_at, last_received_at
                FROM {states} WHERE carrier_id = {{carrier:String}} AND {which}
            ) GROUP BY shipment_id ORDER BY shipment_id"
        );
        let query = self.quiet(&sql).param("carrier", carrier_id).param("name", name);
        self.answer("looking for shipments", query)
    }
}
