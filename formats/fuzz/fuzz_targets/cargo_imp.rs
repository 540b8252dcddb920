#![no_main]
waybill_formats_fuzz::target!("application/vnd.iata.cargo-imp");
