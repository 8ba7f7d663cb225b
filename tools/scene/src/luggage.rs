//! Bags and parcels, and how they are carried.

use glam::{Vec2, Vec3};

use crate::material::{Material, Pattern};
use crate::mesh::{Mesh, Ring, tube};
use crate::texture::smoothstep;

/// A bag with a handle, or a parcel without one. Sizes in metres.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bag {
    pub(crate) colour: Vec3,
    pub(crate) second: Vec3,
    /// Along the way of who carries it.
    pub(crate) length: f32,
    pub(crate) width: f32,
    pub(crate) height: f32,
    /// A holdall with rounded ends and a handle; otherwise a box.
    pub(crate) soft: bool,
}

/// When something is carried, and where then.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Hold {
    /// It is on the ground from the first to the second of these times; before and after it is carried.
    pub(crate) down: (f32, f32),
    /// Right, ahead and up from where the carrier stands, while it is carried.
    pub(crate) hand: [f32; 3],
    /// Right and ahead from where the carrier stands, on the ground.
    pub(crate) ground: [f32; 2],
}

impl Hold {
    /// 1 in the hand, 0 on the ground.
    pub(crate) fn held(&self, time: f32) -> f32 {
        let (down, up) = self.down;
        1.0 - smoothstep(down - 0.6, down, time) + smoothstep(up, up + 0.6, time)
    }

    /// Where it is from the carrier's place.
    pub(crate) fn offset(&self, held: f32) -> Vec3 {
        let ground = Vec3::new(self.ground[0], self.ground[1], 0.0);
        ground.lerp(Vec3::from(self.hand), held)
    }
}

impl Bag {
    /// Half length and half width.
    pub(crate) fn half(&self) -> Vec2 {
        Vec2::new(self.length / 2.0, self.width / 2.0)
    }

    /// The mesh, its bottom's middle at `at` in the carrier's frame: x right, y ahead, z up.
    pub(crate) fn mesh(&self, at: Vec3) -> Mesh {
        let mut mesh = Mesh::default();
        let skin = mesh.material(Material::Cloth {
            colour: self.colour,
            second: self.second,
            pattern: if self.soft { Pattern::Plain } else { Pattern::Band },
            infrared: 0.3,
            seed: 2.0,
        });
        let half = self.half();
        // From one end to the other: share of the half length, share of the cross-section.
        let soft = [(-1.0, 0.6), (-0.94, 0.86), (-0.8, 0.98), (0.0, 1.0), (0.8, 0.98), (0.94, 0.86), (1.0, 0.6)];
        let hard = [(-1.0, 0.97), (-0.98, 1.0), (-0.3, 1.0), (0.0, 1.0), (0.3, 1.0), (0.98, 1.0), (1.0, 0.97)];
        let rings: Vec<Ring> = if self.soft { soft } else { hard }
            .iter()
            .map(|&(along, size)| Ring {
                centre: at + Vec3::new(0.0, along * half.x, self.height * size / 2.0),
                side: Vec3::X * half.y * size,
                front: Vec3::Z * self.height / 2.0 * size,
                power: if self.soft { 3.0 } else { 16.0 },
                along: 0.25 + along * half.x,
            })
            .collect();
        mesh.loft(&rings, 24, skin);
        if self.soft {
            let strap = mesh.material(Material::Leather { colour: Vec3::splat(0.02) });
            for x in [-0.5, 0.5] {
                let point = |along: f32, up: f32| (at + Vec3::new(x * half.y, along * half.x, self.height + up), 0.014);
                mesh.loft(
                    &tube(&[point(-0.4, -0.03), point(-0.25, 0.1), point(0.25, 0.1), point(0.4, -0.03)], Vec3::X),
                    6,
                    strap,
                );
            }
        }
        mesh
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bag_goes_from_the_hand_to_the_ground_and_back() {
        let hold = Hold { down: (10.0, 30.0), hand: [0.3, 0.0, 0.3], ground: [0.2, 0.3] };
        assert_eq!([5.0, 10.0, 29.0, 31.0].map(|t| hold.held(t)), [1.0, 0.0, 0.0, 1.0]);
        assert_eq!(hold.offset(0.0), Vec3::new(0.2, 0.3, 0.0));
        let bag = Bag { colour: Vec3::X, second: Vec3::X, length: 0.6, width: 0.3, height: 0.32, soft: true };
        let lowest = bag.mesh(Vec3::ZERO).vertices.iter().map(|v| v.position.z).fold(f32::MAX, f32::min);
        assert!(lowest.abs() < 0.01, "it stands on the ground: {lowest}");
    }
}
