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

pub use diary::{Diary, WRITTEN_WITHIN};
pub use files::{ReadError, Writer, read};
pub use record::{About, Record, State};
