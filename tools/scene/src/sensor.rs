//! The sensor: exposure, vignetting, tone curve, noise, and the way into Y'CbCr.

use glam::Vec3;

use crate::frame::{I420Frame, Matrix};
use crate::light::Mode;
use crate::texture::hash;

/// Side of the noise tile, a power of two.
const TILE: usize = 256;
/// What of its colour a camera's filter array and its noise reduction lose, towards the brightness in `EYE`'s weights.
const GREYING: f32 = 0.22;
const EYE: Vec3 = Vec3::new(0.2126, 0.7152, 0.0722);
/// Entries of the tone curve; indexed by the square root of the light, which spaces the dark end finely.
const CURVE: usize = 2048;
/// The brightest light the curve tells apart.
const BRIGHTEST: f32 = 6.0;

/// A camera sensor. Stateless but for its tables: the same light and the same moment give the same picture.
#[derive(Clone, Debug)]
pub(crate) struct Sensor {
    noise: Vec<i8>,
    seed: u32,
    /// Strength of the noise, 1 as an ordinary camera has it.
    strength: f32,
}

impl Sensor {
    pub(crate) fn new(seed: u64, strength: f32) -> Self {
        let seed = hash(seed as u32 ^ hash((seed >> 32) as u32));
        let mut random = fastrand::Rng::with_seed(u64::from(seed));
        // The sum of twelve uniform numbers is close to a normal one of variance 1.
        let white: Vec<f32> = (0..TILE * TILE).map(|_| (0..12).map(|_| random.f32()).sum::<f32>() - 6.0).collect();
        // A camera smooths its noise: each value leans on its neighbours. 32 steps are one standard deviation.
        let noise = (0..white.len())
            .map(|i| {
                let near = |dx: usize, dy: usize| white[((i / TILE + dy) % TILE) * TILE + (i + dx) % TILE];
                let smooth = 0.75 * white[i] + 0.4 * (near(1, 0) + near(0, 1)) + 0.3 * near(1, 1);
                (smooth * 32.0).clamp(-127.0, 127.0) as i8
            })
            .collect();
        Self { noise, seed, strength }
    }

    /// Develops `light` (linear R, G, B per pixel) into `out`. `moment` numbers the picture: it chooses the noise.
    pub(crate) fn develop(&self, light: &[Vec3], mode: Mode, exposure: f32, moment: u64, out: &mut I420Frame) {
        let (width, height) = (out.width, out.height);
        let matrix = Matrix::for_height(height);
        let curve = curve(mode);
        let tone = |v: f32| curve[((v.max(0.0) * (1.0 / BRIGHTEST)).sqrt().min(1.0) * (CURVE - 1) as f32) as usize];
        let sigma = self.sigma(mode, exposure);
        let shift = self.shift(moment);
        let [luma, cb, cr] = out.planes_mut();
        let scale = 4.0 / (width * width + height * height) as f32;
        for y in (0..height).step_by(2) {
            for x in (0..width).step_by(2) {
                let mut chroma = [0.0; 2];
                for (x, y) in [(x, y), (x + 1, y), (x, y + 1), (x + 1, y + 1)] {
                    let (dx, dy) = (x as f32 - width as f32 * 0.5, y as f32 - height as f32 * 0.5);
                    let corner = (dx * dx + dy * dy) * scale;
                    let seen = light[y * width + x] * (exposure * (1.0 - 0.28 * corner));
                    let seen = seen.lerp(Vec3::splat(seen.dot(EYE)), GREYING);
                    let [value, b, r] = match mode {
                        Mode::Day => matrix.yuv([tone(seen.x), tone(seen.y), tone(seen.z)]),
                        Mode::Night => [16.0 + 219.0 * tone(seen.x), 128.0, 128.0],
                    };
                    chroma = [chroma[0] + b, chroma[1] + r];
                    let noise = f32::from(self.noise[tile(x, y, shift)]);
                    luma[y * width + x] = (value + noise * sigma[value as usize] + 0.5).clamp(16.0, 235.0) as u8;
                }
                let i = y / 2 * (width / 2) + x / 2;
                let (mut b, mut r) = (chroma[0] * 0.25, chroma[1] * 0.25);
                if mode == Mode::Day {
                    // Cameras smooth colour more than light: less than half the noise remains.
                    let weight = sigma[luma[y * width + x] as usize] * 0.45;
                    b += f32::from(self.noise[tile(x / 2, y / 2, shift.rotate_left(7))]) * weight;
                    r += f32::from(self.noise[tile(x / 2, y / 2, shift.rotate_left(13))]) * weight;
                }
                cb[i] = (b + 0.5).clamp(16.0, 240.0) as u8;
                cr[i] = (r + 0.5).clamp(16.0, 240.0) as u8;
            }
        }
    }

