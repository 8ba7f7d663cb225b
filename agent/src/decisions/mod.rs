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

use std::{cmp::Ordering, time::Duration};

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

/// A value to so many parts of one, and its limit. What just fails a limit does not look as if it met it: of 0.9999 for a
/// limit of 1 and a thousand parts comes 0.999.
pub(crate) fn rounded(value: f64, limit: f64, parts: f64) -> (f64, f64) {
    let [near, bound] = [value, limit].map(|number| (number * parts).round());
    let near = match value.total_cmp(&limit) {
        Ordering::Less if near == bound => near - 1.0,
        Ordering::Greater if near == bound => near + 1.0,
        _ => near,
    };
    (near / parts, bound / parts)
}

#[cfg(test)]
mod tests {
    use super::rounded;

    #[test]
    fn what_just_fails_a_limit_does_not_look_as_if_it_met_it() {
        assert_eq!(rounded(0.999_895, 1.0, 1e3), (0.999, 1.0));
        assert_eq!(rounded(1.000_105, 1.0, 1e3), (1.001, 1.0));
        assert_eq!(rounded(0.999, 1.0, 1e2), (0.99, 1.0));
        assert_eq!(rounded(1.0, 1.0, 1e3), (1.0, 1.0));
        assert_eq!(rounded(1.234_56, 2.0, 1e3), (1.235, 2.0));
    }
}
