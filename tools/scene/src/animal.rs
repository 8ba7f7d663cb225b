//! A dog: trunk, head, four legs that trot, and a tail.

use glam::Vec3;

use crate::material::{Material, Pattern};
use crate::mesh::{Mesh, tube};

/// A dog's looks.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Dog {
    pub(crate) coat: Vec3,
    /// Muzzle, paws and back.
    pub(crate) dark: Vec3,
    /// Metres to the shoulder, about 0.6.
    pub(crate) shoulder: f32,
}

impl Dog {
    /// The mesh in the dog's frame: x right, y ahead, z up, paws on 0.
    pub(crate) fn mesh(&self, travelled: f32, speed: f32, time: f32) -> Mesh {
        let s = self.shoulder / 0.6;
        let mut mesh = Mesh::default();
        let fur = |colour: Vec3| Material::Cloth {
            colour,
            second: colour,
            pattern: Pattern::Plain,
            infrared: 0.4,
            seed: 1.3,
        };
        let coat = mesh.material(fur(self.coat));
        let dark = mesh.material(fur(self.dark));
        let point = |x: f32, y: f32, z: f32, radius: f32| (Vec3::new(x, y, z) * s, radius * s);
        let moving = (speed / 1.0).clamp(0.0, 1.0);
        let phase = travelled / (0.75 * s) * std::f32::consts::TAU;
        let bob = 0.015 * moving * (2.0 * phase).sin();
        let trunk = [
            point(0.0, -0.34, 0.49 + bob, 0.10),
            point(0.0, -0.22, 0.50 + bob, 0.125),
            point(0.0, -0.02, 0.485 + bob, 0.125),
            point(0.0, 0.16, 0.475 + bob, 0.15),
            point(0.0, 0.30, 0.50 + bob, 0.125),
        ];
        mesh.loft(&tube(&trunk, Vec3::X), 14, coat);
        let saddle = [point(0.0, -0.26, 0.555 + bob, 0.085), point(0.0, 0.18, 0.56 + bob, 0.09)];
        mesh.loft(&tube(&saddle, Vec3::X), 10, dark);
        // The head is carried high, and turns a little.
        let look = 0.06 * (time * 0.25 * std::f32::consts::TAU).sin();
        let neck = [point(0.0, 0.26, 0.54 + bob, 0.11), point(look * 0.4, 0.42, 0.72 + bob, 0.085)];
        mesh.loft(&tube(&neck, Vec3::X), 12, coat);
        let skull = [
            point(look * 0.4, 0.38, 0.76 + bob, 0.075),
            point(look * 0.6, 0.47, 0.77 + bob, 0.085),
            point(look, 0.55, 0.745 + bob, 0.062),
        ];
        mesh.loft(&tube(&skull, Vec3::X), 12, coat);
        let muzzle = [point(look, 0.55, 0.73 + bob, 0.05), point(look * 1.4, 0.68, 0.71 + bob, 0.036)];
        mesh.loft(&tube(&muzzle, Vec3::X), 10, dark);
        for side in [-1.0, 1.0] {
            let ear = [
                point(look * 0.5 + side * 0.055, 0.42, 0.81 + bob, 0.035),
                point(look * 0.5 + side * 0.07, 0.41, 0.90 + bob, 0.012),
            ];
            mesh.loft(&tube(&ear, Vec3::Y), 7, dark);
            for (y, hind) in [(0.24, false), (-0.28, true)] {
                // A trot: legs across from each other move together.
                let turn = phase + if (side > 0.0) == hind { std::f32::consts::PI } else { 0.0 };
                let swing = moving * 0.42 * turn.cos();
                let lift = moving * (-turn.sin()).max(0.0);
                let hip = Vec3::new(side * 0.085, y, 0.46 + bob);
                let bend = if hind { -0.07 } else { 0.02 };
                let paw =
                    Vec3::new(side * 0.085, y + 0.42 * swing + if hind { -0.04 } else { 0.0 }, 0.035 + 0.09 * lift);
                let knee =
                    hip.lerp(paw, 0.52) + Vec3::new(0.0, if hind { bend + 0.1 * lift } else { bend }, 0.03 * lift);
                let leg = [
                    (hip * s, 0.075 * s),
                    (hip.lerp(knee, 0.6) * s, 0.055 * s),
                    (knee * s, 0.036 * s),
                    (knee.lerp(paw, 0.8) * s, 0.028 * s),
                    (paw * s, 0.034 * s),
                ];
                mesh.loft(&tube(&leg, Vec3::X), 9, coat);
                let toes = [(paw * s, 0.034 * s), ((paw + Vec3::new(0.0, 0.06, -0.008)) * s, 0.026 * s)];
                mesh.loft(&tube(&toes, Vec3::X), 8, dark);
            }
        }
        let wag = 0.10 * (time * 1.5 * std::f32::consts::TAU).sin();
        let tail = [
            point(0.0, -0.36, 0.54 + bob, 0.04),
            point(wag * 0.5, -0.50, 0.60, 0.034),
            point(wag, -0.60, 0.70, 0.03),
            point(wag * 1.2, -0.62, 0.80, 0.016),
        ];
        mesh.loft(&tube(&tail, Vec3::X), 8, coat);
        mesh
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dog_stands_on_its_paws_and_has_its_size() {
        let dog = Dog { coat: Vec3::splat(0.3), dark: Vec3::splat(0.05), shoulder: 0.6 };
        for travelled in [0.0, 0.2, 0.4, 0.6] {
            let mesh = dog.mesh(travelled, 1.5, 3.0);
            let (low, high) = mesh
                .vertices
                .iter()
                .fold((Vec3::MAX, Vec3::MIN), |(low, high), v| (low.min(v.position), high.max(v.position)));
            assert!(low.z.abs() < 0.03, "lowest point {}", low.z);
            assert!((0.85..1.0).contains(&high.z), "ears at {}", high.z);
            assert!((1.2..1.5).contains(&(high.y - low.y)), "length {}", high.y - low.y);
        }
    }
}
