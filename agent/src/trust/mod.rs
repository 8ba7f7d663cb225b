//! Secrets that cannot print themselves.

mod secret;

pub use secret::Secret;
