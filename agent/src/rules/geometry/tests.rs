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
