//! Who stays, and who should have.

use glam::Vec2;

use super::way::{Way, spans};
use super::{Plot, cast, walker};
use crate::actor::Figure;

/// The yard, as far as it is well in view.
const YARD: [[f32; 2]; 4] = [[-4.2, 10.8], [4.4, 10.8], [2.9, 5.0], [-2.9, 5.0]];

pub(super) fn intrusion() -> Plot {
    let comes_in = Way::from(6.0, -9.8, 14.3)
        .to(1.3, -2.1, 14.2)
        .to(1.3, -2.1, 11.2)
        .to(1.2, 0.5, 7.6)
        .until(26.0)
        .to(1.2, 1.8, 8.8)
        .until(32.0)
        .to(1.3, -2.0, 11.2)
        .to(1.3, -2.1, 14.0)
        .to(1.3, -9.8, 14.3);
    Plot::yard(60.0)
        .zone("yard", &YARD)
        .rule("dwell = \"2s\"\n")
        .with(Figure::Person(cast::red()), comes_in)
        .with(walker(2), Way::from(20.0, 9.6, 13.9).to(1.3, -9.6, 13.9))
        .stays_count(1, 2.0)
}

pub(super) fn loitering() -> Plot {
    let paces = Way::from(4.0, 6.2, 7.6)
        .to(1.2, 0.6, 8.6)
        .to(0.9, -2.6, 9.0)
        .until(19.0)
        .to(0.7, -1.2, 8.0)
        .until(28.0)
        .to(0.7, -2.8, 8.6)
        .until(40.0)
        .to(0.7, -1.4, 9.2)
        .until(54.0)
        .to(1.3, 6.6, 7.4);
    let passes = Way::from(30.0, -6.4, 9.6).to(1.2, -3.6, 9.5).to(1.3, 7.0, 8.8);
    Plot::yard(80.0)
        .zone("entrance", &[[-4.2, 10.6], [-0.4, 10.6], [-0.4, 7.4], [-4.2, 7.4]])
        .rule("dwell = \"20s\"\n")
        .with(Figure::Person(cast::red()), paces)
        .with(walker(3), passes)
        .stays_count(1, 20.0)
}

pub(super) fn crowd() -> Plot {
    /// So many are a crowd.
    const LEAST: usize = 6;
    const FOR: f32 = 5.0;
    const PLACES: [(f32, f32); 8] =
        [(-1.7, 6.2), (-0.5, 6.0), (0.8, 6.1), (1.9, 6.5), (-1.2, 7.6), (0.2, 7.7), (1.4, 8.0), (-0.3, 9.2)];
    let mut plot = Plot::yard(80.0)
        .zone("square", &[[-3.2, 10.4], [3.4, 10.4], [2.6, 5.2], [-2.6, 5.2]])
        .rule("at_least = 6\ndwell = \"5s\"\n");
    for (number, (x, y)) in (0..).zip(PLACES) {
        // They come from both sides, one every two seconds, and go the other way.
        let side = if number % 2 == 0 { -1.0 } else { 1.0 };
        let (from, way_y) = (6.0 + 2.2 * number as f32, 5.8 + 0.18 * number as f32);
        let way = Way::from(from, side * 6.6, way_y).to(1.25, x, y).until(54.0 + 1.3 * number as f32).to(
            1.3,
            -side * 6.8,
            way_y + 0.2,
        );
        plot = plot.with(walker(number + 1), way);
    }
    let inside = |t: f32| {
        let place = |actor: &crate::actor::Actor| actor.path.moment(t, plot.period).map(|moment| moment.place);
        plot.actors.iter().filter_map(place).filter(|p| super::way::inside(plot.corners(), *p)).count()
    };
    let gathered = spans(plot.period, |t| inside(t) >= LEAST);
    for span in gathered.into_iter().filter(|(from, to)| to - from > FOR) {
        plot.event(&[1, 2, 3, 4, 5, 6, 7, 8], span, FOR);
    }
    plot
}

pub(super) fn absence() -> Plot {
    const FOR: f32 = 30.0;
    let guards = Way::from(-18.0, 6.4, 7.2).to(1.2, 1.2, 7.2).until(22.0).to(1.2, -1.8, 9.2).to(1.2, -6.4, 9.7);
    let passes = Way::from(50.0, -6.4, 9.6).to(1.2, -3.6, 9.5).to(1.3, 7.4, 9.9);
    let mut plot = Plot::yard(100.0)
        .zone("post", &[[0.1, 8.3], [2.4, 8.3], [2.3, 6.1], [0.1, 6.1]])
        .rule("dwell = \"30s\"\n")
        .with(Figure::Person(cast::guard()), guards)
        .with(walker(4), passes);
    let manned = plot.stays(1);
    let empty = spans(plot.period, |t| !manned.iter().any(|(from, to)| (*from..=*to).contains(&t)));
    for span in empty.into_iter().filter(|(from, to)| to - from > FOR) {
        plot.event(&[], span, FOR);
    }
    plot
}

pub(super) fn group() -> Plot {
    const FOR: f32 = 5.0;
    const PLACES: [(f32, f32); 3] = [(-1.7, 6.5), (-0.6, 6.3), (-1.1, 7.3)];
    let mut plot = Plot::yard(80.0).zone("yard", &YARD).rule("at_least = 3\ndistance = \"2m\"\ndwell = \"5s\"\n");
    for (number, (x, y)) in (0..).zip(PLACES) {
        let side = if number == 1 { 1.0 } else { -1.0 };
        let way = Way::from(8.0 + 4.0 * number as f32, side * 6.4, y)
            .to(1.2, x, y)
            .until(54.0 + 2.0 * number as f32)
            .to(1.25, side * 6.4, y);
        plot = plot.with(walker(number + 11), way);
    }
    for (number, (x, y)) in (0..).zip([(2.6, 6.6), (1.6, 9.8)]) {
        let way = Way::from(4.0 + 3.0 * number as f32, 7.4, y).to(1.2, x, y).until(64.0).to(1.2, 7.4, y);
        plot = plot.with(walker(number + 16), way);
    }
    let place = |id: u32, t: f32| plot.actor(id)?.path.moment(t, plot.period).map(|moment| moment.place);
    let near = |t: f32| {
        let three: Option<Vec<Vec2>> = [1, 2, 3].into_iter().map(|id| place(id, t)).collect();
        three.is_some_and(|p| p.iter().all(|a| p.iter().all(|b| a.distance(*b) <= 2.0)))
    };
    for span in spans(plot.period, near).into_iter().filter(|(from, to)| to - from > FOR) {
        plot.event(&[1, 2, 3], span, FOR);
    }
    plot
}

pub(super) fn person_down() -> Plot {
    const FALLS: f32 = 14.0;
    const GETS_UP: f32 = 56.0;
    const FOR: f32 = 5.0;
    let falls = Way::from(8.4, 6.4, 6.6).to(1.2, 0.6, 6.6).until(60.5).to(1.1, -6.4, 6.6);
    let bows = Way::from(26.0, -6.4, 9.6).to(1.2, -3.4, 9.5).to(1.2, -0.8, 9.0).until(36.0).to(1.2, 7.2, 9.0);
    let mut plot = Plot::yard(80.0)
        .zone("yard", &YARD)
        .rule("dwell = \"5s\"\n")
        .with(Figure::Faller(cast::person(21), FALLS, GETS_UP), falls)
        .with(Figure::Handler(cast::person(22), &[(31.8, 35.0)], &[]), bows);
    plot.event(&[1], (FALLS, GETS_UP), FOR);
    plot
}
