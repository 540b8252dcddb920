/// Why a command ends without having done its work; the exit status follows from it.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct Failure {
    pub status: Status,
    pub message: String,
}

/// Exit statuses, as `waybill --help` documents them. 2 is clap's, for a wrong command line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// The work itself failed, or something was lost.
    Failed = 1,
    /// Configuration, keys, token or carriers file.
    Config = 3,
    /// Kafka, ClickHouse or the gateway did not answer, or refused us.
    Unreachable = 4,
}

pub const HELP: &str = "\
Exit status: 0 done; 1 the work failed or something was lost; 2 wrong command line;
3 configuration, keys, token or carriers file; 4 Kafka, ClickHouse or the gateway unreachable.";

impl Failure {
    pub fn failed(message: impl Into<String>) -> Self {
        Self { status: Status::Failed, message: message.into() }
    }
    pub fn config(message: impl Into<String>) -> Self {
        Self { status: Status::Config, message: message.into() }
    }
    pub fn unreachable(message: impl Into<String>) -> Self {
        Self { status: Status::Unreachable, message: message.into() }
    }
}
