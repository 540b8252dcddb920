//! Other carriers of parcels.

use super::{check, refused};

#[test]
fn other_carriers() {
    check(
        "parcel_karrio/chronopost__TrackingResponse.xml",
        "chronopost.tracking+xml",
        &[
            (1, "shipment_created CHRONOPOST/DC wall=2022-06-19T13:47:53Z offset=120"),
            (8, "out_for_delivery CHRONOPOST/TA postal_code=\"62223\" name=\"ARRAS_CHRONOPOST\""),
            (9, "delivered wall=2022-06-22T08:30:00Z document=\"tracking_number:89108749065090\""),
        ],
    );
    refused(
        "parcel_karrio/chronopost__ErrorResponse.xml",
        "chronopost.tracking+xml",
        "carrier_error",
    );
    check(
        "parcel_karrio/dpd__TrackingResponse.xml",
        "dpd.tracking+xml",
        &[
            (
                1,
                "in_transit DPD/BetweenDepots wall=2021-08-17T19:11:26Z offset=none city=\"Puurs\"",
            ),
            (5, "out_for_delivery wall=2021-08-18T10:14:00Z offset=none country=\"DE\""),
            (6, "delivery_attempted DPD/DeliveryFailure wall=2021-08-18T14:43:31Z offset=none"),
            (11, "available_for_pickup wall=2021-08-18T16:41:00Z offset=none country=\"BE\""),
        ],
    );
    refused("parcel_karrio/dpd__ErrorResponse.xml", "dpd.tracking+xml", "carrier_error");
    check(
        "parcel_karrio/gls__TrackingResponse.json",
        "gls.tracking+json",
        &[
            (
                1,
                "accepted wall=2024-10-07T10:46:14Z offset=120 city=\"Berlin\" postal_code=\"10437\"",
            ),
            (2, "shipment_created document=\"tracking_number:36301917596\" country=\"DE\""),
        ],
    );
    refused(
        "parcel_karrio/gls__ErrorResponse.json",
        "gls.tracking+json",
        "carrier_error /parcels/0:",
    );
    check(
        "parcel_karrio/hermes__TrackingResponse.json",
        "hermes.shipmentinfo+json",
        &[
            (1, "shipment_created HERMES/0000 wall=2024-01-18T08:30:00Z offset=60 city=\"Berlin\""),
            (
                4,
                "delivered HERMES/3500 wall=2024-01-20T14:30:00Z customer_reference=\"ORDER-12345\"",
            ),
        ],
    );
    let error = "parcel_karrio/hermes__TrackingErrorResponse.json";
    refused(error, "hermes.shipmentinfo+json", "carrier_error");
    check(
        "parcel_karrio/parcelone__TrackingResponseJSON.json",
        "parcelone.tracking+json",
        &[
            (1, "delivered wall=2024-01-15T14:30:00Z offset=none name=\"Munich,_Germany\""),
            (5, "picked_up PARCELONE/REGISTERED wall=2024-01-13T16:00:00Z offset=none"),
        ],
    );
    let none = "parcel_karrio/parcelone__TrackingNoEventsResponseJSON.json";
    refused(none, "parcelone.tracking+json", "wrong_structure");
    check(
        "parcel_karrio/seko__TrackingResponse.json",
        "seko.tracking+json",
        &[
            (
                1,
                "shipment_created SEKO/OP-1 wall=2024-12-13T09:55:23.043Z offset=none country=\"GB\"",
            ),
            (
                9,
                "out_for_delivery SEKO/OP-21 offset=none country=\"NL\" customer_reference=\"#N30080\"",
            ),
            (
                10,
                "delivered wall=2024-12-24T13:31:47Z offset=none document=\"tracking_number:999880931315\"",
            ),
        ],
    );
    check(
        "parcel_karrio/seko__TrackingResponse2.json",
        "seko.tracking+json",
        &[(8, "shipment_created offset=none document=\"tracking_number:DG30754101666\"")],
    );
    check(
        "parcel_karrio/sendle__TrackingResponse.json",
        "sendle.tracking+json",
        &[
            (1, "shipment_created wall=2023-04-03T08:20:00Z offset=0"),
            (3, "in_transit wall=2023-04-04T16:55:00Z offset=-240 city=\"TEANECK\" region=\"NJ\""),
            (9, "delivered wall=2023-04-05T14:56:00Z offset=-240 city=\"NEW_YORK\""),
        ],
    );
    refused("parcel_karrio/sendle__ErrorResponse.json", "sendle.tracking+json", "carrier_error");
    check(
        "parcel_karrio/smartkargo__TrackingResponse.json",
        "smartkargo.tracking+json",
        &[
            (
                1,
                "delivered SMARTKARGO/DDL wall=2021-01-26T14:30:00Z offset=none iata=\"LAX\" flight=\"AC123\"",
            ),
            (2, "shipment_created SMARTKARGO/BKD offset=none other=\"yogi045-001\" iata=\"BOS\""),
            // Of the piece that is not delivered yet.
            (3, "delivered estimated wall=2021-01-28T23:59:00Z offset=none other=\"yogi045-001\""),
        ],
    );
    check(
        "parcel_karrio/smartkargo__PartnerTrackingResponse.json",
        "smartkargo.tracking+json",
        &[
            (
                1,
                "departed wall=2024-03-15T10:30:00Z offset=none city=\"New_York\" at=\"40.7128,-74.006\"",
            ),
            (2, "accepted SMARTKARGO/RCS iata=\"BOS\" offset=none mode=\"air\""),
        ],
    );
    check(
        "parcel_karrio/teleship__TrackingResponse.json",
        "teleship.tracking+json",
        &[
            (1, "picked_up wall=2025-01-15T09:15:00Z offset=0 city=\"London\" country=\"GB\""),
            (4, "customs_released TELESHIP/customs_cleared customer_reference=\"UK-US-12345\""),
            (
                6,
                "delivered estimated wall=2025-01-20T00:00:00Z_(day) offset=none postal_code=\"90001\"",
            ),
        ],
    );
    refused(
        "parcel_karrio/teleship__ErrorResponse.json",
        "teleship.tracking+json",
        "carrier_error",
    );
}
