use super::{Colour, Surface};

/// A place in pixels; whole numbers are the corners of pixels.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::cli::replay) struct Place {
    pub(in crate::cli::replay) x: f32,
    pub(in crate::cli::replay) y: f32,
}

impl Place {
    pub(in crate::cli::replay) const fn new(x: f32, y: f32) -> Self {
        Self { x, y }
    }
}

/// A straight line with soft edges and round ends.
pub(in crate::cli::replay) fn line(surface: &mut impl Surface, from: Place, to: Place, width: f32, colour: Colour) {
    let (dx, dy) = (to.x - from.x, to.y - from.y);
    let squared = dx * dx + dy * dy;
    if !squared.is_finite() {
        return;
    }
    let reach = width / 2.0 + 1.0;
    let (columns, rows) = surface.size();
    let (left, right) = span(from.x.min(to.x) - reach, from.x.max(to.x) + reach, columns);
    for x in left..right {
        // Where the line is in this column, and not the whole box around it: most lines are long and thin.
        let (near, far) = (x as f32 - reach, x as f32 + 1.0 + reach);
        let (top, bottom) = if dx == 0.0 {
            (from.y.min(to.y), from.y.max(to.y))
        } else {
            let at = |x: f32| from.y + dy * ((x - from.x) / dx).clamp(0.0, 1.0);
            (at(near).min(at(far)), at(near).max(at(far)))
        };
        let (top, bottom) = span(top - reach, bottom + reach, rows);
        for y in top..bottom {
            let (px, py) = (x as f32 + 0.5 - from.x, y as f32 + 0.5 - from.y);
            let along = if squared > 0.0 { ((px * dx + py * dy) / squared).clamp(0.0, 1.0) } else { 0.0 };
            let distance = (px - along * dx).hypot(py - along * dy);
            let share = (width / 2.0 + 0.5 - distance).clamp(0.0, 1.0);
            if share > 0.0 {
                surface.blend(x, y, colour, share);
            }
        }
    }
}

/// Lines from each place to the next, and back to the first if it is closed.
pub(in crate::cli::replay) fn chain(
    surface: &mut impl Surface,
    places: &[Place],
    closed: bool,
    width: f32,
    colour: Colour,
) {
    for pair in places.windows(2) {
        line(surface, pair[0], pair[1], width, colour);
    }
    if let ([first, .., last], true) = (places, closed) {
        line(surface, *last, *first, width, colour);
    }
}

/// The outline of a box with upright sides.
pub(in crate::cli::replay) fn box_around(
    surface: &mut impl Surface,
    from: Place,
    to: Place,
    width: f32,
    colour: Colour,
) {
    let corners = [from, Place::new(to.x, from.y), to, Place::new(from.x, to.y)];
    chain(surface, &corners, true, width, colour);
}

/// A filled box with upright sides, of whole pixels.
pub(in crate::cli::replay) fn fill(surface: &mut impl Surface, from: Place, to: Place, colour: Colour, share: f32) {
    let (columns, rows) = surface.size();
    let (left, right) = span(from.x.round(), to.x.round(), columns);
    let (top, bottom) = span(from.y.round(), to.y.round(), rows);
    for y in top..bottom {
        for x in left..right {
            surface.blend(x, y, colour, share);
        }
    }
}

/// A filled circle.
pub(in crate::cli::replay) fn dot(surface: &mut impl Surface, at: Place, radius: f32, colour: Colour) {
    line(surface, at, at, 2.0 * radius, colour);
}

/// The pixels between two places, those that there are.
fn span(from: f32, to: f32, pixels: usize) -> (usize, usize) {
    // A float to integer cast saturates, and makes zero of what is no number.
    ((from.floor() as usize).min(pixels), (to.ceil() as usize).min(pixels))
}

#[cfg(test)]
mod tests {
    use image::{Rgb, RgbImage};

    use super::*;

    fn rows(picture: &RgbImage) -> Vec<String> {
        picture
            .rows()
            .map(|row| {
                let shade = |pixel: &Rgb<u8>| match pixel.0[0] {
                    0..64 => '.',
                    64..192 => 'o',
                    _ => '#',
                };
                row.map(shade).collect()
            })
            .collect()
    }

    #[test]
    fn lines_boxes_and_dots_are_where_they_should_be() {
        let mut picture = RgbImage::new(12, 6);
        line(&mut picture, Place::new(1.5, 1.5), Place::new(4.5, 1.5), 1.0, Colour::WHITE);
        box_around(&mut picture, Place::new(6.5, 0.5), Place::new(10.5, 4.5), 1.0, Colour::WHITE);
        dot(&mut picture, Place::new(3.0, 4.0), 1.0, Colour::WHITE);
        assert_eq!(
            rows(&picture),
            ["......#####.", ".####.#...#.", "......#...#.", "..##..#...#.", "..##..#####.", "............"]
        );
        let mut picture = RgbImage::new(4, 3);
        fill(&mut picture, Place::new(1.0, 1.0), Place::new(9.0, 2.0), Colour::WHITE, 0.5);
        assert_eq!(rows(&picture), ["....", ".ooo", "...."]);
    }

    #[test]
    fn what_is_outside_is_left_out() {
        let mut picture = RgbImage::new(6, 4);
        for (from, to) in [((-50.0, 2.0), (50.0, 2.0)), ((f32::NAN, 0.0), (1.0, 1.0)), ((-9.0, -9.0), (-5.0, -7.0))] {
            line(&mut picture, Place::new(from.0, from.1), Place::new(to.0, to.1), 1.9, Colour::WHITE);
        }
        line(&mut picture, Place::new(0.0, 0.0), Place::new(f32::INFINITY, 9.0), 1.0, Colour::WHITE);
        fill(&mut picture, Place::new(-9.0, -9.0), Place::new(-1.0, 90.0), Colour::WHITE, 1.0);
        assert_eq!(rows(&picture), ["......", "######", "######", "......"]);
    }
}
