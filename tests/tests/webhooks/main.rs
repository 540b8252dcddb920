//! Carriers' endpoints are told of their rejects and milestones.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod erased;
mod instances;
mod requests;
mod told;
mod verifier;
