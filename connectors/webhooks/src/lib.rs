//! Webhooks: endpoints of carriers are told of their rejects and of chosen milestones of their shipments, signed as
//! Standard Webhooks has it, at least once. What is to be told lies on a topic until it is over
//! (`waybill_kafka::webhook_host`); here is who is told, when, and how.
//!
//! | what | where |
//! |---|---|
//! | who is told what | `endpoints`, `told` |
//! | when | `schedule`, `lane`, `pause` |
//! | where to, and where never | `target`, `address` |
//! | the request | `request`, `trust`, `ended` |
//! | what it is signed with | `secret` |
//! | all of it together | `messenger` |

mod address;
mod ended;
mod endpoints;
mod lane;
mod messenger;
pub mod metrics;
mod pause;
mod request;
mod schedule;
mod secret;
mod target;
mod told;
mod trust;

pub use ended::{Ended, Why};
pub use messenger::{Messenger, Post};
pub use request::{Client, Message, Resolve, Times, system_resolver};
pub use schedule::{Bounds, Job, Schedule};
pub use secret::{PlatformSecret, Secret};
pub use target::{Allowed, Target};
pub use trust::client_config;
