use super::{Point, on_segment, segments_touch, side_of};

/// A simple polygon: at least three corners, no side touches another except at
/// their common corner, area above zero. Convex or not.
#[derive(Clone, Debug, PartialEq)]
pub struct Polygon {
    corners: Vec<Point>,
    /// Upper left and lower right corner of all of it.
    bounds: [Point; 2],
}

/// Why corners make no polygon.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum PolygonError {
    /// Fewer than three corners.
    #[error("a zone needs at least 3 points, this has {0}")]
    TooFew(usize),
    /// Two sides cross or touch; sides are counted from 1, side n runs from point n to the next.
    #[error(
        "side {0} (from point {0}) crosses or touches side {1} (from point {1}): list the points in order around the zone"
    )]
    SelfTouching(usize, usize),
    /// All corners on one line.
    #[error("the points of the zone lie on one line, so nothing can be inside")]
    Flat,
}

impl Polygon {
    /// Checks the corners, in order around the polygon, either way round.
    ///
    /// # Errors
    /// If they make no simple polygon.
    pub fn new(corners: Vec<Point>) -> Result<Self, PolygonError> {
        let n = corners.len();
        if n < 3 {
            return Err(PolygonError::TooFew(n));
        }
        let side = |i: usize| (corners[i], corners[(i + 1) % n]);
        for i in 0..n {
            for j in i + 1..n {
                let (a, b) = side(i);
                let (c, d) = side(j);
                let touching = if j == i + 1 {
                    // Neighbours share one corner; they may not run back over each other.
                    on_segment(d, a, b) || on_segment(a, c, d)
                } else if i == 0 && j == n - 1 {
                    on_segment(c, a, b) || on_segment(b, c, d)
                } else {
                    segments_touch(a, b, c, d)
                };
                if touching {
                    return Err(if n == 3 { PolygonError::Flat } else { PolygonError::SelfTouching(i + 1, j + 1) });
                }
            }
        }
        let doubled: f64 =
            (0..n).map(side).map(|(a, b)| f64::from(a.x) * f64::from(b.y) - f64::from(b.x) * f64::from(a.y)).sum();
        if doubled == 0.0 {
            return Err(PolygonError::Flat);
        }
        let least = corners.iter().fold(corners[0], |a, b| Point::new(a.x.min(b.x), a.y.min(b.y)));
        let most = corners.iter().fold(corners[0], |a, b| Point::new(a.x.max(b.x), a.y.max(b.y)));
        Ok(Self { corners, bounds: [least, most] })
    }

    /// The corners, as given.
    #[must_use]
    pub fn corners(&self) -> &[Point] {
        &self.corners
    }

    /// Is the point inside? Points on the border are.
    ///
    /// Even-odd rule by ray crossing (Franklin, "PNPOLY"), with the border decided first.
    #[must_use]
    pub fn contains(&self, p: Point) -> bool {
        let [least, most] = self.bounds;
        if p.x < least.x || p.x > most.x || p.y < least.y || p.y > most.y {
            return false;
        }
        let (mut inside, mut a) = (false, self.corners[self.corners.len() - 1]);
        for &b in &self.corners {
            let from = std::mem::replace(&mut a, b);
            // Most sides lie above the point or below.
            if from.y.min(b.y) > p.y || from.y.max(b.y) < p.y {
                continue;
            }
            if on_segment(p, from, b) {
                return true;
            }
            if (from.y > p.y) != (b.y > p.y) {
                // Is the crossing of this edge with the ray to the right of the point? Without a division.
                let right = side_of(from, b, p) > 0.0;
                if right == (b.y > from.y) {
                    inside = !inside;
                }
            }
        }
        inside
    }
}
