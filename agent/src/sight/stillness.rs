use std::{collections::VecDeque, mem, time::Duration};

use serde::{Deserialize, Serialize};

use super::{
    hold::STALE,
    reference::{COLUMNS, ROWS},
    small::Small,
};

/// How long a picture has to be the same. Which of the two spans can tell anything depends on how still the camera's
/// pictures are while all is well, and how often one is looked at.
const SPANS: [Duration; 2] = [Duration::from_secs(8), Duration::from_secs(64)];

/// Looks come late and early.
const TREMBLE: Duration = Duration::from_millis(500);

/// A span with fewer looks in it says nothing.
const LEAST_LOOKS: usize = 2;

/// For so many spans a camera is watched before it can be called frozen.
const LEARN_SPANS: u32 = 8;

/// Stillness is forgotten after one to two of these: what is still only now and then is so in the same hours of each week.
const WEEK: Duration = Duration::from_secs(7 * 24 * 3600);

/// So many cells may change in a frozen picture: the clock that a recorder writes into it goes on.
const CLOCK_CELLS: u32 = 4;

/// So many cells change, at the very least, within a span of a picture that lives, for its freezing to mean anything.
const LIVELY_CELLS: u32 = 36;

/// A cell has changed if this share of its samples has.
const CHANGED_SHARE: f32 = 0.01;

/// One bit for each cell.
type Cells = [u64; 3];

/// Tells a picture that comes again and again from a scene in which nothing happens.
///
/// Encoders send exact copies of still pictures, so sameness alone means nothing. But a sensor has noise, and at each key
/// frame at the latest it comes through. So it is learnt how few cells of the picture ever change within a span while the
/// camera works; only where that are many, and hardly one changes any more, the picture is frozen. Where the encoder
/// leaves whole spans unchanged, nothing is said.
#[derive(Debug, Default)]
pub(super) struct Stillness {
    before: Vec<u8>,
    last: Option<Duration>,
    /// When each look was, and which cells had changed since the one before.
    looks: VecDeque<(Duration, Cells)>,
    /// How many cells have changed in each span that ends now, if it has been seen whole.
    counts: [Option<u32>; 2],
    /// Since when all has been well.
    well: Option<Duration>,
    recent: [Recent; 2],
    learnt: Quiet,
}

/// What has been counted but is not learnt yet: as a freeze begins, counts fall from look to look, and that it is one is
/// known only after a span.
#[derive(Clone, Copy, Debug, Default)]
struct Recent {
    began: Option<Duration>,
    fewest: Option<u32>,
    /// Of the span before.
    before: Option<u32>,
}

/// What is learnt, for each span: the fewest cells that changed, and how many spans were watched.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Quiet {
    fewest: [Option<u32>; 2],
    watched: [u32; 2],
    /// Fewest of the week before.
    #[serde(default)]
    earlier: [Option<u32>; 2],
    /// Spans of this week.
    #[serde(default)]
    age: [u32; 2],
}

impl Stillness {
    pub(super) fn remember(learnt: Quiet) -> Self {
        Self { learnt, ..Self::default() }
    }

    pub(super) fn learnt(&self) -> Quiet {
        self.learnt
    }

    /// When the last picture came that was not a copy of the one before, as far as is remembered.
    pub(super) fn last_change(&self) -> Option<Duration> {
        let new = |(_, cells): &&(Duration, Cells)| count(cells) > CLOCK_CELLS;
        self.looks.iter().rev().find(new).or(self.looks.front()).map(|(time, _)| *time)
    }

    /// Takes the next picture; says whether it is frozen.
    pub(super) fn is_frozen(&mut self, at: Duration, small: &Small) -> bool {
        let pause = self.last.is_some_and(|last| at.saturating_sub(last) > STALE || at < last);
        if self.before.len() != small.samples.len() || pause {
            self.looks.clear();
            self.unsettle();
        } else {
            let changed = changed(&self.before, &small.samples, small.width);
            self.looks.push_back((at, changed));
        }
        self.last = Some(at);
        self.before.clone_from(&small.samples);
        while self.looks.front().is_some_and(|(time, _)| at.saturating_sub(*time) > 2 * SPANS[1]) {
            self.looks.pop_front();
        }
        self.counts = [0, 1].map(|span| self.count(at, span));
        [0, 1]
            .iter()
            .any(|span| self.learnt.is_lively(*span) && self.counts[*span].is_some_and(|count| count <= CLOCK_CELLS))
    }

    /// How many cells have changed in the span that ends now.
    fn count(&self, at: Duration, index: usize) -> Option<u32> {
        let begin = at.checked_sub(SPANS[index] - TREMBLE)?;
        // One look before the span tells that it has been seen whole.
        let first = self.looks.iter().rposition(|(time, _)| *time <= begin)?;
        if self.looks.len() - first - 1 < LEAST_LOOKS {
            return None;
        }
        let mut union = Cells::default();
        for (_, cells) in self.looks.iter().skip(first + 1) {
            for (all, some) in union.iter_mut().zip(cells) {
                *all |= some;
            }
        }
        Some(count(&union))
    }

    /// Learns from the last picture: all is well with it.
    pub(super) fn learn(&mut self, at: Duration) {
        let well = *self.well.get_or_insert(at);
        for (index, span) in SPANS.into_iter().enumerate() {
            let Some(count) = self.counts[index] else { continue };
            // The span before is to be well from its beginning.
            if at.saturating_sub(well) < span {
                continue;
            }
            let recent = &mut self.recent[index];
            recent.fewest = Some(recent.fewest.map_or(count, |fewest| fewest.min(count)));
            let began = *recent.began.get_or_insert(at);
            if at.saturating_sub(began) >= span {
                recent.began = Some(at);
                if let Some(ripe) = mem::replace(&mut recent.before, recent.fewest.take()) {
                    self.learnt.learn(index, ripe);
                }
            }
        }
    }

