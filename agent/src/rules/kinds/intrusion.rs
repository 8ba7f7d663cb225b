use std::time::Duration;

use super::{
    Kind, View,
    stay::{Place, Stays, patience},
};
use crate::rules::{geometry::Polygon, statement::Said};

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
            if self.stays.place(actor, &self.polygon, at, patience, said) != Place::Inside {
                continue;
            }
            let stay = self.stays.stay(actor.track.id, at);
            let dwell = at.saturating_sub(stay.since);
            stay.tell(view, actor, dwell, self.dwell, said);
        }
    }

    fn reset(&mut self) {
        self.stays.clear();
    }
}
