//! Who plays: persons of all looks, cars, a dog, bags.

use glam::Vec3;

use crate::animal::Dog;
use crate::body::Person;
use crate::colour::{BOTTOMS, HAIR, PAINTS, SKIN, TOPS, srgb};
use crate::luggage::Bag;
use crate::material::Pattern;
use crate::texture::hash;
use crate::vehicle::Car;
use crate::yard::plain;

/// Person `number`: always the same, and unlike the others.
pub(super) fn person(number: u32) -> Person {
    let draw = |what: u32, of: usize| hash(number.wrapping_mul(97) ^ (what << 16)) as usize % of;
    let share = |what: u32| draw(what, 1000) as f32 / 1000.0;
    let pick = |what: u32, from: &[u32]| srgb(from[draw(what, from.len())]);
    Person {
        stature: 1.62 + 0.24 * share(1),
        build: 0.88 + 0.3 * share(2),
        skin: pick(3, &SKIN),
        hair: pick(4, &HAIR),
        cap: (draw(5, 4) == 0).then(|| pick(6, &TOPS)),
        // Neighbours in number never wear the same.
        top: srgb(TOPS[(number as usize * 5 + 7) % TOPS.len()]),
        top_second: pick(7, &TOPS),
        pattern: [Pattern::Plain, Pattern::Plain, Pattern::Plain, Pattern::Band, Pattern::Yoke][draw(8, 5)],
        infrared: [0.2 + 0.4 * share(9), 0.12 + 0.25 * share(10)],
        bottom: srgb(BOTTOMS[(number as usize * 3 + 1) % BOTTOMS.len()]),
        shoes: srgb([0x2a2522, 0x15161a, 0xd8d8d8][draw(11, 3)]),
        coat: if draw(12, 3) == 0 { 0.5 * share(13) } else { 0.0 },
        short_sleeves: draw(14, 5) == 0,
        backpack: (draw(15, 6) == 0).then(|| pick(16, &TOPS)),
        seed: 6.0 * share(17),
    }
}

/// In uniform.
pub(super) fn guard() -> Person {
    Person { top: srgb(0x3d4a3a), bottom: srgb(0x3a3f38), cap: Some(srgb(0x2f3830)), seed: 5.3, ..plain() }
}

/// In a bright red jacket, seen from far.
pub(super) fn red() -> Person {
    Person { top: srgb(0xa83232), bottom: srgb(0x2c3e5c), infrared: [0.58, 0.16], ..plain() }
}

/// Car `number`.
pub(super) fn car(number: u32) -> Car {
    let share = |what: u32| (hash(number ^ (what << 12)) % 1000) as f32 / 1000.0;
    Car {
        paint: srgb(PAINTS[(number as usize * 3 + 1) % PAINTS.len()]),
        length: 4.0 + 0.6 * share(1),
        height: 1.45 + 0.12 * share(2),
        tail: 0.58 + 0.26 * share(3),
    }
}

pub(super) fn dog() -> Dog {
    Dog { coat: srgb(0xa9743c), dark: srgb(0x2b2018), shoulder: 0.64 }
}

/// A holdall.
pub(super) fn holdall() -> Bag {
    let colour = srgb(0x23406e);
    Bag { colour, second: colour, length: 0.62, width: 0.3, height: 0.34, soft: true }
}

/// A parcel with tape around it.
pub(super) fn parcel() -> Bag {
    Bag { colour: srgb(0xb58a52), second: Vec3::splat(0.7), length: 0.55, width: 0.42, height: 0.4, soft: false }
}
