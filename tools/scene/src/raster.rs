//! The rasteriser: triangles into a visibility buffer (Burns and Hunt, *The Visibility Buffer*, JCGT 2013): per sample
//! only the nearest triangle is kept, and colour is computed afterwards for what is seen.

use glam::{Vec2, Vec3};

use crate::camera::{Camera, Projected};
use crate::mesh::{Mesh, Vertex};

/// A rectangle of whole pixels or samples.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Rect {
    pub(crate) left: i32,
    pub(crate) top: i32,
    pub(crate) width: i32,
    pub(crate) height: i32,
}

impl Rect {
    /// The pixels that `points` touch, with `margin` more on each side, no further than `limit`.
    pub(crate) fn around(points: impl Iterator<Item = Vec2>, margin: i32, limit: Rect) -> Option<Self> {
        let (low, high) = points.fold((Vec2::MAX, Vec2::MIN), |(low, high), p| (low.min(p), high.max(p)));
        if low.x > high.x {
            return None;
        }
        let whole = |v: f32, add: i32| (v.clamp(-1e6, 1e6).floor() as i32).saturating_add(add);
        Self::between(
            (whole(low.x, -margin).max(limit.left), whole(low.y, -margin).max(limit.top)),
            (
                whole(high.x, margin + 1).min(limit.left + limit.width),
                whole(high.y, margin + 1).min(limit.top + limit.height),
            ),
        )
    }

    fn between(low: (i32, i32), high: (i32, i32)) -> Option<Self> {
        (low.0 < high.0 && low.1 < high.1).then(|| Self {
            left: low.0,
            top: low.1,
            width: high.0 - low.0,
            height: high.1 - low.1,
        })
    }

    /// The smallest rectangle around both.
    pub(crate) fn union(self, other: Self) -> Self {
        let (left, top) = (self.left.min(other.left), self.top.min(other.top));
        let right = (self.left + self.width).max(other.left + other.width);
        let bottom = (self.top + self.height).max(other.top + other.height);
        Self { left, top, width: right - left, height: bottom - top }
    }

    /// Whether the two share a pixel.
    pub(crate) fn overlaps(self, other: Self) -> bool {
        self.left < other.left + other.width
            && other.left < self.left + self.width
            && self.top < other.top + other.height
            && other.top < self.top + self.height
    }

    /// The same area on a grid twice as fine.
    pub(crate) fn doubled(self) -> Self {
        Self { left: self.left * 2, top: self.top * 2, width: self.width * 2, height: self.height * 2 }
    }
}

/// What a sample sees: nothing is `nearness` 0.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Sample {
    pub(crate) nearness: f32,
    /// Which of the drawn meshes, and which of its triangles.
    pub(crate) mesh: u16,
    pub(crate) triangle: u16,
}

/// A grid of samples over `area`; sample (x, y) lies at (x + 0.5, y + 0.5).
#[derive(Clone, Debug)]
pub(crate) struct Visibility {
    pub(crate) area: Rect,
    pub(crate) samples: Vec<Sample>,
}

impl Visibility {
    pub(crate) fn new(area: Rect) -> Self {
        Self { area, samples: vec![Sample::default(); (area.width * area.height) as usize] }
    }

    /// Draws one triangle; what is nearer stays.
    pub(crate) fn draw(&mut self, corners: [Projected; 3], mesh: u16, triangle: u16) {
        let [a, b, c] = corners;
        let area = (b.at - a.at).perp_dot(c.at - a.at);
        if area.abs() < 1e-9 {
            return;
        }
        let Some(bounds) = Rect::around([a.at, b.at, c.at].into_iter(), 0, self.area) else { return };
        let inverse = area.recip();
        // Barycentric weights and nearness are linear over the picture: one value and two steps each.
        let weight = |from: Vec2, to: Vec2, p: Vec2| (to - from).perp_dot(p - from) * inverse;
        let step = |from: Vec2, to: Vec2| Vec2::new(from.y - to.y, to.x - from.x) * inverse;
        let (step_a, step_b) = (step(b.at, c.at), step(c.at, a.at));
        for y in bounds.top..bounds.top + bounds.height {
            let start = Vec2::new(bounds.left as f32 + 0.5, y as f32 + 0.5);
            let (mut at_a, mut at_b) = (weight(b.at, c.at, start), weight(c.at, a.at, start));
            let row = ((y - self.area.top) * self.area.width + bounds.left - self.area.left) as usize;
            for sample in &mut self.samples[row..row + bounds.width as usize] {
                let at_c = 1.0 - at_a - at_b;
                if at_a >= 0.0 && at_b >= 0.0 && at_c >= 0.0 {
                    let nearness = at_a * a.nearness + at_b * b.nearness + at_c * c.nearness;
                    if nearness > sample.nearness {
                        *sample = Sample { nearness, mesh, triangle };
                    }
                }
                at_a += step_a.x;
                at_b += step_b.x;
            }
        }
    }
}

