//! What is done to a camera, and what merely happens to it: laid over pictures of the scene, or of any other camera.

use std::time::Duration;

use crate::frame::I420Frame;
use crate::texture::hash;

/// Something between the scene and its picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// A cloth is pulled over the lens within a second; some light comes through.
    Cover,
    /// Paint is sprayed on the lens for three seconds.
    Spray,
    /// The focus is turned, within two seconds.
    Blur,
    /// All light goes out.
    Darkness,
    /// A lamp is held into the lens.
    Dazzle,
    /// Dirt or a spider's web on the lens, lit by the camera's own infra-red light.
    Dirt,
    /// A lamp is switched on and off every four seconds.
    LightSwitch,
    /// Heavy rain.
    Rain,
    /// Branches that sway before the upper left part of the picture.
    Wind,
    /// Lightning: some pictures are much brighter.
    Lightning,
    /// A bus drives up, stands before the lens for five seconds, and drives on. It leaves little to be seen.
    Bus,
    /// Fog that comes within a minute, and takes half of the contrast.
    Fog,
}

impl Effect {
    /// All effects.
    pub const ALL: [Self; 12] = [
        Self::Cover,
        Self::Spray,
        Self::Blur,
        Self::Darkness,
        Self::Dazzle,
        Self::Dirt,
        Self::LightSwitch,
        Self::Rain,
        Self::Wind,
        Self::Lightning,
        Self::Bus,
        Self::Fog,
    ];

    /// Whether it leaves the camera of no use.
    #[must_use]
    pub const fn blinds(self) -> bool {
        matches!(self, Self::Cover | Self::Spray | Self::Blur | Self::Darkness | Self::Dazzle | Self::Dirt)
    }

    /// Its name, in small letters.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Cover => "cover",
            Self::Spray => "spray",
            Self::Blur => "blur",
            Self::Darkness => "darkness",
            Self::Dazzle => "dazzle",
            Self::Dirt => "dirt",
            Self::LightSwitch => "light-switch",
            Self::Rain => "rain",
            Self::Wind => "wind",
            Self::Lightning => "lightning",
            Self::Bus => "bus",
            Self::Fog => "fog",
        }
    }

    /// Lays the effect over a picture, as it is `since` its beginning. The same picture and time give the same result.
    pub fn apply(self, since: Duration, frame: &mut I420Frame) {
        let (width, height) = (frame.width, frame.height);
        let t = since.as_secs_f32();
        let moment = since.as_millis() as u32;
        let grain = move |i: usize| (hash(i as u32 ^ hash(moment)) % 5) as f32 - 2.0;
        let at = |i: usize| ((i % width) as f32 / width as f32, (i / width) as f32 / height as f32);
        if self == Self::Blur {
            let radius = (width as f32 * 0.012 * (t / 2.0).min(1.0)).round() as usize;
            return blur(frame, radius);
        }
        let luma = &mut frame.planes_mut()[0];
        let mut each = |change: &dyn Fn(usize, f32) -> f32| {
            for (i, value) in luma.iter_mut().enumerate() {
                *value = (change(i, f32::from(*value)) + 0.5).clamp(16.0, 235.0) as u8;
            }
        };
        let mix = |a: f32, b: f32, share: f32| a + (b - a) * share;
        match self {
            Self::Blur => {}
            Self::Cover => each(&|i, y| {
                let (u, v) = at(i);
                if u < t { 52.0 + 20.0 * u + 10.0 * v + grain(i) } else { y }
            }),
            Self::Spray => {
                let drops = drops(170, 0x5AFE, (t / 3.0).min(1.0));
                each(&|i, y| mix(y, 104.0, covered(&drops, at(i), width, height, 0.97)));
            }
            Self::Darkness => each(&|i, y| 16.0 + (y - 16.0) * (0.02 + (1.0 - t / 0.5).max(0.0)).min(1.0) + grain(i)),
            Self::Dazzle => each(&|i, y| {
                let (u, v) = at(i);
                let near = (1.0 - (u - 0.5).hypot(v - 0.5)).max(0.0);
                mix(y, 235.0 + 40.0 * near, (t / 0.3).min(1.0) * 0.9)
            }),
            Self::Dirt => {
                let drops = drops(60, 0xD127, (t / 3.0).min(1.0));
                each(&|i, y| mix(y, 120.0, covered(&drops, at(i), width, height, 0.85)));
            }
            Self::LightSwitch => {
                let gain = if (since.as_secs() / 4).is_multiple_of(2) { 0.45 } else { 1.0 };
                each(&|i, y| 16.0 + (y - 16.0) * gain + 0.5 * grain(i));
            }
            Self::Lightning => {
                let gain = if (since.as_millis() / 300).is_multiple_of(7) { 2.2 } else { 1.0 };
                each(&|_, y| 16.0 + (y - 16.0) * gain);
            }
            Self::Fog => {
                let share = 0.5 * (t / 60.0).min(1.0);
                each(&|_, y| mix(y, 170.0, share));
            }
            Self::Rain => each(&|i, y| {
                let (x, row) = (i % width, i / width);
                // Each picture has streaks of its own, a thirtieth of it high.
                let streak = hash((x as u32) ^ hash(moment ^ ((row + x) * 30 / height) as u32));
                if streak.is_multiple_of(37) { mix(y, 200.0, 0.35) } else { mix(y, 130.0, 0.08) }
            }),
            Self::Wind => {
                // Twigs hang from above, each with a swing of its own; gusts come and go.
                let gust = 0.5 + 0.5 * (0.7 * t).sin() * (0.23 * t).cos();
                let leaves: Vec<(f32, f32, f32)> = drops(60, 0x1EAF, 1.0)
                    .into_iter()
                    .enumerate()
                    .map(|(n, (u, v, radius))| {
                        let swing = 0.018 * (0.3 + v) * gust * (2.2 * t + n as f32).sin();
                        (0.42 * u + swing, 0.34 * v, 0.22 * radius)
                    })
                    .collect();
                each(&|i, y| {
                    let (u, v) = at(i);
                    if u > 0.48 || v > 0.42 {
                        y
                    } else {
                        mix(y, 46.0 + grain(i), covered(&leaves, (u, v), width, height, 0.95))
                    }
                });
            }
            Self::Bus => {
                // From the right until its middle is there at 1.5 s, away to the left from 6.5 s.
                let from = if t < 1.5 { 1.0 - t / 1.5 } else { 0.0 } - ((t - 6.5) / 1.5).max(0.0);
                each(&|i, y| {
                    let (u, v) = at(i);
                    let (u, v) = (u - from, v);
                    if !(0.0..0.97).contains(&u) || v < 0.1 {
                        return y;
                    }
                    let window = (0.2..0.45).contains(&v) && (u * 7.0).fract() > 0.12;
                    let stripe = (0.6..0.66).contains(&v);
                    (if window {
                        50.0
                    } else if stripe {
                        190.0
                    } else {
                        120.0
                    }) + grain(i)
                });
            }
        }
    }
}

