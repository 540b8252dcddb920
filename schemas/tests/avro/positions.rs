//! Records are read by position (src/read.rs): the types must list the fields of their schemas, in
//! order. Random values of each schema are written by `apache-avro`, which knows the schema alone,
//! and read by position and by names: two fields that changed places would show. Written again, by
//! position (src/write.rs), they are the same bytes.

use std::fmt::Debug;

use crate::random::records;
use serde_avro_fast::Schema;
use waybill_schemas::{
    AcceptedEvent, Delivery, EnrichedEvent, Erasure, LedgerEntry, Opened, Record, Redrive,
    RejectRecord, Shipment, ShipmentEvent, ShipmentHistory, decode, encode, published, view,
};

#[test]
fn every_type_lists_the_fields_of_its_schema_in_order() {
    fn check<R: Record + Debug>() {
        let schema: Schema = published(R::SCHEMA).unwrap().parse().unwrap();
        for bytes in records::<R>() {
            let record: R = decode(&bytes).unwrap();
            let by_names: R = serde_avro_fast::from_datum_slice(&bytes[10..], &schema).unwrap();
            assert_eq!(format!("{record:?}"), format!("{by_names:?}"), "{}", R::SCHEMA);
            let mut again = Vec::new();
            encode(&record, &mut again).unwrap();
            assert!(bytes == again, "{} is not written as it was read", R::SCHEMA);
        }
    }
    check::<Opened>();
    check::<ShipmentEvent>();
    check::<EnrichedEvent>();
    check::<AcceptedEvent>();
    check::<Shipment>();
    check::<ShipmentHistory>();
    check::<RejectRecord>();
    check::<LedgerEntry>();
    check::<Redrive>();
    check::<Erasure>();
    check::<Delivery>();
}

/// `Debug` names each field, and makes no difference between a text that is borrowed and one that
/// is not.
#[test]
fn every_view_shows_what_its_record_holds() {
    fn check<R: Record + Debug>(shown: impl Fn(&[u8]) -> String) {
        for bytes in records::<R>() {
            assert_eq!(shown(&bytes), format!("{:?}", decode::<R>(&bytes).unwrap()));
        }
    }
    check::<EnrichedEvent>(|b| format!("{:?}", view::<view::EnrichedEvent>(b).unwrap()));
    check::<AcceptedEvent>(|b| format!("{:?}", view::<view::AcceptedEvent>(b).unwrap()));
    check::<RejectRecord>(|b| format!("{:?}", view::<view::RejectRecord>(b).unwrap()));
}

#[test]
fn the_head_of_a_shipment_is_read_alone() {
    for bytes in records::<Shipment>() {
        let shipment: Shipment = decode(&bytes).unwrap();
        let head: view::ShipmentHead = view(&bytes).unwrap();
        assert_eq!(
            (head.shipment_id, head.carrier_id, &head.last.to_owned()),
            (&*shipment.shipment_id, &*shipment.carrier_id, &*shipment.last)
        );
    }
}

#[test]
fn nothing_may_come_behind_a_whole_view() {
    let bytes = records::<RejectRecord>().remove(0);
    let longer = [&bytes[..], &[0]].concat();
    assert!(view::<view::RejectRecord>(&bytes).is_ok());
    assert!(view::<view::RejectRecord>(&longer).is_err());
    for end in 0..bytes.len() {
        assert!(view::<view::RejectRecord>(&bytes[..end]).is_err(), "{end} bytes");
    }
}
