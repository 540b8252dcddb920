//! What a milestone tells of the way of the cargo.

use waybill_schemas::HistoryEntry;
use waybill_schemas::vocabulary::{Classifier, Milestone};

/// The order of occurrence. Carriers round times to minutes and days, so that events of one stay
/// often share a time: then as they follow each other in a stay, then by id, so that the order is
/// total whatever arrived first.
pub(crate) fn order(entry: &HistoryEntry) -> Order {
    order_of(entry.occurred_at, entry.classifier, entry.milestone, entry.event)
}

pub(crate) type Order = (i64, Classifier, u8, u64);

pub(crate) fn order_of(
    occurred_at: i64,
    classifier: Classifier,
    milestone: Milestone,
    event: i64,
) -> Order {
    (occurred_at, classifier, step(milestone), event.cast_unsigned())
}

/// How events of one stay follow each other.
fn step(milestone: Milestone) -> u8 {
    use Milestone as M;
    match milestone {
        M::BookingRequested
        | M::BookingConfirmed
        | M::BookingDeclined
        | M::BookingCancelled
        | M::DocumentDrafted
        | M::DocumentIssued
        | M::DocumentApproved
        | M::DocumentPending
        | M::DocumentRejected
        | M::DocumentSurrendered
        | M::DocumentReceived
        | M::DocumentVoided
        | M::DocumentReleased
        | M::DocumentSubmitted
        | M::DocumentOnHold
        | M::ShipmentCreated
        | M::Manifested
        | M::AppointmentSet
        | M::Notified
        | M::CustomsSubmitted
        | M::Withdrawn => 0,
        M::Arrived | M::EmptyPickedUp => 1,
        M::Berthed => 2,
        M::Discharged => 3,
        M::GateIn | M::DroppedOff | M::Accepted | M::Received => 4,
        M::Other
        | M::Stuffed
        | M::Stripped
        | M::Inspected
        | M::Resealed
        | M::Removed
        | M::InTransit
        | M::DeliveryAttempted
        | M::AvailableForPickup
        | M::CustomsInspected
        | M::CustomsReleased
        | M::CustomsHold
        | M::SensorReading
        | M::SensorAlert => 5,
        M::GateOut | M::PickedUp => 6,
        M::Loaded | M::OutForDelivery => 7,
        M::Unberthed | M::Delivered => 8,
        M::Departed | M::EmptyReturned | M::Transferred | M::Returned => 9,
    }
}

/// Whether the cargo, or what carries it, is where this happens. A bill of lading is issued in an
/// office, and customs release cargo that is still at sea; an event that was declared void never was.
pub(crate) fn is_physical(milestone: Milestone) -> bool {
    use Milestone as M;
    step(milestone) != 0 && !matches!(milestone, M::CustomsReleased | M::CustomsHold)
}

/// What ends a stay, that which tells best when first.
pub(crate) const LEAVING: &[Milestone] = &[
    Milestone::Departed,
    Milestone::GateOut,
    Milestone::PickedUp,
    Milestone::EmptyPickedUp,
    Milestone::OutForDelivery,
    Milestone::Unberthed,
    Milestone::Transferred,
];

/// What begins a stay, that which tells best when first.
pub(crate) const ARRIVING: &[Milestone] = &[
    Milestone::Arrived,
    Milestone::Berthed,
    Milestone::Discharged,
    Milestone::GateIn,
    Milestone::DroppedOff,
    Milestone::Received,
    Milestone::Accepted,
    Milestone::Delivered,
    Milestone::EmptyReturned,
];

pub(crate) fn leaving(milestone: Milestone) -> bool {
    LEAVING.contains(&milestone)
}

pub(crate) fn arriving(milestone: Milestone) -> bool {
    ARRIVING.contains(&milestone)
}

#[cfg(test)]
mod tests {
    use strum::VariantArray;
    use waybill_schemas::clickhouse::MIGRATIONS;

    use super::*;

    /// Analysts' views tell where the cargo was in the same order: `stay_step` of `current_events`.
    #[test]
    fn the_views_order_events_of_one_time_alike() {
        let latest = MIGRATIONS.iter().rev().find(|m| m.sql.contains("AS stay_step,"));
        let (_, list) = latest.unwrap().sql.split_once("transform(toString(milestone),").unwrap();
        let (list, _) = list.split_once("AS stay_step,").unwrap();
        let (names, steps) = list.split_once(']').unwrap();
        let names: Vec<&str> = names.split('\'').skip(1).step_by(2).collect();
        let steps = steps.split(['[', ']']).nth(1).unwrap().split(", ").map(|n| n.parse().unwrap());
        let steps: Vec<u8> = steps.collect();
        assert_eq!(names.len(), steps.len());
        for &milestone in Milestone::VARIANTS {
            let listed = names.iter().position(|name| *name == milestone.as_str());
            let expected = if is_physical(milestone) { step(milestone) } else { 0 };
            assert_eq!(listed.map_or(0, |n| steps[n]), expected, "{milestone:?}");
        }
    }
}
