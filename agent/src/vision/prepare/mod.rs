//! Picture to input tensor in one pass: resize, colour, normalisation and letterbox.
//!
//! Each row of the tensor is made in three steps that stay in the first-level cache: the
//! source rows it covers are blended (8-bit weights in 16-bit arithmetic, which every
//! instruction set has many lanes for), the blended row is resampled across, and the three
//! colour rows are written. Nothing is allocated after the first picture of a size.

mod across;
mod axis;
mod rows;
#[cfg(test)]
mod tests;

use across::Across;
use axis::Axis;
use rows::{Conversion, blend, interleave};

use crate::vision::{Colour, Fit, Input, Layout, Planes, PlanesError, Resize};

/// One in the weights down the columns: the largest with which 255 still fits 16 bits.
const ONE: u16 = 256;

/// Makes the input tensor of one model out of the pictures of one camera.
///
/// Chroma is taken to be centred between its luma samples in both directions, as in JPEG. H.264
/// usually puts it level with the left one, so colour lies half a luma pixel off, before shrinking.
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
}

/// What depends on the size of the picture.
#[derive(Clone, Debug)]
struct Tables {
    picture: (usize, usize),
    fit: Fit,
    samples: Samples,
}

/// The planes of a layout.
#[derive(Clone, Debug)]
enum Samples {
    Yuv(Box<Yuv>),
    Rgb(Box<Plane<3>>),
}

#[derive(Clone, Debug)]
struct Yuv {
    y: Plane<1>,
    uv: Plane<2>,
    /// Rows of separate chroma planes, before they are laid together.
    chroma: [Vec<i16>; 2],
}

/// How a plane of samples with `C` channels is resampled; rows in 8.7 fixed point.
#[derive(Clone, Debug)]
struct Plane<const C: usize> {
    down: Axis,
    across: Across<C>,
    blended: Vec<[i16; C]>,
    pixels: Vec<[i16; C]>,
}

impl<const C: usize> Plane<C> {
    fn new((width, height): (usize, usize), fit: &Fit) -> Self {
        Self {
            down: Axis::new(height, fit.height, ONE),
            across: Across::new(width, fit.width),
            blended: vec![[0; C]; width],
            pixels: vec![[0; C]; fit.width],
        }
    }

    /// Row `row` of the resampled plane.
    fn row(&mut self, plane: &[u8], stride: usize, row: usize) -> &[[i16; C]] {
        blend(plane, stride, self.down.pixel(row), self.blended.as_flattened_mut());
        self.across.resample(&self.blended, &mut self.pixels)
    }
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
        let fill = [0, 1, 2].map(|plane| (f32::from(input.fill) - input.mean[plane]) / input.std[plane]);
        Self {
            width,
            height,
            resize: input.resize,
            fill,
            normalise,
            order,
            tensor: vec![0.0; 3 * width * height],
            tables: None,
        }
    }

    /// The tensor of `planes`, `[3, height, width]`, and how the picture lies in it.
    ///
    /// # Errors
    /// If the planes are empty or shorter than their size and strides say.
    pub fn prepare(&mut self, planes: &Planes<'_>) -> Result<(&[f32], Fit), PlanesError> {
        planes.check()?;
        self.set_size(planes);
        let Self { width, height, normalise, order, tensor, tables, .. } = self;
        let Some(Tables { fit, samples, .. }) = tables else { unreachable!("set_size has just made them") };
        let convert = Conversion::new(planes.range, planes.matrix, normalise);
        for row in 0..fit.height {
            let mut out = split_rows(tensor, *width * *height, (fit.y + row) * *width + fit.x, fit.width, *order);
            match (planes.layout, &mut *samples) {
                (Layout::I420 { y, u, v, y_stride, u_stride, v_stride }, Samples::Yuv(rows)) => {
                    let Yuv { y: luma, uv, chroma: [u_row, v_row] } = &mut **rows;
                    blend(u, u_stride, uv.down.pixel(row), u_row);
                    blend(v, v_stride, uv.down.pixel(row), v_row);
                    interleave(u_row, v_row, &mut uv.blended);
                    let chroma = uv.across.resample(&uv.blended, &mut uv.pixels);
                    convert.yuv(luma.row(y, y_stride, row).as_flattened(), chroma, &mut out);
                }
                (Layout::Nv12 { y, uv, y_stride, uv_stride }, Samples::Yuv(rows)) => {
                    let chroma = rows.uv.row(uv, uv_stride, row);
                    convert.yuv(rows.y.row(y, y_stride, row).as_flattened(), chroma, &mut out);
                }
                (Layout::Rgb { rgb, stride }, Samples::Rgb(pixels)) => {
                    convert.rgb(pixels.row(rgb, stride, row), &mut out);
                }
                _ => unreachable!("set_size has just made tables for this layout"),
            }
        }
        Ok((tensor, *fit))
    }

    fn set_size(&mut self, planes: &Planes<'_>) {
        let picture = (planes.width, planes.height);
        let is_rgb = matches!(planes.layout, Layout::Rgb { .. });
        let fits = |t: &Tables| t.picture == picture && is_rgb == matches!(t.samples, Samples::Rgb(_));
        if self.tables.as_ref().is_some_and(fits) {
            return;
        }
        let fit = Fit::new(picture, (self.width, self.height), self.resize);
        let half = (picture.0.div_ceil(2), picture.1.div_ceil(2));
        let samples = if is_rgb {
            Samples::Rgb(Box::new(Plane::new(picture, &fit)))
        } else {
            let chroma = [vec![0; half.0], vec![0; half.0]];
            Samples::Yuv(Box::new(Yuv { y: Plane::new(picture, &fit), uv: Plane::new(half, &fit), chroma }))
        };
        self.tables = Some(Tables { picture, fit, samples });
        for (plane, &value) in self.tensor.chunks_exact_mut(self.width * self.height).zip(&self.fill) {
            plane.fill(value);
        }
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
