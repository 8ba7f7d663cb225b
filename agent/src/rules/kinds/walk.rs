//! How objects go over a line: what line crossing, occupancy and tailgating have in common.

use std::time::Duration;

use super::{Actor, View, stay::CONFIRMING_PICTURES};
use crate::{
    config::Direction,
    rules::{
        geometry::{Point, Polyline, Side},
        roster::Roster,
        statement::Unmet,
    },
    track::{Track, are_double},
};

/// Two boxes of one person cross within this time of each other.
const ONCE: Duration = Duration::from_millis(500);

/// The ways of all tracks beside one line.
///
/// A track must have been confirmed on one side, then be confirmed on the other, and the way between the last point here and
/// the first point there must cross the line itself and not go around its end. A flicker of one picture to the other side
/// counts in neither direction, and somebody who is followed twice, by two boxes around one person, crosses once.
#[derive(Debug)]
pub(super) struct Walks {
    line: Polyline,
    walks: Roster<Walk>,
    /// Who has just crossed.
    latest: Vec<(u64, Crossing)>,
}

#[derive(Debug, Default)]
struct Walk {
    /// The side on which it has been confirmed, and its last point there.
    home: Option<(Side, Point)>,
    /// A run of pictures on one side that is not home yet.
    run: Option<Run>,
}

#[derive(Clone, Copy, Debug)]
struct Run {
    side: Side,
    first: Point,
    /// When its first picture was.
    since: Duration,
    pictures: u32,
}

/// Somebody has crossed a line.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Crossing {
    /// The side that they came from.
    pub(super) from: Side,
    /// The first picture beyond the line.
    pub(super) at: Duration,
}

impl Walks {
    pub(super) fn new(line: Polyline) -> Self {
        Self { line, walks: Roster::default(), latest: Vec::new() }
    }

    /// Takes the object's point in this picture, if it is seen; the crossing that is complete with it.
    ///
    /// # Errors
    /// With what is missing, if none is.
    pub(super) fn step(&mut self, actor: &Actor, view: &View<'_>) -> Result<Crossing, Unmet> {
        let (id, at) = (actor.track.id, view.at.mono);
        let crossing = self.cross(actor, at).ok_or(Unmet::NotCrossed)?;
        self.latest.retain(|(_, other)| at.saturating_sub(other.at) <= ONCE);
        let is_same = |(other, latest): &(u64, Crossing)| {
            let track = view.tracks.iter().find(|track| track.id == *other && *other != id);
            latest.from == crossing.from && track.is_some_and(|track| are_double(&track.bbox, &actor.track.bbox))
        };
        if self.latest.iter().any(is_same) {
            return Err(Unmet::Double);
        }
        // A box that does not count stands for nobody.
        if actor.counts {
            self.latest.push((id, crossing));
        }
        Ok(crossing)
    }

    fn cross(&mut self, actor: &Actor, at: Duration) -> Option<Crossing> {
        if !actor.track.seen {
            return None;
        }
        // Exactly on the line is neither side, and no interruption either.
        let side = self.line.side(actor.point)?;
        let walk = self.walks.entry(actor.track.id, Walk::default);
        let (from, last, run) = walk.step(side, actor.point, at)?;
        self.line.touches(last, run.first).then_some(Crossing { from, at: run.since })
    }

    /// Forgets the tracks that are gone.
    pub(super) fn retain_listed(&mut self, tracks: &[Track]) {
        self.walks.retain_listed(tracks);
    }

    pub(super) fn clear(&mut self) {
        self.walks.clear();
        self.latest.clear();
    }
}

impl Walk {
    /// Takes one more point. If it completes a change of sides, says which side the
    /// object came from, its last point there and its run of pictures here.
    fn step(&mut self, side: Side, point: Point, at: Duration) -> Option<(Side, Point, Run)> {
        if let Some((home, last)) = &mut self.home
            && *home == side
        {
            *last = point;
            self.run = None;
            return None;
        }
        let run = match self.run {
            Some(run) if run.side == side => Run { pictures: run.pictures + 1, ..run },
            _ => Run { side, first: point, since: at, pictures: 1 },
        };
        if run.pictures < CONFIRMING_PICTURES {
            self.run = Some(run);
            return None;
        }
        self.run = None;
        let before = self.home.replace((side, point));
        before.map(|(from, last)| (from, last, run))
    }
}

/// Does a crossing from this side count?
pub(super) fn counts(direction: Direction, from: Side) -> bool {
    match direction {
        Direction::Either => true,
        Direction::LeftToRight => from == Side::Left,
        Direction::RightToLeft => from == Side::Right,
    }
}
