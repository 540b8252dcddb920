//! An accepted event is the enriched one, of which shipment it is, and its history. In Avro a record
//! is its fields one behind the other, whatever record they stand in: so its bytes are those of the
//! enriched event, with another shipment id put in, and the history behind them.

use serde::Deserialize;

use crate::read::read;
use crate::view::Provenance;
use crate::write::write;
use crate::{AcceptedEvent, DecodeError, EncodeError, EnrichedEvent, EventId, History, Record};
use crate::{decode, encode};

/// What stands before the shipment id.
#[derive(Deserialize)]
#[serde(bound(deserialize = "'de: 'a"))]
struct BeforeShipmentId<'a> {
    #[expect(dead_code, reason = "read for its length alone")]
    provenance: Provenance<'a>,
    #[expect(dead_code, reason = "read for its length alone")]
    position: u32,
    #[expect(dead_code, reason = "read for its length alone")]
    event_id: EventId,
}

/// Appends the [`AcceptedEvent`] that is made of an [`EnrichedEvent`], both in single-object
/// encoding. What stands behind the shipment id is copied as it is: read it first, by
/// [`view`](crate::view()).
pub fn accepted(
    enriched: &[u8],
    shipment_id: &str,
    history: &History,
    to: &mut Vec<u8>,
) -> Result<(), SpliceError> {
    let Some(datum) = EnrichedEvent::schemas().current_datum(enriched) else {
        // Of an older release.
        let EnrichedEvent { mut event, enrichment } = decode(enriched)?;
        event.shipment_id = shipment_id.to_owned();
        return Ok(encode(&AcceptedEvent { event, enrichment, history: *history }, to)?);
    };
    let datum_of = |e: crate::read::Malformed| DecodeError::Datum(e.to_string());
    let (_, from_id) = read::<BeforeShipmentId<'_>>(datum).map_err(datum_of)?;
    let (_, behind_id) = read::<&str>(from_id).map_err(datum_of)?;
    let (before_id, _) = datum.split_at(datum.len() - from_id.len());

    AcceptedEvent::schemas().begin(to);
    to.extend_from_slice(before_id);
    let encode_of = |e: crate::write::Unfit| EncodeError::new(&e);
    write(shipment_id, to).map_err(encode_of)?;
    to.extend_from_slice(behind_id);
    Ok(write(history, to).map_err(encode_of)?)
}

#[derive(Debug, thiserror::Error)]
pub enum SpliceError {
    /// What is no enriched event.
    #[error(transparent)]
    Decode(#[from] DecodeError),
    #[error(transparent)]
    Encode(#[from] EncodeError),
}
