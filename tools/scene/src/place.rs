//! A place: everything that stays put while a script runs.

use glam::{Vec2, Vec3};

use crate::camera::Camera;
use crate::light::{Lighting, Mode};
use crate::material::Material;
use crate::solid::{Solid, Veil};
use crate::texture::noise;

/// A rectangle of ground with a surface of its own.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Patch {
    pub(crate) from: Vec2,
    pub(crate) to: Vec2,
    pub(crate) material: Material,
    /// How far the edge wanders, metres: 0 for a kerb, more where grass grows over.
    pub(crate) ragged: f32,
}

/// A static scene and the camera that looks at it.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    pub(crate) camera: Camera,
    pub(crate) ground: Material,
    /// Later patches lie on earlier ones.
    pub(crate) patches: Vec<Patch>,
    pub(crate) solids: Vec<Solid>,
    pub(crate) veils: Vec<Veil>,
    pub(crate) day: Lighting,
    pub(crate) night: Lighting,
}

impl Place {
    pub(crate) fn lighting(&self, mode: Mode) -> &Lighting {
        match mode {
            Mode::Day => &self.day,
            Mode::Night => &self.night,
        }
    }

    /// The uppermost patch at `p`: its index plus one, 0 for the bare ground.
    pub(crate) fn patch(&self, p: Vec2) -> usize {
        let covers = |patch: &Patch| {
            let wander =
                if patch.ragged > 0.0 { patch.ragged * noise(Vec3::new(p.x * 1.3, p.y * 1.3, 5.0)) } else { 0.0 };
            p.cmpge(patch.from + wander).all() && p.cmple(patch.to + wander).all()
        };
        self.patches.iter().rposition(covers).map_or(0, |index| index + 1)
    }

    /// The material of what [`Place::patch`] found.
    pub(crate) fn ground(&self, patch: usize) -> &Material {
        patch.checked_sub(1).map_or(&self.ground, |index| &self.patches[index].material)
    }

    /// The share of direct light that the static scene lets through to `p`.
    pub(crate) fn light(&self, p: Vec3, n: Vec3, lighting: &Lighting) -> f32 {
        let origin = p + n * 0.01;
        let (ray, reach) = match lighting.mode {
            Mode::Day => (lighting.to_sun, f32::MAX),
            Mode::Night => (lighting.lamp - origin, 0.97),
        };
        if Solid::first(&self.solids, origin, ray).is_some_and(|hit| hit.distance < reach) {
            return 0.0;
        }
        let through = |veil: &Veil| match veil.meet(origin, ray) {
            Some((distance, cover)) if distance < reach => 1.0 - cover,
            _ => 1.0,
        };
        self.veils.iter().map(through).product()
    }
}
