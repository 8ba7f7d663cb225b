//! Our geometry beside that of another library, `geo`, whose predicates are exact: on random places, and on a grid on which
//! corners, borders and lines fall upon one another all the time.

#![allow(clippy::unwrap_used, reason = "a test ends at the first surprise")]

use geo::{
    Area, Closest, ClosestPoint, Coord, Distance, Euclidean, GeoNum, Intersects, LineString, Orientation, Validation,
    algorithm::kernels::Kernel,
};
use karaul::rules::{
    Ground,
    geometry::{Point, Polygon, Polyline, Side, segments_touch, side_of},
};
use proptest::prelude::*;

/// Anywhere in the picture.
fn anywhere() -> impl Strategy<Value = Point> {
    (0.0_f32..=1.0, 0.0_f32..=1.0).prop_map(|(x, y)| Point::new(x, y))
}

/// On a grid of sevenths, none of which an `f32` can hold.
fn on_grid() -> impl Strategy<Value = Point> {
    (0_u8..=7, 0_u8..=7).prop_map(|(x, y)| Point::new(f32::from(x) / 7.0, f32::from(y) / 7.0))
}

fn place() -> impl Strategy<Value = Point> {
    prop_oneof![anywhere(), on_grid()]
}

/// Points of one sort, few enough to make a polygon now and then.
fn points(least: usize, most: usize) -> impl Strategy<Value = Vec<Point>> {
    prop_oneof![prop::collection::vec(anywhere(), least..=most), prop::collection::vec(on_grid(), least..=most)]
}

/// Star-shaped around the middle: simple with any number of corners, and mostly concave.
fn star() -> impl Strategy<Value = Vec<Point>> {
    prop::collection::vec(0.05_f64..0.5, 3..24).prop_map(|radii| {
        let turn = std::f64::consts::TAU / radii.len() as f64;
        let corner = |(i, r): (usize, &f64)| {
            let (sin, cos) = (turn * i as f64).sin_cos();
            Point::new((0.5 + r * cos) as f32, (0.5 + r * sin) as f32)
        };
        radii.iter().enumerate().map(corner).collect()
    })
}

fn coord(p: Point) -> Coord {
    Coord { x: f64::from(p.x), y: f64::from(p.y) }
}

fn segment(a: Point, b: Point) -> geo::Line {
    geo::Line::new(coord(a), coord(b))
}

fn line_string(points: &[Point]) -> LineString {
    points.iter().map(|p| coord(*p)).collect()
}

fn polygon(corners: &[Point]) -> geo::Polygon {
    geo::Polygon::new(line_string(corners), Vec::new())
}

fn orientation(a: Point, b: Point, p: Point) -> Orientation {
    <f64 as GeoNum>::Ker::orient2d(coord(a), coord(b), coord(p))
}

/// Whether two of these, of which the last is followed by the first if `closed`, are one.
fn repeats(points: &[Point], closed: bool) -> bool {
    points.windows(2).any(|pair| pair[0] == pair[1]) || (closed && points.first() == points.last())
}

/// Whether no segment has a point in common with another, but for the one that neighbours share.
fn simple(points: &[Point]) -> bool {
    use geo::line_intersection::{LineIntersection, line_intersection};
    let segments: Vec<geo::Line> = points.windows(2).map(|pair| segment(pair[0], pair[1])).collect();
    let alone = |i: usize, j: usize| match line_intersection(segments[i], segments[j]) {
        None => true,
        Some(LineIntersection::SinglePoint { intersection, .. }) => j == i + 1 && intersection == segments[i].end,
        Some(LineIntersection::Collinear { .. }) => false,
    };
    (0..segments.len()).all(|i| (i + 1..segments.len()).all(|j| alone(i, j)))
}

