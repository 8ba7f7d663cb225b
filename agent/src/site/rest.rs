//! Which objects are at rest. A parked car is there for hours: it is looked at in keyframes only, with decoding on demand.

use std::{collections::HashMap, time::Duration};

use crate::{
    track::Track,
    vision::{Detection, Rect},
};

/// An object that stood still for less may be about to go on. Longer than a wait at a door or a gate.
const PAUSE: Duration = Duration::from_secs(30);

/// Boxes tremble. One that overlaps the place it was at by so much (intersection over union) has not left it: a
/// person's box that moves by a sixth of its width overlaps by 0.71.
const SAME_PLACE: f32 = 0.7;

/// A detection that overlaps a place by so much is the object there: in a keyframe, with the blur of its compression,
/// boxes tremble more.
const SAME_OBJECT: f32 = 0.5;

/// Where each object stands, and since when.
#[derive(Debug)]
pub(super) struct Rest {
    after: Duration,
    places: HashMap<u64, Place>,
}

#[derive(Debug)]
struct Place {
    class: u16,
    bbox: Rect,
    since: Duration,
    at_rest: bool,
}

impl Rest {
    /// `dwell` is the longest that a rule waits for: until it has passed nothing is at rest.
    pub(super) fn new(dwell: Duration) -> Self {
        Self { after: PAUSE.max(dwell), places: HashMap::new() }
    }

    /// Takes in the tracks of a picture. Says whether all of them are at rest.
    pub(super) fn observe<'t>(&mut self, at: Duration, tracks: impl Iterator<Item = &'t Track>) -> bool {
        let mut places = HashMap::new();
        let mut all = true;
        for track in tracks {
            let new = Place { class: track.class, bbox: track.bbox, since: at, at_rest: false };
            let mut place = match self.places.remove(&track.id) {
                // A prediction is no evidence.
                Some(place) if !track.seen || place.bbox.iou(&track.bbox) >= SAME_PLACE => place,
                _ => new,
            };
            place.at_rest = at.saturating_sub(place.since) >= self.after;
            all &= place.at_rest;
            places.insert(track.id, place);
        }
        self.places = places;
        all
    }

    /// Is something else to be seen than the objects at rest, each of them? `counts` tells whether a detection that is
    /// none of them counts.
    pub(super) fn is_disturbed(&self, seen: &[Detection], counts: impl Fn(&Detection) -> bool) -> bool {
        let resting = || self.places.values().filter(|place| place.at_rest);
        let is_at =
            |place: &Place, found: &Detection| place.class == found.class && place.bbox.iou(&found.bbox) >= SAME_OBJECT;
        seen.iter().any(|found| counts(found) && !resting().any(|place| is_at(place, found)))
            || resting().any(|place| !seen.iter().any(|found| is_at(place, found)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn bbox(x: f32) -> Rect {
        Rect { x, y: 0.2, w: 0.12, h: 0.3 }
    }

    fn track(x: f32, seen: bool) -> Track {
        let times = Duration::ZERO;
        Track {
            id: 7,
            class: 2,
            bbox: bbox(x),
            score: 0.8,
            score_max: 0.9,
            seen,
            lost: false,
            first_seen: times,
            last_seen: times,
        }
    }

    fn found(x: f32, score: f32) -> Detection {
        Detection { class: 2, score, bbox: bbox(x) }
    }

    /// Stands at 0.4, trembling, from second 0 to this one.
    fn standing(seconds: u64, dwell: Duration) -> (Rest, bool) {
        let mut rest = Rest::new(dwell);
        let mut at_rest = false;
        for n in 0..=5 * seconds {
            let tremble = 0.008 * (n % 3) as f32;
            at_rest = rest.observe(SECOND * n as u32 / 5, [track(0.4 + tremble, n % 7 != 0)].iter());
        }
        (rest, at_rest)
    }

    #[test]
    fn who_trembles_is_at_rest_after_a_while_and_who_waits_for_a_rule_is_not() {
        assert!(!standing(29, SECOND).1);
        assert!(standing(30, SECOND).1);
        assert!(!standing(59, 60 * SECOND).1);
        assert!(standing(60, 60 * SECOND).1);
    }

    #[test]
    fn who_creeps_is_not() {
        let mut rest = Rest::new(SECOND);
        // One width in a minute.
        let mut creeps = |n: u32| rest.observe(SECOND * n, [track(0.4 + 0.002 * n as f32, true)].iter());
        assert!((0..100).all(|n| !creeps(n)));
    }

    #[test]
    fn a_new_object_and_one_that_is_gone_disturb_and_one_that_is_still_there_does_not() {
        let (rest, _) = standing(40, SECOND);
        let counts = |found: &Detection| found.score >= 0.3;
        assert!(!rest.is_disturbed(&[found(0.42, 0.15)], counts));
        assert!(!rest.is_disturbed(&[found(0.42, 0.8), found(0.7, 0.2)], counts));
        assert!(rest.is_disturbed(&[found(0.42, 0.8), found(0.7, 0.4)], counts));
        assert!(rest.is_disturbed(&[], counts));
    }

    #[test]
    fn nothing_is_at_rest_where_nothing_is() {
        assert!(Rest::new(SECOND).observe(SECOND, [].iter()));
        assert!(!Rest::new(SECOND).is_disturbed(&[], |_| true));
    }
}
