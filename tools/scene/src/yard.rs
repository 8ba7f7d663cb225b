//! The demonstration: one yard, one minute. Times, places and events are described in the crate's documentation.

use std::time::Duration;

use glam::{Vec2, Vec3};

use crate::actor::{Actor, Figure};
use crate::body::Person;
use crate::camera::Camera;
use crate::colour::srgb;
use crate::light::{Lighting, Mode};
use crate::material::{Material, Pattern};
use crate::path::Path;
use crate::place::{Patch, Place};
use crate::solid::{Shape, Solid, Veil};
use crate::vehicle::Car;

/// One loop of the script.
pub(crate) const PERIOD: Duration = Duration::from_secs(60);

/// The fence stands at this distance from the camera, along x.
const FENCE: f32 = 12.0;
/// Distance between fence posts.
const BAY: f32 = 2.4;

pub(crate) fn cuboid(middle: [f32; 3], half: [f32; 3], material: Material) -> Solid {
    let shape = Shape::Box { middle: Vec3::from(middle), half: Vec3::from(half), yaw: 0.0 };
    Solid { shape, material }
}

pub(crate) fn crown(middle: [f32; 3], half: [f32; 3], colour: u32) -> Solid {
    let shape = Shape::Ellipsoid { middle: Vec3::from(middle), half: Vec3::from(half) };
    Solid { shape, material: Material::Foliage { colour: srgb(colour) } }
}

/// The yard with its building, fence, road and what lies beyond.
pub(crate) fn place() -> Place {
    let camera = Camera::new(Vec3::new(0.0, 0.0, 3.2), 0.0, 22.0_f32.to_radians(), 0.0, 0.875);
    let patch = |from: [f32; 2], to: [f32; 2], ragged, material| Patch {
        from: Vec2::from(from),
        to: Vec2::from(to),
        ragged,
        material,
    };
    let white = Material::Plaster { colour: Vec3::splat(0.42) };
    let patches = vec![
        patch([-14.0, -3.0], [12.0, FENCE + 0.1], 0.15, Material::Asphalt { wear: 0.25 }),
        patch([-40.0, 12.9], [40.0, 15.4], 0.0, Material::Concrete),
        patch([-60.0, 17.2], [60.0, 23.6], 0.05, Material::Asphalt { wear: 0.1 }),
        patch([-60.0, 20.3], [60.0, 20.45], 0.03, white),
        patch([3.5, FENCE - 0.2], [7.4, 17.6], 0.04, Material::Asphalt { wear: 0.2 }),
        patch([-3.0, FENCE - 0.2], [-1.2, 13.0], 0.0, Material::Concrete),
        patch([3.35, 4.0], [3.45, 11.4], 0.02, white),
    ];
    let mut solids = building();
    let mut veils = Vec::new();
    for (from, to) in [(-15.0, -3.0), (-1.2, 3.4), (7.5, 17.1)] {
        fence(from, to, &mut solids, &mut veils);
    }
    solids.extend(surroundings());
    Place {
        camera,
        ground: Material::Grass { dryness: 0.35 },
        patches,
        solids,
        veils,
        day: day(),
        night: night(camera),
    }
}

pub(crate) fn day() -> Lighting {
    Lighting {
        mode: Mode::Day,
        to_sun: Vec3::new(-0.42, -0.62, 0.85).normalize(),
        direct: Vec3::new(1.9, 1.75, 1.5),
        sky: Vec3::new(0.62, 0.72, 0.9),
        bounce: Vec3::new(0.26, 0.25, 0.22),
        lamp: Vec3::ZERO,
        eye: Vec3::ZERO,
        eye_forward: Vec3::Y,
        infrared: 0.0,
    }
}

pub(crate) fn night(camera: Camera) -> Lighting {
    Lighting {
        mode: Mode::Night,
        to_sun: Vec3::Z,
        direct: Vec3::splat(1.5),
        sky: Vec3::splat(0.05),
        bounce: Vec3::splat(0.03),
        lamp: Vec3::new(-3.2, 9.0, 4.9),
        eye: camera.position,
        eye_forward: camera.forward,
        infrared: 1.5,
    }
}

