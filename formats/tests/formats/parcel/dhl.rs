//! DHL: Express, Parcel, unified.

use super::{check, refused};

#[test]
fn dhl() {
    check(
        "parcel_karrio/dhl_express__IntransitTrackingResponseXML.xml",
        "dhl.express-tracking+xml",
        &[
            (
                1,
                "picked_up DHL_EXPRESS/PU wall=2021-05-05T09:42:00Z offset=none \
                 document=\"tracking_number:9053283201\" shipper_reference=\"28707\" \
                 facility=\"DHL/KIN\" city=\"KINGSTON\" country=\"JAM\" gross_weight=\"0.09_kg\"",
            ),
            (
                2,
                "delivered estimated DHL_EXPRESS/estimated_delivery wall=2021-05-07T23:59:00Z \
                 offset=-240 city=\"BROOKLYN\" region=\"NY\" postal_code=\"11233\" country=\"US\"",
            ),
        ],
    );
    check(
        "parcel_karrio/dhl_express__TrackingResponseXML.xml",
        "dhl.express-tracking+xml",
        &[
            (2, "departed DHL_EXPRESS/PO wall=2009-08-28T19:27:00Z offset=none city=\"Barcelona\""),
            (15, "out_for_delivery DHL_EXPRESS/WC offset=none city=\"Milan\" country=\"Italy\""),
            (16, "delivered actual DHL_EXPRESS/OK wall=2009-08-31T10:09:00Z offset=none"),
            (17, "picked_up document=\"tracking_number:7740842550\" offset=none pieces=\"3_1\""),
            (19, "in_transit DHL_EXPRESS/RW wall=2009-08-14T02:19:50Z offset=none"),
        ],
    );
    check(
        "parcel_karrio/mydhl__TrackingResponse.json",
        "mydhl.tracking+json",
        &[
            (
                1,
                "delivered actual DHL_EXPRESS/OK wall=2024-01-15T17:00:00Z offset=none \
                 document=\"tracking_number:9356579890\" city=\"New_York\" region=\"NY\"",
            ),
            (
                2,
                "picked_up DHL_EXPRESS/PU wall=2024-01-15T08:00:00Z offset=none facility=\"DHL/LAX\"",
            ),
        ],
    );
    check(
        "parcel_karrio/dhl_universal__TrackingResponseJSON.json",
        "dhl.unified-tracking+json",
        &[
            (
                1,
                "shipment_created DHL_UNIFIED/pre-transit wall=2018-03-02T07:53:47Z offset=none \
                 document=\"tracking_number:7777777770\" customer_reference=\"YZ3892406173\" \
                 postal_code=\"1043_AG\" country=\"NL\" gross_weight=\"253.5_kg\" pieces=\"8_1\"",
            ),
            (2, "delivered estimated wall=2018-08-03T00:00:00Z offset=0 country=\"NL\""),
        ],
    );
    check(
        "parcel_karrio/dhl_parcel_de__TrackingResponseXML.xml",
        "dhl.parcel-de-tracking+xml",
        &[
            (
                1,
                "accepted DHL_PARCEL_DE/ES wall=2016-03-17T11:44:00Z offset=none city=\"Bremen\" \
                 country=\"Germany\" document=\"tracking_number:00340434161094015902\"",
            ),
            (5, "arrived DHL_PARCEL_DE/EE wall=2016-03-18T03:32:00Z offset=none city=\"Neuwied\""),
            (6, "out_for_delivery DHL_PARCEL_DE/PO wall=2016-03-18T09:02:00Z offset=none"),
            (7, "delivered DHL_PARCEL_DE/ZU wall=2016-03-18T10:02:00Z offset=none city=\"Bonn\""),
        ],
    );
    check(
        "parcel_karrio/dhl_poland__TrackingResponseXML.xml",
        "dhl.poland-tracking+xml",
        &[(
            2,
            "other DHL_POLAND/string wall=2012-10-12T06:40:31Z offset=none \
             document=\"tracking_number:24333892874\" note=\"unmapped_code\"",
        )],
    );
    for (file, media_type, expect) in [
        ("mydhl__ErrorResponse.json", "mydhl.tracking+json", "carrier_error"),
        ("mydhl__ProofOfDeliveryResponse.json", "mydhl.tracking+json", "unsupported"),
        (
            "dhl_universal__TrackingErrorResponseJSON.json",
            "dhl.unified-tracking+json",
            "carrier_error",
        ),
        (
            "dhl_parcel_de__TrackingErrorResponseXML.xml",
            "dhl.parcel-de-tracking+xml",
            "carrier_error",
        ),
        ("dhl_poland__ErrorResponseXML.xml", "dhl.poland-tracking+xml", "carrier_error"),
    ] {
        refused(&format!("parcel_karrio/{file}"), media_type, expect);
    }
}
