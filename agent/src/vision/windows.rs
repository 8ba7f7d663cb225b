//! Pieces of a large picture for a model with a small input: somebody far away has a few pixels in the whole picture,
//! shrunk to the input, and many in a piece at its own size (as in Ozge Unel et al., *The Power of Tiling for Small Object
//! Detection*, CVPRW 2019, with the tiles put where something moves).

use super::Rect;

/// A piece of a picture, in pixels. All are even, so that it has whole chroma samples, unless it ends with the picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// Left edge.
    pub x: usize,
    /// Top edge.
    pub y: usize,
    /// Width.
    pub width: usize,
    /// Height.
    pub height: usize,
}

/// A picture that is larger than the input by no more than this gains nothing.
const WORTH: f32 = 1.5;
/// So much of a place's size is added on each side: what moves is not all of a person.
const MARGIN: f32 = 0.5;
/// And at least so many pixels.
const LEAST_MARGIN: f32 = 24.0;
/// More pieces cost more than the whole picture brings.
const MOST: usize = 2;
/// Sizes of pieces, in inputs: only a few, as each needs tables of its own.
const SCALES: [f32; 4] = [1.0, 1.5, 2.0, 3.0];

/// The pieces that hold these places, for pictures and inputs of these sizes (width, height). `None` if the whole
/// picture is the better choice.
#[must_use]
pub fn windows(picture: (usize, usize), input: (usize, usize), places: &[Rect]) -> Option<Vec<Window>> {
    let shrunk = (picture.0 as f32 / input.0 as f32).max(picture.1 as f32 / input.1 as f32);
    if shrunk <= WORTH || places.is_empty() {
        return None;
    }
    let mut groups: Vec<Rect> = Vec::new();
    for place in places {
        let place = grown(place, picture);
        let fits = |group: &Rect| scale(&joined(group, &place), input).is_some_and(|scale| scale <= SCALES[0]);
        match groups.iter().position(fits) {
            Some(index) => groups[index] = joined(&groups[index], &place),
            None if groups.len() < MOST => groups.push(place),
            None => return None,
        }
    }
    groups.iter().map(|group| around(group, picture, input)).collect()
}

/// With a margin, in pixels, inside the picture.
fn grown(place: &Rect, (width, height): (usize, usize)) -> Rect {
    let (width, height) = (width as f32, height as f32);
    let (w, h) = (place.w * width, place.h * height);
    let (more_x, more_y) = ((MARGIN * w).max(LEAST_MARGIN), (MARGIN * h).max(LEAST_MARGIN));
    let (x, y) = (place.x * width, place.y * height);
    Rect::from_edges(x - more_x, y - more_y, x + w + more_x, y + h + more_y).clip(width, height)
}

fn joined(a: &Rect, b: &Rect) -> Rect {
    Rect::from_edges(a.x.min(b.x), a.y.min(b.y), a.right().max(b.right()), a.bottom().max(b.bottom()))
}

/// The least scale at which the input covers this.
fn scale(group: &Rect, input: (usize, usize)) -> Option<f32> {
    let needed = (group.w / input.0 as f32).max(group.h / input.1 as f32);
    SCALES.into_iter().find(|scale| *scale >= needed)
}

/// The piece around it; `None` if that is not much less than all of the picture.
fn around(group: &Rect, picture: (usize, usize), input: (usize, usize)) -> Option<Window> {
    let scale = scale(group, input)?;
    let (width, x) = stretch(group.x, group.w, scale, input.0, picture.0);
    let (height, y) = stretch(group.y, group.h, scale, input.1, picture.1);
    let gains = width as f32 * WORTH <= picture.0 as f32 || height as f32 * WORTH <= picture.1 as f32;
    gains.then_some(Window { x, y, width, height })
}

/// Length and beginning along one axis.
fn stretch(from: f32, len: f32, scale: f32, input: usize, picture: usize) -> (usize, usize) {
    let wanted = (input as f32 * scale).round() as usize & !1;
    if wanted >= picture {
        return (picture, 0);
    }
    let middle = (from + len / 2.0 - wanted as f32 / 2.0).max(0.0) as usize;
    (wanted, middle.min(picture - wanted) & !1)
}

