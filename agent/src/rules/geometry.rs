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
        let doubled: f64 =
            (0..n).map(side).map(|(a, b)| f64::from(a.x) * f64::from(b.y) - f64::from(b.x) * f64::from(a.y)).sum();
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
                // Is the crossing of this edge with the ray to the right of the point? Without a division.
                let right = side_of(a, b, p) > 0.0;
                if right == (b.y > a.y) {
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn polygon(corners: &[(f32, f32)]) -> Result<Polygon, PolygonError> {
        Polygon::new(corners.iter().map(|(x, y)| Point::new(*x, *y)).collect())
    }

    #[test]
    fn concave_shapes_are_fine() {
        let l = polygon(&[(0.0, 0.0), (1.0, 0.0), (1.0, 0.5), (0.5, 0.5), (0.5, 1.0), (0.0, 1.0)]).unwrap();
        assert!(l.contains(Point::new(0.25, 0.75)));
        assert!(l.contains(Point::new(0.75, 0.25)));
        assert!(!l.contains(Point::new(0.75, 0.75)));
    }

    #[test]
    fn the_border_is_inside() {
        let square = polygon(&[(0.25, 0.25), (0.75, 0.25), (0.75, 0.75), (0.25, 0.75)]).unwrap();
        for (x, y) in [(0.25, 0.25), (0.5, 0.25), (0.75, 0.5), (0.5, 0.75), (0.25, 0.6)] {
            assert!(square.contains(Point::new(x, y)), "({x}, {y})");
        }
        assert!(!square.contains(Point::new(0.2, 0.25)));
        assert!(!square.contains(Point::new(0.76, 0.75)));
    }

    #[test]
    fn what_is_no_zone_is_refused_with_the_reason() {
        let says = |corners: &[(f32, f32)]| polygon(corners).unwrap_err().to_string();
        assert_eq!(says(&[(0.1, 0.1), (0.2, 0.2)]), "a zone needs at least 3 points, this has 2");
        assert_eq!(
            says(&[(0.0, 0.0), (0.5, 0.5), (1.0, 1.0)]),
            "the points of the zone lie on one line, so nothing can be inside"
        );
        assert_eq!(
            says(&[(0.0, 0.0), (1.0, 1.0), (1.0, 0.0), (0.0, 1.0)]),
            "side 1 (from point 1) crosses or touches side 3 (from point 3): list the points in order around the zone"
        );
        // The same corner twice, and a spike that runs back over itself.
        assert!(polygon(&[(0.0, 0.0), (1.0, 0.0), (1.0, 0.0), (0.0, 1.0)]).is_err());
        assert!(polygon(&[(0.0, 0.0), (1.0, 0.0), (0.5, 0.0), (0.5, 1.0)]).is_err());
    }

    fn point() -> impl Strategy<Value = Point> {
        (0.0f32..1.0, 0.0f32..1.0).prop_map(|(x, y)| Point::new(x, y))
    }

    /// A star-shaped polygon around the middle: always simple, mostly concave.
    fn star() -> impl Strategy<Value = Vec<Point>> {
        prop::collection::vec(0.1f64..0.5, 3..12).prop_map(|radii| {
            let n = radii.len() as f64;
            radii
                .iter()
                .enumerate()
                .map(|(i, r)| {
                    let (sin, cos) = (std::f64::consts::TAU * i as f64 / n).sin_cos();
                    Point::new((0.5 + r * cos) as f32, (0.5 + r * sin) as f32)
                })
                .collect()
        })
    }

    /// The winding number (Sunday), summed over angles: another way to the same answer.
    fn winds_around(corners: &[Point], p: Point) -> bool {
        let angle = |c: &Point| f64::from(c.y - p.y).atan2(f64::from(c.x - p.x));
        let mut sum = 0.0;
        for (i, a) in corners.iter().enumerate() {
            let mut turn = angle(&corners[(i + 1) % corners.len()]) - angle(a);
            if turn > std::f64::consts::PI {
                turn -= std::f64::consts::TAU;
            } else if turn < -std::f64::consts::PI {
                turn += std::f64::consts::TAU;
            }
            sum += turn;
        }
        sum.abs() > std::f64::consts::PI
    }

    proptest! {
        #[test]
        fn inside_is_where_the_polygon_winds_around(corners in star(), p in point()) {
            let near_border = (0..corners.len()).any(|i| {
                side_of(corners[i], corners[(i + 1) % corners.len()], p).abs() < 1e-5
            });
            prop_assume!(!near_border);
            let polygon = Polygon::new(corners.clone()).unwrap();
            prop_assert_eq!(polygon.contains(p), winds_around(&corners, p));
        }

        #[test]
        fn neither_the_first_corner_nor_the_way_round_matters(corners in star(), p in point(), turn in 0usize..12) {
            let before = Polygon::new(corners.clone()).unwrap().contains(p);
            let mut other = corners;
            let n = other.len();
            other.rotate_left(turn % n);
            other.reverse();
            prop_assert_eq!(Polygon::new(other).unwrap().contains(p), before);
        }

        #[test]
        fn touching_is_mutual(a in point(), b in point(), c in point(), d in point()) {
            let touch = segments_touch(a, b, c, d);
            prop_assert_eq!(segments_touch(c, d, a, b), touch);
            prop_assert_eq!(segments_touch(b, a, d, c), touch);
            prop_assert!(segments_touch(a, b, b, c));
        }
    }
}
