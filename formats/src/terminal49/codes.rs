use waybill_schemas::vocabulary::Mode;

use crate::codes::{CodeList, code_list};

/// Event names, without `container.transport.` and `estimated.` in front. Raw events have some of
/// their own.
pub static EVENTS: CodeList = code_list!("terminal49", "TERMINAL49", "Terminal49 event");

/// By what the event tells, as its name says.
pub fn mode(name: &str) -> Option<Mode> {
    let short = name.rsplit('.').next().unwrap_or(name);
    let starts = |prefix: &str| short.starts_with(prefix);
    if starts("vessel") || starts("transshipment") || starts("feeder") {
        return Some(Mode::Ocean);
    }
    if name == "shipment.estimated.arrival" {
        return Some(Mode::Ocean);
    }
    starts("rail").then_some(Mode::Rail)
}

/// Whether the container is empty, by the raw code.
pub(super) fn empty(raw_code: &str) -> Option<bool> {
    let name = raw_code.rsplit('.').next().unwrap_or(raw_code);
    match name.rsplit('/').next().unwrap_or(name) {
        "empty_out" | "empty_in" => Some(true),
        "full_in" | "full_out" => Some(false),
        _ => None,
    }
}
