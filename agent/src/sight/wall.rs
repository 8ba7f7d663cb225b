//! What a camera sees in tests.

use crate::vision::{Layout, Matrix, Planes, Range};

pub(crate) const WIDTH: usize = 320;
pub(crate) const HEIGHT: usize = 180;

/// A wall with boxes on it, and a sensor.
#[derive(Clone, Debug)]
pub(crate) struct Wall {
    /// Left, top, width, height and luma.
    pub(crate) boxes: Vec<[usize; 5]>,
    pub(crate) noise: u8,
    pub(crate) gain: f32,
    /// How far the camera is turned to the right, in pixels.
    pub(crate) right: usize,
    pub(crate) covered: bool,
    /// 128 is that of a camera by infra-red light.
    pub(crate) chroma: u8,
    /// Rows of the picture.
    pub(crate) rows: usize,
    moment: u64,
}

impl Wall {
    pub(crate) fn new(seed: u64) -> Self {
        let mut random = fastrand::Rng::with_seed(seed);
        let side = |random: &mut fastrand::Rng| random.usize(8..40);
        let boxes = (0..150).map(|_| {
            let (x, y) = (random.usize(0..WIDTH + 100), random.usize(0..HEIGHT));
            [x, y, side(&mut random), side(&mut random), random.usize(30..220)]
        });
        let boxes = boxes.collect();
        Self { boxes, noise: 3, gain: 1.0, right: 0, covered: false, chroma: 128, rows: HEIGHT, moment: seed }
    }

    fn luma(&mut self) -> Vec<u8> {
        let mut luma = vec![128_u8; WIDTH * HEIGHT];
        for [x, y, w, h, value] in &self.boxes {
            for row in *y..(y + h).min(HEIGHT) {
                let columns = x.saturating_sub(self.right).min(WIDTH)..(x + w).saturating_sub(self.right).min(WIDTH);
                luma[row * WIDTH..][columns].fill(*value as u8);
            }
        }
        self.moment += 1;
        let mut random = fastrand::Rng::with_seed(self.moment);
        for value in &mut luma {
            let seen = if self.covered { 70.0 } else { 16.0 + (f32::from(*value) - 16.0) * self.gain };
            let noise = if self.noise == 0 { 0 } else { random.u8(0..=self.noise) };
            *value = (seen as u8).saturating_add(noise).clamp(16, 235);
        }
        luma
    }

    /// The next picture.
    pub(crate) fn show<T>(&mut self, look: impl FnOnce(&Planes<'_>) -> T) -> T {
        let (luma, chroma) = (self.luma(), [self.chroma; WIDTH * HEIGHT / 4]);
        let (y_stride, u_stride, v_stride) = (WIDTH, WIDTH / 2, WIDTH / 2);
        let layout = Layout::I420 { y: &luma, u: &chroma, v: &chroma, y_stride, u_stride, v_stride };
        look(&Planes { width: WIDTH, height: self.rows, layout, range: Range::Limited, matrix: Matrix::Bt601 })
    }
}
