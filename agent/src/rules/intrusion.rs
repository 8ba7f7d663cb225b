use std::{collections::HashMap, time::Duration};

use karaul_wire::Why;

use super::{
    engine::Verdict,
    geometry::{Point, Polygon},
};

/// An object stays in a zone for at least the dwell time.
///
/// Dwell runs from the first picture in which the object was inside to the last
/// one, so pictures in which it was not seen neither start nor end it.
#[derive(Debug)]
pub(super) struct Intrusion {
    polygon: Polygon,
    dwell: Duration,
    visits: HashMap<u64, Visit>,
}

#[derive(Debug)]
struct Visit {
    entered: Duration,
    last_inside: Duration,
    /// Pictures in which it was inside.
    inside: u32,
    fired: bool,
}

/// One picture inside is a flicker; two are a visit.
const CONFIRMING_PICTURES: u32 = 2;

/// A box trembles, so a step outside that is shorter than this does not restart the
/// dwell time.
const STEP_OUTSIDE: Duration = Duration::from_secs(1);

/// An object that has fired and comes back within this time is still the same
/// incident: somebody who walks along the border of a zone is one alarm.
const COME_BACK: Duration = Duration::from_secs(5);

impl Intrusion {
    pub(super) fn new(polygon: Polygon, dwell: Duration) -> Self {
        Self { polygon, dwell, visits: HashMap::new() }
    }

    pub(super) fn observe(&mut self, at: Duration, track: u64, point: Point, passes: bool, why: &mut Why) -> Verdict {
        if !self.polygon.contains(point) {
            let Some(visit) = self.visits.get(&track) else { return Verdict::Nothing };
            let patience = if visit.fired { COME_BACK } else { STEP_OUTSIDE };
            if at.saturating_sub(visit.last_inside) <= patience {
                return Verdict::Nothing;
            }
            let fired = visit.fired;
            self.visits.remove(&track);
            return if fired { Verdict::Cleared } else { Verdict::Nothing };
        }
        let visit = self.visits.entry(track).or_insert(Visit { entered: at, last_inside: at, inside: 0, fired: false });
        visit.last_inside = at;
        visit.inside = visit.inside.saturating_add(1);
        let dwell = at.saturating_sub(visit.entered);
        why.dwell_s = Some(dwell.as_secs_f64());
        why.dwell_min_s = Some(self.dwell.as_secs_f64());
        if visit.fired {
            return Verdict::Holds;
        }
        if dwell < self.dwell || visit.inside < CONFIRMING_PICTURES || !passes {
            return Verdict::Nothing;
        }
        visit.fired = true;
        Verdict::Began
    }

    /// Forgets the tracks that are gone.
    pub(super) fn retain(&mut self, lives: impl Fn(u64) -> bool) {
        self.visits.retain(|id, _| lives(*id));
    }
}
