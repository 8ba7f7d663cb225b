//! Who was lost and is found again.
//!
//! By boxes alone a person that comes out from behind a pillar is told from another one by what
//! is left over: the place can be reached, the height is the same, and one who walked has gone
//! on. Widths say little: a wall hides half a person. Nobody who has left the picture is waited for.

use std::time::Duration;

use super::{
    motion::Shape,
    settings::{Reunion, TrackerSettings},
    trajectory::Trajectory,
};
use crate::vision::{Detection, length};

/// How well a detection fits a lost track, 0 to 1; above 0 if it may be the same object.
pub(super) fn likeness(t: &Trajectory, d: &Detection, at: Duration, s: &Reunion) -> f64 {
    let seen = Shape::from(d.bbox);
    // Who was only glimpsed has no speed yet, nor is it sure what it was.
    let glimpsed = t.track.last_seen.saturating_sub(t.track.first_seen) < s.known_for;
    if glimpsed || !t.is_as_high_as(d, s.min_height_agreement) {
        return 0.0;
    }
    let unseen = t.unseen_for(at);
    let reach = (s.reach_least + s.reach_growth * unseen.as_secs_f64()).min(s.reach_most);
    let near = 1.0 - off_the_way(t, &seen, unseen.min(s.onward_for), s) / reach;
    near.max(0.0) * (seen.h.min(t.last.h) / seen.h.max(t.last.h))
}

/// How far a shape is from the way of an object that went on for this time or stopped anywhere before, in widths.
/// Infinitely far if the object walked and would have turned back: in a door through which one person has gone
/// another one appears, and behind a pillar people go on.
fn off_the_way(t: &Trajectory, seen: &Shape, onward: Duration, s: &Reunion) -> f64 {
    let from = &t.last;
    // Half hidden, a box is narrow; upright objects are seen from the side, so that heights are long.
    let (w, h) = (from.w.max(seen.w), from.h.max(seen.h) / s.heights_to_widths);
    let off = |to: &Shape| ((to.cx - from.cx) / w, (to.cy - from.cy) / h);
    let ((way_x, way_y), (x, y)) = (off(&t.onward(onward)), off(seen));
    let way = length(way_x, way_y);
    if way <= s.walking * onward.as_secs_f64() {
        return length(x, y);
    }
    let gone = (way_x * x + way_y * y) / way;
    if gone < s.least_gone {
        return f64::INFINITY;
    }
    let share = (gone / way).min(1.0);
    length(x - share * way_x, y - share * way_y)
}

/// Has a lost object left the picture? It touched the border when last seen, or was about to walk out.
pub(super) fn has_left(t: &Trajectory, s: &TrackerSettings) -> bool {
    let Some(bounds) = s.bounds.map(Shape::from) else { return false };
    let room = 1.0 - 2.0 * s.reunion.border;
    let inside = Shape { w: room * bounds.w, h: room * bounds.h, ..bounds };
    let gone = Shape { w: 0.0, h: 0.0, ..t.onward(s.lost_for) };
    !t.last.is_within(&inside) || !gone.is_within(&bounds)
}

#[cfg(test)]
mod tests;
