//! Picture to input tensor in one pass: resize, colour, normalisation and letterbox.
//!
//! Each row of the tensor is made in three steps that stay in the first-level cache: the
//! source rows it covers are blended (8-bit weights in 16-bit arithmetic, which every
//! instruction set has many lanes for), the blended row is resampled across, and the three
//! colour rows are written. Nothing is allocated after the first picture of a size.

mod axis;
mod rows;
#[cfg(test)]
mod tests;

use axis::Axis;
use rows::{across, blend, deinterleave};

use crate::vision::{Colour, Fit, Input, Layout, Planes, PlanesError, Resize};

/// One in the weights down the columns: the largest with which 255 still fits 16 bits.
const ONE_DOWN: u16 = 256;
/// One in the weights across the rows: these sums have 32 bits.
const ONE_ACROSS: u16 = 4096;

/// Makes the input tensor of one model out of the pictures of one camera.
///
/// Chroma is taken to be centred between its luma samples in both directions, as in JPEG;
/// that H.264 puts it on the left one moves colour by a quarter of a chroma sample, which
/// no detector notices.
#[derive(Clone, Debug)]
pub struct Preparer {
    width: usize,
    height: usize,
    resize: Resize,
    fill: [f32; 3],
    /// Scale and offset from a 0..255 sample to the tensor, for red, green and blue.
    normalise: [(f32, f32); 3],
    /// Plane of the tensor for red, green and blue.
    order: [usize; 3],
    tensor: Vec<f32>,
    tables: Option<Tables>,
    scratch: Scratch,
}

/// What depends on the size of the picture.
#[derive(Clone, Debug)]
struct Tables {
    picture: (usize, usize),
    subsampled: bool,
    fit: Fit,
    luma: Resample,
    chroma: Resample,
}

/// How a plane is resampled.
#[derive(Clone, Debug)]
struct Resample {
    across: Axis,
    down: Axis,
}

impl Resample {
    fn new(from: (usize, usize), fit: &Fit) -> Self {
        Self { across: Axis::new(from.0, fit.width, ONE_ACROSS), down: Axis::new(from.1, fit.height, ONE_DOWN) }
    }
}

#[derive(Clone, Debug, Default)]
struct Scratch {
    blended: Vec<u16>,
    planes: [Vec<u16>; 3],
    resampled: [Vec<u16>; 3],
}

impl Preparer {
    /// For a model with this input.
    #[must_use]
    pub fn new(input: &Input) -> Self {
        let [height, width] = input.size;
        let order = match input.colour {
            Colour::Rgb => [0, 1, 2],
            Colour::Bgr => [2, 1, 0],
        };
        // mean and std come in the order of the tensor's planes.
        let normalise = order.map(|plane| (1.0 / input.std[plane], -input.mean[plane] / input.std[plane]));
        let mut fill = [0.0; 3];
        for plane in 0..3 {
            fill[plane] = (f32::from(input.fill) - input.mean[plane]) / input.std[plane];
        }
        Self {
            width,
            height,
            resize: input.resize,
            fill,
            normalise,
            order,
            tensor: vec![0.0; 3 * width * height],
            tables: None,
            scratch: Scratch::default(),
        }
    }

    /// The tensor of `planes`, `[3, height, width]`, and how the picture lies in it.
    ///
    /// # Errors
    /// If the planes are empty or shorter than their size and strides say.
    pub fn prepare(&mut self, planes: &Planes<'_>) -> Result<(&[f32], Fit), PlanesError> {
        planes.check()?;
        self.set_size(planes);
        let Self { width, height, normalise, order, tensor, tables, scratch, .. } = self;
        let Some(tables) = tables else { unreachable!("set_size has just made them") };
        let fit = tables.fit;
        let convert = rows::Conversion::new(planes.range, planes.matrix, normalise);
        for row in 0..fit.height {
            let colours = scratch.row(planes, tables, row);
            let mut out = split_rows(tensor, *width * *height, (fit.y + row) * *width + fit.x, fit.width, *order);
            match planes.layout {
                Layout::Rgb { .. } => convert.rgb(colours, &mut out),
                Layout::I420 { .. } | Layout::Nv12 { .. } => convert.yuv(colours, &mut out),
            }
        }
        Ok((tensor, fit))
    }

