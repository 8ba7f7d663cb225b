//! Soft discs and lines, drawn onto light.

use glam::{Vec2, Vec3};

/// A picture in the making: linear R, G, B per pixel.
#[derive(Debug)]
pub(super) struct Brush<'a> {
    pub(super) canvas: &'a mut [Vec3],
    pub(super) width: usize,
    pub(super) height: usize,
}

impl Brush<'_> {
    /// One unit is a 360th of the picture's height.
    pub(super) fn unit(&self) -> f32 {
        self.height as f32 / 360.0
    }

    /// A disc with soft edges around `at`, in shares of the picture; `radius` in units; `cover` in its middle.
    pub(super) fn disc(&mut self, at: Vec2, radius: f32, colour: Vec3, cover: f32) {
        let radius = (radius * self.unit()).max(0.7);
        let middle = at * Vec2::new(self.width as f32, self.height as f32);
        // What is smaller than a pixel hides only a part of it.
        self.each(middle, middle, radius, |p| cover * soft(p.distance(middle) / radius), colour);
    }

    /// A line with soft edges between two points in shares of the picture; `half` its half width in units.
    pub(super) fn line(&mut self, from: Vec2, to: Vec2, half: f32, colour: Vec3, cover: f32) {
        let thin = (half * self.unit() / 0.7).min(1.0);
        let half = (half * self.unit()).max(0.7);
        let size = Vec2::new(self.width as f32, self.height as f32);
        let (from, to) = (from * size, to * size);
        let along = to - from;
        let square = along.length_squared().max(1e-6);
        let distance = |p: Vec2| p.distance(from + along * ((p - from).dot(along) / square).clamp(0.0, 1.0));
        self.each(from.min(to), from.max(to), half, |p| cover * thin * soft(distance(p) / half), colour);
    }

    /// Mixes `colour` in, by the cover that `cover` says for each pixel of a rectangle with a margin.
    fn each(&mut self, low: Vec2, high: Vec2, margin: f32, cover: impl Fn(Vec2) -> f32, colour: Vec3) {
        let bound = |v: f32, most: usize| v.clamp(0.0, most as f32) as usize;
        let (x0, x1) = (bound(low.x - margin, self.width), bound(high.x + margin + 1.0, self.width));
        let (y0, y1) = (bound(low.y - margin, self.height), bound(high.y + margin + 1.0, self.height));
        for y in y0..y1 {
            for x in x0..x1 {
                let pixel = y * self.width + x;
                let share = cover(Vec2::new(x as f32 + 0.5, y as f32 + 0.5));
                if share > 0.0 {
                    self.canvas[pixel] = self.canvas[pixel].lerp(colour, share);
                }
            }
        }
    }
}

/// 1 in the middle, 0 from 1 on.
fn soft(distance: f32) -> f32 {
    let near = (1.0 - distance * distance).max(0.0);
    near * near
}
