//! Points, polygons and lines in shares of the picture (0..1, origin top left, y down).

mod polygon;
mod polyline;
#[cfg(test)]
mod tests;

pub(crate) use crate::vision::length;
pub use polygon::{Polygon, PolygonError};
pub use polyline::{Polyline, PolylineError, Side};

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
