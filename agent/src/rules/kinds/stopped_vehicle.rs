use std::time::Duration;

use karaul_wire::CloseReason;

use super::{
    Kind, View,
    pace::shift,
    stay::{Place, Stays, patience},
};
use crate::{
    rules::{
        geometry::{Polygon, length},
        roster::Roster,
        statement::{Said, Shortfall, Unmet},
    },
    vision::Rect,
};

/// A vehicle stands in a zone.
///
/// It stands as long as its box has not moved by more than half its width from where it came to rest. One that creeps on in a jam
/// soon has, and begins anew; one that something drives past, and hides in part or altogether, has not: what counts is
/// what opposite edges of the box have in common ([`shift`]).
#[derive(Debug)]
pub(super) struct StoppedVehicle {
    polygon: Polygon,
    dwell: Duration,
    /// In the zone.
    stays: Stays,
    rests: Roster<Rest>,
}

/// Where a vehicle came to rest.
#[derive(Clone, Copy, Debug)]
struct Rest {
    since: Duration,
    bbox: Rect,
    /// It is elsewhere from then on.
    moved: Option<Duration>,
}

/// A vehicle has moved when it is farther from where it came to rest, in its widths...
const MOVED: f64 = 0.5;

/// ...for so long: one wild box does not set off a vehicle.
const MOVED_FOR: Duration = Duration::from_millis(500);

/// The same of a vehicle that has fired. It may be pushed, or make room for others, without driving off.
const LEFT: f64 = 1.0;

/// The same of a vehicle that has fired.
const LEFT_FOR: Duration = Duration::from_secs(2);

impl StoppedVehicle {
    pub(super) fn new(polygon: Polygon, dwell: Duration) -> Self {
        Self { polygon, dwell, stays: Stays::default(), rests: Roster::default() }
    }
}

impl Kind for StoppedVehicle {
    fn observe(&mut self, view: &View<'_>, said: &mut Said) {
        let at = view.at.mono;
        self.stays.retain_listed(view.tracks);
        self.rests.retain_listed(view.tracks);
        for actor in view.actors {
            let (id, subject, bbox) = (actor.track.id, actor.subject(), actor.track.bbox);
            match self.stays.place(actor, &self.polygon, at, patience, said) {
                Place::Inside => {}
                Place::Left => {
                    self.rests.remove(id);
                    continue;
                }
                Place::Unseen | Place::Outside => continue,
            }
            let stay = self.stays.stay(id, at);
            let begin = || Rest { since: at, bbox, moved: None };
            let rest = self.rests.entry(id, begin);
            if stay.pictures == 1 {
                *rest = begin();
            }
            let (dx, dy) = shift(&rest.bbox, &bbox, view.aspect);
            let moved = length(dx, dy) / (f64::from(rest.bbox.w) * view.aspect).max(1e-6);
            let (far, long) = if stay.fired { (LEFT, LEFT_FOR) } else { (MOVED, MOVED_FOR) };
            let gone = moved > far && at.saturating_sub(*rest.moved.get_or_insert(at)) >= long;
            if moved <= far {
                rest.moved = None;
            }
            if gone {
                *rest = begin();
                if stay.fired {
                    stay.fired = false;
                    said.end(subject, CloseReason::Cleared);
                }
            }
            let dwell = at.saturating_sub(rest.since);
            if stay.fired || moved <= far {
                stay.tell(view, actor, dwell, self.dwell, said);
            } else if actor.counts {
                said.short(subject, Shortfall::new(Unmet::Moving, moved, far));
            }
        }
    }

    fn reset(&mut self) {
        self.stays.clear();
        self.rests.clear();
    }
}
