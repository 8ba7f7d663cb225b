//! Who goes by: over lines, too fast, after each other, or on four legs.

use super::way::Way;
use super::{Plot, cast, walker};
use crate::actor::Figure;
use crate::texture::hash;

/// Along the foot of the fence, through both gates; outside is on its left.
const FENCE: ([f32; 2], [f32; 2]) = ([-6.0, 12.0], [6.4, 12.0]);
/// Across the yard, away from the camera: who goes to the right comes in.
const MIDDLE: ([f32; 2], [f32; 2]) = ([0.0, 4.4], [0.0, 10.6]);

pub(super) fn line_crossing() -> Plot {
    let comes_in =
        Way::from(4.0, -9.4, 13.6).to(1.3, -2.1, 13.6).to(1.2, -2.1, 10.6).to(1.2, -3.7, 9.6).to(1.2, -6.4, 9.6);
    let goes_out =
        Way::from(24.0, -6.4, 9.6).to(1.2, -3.4, 9.5).to(1.2, -2.0, 11.2).to(1.2, -2.0, 13.8).to(1.3, 9.6, 13.8);
    let car = Way::from(44.0, 26.0, 20.0).to(7.0, 10.5, 19.8).to(4.0, 6.0, 17.0).to(4.0, 5.4, 12.0).to(4.0, 5.5, 1.2);
    let along = Way::from(8.0, 8.0, 8.0).to(1.2, 4.6, 10.6).to(1.2, -0.4, 10.8).until(20.0).to(1.2, 7.4, 9.4);
    let mut plot = Plot::yard(60.0)
        .line("fence", FENCE.0, FENCE.1)
        .rule("direction = \"either\"\n")
        .with(Figure::Person(cast::red()), comes_in)
        .with(walker(31), goes_out)
        .with(Figure::Car(cast::car(2)), car)
        .with(walker(32), along);
    plot.classes = &["person", "car"];
    plot.crossings_count()
}

/// Past the camera at a distance, over the middle at a time and a speed; to the right if `inward`.
fn past(at: f32, y: f32, speed: f32, inward: bool) -> Way {
    // Beyond the picture's border, which is 0.57 of the depth away.
    let half = 0.571 * (0.927 * y + 1.2) + 1.2;
    let side = if inward { 1.0 } else { -1.0 };
    Way::from(at - half / speed, -side * half, y).to(speed, side * half, y)
}

pub(super) fn occupancy() -> Plot {
    const CAPACITY: i32 = 5;
    const IN: [f32; 10] = [8.0, 12.0, 16.0, 20.0, 24.0, 28.0, 32.0, 60.0, 64.0, 68.0];
    const OUT: [f32; 7] = [37.0, 41.0, 45.0, 49.0, 53.0, 76.0, 81.0];
    let mut plot =
        Plot::yard(100.0).line("door", MIDDLE.0, MIDDLE.1).rule("inward = \"left-to-right\"\ncapacity = 5\n");
    for (number, at) in (0..).zip(IN) {
        let y = 5.6 + 0.5 * (number % 4) as f32;
        plot = plot.with(walker(number + 41), past(at, y, 1.1 + 0.05 * (number % 5) as f32, true));
    }
    for (number, at) in (0..).zip(OUT) {
        let y = 5.9 + 0.5 * (number % 3) as f32;
        plot = plot.with(walker(number + 61), past(at, y, 1.15 + 0.05 * (number % 4) as f32, false));
    }
    let mut crossed: Vec<(f32, u32, bool)> = Vec::new();
    for actor in &plot.actors {
        crossed.extend(plot.crossings(actor.id).into_iter().map(|(at, inward)| (at, actor.id, inward)));
    }
    crossed.sort_by(|a, b| a.0.total_cmp(&b.0));
    let (mut inside, mut since) = (0, None);
    for (at, id, inward) in crossed {
        inside += if inward { 1 } else { -1 };
        match since {
            None if inside > CAPACITY => since = Some((at, id)),
            Some((from, first)) if inside <= CAPACITY => {
                plot.event(&[first], (from, at), 0.0);
                since = None;
            }
            _ => {}
        }
    }
    plot
}

pub(super) fn tailgating() -> Plot {
    /// The second follows within this time.
    const WITHIN: f32 = 1.5;
    let mut plot = Plot::yard(60.0).line("gate", MIDDLE.0, MIDDLE.1).rule("within = \"1500ms\"\n");
    // Two far apart, one after the other; then two close together; then two who meet on the line.
    let comers = [
        (10.0, 7.0, true),
        (16.0, 6.8, true),
        (30.0, 7.0, true),
        (31.0, 6.9, true),
        (46.0, 6.4, true),
        (46.6, 7.3, false),
    ];
    for (number, (at, y, inward)) in (0..).zip(comers) {
        plot = plot.with(walker(number + 71), past(at, y, 1.2, inward));
    }
    let at = |id: u32| plot.crossings(id).first().map_or(0.0, |(at, _)| *at);
    let (first, second) = (at(3), at(4));
    debug_assert!(second - first < WITHIN);
    plot.event(&[3, 4], (second, second), 0.0);
    plot
}

