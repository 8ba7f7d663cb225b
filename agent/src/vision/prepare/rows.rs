//! The loops over one row. They are written so that the compiler makes vector code of them:
//! slices of one length walked together, no branches, no bounds to check inside.

use crate::vision::{Matrix, Range};

/// Blends the rows of `plane` that one row of the tensor covers, to 8.7 fixed point. The
/// weights sum to 256, so 16 bits hold the sum.
pub(super) fn blend(plane: &[u8], stride: usize, (first, weights): (usize, &[u16]), out: &mut [i16]) {
    let width = out.len();
    let row = |k: usize| &plane[(first + k) * stride..][..width];
    match weights {
        [_] => {
            for (o, &a) in out.iter_mut().zip(row(0)) {
                *o = i16::from(a) << 7;
            }
        }
        &[wa, wb] => {
            let (a, b) = (row(0), row(1));
            for ((o, &a), &b) in out.iter_mut().zip(a).zip(b) {
                *o = halve(u16::from(a) * wa + u16::from(b) * wb);
            }
        }
        &[wa, wb, wc] => {
            let (a, b, c) = (row(0), row(1), row(2));
            for (((o, &a), &b), &c) in out.iter_mut().zip(a).zip(b).zip(c) {
                *o = halve(u16::from(a) * wa + u16::from(b) * wb + u16::from(c) * wc);
            }
        }
        weights => blend_many(weights, row, out),
    }
}

fn blend_many<'a>(weights: &[u16], row: impl Fn(usize) -> &'a [u8], out: &mut [i16]) {
    // A stretch of the row at a time, so that the sums stay in the nearest cache.
    const STRETCH: usize = 256;
    for (i, out) in out.chunks_mut(STRETCH).enumerate() {
        let mut sums = [0u16; STRETCH];
        for (k, &w) in weights.iter().enumerate() {
            for (sum, &sample) in sums.iter_mut().zip(&row(k)[i * STRETCH..][..out.len()]) {
                *sum += u16::from(sample) * w;
            }
        }
        for (o, &sum) in out.iter_mut().zip(&sums) {
            *o = halve(sum);
        }
    }
}

#[inline]
fn halve(sum: u16) -> i16 {
    // At most 255 * 256 / 2, which is positive in 16 bits.
    ((sum + 1) >> 1) as i16
}

/// Lays two rows together, sample by sample.
pub(super) fn interleave(a: &[i16], b: &[i16], out: &mut [[i16; 2]]) {
    for ((o, &a), &b) in out.iter_mut().zip(a).zip(b) {
        *o = [a, b];
    }
}

/// From samples in 8.7 fixed point to normalised red, green and blue.
pub(super) struct Conversion {
    luma: f32,
    black: f32,
    red_v: f32,
    green_u: f32,
    green_v: f32,
    blue_u: f32,
    normalise: [(f32, f32); 3],
}

/// One step of 8.7 fixed point.
const STEP: f32 = 1.0 / 128.0;
/// Chroma without colour, in 8-bit samples.
const GREY: f32 = 128.0;

impl Conversion {
    /// Coefficients as in ITU-T H.273, equations 23 to 40: the luma weights of red and
    /// blue (BT.601, BT.709) and the quantisation range fix all others.
    pub(super) fn new(range: Range, matrix: Matrix, normalise: &[(f32, f32); 3]) -> Self {
        let (kr, kb) = match matrix {
            Matrix::Bt601 => (0.299, 0.114),
            Matrix::Bt709 => (0.2126, 0.0722),
        };
        let kg = 1.0 - kr - kb;
        let (black, luma, chroma): (f32, f32, f32) = match range {
            Range::Limited => (16.0, 255.0 / 219.0, 255.0 / 224.0),
            Range::Full => (0.0, 1.0, 1.0),
        };
        let (red, blue) = (2.0 * (1.0 - kr) * chroma, 2.0 * (1.0 - kb) * chroma);
        Self {
            luma: luma * STEP,
            black: -black * luma,
            red_v: red * STEP,
            green_u: -blue * kb / kg * STEP,
            green_v: -red * kr / kg * STEP,
            blue_u: blue * STEP,
            normalise: *normalise,
        }
    }

    /// Writes red, green and blue from Y and U, V.
    pub(super) fn yuv(&self, y: &[i16], uv: &[[i16; 2]], [red, green, blue]: &mut [&mut [f32]; 3]) {
        let [norm_r, norm_g, norm_b] = self.normalise;
        let grey = GREY / STEP;
        let offset_r = self.black - self.red_v * grey;
        let offset_g = self.black - (self.green_u + self.green_v) * grey;
        let offset_b = self.black - self.blue_u * grey;
        let out = red.iter_mut().zip(green.iter_mut()).zip(blue.iter_mut());
        for ((((r, g), b), &y), &[u, v]) in out.zip(y).zip(uv) {
            let (y, u, v) = (self.luma * f32::from(y), f32::from(u), f32::from(v));
            *r = scale(y + self.red_v * v + offset_r, norm_r);
            *g = scale(y + self.green_u * u + self.green_v * v + offset_g, norm_g);
            *b = scale(y + self.blue_u * u + offset_b, norm_b);
        }
    }

    /// Writes red, green and blue from themselves.
    pub(super) fn rgb(&self, pixels: &[[i16; 3]], out: &mut [&mut [f32]; 3]) {
        for (c, (out, (factor, offset))) in out.iter_mut().zip(self.normalise).enumerate() {
            for (o, pixel) in out.iter_mut().zip(pixels) {
                *o = f32::from(pixel[c]) * STEP * factor + offset;
            }
        }
    }
}

/// Clamps to what a display could show, then normalises.
#[inline]
fn scale(value: f32, (factor, offset): (f32, f32)) -> f32 {
    // Not f32::clamp: plain comparisons become one instruction each, NaN cannot occur.
    let value = if value > 0.0 { value } else { 0.0 };
    let value = if value < 255.0 { value } else { 255.0 };
    value * factor + offset
}
