use std::{collections::HashMap, time::Duration};

use karaul_wire::Why;

use super::{
    engine::Verdict,
    geometry::{Point, segments_touch, side_of},
};
use crate::config::Direction;

/// An object crosses a line.
///
/// It must have been confirmed on one side, then be confirmed on the other, and the
/// way between the last point here and the first point there must cross the line
/// itself and not go around its end. A flicker of one picture to the other side
/// counts in neither direction.
#[derive(Debug)]
pub(super) struct LineCrossing {
    points: [Point; 2],
    direction: Direction,
    walks: HashMap<u64, Walk>,
}

#[derive(Debug, Default)]
struct Walk {
    /// The side on which it has been confirmed, and its last point there.
    home: Option<(Side, Point)>,
    /// A run of pictures on one side that is not home yet.
    run: Option<Run>,
    /// When it last crossed, until that has been cleared.
    crossed: Option<Duration>,
}

#[derive(Clone, Copy, Debug)]
struct Run {
    side: Side,
    first: Point,
    pictures: u32,
}

/// Seen from the line's first point towards its second.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Side {
    Left,
    Right,
}

/// One picture on a side may be a flicker; two are an observation.
const CONFIRMING_PICTURES: u32 = 2;

/// A crossing is a moment. Its incident stays open this long, so that whoever looks
/// at the open incidents has a chance to see it.
const SHOWN: Duration = Duration::from_secs(2);

impl LineCrossing {
    pub(super) fn new(points: [Point; 2], direction: Direction) -> Self {
        Self { points, direction, walks: HashMap::new() }
    }

    pub(super) fn observe(&mut self, at: Duration, track: u64, point: Point, passes: bool, why: &mut Why) -> Verdict {
        let walk = self.walks.entry(track).or_default();
        let came_from = walk.step(&self.points, point);
        if let Some((from, last, first)) = came_from
            && counts(self.direction, from)
            && passes
            && segments_touch(last, first, self.points[0], self.points[1])
        {
            walk.crossed = Some(at);
            let way = if from == Side::Left { "left_to_right" } else { "right_to_left" };
            why.direction = Some(way.to_owned());
            return Verdict::Began;
        }
        if walk.crossed.is_some_and(|then| at.saturating_sub(then) >= SHOWN) {
            walk.crossed = None;
            return Verdict::Cleared;
        }
        Verdict::Nothing
    }

    /// Forgets the tracks that are gone.
    pub(super) fn retain(&mut self, lives: impl Fn(u64) -> bool) {
        self.walks.retain(|id, _| lives(*id));
    }
}

impl Walk {
    /// Takes one more point. If it completes a change of sides, says which side the
    /// object came from, its last point there and its first point here.
    fn step(&mut self, line: &[Point; 2], point: Point) -> Option<(Side, Point, Point)> {
        let turn = side_of(line[0], line[1], point);
        let side = if turn < 0.0 {
            Side::Left
        } else if turn > 0.0 {
            Side::Right
        } else {
            return None; // exactly on the line: neither side, and no interruption either
        };
        if let Some((home, last)) = &mut self.home
            && *home == side
        {
            *last = point;
            self.run = None;
            return None;
        }
        let run = match self.run {
            Some(run) if run.side == side => Run { pictures: run.pictures + 1, ..run },
            _ => Run { side, first: point, pictures: 1 },
        };
        if run.pictures < CONFIRMING_PICTURES {
            self.run = Some(run);
            return None;
        }
        self.run = None;
        let before = self.home.replace((side, point));
        before.map(|(from, last)| (from, last, run.first))
    }
}

fn counts(direction: Direction, from: Side) -> bool {
    match direction {
        Direction::Either => true,
        Direction::LeftToRight => from == Side::Left,
        Direction::RightToLeft => from == Side::Right,
    }
}