fn building() -> Vec<Solid> {
    let wall = Material::Plaster { colour: srgb(0xcdbd9c) };
    let base = Material::Concrete;
    let frame = Material::Metal { colour: Vec3::splat(0.6) };
    let mut solids = vec![
        // The wall leaves a doorway at y = 9.1 .. 10.1, which is dark inside.
        cuboid([-7.6, 4.0, 2.4], [3.0, 5.1, 2.4], wall),
        cuboid([-7.6, 10.7, 2.4], [3.0, 0.6, 2.4], wall),
        cuboid([-7.6, 9.6, 3.5], [3.0, 0.5, 1.3], wall),
        cuboid([-9.0, 9.6, 1.1], [0.1, 0.5, 1.1], Material::Rubber),
        cuboid([-4.58, 4.0, 0.25], [0.05, 5.1, 0.25], base),
        cuboid([-4.58, 10.7, 0.25], [0.05, 0.6, 0.25], base),
        cuboid([-4.2, 9.6, 2.35], [0.55, 0.7, 0.05], frame),
    ];
    for y in [3.4, 5.6, 7.8] {
        solids.push(cuboid([-4.6, y, 1.75], [0.04, 0.62, 0.7], frame));
        solids.push(cuboid([-4.57, y, 1.75], [0.04, 0.54, 0.62], Material::Pane));
    }
    solids
}

/// Posts, rails and wire along x, on both sides of the gates.
fn fence(from: f32, to: f32, solids: &mut Vec<Solid>, veils: &mut Vec<Veil>) {
    let metal = Material::Metal { colour: srgb(0x6f7a72) };
    let bays = ((to - from) / BAY).round().max(1.0);
    for i in 0..=bays as usize {
        let x = from + (to - from) * i as f32 / bays;
        solids.push(cuboid([x, FENCE, 0.95], [0.035, 0.035, 0.95], metal));
    }
    let (middle, half) = ((from + to) / 2.0, (to - from) / 2.0);
    for height in [0.12, 1.82] {
        solids.push(cuboid([middle, FENCE, height], [half, 0.015, 0.02], metal));
    }
    veils.push(Veil { from: Vec2::new(from, FENCE), to: Vec2::new(to, FENCE), height: 1.85, cover: 0.17 });
}

fn surroundings() -> Vec<Solid> {
    let wood = Material::Wood { colour: srgb(0x9a7b52) };
    let mut solids = vec![
        cuboid([2.75, 11.4, 0.45], [0.32, 0.3, 0.45], Material::Metal { colour: srgb(0x3f6b45) }),
        // A hedge, houses and trees across the road.
        cuboid([-8.0, 26.0, 0.7], [12.0, 0.6, 0.7], Material::Foliage { colour: srgb(0x50683a) }),
        cuboid([-9.0, 36.0, 3.0], [7.0, 3.5, 3.0], Material::Brick { colour: srgb(0x9a6a52) }),
        cuboid([13.0, 38.0, 3.2], [8.0, 4.0, 3.2], Material::Plaster { colour: srgb(0xd8d2c0) }),
        crown([3.5, 30.0, 4.0], [2.6, 2.4, 3.0], 0x4c6634),
        crown([-19.0, 29.0, 4.4], [3.0, 3.0, 3.6], 0x56703c),
        crown([22.0, 28.0, 3.8], [2.6, 2.4, 3.0], 0x4a6232),
        crown([8.6, 25.5, 0.8], [1.2, 1.0, 0.9], 0x5c7440),
        cuboid([3.5, 30.0, 1.0], [0.2, 0.2, 1.2], wood),
        // A lamp post at the road.
        cuboid([-5.5, 16.4, 3.0], [0.06, 0.06, 3.0], Material::Metal { colour: Vec3::splat(0.3) }),
    ];
    for x in [-13.0, -9.0, -5.0, 8.0, 11.5, 15.0] {
        solids.push(cuboid([x, if x < 0.0 { 32.48 } else { 33.98 }, 2.0], [0.7, 0.05, 0.8], Material::Pane));
    }
    solids
}

