//! Posts.

use super::{check, refused};

#[test]
fn usps() {
    check(
        "parcel_karrio/usps__TrackingResponse.json",
        "usps.tracking+json",
        &[
            (
                1,
                "delivered actual USPS/01 wall=2024-11-22T13:58:00Z offset=-300 mode=\"post\" \
                 city=\"HERNANDO\" region=\"FL\" postal_code=\"34442\" country=\"US\" \
                 document=\"tracking_number:9400109104250532908587\"",
            ),
            (4, "arrived USPS/A1 city=\"JACKSONVILLE_FL_DISTRIBUTION_CENTER\" offset=-300"),
            (8, "departed USPS/T1 wall=2024-11-19T06:16:00Z"),
            (11, "accepted USPS/03 city=\"JAMAICA\""),
            (12, "shipment_created USPS/GX wall=2024-11-15T11:32:00Z offset=-300"),
        ],
    );
    check(
        "parcel_xml/tracking_response.xml",
        "usps.tracking+xml",
        &[
            (1, "delivered USPS/01 wall=2015-04-28T09:01:00Z offset=none city=\"HANNA_CITY\""),
            (6, "arrived USPS/10 wall=2015-04-27T16:04:00Z offset=none region=\"MO\""),
            (7, "departed USPS/EF wall=2015-04-26T00:18:00Z offset=none city=\"COPPELL\""),
            (10, "shipment_created USPS/GX wall=2015-04-23T23:36:00Z offset=none country=\"US\""),
        ],
    );
    check(
        "parcel_xml/tracking_response_alt.xml",
        "usps.tracking+xml",
        &[
            (
                1,
                "out_for_delivery USPS/OF wall=2015-04-28T08:29:00Z offset=none country=\"CANADA\"",
            ),
            (2, "reject missing_field line 40: EventDate: is required"),
        ],
    );
    check(
        "parcel_xml/tracking_response_batch.xml",
        "usps.tracking+xml",
        &[
            (11, "delivered document=\"tracking_number:5555555555555555555555\" offset=none"),
            (13, "reject carrier_error"),
            (14, "reject carrier_error"),
        ],
    );
    let error = "parcel_karrio/usps__ErrorResponse.json";
    refused(error, "usps.tracking+json", "carrier_error the carrier answers");
}

#[test]
fn canada_post() {
    check(
        "parcel_karrio/canadapost__TrackingResponseXml.xml",
        "canadapost.track+xml",
        &[
            (
                2,
                "out_for_delivery CANADA_POST/0174 wall=2011-02-03T08:27:43Z offset=-300 \
                 city=\"SAINTE-FOY\" region=\"QC\" country=\"CA\" mode=\"post\" \
                 document=\"tracking_number:7023210039414604\" \
                 customer_reference=\"APRIL1REF1A\" customer_reference=\"APRIL1REF1C\"",
            ),
            (4, "in_transit CANADA_POST/0173 exception=\"address_CANADA_POST/0173\""),
            (5, "delivered CANADA_POST/1496 wall=2011-02-01T07:59:52Z"),
        ],
    );
    check(
        "parcel_xml/dnc_tracking_details_en.xml",
        "canadapost.track+xml",
        &[
            (1, "delivered CANADA_POST/1498 wall=2011-01-27T14:02:29Z city=\"VANKLEEK_HILL\""),
            (2, "available_for_pickup facility=\"CANADA_POST/0000315052\" region=\"ON\""),
            (3, "delivery_attempted CANADA_POST/1479 wall=2011-01-11T11:59:59Z offset=-300"),
            (6, "picked_up CANADA_POST/2300 city=\"MISSISSAUGA\""),
            (7, "shipment_created CANADA_POST/3000"),
        ],
    );
    // The expected day of a parcel that is not delivered yet.
    check(
        "parcel_xml/tracking_details_en_undelivered.xml",
        "canadapost.track+xml",
        &[(
            8,
            "delivered estimated wall=2011-02-11T00:00:00Z_(day) offset=none postal_code=\"G1K4M7\"",
        )],
    );
    let unknown = "parcel_karrio/canadapost__UnknownTrackingNumberResponse.xml";
    refused(unknown, "canadapost.track+xml", "carrier_error line 2:");
}

