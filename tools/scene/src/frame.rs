//! Pictures as a camera gives them: planar YUV 4:2:0.

/// A tightly packed I420 picture, limited range (luma 16..=235), BT.601 below 720 lines and BT.709 from there on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct I420Frame {
    /// Luma samples in a row; even.
    pub width: usize,
    /// Rows of luma; even.
    pub height: usize,
    /// `width * height` bytes of luma, then Cb and Cr of a quarter of that each.
    pub data: Vec<u8>,
}

/// The luma weights of red and blue.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Matrix {
    pub(crate) red: f32,
    pub(crate) blue: f32,
}

impl Matrix {
    /// What players assume for a picture of `height` rows that does not say.
    pub(crate) fn for_height(height: usize) -> Self {
        if height < 720 { Self { red: 0.299, blue: 0.114 } } else { Self { red: 0.2126, blue: 0.0722 } }
    }

    /// Y', Cb, Cr of R'G'B' in 0..1: luma 16..=235, chroma 16..=240 around 128.
    pub(crate) fn yuv(self, [r, g, b]: [f32; 3]) -> [f32; 3] {
        let luma = self.red * r + (1.0 - self.red - self.blue) * g + self.blue * b;
        [
            16.0 + 219.0 * luma,
            128.0 + 112.0 * (b - luma) / (1.0 - self.blue),
            128.0 + 112.0 * (r - luma) / (1.0 - self.red),
        ]
    }

    /// The inverse of [`Matrix::yuv`].
    pub(crate) fn rgb(self, [y, cb, cr]: [f32; 3]) -> [f32; 3] {
        let luma = (y - 16.0) / 219.0;
        let b = luma + (cb - 128.0) / 112.0 * (1.0 - self.blue);
        let r = luma + (cr - 128.0) / 112.0 * (1.0 - self.red);
        [r, (luma - self.red * r - self.blue * b) / (1.0 - self.red - self.blue), b]
    }
}

impl I420Frame {
    /// A black picture. Both sides must be even.
    pub fn new(width: usize, height: usize) -> Self {
        let mut frame = Self::default();
        frame.resize(width, height);
        frame
    }

    /// Gives the picture this size; keeps the memory if it has it already.
    pub(crate) fn resize(&mut self, width: usize, height: usize) {
        if (self.width, self.height) != (width, height) {
            (self.width, self.height) = (width, height);
            self.data = vec![16; width * height];
            self.data.resize(width * height * 3 / 2, 128);
        }
    }

    /// The luma, Cb and Cr planes.
    pub fn planes(&self) -> [&[u8]; 3] {
        let (luma, chroma) = self.data.split_at(self.width * self.height);
        let (cb, cr) = chroma.split_at(chroma.len() / 2);
        [luma, cb, cr]
    }

    /// The three planes, to be written.
    pub(crate) fn planes_mut(&mut self) -> [&mut [u8]; 3] {
        let (luma, chroma) = self.data.split_at_mut(self.width * self.height);
        let half = chroma.len() / 2;
        let (cb, cr) = chroma.split_at_mut(half);
        [luma, cb, cr]
    }

    /// The picture as R, G, B bytes, row by row, for files and eyes.
    pub fn to_rgb(&self) -> Vec<u8> {
        let matrix = Matrix::for_height(self.height);
        let [luma, cb, cr] = self.planes();
        let mut rgb = Vec::with_capacity(self.width * self.height * 3);
        for (i, &y) in luma.iter().enumerate() {
            let chroma = i / self.width / 2 * (self.width / 2) + i % self.width / 2;
            let pixel = matrix.rgb([y, cb[chroma], cr[chroma]].map(f32::from));
            rgb.extend(pixel.map(|v| (v * 255.0 + 0.5) as u8));
        }
        rgb
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn rgb_survives_the_way_to_yuv_and_back(
            r in 0.0_f32..1.0, g in 0.0_f32..1.0, b in 0.0_f32..1.0, high in proptest::bool::ANY,
        ) {
            let matrix = Matrix::for_height(if high { 1080 } else { 360 });
            let yuv = matrix.yuv([r, g, b]);
            prop_assert!((15.9..235.1).contains(&yuv[0]));
            prop_assert!(yuv[1..].iter().all(|c| (15.9..240.1).contains(c)));
            for (a, b) in matrix.rgb(yuv).into_iter().zip([r, g, b]) {
                prop_assert!((a - b).abs() < 1e-4);
            }
        }
    }

    #[test]
    fn white_is_235_and_a_new_picture_is_black() {
        assert_eq!(Matrix::for_height(360).yuv([1.0; 3]).map(|v| v.round() as u8), [235, 128, 128]);
        assert!(I420Frame::new(4, 2).to_rgb().iter().all(|&v| v == 0));
        assert_eq!(I420Frame::new(64, 36).data.len(), 64 * 36 * 3 / 2);
    }
}