proptest! {
    // Of points by chance few make a polygon.
    #![proptest_config(ProptestConfig {
        cases: 4000,
        max_global_rejects: 100_000,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn the_side_of_a_segment(a in place(), b in place(), p in place()) {
        let expected = match orientation(a, b, p) {
            // y is down: what turns left on paper turns right in the picture.
            Orientation::CounterClockwise => 1.0,
            Orientation::Clockwise => -1.0,
            Orientation::Collinear => 0.0,
        };
        let side = side_of(a, b, p);
        prop_assert_eq!(if side == 0.0 { 0.0 } else { side.signum() }, expected);
    }

    #[test]
    fn two_segments_touch(a in place(), b in place(), c in place(), d in place()) {
        prop_assert_eq!(segments_touch(a, b, c, d), segment(a, b).intersects(&segment(c, d)));
    }

    #[test]
    fn a_point_is_inside_or_on_the_border(corners in prop_oneof![star(), points(3, 5)], p in place()) {
        let Ok(zone) = Polygon::new(corners.clone()) else { return Err(TestCaseError::reject("no zone")) };
        prop_assert_eq!(zone.contains(p), polygon(&corners).intersects(&coord(p)));
    }

    #[test]
    fn the_corners_and_what_lies_on_a_side_are_inside(corners in star(), side in 0_usize..24) {
        let zone = Polygon::new(corners.clone()).unwrap();
        let (a, b) = (corners[side % corners.len()], corners[(side + 1) % corners.len()]);
        let middle = Point::new(f32::midpoint(a.x, b.x), f32::midpoint(a.y, b.y));
        prop_assert!(zone.contains(a));
        prop_assert_eq!(zone.contains(middle), polygon(&corners).intersects(&coord(middle)));
    }

    #[test]
    fn a_zone_is_what_is_a_valid_polygon(corners in points(3, 7)) {
        // There a point may be written twice, and all may lie on one line.
        prop_assume!(!repeats(&corners, true));
        let expected = polygon(&corners).is_valid() && polygon(&corners).unsigned_area() > 0.0;
        prop_assert_eq!(Polygon::new(corners.clone()).is_ok(), expected);
    }

    #[test]
    fn a_line_is_what_does_not_touch_itself(points in points(2, 6)) {
        prop_assume!(!repeats(&points, false));
        prop_assert_eq!(Polyline::new(points.clone()).is_ok(), simple(&points));
    }

    #[test]
    fn a_way_touches_a_line(points in points(2, 5), a in place(), b in place()) {
        let Ok(line) = Polyline::new(points.clone()) else { return Err(TestCaseError::reject("no line")) };
        prop_assert_eq!(line.touches(a, b), line_string(&points).intersects(&segment(a, b)));
    }

    #[test]
    fn the_side_of_a_line_that_goes_on_to_the_right_is_below_or_above(
        heights in prop::collection::vec(0.0_f32..=1.0, 2..8),
        p in anywhere(),
    ) {
        let last = heights.len() - 1;
        let points: Vec<Point> = heights.iter().enumerate().map(|(i, y)| Point::new(i as f32 / last as f32, *y)).collect();
        let string = line_string(&points);
        // Beyond an end there is neither above nor below.
        let nearest = match string.closest_point(&geo::Point(coord(p))) {
            Closest::SinglePoint(near) | Closest::Intersection(near) => near.0,
            Closest::Indeterminate => return Err(TestCaseError::reject("several are alike near")),
        };
        prop_assume!([points[0], points[last]].iter().all(|end| nearest != coord(*end)));
        // Below it, down to far under the picture.
        let mut below = points.clone();
        below.extend([Point::new(1.0, 9.0), Point::new(0.0, 9.0)]);
        let on_it = string.intersects(&coord(p));
        let expected = if polygon(&below).intersects(&coord(p)) { Side::Right } else { Side::Left };
        prop_assert_eq!(Polyline::new(points).unwrap().side(p), (!on_it).then_some(expected));
    }

    #[test]
    fn distances_and_areas_on_the_ground(
        corners in star(),
        (a, b) in (anywhere(), anywhere()),
        near in 2.0_f64..20.0,
        far in 5.0_f64..60.0,
    ) {
        // All of the picture lies on the ground.
        let picture = [(0.2, 0.0), (0.8, 0.0), (1.0, 1.0), (0.0, 1.0)].map(|(x, y)| Point::new(x, y));
        let metres = [[0.0, far], [near, far], [near, 0.0], [0.0, 0.0]];
        let ground = Ground::new(picture, metres).unwrap();
        let at = |p: Point| ground.metres(p).map(|[x, y]| Coord { x, y }).unwrap();
        let close = |ours: f64, theirs: f64| (ours - theirs).abs() <= 1e-9 * theirs.max(1.0);
        let length = Euclidean.distance(geo::Point(at(a)), geo::Point(at(b)));
        prop_assert!(close(ground.distance(a, b).unwrap(), length));
        let area = geo::Polygon::new(corners.iter().map(|p| at(*p)).collect(), Vec::new()).unsigned_area();
        prop_assert!(close(ground.area(&corners).unwrap(), area));
    }
}
