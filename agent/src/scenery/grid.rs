use super::blobs::Area;
use crate::{
    rules::geometry::{Point, Polygon},
    vision::{Layout, Planes, Range, Rect},
};

/// Cells of a picture, about: 213 x 120. A cell has 3 x 3 pixels of 640 x 360, so that sensor noise is a third.
const CELLS: f32 = 213.0 * 120.0;
/// Rows of a cell that are read at most: more would only average away what is averaged already.
const ROWS: usize = 4;
/// What is looked at around a zone, in shares of the picture: a thing on the border is seen whole, and light is told by
/// what surrounds things.
const MARGIN: f32 = 0.1;
/// A box is grown by so many cells on each side, and by this share of its size: hands, hair and feet stick out.
const GROW: f32 = 2.0;
const GROW_SHARE: f32 = 0.04;
/// What is so near to a hidden cell touches it.
const NEAR: usize = 1;

/// Mean luma of the cells around the zones, row by row.
#[derive(Clone, Debug, Default)]
pub(super) struct Grid {
    picture: (usize, usize),
    /// Pixels of a cell's side.
    side: usize,
    /// The first cell, counted in the whole picture.
    left: usize,
    top: usize,
    columns: usize,
    rows: usize,
    /// 0 (black) to 255 (white), whatever the stream's range is.
    pub(super) luma: Vec<f32>,
    /// Cells where an object is.
    pub(super) hidden: Vec<bool>,
    /// Cells in a zone.
    inside: Vec<bool>,
    /// Sums of the columns of a row of cells; kept for its memory.
    sums: Vec<u16>,
}

impl Grid {
    /// Takes a picture whose planes are as they say. `true` if it has another size than the one before.
    pub(super) fn take(&mut self, picture: &Planes<'_>, zones: &[Polygon]) -> bool {
        let resized = self.picture != (picture.width, picture.height);
        if resized {
            self.resize(picture, zones);
        }
        match picture.layout {
            Layout::I420 { y, y_stride, .. } | Layout::Nv12 { y, y_stride, .. } => {
                self.average::<1>(y, y_stride, 0, picture.range);
            }
            // Green is most of luma.
            Layout::Rgb { rgb, stride } => self.average::<3>(rgb, stride, 1, Range::Full),
        }
        resized
    }

    fn resize(&mut self, picture: &Planes<'_>, zones: &[Polygon]) {
        let (width, height) = (picture.width, picture.height);
        let side = ((width as f32 * height as f32 / CELLS).sqrt().round() as usize).max(1);
        let (all_columns, all_rows) = (width / side, height / side);
        let corners = || zones.iter().flat_map(Polygon::corners);
        let least = |of: fn(&Point) -> f32| corners().map(of).fold(1.0, f32::min) - MARGIN;
        let most = |of: fn(&Point) -> f32| corners().map(of).fold(0.0, f32::max) + MARGIN;
        let cell = |share: f32, pixels: usize, cells: usize| {
            ((share.clamp(0.0, 1.0) * pixels as f32 / side as f32) as usize).min(cells)
        };
        let (left, top) = (cell(least(|p| p.x), width, all_columns), cell(least(|p| p.y), height, all_rows));
        let (right, bottom) = (cell(most(|p| p.x), width, all_columns), cell(most(|p| p.y), height, all_rows));
        let (columns, rows) = (right.saturating_sub(left), bottom.saturating_sub(top));
        *self = Self {
            picture: (width, height),
            side,
            left,
            top,
            columns,
            rows,
            luma: vec![0.0; columns * rows],
            hidden: vec![false; columns * rows],
            inside: Vec::new(),
            sums: vec![0; columns * side],
        };
        self.inside = (0..self.cells()).map(|cell| zones.iter().any(|zone| zone.contains(self.middle(cell)))).collect();
    }

