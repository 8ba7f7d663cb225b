//! Tracks over time to findings.
//!
//! Pure: no clock, no file, no network. One [`Engine`] watches one camera. A rule is a filter, which says which objects count
//! just now (`filter`), and a kind, which says what they must do (`kinds`, one file each).

mod engine;
mod filter;
pub mod geometry;
mod ground;
mod kinds;
mod roster;
#[cfg(test)]
pub(crate) mod script;
mod statement;

pub use engine::{Engine, Finding, Findings, Look};
pub use ground::{Ground, GroundError};
pub use kinds::Trouble;
pub use statement::{Change, Evidence, Heard, Shortfall, Subject, Unmet};
