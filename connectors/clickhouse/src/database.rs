use clickhouse::Client;
use tokio::runtime::{Builder, Runtime};
use waybill_stage::Fault;

use crate::Config;
use crate::failure::fault;

/// A connection (a pool of them) and the runtime that drives it.
pub struct Database {
    pub(crate) config: Config,
    pub(crate) client: Client,
    pub(crate) runtime: Runtime,
}

impl std::fmt::Debug for Database {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Database({:?})", self.config)
    }
}

impl Database {
    /// Checks the configuration; sends nothing yet.
    pub fn open(config: Config) -> Result<Self, Fault> {
        config.check()?;
        let runtime = Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|e| Fault(format!("ClickHouse: cannot start a runtime: {e}")))?;
        let client = config.client()?;
        Ok(Self { config, client, runtime })
    }

    /// Whether it answers, lets us in, and has been migrated.
    pub fn ping(&self) -> Result<(), Fault> {
        let sql = format!("SELECT count() FROM {}", self.table("migrations"));
        self.run("asking whether it is ready", async {
            self.client.query_raw(&sql).fetch_one::<u64>().await.map(|_| ())
        })
    }

    /// The answer to `sql` as a table drawn in text (`FORMAT PrettyCompact`), for people to read.
    /// Tables without a database are those of ours. It cannot change anything.
    pub fn query_text(&self, sql: &str) -> Result<String, Fault> {
        let bytes = self.run("a query", async {
            let query = self
                .client
                .clone()
                .with_database(&self.config.database)
                .query_raw(sql)
                .with_setting("readonly", "2")
                .with_setting("output_format_pretty_row_numbers", "0");
            query.fetch_bytes("PrettyCompactMonoBlock")?.collect().await
        })?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    pub(crate) fn table(&self, name: &str) -> String {
        format!("{}.{name}", self.config.database)
    }

    /// Runs one exchange, within the request's time.
    pub(crate) fn run<T>(
        &self,
        doing: &str,
        exchange: impl Future<Output = clickhouse::error::Result<T>>,
    ) -> Result<T, Fault> {
        let limit = self.config.request_timeout;
        let answer = self.runtime.block_on(async {
            match tokio::time::timeout(limit, exchange).await {
                Ok(answer) => answer,
                Err(_) => Err(clickhouse::error::Error::TimedOut),
            }
        });
        answer.map_err(|error| fault(doing, &error))
    }
}
