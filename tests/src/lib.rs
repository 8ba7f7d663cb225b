//! Placeholder crate.
