//! What railways of North America tell of cars beside X12 ([`crate::x12`]): car location messages, a sighting
//! a row. The Association of American Railroads has a letter for what was seen; how the rest of a row is
//! laid out, every railway and every agent has its own.
//!
//! | who | media type |
//! |---|---|
//! | CN, QuickTrace | `text/vnd.cn.quicktrace+csv` |

pub mod quick_trace;

use std::borrow::Cow;

use waybill_schemas::Equipment;
use waybill_stage::Reject;

use crate::codes::{CodeList, code_list};
use crate::limits;
use crate::tree::Tree;

/// What a sighting is of: a container of six digits (its check digit is not marked on the car's side of
/// the message), or a car, trailer or chassis without zeros in front of its number.
fn unit(row: Tree<'_>, [initials, number]: [&str; 2]) -> Result<Equipment, Reject> {
    let mark = row.required(initials, limits::CODE)?.to_ascii_uppercase();
    let digits = row.required(number, limits::CODE)?;
    let is_container = mark.len() == 4 && mark.ends_with(['U', 'J']);
    let digits = match is_container {
        true => Cow::from(format!("{digits:0>6}")),
        false => Cow::from(match digits.trim_start_matches('0') {
            "" => digits,
            short => short,
        }),
    };
    Ok(Equipment { number: [mark.as_str(), &digits].concat(), iso_type: None, empty: None })
}

pub static SIGHTINGS: CodeList =
    code_list!("aar-sightings", "CLM", "Car location message sighting");
