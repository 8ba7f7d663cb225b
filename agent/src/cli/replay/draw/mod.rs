//! Lines, boxes and letters, on pictures and in plots. No library for so little.

mod font;
mod picture;
mod stroke;

pub(super) use self::{
    font::{HEIGHT, text, text_width},
    picture::Picture,
    stroke::{Place, box_around, chain, dot, fill, line},
};

/// Red, green, blue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Colour(pub(super) [u8; 3]);

impl Colour {
    pub(super) const BLACK: Self = Self([0, 0, 0]);
    pub(super) const WHITE: Self = Self([255, 255, 255]);
    pub(super) const RED: Self = Self([224, 32, 40]);
    pub(super) const GREEN: Self = Self([24, 160, 88]);
    pub(super) const AMBER: Self = Self([226, 136, 0]);
    pub(super) const BLUE: Self = Self([40, 140, 255]);
    pub(super) const GREY: Self = Self([136, 136, 136]);
    pub(super) const PALE: Self = Self([224, 224, 224]);
}

/// What can be drawn on.
pub(super) trait Surface {
    /// Width and height in pixels.
    fn size(&self) -> (usize, usize);

    /// Mixes a colour into a pixel that is inside; `share` is 0 to 1.
    fn blend(&mut self, x: usize, y: usize, colour: Colour, share: f32);
}

impl Surface for image::RgbImage {
    fn size(&self) -> (usize, usize) {
        (self.width() as usize, self.height() as usize)
    }

    fn blend(&mut self, x: usize, y: usize, colour: Colour, share: f32) {
        let (Ok(x), Ok(y)) = (u32::try_from(x), u32::try_from(y)) else { return };
        let Some(pixel) = self.get_pixel_mut_checked(x, y) else { return };
        for (value, wanted) in pixel.0.iter_mut().zip(colour.0) {
            *value = mix(*value, f32::from(wanted), share);
        }
    }
}

fn mix(value: u8, wanted: f32, share: f32) -> u8 {
    // A float to u8 cast saturates.
    (f32::from(value) + (wanted - f32::from(value)) * share).round() as u8
}
