//! How fast objects are: what running and speed have in common.

use std::time::Duration;

use crate::{
    rules::{
        geometry::{Point, length},
        ground::Ground,
        roster::Roster,
    },
    track::Track,
    vision::Rect,
};

/// Speeds are those of the time up to so long ago.
const WINDOW: Duration = Duration::from_millis(1500);

/// A window that is shorter gives no speed: a new box grows into the picture.
const LEAST: Duration = Duration::from_secs(1);

/// Boxes are kept no closer together in time.
const SPACING: Duration = Duration::from_millis(90);

/// Two boxes tell a speed if there is so much time between them. A jump of the box, because somebody has stepped behind a car or
/// two tracks have swapped their objects, is then in less than a third of the pairs of a window, and the median passes it over.
const LAG: Duration = Duration::from_millis(300);

/// Most boxes of a window: as many as fit in with the spacing, and one that has just left.
const MOST: usize = 18;

/// A box that comes so near to the picture's upper or lower border is taken to be cut off there, in shares of the picture.
const BORDER: f32 = 0.01;

/// The last second and a half of each track.
#[derive(Debug, Default)]
pub(super) struct Paces {
    rings: Roster<Ring>,
}

/// One track's last boxes.
#[derive(Clone, Debug, Default)]
struct Ring {
    boxes: [(Duration, Rect); MOST],
    /// How many there are.
    count: usize,
    /// Where the oldest one is.
    oldest: usize,
}

impl Paces {
    /// Takes the track's box in this picture; to be called when it is seen.
    pub(super) fn step(&mut self, track: &Track, at: Duration) {
        self.rings.entry(track.id, Ring::default).push(at, track.bbox);
    }

    /// Speed over the window in metres a second.
    ///
    /// # Errors
    /// If there is no ground where it went.
    pub(super) fn metres(&self, id: u64, ground: &Ground) -> Result<Option<f64>, NoGround> {
        let Some(ring) = self.rings.get(id) else { return Ok(None) };
        let mut slopes = Slopes::default();
        for (seconds, a, b) in ring.pairs() {
            // The foot is below the picture then, and much nearer than where the box ends.
            if is_cut_below(a) || is_cut_below(b) {
                continue;
            }
            let ([ax, ay], [bx, by]) =
                (ground.metres(foot(a)).ok_or(NoGround)?, ground.metres(foot(b)).ok_or(NoGround)?);
            slopes.add((bx - ax) / seconds, (by - ay) / seconds);
        }
        Ok(if ring.span() < LEAST { None } else { slopes.speed() })
    }

    /// Speed over the window in heights of the object a second.
    ///
    /// What counts is what opposite edges of the box have in common ([`shift`]). A box that is cut off by the picture's
    /// border says nothing of the object's height.
    pub(super) fn heights(&self, id: u64, aspect: f64) -> Option<f64> {
        let ring = self.rings.get(id)?;
        if ring.span() < LEAST {
            return None;
        }
        let (mut slopes, mut heights) = (Slopes::default(), Median::default());
        for (seconds, a, b) in ring.pairs() {
            if [a, b].iter().any(|b| is_cut_below(b) || b.y <= BORDER) {
                continue;
            }
            let (dx, dy) = shift(a, b, aspect);
            slopes.add(dx / seconds, dy / seconds);
            heights.add(f64::from(b.h));
        }
        Some(slopes.speed()? / heights.middle()?.max(1e-6))
    }

    /// Forgets the tracks that are gone.
    pub(super) fn retain_listed(&mut self, tracks: &[Track]) {
        self.rings.retain_listed(tracks);
    }

    /// Forgets one track.
    pub(super) fn remove(&mut self, id: u64) {
        self.rings.remove(id);
    }

    pub(super) fn clear(&mut self) {
        self.rings.clear();
    }
}

/// There is no ground there: it is at the horizon or above.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct NoGround;

impl Ring {
    fn push(&mut self, at: Duration, bbox: Rect) {
        while self.count > 0 && at.saturating_sub(self.boxes[self.oldest].0) > WINDOW {
            self.oldest = (self.oldest + 1) % MOST;
            self.count -= 1;
        }
        if self.count > 0 && at.saturating_sub(self.nth(self.count - 1).0) < SPACING {
            return;
        }
        if self.count == MOST {
            self.oldest = (self.oldest + 1) % MOST;
            self.count -= 1;
        }
        self.boxes[(self.oldest + self.count) % MOST] = (at, bbox);
        self.count += 1;
    }

    fn nth(&self, n: usize) -> &(Duration, Rect) {
        &self.boxes[(self.oldest + n) % MOST]
    }

    /// Time from the first box to the last.
    fn span(&self) -> Duration {
        if self.count == 0 { Duration::ZERO } else { self.nth(self.count - 1).0.saturating_sub(self.nth(0).0) }
    }

    /// Each box with the first one that is late enough after it, and the seconds between them.
    fn pairs(&self) -> impl Iterator<Item = (f64, &Rect, &Rect)> {
        (0..self.count).filter_map(move |n| {
            let (then, a) = self.nth(n);
            let (now, b) = (n + 1..self.count).map(|m| self.nth(m)).find(|(t, _)| t.saturating_sub(*then) >= LAG)?;
            Some((now.saturating_sub(*then).as_secs_f64(), a, b))
        })
    }
}

/// How far an object has moved from one box to another, in heights of the picture, along x and y: what opposite edges of its box
/// have in common.
///
/// All edges of a thing that moves do so alike. Those of one that comes nearer go apart, and where it is hidden in part or
/// stretches out an arm one edge moves alone: that is no movement. Who comes straight towards the camera is therefore measured
/// to be slower than they are.
pub(super) fn shift(a: &Rect, b: &Rect, aspect: f64) -> (f64, f64) {
    let common = |one: f32, other: f32| {
        let least = if one.abs() < other.abs() { one } else { other };
        if one * other > 0.0 { f64::from(least) } else { 0.0 }
    };
    (common(b.x - a.x, b.right() - a.right()) * aspect, common(b.y - a.y, b.bottom() - a.bottom()))
}

/// Whether a box is cut off by the picture's lower border.
pub(super) fn is_cut_below(bbox: &Rect) -> bool {
    bbox.bottom() >= 1.0 - BORDER
}

fn foot(bbox: &Rect) -> Point {
    Point::new(bbox.x + bbox.w / 2.0, bbox.bottom())
}

/// A velocity as the median of many, on each axis.
///
/// The median of slopes is Theil's and Sen's estimator (Sen, "Estimates of the Regression Coefficient Based on Kendall's Tau",
/// 1968), here of pairs with one time between them alone.
#[derive(Default)]
struct Slopes {
    x: Median,
    y: Median,
}

impl Slopes {
    fn add(&mut self, x: f64, y: f64) {
        self.x.add(x);
        self.y.add(y);
    }

    fn speed(&mut self) -> Option<f64> {
        Some(length(self.x.middle()?, self.y.middle()?))
    }
}

#[derive(Default)]
struct Median {
    values: [f64; MOST],
    count: usize,
}

impl Median {
    fn add(&mut self, value: f64) {
        if let Some(free) = self.values.get_mut(self.count) {
            *free = value;
            self.count += 1;
        }
    }

    /// The middle one, or the mean of the two in the middle; `None` of fewer than two.
    fn middle(&mut self) -> Option<f64> {
        let values = &mut self.values[..self.count];
        if values.len() < 2 {
            return None;
        }
        values.sort_unstable_by(f64::total_cmp);
        let (low, high) = (values[(values.len() - 1) / 2], values[values.len() / 2]);
        Some(f64::midpoint(low, high))
    }
}