    /// `STEP` bytes from one sample to the next, the first at `from`.
    fn average<const STEP: usize>(&mut self, plane: &[u8], stride: usize, from: usize, range: Range) {
        let Self { side, left, top, columns, luma, sums, .. } = self;
        let side = *side;
        if *columns == 0 {
            return;
        }
        let (black, scale) = match range {
            Range::Full => (0.0, 1.0),
            Range::Limited => (16.0, 255.0 / 219.0),
        };
        let each = side.div_ceil(ROWS);
        let scale_sum = scale / (side.div_ceil(each) * side) as f32;
        for (row, cells) in luma.chunks_exact_mut(*columns).enumerate() {
            sums.fill(0);
            for line in (0..side).step_by(each) {
                let line = &plane[((*top + row) * side + line) * stride + *left * side * STEP..];
                for (sum, sample) in sums.iter_mut().zip(line.chunks(STEP)) {
                    *sum += u16::from(sample[from]);
                }
            }
            for (cell, sums) in cells.iter_mut().zip(sums.chunks_exact(side)) {
                let sum: u32 = sums.iter().map(|sum| u32::from(*sum)).sum();
                *cell = (sum as f32 * scale_sum - black * scale).max(0.0);
            }
        }
    }

    /// Hides the cells where these boxes are.
    pub(super) fn hide(&mut self, objects: &[Rect]) {
        self.hidden.fill(false);
        if self.columns == 0 {
            return;
        }
        let side = self.side as f32;
        let (width, height) = (self.picture.0 as f32 / side, self.picture.1 as f32 / side);
        for object in objects {
            let (more_x, more_y) = (GROW + GROW_SHARE * object.w * width, GROW + GROW_SHARE * object.h * height);
            // Whole cells, counted from the window's corner; what is beyond it is cut off.
            let from = |edge: f32, first: usize| (edge - first as f32).floor().max(0.0) as usize;
            let to = |edge: f32, first: usize, most: usize| ((edge - first as f32).ceil().max(0.0) as usize).min(most);
            let left = from(object.x * width - more_x, self.left);
            let right = to(object.right() * width + more_x, self.left, self.columns);
            let top = from(object.y * height - more_y, self.top);
            let bottom = to(object.bottom() * height + more_y, self.top, self.rows);
            if left >= right || top >= bottom {
                continue;
            }
            for row in self.hidden.chunks_exact_mut(self.columns).take(bottom).skip(top) {
                row[left..right].fill(true);
            }
        }
    }

    /// How many cells are looked at.
    pub(super) fn cells(&self) -> usize {
        self.columns * self.rows
    }

    /// Columns and rows of what is looked at.
    pub(super) fn size(&self) -> (usize, usize) {
        (self.columns, self.rows)
    }

    /// How many cells the whole picture has.
    pub(super) fn whole(&self) -> f32 {
        let side = self.side.max(1);
        ((self.picture.0 / side) * (self.picture.1 / side)) as f32
    }

    /// The middle of a cell, in shares of the picture.
    pub(super) fn middle(&self, cell: usize) -> Point {
        let (x, y) = (self.left + cell % self.columns, self.top + cell / self.columns);
        let share = |cell: usize, pixels: usize| (cell as f32 + 0.5) * self.side as f32 / pixels as f32;
        Point::new(share(x, self.picture.0), share(y, self.picture.1))
    }

    /// Whether any of these cells is in a zone.
    pub(super) fn is_in_zone(&self, cells: &[u32]) -> bool {
        cells.iter().any(|cell| self.inside[*cell as usize])
    }

    /// Whether an object touches this area.
    pub(super) fn is_near_hidden(&self, area: Area) -> bool {
        let near = area.grown(NEAR, self.size());
        near.cells(self.columns).any(|cell| self.hidden[cell])
    }

    /// In shares of the picture.
    pub(super) fn to_picture(&self, area: Area) -> Rect {
        let share = |cell: usize, first: usize, pixels: usize| ((first + cell) * self.side) as f32 / pixels as f32;
        let (width, height) = self.picture;
        Rect::from_edges(
            share(area.left, self.left, width),
            share(area.top, self.top, height),
            share(area.right, self.left, width),
            share(area.bottom, self.top, height),
        )
    }
}
