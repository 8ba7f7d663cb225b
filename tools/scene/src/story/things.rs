//! What is left, and what is taken.

use super::way::Way;
use super::{Plot, cast, walker};
use crate::actor::Figure;
use crate::luggage::Hold;

/// The floor on which things stand.
const FLOOR: [[f32; 2]; 4] = [[-3.2, 9.6], [3.6, 9.6], [2.9, 5.2], [-2.8, 5.2]];

pub(super) fn abandoned_object() -> Plot {
    /// When the bag is put down and taken up.
    const DOWN: (f32, f32) = (17.4, 70.0);
    const FOR: f32 = 20.0;
    let way = || {
        let puts = Way::from(10.8, 6.4, 6.7).to(1.2, 1.0, 6.7).until(18.6).to(1.25, -6.2, 6.7);
        // Comes back from where the bag was brought from: nobody sees the way behind the picture.
        puts.to(1.5, -6.4, 1.0).to(1.5, 6.4, 1.0).until(59.0).to(1.0, 6.4, 6.7)
    };
    let owner = way().to(1.2, 1.0, 6.7).until(71.4).to(1.25, -6.2, 6.7);
    // The bag waits where it was put down.
    let bag = Way::from(10.8, 6.4, 6.7).to(1.2, 1.0, 6.7).until(71.4).to(1.25, -6.2, 6.7);
    let hold = Hold { down: DOWN, hand: [0.30, 0.03, 0.34], ground: [0.25, 0.38] };
    let mut plot = Plot::yard(80.0)
        .zone("hall", &FLOOR)
        .rule("dwell = \"20s\"\nowner_within = \"3m\"\n")
        .with(Figure::Handler(cast::red(), &[(16.4, 18.4), (69.0, 71.2)], &[]), owner)
        .with(Figure::Bag(cast::holdall(), hold), bag)
        .with(walker(51), Way::from(32.0, -6.4, 9.6).to(1.2, -3.4, 9.5).to(1.25, 6.8, 8.4))
        .with(walker(52), Way::from(46.0, 6.0, 5.4).to(1.25, -6.0, 5.4));
    plot.classes = &["person"];
    plot.event(&[2], DOWN, FOR);
    plot
}

pub(super) fn removed_object() -> Plot {
    /// It stands there from the second of these times to the first in the next loop.
    const TAKEN: f32 = 26.0;
    const BACK: f32 = 71.0;
    const PERIOD: f32 = 80.0;
    const FOR: f32 = 10.0;
    // Both ways lead from right to left; the parcel's begins with its way back, in the loop before.
    let thief =
        Way::from(20.4, 6.4, 6.9).to(1.2, 1.0, 6.9).until(27.2).to(1.1, -6.2, 6.9).to(1.5, -6.4, 1.0).to(1.5, 6.4, 1.0);
    let thief = thief.until(59.0).to(1.0, 6.4, 6.9).to(1.1, 1.0, 6.9).until(72.4).to(1.2, -6.2, 6.9);
    let parcel = Way::from(64.9 - PERIOD, 6.4, 6.9).to(1.1, 1.0, 6.9).until(27.2).to(1.1, -6.2, 6.9);
    let hold = Hold { down: (BACK - PERIOD, TAKEN), hand: [0.0, 0.42, 0.88], ground: [0.05, 0.52] };
    let mut plot = Plot::yard(PERIOD)
        .zone("hall", &FLOOR)
        .rule("dwell = \"10s\"\n")
        .with(Figure::Handler(cast::person(56), &[(25.0, 26.9), (70.0, 71.8)], &[(26.2, 40.0), (58.0, 71.2)]), thief)
        .with(Figure::Bag(cast::parcel(), hold), parcel)
        .with(walker(55), Way::from(40.0, -6.4, 9.6).to(1.2, -3.4, 9.5).to(1.25, 6.8, 8.4));
    plot.event(&[2], (TAKEN, BACK), FOR);
    plot
}
