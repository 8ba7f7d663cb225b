use std::time::Duration;

use karaul_wire::{CloseReason, Quantity};

use super::{Kind, View};
use crate::rules::{
    geometry::Polygon,
    roster::Roster,
    statement::{Change, Said, Shortfall, Unmet},
};

/// An object that has been seen is still there so long after its last sight: a detector that finds a knife in every other
/// picture is one alarm.
const STILL_THERE: Duration = Duration::from_secs(5);

/// An object of a class that must not be there is seen.
///
/// How sure that has to be is the filter's matter: its score, and in how many of the last looks it was found. Of a track that is
/// not seen just now nothing begins.
#[derive(Debug)]
pub(super) struct ObjectSeen {
    polygon: Option<Polygon>,
    /// When each object that has fired was last seen where it counts.
    seen: Roster<Duration>,
}

impl ObjectSeen {
    pub(super) fn new(polygon: Option<Polygon>) -> Self {
        Self { polygon, seen: Roster::default() }
    }
}

impl Kind for ObjectSeen {
    fn observe(&mut self, view: &View<'_>, said: &mut Said) {
        let at = view.at.mono;
        self.seen.retain_listed(view.tracks);
        for actor in view.actors {
            let (id, subject) = (actor.track.id, actor.subject());
            let outside = self.polygon.as_ref().is_some_and(|polygon| !polygon.contains(actor.point));
            if actor.counts && actor.track.seen && !outside {
                let change = if self.seen.get(id).is_some() { Change::Holds } else { Change::Began };
                *self.seen.entry(id, || at) = at;
                let evidence = view.evidence(actor).measuring(
                    Quantity::Looks,
                    f64::from(actor.looks),
                    Some(f64::from(view.confirm)),
                    None,
                );
                said.say(subject, change, evidence, [&actor.track]);
                continue;
            }
            if actor.counts {
                said.short(subject, Shortfall::of(if outside { Unmet::Outside } else { Unmet::Unseen }));
            }
            if self.seen.get(id).is_some_and(|last| at.saturating_sub(*last) > STILL_THERE) {
                self.seen.remove(id);
                said.end(subject, CloseReason::Cleared);
            }
        }
    }

    fn reset(&mut self) {
        self.seen.clear();
    }
}
