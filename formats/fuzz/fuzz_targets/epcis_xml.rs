#![no_main]
waybill_formats_fuzz::target!("application/vnd.gs1.epcis+xml");