/// A mesh as the camera sees it.
#[derive(Clone, Debug)]
pub(crate) struct Seen<'a> {
    pub(crate) mesh: &'a Mesh,
    /// Per vertex, in samples of a grid of the size it was made for; `None` behind the camera.
    pub(crate) points: Vec<Option<Projected>>,
}

impl<'a> Seen<'a> {
    pub(crate) fn new(mesh: &'a Mesh, camera: &Camera, size: Vec2) -> Self {
        Self { mesh, points: mesh.vertices.iter().map(|v| camera.project(v.position, size)).collect() }
    }

    fn corners(&self, triangle: usize) -> Option<[Projected; 3]> {
        let [a, b, c] = self.mesh.triangles[triangle].corners.map(|i| self.points[i as usize]);
        Some([a?, b?, c?])
    }

    /// Draws the whole mesh as number `mesh`.
    pub(crate) fn draw(&self, onto: &mut Visibility, mesh: u16) {
        for triangle in 0..self.mesh.triangles.len() {
            if let Some(corners) = self.corners(triangle) {
                onto.draw(corners, mesh, triangle as u16);
            }
        }
    }

    /// The surface point of `triangle` at picture point `at`, interpolated with perspective.
    pub(crate) fn vertex(&self, triangle: usize, at: Vec2) -> Option<Vertex> {
        let [a, b, c] = self.corners(triangle)?;
        let area = (b.at - a.at).perp_dot(c.at - a.at);
        let share = |from: Projected, to: Projected| ((to.at - from.at).perp_dot(at - from.at) / area).clamp(0.0, 1.0);
        let weights = Vec3::new(share(b, c) * a.nearness, share(c, a) * b.nearness, share(a, b) * c.nearness);
        let weights = weights / weights.element_sum();
        let corners = self.mesh.triangles[triangle].corners.map(|i| self.mesh.vertices[i as usize]);
        let mix = |get: fn(&Vertex) -> Vec3| {
            get(&corners[0]) * weights.x + get(&corners[1]) * weights.y + get(&corners[2]) * weights.z
        };
        Some(Vertex {
            position: mix(|v| v.position),
            normal: mix(|v| v.normal).normalize_or(Vec3::Z),
            local: mix(|v| v.local),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const AREA: Rect = Rect { left: 0, top: 0, width: 64, height: 48 };

    fn point(x: f32, y: f32, nearness: f32) -> Projected {
        Projected { at: Vec2::new(x, y), nearness }
    }

    proptest! {
        #[test]
        fn two_triangles_cover_their_square_once(x in 2.0_f32..20.0, y in 2.0_f32..20.0, side in 4.0_f32..24.0) {
            let [a, b, c, d] = [(0.0, 0.0), (side, 0.0), (side, side), (0.0, side)].map(|(u, v)| point(x + u, y + v, 1.0));
            let mut buffer = Visibility::new(AREA);
            buffer.draw([a, b, c], 0, 1);
            buffer.draw([a, c, d], 0, 2);
            let covered = buffer.samples.iter().filter(|s| s.nearness > 0.0).count() as f32;
            prop_assert!((covered - side * side).abs() <= 2.0 * side + 1.0, "{covered} of {}", side * side);
        }
    }

    #[test]
    fn the_nearer_triangle_wins_in_either_order() {
        let near = [point(0.0, 0.0, 0.5), point(40.0, 0.0, 0.5), point(0.0, 40.0, 0.5)];
        let far = near.map(|p| Projected { nearness: 0.25, ..p });
        for order in [[(near, 1), (far, 2)], [(far, 2), (near, 1)]] {
            let mut buffer = Visibility::new(AREA);
            for (corners, mesh) in order {
                buffer.draw(corners, mesh, 0);
            }
            assert_eq!(buffer.samples[64 * 5 + 5].mesh, 1);
        }
    }
}
