//! Shadows of the moving objects: one depth map per object, seen from the light (Williams, SIGGRAPH 1978), with
//! percentage-closer filtering (Reeves et al., SIGGRAPH 1987).

use glam::{Vec2, Vec3};

use crate::camera::Projected;
use crate::mesh::Mesh;
use crate::raster::{Rect, Visibility};

/// Texels along the longer side: about 2 cm on a person, which is the blur of the sun's edge.
const TEXELS: f32 = 112.0;
/// A surface nearer than this to what shades it is that surface itself.
const BIAS: f32 = 0.035;

/// The shadow one object casts, for light that comes from one direction.
#[derive(Clone, Debug)]
pub(crate) struct Shadow {
    right: Vec3,
    up: Vec3,
    to_light: Vec3,
    low: Vec2,
    scale: f32,
    depth: Visibility,
}

impl Shadow {
    pub(crate) fn new(mesh: &Mesh, to_light: Vec3) -> Self {
        let right = to_light.cross(Vec3::Z).normalize_or(Vec3::X);
        let up = right.cross(to_light);
        let flat = |p: Vec3| Vec2::new(p.dot(right), p.dot(up));
        let (low, high) = mesh
            .vertices
            .iter()
            .fold((Vec2::MAX, Vec2::MIN), |(low, high), v| (low.min(flat(v.position)), high.max(flat(v.position))));
        let (low, high) = (low - 0.1, high + 0.1);
        let scale = TEXELS / (high - low).max_element().max(0.1);
        let size = ((high - low) * scale).ceil();
        let mut depth = Visibility::new(Rect { left: 0, top: 0, width: size.x as i32, height: size.y as i32 });
        for triangle in &mesh.triangles {
            let corners = triangle.corners.map(|i| {
                let p = mesh.vertices[i as usize].position;
                // An orthographic picture; any value that grows toward the light serves as nearness, if positive.
                Projected { at: (flat(p) - low) * scale, nearness: 1e4 + p.dot(to_light) }
            });
            depth.draw(corners, 0, 0);
        }
        Self { right, up, to_light, low, scale, depth }
    }

    /// The share of the direct light that reaches `p`, 0..1.
    pub(crate) fn light(&self, p: Vec3) -> f32 {
        let at = (Vec2::new(p.dot(self.right), p.dot(self.up)) - self.low) * self.scale;
        let (x, y) = (at.x.floor() as i32, at.y.floor() as i32);
        let (width, height) = (self.depth.area.width, self.depth.area.height);
        if x < 1 || y < 1 || x >= width - 2 || y >= height - 2 {
            return 1.0;
        }
        let nearness = 1e4 + p.dot(self.to_light) + BIAS;
        let blocked =
            |x: i32, y: i32| f32::from(u8::from(self.depth.samples[(y * width + x) as usize].nearness > nearness));
        // A 3 x 3 tent, weighted by where p lies between the texels.
        let f = at - at.floor();
        let row = |y: i32| (blocked(x - 1, y) * (1.0 - f.x) + blocked(x, y) + blocked(x + 1, y) * f.x) * 0.5;
        1.0 - (row(y - 1) * (1.0 - f.y) + row(y) + row(y + 1) * f.y) * 0.5
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::material::Material;
    use crate::mesh::tube;

    #[test]
    fn a_post_shades_the_ground_behind_it_and_nothing_else() {
        let mut mesh = Mesh::default();
        let material = mesh.material(Material::Rubber);
        mesh.loft(&tube(&[(Vec3::Z * 0.2, 0.2), (Vec3::Z * 1.8, 0.2)], Vec3::X), 12, material);
        let shadow = Shadow::new(&mesh, Vec3::new(1.0, 0.0, 1.0).normalize());
        assert_eq!(shadow.light(Vec3::new(-1.0, 0.0, 0.0)), 0.0);
        assert_eq!(shadow.light(Vec3::new(1.0, 0.0, 0.0)), 1.0);
        assert_eq!(shadow.light(Vec3::new(-1.0, 1.0, 0.0)), 1.0);
        assert_eq!(shadow.light(Vec3::new(0.2, 0.0, 1.0)), 1.0, "the lit side does not shade itself");
    }
}
