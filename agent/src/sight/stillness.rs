use std::{collections::VecDeque, time::Duration};

use serde::{Deserialize, Serialize};

use super::{
    reference::{COLUMNS, ROWS},
    small::Small,
};

/// How long a picture has to be the same. Which of the two spans can tell anything depends on how still the camera's
/// pictures are while all is well.
const SPANS: [Duration; 2] = [Duration::from_secs(8), Duration::from_secs(64)];

/// Looks come late and early.
const TREMBLE: Duration = Duration::from_millis(500);

/// For so many spans a camera is watched before it can be called frozen.
const LEARN_SPANS: u32 = 8;

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
    learnt: Quiet,
}

/// What is learnt, for each span: the fewest cells that changed, and how many spans were watched.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Quiet {
    fewest: [Option<u32>; 2],
    watched: [u32; 2],
    /// When the present span began, in milliseconds; only within a run.
    #[serde(skip)]
    began: [Option<u64>; 2],
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
        let pause = self.last.is_some_and(|last| at.saturating_sub(last) > SPANS[0] || at < last);
        if self.before.len() != small.samples.len() || pause {
            self.looks.clear();
            self.learnt.began = [None; 2];
        } else {
            let changed = changed(&self.before, &small.samples, small.width);
            self.looks.push_back((at, changed));
        }
        self.last = Some(at);
        self.before.clone_from(&small.samples);
        while self.looks.front().is_some_and(|(time, _)| at.saturating_sub(*time) > 2 * SPANS[1]) {
            self.looks.pop_front();
        }
        let frozen = [0, 1].map(|span| self.span(at, span));
        frozen.contains(&true)
    }

    /// Looks back over one span, and learns from it unless it is frozen.
    fn span(&mut self, at: Duration, index: usize) -> bool {
        let span = SPANS[index] - TREMBLE;
        let Some(begin) = at.checked_sub(span) else { return false };
        // One look before the span tells that it has been seen whole.
        let Some(first) = self.looks.iter().rposition(|(time, _)| *time <= begin) else { return false };
        let mut union = Cells::default();
        for (_, cells) in self.looks.iter().skip(first + 1) {
            for (all, some) in union.iter_mut().zip(cells) {
                *all |= some;
            }
        }
        let count = count(&union);
        let Quiet { fewest, watched, began } = &mut self.learnt;
        let lively = watched[index] >= LEARN_SPANS && fewest[index].is_some_and(|fewest| fewest >= LIVELY_CELLS);
        if lively && count <= CLOCK_CELLS {
            return true;
        }
        fewest[index] = Some(fewest[index].map_or(count, |fewest| fewest.min(count)));
        let now = u64::try_from(at.as_millis()).unwrap_or(u64::MAX);
        let since = *began[index].get_or_insert(now);
        if u128::from(now.saturating_sub(since)) >= SPANS[index].as_millis() {
            began[index] = Some(now);
            watched[index] = watched[index].saturating_add(1);
        }
        false
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
