//! ClickHouse's side of the boundary: the definitions of its tables and views, in the order in
//! which they are applied. (The rows' types stand in `connectors/clickhouse/src/rows`, since they
//! derive what only its client knows.)

/// A file of `clickhouse/`. Never edited once released: a change is a new file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Migration {
    /// 1, 2, …: without gaps.
    pub version: u32,
    pub name: &'static str,
    /// Statements with [`DATABASE`] for the database's name.
    pub sql: &'static str,
}

/// Stands for the database's name in [`Migration::sql`].
pub const DATABASE: &str = "{database}";

/// Roles and row policies, as statements with [`DATABASE`]: for servers whose users are made in SQL.
pub const ROLES: &str = include_str!("../clickhouse/access/roles.sql");

macro_rules! migrations {
    ($($version:literal $name:literal $file:literal),+ $(,)?) => {
        pub const MIGRATIONS: &[Migration] = &[$(Migration {
            version: $version,
            name: $name,
            sql: include_str!(concat!("../clickhouse/", $file)),
        }),+];

        #[cfg(test)]
        const FILES: &[(u32, &str, &str)] = &[$(($version, $name, $file)),+];
    };
}

migrations! {
    1 "events" "0001_events.sql",
    2 "shipments" "0002_shipments.sql",
    3 "rejects" "0003_rejects.sql",
    4 "throughput" "0004_throughput.sql",
    5 "latency" "0005_latency.sql",
    6 "lane_performance" "0006_lane_performance.sql",
    7 "shipment_timeline" "0007_shipment_timeline.sql",
    8 "carrier_scorecard" "0008_carrier_scorecard.sql",
    9 "ledger" "0009_ledger.sql",
    10 "conservation" "0010_conservation.sql",
    11 "reject_source_topic" "0011_reject_source_topic.sql",
    12 "claimed_rejects" "0012_claimed_rejects.sql",
    13 "topic_id" "0013_topic_id.sql",
    14 "shipment_histories" "0014_shipment_histories.sql",
    15 "ledger_deferred" "0015_ledger_deferred.sql",
    16 "free_text" "0016_free_text.sql",
    17 "erasure" "0017_erasure.sql",
    18 "message_ids" "0018_message_ids.sql",
    19 "sealed_topic" "0019_sealed_topic.sql",
    20 "key_use" "0020_key_use.sql",
    21 "notes" "0021_notes.sql",
    22 "questions" "0022_questions.sql",
    23 "trouble" "0023_trouble.sql",
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_is_listed_in_order_under_its_name() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/clickhouse");
        let mut found: Vec<String> = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .filter(|name| name.ends_with(".sql"))
            .collect();
        found.sort();
        let listed: Vec<String> =
            (1..).zip(FILES).map(|(n, (_, name, _))| format!("{n:04}_{name}.sql")).collect();
        assert_eq!(found, listed);
        for (n, &(version, name, file)) in (1..).zip(FILES) {
            assert_eq!((version, file), (n, format!("{n:04}_{name}.sql").as_str()));
        }
    }
}
