//! Other places and other people: domain randomisation (Tobin et al., IROS 2017), so that a detector trained on these
//! pictures learns persons and cars rather than one yard.

use std::time::Duration;

use fastrand::Rng;
use glam::{Vec2, Vec3};

use crate::actor::{Actor, Figure};
use crate::animal::Dog;
use crate::body::Person;
use crate::camera::Camera;
use crate::colour::{BOTTOMS, HAIR, PAINTS, SKIN, TOPS, srgb};
use crate::light::{Lighting, Mode};
use crate::luggage::{Bag, Hold};
use crate::material::{Material, Pattern};
use crate::path::Path;
use crate::place::{Patch, Place};
use crate::solid::{Shape, Solid, Veil};
use crate::vehicle::Car;

/// One loop.
const PERIOD: Duration = Duration::from_secs(20);
/// People and cars keep this many seconds on the way out, and as many on the way back.
const LEG: f32 = 10.0;

/// Draws from a seed, in ranges.
struct Draw(Rng);

impl Draw {
    fn range(&mut self, from: f32, to: f32) -> f32 {
        from + (to - from) * self.0.f32()
    }

    fn chance(&mut self, share: f32) -> bool {
        self.0.f32() < share
    }

    fn colour(&mut self, from: &[u32]) -> Vec3 {
        let picked = from.get(self.0.usize(..from.len())).copied().unwrap_or_default();
        // No two dyes are quite alike.
        let tint = Vec3::new(self.range(0.75, 1.3), self.range(0.75, 1.3), self.range(0.75, 1.3));
        (srgb(picked) * tint).min(Vec3::splat(0.9))
    }

    fn any_colour(&mut self) -> Vec3 {
        Vec3::new(self.range(0.03, 0.6), self.range(0.03, 0.6), self.range(0.03, 0.6))
    }
}

/// The scene that `number` stands for, for a picture `aspect` times as high as wide.
pub(crate) fn scene(number: u64, aspect: f32) -> (Place, Vec<Actor>, Duration) {
    // Neighbouring seeds of the generator start alike; spreading them over the range avoids that.
    let mut draw = Draw(Rng::with_seed(number.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x6b61_7261_756c));
    let (height, pitch) = (draw.range(2.6, 5.2), draw.range(15.0, 33.0).to_radians());
    let roll = draw.range(-2.0, 2.0).to_radians();
    let camera = Camera::new(Vec3::Z * height, 0.0, pitch, roll, draw.range(0.62, 1.15));
    let place = place(&mut draw, camera);
    let size = Vec2::new(1.0, aspect);
    let ground = |draw: &mut Draw, low: f32, high: f32| -> Vec2 {
        let at = Vec2::new(draw.range(0.02, 0.98), draw.range(low, high) * aspect);
        let ray = camera.ray(at, size);
        let distance = if ray.z < -0.05 { (-camera.position.z / ray.z).min(24.0) } else { 24.0 };
        (camera.position + ray * distance).truncate()
    };
    let mut actors = Vec::new();
    // How people hold themselves and what else is about has its own chance, so that the places stay as they were.
    let mut manner = Draw(Rng::with_seed(number.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x6d61_6e6e_6572));
    // One scene in eight has nobody, so that an empty picture is learnt too.
    if !draw.chance(0.125) {
        for _ in 0..draw.0.usize(0..2) {
            let figure = Figure::Car(car(&mut draw));
            let (from, to) = (ground(&mut draw, 0.1, 0.9), ground(&mut draw, 0.1, 0.9));
            actors.push((figure, from, to));
        }
        for _ in 0..draw.0.usize(1..6) {
            let person = person(&mut draw);
            let from = ground(&mut draw, 0.16, 1.02);
            let walk = Vec2::from_angle(draw.range(0.0, std::f32::consts::TAU)) * draw.range(8.0, 15.0);
            let to = if draw.chance(0.2) { from } else { from + walk };
            let figure = figure(&mut manner, person);
            // Who has fallen or bows stays in one place, but does not face one way.
            let stays = matches!(figure, Figure::Faller(..) | Figure::Handler(..));
            let to = if stays { from + 0.003 * walk } else { to };
            actors.push((figure, from, to));
        }
    }
    if manner.chance(0.2) {
        let (from, to) = (ground(&mut manner, 0.2, 1.0), ground(&mut manner, 0.2, 1.0));
        actors.push((Figure::Dog(dog(&mut manner)), from, to));
    }
    for _ in 0..manner.0.usize(0..3) {
        let at = ground(&mut manner, 0.25, 1.0);
        // It stands there for good.
        let hold = Hold { down: (-1.0, 1e9), hand: [0.0; 3], ground: [0.0; 2] };
        actors.push((Figure::Bag(bag(&mut manner), hold), at, at));
    }
    let actors = actors
        .into_iter()
        .enumerate()
        .map(|(index, (figure, from, to))| {
            let way = [(0.0, from.x, from.y), (LEG, to.x, to.y), (2.0 * LEG, from.x, from.y)];
            Actor { id: index as u32 + 1, figure, path: Path::new(&way) }
        })
        .collect();
    (place, actors, PERIOD)
}

