//! What was counted as seen a moment ago: some blindness is found out only when it has lasted for a while.

use std::{
    collections::{BTreeMap, VecDeque},
    time::Duration,
};

use jiff::civil::Date;
use karaul_wire::Segment;

use super::book::Place;
use crate::clock::Stamp;

/// A stretch is known for so long after its end, and the present one as long as it lasts. A frozen picture is found out
/// last: after 64 s, or twice that where looks are rare.
const REACH: Duration = Duration::from_secs(180);

/// More stretches of one rule are not kept apart; what is older stays seen.
const MOST: usize = 64;

/// A stretch of time in which a rule was seeing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Seen {
    /// The day that it is counted on.
    pub(super) date: Date,
    pub(super) from: Stamp,
    pub(super) to: Stamp,
}

/// See the [module](self).
#[derive(Debug, Default)]
pub(super) struct Hindsight(BTreeMap<Place, VecDeque<Seen>>);

impl Hindsight {
    /// A rule was seeing, after all that is noted of it before.
    pub(super) fn note(&mut self, place: &Place, seen: Seen) {
        if !self.0.contains_key(place) {
            self.0.insert(place.clone(), VecDeque::new());
        }
        let Some(known) = self.0.get_mut(place) else { return };
        prune(known, seen.to.mono);
        match known.back_mut().filter(|last| last.date == seen.date && last.to == seen.from) {
            Some(last) => last.to = seen.to,
            None => {
                if known.len() >= MOST {
                    known.pop_front();
                }
                known.push_back(seen);
            }
        }
    }

    /// Takes what the rules of a camera have seen since then, on the monotonic time line, out of it.
    pub(super) fn take(&mut self, camera: &Segment, since: Duration) -> Vec<(Place, Seen)> {
        let mut taken = Vec::new();
        for (place, known) in self.0.iter_mut().filter(|((other, _), _)| other == camera) {
            let first = known.partition_point(|seen| seen.to.mono <= since);
            for mut seen in known.split_off(first) {
                if seen.from.mono < since {
                    let middle = at(&seen, since);
                    known.push_back(Seen { to: middle, ..seen.clone() });
                    seen.from = middle;
                }
                taken.push((place.clone(), seen));
            }
        }
        taken
    }

    /// Forgets what is too long ago.
    pub(super) fn prune(&mut self, now: Duration) {
        self.0.retain(|_, known| {
            prune(known, now);
            !known.is_empty()
        });
    }

    /// Forgets all.
    pub(super) fn clear(&mut self) {
        self.0.clear();
    }
}

fn prune(known: &mut VecDeque<Seen>, now: Duration) {
    while known.front().is_some_and(|seen| seen.to.mono + REACH < now) {
        known.pop_front();
    }
}

/// A time within a stretch, reckoned from its end: over hours the two clocks wander.
fn at(seen: &Seen, mono: Duration) -> Stamp {
    let wall = seen.to.wall.checked_sub(seen.to.mono.saturating_sub(mono)).unwrap_or(seen.from.wall);
    Stamp { mono, wall: wall.max(seen.from.wall) }
}
