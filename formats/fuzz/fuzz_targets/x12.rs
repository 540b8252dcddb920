#![no_main]
waybill_formats_fuzz::target!("application/EDI-X12");
