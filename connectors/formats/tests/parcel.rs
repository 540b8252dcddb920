//! Parcel carriers' answers as they were seen: what each file comes to, and of some what a person
//! reads in them.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

mod shown;

use shown::{read, shared, shown};

/// File, media type (`application/vnd.…`), and what it comes to: events, rejects, unmapped codes;
/// or the code of the reject of the whole.
const FILES: &[(&str, &str, &str)] = &[
    ("parcel_karrio/asendia__ErrorResponse.json", "asendia.tracking+json", "carrier_error"),
    ("parcel_karrio/asendia__TrackingResponse.json", "asendia.tracking+json", "3 0 0"),
    ("parcel_karrio/australiapost__ErrorResponse.json", "auspost.tracking+json", "carrier_error"),
    ("parcel_karrio/australiapost__TrackingErrorResponse.json", "auspost.tracking+json", "0 1 0"),
    ("parcel_karrio/australiapost__TrackingResponse.json", "auspost.tracking+json", "27 0 0"),
    ("parcel_karrio/bpost__ErrorResponse.xml", "bpost.tracking+xml", "carrier_error"),
    ("parcel_karrio/bpost__TrackingResponse.xml", "bpost.tracking+xml", "3 0 0"),
    ("parcel_karrio/canadapost__TrackingResponseXml.xml", "canadapost.track+xml", "6 0 0"),
    (
        "parcel_karrio/canadapost__UnknownTrackingNumberResponse.xml",
        "canadapost.track+xml",
        "0 1 0",
    ),
    ("parcel_karrio/chronopost__ErrorResponse.xml", "chronopost.tracking+xml", "0 1 0"),
    ("parcel_karrio/chronopost__TrackingResponse.xml", "chronopost.tracking+xml", "9 0 0"),
    (
        "parcel_karrio/dhl_express__IntransitTrackingResponseXML.xml",
        "dhl.express-tracking+xml",
        "2 0 0",
    ),
    ("parcel_karrio/dhl_express__TrackingResponseXML.xml", "dhl.express-tracking+xml", "19 0 0"),
    (
        "parcel_karrio/dhl_parcel_de__TrackingErrorResponseXML.xml",
        "dhl.parcel-de-tracking+xml",
        "carrier_error",
    ),
    ("parcel_karrio/dhl_parcel_de__TrackingResponseXML.xml", "dhl.parcel-de-tracking+xml", "7 0 0"),
    ("parcel_karrio/dhl_poland__ErrorResponseXML.xml", "dhl.poland-tracking+xml", "carrier_error"),
    ("parcel_karrio/dhl_poland__TrackingResponseXML.xml", "dhl.poland-tracking+xml", "2 0 2"),
    (
        "parcel_karrio/dhl_universal__TrackingErrorResponseJSON.json",
        "dhl.unified-tracking+json",
        "carrier_error",
    ),
    (
        "parcel_karrio/dhl_universal__TrackingResponseJSON.json",
        "dhl.unified-tracking+json",
        "2 0 0",
    ),
    ("parcel_karrio/dpd__ErrorResponse.xml", "dpd.tracking+xml", "carrier_error"),
    ("parcel_karrio/dpd__TrackingResponse.xml", "dpd.tracking+xml", "15 0 0"),
    ("parcel_karrio/fedex__DuplicateTrackingResponse.json", "fedex.track+json", "18 0 0"),
    ("parcel_karrio/fedex__ErrorResponse.json", "fedex.track+json", "carrier_error"),
    ("parcel_karrio/fedex__ProofOfDeliveryResponse.json", "fedex.track+json", "wrong_structure"),
    ("parcel_karrio/fedex__TrackingResponse.json", "fedex.track+json", "1 1 0"),
    ("parcel_karrio/gls__ErrorResponse.json", "gls.tracking+json", "0 1 0"),
    ("parcel_karrio/gls__TrackingResponse.json", "gls.tracking+json", "2 0 0"),
    ("parcel_karrio/hermes__TrackingErrorResponse.json", "hermes.shipmentinfo+json", "0 1 0"),
    ("parcel_karrio/hermes__TrackingResponse.json", "hermes.shipmentinfo+json", "4 0 0"),
    ("parcel_karrio/laposte__ErrorResponse.json", "laposte.suivi+json", "0 1 0"),
    ("parcel_karrio/laposte__TrackingResponse.json", "laposte.suivi+json", "9 0 0"),
    ("parcel_karrio/mydhl__ErrorResponse.json", "mydhl.tracking+json", "carrier_error"),
    ("parcel_karrio/mydhl__ProofOfDeliveryResponse.json", "mydhl.tracking+json", "unsupported"),
    ("parcel_karrio/mydhl__TrackingResponse.json", "mydhl.tracking+json", "2 0 0"),
    (
        "parcel_karrio/parcelone__TrackingNoEventsResponseJSON.json",
        "parcelone.tracking+json",
        "0 1 0",
    ),
    ("parcel_karrio/parcelone__TrackingResponseJSON.json", "parcelone.tracking+json", "5 0 0"),
    ("parcel_karrio/seko__ErrorResponse.json", "seko.tracking+json", "carrier_error"),
    ("parcel_karrio/seko__TrackingResponse.json", "seko.tracking+json", "10 0 0"),
    ("parcel_karrio/seko__TrackingResponse2.json", "seko.tracking+json", "8 0 0"),
    ("parcel_karrio/sendle__ErrorResponse.json", "sendle.tracking+json", "carrier_error"),
    ("parcel_karrio/sendle__TrackingResponse.json", "sendle.tracking+json", "9 0 0"),
    ("parcel_karrio/smartkargo__ErrorResponse.json", "smartkargo.tracking+json", "carrier_error"),
    ("parcel_karrio/smartkargo__PartnerTrackingResponse.json", "smartkargo.tracking+json", "3 0 0"),
    ("parcel_karrio/smartkargo__TrackingResponse.json", "smartkargo.tracking+json", "3 0 0"),
    ("parcel_karrio/spring__TrackingErrorResponse.json", "spring.tracking+json", "carrier_error"),
    ("parcel_karrio/spring__TrackingResponse.json", "spring.tracking+json", "2 0 0"),
    ("parcel_karrio/teleship__ErrorResponse.json", "teleship.tracking+json", "carrier_error"),
    ("parcel_karrio/teleship__TrackingResponse.json", "teleship.tracking+json", "6 0 0"),
    (
        "parcel_karrio/ups__InvalidTrackingNumberResponseJSON.json",
        "ups.track+json",
        "carrier_error",
    ),
    ("parcel_karrio/ups__TrackingNumberNotFoundResponseJSON.json", "ups.track+json", "0 1 0"),
    ("parcel_karrio/ups__TrackingResponseJSON.json", "ups.track+json", "1 0 0"),
    ("parcel_karrio/usps__AuthErrorResponse.json", "usps.tracking+json", "0 1 0"),
    ("parcel_karrio/usps__ErrorResponse.json", "usps.tracking+json", "0 1 0"),
    ("parcel_karrio/usps__TrackingResponse.json", "usps.tracking+json", "12 0 0"),
    ("parcel_karrio/usps_international__ErrorResponse.json", "usps.tracking+json", "0 1 0"),
    ("parcel_karrio/usps_international__TrackingResponse.json", "usps.tracking+json", "12 0 0"),
    ("parcel_xml/dnc_tracking_details_en.xml", "canadapost.track+xml", "7 0 0"),
    ("parcel_xml/track_shipment_response.xml", "stamps.tracking+xml", "3 0 0"),
    ("parcel_xml/tracking_details_en.xml", "canadapost.track+xml", "10 0 0"),
    ("parcel_xml/tracking_details_en_undelivered.xml", "canadapost.track+xml", "8 0 0"),
    ("parcel_xml/tracking_details_fr.xml", "canadapost.track+xml", "10 0 0"),
    ("parcel_xml/tracking_details_no_expected_delivery_date.xml", "canadapost.track+xml", "1 0 0"),
    ("parcel_xml/tracking_response.xml", "usps.tracking+xml", "10 0 0"),
    ("parcel_xml/tracking_response_alt.xml", "usps.tracking+xml", "1 1 0"),
    ("parcel_xml/tracking_response_batch.xml", "usps.tracking+xml", "12 2 0"),
    ("parcel_xml/tracking_response_delivered_at_door.xml", "fedex.track+xml", "10 0 0"),
    ("parcel_xml/tracking_response_delivered_at_facility.xml", "fedex.track+xml", "19 0 0"),
    ("parcel_xml/tracking_response_delivered_with_signature.xml", "fedex.track+xml", "11 0 0"),
    ("parcel_xml/tracking_response_empty_status_detail.xml", "fedex.track+xml", "0 1 0"),
    ("parcel_xml/tracking_response_in_transit.xml", "fedex.track+xml", "1 0 0"),
    ("parcel_xml/tracking_response_missing_status_code.xml", "fedex.track+xml", "0 1 0"),
    ("parcel_xml/tracking_response_multiple_results.xml", "fedex.track+xml", "0 3 0"),
    ("parcel_xml/tracking_response_not_available.xml", "usps.tracking+xml", "0 1 0"),
    ("parcel_xml/tracking_response_not_found.xml", "fedex.track+xml", "0 1 0"),
    ("parcel_xml/tracking_response_shipment_exception.xml", "fedex.track+xml", "8 0 0"),
    ("parcel_xml/tracking_response_with_blank_state.xml", "fedex.track+xml", "1 0 0"),
    ("easypost/event-body.json", "easypost.event+json", "8 0 0"),
    ("easypost/trackers-create.json", "easypost.event+json", "3 0 0"),
    ("easypost/trackers-list.json", "easypost.event+json", "3 0 0"),
    ("easypost/tracking-webhook.json", "easypost.event+json", "6 0 0"),
    ("easypost/tracking_webhook_response.json", "easypost.event+json", "6 0 0"),
    ("easypost/webhook_post_example.json", "easypost.event+json", "0 1 0"),
    ("terminal49/containers.events.json", "terminal49.container-events+json", "11 0 0"),
    ("terminal49/containers.raw-events.json", "terminal49.container-events+json", "7 0 0"),
    ("terminal49/shipments.get.include.json", "terminal49.container-events+json", "unsupported"),
    ("terminal49/shipping-lines.list.json", "terminal49.container-events+json", "unsupported"),
    ("terminal49/webhooks/container.created.json", "terminal49.webhook+json", "1 0 0"),
    (
        "terminal49/webhooks/container.pickup_appointment.changed.json",
        "terminal49.webhook+json",
        "1 0 0",
    ),
    ("terminal49/webhooks/container.pickup_lfd.changed.json", "terminal49.webhook+json", "1 0 0"),
    (
        "terminal49/webhooks/container.pickup_lfd_rail.changed.json",
        "terminal49.webhook+json",
        "1 0 0",
    ),
    (
        "terminal49/webhooks/container.pickup_lfd_terminal.changed.json",
        "terminal49.webhook+json",
        "1 0 0",
    ),
    ("terminal49/webhooks/container.pod_terminal_changed.json", "terminal49.webhook+json", "1 0 0"),
    (
        "terminal49/webhooks/container.transport.estimated.arrived_at_inland_destination.json",
        "terminal49.webhook+json",
        "1 0 0",
    ),
    (
        "terminal49/webhooks/container.transport.estimated.vessel_arrived.json",
        "terminal49.webhook+json",
        "1 0 0",
    ),
    (
        "terminal49/webhooks/container.transport.estimated.vessel_departed.json",
        "terminal49.webhook+json",
        "1 0 0",
    ),
    ("terminal49/webhooks/container.updated.json", "terminal49.webhook+json", "1 0 0"),
    ("terminal49/webhooks/destination.json", "terminal49.webhook+json", "1 0 0"),
    ("terminal49/webhooks/destination_1.json", "terminal49.webhook+json", "1 0 0"),
    ("terminal49/webhooks/destination_2.json", "terminal49.webhook+json", "1 0 0"),
    ("terminal49/webhooks/destination_3.json", "terminal49.webhook+json", "0 1 0"),
    ("terminal49/webhooks/destination_4.json", "terminal49.webhook+json", "0 1 0"),
    ("terminal49/webhooks/destination_5.json", "terminal49.webhook+json", "1 0 0"),
    ("terminal49/webhooks/destination_6.json", "terminal49.webhook+json", "0 1 0"),
    ("terminal49/webhooks/destination_7.json", "terminal49.webhook+json", "1 0 0"),
    ("terminal49/webhooks/origin.json", "terminal49.webhook+json", "1 0 0"),
    ("terminal49/webhooks/origin_1.json", "terminal49.webhook+json", "1 0 0"),
    ("terminal49/webhooks/origin_2.json", "terminal49.webhook+json", "1 0 0"),
    ("terminal49/webhooks/origin_3.json", "terminal49.webhook+json", "1 0 0"),
    ("terminal49/webhooks/rail_inland_moves_.json", "terminal49.webhook+json", "1 0 0"),
    ("terminal49/webhooks/rail_inland_moves__1.json", "terminal49.webhook+json", "1 0 0"),
    ("terminal49/webhooks/rail_inland_moves__2.json", "terminal49.webhook+json", "1 0 0"),
    ("terminal49/webhooks/rail_inland_moves__3.json", "terminal49.webhook+json", "1 0 0"),
    ("terminal49/webhooks/rail_inland_moves__4.json", "terminal49.webhook+json", "1 0 0"),
    ("terminal49/webhooks/shipment.estimated.arrival.json", "terminal49.webhook+json", "1 0 0"),
    (
        "terminal49/webhooks/tracking_request.awaiting_manifest.json",
        "terminal49.webhook+json",
        "0 1 0",
    ),
    ("terminal49/webhooks/tracking_request.failed.json", "terminal49.webhook+json", "0 1 0"),
    ("terminal49/webhooks/tracking_request.succeeded.json", "terminal49.webhook+json", "0 1 0"),
    (
        "terminal49/webhooks/tracking_request.tracking_stopped.json",
        "terminal49.webhook+json",
        "0 1 0",
    ),
    ("terminal49/webhooks/transshipment.json", "terminal49.webhook+json", "1 0 0"),
    ("terminal49/webhooks/transshipment_1.json", "terminal49.webhook+json", "1 0 0"),
    ("terminal49/webhooks/transshipment_2.json", "terminal49.webhook+json", "1 0 0"),
    ("terminal49/webhooks/transshipment_3.json", "terminal49.webhook+json", "1 0 0"),
];

