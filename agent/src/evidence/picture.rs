use image::{ImageError, RgbImage, codecs::jpeg::JpegEncoder, imageops};

use crate::vision::{Layout, Matrix, Planes, Range};

/// A decoded picture as RGB, pixel by pixel, chroma by nearest sample (ITU-T H.273).
#[must_use]
pub fn to_rgb(planes: &Planes<'_>) -> RgbImage {
    let Planes { width, height, .. } = *planes;
    let mut rgb = vec![0; width * height * 3];
    for (row, out) in rgb.chunks_exact_mut(width * 3).enumerate() {
        match planes.layout {
            Layout::I420 { y, u, v, y_stride, u_stride, v_stride } => {
                let (y, u, v) = (&y[row * y_stride..], &u[row / 2 * u_stride..], &v[row / 2 * v_stride..]);
                fill(planes, out, |x| (y[x], u[x / 2], v[x / 2]));
            }
            Layout::Nv12 { y, uv, y_stride, uv_stride } => {
                let (y, uv) = (&y[row * y_stride..], &uv[row / 2 * uv_stride..]);
                fill(planes, out, |x| (y[x], uv[x / 2 * 2], uv[x / 2 * 2 + 1]));
            }
            Layout::Rgb { rgb, stride } => out.copy_from_slice(&rgb[row * stride..][..width * 3]),
        }
    }
    let (width, height) = (u32::try_from(width).unwrap_or(0), u32::try_from(height).unwrap_or(0));
    RgbImage::from_raw(width, height, rgb).unwrap_or_default()
}

/// A JPEG of at most `limit` bytes: of lesser quality and then smaller, until it fits or nothing could be seen in it.
///
/// # Errors
/// If it cannot be encoded; a picture of no size, for example.
pub fn jpeg_within(limit: usize, picture: &RgbImage) -> Result<Vec<u8>, ImageError> {
    /// Below the last of them edges begin to ring, and a smaller picture shows more.
    const QUALITIES: [u8; 3] = [85, 70, 55];
    /// Nothing can be seen in a smaller one.
    const SMALLEST: u32 = 32;
    let mut picture = std::borrow::Cow::Borrowed(picture);
    loop {
        let mut jpeg = Vec::new();
        for quality in QUALITIES {
            jpeg.clear();
            picture.write_with_encoder(JpegEncoder::new_with_quality(&mut jpeg, quality))?;
            if jpeg.len() <= limit {
                return Ok(jpeg);
            }
        }
        let (width, height) = picture.dimensions();
        if width.min(height) <= SMALLEST {
            return Ok(jpeg);
        }
        let (width, height) = (width * 3 / 4, height * 3 / 4);
        picture = std::borrow::Cow::Owned(imageops::resize(&*picture, width, height, imageops::FilterType::Triangle));
    }
}

fn fill(planes: &Planes<'_>, out: &mut [u8], sample: impl Fn(usize) -> (u8, u8, u8)) {
    // Share of red and blue in luma: BT.601 and BT.709.
    let (kr, kb) = match planes.matrix {
        Matrix::Bt601 => (0.299, 0.114),
        Matrix::Bt709 => (0.2126, 0.0722),
    };
    let (black, luma, chroma) = match planes.range {
        Range::Limited => (16.0, 255.0 / 219.0, 255.0 / 224.0),
        Range::Full => (0.0, 1.0, 1.0),
    };
    let kg = 1.0 - kr - kb;
    let (r_v, b_u) = (2.0 * (1.0 - kr) * chroma, 2.0 * (1.0 - kb) * chroma);
    let (g_u, g_v) = (b_u * kb / kg, r_v * kr / kg);
    for (x, pixel) in out.chunks_exact_mut(3).enumerate() {
        let (y, u, v) = sample(x);
        let (y, u, v) = ((f32::from(y) - black) * luma, f32::from(u) - 128.0, f32::from(v) - 128.0);
        // A float to u8 cast saturates.
        pixel[0] = (y + r_v * v).round() as u8;
        pixel[1] = (y - g_u * u - g_v * v).round() as u8;
        pixel[2] = (y + b_u * u).round() as u8;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One colour, in 3 x 3 pixels with padded rows.
    fn solid(y: u8, u: u8, v: u8, range: Range, matrix: Matrix) -> [u8; 3] {
        let luma = [y; 16];
        let (us, vs) = ([u; 8], [v; 8]);
        let layout = Layout::I420 { y: &luma, u: &us, v: &vs, y_stride: 5, u_stride: 4, v_stride: 3 };
        let picture = to_rgb(&Planes { width: 3, height: 3, layout, range, matrix });
        let first = *picture.get_pixel(0, 0);
        assert!(picture.pixels().all(|p| *p == first));
        first.0
    }

    #[test]
    fn known_colours_come_out_right() {
        assert_eq!(solid(16, 128, 128, Range::Limited, Matrix::Bt601), [0, 0, 0]);
        assert_eq!(solid(235, 128, 128, Range::Limited, Matrix::Bt709), [255, 255, 255]);
        assert_eq!(solid(255, 128, 128, Range::Full, Matrix::Bt601), [255, 255, 255]);
        assert_eq!(solid(81, 90, 240, Range::Limited, Matrix::Bt601), [254, 0, 0]); // red
        assert_eq!(solid(63, 102, 240, Range::Limited, Matrix::Bt709), [255, 1, 0]); // red
    }

    #[test]
    fn nv12_is_the_same_picture_as_i420() {
        let y: Vec<u8> = (0..24).map(|i| i * 9).collect();
        let (u, v) = ([40, 90, 140, 190], [200, 150, 100, 50]);
        let uv = [40, 200, 90, 150, 140, 100, 190, 50];
        let planes = |layout| Planes { width: 4, height: 4, layout, range: Range::Limited, matrix: Matrix::Bt601 };
        let planar = planes(Layout::I420 { y: &y, u: &u, v: &v, y_stride: 6, u_stride: 2, v_stride: 2 });
        let interleaved = planes(Layout::Nv12 { y: &y, uv: &uv, y_stride: 6, uv_stride: 4 });
        assert_eq!(to_rgb(&planar), to_rgb(&interleaved));
    }

    #[test]
    fn a_jpeg_fits_by_quality_and_then_by_size() {
        let mut random = fastrand::Rng::with_seed(7);
        let noise = RgbImage::from_fn(400, 300, |_, _| image::Rgb([0; 3].map(|_: u8| random.u8(..))));
        let size = |limit| {
            let jpeg = jpeg_within(limit, &noise).unwrap();
            assert!(jpeg.len() <= limit, "{} of {limit}", jpeg.len());
            image::load_from_memory(&jpeg).unwrap().to_rgb8().dimensions()
        };
        let best = jpeg_within(1 << 20, &noise).unwrap().len();
        assert_eq!(size(best), (400, 300));
        assert_eq!(size(best * 9 / 10), (400, 300), "by quality alone");
        let (width, height) = size(20_000);
        assert!((90..300).contains(&width) && (width * 3).abs_diff(height * 4) <= 8, "{width}x{height}");
        assert!(jpeg_within(100, &RgbImage::new(0, 0)).is_err());
    }
}
