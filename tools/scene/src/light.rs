//! Light: the sun and the sky by day; by night a lamp on the wall and the camera's own infra-red illuminator.

use glam::Vec3;

use crate::material::Surface;
use crate::texture::smoothstep;

/// Which of its two pictures the camera gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Mode {
    /// Colour, by daylight.
    Day,
    /// Grey: the infra-red filter is swung out.
    Night,
}

/// All light sources of one mode.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Lighting {
    pub(crate) mode: Mode,
    /// By day the direction to the sun; by night unused.
    pub(crate) to_sun: Vec3,
    /// Colour and strength of the direct light: the sun's, or the lamp's at 1 m times its distance law.
    pub(crate) direct: Vec3,
    /// Light from above and from below.
    pub(crate) sky: Vec3,
    pub(crate) bounce: Vec3,
    /// Position of the lamp.
    pub(crate) lamp: Vec3,
    /// Position and direction of the infra-red illuminator, and its strength.
    pub(crate) eye: Vec3,
    pub(crate) eye_forward: Vec3,
    pub(crate) infrared: f32,
}

/// What falls on a surface.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Incident {
    /// Light that no object of the scene shadows.
    pub(crate) ambient: Vec3,
    /// Light that is lost in a shadow, the angle to the surface included.
    pub(crate) direct: Vec3,
}

impl Lighting {
    /// Direction from `p` to the source of the direct light.
    pub(crate) fn towards(&self, p: Vec3) -> Vec3 {
        match self.mode {
            Mode::Day => self.to_sun,
            Mode::Night => (self.lamp - p).normalize_or(Vec3::Z),
        }
    }

    /// The light that falls on a surface at `p` with normal `n`.
    pub(crate) fn at(&self, p: Vec3, n: Vec3) -> Incident {
        let up = 0.5 + 0.5 * n.z;
        let hemisphere = self.bounce.lerp(self.sky, up);
        match self.mode {
            Mode::Day => Incident { ambient: hemisphere, direct: self.direct * n.dot(self.to_sun).max(0.0) },
            Mode::Night => {
                let to_lamp = self.lamp - p;
                let distance = to_lamp.length();
                // Inverse square, but finite at the lamp; floodlights aim down and outward.
                let fall = 1.0 / (1.0 + (distance / 5.0).powi(2));
                let lamp = self.direct * fall * (n.dot(to_lamp) / distance.max(0.1)).max(0.0);
                let from_eye = p - self.eye;
                let range = from_eye.length().max(0.5);
                let cone = smoothstep(0.62, 0.93, from_eye.dot(self.eye_forward) / range);
                let facing = (-n.dot(from_eye) / range).max(0.0).sqrt();
                let beam = self.infrared * (0.12 + 0.88 * cone) * facing / (1.0 + (range / 7.5).powi(2));
                Incident { ambient: hemisphere + Vec3::splat(beam), direct: lamp }
            }
        }
    }

    /// The colour of `surface` seen from `view` (unit vector to the eye): what stays in shadow, and what comes from
    /// the direct light.
    pub(crate) fn shade(&self, surface: &Surface, p: Vec3, n: Vec3, view: Vec3) -> (Vec3, Vec3) {
        let bumped = (n + surface.bump).normalize_or(n);
        let light = self.at(p, bumped);
        let albedo = match self.mode {
            Mode::Day => surface.albedo,
            Mode::Night => Vec3::splat(surface.infrared),
        };
        let mut ambient = albedo * light.ambient;
        let mut direct = albedo * light.direct;
        if surface.gloss > 0.0 {
            let facing = n.dot(view).max(0.0);
            // Schlick's approximation for lacquer and glass (refractive index 1.5).
            let fresnel = surface.gloss * (0.04 + 0.96 * (1.0 - facing).powi(5));
            let mirrored = 2.0 * facing * n - view;
            // Above the horizon the sky is mirrored, below it the ground.
            let horizon = smoothstep(-0.15, 0.25, mirrored.z);
            let mirrored_light = self.bounce.lerp(self.sky * 1.6, horizon);
            ambient = ambient * (1.0 - fresnel) + mirrored_light * fresnel;
            let half = (self.towards(p) + view).normalize_or(n);
            direct += self.direct * surface.gloss * 0.35 * n.dot(half).max(0.0).powi(60);
        }
        let own = if self.mode == Mode::Day { 0.5 } else { 1.1 } * surface.emission;
        (ambient + Vec3::splat(own) * surface.albedo, direct)
    }
}
