use std::time::Duration;

use super::{ScenerySettings, blobs::Area, grid::Grid};

/// A change of what stands there is taken in after about so long, where it is small: creeping shadows, dusk.
const LEARN: Duration = Duration::from_secs(15);
/// What stands there is averaged over about so long.
const LEARN_QUICK: Duration = Duration::from_secs(1);
/// The usual deviation is learnt over about so long.
const LEARN_NOISE: Duration = Duration::from_secs(30);
/// What stands for so long and is not listed becomes part of the scene: too small, too thin, outside all zones.
const STALE: f32 = 60.0;
/// Changed is what is off by more than so many usual deviations; about four standard deviations of normal noise.
const TIMES: f32 = 5.0;
/// And by more than this, in steps of luma: encoders leave such steps where nothing moves.
const LEAST: f32 = 7.0;
/// Until something is known of a cell.
const FIRST_NOISE: f32 = 2.0;
/// No cell becomes deaf.
const MOST_NOISE: f32 = 8.0;
/// From here on white is cut off and follows no gain.
pub(super) const WHITE: f32 = 250.0;
/// What a look that does not fit adds to the doubt about what stands there, and from where on it is something else. One that
/// fits takes one away: a drop of rain is forgotten, and what flickers is not.
const MISS: u8 = 2;
const MOST_DOUBT: u8 = 4;
/// Ages are not counted beyond.
const OLDEST: f32 = 36_000.0;
/// From this share of the cells on it is no object that has changed.
const MOST_CHANGED: f32 = 0.4;
/// It is taken in once this share of it stands still.
const LEAST_SETTLED: f32 = 0.9;
/// How far around an area it is asked what goes on, and how much may, as a share of its outline.
const FLUX_REACH: usize = 3;
const MOST_FLUX: f32 = 0.2;

/// What is known of a cell.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Cell {
    /// What is usual there.
    pub(super) mean: f32,
    /// How far it usually strays.
    noise: f32,
    /// What is there now, without what only passes.
    pub(super) now: f32,
    /// For how long, in seconds; goes on while it is hidden.
    pub(super) age: f32,
    /// For how long it was seen while nothing is known of it; negative from then on.
    unknown: f32,
    /// Looks it was seen at while nothing is known of it.
    looks: f32,
    doubt: u8,
    /// Something else came all at once, since it last was as usual. What only crept away from it is light.
    jumped: bool,
    /// Has not been seen since it was hidden: what was there before is not believed.
    unseen: bool,
    /// Belongs to a spot: nothing is learnt.
    pub(super) kept: bool,
}

impl Cell {
    fn new() -> Self {
        Self { noise: FIRST_NOISE, ..Self::default() }
    }

    pub(super) fn is_known(&self) -> bool {
        self.unknown < 0.0
    }

    /// From here on it is not what is usual.
    pub(super) fn limit(&self) -> f32 {
        (TIMES * self.noise).max(LEAST)
    }

    /// Whether what is there now was there at this look.
    pub(super) fn is_sure(&self) -> bool {
        self.doubt == 0
    }

    /// Whether what is there now is not usual and came all at once, as things do and drifting fog and the sun's shadows do not.
    fn is_other(&self) -> bool {
        self.jumped && self.off() > self.limit()
    }

    /// How far what is there is from what is usual.
    pub(super) fn off(&self) -> f32 {
        (self.now - self.mean).abs()
    }

    /// Whether something else is there than usual, where all around has become lighter by this.
    pub(super) fn differs(&self, lighter: f32) -> bool {
        let limit = self.limit();
        self.off() > limit && (self.now - lighter * self.mean).abs() > limit
    }
}

/// How much of the new is taken at a look.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rates {
    /// Since the look before.
    pub(super) step: Duration,
    slow: f32,
    quick: f32,
    noise: f32,
    learn: f32,
    settle: f32,
}

impl Rates {
    pub(super) fn new(step: Duration, settings: &ScenerySettings) -> Self {
        let rate = |over: Duration| 1.0 - (-step.as_secs_f32() / over.as_secs_f32()).exp();
        Self {
            step,
            slow: rate(LEARN),
            quick: rate(LEARN_QUICK),
            noise: rate(LEARN_NOISE),
            learn: settings.learn.as_secs_f32(),
            settle: settings.settle.as_secs_f32(),
        }
    }
}

/// What is usual in each cell, and what is there now.
#[derive(Clone, Debug, Default)]
pub(super) struct Background {
    pub(super) cells: Vec<Cell>,
    /// What is not usual and stands still.
    still: Vec<bool>,
    /// By how much the picture is lighter than what is remembered.
    pub(super) gain: f32,
    /// Of the last look: known cells that were seen, and how many of them were not as usual.
    seen: usize,
    changed: usize,
    /// Of these, how many stand still.
    settled: usize,
}

impl Background {
    /// Forgets all.
    pub(super) fn begin(&mut self, cells: usize) {
        self.cells.clear();
        self.cells.resize(cells, Cell::new());
        self.still.clear();
        self.still.resize(cells, false);
        self.gain = 1.0;
        (self.seen, self.changed, self.settled) = (0, 0, 0);
    }