/// Somebody in everyday clothes.
pub(crate) fn plain() -> Person {
    Person {
        stature: 1.76,
        build: 1.0,
        skin: srgb(0xd3a07c),
        hair: srgb(0x2b201a),
        cap: None,
        top: srgb(0x2b3a55),
        top_second: srgb(0x2b3a55),
        pattern: Pattern::Plain,
        infrared: [0.42, 0.3],
        bottom: srgb(0x5c5347),
        shoes: srgb(0x2a2522),
        coat: 0.0,
        short_sleeves: false,
        backpack: None,
        seed: 1.0,
    }
}

/// Who comes by. Ids are those of the ground truth.
pub(crate) fn actors() -> Vec<Actor> {
    let person =
        |id, person, points: &[(f32, f32, f32)]| Actor { id, figure: Figure::Person(person), path: Path::new(points) };
    let plain = plain();
    let intruder = Person { top: srgb(0xa83232), bottom: srgb(0x2c3e5c), infrared: [0.58, 0.16], ..plain };
    let passer = Person {
        stature: 1.68,
        top: srgb(0xc9c5bb),
        bottom: srgb(0x20242c),
        backpack: Some(srgb(0x355f8a)),
        infrared: [0.6, 0.14],
        seed: 2.4,
        ..plain
    };
    let worker = Person {
        stature: 1.80,
        build: 1.08,
        top: srgb(0xd8902f),
        top_second: Vec3::splat(0.75),
        pattern: Pattern::Band,
        bottom: srgb(0x2b3a55),
        cap: Some(srgb(0xe0d8c8)),
        infrared: [0.5, 0.34],
        seed: 3.1,
        ..plain
    };
    let visitor = Person {
        stature: 1.66,
        build: 0.93,
        skin: srgb(0xe3b592),
        hair: srgb(0x4a3424),
        top: srgb(0x355f8a),
        bottom: srgb(0x15161a),
        infrared: [0.46, 0.24],
        coat: 0.35,
        seed: 4.6,
        ..plain
    };
    let guard = Person { top: srgb(0x3d4a3a), bottom: srgb(0x3a3f38), cap: Some(srgb(0x2f3830)), seed: 5.3, ..plain };
    let car = Car { paint: srgb(0x23406e), length: 4.3, height: 1.48, tail: 0.62 };
    vec![
        person(
            1,
            intruder,
            &[
                (-5.5, -9.8, 14.3),
                (0.0, -2.1, 14.2),
                (0.8, -2.1, 13.1),
                (2.4, -2.0, 11.0),
                (5.4, 0.3, 7.7),
                (11.0, 0.3, 7.7),
                (12.4, 1.7, 8.7),
                (15.0, 1.7, 8.7),
                (18.2, -1.9, 11.0),
                (20.3, -2.1, 13.9),
                (26.0, -9.8, 14.3),
            ],
        ),
        person(2, passer, &[(21.5, 9.6, 13.9), (36.0, -9.6, 13.9)]),
        Actor {
            id: 3,
            figure: Figure::Car(car),
            path: Path::new(&[
                (27.0, 26.0, 20.0),
                (29.8, 10.5, 19.8),
                (31.4, 6.4, 17.8),
                (32.8, 5.6, 14.5),
                (34.2, 5.4, 11.0),
                (36.6, 5.5, 5.5),
                (38.2, 5.6, 1.6),
            ]),
        },
        person(4, worker, &[(38.4, -6.4, 9.6), (40.4, -3.9, 9.5), (46.2, 3.4, 6.4), (48.6, 6.6, 5.6)]),
        person(5, visitor, &[(39.4, 5.6, 7.8), (43.6, 0.0, 9.1), (46.4, -3.7, 9.6), (48.4, -6.4, 9.6)]),
        person(6, guard, &[(48.6, -4.9, 5.1), (56.0, 4.9, 4.9)]),
    ]
}
