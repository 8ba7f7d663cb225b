//! Why a rule did not fire: what was seen, and which condition was not met.
//!
//! ```text
//! engine → diary (one per camera) → bounded queue → writer (one thread) → decisions/<camera>/<day>.jsonl → karaul why
//! ```
//!
//! A rule says at each look what each object is short of. A [`Diary`] makes spans of that: for so long this object was short of
//! this condition, and at best it came so near. One line of JSON for each span, so that a day of a busy camera is some
//! megabytes; a week is kept. No picture and nothing of a person's looks is in it.

mod diary;
mod files;
mod record;

use std::time::Duration;

pub use diary::Diary;
pub use files::{ReadError, Writer, read};
pub use record::{About, Record, State};

/// What is not said again within this time is over.
const PAUSE: Duration = Duration::from_secs(5);
/// What goes on is written down at least so often: more than this is not lost with the power.
const AT_LEAST_EVERY: Duration = Duration::from_secs(60);
/// What was written is on its way to the disk after so long.
const FLUSH_EVERY: Duration = Duration::from_secs(1);

/// So long after it was so, all of it is on record while the agent runs.
pub const WRITTEN_WITHIN: Duration = AT_LEAST_EVERY.saturating_add(PAUSE).saturating_add(FLUSH_EVERY);