    /// What stands there now has to settle anew.
    pub(super) fn unsettle(&mut self) {
        self.cells.iter_mut().for_each(|cell| cell.age = 0.0);
    }

    /// All that is remembered as lighter by this.
    pub(super) fn relight(&mut self, by: f32) {
        for cell in &mut self.cells {
            cell.mean *= by;
            cell.now *= by;
        }
    }

    /// Takes a look.
    pub(super) fn learn(&mut self, grid: &Grid, rates: &Rates) {
        let darker = 1.0 / self.gain;
        let step = rates.step.as_secs_f32();
        (self.seen, self.changed, self.settled) = (0, 0, 0);
        let looks = self.cells.iter_mut().zip(&mut self.still).zip(&grid.luma).zip(&grid.hidden);
        for (((cell, still), luma), hidden) in looks {
            if *hidden {
                // What had settled is still there as far as is known; what had not may be whoever hides it.
                cell.age = if cell.age < rates.settle { 0.0 } else { (cell.age + step).min(OLDEST) };
                cell.unseen = true;
                *still = false;
                continue;
            }
            let white = *luma >= WHITE && cell.mean * self.gain >= WHITE;
            let value = if white { cell.mean } else { luma * darker };
            cell.stand(value, step, rates);
            if !cell.is_known() {
                cell.get_to_know(value, step, rates);
                *still = false;
                continue;
            }
            let far = (value - cell.mean).abs();
            let limit = cell.limit();
            cell.jumped &= cell.off() > limit;
            let crept = !cell.jumped && (value - cell.now).abs() <= limit;
            let changed = far > limit && !crept;
            self.seen += 1;
            self.changed += usize::from(changed && !cell.kept);
            if cell.kept {
                *still = false;
                continue;
            }
            if !changed {
                cell.mean += rates.slow * (value - cell.mean);
                if far <= limit {
                    cell.noise += rates.noise * (far - cell.noise);
                }
            } else if cell.age < rates.settle {
                // What keeps passing by is usual.
                cell.noise = (cell.noise + rates.noise * (limit - cell.noise)).min(MOST_NOISE);
            } else if cell.age > STALE {
                cell.mean = cell.now;
            }
            *still = !cell.unseen && cell.age >= rates.settle && cell.is_other();
            self.settled += usize::from(*still);
        }
    }

    /// What is not usual and stands still, row by row.
    pub(super) fn still(&self) -> &[bool] {
        &self.still
    }

    /// Whether it is no object that has changed, but the light or the view.
    pub(super) fn mostly_changed(&self) -> bool {
        self.changed as f32 > MOST_CHANGED * self.seen as f32
    }

    /// Whether something goes on around this area, which is not whole yet then: what was judged or absorbed now would
    /// have an edge where it touches the rest.
    pub(super) fn is_in_flux(&self, area: Area, size: (usize, usize), hidden: &[bool]) -> bool {
        let around = area.grown(FLUX_REACH, size).cells(size.0);
        let goes_on = |index: &usize| {
            let cell = &self.cells[*index];
            let quiet = self.still[*index] || hidden[*index] || cell.kept || !cell.is_known();
            !quiet && cell.is_other()
        };
        around.filter(goes_on).count() as f32 > MOST_FLUX * area.outline() as f32
    }

    /// All that stands still is usual from now on, once nearly all does.
    pub(super) fn absorb_still(&mut self) {
        if (self.settled as f32) < LEAST_SETTLED * self.changed as f32 {
            return;
        }
        for (cell, still) in self.cells.iter_mut().zip(&mut self.still) {
            if std::mem::take(still) {
                cell.mean = cell.now;
            }
        }
    }

    /// What is in these cells now is usual from now on.
    pub(super) fn absorb(&mut self, cells: &[u32]) {
        for cell in cells {
            let cell = &mut self.cells[*cell as usize];
            cell.mean = cell.now;
        }
    }
}

impl Cell {
    /// Follows what stands there.
    fn stand(&mut self, value: f32, step: f32, rates: &Rates) {
        if (value - self.now).abs() <= self.limit() {
            self.now += rates.quick * (value - self.now);
            self.doubt = self.doubt.saturating_sub(1);
            self.age = (self.age + step).min(OLDEST);
            self.unseen = false;
            return;
        }
        self.doubt += MISS;
        if self.doubt >= MOST_DOUBT {
            (self.now, self.doubt, self.age) = (value, 0, 0.0);
            (self.jumped, self.unseen) = (true, false);
        }
    }

    /// The mean of all looks so far, and in the end what stands there, if it has for long enough.
    fn get_to_know(&mut self, value: f32, step: f32, rates: &Rates) {
        self.looks += 1.0;
        let share = 1.0 / self.looks;
        self.mean += share * (value - self.mean);
        if self.looks > 1.0 {
            self.noise += share * ((value - self.mean).abs() - self.noise);
        }
        self.unknown += step;
        if self.unknown >= rates.learn {
            self.unknown = -1.0;
            if self.age >= rates.learn / 2.0 {
                self.mean = self.now;
            }
            self.noise = self.noise.min(MOST_NOISE);
        }
    }
}
