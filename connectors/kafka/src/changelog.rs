use rdkafka::{Message, Offset};
use waybill_stage::Fault;

use crate::KafkaConnection;
use crate::reader::{Go, read as read_partition, settled};

/// Reads one partition of a compacted changelog, from its beginning to its end as it is now.
///
/// The end is the high watermark, also where a transaction is still open below it: the owner
/// before us may have committed offsets whose changelog records are not marked committed yet. So
/// we wait until that is decided. A zombie cannot add to it later: its offsets are fenced by the
/// group's generation, and so is its transaction.
pub(crate) fn read(
    connection: &KafkaConnection,
    topic: &str,
    partition: i32,
    mut each: impl FnMut(&[u8], Option<&[u8]>) -> Result<(), Fault>,
) -> Result<u64, Fault> {
    let (low, high) = settled(connection, topic, partition)?;
    let mut count = 0;
    if low < high {
        read_partition(connection, topic, partition, Offset::Beginning, |message| {
            each(message.key().unwrap_or_default(), message.payload())?;
            count += 1;
            Ok(Go::On)
        })?;
    }
    Ok(count)
}
