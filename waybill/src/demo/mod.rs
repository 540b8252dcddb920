//! The demo: every processor as a process of its own, simulated carriers, a screen, a summary.

pub mod figures;
pub mod processes;
pub mod screen;
pub mod summary;
