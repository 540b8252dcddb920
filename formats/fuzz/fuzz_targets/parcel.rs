//! Every reader of a parcel carrier, one after the other: they are small, and share most of their code.
#![no_main]

libfuzzer_sys::fuzz_target!(|payload: &[u8]| {
    for media_type in waybill_formats_fuzz::parcel_carriers() {
        waybill_formats_fuzz::read(media_type, payload);
    }
});
