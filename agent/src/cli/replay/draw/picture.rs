use super::{Colour, Surface, mix};
use crate::vision::{Layout, Matrix, Planes, Range};

/// A copy of a decoded picture in I420 that can be drawn on.
#[derive(Clone, Debug)]
pub(in crate::cli::replay) struct Picture {
    width: usize,
    height: usize,
    y: Vec<u8>,
    u: Vec<u8>,
    v: Vec<u8>,
    range: Range,
    matrix: Matrix,
}

impl Picture {
    /// A copy; `None` of a picture that no decoder gives.
    pub(in crate::cli::replay) fn of(planes: &Planes<'_>) -> Option<Self> {
        planes.check().ok()?;
        let Planes { width, height, range, matrix, .. } = *planes;
        let half = (width.div_ceil(2), height.div_ceil(2));
        let (y, u, v) = match planes.layout {
            Layout::I420 { y, u, v, y_stride, u_stride, v_stride } => {
                (packed(y, y_stride, (width, height)), packed(u, u_stride, half), packed(v, v_stride, half))
            }
            Layout::Nv12 { y, uv, y_stride, uv_stride } => {
                let both = packed(uv, uv_stride, (2 * half.0, half.1));
                let every = |first: usize| both.iter().skip(first).step_by(2).copied().collect();
                (packed(y, y_stride, (width, height)), every(0), every(1))
            }
            Layout::Rgb { .. } => return None,
        };
        Some(Self { width, height, y, u, v, range, matrix })
    }

    /// As a decoder would give it.
    pub(in crate::cli::replay) fn planes(&self) -> Planes<'_> {
        let half = self.width.div_ceil(2);
        let layout =
            Layout::I420 { y: &self.y, u: &self.u, v: &self.v, y_stride: self.width, u_stride: half, v_stride: half };
        Planes { width: self.width, height: self.height, layout, range: self.range, matrix: self.matrix }
    }

    /// Luma and chroma of a colour (ITU-T H.273).
    fn samples(&self, Colour(rgb): Colour) -> [f32; 3] {
        let [r, g, b] = rgb.map(|value| f32::from(value) / 255.0);
        let (kr, kb) = match self.matrix {
            Matrix::Bt601 => (0.299, 0.114),
            Matrix::Bt709 => (0.2126, 0.0722),
        };
        let luma = kr * r + (1.0 - kr - kb) * g + kb * b;
        let (blue, red) = ((b - luma) / (2.0 * (1.0 - kb)), (r - luma) / (2.0 * (1.0 - kr)));
        match self.range {
            Range::Limited => [16.0 + 219.0 * luma, 128.0 + 224.0 * blue, 128.0 + 224.0 * red],
            Range::Full => [255.0 * luma, 128.0 + 255.0 * blue, 128.0 + 255.0 * red],
        }
    }
}

impl Surface for Picture {
    fn size(&self) -> (usize, usize) {
        (self.width, self.height)
    }

    fn blend(&mut self, x: usize, y: usize, colour: Colour, share: f32) {
        let [luma, blue, red] = self.samples(colour);
        if let Some(value) = self.y.get_mut(y * self.width + x) {
            *value = mix(*value, luma, share);
        }
        // Four pixels share a sample of chroma. Half for each gives a thin line its colour and does not spill it.
        let at = y / 2 * self.width.div_ceil(2) + x / 2;
        for (plane, wanted) in [(&mut self.u, blue), (&mut self.v, red)] {
            if let Some(value) = plane.get_mut(at) {
                *value = mix(*value, wanted, share / 2.0);
            }
        }
    }
}

/// The rows without what lies between them.
fn packed(plane: &[u8], stride: usize, (width, height): (usize, usize)) -> Vec<u8> {
    plane.chunks(stride).take(height).flat_map(|row| &row[..width]).copied().collect()
}

#[cfg(test)]
mod tests {
    use super::{
        super::{Place, fill},
        *,
    };
    use crate::evidence::to_rgb;

    #[test]
    fn colours_come_out_as_they_were_put_in() {
        for (range, matrix) in [(Range::Limited, Matrix::Bt601), (Range::Full, Matrix::Bt709)] {
            let (y, u, v) = (vec![90; 5 * 7], vec![128; 4 * 3], vec![128; 3 * 3]);
            let layout = Layout::I420 { y: &y, u: &u, v: &v, y_stride: 7, u_stride: 4, v_stride: 3 };
            let mut picture = Picture::of(&Planes { width: 5, height: 5, layout, range, matrix }).unwrap();
            let before = to_rgb(&picture.planes());
            for colour in [Colour::RED, Colour::BLUE, Colour::WHITE] {
                fill(&mut picture, Place::new(0.0, 0.0), Place::new(4.0, 4.0), colour, 1.0);
                let after = to_rgb(&picture.planes());
                let near = |found: u8, wanted: u8| found.abs_diff(wanted) <= 20;
                let pixel = after.get_pixel(1, 2).0;
                assert!(pixel.iter().zip(colour.0).all(|(f, w)| near(*f, w)), "{pixel:?} {colour:?}");
                assert_eq!(after.get_pixel(4, 4), before.get_pixel(4, 4));
            }
        }
    }

    #[test]
    fn the_copy_is_the_picture_in_whatever_layout() {
        let y: Vec<u8> = (0..24).map(|i| i * 9).collect();
        let uv = [40, 200, 90, 150, 0, 140, 100, 190, 50, 0];
        let layout = Layout::Nv12 { y: &y, uv: &uv, y_stride: 6, uv_stride: 5 };
        let nv12 = Planes { width: 4, height: 4, layout, range: Range::Limited, matrix: Matrix::Bt601 };
        assert_eq!(to_rgb(&Picture::of(&nv12).unwrap().planes()), to_rgb(&nv12));
        assert!(Picture::of(&Planes { width: 40, ..nv12 }).is_none(), "cut off");
    }
}
