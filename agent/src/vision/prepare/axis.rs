//! How one axis of a plane is resampled: which samples each pixel is made of, and by which share.

/// From this ratio on a shrunk pixel is the mean of the area it covers; below it is
/// interpolated linearly between two samples, as the models' own preprocessing does.
///
/// Linear interpolation leaves samples out when it shrinks by more than 2, which turns fine
/// texture into noise that moves from frame to frame. In AP of YOLOX-Nano and PicoDet-S on 128
/// pictures, where they shrink by up to 2, areas are between 0.1 points ahead and 0.4 behind; at
/// 2.5 they are 0.4 ahead.
const AREA_FROM: f64 = 2.0;

/// Whether an axis that shrinks by `ratio` takes the mean of areas.
pub(super) fn takes_areas(ratio: f64) -> bool {
    ratio >= AREA_FROM
}

/// Taps of one axis in fixed point; the weights of a pixel sum to exactly `one`, so
/// that an even surface keeps its value.
#[derive(Clone, Debug)]
pub(super) struct Axis {
    /// Samples per pixel.
    pub(super) taps: usize,
    /// First sample of each pixel; `start + taps` never exceeds the number of samples.
    pub(super) starts: Vec<u32>,
    /// `taps` weights per pixel.
    pub(super) weights: Vec<u16>,
}

impl Axis {
    /// Resamples `from` samples to `to` pixels, both above 0.
    pub(super) fn new(from: usize, to: usize, one: u16) -> Self {
        let ratio = from as f64 / to as f64;
        let shares = if takes_areas(ratio) { area } else { linear };
        let pixels: Vec<_> = (0..to).map(|i| shares(i, ratio, from)).collect();
        let taps = pixels.iter().map(|(_, shares)| shares.len()).max().unwrap_or(1);
        let mut axis = Self { taps, starts: Vec::new(), weights: Vec::new() };
        for (start, shares) in pixels {
            // Near the end a pixel starts earlier, with weights of zero in front, so that all have as many taps.
            let moved = start.min(from - taps);
            let mut weights = vec![0; taps];
            weights[start - moved..][..shares.len()].copy_from_slice(&to_fixed_point(&shares, one));
            axis.starts.push(moved as u32);
            axis.weights.extend(weights);
        }
        axis
    }

    /// First sample and weights of pixel `i`.
    pub(super) fn pixel(&self, i: usize) -> (usize, &[u16]) {
        (self.starts[i] as usize, &self.weights[i * self.taps..][..self.taps])
    }
}

/// First sample and shares of pixel `i`, centres aligned (as in OpenCV and PyTorch).
pub(super) fn linear(i: usize, ratio: f64, from: usize) -> (usize, Vec<f64>) {
    let centre = ((i as f64 + 0.5) * ratio - 0.5).clamp(0.0, (from - 1) as f64);
    let first = (centre as usize).min(from.saturating_sub(2));
    let share = centre - first as f64;
    if from == 1 || ratio == 1.0 { (centre as usize, vec![1.0]) } else { (first, vec![1.0 - share, share]) }
}

/// First sample and shares of pixel `i`, the mean of the area it covers.
pub(super) fn area(i: usize, ratio: f64, from: usize) -> (usize, Vec<f64>) {
    // A sliver left by rounding would cost one more tap on the whole axis.
    const SLIVER: f64 = 1e-6;
    let (left, right) = (i as f64 * ratio, (i + 1) as f64 * ratio);
    let first = ((left + SLIVER) as usize).min(from - 1);
    let last = ((right - SLIVER) as usize).min(from - 1);
    let shares = (first..=last).map(|k| (right.min((k + 1) as f64) - left.max(k as f64)) / ratio).collect();
    (first, shares)
}

/// Rounds shares that sum to 1 to integers that sum to `one`, by rounding their running sum.
fn to_fixed_point(shares: &[f64], one: u16) -> Vec<u16> {
    let (mut sum, mut before) = (0.0, 0);
    let mut next = |share: &f64| {
        sum += share;
        let rounded = (sum * f64::from(one)).round() as u16;
        rounded - std::mem::replace(&mut before, rounded)
    };
    shares.iter().map(&mut next).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn an_unchanged_size_takes_each_sample_once() {
        let axis = Axis::new(5, 5, 256);
        assert_eq!((axis.taps, axis.starts, axis.weights), (1, vec![0, 1, 2, 3, 4], vec![256; 5]));
    }

    #[test]
    fn doubling_interpolates_between_centres() {
        let axis = Axis::new(2, 4, 256);
        assert_eq!(axis.weights, [256, 0, 192, 64, 64, 192, 0, 256]);
    }

    #[test]
    fn a_third_is_the_mean_of_three() {
        let axis = Axis::new(1920, 640, 256);
        assert_eq!((axis.taps, axis.pixel(2)), (3, (6, &[85, 86, 85][..])));
    }

    proptest! {
        #[test]
        fn weights_sum_to_one_and_stay_inside(from in 1usize..3000, to in 1usize..700, one in prop_oneof![Just(256u16), Just(4096)]) {
            let axis = Axis::new(from, to, one);
            prop_assert_eq!(axis.starts.len(), to);
            for i in 0..to {
                let (start, weights) = axis.pixel(i);
                prop_assert!(start + weights.len() <= from);
                prop_assert_eq!(weights.iter().map(|&w| u32::from(w)).sum::<u32>(), u32::from(one));
            }
        }
    }
}
