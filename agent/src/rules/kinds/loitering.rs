use std::time::Duration;

use karaul_wire::CloseReason;

use super::{
    Kind, View,
    stay::{COME_BACK, STEP_OUTSIDE, Stay, Stays},
};
use crate::rules::{
    geometry::Polygon,
    statement::{Change, Evidence, Said, Shortfall, Unmet},
};

/// An object stays about in a zone for long.
///
/// What counts is the time inside, all in all: who leaves for no longer than `away` and comes back goes on where they left off,
/// so walking up and down before a gate is loitering, and so is passing it again and again. Recorders and cameras with a rule of
/// this name measure one uninterrupted stay instead, which walking up and down escapes.
#[derive(Debug)]
pub(super) struct Loitering {
    polygon: Polygon,
    dwell: Duration,
    away: Duration,
    stays: Stays,
}

impl Loitering {
    pub(super) fn new(polygon: Polygon, dwell: Duration, away: Duration) -> Self {
        Self { polygon, dwell, away, stays: Stays::default() }
    }
}

impl Kind for Loitering {
    fn observe(&mut self, view: &View<'_>, said: &mut Said) {
        let at = view.at.mono;
        let away = self.away;
        let patience = |stay: &Stay| away.max(if stay.fired { COME_BACK } else { STEP_OUTSIDE });
        self.stays.retain_listed(view.tracks);
        for actor in view.actors {
            let (id, subject) = (actor.track.id, actor.subject());
            if !actor.track.seen {
                if actor.track.lost {
                    self.stays.lose(id);
                }
                if actor.counts {
                    said.short(subject, Shortfall::of(if actor.track.lost { Unmet::Lost } else { Unmet::Unseen }));
                }
                continue;
            }
            if !self.polygon.contains(actor.point) {
                if self.stays.leave(id, at, patience).is_some_and(|stay| stay.fired) {
                    said.end(subject, CloseReason::Cleared);
                }
                if actor.counts {
                    said.short(subject, Shortfall::of(Unmet::Outside));
                }
                continue;
            }
            // Who comes back between two looks that are far apart has been away all the same.
            if self.stays.get(id).is_some_and(|stay| !stay.is_there())
                && self.stays.leave(id, at, patience).is_some_and(|stay| stay.fired)
            {
                said.end(subject, CloseReason::Cleared);
            }
            let stay = self.stays.stay(id, at);
            let seconds = (stay.inside.as_secs_f64(), self.dwell.as_secs_f64());
            let evidence = Evidence { dwell: Some(seconds), ..view.evidence(actor) };
            if stay.fired {
                said.say(subject, Change::Holds, evidence, [&actor.track]);
            } else if stay.inside < self.dwell || !stay.is_confirmed() {
                if actor.counts {
                    said.short(subject, Shortfall::new(Unmet::Dwell, seconds.0, seconds.1));
                }
            } else if actor.counts {
                stay.fired = true;
                said.say(subject, Change::Began, evidence, [&actor.track]);
            }
        }
    }

    fn reset(&mut self) {
        self.stays.clear();
    }
}
