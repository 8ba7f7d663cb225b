use std::time::Duration;

use karaul_wire::CloseReason;

use super::{
    Kind, View,
    stay::{Place, Stay, Stays, patience as usual},
};
use crate::rules::{geometry::Polygon, statement::Said};

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
        let patience = |stay: &Stay| away.max(usual(stay));
        self.stays.retain_listed(view.tracks);
        for actor in view.actors {
            let (id, subject) = (actor.track.id, actor.subject());
            if self.stays.place(actor, &self.polygon, at, patience, said) != Place::Inside {
                continue;
            }
            // Who comes back between two looks that are far apart has been away all the same.
            if self.stays.get(id).is_some_and(|stay| !stay.is_there())
                && self.stays.leave(id, at, patience).is_some_and(|stay| stay.fired)
            {
                said.end(subject, CloseReason::Cleared);
            }
            let stay = self.stays.stay(id, at);
            stay.tell(view, actor, stay.inside, self.dwell, said);
        }
    }

    fn reset(&mut self) {
        self.stays.clear();
    }
}
