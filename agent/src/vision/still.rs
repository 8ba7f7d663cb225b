use super::{Layout, Matrix, Planes, Range};

/// A picture of its own, copied out of the decoder's memory.
#[derive(Clone, Debug)]
pub struct Still {
    width: usize,
    height: usize,
    samples: Samples,
    range: Range,
    matrix: Matrix,
}

/// As [`Layout`].
#[derive(Clone, Debug)]
enum Samples {
    I420 { planes: [Vec<u8>; 3], strides: [usize; 3] },
    Nv12 { planes: [Vec<u8>; 2], strides: [usize; 2] },
    Rgb { rgb: Vec<u8>, stride: usize },
}

impl Still {
    /// Copies a picture: a memory copy, and so fast enough for a camera's thread.
    #[must_use]
    pub fn of(picture: &Planes<'_>) -> Self {
        let samples = match picture.layout {
            Layout::I420 { y, u, v, y_stride, u_stride, v_stride } => {
                Samples::I420 { planes: [y, u, v].map(<[u8]>::to_vec), strides: [y_stride, u_stride, v_stride] }
            }
            Layout::Nv12 { y, uv, y_stride, uv_stride } => {
                Samples::Nv12 { planes: [y, uv].map(<[u8]>::to_vec), strides: [y_stride, uv_stride] }
            }
            Layout::Rgb { rgb, stride } => Samples::Rgb { rgb: rgb.to_vec(), stride },
        };
        let Planes { width, height, range, matrix, .. } = *picture;
        Self { width, height, samples, range, matrix }
    }

    /// The picture.
    #[must_use]
    pub fn planes(&self) -> Planes<'_> {
        let layout = match &self.samples {
            Samples::I420 { planes: [y, u, v], strides: [y_stride, u_stride, v_stride] } => {
                Layout::I420 { y, u, v, y_stride: *y_stride, u_stride: *u_stride, v_stride: *v_stride }
            }
            Samples::Nv12 { planes: [y, uv], strides: [y_stride, uv_stride] } => {
                Layout::Nv12 { y, uv, y_stride: *y_stride, uv_stride: *uv_stride }
            }
            Samples::Rgb { rgb, stride } => Layout::Rgb { rgb, stride: *stride },
        };
        Planes { width: self.width, height: self.height, layout, range: self.range, matrix: self.matrix }
    }
}