#[test]
fn other_posts() {
    check(
        "parcel_karrio/australiapost__TrackingResponse.json",
        "auspost.tracking+json",
        &[
            (
                1,
                "in_transit wall=2021-02-03T08:08:00Z offset=660 document=\"tracking_number:ET123456789AU\"",
            ),
            (4, "customs_released wall=2021-01-28T01:59:11Z city=\"BRISBANE\" region=\"QLD\""),
            (9, "delivered wall=2021-01-21T11:04:27Z city=\"KEW\" region=\"VIC\" country=\"AU\""),
            (11, "in_transit wall=2021-01-20T11:55:37Z"),
            (16, "customs_released city=\"CHICAGO\" country=\"US\""),
            (18, "delivered country=\"NZ\" document=\"tracking_number:00123456789000123400\""),
            (23, "customs_submitted wall=2021-01-31T07:57:52Z offset=660"),
        ],
    );
    let error = "parcel_karrio/australiapost__TrackingErrorResponse.json";
    refused(error, "auspost.tracking+json", "carrier_error /tracking_results/0:");
    check(
        "parcel_karrio/laposte__TrackingResponse.json",
        "laposte.suivi+json",
        &[
            (1, "delivered LAPOSTE/DI1 wall=2023-03-09T09:38:00Z offset=60"),
            (2, "out_for_delivery LAPOSTE/MD2 wall=2023-03-09T09:01:00Z"),
            (6, "in_transit LAPOSTE/ET1 wall=2023-02-18T07:34:12Z"),
            (9, "shipment_created LAPOSTE/DR1 document=\"tracking_number:EW112720413FR\""),
        ],
    );
    refused("parcel_karrio/laposte__ErrorResponse.json", "laposte.suivi+json", "carrier_error");
    check(
        "parcel_karrio/bpost__TrackingResponse.xml",
        "bpost.tracking+xml",
        &[
            (1, "in_transit BPOST/T00 wall=2012-11-22T23:19:29Z offset=60 gross_weight=\"380_g\""),
            (2, "out_for_delivery BPOST/L00 wall=2012-11-23T07:11:18.923Z"),
            (3, "delivered BPOST/U01 customer_reference=\"TEST_AUTOMATIC_SORTER\" mode=\"post\""),
        ],
    );
    refused("parcel_karrio/bpost__ErrorResponse.xml", "bpost.tracking+xml", "carrier_error");
    check(
        "parcel_karrio/asendia__TrackingResponse.json",
        "asendia.tracking+json",
        &[
            (
                1,
                "picked_up ASENDIA/PU wall=2024-04-12T14:30:00Z offset=0 city=\"Bern\" country=\"CH\"",
            ),
            (3, "delivered document=\"tracking_number:ASENDIA123456789\" city=\"New_York\""),
        ],
    );
    refused("parcel_karrio/asendia__ErrorResponse.json", "asendia.tracking+json", "carrier_error");
    check(
        "parcel_karrio/spring__TrackingResponse.json",
        "spring.tracking+json",
        &[
            (
                1,
                "accepted SPRING/20 wall=2024-01-01T12:00:00Z offset=0 shipper_reference=\"ORDER-12345\"",
            ),
            (
                2,
                "delivered SPRING/100 city=\"Berlin\" country=\"DE\" tracking_number=\"3STEST1234567890\"",
            ),
        ],
    );
    let error = "parcel_karrio/spring__TrackingErrorResponse.json";
    refused(error, "spring.tracking+json", "carrier_error");
    check(
        "parcel_xml/track_shipment_response.xml",
        "stamps.tracking+xml",
        &[
            (1, "delivered STAMPS/Delivered wall=2008-02-19T10:32:00Z offset=none region=\"IN\""),
            (3, "shipment_created wall=2008-02-13T16:09:00Z offset=none postal_code=\"90066\""),
        ],
    );
}
