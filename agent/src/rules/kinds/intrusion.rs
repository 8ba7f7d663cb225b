use std::time::Duration;

use karaul_wire::CloseReason;

use super::{
    Kind, View,
    stay::{CONFIRMING_PICTURES, Stays, patience},
};
use crate::rules::{
    geometry::Polygon,
    statement::{Change, Evidence, Said, Shortfall, Unmet},
};

/// An object stays in a zone for at least the dwell time.
#[derive(Debug)]
pub(super) struct Intrusion {
    polygon: Polygon,
    dwell: Duration,
    stays: Stays,
}

impl Intrusion {
    pub(super) fn new(polygon: Polygon, dwell: Duration) -> Self {
        Self { polygon, dwell, stays: Stays::default() }
    }
}

impl Kind for Intrusion {
    fn observe(&mut self, view: &View<'_>, said: &mut Said) {
        let at = view.at.mono;
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
            let stay = self.stays.stay(id, at);
            let dwell = at.saturating_sub(stay.since);
            let seconds = (dwell.as_secs_f64(), self.dwell.as_secs_f64());
            let evidence = Evidence { dwell: Some(seconds), ..view.evidence(actor) };
            if stay.fired {
                said.say(subject, Change::Holds, evidence, [&actor.track]);
            } else if dwell < self.dwell || stay.pictures < CONFIRMING_PICTURES {
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