/// Round spots with soft edges: middle and radius in shares of the picture's width; the first `share` of them.
fn drops(count: u32, seed: u32, share: f32) -> Vec<(f32, f32, f32)> {
    let part = |n: u32| (hash(n ^ seed) % 1000) as f32 / 1000.0;
    let drop = |n: u32| (part(3 * n), part(3 * n + 1), 0.05 + 0.08 * part(3 * n + 2));
    (0..(count as f32 * share) as u32).map(drop).collect()
}

/// How much of a point is hidden, at most `most`.
fn covered(drops: &[(f32, f32, f32)], (u, v): (f32, f32), width: usize, height: usize, most: f32) -> f32 {
    let ratio = height as f32 / width as f32;
    let mut open = 1.0;
    for (x, y, radius) in drops {
        let distance = ((u - x).powi(2) + ((v - y) * ratio).powi(2)).sqrt() / radius;
        open *= 1.0 - (2.0 - 2.0 * distance).clamp(0.0, 1.0);
    }
    most * (1.0 - open)
}

/// Three box filters in a row come close to a Gaussian one.
fn blur(frame: &mut I420Frame, radius: usize) {
    let (width, height) = (frame.width, frame.height);
    let luma = &mut frame.planes_mut()[0];
    for _ in 0..3 {
        let mut line = Vec::new();
        for y in 0..height {
            line.clear();
            line.extend_from_slice(&luma[y * width..(y + 1) * width]);
            average(&line, radius, |x, value| luma[y * width + x] = value);
        }
        for x in 0..width {
            line.clear();
            line.extend((0..height).map(|y| luma[y * width + x]));
            average(&line, radius, |y, value| luma[y * width + x] = value);
        }
    }
}

/// The mean of each value and `radius` more on each side.
fn average(line: &[u8], radius: usize, mut put: impl FnMut(usize, u8)) {
    let at = |i: usize| u32::from(line[i.clamp(radius, line.len() - 1 + radius) - radius]);
    let count = 2 * radius as u32 + 1;
    let mut sum: u32 = (0..2 * radius + 1).map(at).sum();
    for i in 0..line.len() {
        put(i, ((sum + count / 2) / count) as u8);
        sum = sum + at(i + 2 * radius + 1) - at(i);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ramp() -> I420Frame {
        let mut frame = I420Frame::new(64, 64);
        for (i, value) in frame.planes_mut()[0].iter_mut().enumerate() {
            *value = if i / 8 % 2 == 0 { 60 } else { 180 };
        }
        frame
    }

    #[test]
    fn each_changes_the_picture_and_the_same_moment_in_the_same_way() {
        for effect in Effect::ALL {
            let moments = [0, 600, 1200, 2400, 4800].map(Duration::from_millis);
            let changed = moments.into_iter().any(|since| {
                let (mut a, mut b) = (ramp(), ramp());
                effect.apply(since, &mut a);
                effect.apply(since, &mut b);
                assert_eq!(a, b, "{}", effect.name());
                a != ramp()
            });
            assert!(changed, "{}", effect.name());
        }
    }

    #[test]
    fn a_blurred_picture_keeps_its_mean() {
        let mut frame = ramp();
        blur(&mut frame, 3);
        let mean = |frame: &I420Frame| frame.planes()[0].iter().map(|v| f32::from(*v)).sum::<f32>() / 4096.0;
        assert!((mean(&frame) - mean(&ramp())).abs() < 1.0);
        assert!(frame.planes()[0].iter().all(|v| (61..180).contains(v)));
    }
}
