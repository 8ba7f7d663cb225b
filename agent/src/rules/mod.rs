//! Tracks over time to findings.

pub mod geometry;
