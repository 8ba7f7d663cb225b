use std::ops::Range;

use super::structure::{Field, Structure};

/// The picture is judged in so many columns and rows of cells: an object before the lens takes some of them, a cover all.
pub(super) const COLUMNS: usize = 16;
pub(super) const ROWS: usize = 9;

/// A cell has an opinion if the learnt directions in it have at least this mean square: about one pixel in thirty on a
/// strong edge that stays where it is.
const LEAST_TEXTURE: f32 = 0.01;

/// From this correlation of directions on a cell shows what it showed before. Between unrelated pictures it is 0 with a
/// spread of about 0.1 (a cell has about a hundred pixels).
const AGREES: f32 = 0.3;

/// What is left at most of the energy of all edges in a cell that shows nothing any more.
const GONE: f32 = 0.12;

/// What is left at least of the energy of the learnt edges where a detector still sees something: a fifth of the contrast.
const FAINT: f32 = 0.04;

/// From the first looks all is taken: there is nothing yet to agree with.
const FIRST: u32 = 5;

/// How a view looked while nothing was wrong with it, in one kind of light.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Reference {
    /// Of the directions below.
    pub(super) width: usize,
    pub(super) height: usize,
    /// Looks that it was learnt from, as far as they count.
    pub(super) looks: u32,
    /// Mean directions of edges: what stays is near 1, what moves and what is noise near 0.
    pub(super) re: Vec<f32>,
    pub(super) im: Vec<f32>,
    pub(super) cells: Vec<Cell>,
    /// Mean distance of chroma from grey.
    pub(super) colour: f32,
}

/// A cell of the picture as it was learnt.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Cell {
    /// Mean luma.
    pub(super) luma: f32,
    /// Energy of the learnt edges, between neighbours and over four pixels.
    pub(super) fine: f32,
    pub(super) coarse: f32,
    /// Energy of all edges.
    pub(super) all: f32,
}

/// How a picture compares with a reference.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Comparison {
    /// Cells that have an opinion.
    pub(super) textured: usize,
    /// Shares of them: shows what it showed;
    pub(super) kept: f32,
    /// shows nothing;
    pub(super) bare: f32,
    /// shows something else.
    pub(super) strange: f32,
    /// What is left of the energy of learnt edges, median over cells that agree or have faded.
    pub(super) contrast: f32,
    /// Fine against coarse energy, 1 as it was learnt.
    pub(super) sharpness: f32,
    /// Correlation of the mean luma of cells.
    pub(super) layout: f32,
    /// How much brighter one part of the picture is than another, 1 as it was learnt.
    pub(super) gain: f32,
    /// Correlation of all directions.
    pub(super) agreement: f32,
}

/// What one cell of a picture has in common with the reference.
#[derive(Clone, Copy, Debug, Default)]
struct Sums {
    luma: f32,
    /// Directions with learnt ones, and squares of both.
    with: f32,
    own: f32,
    learnt: f32,
    fine: f32,
    coarse: f32,
    all: f32,
    pixels: f32,
}

impl Sums {
    fn agreement(&self) -> f32 {
        self.with / (self.own * self.learnt).sqrt().max(f32::MIN_POSITIVE)
    }
}

impl Reference {
    pub(super) fn new(structure: &Structure, colour: f32) -> Self {
        let pixels = structure.width * structure.height;
        let Field { re, im } = Field::zero(pixels);
        let cells = vec![Cell::default(); COLUMNS * ROWS];
        Self { width: structure.width, height: structure.height, looks: 0, re, im, cells, colour }
    }

    /// Mean luma.
    pub(super) fn brightness(&self) -> f32 {
        self.cells.iter().map(|cell| cell.luma).sum::<f32>() / self.cells.len() as f32
    }

    pub(super) fn fits(&self, structure: &Structure) -> bool {
        (self.width, self.height) == (structure.width, structure.height)
    }

    /// Learns from one more picture, as the mean of the last `memory` ones.
    pub(super) fn learn(&mut self, structure: &Structure, colour: f32, memory: u32) {
        self.looks = (self.looks + 1).min(memory);
        let share = 1.0 / self.looks as f32;
        let lean = |mean: &mut f32, value: f32| *mean += (value - *mean) * share;
        for (mean, value) in self.re.iter_mut().zip(&structure.direction.re) {
            lean(mean, *value);
        }
        for (mean, value) in self.im.iter_mut().zip(&structure.direction.im) {
            lean(mean, *value);
        }
        lean(&mut self.colour, colour);
        let first = self.looks <= FIRST;
        for (index, sums) in self.sums(structure).into_iter().enumerate() {
            let cell = &mut self.cells[index];
            lean(&mut cell.luma, sums.luma / sums.pixels);
            // What passes through a cell has edges of its own, and may have strong ones.
            if !first && sums.agreement() < AGREES {
                continue;
            }
            lean(&mut cell.fine, sums.fine / sums.pixels);
            lean(&mut cell.coarse, sums.coarse / sums.pixels);
            lean(&mut cell.all, sums.all / sums.pixels);
        }
    }

