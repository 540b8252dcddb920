//! Tracking answers of ocean carriers in forms of their own, beside what they send by DCSA's standard
//! ([`crate::dcsa`]): a container, and the list of its moves, of which some lie ahead.
//!
//! | carrier | media type |
//! |---|---|
//! | CMA CGM | `application/vnd.cma-cgm.tracking+json` |
//! | Maersk | `application/vnd.maersk.tracking+json` |

pub mod cma_cgm;
pub mod maersk;

use waybill_schemas::Equipment;
use waybill_stage::Reject;

use crate::limits;
use crate::tree::Tree;

/// The container whose number stands at `path`, which is required: the events of it are of nothing else.
fn container(of: Tree<'_>, path: &str, iso_type: Option<String>) -> Result<Equipment, Reject> {
    let number = of.required(path, limits::ID)?.to_owned();
    Ok(Equipment { number, iso_type, empty: None })
}
