//! From the picture to the ground: a plane through four known points.

use super::geometry::{Point, length};

/// The ground before a camera, in metres.
///
/// The homography that takes the four points of the picture to their places on the ground (Hartley and Zisserman, "Multiple View
/// Geometry in Computer Vision", 2004, section 4.1). It holds for what stands on that plane, and not for what hangs or lies on a
/// slope.
#[derive(Clone, Debug, PartialEq)]
pub struct Ground {
    /// Row by row; the last number is 1.
    h: [f64; 9],
    /// Sign of the third coordinate on the side of the horizon where the four points are.
    before: f64,
}

/// Why four points tell nothing of the ground.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GroundError {
    /// Three of them on one line, in the picture or on the ground, or as good as.
    #[error("three of the four points lie on one line")]
    InLine,
    /// The corners go round one way in the picture and cross over on the ground, or the other way round.
    #[error("the points in the picture and on the ground are not in the same order")]
    Order,
}

impl Ground {
    /// The ground on which the points of the picture, in shares, lie at these places, `[x, y]` in metres.
    ///
    /// # Errors
    /// If they define none.
    pub fn new(points: [Point; 4], metres: [[f64; 2]; 4]) -> Result<Self, GroundError> {
        let turns = |at: &dyn Fn(usize) -> [f64; 2]| {
            let turn = |i: usize| {
                let [a, b, c] = [at(i), at((i + 1) % 4), at((i + 2) % 4)];
                (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])
            };
            [turn(0), turn(1), turn(2), turn(3)]
        };
        let picture = turns(&|i| [f64::from(points[i].x), f64::from(points[i].y)]);
        let ground = turns(&|i| metres[i]);
        let span = metres.iter().flatten().fold(0.0_f64, |most, v| most.max(v.abs()));
        if picture.iter().any(|t| t.abs() < 1e-6) || ground.iter().any(|t| t.abs() < 1e-6 * span * span) {
            return Err(GroundError::InLine);
        }
        // A camera sees the ground from above: what turns one way in the picture turns one way on the ground, at each corner.
        let same = |turns: &[f64; 4]| turns.map(|t| t > 0.0);
        let (seen, lies) = (same(&picture), same(&ground));
        if seen != lies && seen != lies.map(|turn| !turn) {
            return Err(GroundError::Order);
        }
        let mut rows = [[0.0; 9]; 8];
        for i in 0..4 {
            let (x, y) = (f64::from(points[i].x), f64::from(points[i].y));
            let [u, v] = metres[i];
            rows[2 * i] = [x, y, 1.0, 0.0, 0.0, 0.0, -u * x, -u * y, u];
            rows[2 * i + 1] = [0.0, 0.0, 0.0, x, y, 1.0, -v * x, -v * y, v];
        }
        let solved = solve(rows).ok_or(GroundError::InLine)?;
        let mut h = [1.0; 9];
        h[..8].copy_from_slice(&solved);
        let depth = |p: Point| h[6] * f64::from(p.x) + h[7] * f64::from(p.y) + 1.0;
        let before = depth(points[0]).signum();
        if points.iter().any(|p| depth(*p).signum() != before) {
            return Err(GroundError::Order);
        }
        Ok(Self { h, before })
    }

    /// Where a point of the picture lies on the ground, in metres; `None` at and above the horizon.
    #[must_use]
    pub fn metres(&self, p: Point) -> Option<[f64; 2]> {
        let h = &self.h;
        let (x, y) = (f64::from(p.x), f64::from(p.y));
        let depth = h[6] * x + h[7] * y + h[8];
        (depth * self.before > 1e-9)
            .then(|| [(h[0] * x + h[1] * y + h[2]) / depth, (h[3] * x + h[4] * y + h[5]) / depth])
    }

    /// Distance of two points of the picture on the ground, in metres.
    #[must_use]
    pub fn distance(&self, a: Point, b: Point) -> Option<f64> {
        let ([ax, ay], [bx, by]) = (self.metres(a)?, self.metres(b)?);
        Some(length(ax - bx, ay - by))
    }

    /// Metres that the width of the whole picture stands for where this point is, along a row of the picture.
    ///
    /// What stands upright there is as large in the picture for each metre: its height in metres is its height in pixels times
    /// this, divided by the picture's width in pixels.
    #[must_use]
    pub fn metres_across(&self, p: Point) -> Option<f64> {
        const STEP: f32 = 0.01;
        let side = |x: f32| Point::new(p.x + x, p.y);
        Some(self.distance(side(-STEP), side(STEP))? / (2.0 * f64::from(STEP)))
    }

    /// The area of a polygon of the picture on the ground, in square metres; `None` if a corner is at the horizon or above.
    #[must_use]
    pub fn area(&self, corners: &[Point]) -> Option<f64> {
        let on_ground = |i: usize| self.metres(corners[i % corners.len()]);
        let mut doubled = 0.0;
        for i in 0..corners.len() {
            let ([ax, ay], [bx, by]) = (on_ground(i)?, on_ground(i + 1)?);
            doubled += ax * by - bx * ay;
        }
        Some(doubled.abs() / 2.0)
    }
}