pub(super) fn sequence() -> Plot {
    /// The second part has to follow the first within this time.
    const WITHIN: f32 = 20.0;
    let both = Way::from(4.0, -9.4, 13.6)
        .to(1.3, -2.1, 13.6)
        .to(1.2, -2.1, 10.8)
        .to(1.2, -2.0, 7.0)
        .until(26.0)
        .to(1.2, -6.4, 9.6);
    let only_fence = Way::from(24.0, 9.4, 13.7).to(1.3, 5.4, 13.7).to(1.2, 5.0, 10.6).to(1.2, 6.6, 7.0);
    let only_zone = Way::from(36.0, -6.4, 9.6).to(1.2, -3.7, 9.6).to(1.2, -1.6, 7.2).until(48.0).to(1.2, -6.4, 9.6);
    let mut plot = Plot::yard(60.0)
        .zone("wall", &[[-3.6, 8.6], [-0.4, 8.6], [-0.4, 5.8], [-3.6, 5.8]])
        .line("fence", FENCE.0, FENCE.1)
        .with(Figure::Person(cast::red()), both)
        .with(walker(34), only_fence)
        .with(walker(35), only_zone)
        .rule("first = \"comes-over\"\nthen = \"at-the-wall\"\nwithin = \"20s\"\n");
    let crossed = plot.crossings(1);
    if let (Some((crossed, _)), Some(stay)) = (crossed.first(), plot.stays(1).first().copied())
        && (0.0..WITHIN).contains(&(stay.0 - crossed))
    {
        plot.event(&[1], stay, 1.0);
    }
    plot
}

pub(super) fn running() -> Plot {
    let walks = Way::from(3.0, 6.4, 7.8).to(1.3, -6.8, 7.2);
    let runs = Way::from(22.0, 10.5, 14.6)
        .to(4.4, 5.2, 11.6)
        .to(4.4, -2.2, 9.6)
        .to(4.4, -2.8, 7.2)
        .to(4.4, 0.6, 6.2)
        .to(4.4, 3.0, 7.6)
        .to(4.4, 7.4, 8.4);
    let hurries = Way::from(38.0, -6.4, 6.6).to(1.8, 6.4, 6.6);
    let mut plot = Plot::yard(60.0)
        .zone("yard", &[[-4.2, 10.8], [4.4, 10.8], [2.9, 5.0], [-2.9, 5.0]])
        .rule("over = \"10.8km/h\"\ndwell = \"1s\"\n")
        .with(walker(36), walks)
        .with(Figure::Runner(cast::red()), runs)
        .with(walker(37), hurries);
    let stays = plot.stays(2);
    if let (Some(first), Some(last)) = (stays.first(), stays.last()) {
        plot.event(&[2], (first.0, last.1), 1.0);
    }
    plot
}

pub(super) fn object_seen() -> Plot {
    let dog =
        Way::from(20.0, 6.2, 6.0).to(1.5, 0.9, 6.2).until(27.5).to(1.6, -2.0, 6.6).to(1.6, -2.4, 8.6).to(1.6, 7.4, 8.2);
    let mut plot = Plot::yard(60.0)
        .zone("yard", &[[-4.2, 10.8], [4.4, 10.8], [2.9, 5.0], [-2.9, 5.0]])
        .rule("confirm = [3, 5]\n")
        .with(Figure::Dog(cast::dog()), dog)
        .with(walker(38), Way::from(3.0, -6.4, 7.0).to(1.25, 6.4, 7.0));
    plot.classes = &["dog"];
    // The third of five looks, five a second.
    plot.stays_count(1, 0.4)
}

pub(super) fn passers() -> Plot {
    /// So many walk by.
    const COUNT: u32 = 44;
    let mut plot = Plot::yard(100.0).line("middle", MIDDLE.0, MIDDLE.1).rule("direction = \"either\"\n");
    for number in 0..COUNT {
        let draw = |what: u32| (hash(number.wrapping_mul(31) ^ (what << 14)) % 1000) as f32 / 1000.0;
        // One every two seconds, each on one of three lanes, so that nobody walks through anybody: lanes have one way.
        let at = 8.0 + 1.95 * number as f32 + 0.5 * draw(1);
        let lane = number % 3;
        let y = [5.2, 6.9, 9.5][lane as usize] + 0.2 * draw(2);
        // The fast do not catch up with those before them before both are out of the picture.
        let speed = [0.9 + 0.5 * draw(3), 1.1 + 0.5 * draw(3), 1.3 + 0.6 * draw(3)][lane as usize];
        plot = plot.with(walker(number + 81), past(at, y, speed, lane != 1));
    }
    plot.crossings_count()
}
