//! uplink.
pub mod outbox;
pub use outbox::*;
