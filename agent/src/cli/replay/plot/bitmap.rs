use std::io;

use image::{ImageFormat, Rgb, RgbImage};

use super::{
    super::draw::{self, Place, text_width},
    Anchor, Mark, SIZE,
};

/// Letters are twice as large as they were drawn, for 10 x 14 pixels.
const SCALE: usize = 2;

/// The marks as a PNG file.
pub(super) fn png(marks: &[Mark]) -> io::Result<Vec<u8>> {
    let mut picture = RgbImage::from_pixel(u32::from(SIZE.0), u32::from(SIZE.1), Rgb([255; 3]));
    for mark in marks {
        match mark {
            Mark::Line { places, width, colour } => {
                // In the middle of pixels, so that upright and level lines are sharp.
                let places: Vec<Place> =
                    places.iter().map(|at| Place::new(at.x.round() + 0.5, at.y.round() + 0.5)).collect();
                draw::chain(&mut picture, &places, false, *width, *colour);
            }
            Mark::Dot { at, radius, colour } => {
                draw::dot(&mut picture, Place::new(at.x + 0.5, at.y + 0.5), *radius, *colour)
            }
            Mark::Box { from, to, colour } => draw::fill(&mut picture, *from, *to, *colour, 1.0),
            Mark::Text { at, words, anchor, colour } => {
                let wide = text_width(words, SCALE);
                let left = match anchor {
                    Anchor::Start => at.x,
                    Anchor::Middle => at.x - wide / 2.0,
                    Anchor::End => at.x - wide,
                };
                let top = at.y - (draw::HEIGHT * SCALE) as f32 / 2.0;
                // Words at the right edge may be wider here than in the SVG.
                let left = left.min(f32::from(SIZE.0) - wide - 2.0).max(0.0);
                draw::text(&mut picture, Place::new(left.round(), top.round()), words, SCALE, *colour);
            }
        }
    }
    let mut bytes = io::Cursor::new(Vec::new());
    picture.write_to(&mut bytes, ImageFormat::Png).map_err(io::Error::other)?;
    Ok(bytes.into_inner())
}