impl Window {
    /// A box in shares of the window, in shares of the picture. `None` if it ends at an edge of the window that is
    /// none of the picture: the rest of it is outside.
    #[must_use]
    pub fn to_picture(&self, bbox: &Rect, (width, height): (usize, usize)) -> Option<Rect> {
        /// In pixels of the window.
        const CLOSE: f32 = 2.0;
        let (own_w, own_h) = (self.width as f32, self.height as f32);
        let cut = (self.x > 0 && bbox.x * own_w < CLOSE)
            || (self.y > 0 && bbox.y * own_h < CLOSE)
            || (self.x + self.width < width && (1.0 - bbox.right()) * own_w < CLOSE)
            || (self.y + self.height < height && (1.0 - bbox.bottom()) * own_h < CLOSE);
        let (width, height) = (width as f32, height as f32);
        let (left, top) = (bbox.x * own_w + self.x as f32, bbox.y * own_h + self.y as f32);
        let mapped = Rect { x: left / width, y: top / height, w: bbox.w * own_w / width, h: bbox.h * own_h / height };
        (!cut).then_some(mapped)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const FULL_HD: (usize, usize) = (1920, 1080);
    const INPUT: (usize, usize) = (640, 384);

    fn place(x: f32, y: f32, w: f32, h: f32) -> Rect {
        Rect { x: x / 1920.0, y: y / 1080.0, w: w / 1920.0, h: h / 1080.0 }
    }

    #[test]
    fn somebody_far_away_is_looked_at_at_full_size() {
        let found = windows(FULL_HD, INPUT, &[place(960.0, 540.0, 20.0, 48.0)]).unwrap();
        assert_eq!(found, [Window { x: 650, y: 372, width: 640, height: 384 }]);
    }

    #[test]
    fn what_is_large_or_everywhere_needs_the_whole_picture() {
        assert_eq!(windows(FULL_HD, INPUT, &[place(200.0, 100.0, 1500.0, 900.0)]), None);
        let corners = [(0.0, 0.0), (1900.0, 0.0), (0.0, 1060.0)].map(|(x, y)| place(x, y, 20.0, 20.0));
        assert_eq!(windows(FULL_HD, INPUT, &corners), None);
        assert_eq!(windows(FULL_HD, INPUT, &corners[..2]).unwrap().len(), 2);
        assert_eq!(windows((640, 360), INPUT, &[place(0.0, 0.0, 20.0, 20.0)]), None, "no smaller than the input");
        assert_eq!(windows(FULL_HD, INPUT, &[]), None);
    }

    #[test]
    fn a_box_cut_off_by_the_window_is_none() {
        let window = Window { x: 640, y: 0, width: 640, height: 384 };
        let bbox = |x, w| Rect { x, y: 0.0, w, h: 0.5 };
        assert_eq!(window.to_picture(&bbox(0.0, 0.2), FULL_HD), None);
        let inside = window.to_picture(&bbox(0.25, 0.5), FULL_HD).unwrap();
        assert!((inside.x - 800.0 / 1920.0).abs() < 1e-6 && (inside.w - 320.0 / 1920.0).abs() < 1e-6);
        assert_eq!(inside.y, 0.0, "at the picture's own edge nothing is cut off");
    }

    proptest! {
        #[test]
        fn each_place_lies_in_a_window_and_each_window_in_the_picture(
            picture in (64_usize..4000, 64_usize..3000),
            places in prop::collection::vec((0.0_f32..1.0, 0.0_f32..1.0, 0.0_f32..0.3, 0.0_f32..0.3), 1..5),
        ) {
            let places: Vec<Rect> =
                places.into_iter().map(|(x, y, w, h)| Rect { x, y, w, h }.clip(1.0, 1.0)).collect();
            let Some(windows) = windows(picture, INPUT, &places) else { return Ok(()) };
            prop_assert!((1..=MOST).contains(&windows.len()));
            for window in &windows {
                prop_assert!(window.x + window.width <= picture.0 && window.y + window.height <= picture.1);
                prop_assert!(window.x % 2 == 0 && window.y % 2 == 0);
                prop_assert!(window.width % 2 == 0 || window.x + window.width == picture.0);
            }
            let (width, height) = (picture.0 as f32, picture.1 as f32);
            for place in &places {
                let holds = |window: &Window| {
                    let (x, y) = (window.x as f32, window.y as f32);
                    place.x * width >= x - 1.0
                        && place.y * height >= y - 1.0
                        && place.right() * width <= x + window.width as f32 + 1.0
                        && place.bottom() * height <= y + window.height as f32 + 1.0
                };
                prop_assert!(windows.iter().any(holds), "{place:?} in {windows:?}");
            }
        }
    }
}
