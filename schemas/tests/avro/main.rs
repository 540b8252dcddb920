//! The published schemas, the Rust types, and the bytes between them. One binary: what the codec is
//! compiled to for each type is most of its building.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

mod evolution;
mod examples;
mod fingerprint;
mod malformed;
mod positions;
mod random;
mod splice;
mod types;
