#![no_main]
waybill_formats_fuzz::target!("application/vnd.iata.one-record+json");
