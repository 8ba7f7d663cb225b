//! Points, polygons and lines in shares of the picture (0..1, origin top left, y down).

/// A point in the picture.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Point {
    /// 0 at the left edge, 1 at the right.
    pub x: f32,
    /// 0 at the top, 1 at the bottom.
    pub y: f32,
}

impl Point {
    /// A point from its coordinates.
    #[must_use]
    pub const fn new(x: f32, y: f32) -> Self {
        Self { x, y }
    }
}

/// A simple polygon: at least three corners, no side touches another except at
/// their common corner, area above zero. Convex or not.
#[derive(Clone, Debug, PartialEq)]
pub struct Polygon(Vec<Point>);

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
        let doubled: f64 = (0..n)
            .map(|i| side(i))
            .map(|(a, b)| f64::from(a.x) * f64::from(b.y) - f64::from(b.x) * f64::from(a.y))
            .sum();
        if doubled == 0.0 {
            return Err(PolygonError::Flat);
        }
        Ok(Self(corners))
    }

    /// The corners, as given.
    #[must_use]
    pub fn corners(&self) -> &[Point] {
        &self.0
    }

    /// Is the point inside? Points on the border are.
    ///
    /// Even-odd rule by ray crossing (Franklin, "PNPOLY"), with the border decided first.
    #[must_use]
    pub fn contains(&self, p: Point) -> bool {
        let n = self.0.len();
        let mut inside = false;
        for i in 0..n {
            let (a, b) = (self.0[i], self.0[(i + 1) % n]);
            if on_segment(p, a, b) {
                return true;
            }
            if (a.y > p.y) != (b.y > p.y) {
                // Which side of the edge the point lies on, without a division.
                let left = side_of(a, b, p) > 0.0;
                if left == (b.y > a.y) {
                    inside = !inside;
                }
            }
        }
        inside
    }
}

/// Twice the signed area of the triangle `a b p`: positive if `p` lies to the
/// right of the way from `a` to `b` as seen in the picture (y down), negative to
/// the left, zero on the line.
#[must_use]
pub fn side_of(a: Point, b: Point, p: Point) -> f64 {
    let (ax, ay) = (f64::from(a.x), f64::from(a.y));
    (f64::from(b.x) - ax) * (f64::from(p.y) - ay) - (f64::from(b.y) - ay) * (f64::from(p.x) - ax)
}

/// Do the closed segments `ab` and `cd` have a point in common?
#[must_use]
pub fn segments_touch(a: Point, b: Point, c: Point, d: Point) -> bool {
    let (abc, abd) = (side_of(a, b, c), side_of(a, b, d));
    let (cda, cdb) = (side_of(c, d, a), side_of(c, d, b));
    if abc * abd < 0.0 && cda * cdb < 0.0 {
        return true;
    }
    on_segment(c, a, b) || on_segment(d, a, b) || on_segment(a, c, d) || on_segment(b, c, d)
}

fn on_segment(p: Point, a: Point, b: Point) -> bool {
    side_of(a, b, p) == 0.0 && p.x >= a.x.min(b.x) && p.x <= a.x.max(b.x) && p.y >= a.y.min(b.y) && p.y <= a.y.max(b.y)
}
