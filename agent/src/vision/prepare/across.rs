//! Resampling along a row.

use super::axis::{Axis, linear, takes_areas};

/// One in the weights of an area: a sum of 8.7 samples then fits 32 bits.
const ONE: u16 = 4096;
/// One in the weights of an interpolation. A weight of exactly one does not fit; it becomes
/// the largest that does, 0.003 % less.
const ONE_LINEAR: f64 = 32768.0;

/// How the samples of a row become pixels. A sample has `C` channels, which lie together.
#[derive(Clone, Debug)]
pub(super) enum Across<const C: usize> {
    /// Each pixel is the sample of the same index.
    Same,
    /// Each pixel is the mean of so many samples.
    Mean(usize),
    /// Each pixel is a weighted mean.
    Area(Axis),
    /// Each pixel lies between two samples.
    Linear(Linear<C>),
}

/// Tables and scratch of a linear interpolation.
///
/// Only fetching the two samples of a pixel is left to single instructions; what is computed
/// with them is laid out for vectors.
#[derive(Clone, Debug)]
pub(super) struct Linear<const C: usize> {
    starts: Vec<u32>,
    /// Share of the second sample, once for each channel.
    weights: Vec<[i16; C]>,
    first: Vec<[i16; C]>,
    second: Vec<[i16; C]>,
}

impl<const C: usize> Across<C> {
    /// Resamples `from` samples to `to` pixels, both above 0.
    pub(super) fn new(from: usize, to: usize) -> Self {
        let ratio = from as f64 / to as f64;
        if from == to {
            Self::Same
        } else if takes_areas(ratio) && from.is_multiple_of(to) {
            Self::Mean(from / to)
        } else if takes_areas(ratio) || from == 1 {
            Self::Area(Axis::new(from, to, ONE))
        } else {
            Self::Linear(Linear::new(from, to))
        }
    }

    /// The pixels of `row`; where nothing changes, they are the row itself.
    pub(super) fn resample<'a>(&'a mut self, row: &'a [[i16; C]], out: &'a mut [[i16; C]]) -> &'a [[i16; C]] {
        match self {
            Self::Same => return &row[..out.len()],
            Self::Mean(2) => mean::<C, 2>(row, out),
            Self::Mean(3) => mean::<C, 3>(row, out),
            Self::Mean(4) => mean::<C, 4>(row, out),
            Self::Mean(n) => {
                for (o, samples) in out.iter_mut().zip(row.chunks_exact(*n)) {
                    *o = mean_of(samples);
                }
            }
            Self::Area(axis) => area(axis, row, out),
            Self::Linear(linear) => linear.resample(row, out),
        }
        out
    }
}

impl<const C: usize> Linear<C> {
    fn new(from: usize, to: usize) -> Self {
        let ratio = from as f64 / to as f64;
        let (mut starts, mut weights) = (Vec::new(), Vec::new());
        for i in 0..to {
            let (start, shares) = linear(i, ratio, from);
            starts.push(start as u32);
            weights.push([(shares[1] * ONE_LINEAR).round().min(f64::from(i16::MAX)) as i16; C]);
        }
        Self { starts, weights, first: vec![[0; C]; to], second: vec![[0; C]; to] }
    }

    fn resample(&mut self, row: &[[i16; C]], out: &mut [[i16; C]]) {
        let Self { starts, weights, first, second } = self;
        for ((first, second), &start) in first.iter_mut().zip(second.iter_mut()).zip(starts.iter()) {
            *second = row[start as usize + 1];
            *first = row[start as usize];
        }
        let pairs = first.as_flattened().iter().zip(second.as_flattened()).zip(weights.as_flattened());
        for (o, ((&first, &second), &weight)) in out.as_flattened_mut().iter_mut().zip(pairs) {
            // The upper half of a 16-bit product is one vector instruction; it is half of what a
            // weight of 15 bits means, so it counts twice.
            let half = (i32::from(second - first) * i32::from(weight)) >> 16;
            *o = first + 2 * half as i16;
        }
    }
}

fn mean<const C: usize, const N: usize>(row: &[[i16; C]], out: &mut [[i16; C]]) {
    let (samples, _) = row.as_chunks::<N>();
    for (o, samples) in out.iter_mut().zip(samples) {
        *o = mean_of(samples);
    }
}

#[inline]
fn mean_of<const C: usize>(samples: &[[i16; C]]) -> [i16; C] {
    // The length is known where this is inlined, so the division becomes a multiplication.
    let n = samples.len() as u32;
    std::array::from_fn(|c| {
        let sum: u32 = samples.iter().map(|s| s[c] as u32).sum();
        ((sum + n / 2) / n) as i16
    })
}

fn area<const C: usize>(axis: &Axis, row: &[[i16; C]], out: &mut [[i16; C]]) {
    for ((o, &start), weights) in out.iter_mut().zip(&axis.starts).zip(axis.weights.chunks_exact(axis.taps)) {
        let samples = &row[start as usize..][..axis.taps];
        *o = std::array::from_fn(|c| {
            let sum: i32 = samples.iter().zip(weights).map(|(s, &w)| i32::from(s[c]) * i32::from(w)).sum();
            ((sum + i32::from(ONE) / 2) / i32::from(ONE)) as i16
        });
    }
}
