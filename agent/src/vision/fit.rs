use crate::vision::{Rect, Resize};

/// Where a picture lies in a model's input, and the way back.
///
/// A letterbox scales by one factor `r` and rounds the size of the picture in the
/// input down to whole pixels; boxes go back by `r` itself, as in the reference
/// implementations of YOLOX and NanoDet.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Fit {
    /// Left edge of the picture in the input, pixels.
    pub x: usize,
    /// Top edge of the picture in the input, pixels.
    pub y: usize,
    /// Width of the picture in the input, pixels, at least 1.
    pub width: usize,
    /// Height of the picture in the input, pixels, at least 1.
    pub height: usize,
    /// Share of the picture's width that one input pixel covers.
    share_x: f32,
    /// Share of the picture's height that one input pixel covers.
    share_y: f32,
}

impl Fit {
    /// Fits a picture of `picture` (width, height) into an input of `input` (width, height).
    /// Both must be above zero.
    #[must_use]
    pub fn new(picture: (usize, usize), input: (usize, usize), resize: Resize) -> Self {
        let (from_w, from_h) = (picture.0 as f64, picture.1 as f64);
        if resize == Resize::Stretch {
            let (share_x, share_y) = (1.0 / input.0 as f32, 1.0 / input.1 as f32);
            return Self { x: 0, y: 0, width: input.0, height: input.1, share_x, share_y };
        }
        let r = (input.0 as f64 / from_w).min(input.1 as f64 / from_h);
        let width = ((from_w * r) as usize).clamp(1, input.0);
        let height = ((from_h * r) as usize).clamp(1, input.1);
        let (x, y) = match resize {
            Resize::LetterboxCentred => ((input.0 - width) / 2, (input.1 - height) / 2),
            Resize::Letterbox | Resize::Stretch => (0, 0),
        };
        Self { x, y, width, height, share_x: (1.0 / (from_w * r)) as f32, share_y: (1.0 / (from_h * r)) as f32 }
    }

    /// A box given by its edges in input pixels, in shares of the picture. Not clipped.
    #[must_use]
    pub fn to_picture(&self, left: f32, top: f32, right: f32, bottom: f32) -> Rect {
        Rect::from_edges(
            (left - self.x as f32) * self.share_x,
            (top - self.y as f32) * self.share_y,
            (right - self.x as f32) * self.share_x,
            (bottom - self.y as f32) * self.share_y,
        )
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_letterbox_lies_at_the_top_left() {
        let fit = Fit::new((640, 480), (640, 384), Resize::Letterbox);
        assert_eq!((fit.x, fit.y, fit.width, fit.height), (0, 0, 512, 384));
        let bbox = fit.to_picture(0.0, 0.0, 512.0, 384.0);
        assert!((bbox.w - 1.0).abs() < 1e-6 && (bbox.h - 1.0).abs() < 1e-6);
    }

    #[test]
    fn a_centred_letterbox_lies_in_the_middle() {
        let fit = Fit::new((640, 360), (416, 416), Resize::LetterboxCentred);
        assert_eq!((fit.x, fit.y, fit.width, fit.height), (0, 91, 416, 234));
        let bbox = fit.to_picture(208.0, 91.0, 416.0, 325.0);
        assert!((bbox.x - 0.5).abs() < 1e-6 && bbox.y.abs() < 1e-6 && (bbox.h - 1.0).abs() < 1e-6);
    }

    #[test]
    fn stretching_fills_the_input() {
        let fit = Fit::new((100, 50), (320, 320), Resize::Stretch);
        assert_eq!((fit.x, fit.y, fit.width, fit.height), (0, 0, 320, 320));
        assert_eq!(fit.to_picture(160.0, 80.0, 320.0, 320.0), Rect { x: 0.5, y: 0.25, w: 0.5, h: 0.75 });
    }

    proptest! {
        #[test]
        fn the_picture_lies_inside_the_input(
            picture in (1usize..5000, 1usize..5000),
            input in (1usize..1000, 1usize..1000),
            resize in prop_oneof![Just(Resize::Letterbox), Just(Resize::LetterboxCentred), Just(Resize::Stretch)],
        ) {
            let fit = Fit::new(picture, input, resize);
            prop_assert!(fit.width >= 1 && fit.height >= 1);
            prop_assert!(fit.x + fit.width <= input.0 && fit.y + fit.height <= input.1);
            // One side is filled, up to the pixel that rounding down may cost.
            prop_assert!(fit.width + 1 >= input.0 || fit.height + 1 >= input.1);
        }
    }
}
