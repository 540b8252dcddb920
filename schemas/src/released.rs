//! The schemas of the releases, as they were: avro/released/*.avsc. tests/avro/evolution.rs says when one
//! is added, writes it, and holds this list to the folder.

/// The released texts of schema `name`, the oldest first; the last is the current one.
pub fn released(name: &str) -> &'static [&'static str] {
    match name {
        "opened" => &[
            include_str!("../avro/released/opened.1.avsc"),
            include_str!("../avro/released/opened.2.avsc"),
        ],
        "shipment_event" => &[
            include_str!("../avro/released/shipment_event.1.avsc"),
            include_str!("../avro/released/shipment_event.2.avsc"),
            include_str!("../avro/released/shipment_event.3.avsc"),
        ],
        "enriched_event" => &[
            include_str!("../avro/released/enriched_event.1.avsc"),
            include_str!("../avro/released/enriched_event.2.avsc"),
            include_str!("../avro/released/enriched_event.3.avsc"),
        ],
        "accepted_event" => &[
            include_str!("../avro/released/accepted_event.1.avsc"),
            include_str!("../avro/released/accepted_event.2.avsc"),
            include_str!("../avro/released/accepted_event.3.avsc"),
        ],
        "shipment" => &[
            include_str!("../avro/released/shipment.1.avsc"),
            include_str!("../avro/released/shipment.2.avsc"),
        ],
        "shipment_history" => &[
            include_str!("../avro/released/shipment_history.1.avsc"),
            include_str!("../avro/released/shipment_history.2.avsc"),
        ],
        "reject" => &[
            include_str!("../avro/released/reject.1.avsc"),
            include_str!("../avro/released/reject.2.avsc"),
            include_str!("../avro/released/reject.3.avsc"),
        ],
        "ledger_entry" => &[
            include_str!("../avro/released/ledger_entry.1.avsc"),
            include_str!("../avro/released/ledger_entry.2.avsc"),
            include_str!("../avro/released/ledger_entry.3.avsc"),
            include_str!("../avro/released/ledger_entry.4.avsc"),
        ],
        "redrive" => &[
            include_str!("../avro/released/redrive.1.avsc"),
            include_str!("../avro/released/redrive.2.avsc"),
        ],
        "erasure" => &[include_str!("../avro/released/erasure.1.avsc")],
        "delivery" => &[
            include_str!("../avro/released/delivery.1.avsc"),
            include_str!("../avro/released/delivery.2.avsc"),
        ],
        _ => &[],
    }
}
