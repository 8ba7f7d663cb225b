//! The loops over one row. They are written so that the compiler makes vector code of them:
//! slices of one length walked together, no branches, no bounds to check inside.

use super::{ONE_ACROSS, axis::Axis};
use crate::vision::{Matrix, Range};

/// Blends the rows of `plane` that one row of the tensor covers, to 8.8 fixed point.
pub(super) fn blend(plane: &[u8], stride: usize, (first, weights): (usize, &[u16]), out: &mut [u16]) {
    let width = out.len();
    let row = |k: usize| &plane[(first + k) * stride..][..width];
    match weights {
        [_] => {
            for (o, &a) in out.iter_mut().zip(row(0)) {
                *o = u16::from(a) << 8;
            }
        }
        &[wa, wb] => {
            let (a, b) = (row(0), row(1));
            for ((o, &a), &b) in out.iter_mut().zip(a).zip(b) {
                *o = u16::from(a) * wa + u16::from(b) * wb;
            }
        }
        &[wa, wb, wc] => {
            let (a, b, c) = (row(0), row(1), row(2));
            for (((o, &a), &b), &c) in out.iter_mut().zip(a).zip(b).zip(c) {
                *o = u16::from(a) * wa + u16::from(b) * wb + u16::from(c) * wc;
            }
        }
        weights => {
            out.fill(0);
            for (k, &w) in weights.iter().enumerate() {
                for (o, &a) in out.iter_mut().zip(row(k)) {
                    *o += u16::from(a) * w;
                }
            }
        }
    }
}

/// Splits interleaved samples into planes.
pub(super) fn deinterleave<const N: usize>(samples: &[u16], mut planes: [&mut [u16]; N]) {
    for (i, pixel) in samples.chunks_exact(N).enumerate() {
        for (plane, &sample) in planes.iter_mut().zip(pixel) {
            plane[i] = sample;
        }
    }
}

/// Resamples a row; where nothing changes, it is the row itself.
pub(super) fn across<'a>(axis: &Axis, row: &'a [u16], out: &'a mut [u16]) -> &'a [u16] {
    if axis.identity {
        return &row[..axis.starts.len()];
    }
    match axis.taps {
        1 => gather::<1>(axis, row, out),
        2 => gather::<2>(axis, row, out),
        3 => gather::<3>(axis, row, out),
        4 => gather::<4>(axis, row, out),
        taps => {
            for ((o, &start), weights) in out.iter_mut().zip(&axis.starts).zip(axis.weights.chunks_exact(taps)) {
                *o = mean(&row[start as usize..][..taps], weights);
            }
        }
    }
    out
}

fn gather<const N: usize>(axis: &Axis, row: &[u16], out: &mut [u16]) {
    let (weights, _) = axis.weights.as_chunks::<N>();
    for ((o, &start), weights) in out.iter_mut().zip(&axis.starts).zip(weights) {
        *o = mean(&row[start as usize..][..N], weights);
    }
}

#[inline]
fn mean(samples: &[u16], weights: &[u16]) -> u16 {
    let one = u32::from(ONE_ACROSS);
    let sum: u32 = samples.iter().zip(weights).map(|(&s, &w)| u32::from(s) * u32::from(w)).sum();
    // The weights sum to one, so the mean fits 16 bits again.
    ((sum + one / 2) / one) as u16
}

/// From samples in 8.8 fixed point to normalised red, green and blue.
pub(super) struct Conversion {
    luma: f32,
    black: f32,
    red_v: f32,
    green_u: f32,
    green_v: f32,
    blue_u: f32,
    normalise: [(f32, f32); 3],
}

/// One step of 8.8 fixed point.
const STEP: f32 = 1.0 / 256.0;
/// Chroma without colour, in 8-bit samples.
const GREY: f32 = 128.0;

impl Conversion {
    /// Coefficients as in ITU-T H.273, equations 23 to 40: the luma weights of red and
    /// blue (BT.601, BT.709) and the quantisation range fix all others.
    pub fn new(range: Range, matrix: Matrix, normalise: &[(f32, f32); 3]) -> Self {
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

    /// Writes red, green and blue from Y, U and V.
    pub fn yuv(&self, [y, u, v]: [&[u16]; 3], [red, green, blue]: &mut [&mut [f32]; 3]) {
        let [norm_r, norm_g, norm_b] = self.normalise;
        let grey = GREY / STEP;
        let offset = self.black - self.red_v * grey;
        for ((o, &y), &v) in red.iter_mut().zip(y).zip(v) {
            *o = scale(self.luma * f32::from(y) + self.red_v * f32::from(v) + offset, norm_r);
        }
        let offset = self.black - (self.green_u + self.green_v) * grey;
        for (((o, &y), &u), &v) in green.iter_mut().zip(y).zip(u).zip(v) {
            let colour = self.green_u * f32::from(u) + self.green_v * f32::from(v);
            *o = scale(self.luma * f32::from(y) + colour + offset, norm_g);
        }
        let offset = self.black - self.blue_u * grey;
        for ((o, &y), &u) in blue.iter_mut().zip(y).zip(u) {
            *o = scale(self.luma * f32::from(y) + self.blue_u * f32::from(u) + offset, norm_b);
        }
    }

    /// Writes red, green and blue from themselves.
    pub fn rgb(&self, colours: [&[u16]; 3], out: &mut [&mut [f32]; 3]) {
        for ((out, samples), (factor, offset)) in out.iter_mut().zip(colours).zip(self.normalise) {
            for (o, &sample) in out.iter_mut().zip(samples) {
                *o = f32::from(sample) * STEP * factor + offset;
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
