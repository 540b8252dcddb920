//! UPS.

use super::{check, refused};

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
