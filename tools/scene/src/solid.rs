//! What does not move: boxes, round shapes and the ground, met by rays.

use glam::{Vec2, Vec3};

use crate::material::Material;
use crate::texture::noise;

/// A solid of the static scene.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Solid {
    pub(crate) shape: Shape,
    pub(crate) material: Material,
}

/// The shapes.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Shape {
    /// A box with half sizes `half`, turned by `yaw` about the vertical.
    Box { middle: Vec3, half: Vec3, yaw: f32 },
    /// An ellipsoid with half axes `half`.
    Ellipsoid { middle: Vec3, half: Vec3 },
}

/// A fence of wire mesh: a vertical plane through which one sees.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Veil {
    /// The two ends on the ground.
    pub(crate) from: Vec2,
    pub(crate) to: Vec2,
    pub(crate) height: f32,
    /// Share of the view that the wires cover.
    pub(crate) cover: f32,
}

/// A met surface.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Hit {
    /// Along the ray, in lengths of its direction.
    pub(crate) distance: f32,
    pub(crate) normal: Vec3,
    /// Index of the solid.
    pub(crate) solid: usize,
}

impl Solid {
    /// Where the ray from `origin` first enters the solid: distance and normal.
    pub(crate) fn meet(&self, origin: Vec3, ray: Vec3) -> Option<(f32, Vec3)> {
        match self.shape {
            Shape::Box { middle, half, yaw } => {
                let (sin, cos) = yaw.sin_cos();
                let into = |v: Vec3| Vec3::new(v.x * cos + v.y * sin, v.y * cos - v.x * sin, v.z);
                let (o, d) = (into(origin - middle), into(ray));
                // Slabs (Kay and Kajiya 1986); a zero component gives infinities, which compare as they should.
                let inverse = d.recip();
                let (a, b) = ((-half - o) * inverse, (half - o) * inverse);
                let (near, far) = (a.min(b), a.max(b));
                let (enter, leave) = (near.max_element(), far.min_element());
                if enter > leave || enter <= 1e-3 {
                    return None;
                }
                let normal = if enter == near.x {
                    Vec3::X * -d.x.signum()
                } else if enter == near.y {
                    Vec3::Y * -d.y.signum()
                } else {
                    Vec3::Z * -d.z.signum()
                };
                Some((enter, Vec3::new(normal.x * cos - normal.y * sin, normal.x * sin + normal.y * cos, normal.z)))
            }
            Shape::Ellipsoid { middle, half } => {
                let (o, d) = ((origin - middle) / half, ray / half);
                let (a, b, c) = (d.dot(d), o.dot(d), o.dot(o) - 1.0);
                let root = b * b - a * c;
                if root < 0.0 {
                    return None;
                }
                let distance = (-b - root.sqrt()) / a;
                (distance > 1e-3).then(|| (distance, ((o + d * distance) / half).normalize_or(Vec3::Z)))
            }
        }
    }

    /// Whether the ray slips between leaves: a crown's outline is not that of a ball.
    fn is_gap(&self, p: Vec3, normal: Vec3, ray: Vec3) -> bool {
        matches!(self.material, Material::Foliage { .. })
            && matches!(self.shape, Shape::Ellipsoid { .. })
            && -normal.dot(ray) / ray.length() < 0.3 + 0.55 * noise(p * 3.5) + 0.3 * noise(p * 11.0)
    }

    /// The first of `solids` that the ray meets.
    pub(crate) fn first(solids: &[Self], origin: Vec3, ray: Vec3) -> Option<Hit> {
        let mut best: Option<Hit> = None;
        for (solid, it) in solids.iter().enumerate() {
            if let Some((distance, normal)) = it.meet(origin, ray)
                && best.is_none_or(|b| distance < b.distance)
                && !it.is_gap(origin + ray * distance, normal, ray)
            {
                best = Some(Hit { distance, normal, solid });
            }
        }
        best
    }
}

impl Veil {
    /// Where the ray passes the mesh: distance and the share it covers there.
    pub(crate) fn meet(&self, origin: Vec3, ray: Vec3) -> Option<(f32, f32)> {
        let along = self.to - self.from;
        let normal = along.perp();
        let speed = ray.truncate().dot(normal);
        let distance = (self.from - origin.truncate()).dot(normal) / speed;
        if !(distance > 1e-3 && distance.is_finite()) {
            return None;
        }
        let p = origin + ray * distance;
        let share = (p.truncate() - self.from).dot(along) / along.length_squared();
        ((0.0..=1.0).contains(&share) && (0.0..=self.height).contains(&p.z)).then_some((distance, self.cover))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_ray_at_a_box_meets_its_surface(yaw in -3.0_f32..3.0, x in -8.0_f32..8.0, z in 0.2_f32..6.0) {
            let half = Vec3::new(1.0, 2.0, 0.5);
            let solid = Solid { shape: Shape::Box { middle: Vec3::new(0.0, 10.0, 0.5), half, yaw }, material: Material::Rubber };
            let origin = Vec3::new(x, 0.0, z);
            let ray = (Vec3::new(0.0, 10.0, 0.5) - origin).normalize();
            let (distance, normal) = solid.meet(origin, ray).expect("the ray aims at the middle");
            prop_assert!(normal.dot(ray) < 0.0);
            let p = origin + ray * distance - Vec3::new(0.0, 10.0, 0.5);
            let (sin, cos) = yaw.sin_cos();
            let inside = Vec3::new(p.x * cos + p.y * sin, p.y * cos - p.x * sin, p.z) / half;
            prop_assert!((inside.abs().max_element() - 1.0).abs() < 1e-3);
        }
    }

    #[test]
    fn a_veil_is_met_only_within_its_ends() {
        let veil = Veil { from: Vec2::new(-2.0, 5.0), to: Vec2::new(2.0, 5.0), height: 2.0, cover: 0.2 };
        assert_eq!(veil.meet(Vec3::Z, Vec3::Y).map(|(distance, _)| distance), Some(5.0));
        assert!(veil.meet(Vec3::new(3.0, 0.0, 1.0), Vec3::Y).is_none());
        assert!(veil.meet(Vec3::new(0.0, 0.0, 3.0), Vec3::Y).is_none());
        assert!(veil.meet(Vec3::Z, -Vec3::Y).is_none());
    }
}
