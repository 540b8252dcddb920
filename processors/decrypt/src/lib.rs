//! The decrypt stage: every check of docs/sealed-event.md, in its order, both proofs.
//!
//! Who may seal ([`Carriers`]) and what opens ([`PlatformKeys`]) come from the host, which swaps
//! new ones in while the stage runs; each record is checked against one state of both. Time comes
//! in as a parameter: the receipt time decides, and `now` only on revocation and on the age of
//! cached keys.

mod access;
mod budget;
mod checks;
mod costly;
mod delay;
mod door;
mod key_cache;
mod proof;
mod reason;
mod registry;
mod registry_file;
mod restriction;
mod stage;
mod webhook;

pub use access::{Access, ApiKey, Limits, NewKey, Scope};
pub use checks::{Counters, Opener, Settings};
pub use delay::Delay;
pub use door::{Door, Judged, Refused};
pub use reason::Reason;
pub use registry::{Carrier, Carriers, RegisteredKey, Status};
pub use registry_file::RegistryError;
pub use restriction::{Action, Restriction};
pub use stage::Decrypt;
pub use waybill_sealing::platform_key::PlatformKeys;
pub use webhook::{MOST_WEBHOOKS, SecretVersion, Webhook};