fn person(draw: &mut Draw) -> Person {
    let colourful = draw.chance(0.25);
    let top = if colourful { draw.any_colour() } else { draw.colour(&TOPS) };
    let pattern = match draw.0.u8(0..8) {
        0 => Pattern::Striped,
        1 => Pattern::Yoke,
        2 => Pattern::Band,
        _ => Pattern::Plain,
    };
    Person {
        stature: draw.range(1.5, 1.95),
        build: draw.range(0.82, 1.3),
        skin: draw.colour(&SKIN),
        hair: draw.colour(&HAIR),
        cap: draw.chance(0.3).then(|| draw.any_colour()),
        top,
        top_second: draw.any_colour(),
        pattern,
        infrared: [draw.range(0.08, 0.62), draw.range(0.08, 0.55)],
        bottom: draw.colour(&BOTTOMS),
        shoes: draw.colour(&[0x2a2522, 0x15161a, 0xd8d8d8, 0x6a4a32]),
        coat: if draw.chance(0.3) { draw.range(0.1, 1.0) } else { 0.0 },
        short_sleeves: draw.chance(0.2),
        backpack: draw.chance(0.2).then(|| draw.any_colour()),
        seed: draw.range(0.0, 6.0),
    }
}

/// Most walk; some run, lie, crawl or bow.
fn figure(draw: &mut Draw, person: Person) -> Figure {
    match draw.0.u8(0..20) {
        0..=2 => Figure::Runner(person),
        3 | 4 => Figure::Faller(person, -10.0, 1e9),
        5 => Figure::Crawler(person),
        6 | 7 => Figure::Handler(person, &[(-10.0, 1e9)], &[(-10.0, 1e9)]),
        _ => Figure::Person(person),
    }
}

fn dog(draw: &mut Draw) -> Dog {
    Dog { coat: draw.any_colour(), dark: draw.any_colour() * 0.3, shoulder: draw.range(0.3, 0.7) }
}

fn bag(draw: &mut Draw) -> Bag {
    Bag {
        colour: draw.any_colour(),
        second: draw.any_colour(),
        length: draw.range(0.25, 0.8),
        width: draw.range(0.15, 0.5),
        height: draw.range(0.15, 0.6),
        soft: draw.chance(0.5),
    }
}

fn car(draw: &mut Draw) -> Car {
    let paint = if draw.chance(0.2) { draw.any_colour() } else { draw.colour(&PAINTS) };
    Car { paint, length: draw.range(3.8, 4.8), height: draw.range(1.42, 1.75), tail: draw.range(0.55, 0.88) }
}

fn ground_material(draw: &mut Draw) -> Material {
    match draw.0.u8(0..4) {
        0 => Material::Asphalt { wear: draw.range(0.0, 1.0) },
        1 => Material::Grass { dryness: draw.range(0.0, 1.0) },
        2 => Material::Concrete,
        _ => Material::Gravel,
    }
}

fn wall_material(draw: &mut Draw) -> Material {
    let colour = draw.any_colour() * 0.6 + draw.range(0.05, 0.35);
    match draw.0.u8(0..5) {
        0 => Material::Brick { colour },
        1 => Material::Metal { colour },
        2 => Material::Wood { colour },
        3 => Material::Foliage { colour: Vec3::new(0.09, 0.14, 0.05) * draw.range(0.6, 1.8) },
        _ => Material::Plaster { colour },
    }
}

