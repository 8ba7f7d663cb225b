//! What comes close to the lens: insects and spiders.

use glam::{Vec2, Vec3};

use super::Air;
use super::brush::Brush;
use crate::light::Mode;

/// One flight in so many seconds.
const EVERY: f32 = 2.5;

pub(super) fn insects(air: &Air, t: f32, mode: Mode, brush: &mut Brush) {
    let colour = if mode == Mode::Day { Vec3::new(0.03, 0.028, 0.025) } else { Vec3::splat(1.6) };
    let flights = (air.period / EVERY) as u32;
    for number in 0..flights {
        // One in twelve walks on the lens.
        let walks = air.chance(number, 1) < 0.083;
        let lasts = if walks { 12.0 + 8.0 * air.chance(number, 2) } else { 0.4 + 2.0 * air.chance(number, 2) };
        let start = EVERY * (number as f32 + air.chance(number, 3));
        let since = (t - start).rem_euclid(air.period);
        if since > lasts {
            continue;
        }
        let radius = if walks { 16.0 } else { 1.5 + 9.0 * air.chance(number, 4).powi(2) };
        let cover = if walks { 0.75 } else { 0.9 };
        let at = |since: f32| flight(air, number, since / lasts, walks);
        // What moves fast is smeared over the exposure.
        let blur = 6;
        for part in 0..blur {
            let moment = since + part as f32 / blur as f32 * if mode == Mode::Day { 0.012 } else { 0.033 };
            brush.disc(at(moment), radius, colour, 1.0 - (1.0_f32 - cover).powf(1.0 / blur as f32 * 1.4));
        }
    }
}

/// The way of an insect through the picture, `share` from 0 to 1.
fn flight(air: &Air, number: u32, share: f32, walks: bool) -> Vec2 {
    let end = |what: u32| Vec2::new(1.3 * air.chance(number, what) - 0.15, 1.2 * air.chance(number, what + 1) - 0.1);
    let (from, to) = (end(10), end(12));
    let turns = |what: u32| {
        std::f32::consts::TAU * (share * (1.0 + 2.0 * air.chance(number, what)) + air.chance(number, what + 1))
    };
    let wild = if walks { 0.03 } else { 0.11 };
    // It comes from beyond the border and goes there.
    let from = if walks { from } else { (from - 0.5) * 1.7 + 0.5 };
    from.lerp(to, share) + wild * Vec2::new(turns(14).sin(), turns(16).cos())
}

pub(super) fn web(air: &Air, t: f32, mode: Mode, brush: &mut Brush) {
    let (colour, cover) = if mode == Mode::Day { (Vec3::splat(0.75), 0.16) } else { (Vec3::splat(1.1), 0.24) };
    let hub = Vec2::new(0.2, 0.2);
    let gust = 0.3 + air.gust(t);
    let aspect = Vec2::new(brush.height as f32 / brush.width as f32, 1.0);
    let knot = |spoke: u32, ring: f32| {
        let angle = (spoke as f32 + 0.4 * air.chance(spoke, 1)) / 9.0 * std::f32::consts::TAU;
        let sway = 0.004 * gust * ring * air.swing(t, 0.8, air.chance(spoke, 2));
        hub + (Vec2::from_angle(angle) * 0.32 * ring + sway) * aspect
    };
    for spoke in 0..9 {
        brush.line(hub, knot(spoke, 1.25), 2.4, colour, cover);
        for ring in 1..6 {
            let ring = ring as f32 / 5.0 * (0.9 + 0.1 * air.chance(ring, 3));
            brush.line(knot(spoke, ring), knot((spoke + 1) % 9, ring), 2.0, colour, 0.8 * cover);
        }
    }
    // A loose thread hangs from above.
    let loose = |down: f32| {
        let swing = 0.05 * gust * down * down * air.swing(t, 0.35, 0.1) + 0.02 * down * air.swing(t, 0.9, 0.6);
        Vec2::new(0.62 + swing, 0.75 * down)
    };
    for part in 0..8 {
        let (from, to) = (loose(part as f32 / 8.0), loose((part + 1) as f32 / 8.0));
        brush.line(from, to, 2.6, colour, cover);
    }
    // The spider sits, and from time to time walks a thread up and down.
    let walk = (air.swing(t, 0.02, 0.0) * 3.0).clamp(-1.0, 1.0);
    let at = knot(2, 0.45 + 0.4 * walk);
    let body = if mode == Mode::Day { Vec3::splat(0.03) } else { Vec3::splat(0.7) };
    brush.disc(at, 9.0, body, 0.95);
    for leg in 0..8 {
        let angle = (leg as f32 + 0.5) / 8.0 * std::f32::consts::TAU;
        let step = 0.15 * air.swing(t, 2.0, leg as f32 / 8.0);
        brush.line(at, at + Vec2::from_angle(angle + step) * 0.05 * aspect, 1.4, body, 0.8);
    }
}