    /// Where the tile of noise begins in this picture.
    fn shift(&self, moment: u64) -> usize {
        hash(moment as u32 ^ hash((moment >> 32) as u32 ^ self.seed)) as usize
    }

    /// Noise per step of the tile, by luma: shot noise through the gamma curve is strongest in the dark.
    fn sigma(&self, mode: Mode, exposure: f32) -> [f32; 256] {
        let (gain, floor) = match mode {
            Mode::Day => (1.5, 0.7),
            Mode::Night => (3.0, 1.2),
        };
        let gain = gain * self.strength * exposure.max(0.3).sqrt();
        std::array::from_fn(|y| {
            let level = ((y as f32 - 16.0) / 219.0).clamp(0.02, 1.0);
            (floor * self.strength + gain * (1.0 - level).powi(2) * level.powf(0.3)) / 32.0
        })
    }
}

/// The noise of an ordinary sensor by day, to be laid over a still picture: what a camera sees of a scene in which nothing
/// happens.
#[derive(Clone, Debug)]
pub struct Grain(Sensor);

impl Grain {
    /// The noise of one sensor.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self(Sensor::new(seed, 1.0))
    }

    /// Lays noise over a picture. `moment` numbers it: each has its own.
    pub fn lay(&self, moment: u64, frame: &mut I420Frame) {
        let sigma = self.0.sigma(Mode::Day, 1.0);
        let width = frame.width;
        let shift = self.0.shift(moment);
        for (index, value) in frame.planes_mut()[0].iter_mut().enumerate() {
            let noise = f32::from(self.0.noise[tile(index % width, index / width, shift)]);
            *value = (f32::from(*value) + noise * sigma[usize::from(*value)] + 0.5).clamp(16.0, 235.0) as u8;
        }
    }
}

fn tile(x: usize, y: usize, shift: usize) -> usize {
    let (x, y) = (x.wrapping_add(shift) % TILE, y.wrapping_add(shift >> 8) % TILE);
    y * TILE + x
}

/// Light to R'G'B' in 0..1: a shoulder that never quite clips, then display gamma, then some contrast.
fn curve(mode: Mode) -> Vec<f32> {
    let (gain, contrast) = match mode {
        Mode::Day => (1.55, 0.35),
        Mode::Night => (1.7, 0.25),
    };
    (0..CURVE)
        .map(|i| {
            let light = (i as f32 / (CURVE - 1) as f32).powi(2) * BRIGHTEST;
            let value = (1.0 - (-gain * light).exp()).powf(1.0 / 2.2);
            let steep = value * value * (3.0 - 2.0 * value);
            value + (steep - value) * contrast
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn develop(mode: Mode, light: f32, moment: u64) -> I420Frame {
        let mut frame = I420Frame::new(64, 36);
        Sensor::new(7, 1.0).develop(&[Vec3::splat(light); 64 * 36], mode, 1.0, moment, &mut frame);
        frame
    }

    #[test]
    fn more_light_is_brighter_and_each_moment_has_its_own_noise() {
        let mean = |frame: &I420Frame| frame.planes()[0].iter().map(|&v| f32::from(v)).sum::<f32>() / (64.0 * 36.0);
        let means = [0.02, 0.1, 0.3, 1.0].map(|light| mean(&develop(Mode::Day, light, 1)));
        assert!(means.is_sorted(), "{means:?}");
        assert_eq!(develop(Mode::Day, 0.2, 5), develop(Mode::Day, 0.2, 5));
        assert_ne!(develop(Mode::Day, 0.2, 5), develop(Mode::Day, 0.2, 6));
    }

    #[test]
    fn grain_moves_and_leaves_the_mean() {
        let still = I420Frame::new(64, 36);
        let mean = |frame: &I420Frame| frame.planes()[0].iter().map(|&v| f64::from(v)).sum::<f64>() / (64.0 * 36.0);
        let mut grey = still.clone();
        grey.planes_mut()[0].fill(90);
        let noisy = [1, 1, 2].map(|moment| {
            let mut frame = grey.clone();
            Grain::new(3).lay(moment, &mut frame);
            frame
        });
        assert!(noisy[0] == noisy[1] && noisy[0] != noisy[2] && noisy[0] != grey);
        assert!((mean(&noisy[0]) - 90.0).abs() < 0.5, "{}", mean(&noisy[0]));
    }

    #[test]
    fn night_is_grey_and_noisier_than_day() {
        let spread = |frame: &I420Frame| {
            let middle = &frame.planes()[0][64 * 16 + 20..64 * 16 + 44];
            middle.iter().max().zip(middle.iter().min()).map_or(0, |(a, b)| a - b)
        };
        let night = develop(Mode::Night, 0.15, 1);
        assert!(night.planes()[1].iter().all(|&v| v == 128));
        assert!(spread(&night) > spread(&develop(Mode::Day, 0.15, 1)));
    }
}