#[test]
fn files() {
    let mut wrong = Vec::new();
    for (file, media_type, expect) in FILES {
        let Some(payload) = shared(file) else { return };
        let text = shown(&read(&format!("application/vnd.{media_type}"), &payload));
        let rejects = text.lines().filter(|line| line.contains(" reject ")).count();
        let unmapped = text.matches(" flag=\"unmapped_code\"").count();
        let got = match text.strip_prefix("0 reject ") {
            Some(whole) => whole.split(' ').next().unwrap().to_owned(),
            None => format!("{} {rejects} {unmapped}", text.lines().count() - rejects),
        };
        if std::env::var_os("SHOW").is_some() {
            println!("## {file}\n{text}");
        }
        if got != *expect {
            wrong.push(format!("(\"{file}\", \"{media_type}\", \"{got}\"),"));
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

/// What a person reads in the file, of one part of it: every word of `expect` is one of the line's.
fn check(file: &str, media_type: &str, parts: &[(usize, &str)]) {
    let Some(payload) = shared(file) else { return };
    let text = shown(&read(&format!("application/vnd.{media_type}"), &payload));
    let lines: Vec<&str> = text.lines().collect();
    for (position, expect) in parts {
        let line = lines[position - 1];
        assert!(line.starts_with(&format!("{position} ")), "{file}: {line}");
        for word in expect.split(' ') {
            // `_` in an expectation is a blank in a value.
            let word = word.replace('_', " ");
            let found = line.replace('_', " ");
            assert!(format!("{found} ").contains(&format!(" {word} ")), "{file}: {word} in {line}");
        }
        // What is not said of the time is not there.
        assert_eq!(line.contains("offset=none"), expect.contains("offset=none"), "{file}: {line}");
    }
}

/// Of the whole message, or of its only part, nothing but this reject.
fn refused(file: &str, media_type: &str, expect: &str) {
    let Some(payload) = shared(file) else { return };
    let text = shown(&read(&format!("application/vnd.{media_type}"), &payload));
    let mut lines = text.lines();
    let line = lines.next().unwrap_or_default();
    assert!(line.split_once(' ').unwrap().1.starts_with(&format!("reject {expect}")), "{line}");
    assert_eq!(lines.next(), None, "{file}");
}

#[test]
fn ups() {
    check(
        "parcel_karrio/ups__TrackingResponseJSON.json",
        "ups.track+json",
        &[(
            1,
            "customs_released actual UPS/X/SR wall=2021-02-10T07:13:56Z offset=none city=\"Wayne\" \
             region=\"NJ\" postal_code=\"07470\" country=\"US\" facility=\"UPS/8566\" \
             tracking_number=\"1Z023E2X0214323462\" shipper_reference=\"ShipRef123\" \
             tracking_number=\"92419900000033499522966220\" mode=\"parcel\" service=\"UPS_Ground\"",
        )],
    );
    let number = "parcel_karrio/ups__InvalidTrackingNumberResponseJSON.json";
    refused(number, "ups.track+json", "carrier_error");
    let missing = "parcel_karrio/ups__TrackingNumberNotFoundResponseJSON.json";
    refused(missing, "ups.track+json", "carrier_error /trackResponse/shipment/0:");
}

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
             document=\"tracking_number:24333892874\" flag=\"unmapped_code\"",
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
        &[(8, "delivered estimated wall=2011-02-11T00:00:00Z offset=none postal_code=\"G1K4M7\"")],
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
            (6, "delivered estimated wall=2025-01-20T00:00:00Z offset=none postal_code=\"90001\""),
        ],
    );
    refused(
        "parcel_karrio/teleship__ErrorResponse.json",
        "teleship.tracking+json",
        "carrier_error",
    );
}

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

