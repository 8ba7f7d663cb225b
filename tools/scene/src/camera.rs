//! The camera: an ideal pinhole. World axes are x right, y away from the camera, z up, in metres.

use glam::{Vec2, Vec3};

/// A point seen by the camera: where in the picture, and how near.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Projected {
    /// Pixels from the top left corner of the picture.
    pub(crate) at: Vec2,
    /// One over the distance along the optical axis: linear over the picture, so it can be interpolated there.
    pub(crate) nearness: f32,
}

/// A pinhole camera above the ground.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Camera {
    pub(crate) position: Vec3,
    right: Vec3,
    down: Vec3,
    pub(crate) forward: Vec3,
    /// Focal length in picture widths.
    focal: f32,
}

impl Camera {
    /// A camera at `position` that looks along +y turned left by `yaw`, down by `pitch` and tilted by `roll` (radians).
    pub(crate) fn new(position: Vec3, yaw: f32, pitch: f32, roll: f32, focal: f32) -> Self {
        let flat = Vec3::new(-yaw.sin(), yaw.cos(), 0.0);
        let forward = flat * pitch.cos() - Vec3::Z * pitch.sin();
        let level = forward.cross(Vec3::Z).normalize();
        let below = forward.cross(level);
        Self {
            position,
            right: level * roll.cos() + below * roll.sin(),
            down: below * roll.cos() - level * roll.sin(),
            forward,
            focal,
        }
    }

    /// Where `point` falls in a picture of `size` pixels; `None` behind the camera or nearer than 20 cm.
    pub(crate) fn project(&self, point: Vec3, size: Vec2) -> Option<Projected> {
        let offset = point - self.position;
        let depth = offset.dot(self.forward);
        (depth > 0.2).then(|| {
            let scale = self.focal * size.x / depth;
            Projected {
                at: size * 0.5 + Vec2::new(offset.dot(self.right), offset.dot(self.down)) * scale,
                nearness: depth.recip(),
            }
        })
    }

    /// The direction through picture point `at`, scaled so that its length along the optical axis is 1: a position at
    /// depth `d` is `position + d * ray`.
    pub(crate) fn ray(&self, at: Vec2, size: Vec2) -> Vec3 {
        let offset = (at - size * 0.5) / (self.focal * size.x);
        self.forward + self.right * offset.x + self.down * offset.y
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_ray_leads_back_to_its_picture_point(
            x in 0.0_f32..640.0, y in 0.0_f32..360.0, depth in 1.0_f32..60.0,
            yaw in -0.5_f32..0.5, pitch in 0.1_f32..0.6, roll in -0.1_f32..0.1,
        ) {
            let size = Vec2::new(640.0, 360.0);
            let camera = Camera::new(Vec3::new(0.0, 0.0, 4.0), yaw, pitch, roll, 0.9);
            let point = camera.position + depth * camera.ray(Vec2::new(x, y), size);
            let seen = camera.project(point, size).expect("the point lies in front of the camera");
            prop_assert!((seen.at - Vec2::new(x, y)).length() < 0.05);
            prop_assert!((seen.nearness * depth - 1.0).abs() < 1e-3);
        }
    }

    #[test]
    fn what_is_behind_the_camera_is_not_seen() {
        let camera = Camera::new(Vec3::new(0.0, 0.0, 4.0), 0.0, 0.4, 0.0, 0.9);
        assert_eq!(camera.project(Vec3::new(0.0, -5.0, 4.0), Vec2::new(640.0, 360.0)), None);
    }
}
