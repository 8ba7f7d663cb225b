use super::regions::Area;
use crate::vision::{Layout, Planes, Rect};

/// From so many lines on a block is 8 pixels wide and high, below it 4: a person far away covers some blocks either way.
const HIGH: usize = 540;

/// Mean luma of the blocks of a picture, row by row, in sixteenths of a step. What does not fill a block at the right and
/// bottom edge belongs to none.
#[derive(Clone, Debug, Default)]
pub(super) struct Blocks {
    picture: (usize, usize),
    side: usize,
    columns: usize,
    rows: usize,
    sums: Vec<u16>,
    values: Vec<f32>,
}

impl Blocks {
    /// Takes a picture. `true` if it has another size than the one before.
    pub(super) fn average(&mut self, picture: &Planes<'_>) -> bool {
        let size = (picture.width, picture.height);
        let resized = size != self.picture;
        if resized {
            let side = if picture.height >= HIGH { 8 } else { 4 };
            let (columns, rows) = (picture.width / side, picture.height / side);
            *self = Self {
                picture: size,
                side,
                columns,
                rows,
                sums: vec![0; columns * side],
                values: vec![0.0; columns * rows],
            };
        }
        match picture.layout {
            Layout::I420 { y, y_stride, .. } | Layout::Nv12 { y, y_stride, .. } => self.sum::<1>(y, y_stride, 0),
            // Green is most of luma.
            Layout::Rgb { rgb, stride } => self.sum::<3>(rgb, stride, 1),
        }
        resized
    }

    /// `STEP` bytes from one sample to the next, the first at `from`.
    fn sum<const STEP: usize>(&mut self, plane: &[u8], stride: usize, from: usize) {
        let Self { side, columns, sums, values, .. } = self;
        let side = *side;
        if *columns == 0 {
            return;
        }
        let scale = 1.0 / (side * side) as f32;
        for (row, values) in values.chunks_exact_mut(*columns).enumerate() {
            sums.fill(0);
            for line in 0..side {
                let line = &plane[(row * side + line) * stride..];
                for (sum, sample) in sums.iter_mut().zip(line.chunks(STEP)) {
                    *sum += u16::from(sample[from]);
                }
            }
            for (value, sums) in values.iter_mut().zip(sums.chunks_exact(side)) {
                // At most 64 samples of 255 fit in 16 bits.
                *value = f32::from(sums.iter().sum::<u16>()) * scale;
            }
        }
    }

    /// Mean luma of each block, 0 to 255.
    pub(super) fn values(&self) -> &[f32] {
        &self.values
    }

    /// Columns and rows.
    pub(super) fn size(&self) -> (usize, usize) {
        (self.columns, self.rows)
    }

    /// In shares of the picture.
    pub(super) fn to_picture(&self, area: Area) -> Rect {
        let (width, height) = (self.picture.0 as f32, self.picture.1 as f32);
        let pixels = |block: usize| (block * self.side) as f32;
        // The edge that is in no block belongs to the last one.
        let end = |block: usize, last: usize, whole: f32| if block == last { whole } else { pixels(block) };
        Rect::from_edges(
            pixels(area.left) / width,
            pixels(area.top) / height,
            end(area.right, self.columns, width) / width,
            end(area.bottom, self.rows, height) / height,
        )
    }
}
