//! Platforms that pass on what carriers say.

use super::{check, refused};

#[test]
fn easypost() {
    check(
        "easypost/event-body.json",
        "easypost.event+json",
        &[
            (1, "shipment_created wall=2024-07-31T15:00:00Z offset=0 postal_code=\"32837\""),
            // `arrived_at_facility` says EasyPost; the carrier's code is PU, picked up.
            (2, "picked_up EASYPOST/in_transit/arrived_at_facility city=\"ORLANDO\" region=\"FL\""),
            (4, "departed wall=2024-08-01T14:42:13Z document=\"tracking_number:1\""),
            (7, "arrived city=\"EDISON\" gross_weight=\"614.4_[oz_av]\""),
            (8, "delivered estimated wall=2024-08-05T00:00:00Z offset=none"),
        ],
    );
    check(
        "easypost/tracking_webhook_response.json",
        "easypost.event+json",
        &[
            (1, "shipment_created wall=2014-08-21T14:24:00Z offset=0"),
            (3, "in_transit wall=2014-08-22T08:51:00Z city=\"SOUTH_SAN_FRANCISCO\""),
            (5, "out_for_delivery EASYPOST/out_for_delivery"),
            (6, "delivered actual document=\"tracking_number:EZ4000000004\" country=\"US\""),
        ],
    );
    refused("easypost/webhook_post_example.json", "easypost.event+json", "unsupported /result:");
}

#[test]
fn terminal49() {
    let check_hook = |file: &str, expect: &str| {
        check(&format!("terminal49/webhooks/{file}"), "terminal49.webhook+json", &[(1, expect)]);
    };
    check_hook(
        "destination.json",
        "arrived actual TERMINAL49/container.transport.vessel_arrived wall=2022-10-21T15:53:00Z \
         offset=0 unit=\"CAIU3758064\" bill_of_lading=\"ZIMULEH9024455\" unlocode=\"INNSA\" \
         mode=\"ocean\" imo=\"9278105\" vessel=\"TONGALA\" voyage=\"132/E\"",
    );
    check_hook(
        "rail_inland_moves_.json",
        "loaded wall=2022-10-21T18:11:00Z unit=\"FFAU3144344\" unlocode=\"CAVAN\" mode=\"rail\" \
         seal=\"22626037\" gross_weight=\"35598_[lb_av]\" bill_of_lading=\"6344045750\"",
    );
    check_hook(
        "origin.json",
        "empty_picked_up empty=\"true\" unlocode=\"BEANT\" unit=\"GCNU8802957\"",
    );
    check_hook("destination_7.json", "empty_returned empty=\"true\" unlocode=\"USNYC\"");
    check_hook(
        "container.transport.estimated.vessel_arrived.json",
        "arrived estimated wall=2020-05-18T14:00:00Z offset=0 unlocode=\"USLAX\"",
    );
    check_hook(
        "shipment.estimated.arrival.json",
        "arrived estimated wall=2022-11-01T14:00:00Z unlocode=\"USLAX\" voyage=\"0TUPFE1MA\"",
    );
    check_hook("container.updated.json", "available_for_pickup wall=2022-10-21T20:19:12Z");
    check_hook(
        "container.pickup_appointment.changed.json",
        "appointment_set planned wall=2024-06-28T15:00:00Z unlocode=\"USOAK\"",
    );
    let failed = "terminal49/webhooks/tracking_request.failed.json";
    refused(failed, "terminal49.webhook+json", "carrier_error");
    let lines = "terminal49/shipping-lines.list.json";
    refused(lines, "terminal49.webhook+json", "unsupported");
    check(
        "terminal49/containers.events.json",
        "terminal49.container-events+json",
        &[
            (
                1,
                "gate_out wall=2026-02-26T14:53:00Z offset=0 unlocode=\"USDET\" facility=\"FIRMS/H796\"",
            ),
            (6, "arrived estimated wall=2026-02-25T17:00:00Z"),
            (11, "arrived actual wall=2026-02-20T17:45:11Z unlocode=\"USORF\" voyage=\"068E\""),
        ],
    );
    check(
        "terminal49/containers.raw-events.json",
        "terminal49.container-events+json",
        &[
            (1, "departed wall=2025-12-25T05:43:00Z vessel=\"SEASPAN_EMERALD\" unlocode=\"IDJKT\""),
            (5, "discharged TERMINAL49/rail_unloaded mode=\"rail\" unlocode=\"USDET\""),
            (6, "arrived estimated wall=2026-02-25T17:00:00Z"),
        ],
    );
}