fn place(draw: &mut Draw, camera: Camera) -> Place {
    let patches = (0..draw.0.usize(0..5))
        .map(|_| {
            let from = Vec2::new(draw.range(-14.0, 8.0), draw.range(-2.0, 20.0));
            let to = from + Vec2::new(draw.range(0.3, 22.0), draw.range(0.3, 9.0));
            Patch { from, to, material: ground_material(draw), ragged: draw.range(0.0, 0.3) }
        })
        .collect();
    let mut solids = Vec::new();
    // What bounds the view far away, then walls at the sides, then things that stand about.
    for _ in 0..draw.0.usize(1..5) {
        let middle = Vec3::new(draw.range(-25.0, 25.0), draw.range(20.0, 45.0), 0.0);
        let half = Vec3::new(draw.range(3.0, 14.0), draw.range(0.4, 4.0), draw.range(0.6, 5.0));
        solids.push(block(draw, middle, half, 0.2));
    }
    for side in [-1.0, 1.0] {
        if draw.chance(0.4) {
            let half = Vec3::new(3.0, draw.range(2.0, 7.0), draw.range(1.5, 4.0));
            let middle = Vec3::new(side * draw.range(7.0, 11.0), draw.range(5.0, 18.0), 0.0);
            solids.push(block(draw, middle, half, 0.15));
        }
    }
    for _ in 0..draw.0.usize(0..7) {
        let middle = Vec3::new(draw.range(-8.0, 8.0), draw.range(5.0, 22.0), 0.0);
        let half = if draw.chance(0.45) {
            // Poles and posts are what a detector takes for persons first.
            Vec3::new(0.05, 0.05, 0.6) * Vec3::new(draw.range(0.7, 4.0), draw.range(0.7, 4.0), draw.range(0.7, 4.0))
        } else {
            Vec3::new(draw.range(0.15, 1.0), draw.range(0.15, 0.8), draw.range(0.2, 0.9))
        };
        solids.push(block(draw, middle, half, 3.0));
    }
    for _ in 0..draw.0.usize(0..5) {
        let half = Vec3::new(draw.range(0.4, 2.6), draw.range(0.4, 2.4), draw.range(0.4, 2.6));
        let lift = if draw.chance(0.5) { half.z * 0.6 } else { half.z + draw.range(0.5, 2.0) };
        let middle = Vec3::new(draw.range(-16.0, 16.0), draw.range(9.0, 34.0), lift);
        let colour = Vec3::new(0.09, 0.14, 0.05) * draw.range(0.5, 2.0);
        solids.push(Solid { shape: Shape::Ellipsoid { middle, half }, material: Material::Foliage { colour } });
    }
    let mut veils = Vec::new();
    if draw.chance(0.5) {
        fence(draw, &mut solids, &mut veils);
    }
    let (day, night) = (day(draw), night(draw, camera));
    Place { camera, ground: ground_material(draw), patches, solids, veils, day, night }
}

fn block(draw: &mut Draw, middle: Vec3, half: Vec3, turn: f32) -> Solid {
    let shape = Shape::Box { middle: middle + Vec3::Z * half.z, half, yaw: draw.range(-turn, turn) };
    Solid { shape, material: wall_material(draw) }
}

fn fence(draw: &mut Draw, solids: &mut Vec<Solid>, veils: &mut Vec<Veil>) {
    let (distance, slant) = (draw.range(7.0, 19.0), draw.range(-0.3, 0.3));
    let (height, bay) = (draw.range(1.0, 2.4), draw.range(1.8, 3.2));
    let metal = Material::Metal { colour: Vec3::splat(draw.range(0.05, 0.5)) };
    let at = |x: f32| Vec2::new(x, distance + slant * x);
    let gate = draw.range(-6.0, 6.0);
    let cover = draw.range(0.08, 0.3);
    for (from, to) in [(-20.0, gate - 1.5), (gate + 1.5, 20.0)] {
        veils.push(Veil { from: at(from), to: at(to), height, cover });
        let bays = ((to - from) / bay).round().max(1.0);
        for i in 0..=bays as usize {
            let place = at(from + (to - from) * i as f32 / bays);
            let half = Vec3::new(0.035, 0.035, height / 2.0);
            let shape = Shape::Box { middle: place.extend(height / 2.0), half, yaw: 0.0 };
            solids.push(Solid { shape, material: metal });
        }
        let (start, end) = (at(from), at(to));
        let half = Vec3::new(start.distance(end) / 2.0, 0.02, 0.025);
        let middle = ((start + end) / 2.0).extend(height);
        solids.push(Solid { shape: Shape::Box { middle, half, yaw: slant.atan() }, material: metal });
    }
}

fn day(draw: &mut Draw) -> Lighting {
    let around = draw.range(0.0, std::f32::consts::TAU);
    let up = draw.range(22.0, 68.0).to_radians();
    // From overcast to clear: as the sun weakens the sky fills in.
    let clear = draw.range(0.0, 1.0);
    let warmth = Vec3::new(1.0, 0.94, draw.range(0.72, 0.95));
    let level = draw.range(0.55, 1.25);
    Lighting {
        mode: Mode::Day,
        to_sun: Vec3::new(around.cos() * up.cos(), around.sin() * up.cos(), up.sin()),
        direct: warmth * (0.1 + 2.1 * clear) * level,
        sky: Vec3::new(0.95, 1.0, 1.08).lerp(Vec3::new(0.6, 0.7, 0.9), clear) * level,
        bounce: Vec3::splat(0.26) * level,
        lamp: Vec3::ZERO,
        eye: Vec3::ZERO,
        eye_forward: Vec3::Y,
        infrared: 0.0,
    }
}

fn night(draw: &mut Draw, camera: Camera) -> Lighting {
    let lamp = if draw.chance(0.7) { draw.range(0.3, 2.2) } else { 0.0 };
    Lighting {
        mode: Mode::Night,
        to_sun: Vec3::Z,
        direct: Vec3::splat(lamp),
        sky: Vec3::splat(draw.range(0.01, 0.12)),
        bounce: Vec3::splat(draw.range(0.01, 0.06)),
        lamp: Vec3::new(draw.range(-9.0, 9.0), draw.range(2.0, 18.0), draw.range(3.5, 6.0)),
        eye: camera.position,
        eye_forward: camera.forward,
        infrared: draw.range(0.6, 2.4),
    }
}
