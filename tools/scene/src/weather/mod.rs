//! Weather, and other things that happen before a camera and are nothing to report.

mod brush;
mod fall;
mod lens;
mod shade;

use std::time::Duration;

use glam::Vec3;

use crate::backdrop::{Backdrop, Plate};
use crate::light::Mode;
use crate::place::Place;
use crate::scene::{Light, SceneOptions, Script};
use crate::texture::hash;
use brush::Brush;

/// What the weather and small animals do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Weather {
    /// Streaks; by night the near ones shine in the camera's own light.
    Rain,
    /// Flakes, near and far.
    Snow,
    /// The sun comes and goes.
    Clouds,
    /// Fog in drifting banks.
    Fog,
    /// A branch before the camera and the shadow of a crown on the ground, both swaying in gusts.
    Trees,
    /// Insects fly before the lens, and now and then one walks on it.
    Insects,
    /// Headlights sweep over the place.
    Headlights,
    /// A spider's web before the lens, its spider, and a loose thread in the wind.
    Web,
}

impl Weather {
    /// All of it.
    pub const ALL: [Self; 8] =
        [Self::Rain, Self::Snow, Self::Clouds, Self::Fog, Self::Trees, Self::Insects, Self::Headlights, Self::Web];

    /// Its name, in small letters.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Rain => "rain",
            Self::Snow => "snow",
            Self::Clouds => "clouds",
            Self::Fog => "fog",
            Self::Trees => "trees",
            Self::Insects => "insects",
            Self::Headlights => "headlights",
            Self::Web => "web",
        }
    }
}

/// The tables of a camera over [`vacant`] scenes: one rule of each kind, all over the yard, with what is usual.
///
/// One of them has something to tell: nobody mans the post.
pub const EVERY_KIND: &str = include_str!("every_kind.toml");

/// The vacant yard with each nuisance by itself, by day or night as it is worst, each with a name.
///
/// In none of them is anything to report, but that nobody is there. Another `seed` gives other drops, insects and times.
#[must_use]
pub fn vacant(width: usize, height: usize, seed: u64) -> Vec<(&'static str, SceneOptions)> {
    let (day, night) = (Light::Day, Light::Night);
    let cycle = Light::Cycle { period: Duration::from_secs(120) };
    let options =
        |light, weather| SceneOptions { width, height, script: Script::Empty, light, weather, noise: 1.0, seed };
    vec![
        ("rain by day", options(day, Some(Weather::Rain))),
        ("rain by night", options(night, Some(Weather::Rain))),
        ("snow by day", options(day, Some(Weather::Snow))),
        ("snow by night", options(night, Some(Weather::Snow))),
        ("clouds", options(day, Some(Weather::Clouds))),
        ("fog by day", options(day, Some(Weather::Fog))),
        ("fog by night", options(night, Some(Weather::Fog))),
        ("trees", options(day, Some(Weather::Trees))),
        ("insects by day", options(day, Some(Weather::Insects))),
        ("insects by night", options(night, Some(Weather::Insects))),
        ("headlights", options(night, Some(Weather::Headlights))),
        ("web by day", options(day, Some(Weather::Web))),
        ("web by night", options(night, Some(Weather::Web))),
        ("sensor noise by night", SceneOptions { noise: 3.0, ..options(night, None) }),
        ("day and night", options(cycle, None)),
    ]
}

/// With weather, everything repeats only after so long.
pub(crate) const PERIOD: Duration = Duration::from_secs(600);

/// What a weather needs to know of its scene.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Outside<'a> {
    pub(crate) place: &'a Place,
    pub(crate) backdrop: &'a Backdrop,
    pub(crate) plate: &'a Plate,
    pub(crate) mode: Mode,
}

/// Weather in the making: chance and time.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Air {
    weather: Weather,
    seed: u32,
    /// Seconds until everything repeats.
    period: f32,
}

impl Air {
    /// The weather of a scene that repeats after `period`.
    pub(crate) fn new(weather: Weather, seed: u64, period: Duration) -> Self {
        Self { weather, seed: hash(seed as u32 ^ hash((seed >> 32) as u32 ^ 0x5EED)), period: period.as_secs_f32() }
    }

    /// Lays the weather at `t` over a picture.
    pub(crate) fn blow(&self, t: Duration, outside: &Outside, canvas: &mut [Vec3]) {
        // Only within the period does an f32 tell pictures apart.
        let t = (t.as_millis() % Duration::from_secs_f32(self.period).as_millis()) as f32 / 1000.0;
        match self.weather {
            Weather::Clouds => shade::clouds(self, t, outside, canvas),
            Weather::Fog => shade::fog(self, t, outside, canvas),
            Weather::Trees => shade::trees(self, t, outside, canvas),
            Weather::Headlights => shade::headlights(self, t, outside, canvas),
            Weather::Rain | Weather::Snow | Weather::Insects | Weather::Web => {
                let (width, height) = (outside.backdrop.width, outside.backdrop.height);
                let mut brush = Brush { canvas, width, height };
                match self.weather {
                    Weather::Rain => fall::rain(self, t, outside.mode, &mut brush),
                    Weather::Snow => fall::snow(self, t, outside.mode, &mut brush),
                    Weather::Insects => lens::insects(self, t, outside.mode, &mut brush),
                    _ => lens::web(self, t, outside.mode, &mut brush),
                }
            }
        }
    }

    /// A number of 0..1 for the `what` of thing `number`.
    fn chance(&self, number: u32, what: u32) -> f32 {
        (hash(number.wrapping_mul(0x9e37_79b1) ^ hash(what ^ self.seed)) >> 8) as f32 / 16_777_216.0
    }

    /// -1..1 and back about `hertz` times a second, a whole number of times in the period.
    fn swing(&self, t: f32, hertz: f32, phase: f32) -> f32 {
        let turns = (hertz * self.period).round().max(1.0);
        ((t / self.period * turns + phase).fract() * std::f32::consts::TAU).sin()
    }

    /// Gusts: 0 calm to 1, in about eight seconds.
    fn gust(&self, t: f32) -> f32 {
        0.5 + 0.28 * self.swing(t, 0.11, self.chance(0, 90)) + 0.22 * self.swing(t, 0.27, self.chance(0, 91))
    }
}
