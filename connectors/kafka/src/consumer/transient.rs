//! Which errors pass by themselves.

use std::time::Duration;

use backon::{BlockingRetryable, ConstantBuilder};
use rdkafka::error::{KafkaError, KafkaResult, RDKafkaErrorCode};

/// Whether it is said of a topic that is not there.
pub(super) fn is_unknown(error: &KafkaError) -> bool {
    matches!(
        error.rdkafka_error_code(),
        Some(RDKafkaErrorCode::UnknownTopicOrPartition | RDKafkaErrorCode::UnknownTopic)
    )
}

/// Asks again a few times where a connection was in the way.
pub(crate) fn with_retry<T>(call: impl FnMut() -> KafkaResult<T>) -> KafkaResult<T> {
    call.retry(pauses()).when(is_transient).call()
}

pub(super) fn pauses() -> ConstantBuilder {
    ConstantBuilder::default().with_delay(Duration::from_millis(500)).with_max_times(4)
}

/// Whether reading goes on by itself after this error. What is said here of one connection or one
/// answer is no fault of ours; what ends a client, or an offset that is not there, is.
pub(crate) fn is_transient(error: &KafkaError) -> bool {
    matches!(
        error.rdkafka_error_code(),
        Some(
            RDKafkaErrorCode::AllBrokersDown
                | RDKafkaErrorCode::BrokerTransportFailure
                | RDKafkaErrorCode::OperationTimedOut
                | RDKafkaErrorCode::MessageTimedOut
                | RDKafkaErrorCode::Resolve
                | RDKafkaErrorCode::RequestTimedOut
                | RDKafkaErrorCode::NetworkException
                | RDKafkaErrorCode::NotLeaderForPartition
                | RDKafkaErrorCode::LeaderNotAvailable
                | RDKafkaErrorCode::CoordinatorLoadInProgress
                | RDKafkaErrorCode::CoordinatorNotAvailable
                | RDKafkaErrorCode::NotCoordinator
        )
    )
}
