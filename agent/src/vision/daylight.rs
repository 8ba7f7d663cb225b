//! Day or night, as the picture shows it.

use std::time::Duration;

use super::{Layout, Planes, Range};
use crate::config::Light;

/// Points of a row and rows that are looked at.
const POINTS: (usize, usize) = (48, 27);

/// A camera under infra-red light gives no colour at all; one by day, also on a dull day in snow, has some noise of it. Mean distance
/// of chroma from grey, in steps of 1/255.
const COLOURLESS: f64 = 0.75;
/// Colour that is surely there.
const COLOURED: f64 = 1.5;
/// Darker than this is night, also in colour, in mean luma of 255...
const DARK: f64 = 45.0;
/// ...and brighter than this is not.
const BRIGHT: f64 = 60.0;
/// The light has changed when it has for so long: headlights and a lamp in the stairs are no day.
const SETTLE: Duration = Duration::from_secs(10);

/// Watches the light before one camera.
#[derive(Debug, Default)]
pub struct Daylight {
    light: Option<Light>,
    /// What it has seemed to be instead, and since when.
    other: Option<(Light, Duration)>,
}

impl Daylight {
    /// Takes one picture and says what light there is; `None` if no picture could be read yet.
    ///
    /// The first picture decides at once; after that only what lasts for ten seconds.
    pub fn look(&mut self, at: Duration, picture: &Planes<'_>) -> Option<Light> {
        let (luma, colour) = measure(picture)?;
        let seems = match self.light {
            Some(Light::Day) if luma < DARK || colour < COLOURLESS => Light::Night,
            Some(Light::Night) if luma > BRIGHT && colour > COLOURED => Light::Day,
            Some(light) => light,
            None if luma < DARK || colour < COLOURLESS => Light::Night,
            None => Light::Day,
        };
        if self.light.is_none_or(|light| light == seems) {
            self.light = Some(seems);
            self.other = None;
            return self.light;
        }
        let (_, since) = *self.other.get_or_insert((seems, at));
        if at.saturating_sub(since) >= SETTLE {
            self.light = Some(seems);
            self.other = None;
        }
        self.light
    }
}

/// Mean luma, 0 to 255 whatever the stream's range is, and mean distance of chroma from grey.
fn measure(picture: &Planes<'_>) -> Option<(f64, f64)> {
    picture.check().ok()?;
    let (width, height) = (picture.width, picture.height);
    let (columns, rows) = (POINTS.0.min(width), POINTS.1.min(height));
    let (mut luma, mut colour) = (0.0, 0.0);
    for row in 0..rows {
        for column in 0..columns {
            let (x, y) = ((2 * column + 1) * width / (2 * columns), (2 * row + 1) * height / (2 * rows));
            let (bright, [u, v]) = sample(picture, x, y);
            luma += bright;
            colour += (u.abs() + v.abs()) / 2.0;
        }
    }
    let count = (columns * rows) as f64;
    let (black, scale) = match (picture.range, picture.layout) {
        (Range::Full, _) | (_, Layout::Rgb { .. }) => (0.0, 1.0),
        (Range::Limited, _) => (16.0, 255.0 / 219.0),
    };
    Some(((luma / count - black) * scale, colour / count))
}

/// Luma of a pixel as it is stored, and its chroma about grey. The planes have been checked.
fn sample(picture: &Planes<'_>, x: usize, y: usize) -> (f64, [f64; 2]) {
    let about_grey = |byte: u8| f64::from(byte) - 128.0;
    match picture.layout {
        Layout::I420 { y: luma, u, v, y_stride, u_stride, v_stride } => (
            f64::from(luma[y * y_stride + x]),
            [about_grey(u[y / 2 * u_stride + x / 2]), about_grey(v[y / 2 * v_stride + x / 2])],
        ),
        Layout::Nv12 { y: luma, uv, y_stride, uv_stride } => {
            let chroma = y / 2 * uv_stride + x / 2 * 2;
            (f64::from(luma[y * y_stride + x]), [about_grey(uv[chroma]), about_grey(uv[chroma + 1])])
        }
        Layout::Rgb { rgb, stride } => {
            let at = y * stride + 3 * x;
            let [r, g, b] = [rgb[at], rgb[at + 1], rgb[at + 2]].map(f64::from);
            // ITU-T H.273, BT.601.
            let luma = 0.299 * r + 0.587 * g + 0.114 * b;
            (luma, [(b - luma) / 1.772, (r - luma) / 1.402])
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vision::Matrix;

    fn seen(daylight: &mut Daylight, seconds: f64, rgb: [u8; 3]) -> Option<Light> {
        let pixels = rgb.repeat(64 * 36);
        let layout = Layout::Rgb { rgb: &pixels, stride: 64 * 3 };
        let picture = Planes { width: 64, height: 36, layout, range: Range::Full, matrix: Matrix::Bt601 };
        daylight.look(Duration::from_secs_f64(seconds), &picture)
    }

    const LAWN: [u8; 3] = [110, 130, 90];
    const INFRARED: [u8; 3] = [120, 120, 120];
    const DUSK: [u8; 3] = [24, 20, 28];

    #[test]
    fn colour_is_day_and_its_absence_or_darkness_night() {
        assert_eq!(seen(&mut Daylight::default(), 0.0, LAWN), Some(Light::Day));
        assert_eq!(seen(&mut Daylight::default(), 0.0, INFRARED), Some(Light::Night));
        assert_eq!(seen(&mut Daylight::default(), 0.0, DUSK), Some(Light::Night));
    }

    #[test]
    fn only_what_lasts_changes_the_light() {
        let mut daylight = Daylight::default();
        seen(&mut daylight, 0.0, LAWN);
        assert_eq!(seen(&mut daylight, 5.0, INFRARED), Some(Light::Day));
        assert_eq!(seen(&mut daylight, 14.0, INFRARED), Some(Light::Day));
        assert_eq!(seen(&mut daylight, 14.5, LAWN), Some(Light::Day), "and the ten seconds begin anew");
        assert_eq!(seen(&mut daylight, 15.0, INFRARED), Some(Light::Day));
        assert_eq!(seen(&mut daylight, 25.0, INFRARED), Some(Light::Night));
        assert_eq!(seen(&mut daylight, 30.0, [30, 30, 31]), Some(Light::Night));
    }

    #[test]
    fn a_picture_that_cannot_be_read_says_nothing() {
        let layout = Layout::Rgb { rgb: &[], stride: 0 };
        let picture = Planes { width: 4, height: 4, layout, range: Range::Full, matrix: Matrix::Bt601 };
        assert_eq!(Daylight::default().look(Duration::ZERO, &picture), None);
    }

    #[test]
    fn the_layouts_agree() {
        let (y, u, v) = ([100_u8; 64], [140_u8; 16], [110_u8; 16]);
        let uv: Vec<u8> = [140, 110].repeat(16);
        let planar = Layout::I420 { y: &y, u: &u, v: &v, y_stride: 8, u_stride: 4, v_stride: 4 };
        let packed = Layout::Nv12 { y: &y, uv: &uv, y_stride: 8, uv_stride: 8 };
        let of = |layout| measure(&Planes { width: 8, height: 8, layout, range: Range::Full, matrix: Matrix::Bt601 });
        assert_eq!(of(planar), Some((100.0, 15.0)));
        assert_eq!(of(packed), of(planar));
    }
}
