//! Findings to incidents: life cycle, cooldown, wording.
//!
//! Pure, like the rules. The [`Desk`] of a camera proposes [`Step`]s; only when the
//! outbox has one safe does the caller say so with [`Desk::committed`], and only then
//! does the incident exist and its cooldown start.

mod desk;
mod wording;

pub use desk::{Cause, Declined, Desk, Fixtures, Step, Withheld, close_orphan, trial};
pub(crate) use desk::{as_test, delivery_alarm, end_of_alarm, taken_alarm};
