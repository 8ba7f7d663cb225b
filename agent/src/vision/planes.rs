/// A borrowed view of one decoded picture, as the decoder left it in memory.
///
/// Strides are in bytes and may exceed the row length; rows are never assumed
/// to be adjacent.
#[derive(Clone, Copy, Debug)]
pub struct Planes<'a> {
    /// Visible width in pixels.
    pub width: usize,
    /// Visible height in pixels.
    pub height: usize,
    /// The samples.
    pub layout: Layout<'a>,
    /// Which luma values are black and white.
    pub range: Range,
    /// How luma and chroma make colours.
    pub matrix: Matrix,
}

/// The memory layouts that the decoders we use give out.
#[derive(Clone, Copy, Debug)]
pub enum Layout<'a> {
    /// Three planes; chroma has half the width and height, rounded up.
    I420 {
        /// Luma.
        y: &'a [u8],
        /// Blue difference.
        u: &'a [u8],
        /// Red difference.
        v: &'a [u8],
        /// Bytes from one luma row to the next.
        y_stride: usize,
        /// Bytes from one row of `u` to the next.
        u_stride: usize,
        /// Bytes from one row of `v` to the next.
        v_stride: usize,
    },
    /// Luma plane and one plane of interleaved chroma, `u` first.
    Nv12 {
        /// Luma.
        y: &'a [u8],
        /// Chroma, `u v u v …`.
        uv: &'a [u8],
        /// Bytes from one luma row to the next.
        y_stride: usize,
        /// Bytes from one chroma row to the next.
        uv_stride: usize,
    },
    /// Three bytes a pixel: red, green, blue. Pictures from files; always full range.
    Rgb {
        /// Pixels.
        rgb: &'a [u8],
        /// Bytes from one row to the next.
        stride: usize,
    },
}

/// Quantisation range of the samples (ITU-T H.273, `VideoFullRangeFlag`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Range {
    /// Luma 16..=235, chroma 16..=240: nearly all cameras.
    Limited,
    /// 0..=255: `YUVJ420`, some cameras and all JPEG.
    Full,
}

/// Matrix coefficients (ITU-T H.273, `MatrixCoefficients`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Matrix {
    /// Standard definition.
    Bt601,
    /// High definition.
    Bt709,
}