    /// All is not well: of what was seen lately nothing is learnt.
    pub(super) fn unsettle(&mut self) {
        self.well = None;
        self.recent = Default::default();
    }
}

impl Quiet {
    /// Do so many cells change in each span that hardly one means anything?
    fn is_lively(&self, index: usize) -> bool {
        let fewest = self.fewest[index].into_iter().chain(self.earlier[index]).min();
        self.watched[index] >= LEARN_SPANS && fewest.is_some_and(|fewest| fewest >= LIVELY_CELLS)
    }

    fn learn(&mut self, index: usize, count: u32) {
        let fewest = &mut self.fewest[index];
        *fewest = Some(fewest.map_or(count, |fewest| fewest.min(count)));
        self.watched[index] = self.watched[index].saturating_add(1);
        self.age[index] = self.age[index].saturating_add(1);
        if SPANS[index].saturating_mul(self.age[index]) >= WEEK {
            self.earlier[index] = self.fewest[index].take();
            self.age[index] = 0;
        }
    }
}

fn count(cells: &Cells) -> u32 {
    cells.iter().map(|bits| bits.count_ones()).sum()
}

fn changed(before: &[u8], now: &[u8], width: usize) -> Cells {
    let height = now.len() / width;
    let mut counts = [0_u16; COLUMNS * ROWS];
    for y in 0..height {
        let row = y * ROWS / height * COLUMNS;
        let (a, b) = (&before[y * width..][..width], &now[y * width..][..width]);
        for column in 0..COLUMNS {
            let part = width * column / COLUMNS..width * (column + 1) / COLUMNS;
            let differ = a[part.clone()].iter().zip(&b[part]).map(|(a, b)| u16::from(a != b)).sum::<u16>();
            counts[row + column] += differ;
        }
    }
    let enough = (now.len() as f32 / counts.len() as f32 * CHANGED_SHARE).ceil() as u16;
    let mut cells = Cells::default();
    for (index, _) in counts.iter().enumerate().filter(|(_, count)| **count >= enough) {
        cells[index / 64] |= 1 << (index % 64);
    }
    cells
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vision::{Layout, Matrix, Planes, Range};

    const WIDTH: usize = 320;
    const HEIGHT: usize = 180;
    static CHROMA: [u8; WIDTH * HEIGHT / 2] = [128; WIDTH * HEIGHT / 2];

    /// A picture in which some cells change from look to look, one after the other.
    struct Flicker {
        stillness: Stillness,
        luma: Vec<u8>,
        second: u64,
    }

    impl Flicker {
        fn new() -> Self {
            Self { stillness: Stillness::default(), luma: vec![0; WIDTH * HEIGHT], second: 0 }
        }

        /// So many cells change in each look; after how many seconds the picture is called frozen.
        fn go_on(&mut self, cells: usize, seconds: u64) -> Option<u64> {
            for after in 1..=seconds {
                self.second += 1;
                for index in 0..cells {
                    let cell = (self.second as usize * cells + index) % (COLUMNS * ROWS);
                    let (row, column) = (cell / COLUMNS * HEIGHT / ROWS, cell % COLUMNS * WIDTH / COLUMNS);
                    self.luma[row * WIDTH + column..][..20].iter_mut().for_each(|sample| *sample ^= 1);
                }
                let layout = Layout::Nv12 { y: &self.luma, uv: &CHROMA, y_stride: WIDTH, uv_stride: WIDTH };
                let (width, height, range, matrix) = (WIDTH, HEIGHT, Range::Full, Matrix::Bt601);
                let mut small = Small::default();
                assert!(small.take(&Planes { width, height, layout, range, matrix }));
                let at = Duration::from_secs(self.second);
                if self.stillness.is_frozen(at, &small) {
                    self.stillness.unsettle();
                    return Some(after);
                }
                self.stillness.learn(at);
            }
            None
        }
    }

    #[test]
    fn the_beginning_of_a_freeze_is_not_learnt_as_stillness() {
        let mut flicker = Flicker::new();
        assert_eq!(flicker.go_on(9, 100), None);
        for _ in 0..3 {
            assert_eq!(flicker.go_on(0, 20), Some(8));
            assert_eq!(flicker.go_on(9, 30), None);
        }
        assert!(flicker.stillness.learnt.fewest[0].unwrap() >= 60, "{:?}", flicker.stillness.learnt);
    }

    #[test]
    fn a_freeze_among_the_first_looks_is_forgotten_after_two_weeks() {
        let mut quiet = Quiet::default();
        let week = (WEEK.as_secs() / SPANS[0].as_secs()) as usize;
        quiet.learn(0, 0);
        let lively = (0..3 * week).map(|_| {
            quiet.learn(0, 144);
            quiet.is_lively(0)
        });
        let lively: Vec<_> = lively.collect();
        assert_eq!(lively.iter().position(|lively| *lively), Some(2 * week - 2));
        assert!(lively[2 * week..].iter().all(|lively| *lively));
        // What is still once a week is never forgotten.
        for span in 0..10 * week {
            quiet.learn(0, if span % week == 77 { 0 } else { 144 });
            assert!(span <= 77 || !quiet.is_lively(0), "{span}");
        }
    }
}
