use super::{Anchor, Colour, Counts, Mark, Place, Plot, SIZE};

/// Where the axes are, in pixels.
const LEFT: f32 = 48.0;
const RIGHT: f32 = 24.0;
const TOP: f32 = 56.0;
const BOTTOM: f32 = 48.0;

/// So many lines across at most.
const LINES: usize = 6;

/// Width of a letter, with the space to the next.
const LETTER: usize = 12;

const WIDTH: f32 = SIZE.0 as f32;
const HEIGHT: f32 = SIZE.1 as f32;

/// What a series is told by: by its colour, and by its shape where there are no colours.
type Series = (&'static str, Colour, fn(Counts) -> usize);

const SERIES: [Series; 3] = [
    ("hits", Colour::GREEN, |counts| counts.hits),
    ("misses", Colour::AMBER, |counts| counts.misses),
    ("false alarms", Colour::RED, |counts| counts.false_alarms),
];

/// The plot as what it is drawn with, in the order in which it is drawn.
pub(super) fn marks(plot: &Plot) -> Vec<Mark> {
    let mut marks = Vec::new();
    let words = |at, words: &str, anchor| Mark::Text { at, words: words.to_owned(), anchor, colour: Colour::BLACK };
    let line = |places: Vec<Place>, colour| Mark::Line { places, width: 1.0, colour };
    let all = || plot.points.iter().flat_map(|point| SERIES.map(|(_, _, of)| of(point.counts)));
    let step = step(all().max().unwrap_or(0));
    let most = all().max().unwrap_or(0).max(1).next_multiple_of(step);
    let first = plot.points.first().map_or(0.0, |point| point.value);
    let last = plot.points.last().map_or(1.0, |point| point.value);
    let across = |value: f64| {
        let share = if last > first { (value - first) / (last - first) } else { 0.5 };
        // Tenths of a pixel are enough for anybody.
        round(LEFT + (WIDTH - LEFT - RIGHT) * share as f32)
    };
    let up = |count: usize| round(HEIGHT - BOTTOM - (HEIGHT - BOTTOM - TOP) * count as f32 / most as f32);

    marks.push(words(Place::new(LEFT, 16.0), &plot.title, Anchor::Start));
    for count in (0..=most).step_by(step) {
        let colour = if count == 0 { Colour::BLACK } else { Colour::PALE };
        marks.push(line(vec![Place::new(LEFT, up(count)), Place::new(WIDTH - RIGHT, up(count))], colour));
        marks.push(words(Place::new(LEFT - 8.0, up(count)), &count.to_string(), Anchor::End));
    }
    for point in plot.points.iter().step_by(every(plot)) {
        let x = across(point.value);
        marks.push(line(vec![Place::new(x, HEIGHT - BOTTOM), Place::new(x, HEIGHT - BOTTOM + 5.0)], Colour::BLACK));
        marks.push(words(Place::new(x, HEIGHT - BOTTOM + 16.0), &point.shown, Anchor::Middle));
    }
    if let Some(present) = plot.present.filter(|present| (first..=last).contains(present)) {
        let x = across(present);
        marks.push(line(vec![Place::new(x, TOP - 6.0), Place::new(x, HEIGHT - BOTTOM)], Colour::GREY));
        let (at, anchor) = if x > WIDTH / 2.0 { (x - 4.0, Anchor::End) } else { (x + 4.0, Anchor::Start) };
        marks.push(words(Place::new(at, TOP - 12.0), "in the config", anchor));
    }
    for (n, (_, colour, of)) in SERIES.into_iter().enumerate() {
        let places: Vec<Place> =
            plot.points.iter().map(|point| Place::new(across(point.value), up(of(point.counts)))).collect();
        marks.push(Mark::Line { places: places.clone(), width: 2.0, colour });
        places.into_iter().for_each(|place| marks.extend(sign(n, place, colour)));
    }
    let mut x = LEFT;
    for (n, (name, colour, _)) in SERIES.into_iter().enumerate() {
        marks.extend(sign(n, Place::new(x + 4.0, HEIGHT - 12.0), colour));
        marks.push(words(Place::new(x + 14.0, HEIGHT - 12.0), name, Anchor::Start));
        x += 180.0;
    }
    marks
}

/// Every which value has room for its words.
fn every(plot: &Plot) -> usize {
    let longest = plot.points.iter().map(|point| point.shown.chars().count()).max().unwrap_or(0);
    let room = usize::from(SIZE.0) / ((longest + 2) * LETTER);
    plot.points.len().div_ceil(room.max(1)).max(1)
}

/// The sign of a series: a dot, a square, a cross.
fn sign(series: usize, at: Place, colour: Colour) -> Vec<Mark> {
    let Place { x, y } = at;
    let stroke = |down: f32| {
        let places = vec![Place::new(x - 4.0, y - 4.0 * down), Place::new(x + 4.0, y + 4.0 * down)];
        Mark::Line { places, width: 2.0, colour }
    };
    match series {
        0 => vec![Mark::Dot { at, radius: 4.0, colour }],
        1 => vec![Mark::Box { from: Place::new(x - 3.5, y - 3.5), to: Place::new(x + 3.5, y + 3.5), colour }],
        _ => vec![stroke(1.0), stroke(-1.0)],
    }
}

/// A round step that makes few enough lines.
fn step(most: usize) -> usize {
    let mut decade = 1;
    loop {
        for step in [1, 2, 5].map(|n| n * decade) {
            if most.div_ceil(step) < LINES {
                return step;
            }
        }
        decade *= 10;
    }
}

fn round(pixels: f32) -> f32 {
    (pixels * 10.0).round() / 10.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_round_and_lines_few() {
        assert_eq!([0, 1, 5, 6, 10, 11, 99, 1000].map(step), [1, 1, 1, 2, 2, 5, 20, 200]);
    }
}
