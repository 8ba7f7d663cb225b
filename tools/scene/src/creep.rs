//! Those who do not want to be seen come slowly: far away, on hands and knees.

use crate::actor::{Actor, Figure};
use crate::body::Person;
use crate::colour::srgb;
use crate::path::Path;
use crate::yard::plain;

/// Who comes by within one loop of the yard's. Ids are those of the ground truth.
pub(crate) fn actors() -> Vec<Actor> {
    let dark = Person { top: srgb(0x24272b), bottom: srgb(0x1b1d20), infrared: [0.3, 0.22], seed: 1.7, ..plain() };
    let grey = Person { top: srgb(0x5d6164), bottom: srgb(0x4a4d50), infrared: [0.35, 0.3], seed: 2.9, ..plain() };
    vec![
        // Along the fence, 0.3 m/s.
        Actor {
            id: 1,
            figure: Figure::Person(dark),
            path: Path::new(&[(2.0, -7.0, 11.2), (26.0, 0.2, 10.8), (30.0, 0.2, 10.8), (44.0, 4.4, 11.2)]),
        },
        // Across the yard, 0.35 m/s.
        Actor { id: 2, figure: Figure::Crawler(grey), path: Path::new(&[(30.0, 5.4, 8.6), (58.0, -4.4, 8.2)]) },
        // On the road outside, 0.5 m/s.
        Actor { id: 3, figure: Figure::Person(grey), path: Path::new(&[(4.0, 13.0, 18.6), (56.0, -13.0, 18.6)]) },
    ]
}
