use crate::vision::{Layout, Planes, Range};

/// Pixels of the small picture, about: 320 x 180. An edge that is sharp here is sharp enough for a detector whose input
/// has 416 or 640 pixels in a row; what only a larger picture would show is no reason to call a camera blurred.
const AREA: f32 = 320.0 * 180.0;

/// Smaller than this, nothing is said about a picture.
const LEAST_SIDE: usize = 64;

/// Rows of a block that are read at most: more would only average away what is averaged already.
const ROWS: usize = 3;

/// One picture, made small: all that is looked at.
#[derive(Debug, Default)]
pub(super) struct Small {
    /// Pixels in a row; even.
    pub(super) width: usize,
    /// Rows; even.
    pub(super) height: usize,
    /// Block averages of luma, 0 (black) to 255 (white) whatever the stream's range is.
    pub(super) luma: Vec<f32>,
    /// One sample of each block as the decoder left it: an average would hide that nothing at all has changed.
    pub(super) samples: Vec<u8>,
    /// Mean distance of chroma from grey.
    pub(super) colour: f32,
    /// Sums of the columns of a row of blocks; kept for its memory.
    sums: Vec<u16>,
    row: Vec<u8>,
}

impl Small {
    /// Makes a picture small. `false` if it is too small to begin with, or its planes are not what they say.
    pub(super) fn take(&mut self, picture: &Planes<'_>) -> bool {
        if picture.check().is_err() {
            return false;
        }
        let (width, height) = (picture.width, picture.height);
        let block = ((width as f32 * height as f32 / AREA).sqrt().round() as usize).max(1);
        (self.width, self.height) = (width / block / 2 * 2, height / block / 2 * 2);
        if self.width < LEAST_SIDE || self.height < LEAST_SIDE {
            return false;
        }
        let (black, scale) = match (picture.range, picture.layout) {
            (Range::Full, _) | (_, Layout::Rgb { .. }) => (0.0, 1.0),
            (Range::Limited, _) => (16.0, 255.0 / 219.0),
        };
        let step = block.div_ceil(ROWS);
        let rows = block.div_ceil(step);
        let scale_sum = scale / (rows * block) as f32;
        self.luma.clear();
        self.samples.clear();
        for y in 0..self.height {
            self.sums.clear();
            self.sums.resize(self.width * block, 0);
            for row in (0..block).step_by(step) {
                let line = luma_row(picture, y * block + row, &mut self.row);
                for (sum, value) in self.sums.iter_mut().zip(line) {
                    *sum += u16::from(*value);
                }
                if row == 0 {
                    self.samples.extend(line.iter().step_by(block).take(self.width));
                }
            }
            let blocks = self.sums.chunks_exact(block);
            self.luma.extend(blocks.map(|columns| {
                let sum: u32 = columns.iter().map(|sum| u32::from(*sum)).sum();
                sum as f32 * scale_sum - black * scale
            }));
        }
        self.colour = colour(picture);
        true
    }
}

/// A row of luma. RGB comes only from files; its luma is that of BT.601 in eighths of a bit.
fn luma_row<'a>(picture: &Planes<'a>, y: usize, own: &'a mut Vec<u8>) -> &'a [u8] {
    let width = picture.width;
    match picture.layout {
        Layout::I420 { y: plane, y_stride, .. } | Layout::Nv12 { y: plane, y_stride, .. } => {
            &plane[y * y_stride..][..width]
        }
        Layout::Rgb { rgb, stride } => {
            let pixels = rgb[y * stride..][..3 * width].chunks_exact(3);
            own.clear();
            own.extend(pixels.map(|p| {
                let [r, g, b] = [p[0], p[1], p[2]].map(u32::from);
                ((77 * r + 150 * g + 29 * b) >> 8) as u8
            }));
            own
        }
    }
}

/// How far the picture is from grey, from some hundreds of samples.
fn colour(picture: &Planes<'_>) -> f32 {
    let (columns, rows) = (picture.width.div_ceil(2), picture.height.div_ceil(2));
    let (dx, dy) = (columns.div_ceil(32), rows.div_ceil(18));
    let from_grey = |value: u8| u32::from(value.abs_diff(128));
    let (mut sum, mut count) = (0, 0);
    for y in (0..rows).step_by(dy) {
        for x in (0..columns).step_by(dx) {
            sum += match picture.layout {
                Layout::I420 { u, v, u_stride, v_stride, .. } => {
                    from_grey(u[y * u_stride + x]) + from_grey(v[y * v_stride + x])
                }
                Layout::Nv12 { uv, uv_stride, .. } => {
                    from_grey(uv[y * uv_stride + 2 * x]) + from_grey(uv[y * uv_stride + 2 * x + 1])
                }
                Layout::Rgb { rgb, stride } => {
                    let pixel = &rgb[2 * y * stride + 6 * x..][..3];
                    let (least, most) = pixel.iter().fold((255, 0), |(a, b), v| (v.min(&a).to_owned(), *v.max(&b)));
                    u32::from(most - least)
                }
            };
            count += 2;
        }
    }
    sum as f32 / count as f32
}
