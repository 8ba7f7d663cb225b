use super::Window;

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

impl<'a> Planes<'a> {
    /// A picture of video range from its planes of Y, U and V, without gaps between rows. Width and height are even.
    #[must_use]
    pub const fn i420([y, u, v]: [&'a [u8]; 3], width: usize, height: usize) -> Self {
        let layout = Layout::I420 { y, u, v, y_stride: width, u_stride: width / 2, v_stride: width / 2 };
        Self { width, height, layout, range: Range::Limited, matrix: Matrix::Bt601 }
    }
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

/// Planes that are not what their size says.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PlanesError {
    /// No pixels at all.
    #[error("the picture is empty ({width}x{height})")]
    Empty {
        /// Width in pixels.
        width: usize,
        /// Height in pixels.
        height: usize,
    },
    /// Rows would overlap.
    #[error("plane {plane}: a row has {row} bytes, but the next one starts after {stride}")]
    Stride {
        /// Name of the plane.
        plane: &'static str,
        /// Bytes in a row.
        row: usize,
        /// Bytes from row to row.
        stride: usize,
    },
    /// The picture was cut off.
    #[error("plane {plane} is cut off: {rows} rows of {stride} bytes do not fit into {len} bytes")]
    Short {
        /// Name of the plane.
        plane: &'static str,
        /// Number of rows.
        rows: usize,
        /// Bytes from row to row.
        stride: usize,
        /// Bytes there are.
        len: usize,
    },
}

impl<'a> Planes<'a> {
    /// A piece of the picture. Where it does not lie inside, [`Self::check`] finds the planes cut off; an odd left or
    /// top edge is moved to the even one before it, where a chroma sample begins.
    #[must_use]
    pub fn window(&self, window: Window) -> Self {
        let Window { x, y: top, width, height } = window;
        let (x, top) = (x & !1, top & !1);
        fn from(plane: &[u8], stride: usize, row: usize, byte: usize) -> &[u8] {
            plane.get(row * stride + byte..).unwrap_or_default()
        }
        let layout = match self.layout {
            Layout::I420 { y, u, v, y_stride, u_stride, v_stride } => Layout::I420 {
                y: from(y, y_stride, top, x),
                u: from(u, u_stride, top / 2, x / 2),
                v: from(v, v_stride, top / 2, x / 2),
                y_stride,
                u_stride,
                v_stride,
            },
            Layout::Nv12 { y, uv, y_stride, uv_stride } => {
                Layout::Nv12 { y: from(y, y_stride, top, x), uv: from(uv, uv_stride, top / 2, x), y_stride, uv_stride }
            }
            Layout::Rgb { rgb, stride } => Layout::Rgb { rgb: from(rgb, stride, top, 3 * x), stride },
        };
        Planes { width, height, layout, ..*self }
    }

    /// Whether each plane holds the rows that the size and the strides promise.
    ///
    /// # Errors
    /// If the picture is empty, rows overlap or a plane is too short. The last row need not
    /// be padded to the stride.
    pub fn check(&self) -> Result<(), PlanesError> {
        let (width, height) = (self.width, self.height);
        if width == 0 || height == 0 {
            return Err(PlanesError::Empty { width, height });
        }
        let (half_width, half_height) = (width.div_ceil(2), height.div_ceil(2));
        match self.layout {
            Layout::I420 { y, u, v, y_stride, u_stride, v_stride } => {
                check_plane("y", y, y_stride, width, height)?;
                check_plane("u", u, u_stride, half_width, half_height)?;
                check_plane("v", v, v_stride, half_width, half_height)
            }
            Layout::Nv12 { y, uv, y_stride, uv_stride } => {
                check_plane("y", y, y_stride, width, height)?;
                check_plane("uv", uv, uv_stride, 2 * half_width, half_height)
            }
            Layout::Rgb { rgb, stride } => check_plane("rgb", rgb, stride, 3 * width, height),
        }
    }
}

fn check_plane(plane: &'static str, data: &[u8], stride: usize, row: usize, rows: usize) -> Result<(), PlanesError> {
    if stride < row {
        return Err(PlanesError::Stride { plane, row, stride });
    }
    // A stride so large that the product overflows does not fit any plane either.
    let needed = (rows - 1).checked_mul(stride).and_then(|n| n.checked_add(row));
    if needed.is_none_or(|n| n > data.len()) {
        return Err(PlanesError::Short { plane, rows, stride, len: data.len() });
    }
    Ok(())
}
