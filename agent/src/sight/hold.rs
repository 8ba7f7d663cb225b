use std::time::Duration;

use super::{Condition, verdict::Verdict};

/// So long a picture must be of no use before that is said. A lorry that passes takes less; with at most two seconds
/// between two looks everything is said within ten.
const CONFIRM: Duration = Duration::from_secs(6);

/// Where looks are so far apart, the second bad one is enough after this time.
const CONFIRM_SPARSE: Duration = Duration::from_secs(4);

/// As [`CONFIRM`], for another view in which one picture is not like the one before: something may pass that hides all.
const CONFIRM_UNSTEADY: Duration = Duration::from_secs(8);

/// So long a picture must be good again.
const RECOVER: Duration = Duration::from_secs(4);

/// Without a look for so long, what was seen before is no evidence any more. Keyframes come more often.
pub(super) const STALE: Duration = Duration::from_secs(60);

/// Makes a state out of what single looks say.
#[derive(Debug, Default)]
pub(super) struct Hold {
    state: Option<Condition>,
    /// What only the learnt view can disprove, from when it was the state until all is well.
    doubt: Option<Condition>,
    last: Option<Duration>,
    /// Looks that do not say what the state says.
    other: Option<Other>,
    /// The look before said what the state says.
    agreed: bool,
}

#[derive(Debug)]
struct Other {
    since: Duration,
    looks: u32,
    good: bool,
}

impl Hold {
    /// Nothing is known but what was in doubt in another run.
    pub(super) fn remember(doubt: Option<Condition>) -> Self {
        Self { doubt, ..Self::default() }
    }

    pub(super) fn state(&self) -> Option<Condition> {
        self.state
    }

    pub(super) fn doubt(&self) -> Option<Condition> {
        self.doubt
    }

    /// What a verdict comes to after what went before: whatever cannot be disproved still holds.
    pub(super) fn meaning(&self, verdict: Verdict) -> Option<Condition> {
        match verdict {
            Verdict::Good => None,
            Verdict::Wrong(condition) => Some(condition),
            Verdict::Unclear => self.doubt,
        }
    }

    /// Takes what one look says; returns whether the state is another one now.
    pub(super) fn take(&mut self, at: Duration, verdict: Verdict, steady: bool) -> bool {
        let seen = self.meaning(verdict);
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
            if self.state.is_none() && verdict == Verdict::Good {
                self.doubt = None;
            }
            self.agreed = true;
            return false;
        }
        self.agreed = false;
        // One state of trouble may become another while it is confirmed, but not good become bad, nor bad good.
        let good = seen.is_none();
        let (since, looks) = match &self.other {
            Some(other) if other.good == good => (other.since, other.looks + 1),
            _ => (at, 1),
        };
        self.other = Some(Other { since, looks, good });
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
            match seen {
                None => self.doubt = None,
                Some(Condition::Moved | Condition::Blurred | Condition::Dirty) => self.doubt = seen,
                // A picture that shows anything disproves these by itself.
                Some(Condition::Covered | Condition::Dark | Condition::WashedOut | Condition::Frozen) => {}
            }
        }
        enough
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{
        Verdict::{Good, Unclear, Wrong},
        *,
    };

    /// The states that come of one look a second, and when.
    fn states(hold: &mut Hold, from: u64, verdicts: &[(Verdict, usize)]) -> Vec<(u64, Option<Condition>)> {
        let looks = verdicts.iter().flat_map(|(verdict, count)| std::iter::repeat_n(*verdict, *count));
        let mut states = Vec::new();
        for (second, verdict) in (from..).zip(looks) {
            if hold.take(Duration::from_secs(second), verdict, true) {
                states.push((second, hold.state()));
            }
        }
        states
    }

    #[test]
    fn good_looks_count_from_the_first_good_one() {
        let (covered, dark) = (Wrong(Condition::Covered), Wrong(Condition::Dark));
        let mut hold = Hold::default();
        assert_eq!(states(&mut hold, 0, &[(Good, 3), (covered, 10)]), [(9, Some(Condition::Covered))]);
        // Five seconds of something else, and one good look.
        assert_eq!(states(&mut hold, 13, &[(dark, 5), (Good, 1), (covered, 10)]), []);
        assert_eq!(states(&mut hold, 29, &[(dark, 5), (Good, 6)]), [(38, None)]);
    }

    #[test]
    fn what_cannot_be_told_neither_ends_a_doubt_nor_begins_one() {
        let moved = Wrong(Condition::Moved);
        let mut hold = Hold::default();
        assert_eq!(states(&mut hold, 0, &[(Unclear, 100)]), []);
        assert_eq!(states(&mut hold, 100, &[(moved, 10), (Unclear, 100)]), [(106, Some(Condition::Moved))]);
        let dark = Some(Condition::Dark);
        assert_eq!(states(&mut hold, 210, &[(Wrong(Condition::Dark), 10)]), [(216, dark)]);
        assert_eq!(states(&mut hold, 220, &[(Unclear, 10)]), [(226, Some(Condition::Moved))]);
        assert_eq!(states(&mut hold, 230, &[(Good, 10), (Unclear, 100)]), [(234, None)]);
        // What nothing but light is needed for, light disproves.
        assert_eq!(states(&mut hold, 340, &[(Wrong(Condition::Dark), 10)]), [(346, dark)]);
        assert_eq!(states(&mut hold, 350, &[(Unclear, 10)]), [(354, None)]);
    }

    proptest! {
        #[test]
        fn no_good_look_for_four_seconds_is_no_recovery(
            looks in proptest::collection::vec((0_u8..4, 1_u64..8), 1..100),
        ) {
            let verdicts = [Good, Wrong(Condition::Covered), Wrong(Condition::Moved), Unclear];
            let (mut hold, mut at, mut good_since) = (Hold::default(), Duration::ZERO, None);
            for (which, seconds) in looks {
                at += Duration::from_secs(seconds);
                let verdict = verdicts[usize::from(which)];
                if hold.meaning(verdict).is_none() { good_since.get_or_insert(at); } else { good_since = None; }
                if hold.take(at, verdict, true) && hold.state().is_none() {
                    prop_assert!(good_since.is_some_and(|since| at - since >= RECOVER));
                }
            }
        }
    }
}
