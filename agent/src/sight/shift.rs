use super::{reference::Reference, structure::Structure};

/// How far is searched, in pixels of a quarter of [`Small`](super::small::Small)'s size: an eighth of the picture's width.
const REACH: isize = 10;

/// The two pictures must have at least this share of their pixels in common.
const LEAST_OVERLAP: f32 = 0.6;

/// Where a view has gone.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Shift {
    /// To the right and down, in pixels of [`Structure`].
    pub(super) by: [isize; 2],
    /// Correlation of the directions there.
    pub(super) agreement: f32,
}

impl Shift {
    /// A pole sways in the wind; a fortieth of the picture's width is more than that.
    pub(super) fn is_far(self) -> bool {
        self.by.iter().any(|by| by.unsigned_abs() >= 4)
    }
}

/// Directions at half the size.
struct Pooled {
    width: usize,
    height: usize,
    values: Vec<[f32; 2]>,
}

impl Pooled {
    fn new(width: usize, re: &[f32], im: &[f32]) -> Self {
        let pool = |field: &[f32], y: usize, x: usize| {
            let at = 2 * y * width + 2 * x;
            field[at] + field[at + 1] + field[at + width] + field[at + width + 1]
        };
        let (columns, rows) = (width / 2, re.len() / width / 2);
        let points = (0..rows).flat_map(|y| (0..columns).map(move |x| (y, x)));
        let values = points.map(|(y, x)| [pool(re, y, x), pool(im, y, x)]).collect();
        Self { width: columns, height: rows, values }
    }
}

/// The shift at which the picture agrees best with the reference: block matching over the whole picture, as in Saglam and
/// Temizel, "Real-time adaptive camera tamper detection for video surveillance", AVSS 2009, but on directions, which light
/// does not change.
pub(super) fn search(reference: &Reference, structure: &Structure) -> Shift {
    let then = Pooled::new(reference.width, &reference.re, &reference.im);
    let now = Pooled::new(structure.width, &structure.direction.re, &structure.direction.im);
    let reach = |side: usize| REACH.min((side as f32 * (1.0 - LEAST_OVERLAP)) as isize / 2);
    let (reach_x, reach_y) = (reach(now.width), reach(now.height));
    let mut best = Shift { by: [0, 0], agreement: correlation(&then, &now, 0, 0) };
    for dy in -reach_y..=reach_y {
        for dx in -reach_x..=reach_x {
            let agreement = correlation(&then, &now, dx, dy);
            if agreement > best.agreement {
                best = Shift { by: [2 * dx, 2 * dy], agreement };
            }
        }
    }
    best
}

fn correlation(then: &Pooled, now: &Pooled, dx: isize, dy: isize) -> f32 {
    let overlap = |side: usize, by: isize| (by.max(0) as usize, side - by.unsigned_abs());
    let ((x, columns), (y, rows)) = (overlap(now.width, dx), overlap(now.height, dy));
    let (from_x, from_y) = ((x as isize - dx) as usize, (y as isize - dy) as usize);
    let [mut with, mut nows, mut thens] = [0.0_f32; 3];
    for row in 0..rows {
        let a = &now.values[(y + row) * now.width + x..][..columns];
        let b = &then.values[(from_y + row) * then.width + from_x..][..columns];
        for ([ar, ai], [br, bi]) in a.iter().zip(b) {
            with += ar * br + ai * bi;
            nows += ar * ar + ai * ai;
            thens += br * br + bi * bi;
        }
    }
    with / (nows * thens).sqrt().max(f32::MIN_POSITIVE)
}
