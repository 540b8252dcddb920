//! FedEx: its JSON interface, and its web service.

use super::{check, refused};

#[test]
fn fedex() {
    check(
        "parcel_karrio/fedex__TrackingResponse.json",
        "fedex.track+json",
        &[
            (
                1,
                "picked_up actual FEDEX/PU wall=2018-02-02T12:01:00Z offset=-420 \
                 document=\"tracking_number:128667043726\" shipper_reference=\"ASJFGVAS\" \
                 city=\"SEATTLE\" region=\"WA\" postal_code=\"98101\" country=\"US\" \
                 exception=\"weather_FEDEX/WEATHER\" gross_weight=\"22222_[lb_av]\"",
            ),
            (2, "reject carrier_error"),
        ],
    );
    check(
        "parcel_karrio/fedex__DuplicateTrackingResponse.json",
        "fedex.track+json",
        &[
            (
                2,
                "available_for_pickup FEDEX/HP wall=2024-04-25T13:26:00Z offset=-420 city=\"FRESNO\"",
            ),
            (3, "in_transit FEDEX/DY exception=\"delay_FEDEX/A52\" facility=\"FEDEX/FATA\""),
            (10, "shipment_created FEDEX/OC wall=2024-04-24T15:30:57Z offset=-300"),
            (11, "delivered actual FEDEX/DL wall=2024-04-26T09:26:00Z other=\"DT106798246430\""),
            (17, "delivery_attempted FEDEX/DE exception=\"recipient_absent_FEDEX/08\""),
            (18, "out_for_delivery FEDEX/OD gross_weight=\"0.45_kg\""),
        ],
    );
    refused("parcel_karrio/fedex__ErrorResponse.json", "fedex.track+json", "carrier_error");
    let proof = "parcel_karrio/fedex__ProofOfDeliveryResponse.json";
    refused(proof, "fedex.track+json", "wrong_structure no event in it");
}

#[test]
fn fedex_soap() {
    check(
        "parcel_xml/tracking_response_delivered_at_door.xml",
        "fedex.track+xml",
        &[
            (
                1,
                "delivered FEDEX/DL wall=2014-01-08T12:53:10Z offset=-480 city=\"Spokane\" \
                 region=\"WA\" postal_code=\"99206\" country=\"US\" gross_weight=\"0.4_[lb_av]\" \
                 document=\"tracking_number:403934084723025\"",
            ),
            (5, "departed FEDEX/DP wall=2014-01-07T21:54:07Z city=\"TROUTDALE\""),
            (9, "shipment_created FEDEX/OC wall=2014-01-03T15:03:00Z offset=-300"),
            (10, "picked_up FEDEX/PU wall=2014-01-03T00:00:00Z offset=none city=\"CAMBRIDGE\""),
        ],
    );
    check(
        "parcel_xml/tracking_response_in_transit.xml",
        "fedex.track+xml",
        &[(
            1,
            "in_transit FEDEX/IT wall=2014-11-18T18:13:00Z offset=660 city=\"ALEXANDRIA\" \
             country=\"AU\" shipper_reference=\"0010-4016328-C\"",
        )],
    );
    check(
        "parcel_xml/tracking_response_shipment_exception.xml",
        "fedex.track+xml",
        &[(1, "in_transit FEDEX/SE exception=\"other_FEDEX/099\" city=\"FORT_WORTH\"")],
    );
    let unknown = "parcel_xml/tracking_response_not_found.xml";
    refused(unknown, "fedex.track+xml", "carrier_error line 31:");
}
