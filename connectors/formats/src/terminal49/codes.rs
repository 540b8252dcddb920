use waybill_schemas::vocabulary::{Milestone as M, Mode};

use crate::codes::{CodeList, code};

/// Event names, without `container.transport.` and `estimated.` in front. Raw events have some of
/// their own.
pub const EVENTS: CodeList = CodeList {
    prefix: "TERMINAL49",
    name: "Terminal49 event",
    rows: &[
        // transport events
        code("empty_out", M::EmptyPickedUp, "Empty out"),
        code("full_in", M::GateIn, "Full in"),
        code("vessel_loaded", M::Loaded, "Vessel loaded"),
        code("vessel_departed", M::Departed, "Vessel departed"),
        code("transshipment_arrived", M::Arrived, "Transshipment arrived"),
        code("transshipment_discharged", M::Discharged, "Transshipment discharged"),
        code("transshipment_loaded", M::Loaded, "Transshipment loaded"),
        code("transshipment_departed", M::Departed, "Transshipment departed"),
        code("feeder_arrived", M::Arrived, "Feeder arrived"),
        code("feeder_discharged", M::Discharged, "Feeder discharged"),
        code("feeder_loaded", M::Loaded, "Feeder loaded"),
        code("feeder_departed", M::Departed, "Feeder departed"),
        code("vessel_arrived", M::Arrived, "Vessel arrived"),
        code("vessel_berthed", M::Berthed, "Vessel berthed"),
        code("vessel_discharged", M::Discharged, "Vessel discharged"),
        code("full_out", M::GateOut, "Full out"),
        code("empty_in", M::EmptyReturned, "Empty in"),
        code("rail_loaded", M::Loaded, "Rail loaded"),
        code("rail_departed", M::Departed, "Rail departed"),
        code("rail_arrived", M::Arrived, "Rail arrived"),
        code("rail_unloaded", M::Discharged, "Rail unloaded"),
        code("rail_interchange_delivered", M::Transferred, "Rail interchange delivered"),
        code("rail_interchange_received", M::Received, "Rail interchange received"),
        code("arrived_at_inland_destination", M::Arrived, "Arrived at inland destination"),
        code("arrived_at_destination", M::Arrived, "Arrived at destination"),
        code("estimated_arrived_at_inland_destination", M::Arrived, "Arrival estimate changed"),
        code("inland_destination_arrived", M::Arrived, "Arrived at inland destination"),
        code("available", M::AvailableForPickup, "Available at destination"),
        code("not_available", M::Other, "Not available at destination"),
        code("delivered", M::Delivered, "Delivered"),
        // containers
        code("container.created", M::ShipmentCreated, "Container created"),
        code("container.updated", M::Other, "Container updated"),
        code("container.pod_terminal_changed", M::Other, "Terminal of discharge changed"),
        code("container.pickup_lfd.changed", M::Other, "Last free day changed"),
        code("container.pickup_lfd_line.changed", M::Other, "Line's last free day changed"),
        code("container.pickup_lfd_rail.changed", M::Other, "Railway's last free day changed"),
        code("container.pickup_lfd_terminal.changed", M::Other, "Terminal's last free day changed"),
        code("container.pickup_appointment.changed", M::AppointmentSet, "Appointment changed"),
        // shipments
        code("shipment.estimated.arrival", M::Arrived, "Estimated arrival of the shipment changed"),
        // raw events
        code("departed", M::Departed, "Departed"),
        code("arrived", M::Arrived, "Arrived"),
        code("carrier_release", M::DocumentReleased, "Released by the carrier"),
        code("customs_release", M::CustomsReleased, "Released by customs"),
    ],
};

/// By what the event tells, as its name says.
pub fn mode(name: &str) -> Option<Mode> {
    let short = name.rsplit('.').next().unwrap_or(name);
    let starts = |prefix: &str| short.starts_with(prefix);
    if starts("vessel") || starts("transshipment") || starts("feeder") {
        return Some(Mode::Ocean);
    }
    if name == "shipment.estimated.arrival" {
        return Some(Mode::Ocean);
    }
    starts("rail").then_some(Mode::Rail)
}

/// Whether the container is empty, by the raw code.
pub(super) fn empty(raw_code: &str) -> Option<bool> {
    let name = raw_code.rsplit('.').next().unwrap_or(raw_code);
    match name.rsplit('/').next().unwrap_or(name) {
        "empty_out" | "empty_in" => Some(true),
        "full_in" | "full_out" => Some(false),
        _ => None,
    }
}
