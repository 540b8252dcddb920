//! What each file comes to, and what its format is guessed to be.

use crate::shown::{read, said, shared, shown};

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
        let parts = said(&text);
        let rejects = parts.iter().filter(|part| part.is_reject()).count();
        let unmapped = parts.iter().filter(|part| part.notes("unmapped_code")).count();
        let got = match text.strip_prefix("0 reject ") {
            Some(whole) => whole.split(' ').next().unwrap().to_owned(),
            None => format!("{} {rejects} {unmapped}", parts.len() - rejects),
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