    fn set_size(&mut self, planes: &Planes<'_>) {
        let picture = (planes.width, planes.height);
        let subsampled = !matches!(planes.layout, Layout::Rgb { .. });
        if self.tables.as_ref().is_some_and(|t| t.picture == picture && t.subsampled == subsampled) {
            return;
        }
        let fit = Fit::new(picture, (self.width, self.height), self.resize);
        let chroma = (picture.0.div_ceil(2), picture.1.div_ceil(2));
        self.tables = Some(Tables {
            picture,
            subsampled,
            fit,
            luma: Resample::new(picture, &fit),
            chroma: if subsampled { Resample::new(chroma, &fit) } else { Resample::new(picture, &fit) },
        });
        for (plane, &value) in self.tensor.chunks_exact_mut(self.width * self.height).zip(&self.fill) {
            plane.fill(value);
        }
        self.scratch.blended.resize(3 * picture.0.max(2), 0);
        self.scratch.planes.iter_mut().for_each(|p| p.resize(picture.0, 0));
        self.scratch.resampled.iter_mut().for_each(|p| p.resize(fit.width, 0));
    }
}

impl Scratch {
    /// Row `row` of the picture as it lies in the tensor: three rows of samples in 8.8 fixed
    /// point, Y, U, V or R, G, B.
    fn row(&mut self, picture: &Planes<'_>, tables: &Tables, row: usize) -> [&[u16]; 3] {
        let Self { blended, planes, resampled } = self;
        let width = picture.width;
        let chroma_width = width.div_ceil(2);
        let (luma, chroma) = (&tables.luma, &tables.chroma);
        let [y_row, u_row, v_row] = planes;
        match picture.layout {
            Layout::I420 { y, u, v, y_stride, u_stride, v_stride } => {
                blend(y, y_stride, luma.down.pixel(row), &mut y_row[..width]);
                blend(u, u_stride, chroma.down.pixel(row), &mut u_row[..chroma_width]);
                blend(v, v_stride, chroma.down.pixel(row), &mut v_row[..chroma_width]);
            }
            Layout::Nv12 { y, uv, y_stride, uv_stride } => {
                blend(y, y_stride, luma.down.pixel(row), &mut y_row[..width]);
                let blended = &mut blended[..2 * chroma_width];
                blend(uv, uv_stride, chroma.down.pixel(row), blended);
                deinterleave(blended, [&mut u_row[..chroma_width], &mut v_row[..chroma_width]]);
            }
            Layout::Rgb { rgb, stride } => {
                let blended = &mut blended[..3 * width];
                blend(rgb, stride, luma.down.pixel(row), blended);
                deinterleave(blended, [&mut y_row[..width], &mut u_row[..width], &mut v_row[..width]]);
            }
        }
        let [y_out, u_out, v_out] = resampled;
        [across(&luma.across, y_row, y_out), across(&chroma.across, u_row, u_out), across(&chroma.across, v_row, v_out)]
    }
}

/// The same stretch of a row in the three planes of the tensor, for red, green and blue.
fn split_rows(tensor: &mut [f32], plane: usize, start: usize, len: usize, order: [usize; 3]) -> [&mut [f32]; 3] {
    let (first, rest) = tensor.split_at_mut(plane);
    let (second, third) = rest.split_at_mut(plane);
    let rows = [&mut first[start..][..len], &mut second[start..][..len], &mut third[start..][..len]];
    let [a, b, c] = rows;
    if order[0] == 0 { [a, b, c] } else { [c, b, a] }
}
