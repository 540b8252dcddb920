#![no_main]
waybill_formats_fuzz::target!("application/vnd.iata.xfsu+xml");
