#![no_main]
waybill_formats_fuzz::target!("application/vnd.terminal49.webhook+json");