/// Gauss's elimination with partial pivoting: eight equations, the right sides in the last column.
fn solve(mut rows: [[f64; 9]; 8]) -> Option<[f64; 8]> {
    for column in 0..8 {
        let pivot = (column..8).max_by(|a, b| rows[*a][column].abs().total_cmp(&rows[*b][column].abs()))?;
        if rows[pivot][column].abs() < 1e-12 {
            return None;
        }
        rows.swap(column, pivot);
        for row in 0..8 {
            if row != column {
                let (factor, above) = (rows[row][column] / rows[column][column], rows[column]);
                for (value, other) in rows[row].iter_mut().zip(above) {
                    *value -= factor * other;
                }
            }
        }
    }
    Some(std::array::from_fn(|i| rows[i][8] / rows[i][i]))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A pinhole camera 4 m above the ground that looks down by 30 degrees, in shares of a square picture.
    fn pinhole(x: f64, y: f64) -> Point {
        let (sin, cos) = 30_f64.to_radians().sin_cos();
        let (depth, down) = (y * cos + 4.0 * sin, 4.0 * cos - y * sin);
        Point::new((0.5 + 0.8 * x / depth) as f32, (0.5 + 0.8 * down / depth) as f32)
    }

    fn ground() -> Ground {
        let metres = [[-3.0, 4.0], [3.0, 4.0], [3.0, 14.0], [-3.0, 14.0]];
        Ground::new(metres.map(|[x, y]| pinhole(x, y)), metres).unwrap()
    }

    proptest! {
        #[test]
        fn what_a_camera_sees_of_the_ground_is_found_there(x in -6.0..6.0, y in 3.0..25.0) {
            let [u, v] = ground().metres(pinhole(x, y)).unwrap();
            // Points are kept as f32.
            prop_assert!((u - x).abs() < 0.01 && (v - y).abs() < 0.01 * y, "{u} {v} for {x} {y}");
        }
    }

    #[test]
    fn nothing_lies_above_the_horizon() {
        assert_eq!(ground().metres(Point::new(0.5, 0.0)), None);
    }

    #[test]
    fn heights_and_areas_are_those_of_the_ground() {
        let ground = ground();
        // Somebody 1.75 m tall at 8 m: in pixels as tall as 1.75 m are wide there, but for the foreshortening.
        let across = ground.metres_across(pinhole(0.0, 8.0)).unwrap();
        let metre = f64::from(pinhole(0.5, 8.0).x - pinhole(-0.5, 8.0).x);
        assert!((across * metre - 1.0).abs() < 0.01, "{across}");
        let corners = [[-1.0, 5.0], [1.0, 5.0], [1.0, 8.0], [-1.0, 8.0]].map(|[x, y]| pinhole(x, y));
        assert!((ground.area(&corners).unwrap() - 6.0).abs() < 0.02);
    }

    #[test]
    fn points_that_define_no_ground_are_refused() {
        let square = [[0.0, 0.0], [2.0, 0.0], [2.0, 2.0], [0.0, 2.0]];
        let line = [0.1, 0.3, 0.5, 0.9].map(|x| Point::new(x, 0.5));
        assert_eq!(Ground::new(line, square), Err(GroundError::InLine));
        let corners = [(0.2, 0.5), (0.8, 0.5), (0.9, 0.9), (0.1, 0.9)].map(|(x, y)| Point::new(x, y));
        assert!(Ground::new(corners, square).is_ok());
        let crossed = [square[0], square[2], square[1], square[3]];
        assert_eq!(Ground::new(corners, crossed), Err(GroundError::Order));
    }
}
