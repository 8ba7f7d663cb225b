//! Light that changes: clouds, fog, the shadows of leaves, headlights.

use glam::{Vec2, Vec3};

use super::brush::Brush;
use super::{Air, Outside};
use crate::light::Mode;
use crate::texture::{fractal, smoothstep};

/// Leaves `share(pixel)` of the direct light, as far as a pixel has any.
fn dim(outside: &Outside, canvas: &mut [Vec3], share: impl Fn(usize) -> f32) {
    for (pixel, value) in canvas.iter_mut().enumerate() {
        let direct = outside.plate.direct[pixel].element_sum();
        if direct > 1e-4 {
            let all = outside.plate.ambient[pixel].element_sum() + direct;
            *value *= 1.0 - direct / all * (1.0 - share(pixel));
        }
    }
}

pub(super) fn clouds(air: &Air, t: f32, outside: &Outside, canvas: &mut [Vec3]) {
    let swings = 0.45 * air.swing(t, 0.013, air.chance(0, 1))
        + 0.35 * air.swing(t, 0.037, air.chance(0, 2))
        + 0.2 * air.swing(t, 0.083, air.chance(0, 3));
    let sun = 0.15 + 0.85 * smoothstep(-0.45, 0.3, swings);
    dim(outside, canvas, |_| sun);
    // The exposure follows half the way.
    let gain = (0.6 + 0.4 * sun).recip().sqrt();
    canvas.iter_mut().for_each(|pixel| *pixel *= gain);
}

pub(super) fn fog(air: &Air, t: f32, outside: &Outside, canvas: &mut [Vec3]) {
    let day = outside.mode == Mode::Day;
    let colour = if day { Vec3::new(0.50, 0.52, 0.55) } else { Vec3::splat(0.17) };
    let width = outside.backdrop.width;
    let (drift, dense) = (air.swing(t, 0.01, air.chance(0, 1)), 0.5 + 0.5 * air.swing(t, 0.008, air.chance(0, 2)));
    for (pixel, value) in canvas.iter_mut().enumerate() {
        let sample = pixel / width * 4 * width + pixel % width * 2;
        let depth = outside.backdrop.nearness[sample].max(1.0 / 60.0).recip();
        let (u, v) = ((pixel % width) as f32 / width as f32, (pixel / width) as f32 / width as f32);
        // Three blobs that drift are cheaper than noise, and as soft.
        let bank = |n: f32| {
            let middle = Vec2::new(0.5 + 0.6 * (n * 2.1 + 2.0 * drift).sin(), 0.2 + 0.1 * (n * 1.3).cos());
            (-(Vec2::new(u, v) - middle).length_squared() * 9.0).exp()
        };
        let thick = (0.02 + 0.05 * dense) * (0.6 + bank(0.0) + bank(1.0) + bank(2.0));
        *value = value.lerp(colour, 1.0 - (-depth * thick).exp());
    }
}

pub(super) fn trees(air: &Air, t: f32, outside: &Outside, canvas: &mut [Vec3]) {
    let (backdrop, place) = (outside.backdrop, outside.place);
    let (width, height) = (backdrop.width, backdrop.height);
    let gust = air.gust(t);
    let sway = Vec2::new(
        gust * (0.22 * air.swing(t, 0.45, 0.0) + 0.08 * air.swing(t, 1.3, 0.3)),
        gust * (0.10 * air.swing(t, 0.6, 0.5) + 0.05 * air.swing(t, 1.7, 0.8)),
    );
    // The shadow of a crown: sun flecks on the ground.
    let crown = Vec2::new(1.4, 7.6);
    dim(outside, canvas, |pixel| {
        let sample = pixel / width * 4 * width + pixel % width * 2;
        let p = backdrop.position(place, pixel, backdrop.nearness[sample].max(1e-3));
        let inside = 1.0 - (p.truncate() - crown).length() / 3.6;
        if inside <= 0.0 {
            return 1.0;
        }
        let leaf = fractal(Vec3::new((p.x + sway.x) * 3.1, (p.y + sway.y) * 3.1, 3.0 + p.z), 3);
        1.0 - 0.85 * smoothstep(-0.12, 0.14, leaf + 0.5 * inside - 0.2) * smoothstep(0.0, 0.3, inside)
    });
    // A branch hangs in from the upper right corner.
    let light = if outside.mode == Mode::Day { Vec3::new(0.05, 0.085, 0.03) } else { Vec3::splat(0.6) };
    for y in 0..height * 2 / 3 {
        for x in width * 3 / 5..width {
            let at = Vec2::new(x as f32 / width as f32, y as f32 / width as f32);
            let from_corner = Vec2::new(1.0, -0.05) - at;
            let reach = from_corner.length() / 0.34;
            if reach >= 1.0 {
                continue;
            }
            let moved = at + 0.05 * reach * sway + 0.006 * reach * gust * air.swing(t, 1.9, 3.0 * at.x);
            let leaf = fractal(Vec3::new(moved.x * 55.0, moved.y * 42.0, 11.0), 3);
            let cover = smoothstep(-0.02, 0.1, leaf + 0.28 - 0.5 * reach);
            if cover > 0.0 {
                let tint = 0.7 + 0.6 * fractal(Vec3::new(moved.x * 90.0, moved.y * 90.0, 5.0), 2).abs();
                let pixel = y * width + x;
                canvas[pixel] = canvas[pixel].lerp(light * tint, cover);
            }
        }
    }
}

pub(super) fn headlights(air: &Air, t: f32, outside: &Outside, canvas: &mut [Vec3]) {
    /// One car in so many seconds, at most.
    const EVERY: f32 = 15.0;
    let number = (t / EVERY) as u32;
    let start = EVERY * (number as f32 + 0.5 * air.chance(number, 1));
    let lasts = 3.0 + 3.0 * air.chance(number, 2);
    let share = (t - start) / lasts;
    if !(0.0..1.0).contains(&share) {
        return;
    }
    let share = if air.chance(number, 3) < 0.5 { share } else { 1.0 - share };
    let (backdrop, place) = (outside.backdrop, outside.place);
    let width = backdrop.width;
    // The beam sweeps over the ground as the car turns; it comes and goes at both ends.
    let beam = Vec2::new(11.0, 15.0).lerp(Vec2::new(-8.0, 6.0), share);
    let strength = 5.0 * smoothstep(0.0, 0.15, share) * smoothstep(1.0, 0.85, share);
    for (pixel, value) in canvas.iter_mut().enumerate() {
        let sample = pixel / width * 4 * width + pixel % width * 2;
        let nearness = backdrop.nearness[sample];
        if nearness > 0.02 {
            let p = backdrop.position(place, pixel, nearness);
            let off = (p.truncate() - beam) / Vec2::new(2.4, 3.4);
            *value += (*value + 0.01) * strength * (-off.length_squared()).exp();
        }
    }
    // The lamps themselves, on the road.
    let size = Vec2::new(width as f32, backdrop.height as f32);
    let car = Vec3::new(14.0 - 28.0 * share, 19.5, 0.65);
    let mut brush = Brush { canvas, width, height: backdrop.height };
    for side in [-0.6, 0.6] {
        if let Some(lamp) = place.camera.project(car + Vec3::X * side, size) {
            brush.disc(lamp.at / size, 5.0, Vec3::splat(4.0), 0.9);
            brush.disc(lamp.at / size, 22.0, Vec3::splat(1.2), 0.25);
        }
    }
}
