//! What is true of a whole zone for a time: what crowd and group have in common.

use std::time::Duration;

use super::stay::{COME_BACK, CONFIRMING_PICTURES, STEP_OUTSIDE};

/// For how long a condition has been true.
///
/// It runs from the first picture in which it was true to the last one. Before it has fired, a lull shorter than
/// [`STEP_OUTSIDE`] is a detector's, not the scene's; afterwards it is over when it has not been true for [`COME_BACK`], and
/// never by a single picture.
#[derive(Debug, Default)]
pub(super) struct Spell {
    run: Option<Run>,
}

#[derive(Clone, Copy, Debug)]
struct Run {
    since: Duration,
    /// When it was last true.
    last: Duration,
    /// Pictures in which it was.
    pictures: u32,
    /// Pictures since in which it was not.
    lull: u32,
    fired: bool,
}

/// What a spell has come to. How long it has lasted, where it lasts.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Turn {
    /// Not true, or not for long enough.
    Short(Duration),
    Began(Duration),
    Holds(Duration),
    /// It has fired and is not true in this picture.
    Lull,
    Ended,
}

impl Spell {
    /// Takes one picture in which the condition is true or not. `may_begin` unless nothing was really seen.
    pub(super) fn step(&mut self, is_true: bool, may_begin: bool, at: Duration, dwell: Duration) -> Turn {
        if let Some(run) = &mut self.run
            && !is_true
        {
            run.lull = run.lull.saturating_add(1);
            let pause = at.saturating_sub(run.last);
            let patience = if run.fired { COME_BACK } else { STEP_OUTSIDE };
            if run.fired && (pause <= patience || run.lull < CONFIRMING_PICTURES) {
                return Turn::Lull;
            }
            if run.fired {
                self.run = None;
                return Turn::Ended;
            }
            if pause > patience {
                self.run = None;
            }
            return Turn::Short(Duration::ZERO);
        }
        if !is_true {
            return Turn::Short(Duration::ZERO);
        }
        // Where the next look is long in coming, what was not true before it has not been true since.
        self.run.take_if(|run| !run.fired && run.lull > 0 && at.saturating_sub(run.last) > 2 * STEP_OUTSIDE);
        let run = self.run.get_or_insert(Run { since: at, last: at, pictures: 0, lull: 0, fired: false });
        run.last = at;
        run.lull = 0;
        run.pictures = run.pictures.saturating_add(1);
        let lasted = at.saturating_sub(run.since);
        if run.fired {
            Turn::Holds(lasted)
        } else if lasted >= dwell && run.pictures >= CONFIRMING_PICTURES && may_begin {
            run.fired = true;
            Turn::Began(lasted)
        } else {
            Turn::Short(lasted)
        }
    }

    pub(super) fn clear(&mut self) {
        self.run = None;
    }
}
