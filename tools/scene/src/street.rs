//! A street that leads away from the camera: for what cars do.

use glam::{Vec2, Vec3};

use crate::camera::Camera;
use crate::colour::srgb;
use crate::material::Material;
use crate::place::{Patch, Place};
use crate::solid::Solid;
use crate::yard::{crown, cuboid, day, night};

/// Half the width of the carriageway.
pub(crate) const HALF_ROAD: f32 = 3.6;

/// So far away is the middle of the side street.
pub(crate) const CROSSING: f32 = 84.5;

/// The street with its pavements, houses and trees.
pub(crate) fn place() -> Place {
    let camera = Camera::new(Vec3::new(-1.2, 0.0, 5.4), -0.05, 17.0_f32.to_radians(), 0.0, 0.95);
    let patch = |from: [f32; 2], to: [f32; 2], ragged, material| Patch {
        from: Vec2::from(from),
        to: Vec2::from(to),
        ragged,
        material,
    };
    let white = Material::Plaster { colour: Vec3::splat(0.42) };
    let mut patches = vec![
        patch([-6.2, -5.0], [6.2, 92.0], 0.0, Material::Concrete),
        // Cars come out of a side street, and go into it: behind the last house nobody sees them.
        patch([-60.0, CROSSING - 5.0], [60.0, CROSSING + 5.0], 0.02, Material::Asphalt { wear: 0.15 }),
        patch([-HALF_ROAD, -5.0], [HALF_ROAD, CROSSING + 2.0], 0.02, Material::Asphalt { wear: 0.15 }),
    ];
    for bay in 0..15 {
        let y = 4.0 + 5.0 * bay as f32;
        patches.push(patch([-0.06, y], [0.06, y + 2.0], 0.02, white));
    }
    let mut solids = houses();
    for y in [17.0, 37.0, 57.0] {
        solids.push(cuboid([5.6, y, 3.2], [0.06, 0.06, 3.2], Material::Metal { colour: Vec3::splat(0.3) }));
    }
    let mut night = night(camera);
    night.lamp = Vec3::new(4.4, 17.0, 6.3);
    night.direct = Vec3::splat(2.6);
    Place { camera, ground: Material::Grass { dryness: 0.3 }, patches, solids, veils: Vec::new(), day: day(), night }
}

fn houses() -> Vec<Solid> {
    let wood = Material::Wood { colour: srgb(0x8a6b46) };
    let mut solids = vec![
        cuboid([-16.0, 26.0, 3.4], [5.0, 6.0, 3.4], Material::Plaster { colour: srgb(0xd3c6a4) }),
        cuboid([-17.0, 44.0, 4.0], [5.0, 7.0, 4.0], Material::Brick { colour: srgb(0x9a6a52) }),
        cuboid([16.0, 34.0, 3.2], [4.5, 6.0, 3.2], Material::Plaster { colour: srgb(0xb9c2c4) }),
        cuboid([17.0, 54.0, 4.5], [5.0, 8.0, 4.5], Material::Brick { colour: srgb(0x8d7466) }),
        cuboid([0.0, 98.0, 4.0], [40.0, 4.0, 4.0], Material::Plaster { colour: srgb(0xcdbd9c) }),
        cuboid([-8.4, 21.0, 0.55], [0.4, 9.0, 0.55], Material::Foliage { colour: srgb(0x50683a) }),
    ];
    for y in [22.0, 25.0, 28.0] {
        solids.push(cuboid([-10.98, y, 2.4], [0.05, 0.6, 0.8], Material::Pane));
    }
    for (x, y) in [(9.0, 21.0), (8.6, 46.0), (-9.0, 58.0), (9.4, 70.0)] {
        solids.push(cuboid([x, y, 1.2], [0.16, 0.16, 1.2], wood));
        solids.push(crown([x, y, 3.9], [2.0, 2.0, 2.1], 0x4c6634));
    }
    solids
}
