use std::time::Duration;

use super::Condition;

/// So long a picture must be of no use before that is said. A lorry that passes takes less; with at most two seconds
/// between two looks everything is said within ten.
const CONFIRM: Duration = Duration::from_secs(6);

/// Where looks are so far apart, the second bad one is enough after this time.
const CONFIRM_SPARSE: Duration = Duration::from_secs(4);

/// As [`CONFIRM`], for another view in which one picture is not like the one before: something may pass that hides all.
const CONFIRM_UNSTEADY: Duration = Duration::from_secs(8);

/// So long a picture must be good again.
const RECOVER: Duration = Duration::from_secs(4);

/// Without a look for so long, what was seen before is no evidence any more.
const STALE: Duration = Duration::from_secs(20);

/// Makes a state out of what single looks say.
#[derive(Debug, Default)]
pub(super) struct Hold {
    state: Option<Condition>,
    last: Option<Duration>,
    /// A condition that is not the state's, since when, and in how many looks.
    other: Option<(Duration, u32)>,
    /// The look before said what the state says.
    agreed: bool,
}

impl Hold {
    pub(super) fn state(&self) -> Option<Condition> {
        self.state
    }

    /// Takes what one look says; returns whether the state is another one now.
    pub(super) fn take(&mut self, at: Duration, seen: Option<Condition>, steady: bool) -> bool {
        let stale = self.last.is_some_and(|last| at.saturating_sub(last) > STALE || at < last);
        let gap = self.last.map_or(Duration::ZERO, |last| at.saturating_sub(last));
        self.last = Some(at);
        if stale {
            self.other = None;
        }
        if seen == self.state {
            // One good look among bad ones is no recovery, one bad among good ones is none either.
            if self.agreed || self.state.is_some() {
                self.other = None;
            }
            self.agreed = true;
            return false;
        }
        self.agreed = false;
        let (since, looks) = match self.other {
            // One state of trouble may become another while it is confirmed, but not good become bad.
            Some((since, looks)) => (since, looks + 1),
            None => (at, 1),
        };
        self.other = Some((since, looks));
        let lasts = at.saturating_sub(since);
        let passes = seen == Some(Condition::Moved) && !steady;
        let confirm = if passes { CONFIRM_UNSTEADY } else { CONFIRM };
        let enough = match (self.state, seen) {
            // It has a span of its own.
            (_, Some(Condition::Frozen)) => true,
            (_, None) => lasts >= RECOVER && looks >= 2,
            (_, Some(_)) => looks >= 2 && (lasts >= confirm || (gap >= CONFIRM_SPARSE && lasts >= CONFIRM_SPARSE)),
        };
        if enough {
            self.state = seen;
            self.other = None;
        }
        enough
    }
}