/// Every looks-like finds the files of its own format, and whoever is offered others can choose.
#[test]
fn guesses() {
    let mut wrong = Vec::new();
    for (file, media_type, expect) in FILES {
        let Some(payload) = shared(file) else { return };
        let own = waybill_formats::find(&format!("application/vnd.{media_type}")).unwrap().name;
        let names: Vec<_> = waybill_formats::guess(&payload).iter().map(|f| f.name).collect();
        // Errors are often too short to tell of a carrier.
        let short = file.contains("rror") || file.contains("NotFound") || payload.len() <= 400;
        let long = !short && *expect != "unsupported";
        if long && names != [own] {
            wrong.push(format!("{file}: {names:?}"));
        }
        if names.len() > 1 {
            wrong.push(format!("{file}: {names:?}"));
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn limits() {
    let read = |media_type: &str, payload: String| {
        shown(&read(&format!("application/vnd.{media_type}"), payload.as_bytes()))
    };
    let gls = |n: usize| {
        let events = vec!["{}"; n].join(",");
        read(
            "gls.tracking+json",
            format!(r#"{{"parcels":[{{"unitno":"1","events":[{events}]}}]}}"#),
        )
    };
    assert_eq!(gls(10_000).lines().count(), 10_000);
    assert_eq!(gls(10_001), "0 reject too_large more than 10000 events\n");
    let usps = |n: usize| {
        let events = "<TrackDetail/>\n".repeat(n);
        let text = format!("<TrackResponse><TrackInfo ID='1'>{events}</TrackInfo></TrackResponse>");
        read("usps.tracking+xml", text)
    };
    let last = "10000 reject missing_field line 10000: Event: is required";
    assert_eq!(usps(10_000).lines().last(), Some(last));
    assert_eq!(usps(10_001), "0 reject too_large more than 10000 events\n");
    // Every event carries the references of its package: there may not be many of both.
    let ups = |n: usize| {
        let references: Vec<_> = (0..n).map(|n| format!(r#"{{"number":"{n}"}}"#)).collect();
        let package = format!(
            r#"{{"trackingNumber":"1Z","referenceNumber":[{}],"activity":[{{"date":"20260101","status":{{"type":"D"}}}}]}}"#,
            references.join(",")
        );
        read(
            "ups.track+json",
            format!(r#"{{"trackResponse":{{"shipment":{{"package":{package}}}}}}}"#),
        )
    };
    assert!(ups(31).starts_with("1 delivered actual UPS/D "));
    let many = "/trackResponse/shipment/package: more than 32 references";
    assert_eq!(ups(32), format!("1 reject too_large {many}\n"));
    assert!(ups(1_000).starts_with("1 reject too_large"));
    // A name is cut, a number is not.
    let long = "9".repeat(300);
    let text = format!(r#"{{"parcels":[{{"unitno":"{long}","events":[]}}]}}"#);
    let number = "/parcels/0/unitno: more than 256 characters";
    assert_eq!(read("gls.tracking+json", text), format!("1 reject invalid_field {number}\n"));
}
