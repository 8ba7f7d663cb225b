//! What falls: rain and snow.

use glam::{Vec2, Vec3};

use super::Air;
use super::brush::Brush;
use crate::light::Mode;

/// Where falling thing `number` is: across and down in shares of the picture (down also beyond it), at `heights` of the
/// picture a second.
fn place(air: &Air, number: u32, t: f32, heights: f32) -> Vec2 {
    // It falls a fifth more than the picture, a whole number of times in the period, each time elsewhere.
    let times = (heights / 1.2 * air.period).round().max(1.0);
    let fallen = air.chance(number, 1) + t / air.period * times;
    let round = fallen.floor() % times;
    Vec2::new(1.2 * air.chance(number ^ (round as u32).wrapping_mul(0x0001_0001), 2) - 0.1, 1.2 * fallen.fract() - 0.1)
}

pub(super) fn rain(air: &Air, t: f32, mode: Mode, brush: &mut Brush) {
    let wind = 0.12 + 0.10 * air.gust(t);
    for number in 0..420 {
        // Many far away, few near.
        let near = air.chance(number, 3).powi(3);
        let heights = 1.6 + 3.2 * near;
        let at = place(air, number, t, heights);
        // The way within a 60th of a second, or by night a 30th.
        let length = heights / if mode == Mode::Day { 60.0 } else { 30.0 };
        let to = at + Vec2::new(-wind * length * brush.height as f32 / brush.width as f32, length);
        let (colour, cover) = match mode {
            Mode::Day => (Vec3::new(0.62, 0.66, 0.72), 0.16 + 0.3 * near),
            Mode::Night => (Vec3::splat(0.35 + 1.6 * near), 0.12 + 0.5 * near),
        };
        brush.line(at, to, 0.45 + 1.5 * near, colour, cover);
    }
    // Wet air takes contrast.
    let veil = if mode == Mode::Day { Vec3::new(0.34, 0.37, 0.4) } else { Vec3::splat(0.05) };
    brush.canvas.iter_mut().for_each(|pixel| *pixel = pixel.lerp(veil, 0.10));
}

pub(super) fn snow(air: &Air, t: f32, mode: Mode, brush: &mut Brush) {
    let colour = if mode == Mode::Day { Vec3::new(0.85, 0.88, 0.92) } else { Vec3::splat(0.9) };
    for number in 0..520 {
        let near = air.chance(number, 3).powi(4);
        let heights = 0.22 + 0.5 * near + 0.1 * air.chance(number, 4);
        let drift = 0.012 * air.swing(t, 0.3 + 0.4 * air.chance(number, 5), air.chance(number, 6));
        let at = place(air, number, t, heights) + Vec2::new(drift * (1.0 + 2.0 * near), 0.0);
        // The nearest are large and out of focus, by night lit by the camera.
        let cover = if mode == Mode::Day { 0.8 - 0.5 * near } else { 0.45 + 0.35 * near };
        brush.disc(at, 1.1 + 5.0 * near, colour, cover);
    }
}
