use std::time::Duration;

use karaul_wire::{CloseReason, Quantity};

use super::{
    Actor, Kind, View,
    presence::{Presence, number},
    stay::{CONFIRMING_PICTURES, STEP_OUTSIDE},
};
use crate::rules::statement::{Change, Evidence, Said, Shortfall, Subject, Unmet};

/// After a longer pause between two looks nobody knows what was meanwhile. On-demand decoding looks every 10 s at most.
const UNKNOWN: Duration = Duration::from_secs(15);

/// Fewer objects than there must be in a zone, for a time: a post without its guard.
///
/// The time runs from the first look at which too few are found: there were never enough yet, or somebody left, or was lost to
/// sight. Somebody hidden for less than a track is followed is there. Enough are there once that has been seen twice, so one
/// picture with a false detection is no guard; and what has fired ends when they have been there for a while.
///
/// A blind camera is neither an empty post nor a manned one: the time starts anew with the first look after it.
#[derive(Debug)]
pub(super) struct Absence {
    at_least: u32,
    dwell: Duration,
    presence: Presence,
    /// When it was last looked at.
    looked: Option<Duration>,
    /// Looks in a row at which enough were there.
    manned: u32,
    /// The first of them.
    manned_since: Duration,
    gap: Option<Gap>,
}

/// A time with too few.
#[derive(Clone, Copy, Debug)]
struct Gap {
    since: Duration,
    looks: u32,
    fired: bool,
}

impl Absence {
    pub(super) fn new(polygon: crate::rules::geometry::Polygon, at_least: u32, dwell: Duration) -> Self {
        Self {
            at_least,
            dwell,
            presence: Presence::new(Some(polygon)),
            looked: None,
            manned: 0,
            manned_since: Duration::ZERO,
            gap: None,
        }
    }

    /// Are enough there, beyond doubt?
    fn is_manned(&mut self, at: Duration) -> bool {
        if number(self.presence.count()) < self.at_least {
            self.manned = 0;
            return false;
        }
        if self.manned == 0 {
            self.manned_since = at;
        }
        self.manned = self.manned.saturating_add(1);
        // Where looks are far apart each has tracks of its own: then two looks confirm what no track can.
        number(self.presence.confirmed().len()) >= self.at_least || self.manned >= CONFIRMING_PICTURES
    }
}

impl Kind for Absence {
    fn observe(&mut self, view: &View<'_>, said: &mut Said) {
        let at = view.at.mono;
        self.presence.look(view);
        let is_manned = self.is_manned(at);
        let unknown = self.looked.replace(at).is_some_and(|before| at.saturating_sub(before) > UNKNOWN);
        let count = number(self.presence.count());
        if is_manned {
            // Somebody who only looks in has not relieved anybody.
            if self.gap.is_some_and(|gap| !gap.fired || at.saturating_sub(self.manned_since) >= STEP_OUTSIDE)
                && self.gap.take().is_some_and(|gap| gap.fired)
            {
                said.end(Subject::Whole, CloseReason::Cleared);
            }
            said.short(Subject::Whole, Shortfall::new(Unmet::Present, f64::from(count), f64::from(self.at_least)));
            return;
        }
        self.gap.take_if(|gap| unknown && !gap.fired);
        let gap = self.gap.get_or_insert(Gap { since: at, looks: 0, fired: false });
        gap.looks = gap.looks.saturating_add(1);
        let (lasted, dwell) = (at.saturating_sub(gap.since), self.dwell);
        let there = self.presence.confirmed();
        let evidence = there
            .first()
            .map_or(Evidence { score_min: view.min_score, ..Evidence::default() }, |actor| view.evidence(actor))
            .measuring(Quantity::Count, f64::from(number(there.len())), None, Some(f64::from(self.at_least) - 1.0))
            .measuring(Quantity::LastedS, lasted.as_secs_f64(), Some(dwell.as_secs_f64()), None);
        let objects = there.iter().map(|Actor { track, .. }| track);
        if gap.fired {
            said.say(Subject::Whole, Change::Holds, evidence, objects);
        } else if count >= self.at_least {
            // Perhaps a flicker, perhaps the guard: the next look tells.
            said.short(Subject::Whole, Shortfall::new(Unmet::Present, f64::from(count), f64::from(self.at_least)));
        } else if lasted >= dwell && gap.looks >= CONFIRMING_PICTURES {
            gap.fired = true;
            said.say(Subject::Whole, Change::Began, evidence, objects);
        } else {
            said.short(Subject::Whole, Shortfall::new(Unmet::Dwell, lasted.as_secs_f64(), dwell.as_secs_f64()));
        }
    }

    fn reset(&mut self) {
        self.presence.clear();
        self.looked = None;
        self.manned = 0;
        self.gap = None;
    }
}