    /// Compares a picture of the same size.
    pub(super) fn compare(&self, structure: &Structure) -> Comparison {
        let sums = self.sums(structure);
        let (layout, gain) = self.layout(&sums);
        let mut comparison = Comparison { layout, gain, ..Comparison::default() };
        let [mut kept, mut bare, mut strange] = [0_usize; 3];
        let (mut contrasts, mut sharps) = (Vec::with_capacity(sums.len()), Vec::with_capacity(sums.len()));
        let [mut with, mut own, mut learnt] = [0.0_f32; 3];
        for (cell, sums) in self.cells.iter().zip(&sums) {
            with += sums.with;
            own += sums.own;
            learnt += sums.learnt;
            if sums.learnt < LEAST_TEXTURE * sums.pixels || cell.coarse <= 0.0 || cell.fine <= 0.0 {
                continue;
            }
            comparison.textured += 1;
            let left = sums.coarse / sums.pixels / cell.coarse;
            let all = sums.all / sums.pixels / cell.all.max(f32::MIN_POSITIVE);
            if sums.agreement() >= AGREES && left >= FAINT {
                kept += 1;
                sharps.push((sums.fine / sums.coarse) / (cell.fine / cell.coarse));
            } else if all < GONE {
                bare += 1;
            } else {
                strange += 1;
            }
            contrasts.push(left);
        }
        let share = |count: usize| count as f32 / comparison.textured.max(1) as f32;
        (comparison.kept, comparison.bare) = (share(kept), share(bare));
        comparison.strange = share(strange);
        comparison.contrast = median(&mut contrasts).unwrap_or(1.0);
        comparison.sharpness = median(&mut sharps).unwrap_or(1.0);
        comparison.agreement = with / (own * learnt).sqrt().max(f32::MIN_POSITIVE);
        comparison
    }

    fn sums(&self, structure: &Structure) -> Vec<Sums> {
        let mut cells = Vec::with_capacity(COLUMNS * ROWS);
        for row in 0..ROWS {
            for column in 0..COLUMNS {
                let mut sums = Sums::default();
                let columns = part(self.width, column, COLUMNS);
                for y in part(self.height, row, ROWS) {
                    self.add(&mut sums, structure, y * self.width + columns.start..y * self.width + columns.end);
                }
                cells.push(sums);
            }
        }
        cells
    }

    fn add(&self, sums: &mut Sums, structure: &Structure, at: Range<usize>) {
        let (re, im) = (&self.re[at.clone()], &self.im[at.clone()]);
        let (dr, di) = (&structure.direction.re[at.clone()], &structure.direction.im[at.clone()]);
        let (cr, ci) = (&structure.coarse.re[at.clone()], &structure.coarse.im[at.clone()]);
        let (fr, fi) = (&structure.fine.re[at.clone()], &structure.fine.im[at.clone()]);
        let luma = &structure.luma[at];
        for x in 0..re.len() {
            sums.luma += luma[x];
            sums.with += dr[x] * re[x] + di[x] * im[x];
            sums.own += dr[x] * dr[x] + di[x] * di[x];
            sums.learnt += re[x] * re[x] + im[x] * im[x];
            sums.coarse += cr[x] * re[x] + ci[x] * im[x];
            sums.fine += fr[x] * re[x] + fi[x] * im[x];
            sums.all += (cr[x] * cr[x] + ci[x] * ci[x]).sqrt();
        }
        sums.pixels += re.len() as f32;
    }

    /// How well the brightness of the cells follows the learnt one, and how strongly.
    fn layout(&self, sums: &[Sums]) -> (f32, f32) {
        let count = sums.len() as f32;
        let now = |sums: &Sums| sums.luma / sums.pixels;
        let mean_now = sums.iter().map(now).sum::<f32>() / count;
        let mean_then = self.cells.iter().map(|cell| cell.luma).sum::<f32>() / count;
        let [mut both, mut nows, mut thens] = [0.0_f32; 3];
        for (cell, sums) in self.cells.iter().zip(sums) {
            let (a, b) = (now(sums) - mean_now, cell.luma - mean_then);
            both += a * b;
            nows += a * a;
            thens += b * b;
        }
        let correlation = both / (nows * thens).sqrt().max(f32::MIN_POSITIVE);
        (correlation, (nows / thens.max(f32::MIN_POSITIVE)).sqrt())
    }
}

/// The pixels of one of `parts` parts of a side.
fn part(side: usize, index: usize, parts: usize) -> Range<usize> {
    side * index / parts..side * (index + 1) / parts
}

fn median(values: &mut [f32]) -> Option<f32> {
    let middle = values.len() / 2;
    (!values.is_empty()).then(|| *values.select_nth_unstable_by(middle, f32::total_cmp).1)
}
