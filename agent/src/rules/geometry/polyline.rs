use super::{Point, length, on_segment, segments_touch, side_of};

/// A line of one or more segments: at least two points, no two neighbours the same, and no segment touches another but at
/// their common point.
#[derive(Clone, Debug, PartialEq)]
pub struct Polyline(Vec<Point>);

/// Why points make no line.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum PolylineError {
    /// Fewer than two points.
    #[error("a line needs at least 2 points, this has {0}")]
    TooFew(usize),
    /// Two neighbours are the same; points are counted from 1.
    #[error("points {0} and {1} are the same: give the line a length there")]
    NoLength(usize, usize),
    /// Two segments cross or touch, so that it has no two sides there; segments are counted from 1.
    #[error(
        "segment {0} (from point {0}) crosses or touches segment {1} (from point {1}), so the line has no two sides"
    )]
    SelfTouching(usize, usize),
}

/// A side of a line, for somebody who goes along it from its first point to its last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// To the left.
    Left,
    /// To the right.
    Right,
}

impl Polyline {
    /// Checks the points, in order along the line.
    ///
    /// # Errors
    /// If they make no line with two sides.
    pub fn new(points: Vec<Point>) -> Result<Self, PolylineError> {
        let n = points.len();
        if n < 2 {
            return Err(PolylineError::TooFew(n));
        }
        if let Some(i) = points.windows(2).position(|pair| pair[0] == pair[1]) {
            return Err(PolylineError::NoLength(i + 1, i + 2));
        }
        for i in 0..n - 1 {
            for j in i + 1..n - 1 {
                let ((a, b), (c, d)) = ((points[i], points[i + 1]), (points[j], points[j + 1]));
                // Neighbours share one point; they may not run back over each other.
                let touching =
                    if j == i + 1 { on_segment(d, a, b) || on_segment(a, c, d) } else { segments_touch(a, b, c, d) };
                if touching {
                    return Err(PolylineError::SelfTouching(i + 1, j + 1));
                }
            }
        }
        Ok(Self(points))
    }

    /// The points, as given.
    #[must_use]
    pub fn points(&self) -> &[Point] {
        &self.0
    }

    /// On which side of the line a point is; `None` on the line itself and on its extension beyond either end.
    ///
    /// The nearest segment decides; where two are alike near, which is around a corner, the point lies on the outer side of
    /// the corner (Bærentzen and Aanæs, "Signed Distance Computation Using the Angle Weighted Pseudonormal", 2005, in the plane).
    #[must_use]
    pub fn side(&self, p: Point) -> Option<Side> {
        let mut nearest: Option<(f64, bool, f64)> = None;
        for pair in self.0.windows(2) {
            let (distance, at_end) = to_segment(p, pair[0], pair[1]);
            let turn = side_of(pair[0], pair[1], p) / span(pair[0], pair[1]);
            nearest = Some(match nearest {
                // The corner that both share is the nearest point of both: the segment whose own line is farther away sees
                // the point from the outer side.
                Some((best, end, by)) if end && at_end && (distance - best).abs() <= 1e-12 * best.max(1e-12) => {
                    (best.min(distance), true, if turn.abs() > by.abs() { turn } else { by })
                }
                Some((best, end, by)) if best <= distance => (best, end, by),
                _ => (distance, at_end, turn),
            });
        }
        match nearest {
            Some((_, _, turn)) if turn < 0.0 => Some(Side::Left),
            Some((_, _, turn)) if turn > 0.0 => Some(Side::Right),
            _ => None,
        }
    }

    /// Does the closed segment `ab` have a point in common with the line?
    #[must_use]
    pub fn touches(&self, a: Point, b: Point) -> bool {
        self.0.windows(2).any(|pair| segments_touch(a, b, pair[0], pair[1]))
    }
}

/// Square of the distance of a point from a segment, and whether an end of the segment is its nearest point.
fn to_segment(p: Point, a: Point, b: Point) -> (f64, bool) {
    let (ax, ay) = (f64::from(a.x), f64::from(a.y));
    let (dx, dy) = (f64::from(b.x) - ax, f64::from(b.y) - ay);
    let (px, py) = (f64::from(p.x) - ax, f64::from(p.y) - ay);
    let along = (px * dx + py * dy) / (dx * dx + dy * dy);
    let share = along.clamp(0.0, 1.0);
    let (x, y) = (px - share * dx, py - share * dy);
    (x * x + y * y, !(0.0..=1.0).contains(&along) || along == 0.0 || along == 1.0)
}

fn span(a: Point, b: Point) -> f64 {
    length(f64::from(b.x) - f64::from(a.x), f64::from(b.y) - f64::from(a.y))
}
