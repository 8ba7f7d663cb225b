//! The scene: options in, pictures and ground truth out.

use std::sync::OnceLock;
use std::time::Duration;

use glam::Vec3;

use crate::actor::{Actor, Body};
use crate::backdrop::{Backdrop, Plate};
use crate::compose::{Stage, compose};
use crate::frame::I420Frame;
use crate::light::Mode;
use crate::object::SceneObject;
use crate::place::Place;
use crate::sensor::Sensor;
use crate::story::Story;
use crate::weather::{self, Air, Outside, Weather};
use crate::{creep, random, truth, yard};

/// What happens in the scene.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Script {
    /// The demonstration: see the crate's documentation.
    Yard,
    /// The same place with nobody in it.
    Empty,
    /// The same place, and those who come slowly: far away, and on hands and knees.
    Creep,
    /// Another place, with other people, for each number.
    Random(u64),
    /// That place, deserted: only what is built there.
    Deserted(u64),
    /// What one kind of rule is for.
    Story(Story),
}

/// The light of the scene.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Light {
    /// Sun and sky, a colour picture.
    Day,
    /// Infra-red illuminator and a lamp, a grey picture.
    Night,
    /// Day for the first half of `period`, night for the second.
    Cycle {
        /// Length of a day and a night.
        period: Duration,
    },
}

/// How a scene is to be made.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SceneOptions {
    /// Pixels in a row, even, 64 to 4096.
    pub width: usize,
    /// Rows, even, 64 to 4096.
    pub height: usize,
    /// What happens.
    pub script: Script,
    /// When it happens.
    pub light: Light,
    /// What the weather does; objects take the fog of what is behind them.
    pub weather: Option<Weather>,
    /// Strength of the sensor's noise: 0 none, 1 an ordinary camera, at most 4.
    pub noise: f32,
    /// Chooses the noise and the drops and gusts of the weather, and nothing else.
    pub seed: u64,
}

impl Default for SceneOptions {
    /// The demonstration at 640 x 360: a loop by day, then one by night.
    fn default() -> Self {
        let light = Light::Cycle { period: 2 * yard::PERIOD };
        Self { width: 640, height: 360, script: Script::Yard, light, weather: None, noise: 1.0, seed: 1 }
    }
}

/// Why there can be no such scene.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
pub enum SceneError {
    /// A side is odd, too small or too large.
    #[error("a picture of {width}x{height} cannot be rendered: both sides must be even and between 64 and 4096")]
    Size {
        /// The width asked for.
        width: usize,
        /// The height asked for.
        height: usize,
    },
    /// Not a strength.
    #[error("a noise of {0} cannot be rendered: give a number from 0 to 4")]
    Noise(f32),
    /// Day and night cannot alternate so.
    #[error("day and night cannot change every {0:?}: the period must be a whole number of seconds from 10 s to 1 h")]
    Period(Duration),
}

/// A scene that can be rendered at any moment, in any order, from any thread.
#[derive(Debug)]
pub struct Scene {
    options: SceneOptions,
    place: Place,
    actors: Vec<Actor>,
    /// One loop of the script.
    script_period: Duration,
    backdrop: Backdrop,
    plates: [OnceLock<Plate>; 2],
    sensor: Sensor,
}

impl Scene {
    /// Builds the scene and renders what does not move.
    ///
    /// # Errors
    ///
    /// When an option is out of the range that its documentation states.
    pub fn new(options: SceneOptions) -> Result<Self, SceneError> {
        let SceneOptions { width, height, .. } = options;
        if [width, height].iter().any(|side| side % 2 == 1 || !(64..=4096).contains(side)) {
            return Err(SceneError::Size { width, height });
        }
        if !(0.0..=4.0).contains(&options.noise) {
            return Err(SceneError::Noise(options.noise));
        }
        if let Light::Cycle { period } = options.light
            && (period.subsec_nanos() != 0 || !(10..=3600).contains(&period.as_secs()))
        {
            return Err(SceneError::Period(period));
        }
        let (place, actors, script_period) = match options.script {
            Script::Yard => (yard::place(), yard::actors(), yard::PERIOD),
            Script::Empty => (yard::place(), Vec::new(), yard::PERIOD),
            Script::Creep => (yard::place(), creep::actors(), yard::PERIOD),
            Script::Story(story) => story.scene(),
            Script::Random(number) => random::scene(number, height as f32 / width as f32),
            Script::Deserted(number) => {
                let (place, _, period) = random::scene(number, height as f32 / width as f32);
                (place, Vec::new(), period)
            }
        };
        let backdrop = Backdrop::new(&place, width, height);
        let sensor = Sensor::new(options.seed, options.noise);
        let plates = [OnceLock::new(), OnceLock::new()];
        Ok(Self { options, place, actors, script_period, backdrop, plates, sensor })
    }

    /// After this time everything, noise included, repeats without a seam.
    pub fn period(&self) -> Duration {
        let period = self.loop_of_light();
        if self.options.weather.is_none() {
            return period;
        }
        // A whole number of loops.
        Duration::from_secs(weather::PERIOD.as_secs().div_ceil(period.as_secs()) * period.as_secs())
    }

    fn loop_of_light(&self) -> Duration {
        match self.options.light {
            Light::Day | Light::Night => self.script_period,
            Light::Cycle { period } => {
                let (a, b) = (self.script_period.as_secs(), period.as_secs());
                let (mut x, mut y) = (a, b);
                while y != 0 {
                    (x, y) = (y, x % y);
                }
                Duration::from_secs(a / x * b)
            }
        }
    }

    /// Renders the picture at `t` into `out`, which takes the scene's size.
    pub fn render(&self, t: Duration, out: &mut I420Frame) {
        out.resize(self.options.width, self.options.height);
        let (mode, exposure) = self.light(t);
        let plate = self.plates[mode as usize].get_or_init(|| self.backdrop.plate(&self.place, mode));
        let mut canvas: Vec<Vec3> = plate.whole.clone();
        let stage = Stage { place: &self.place, backdrop: &self.backdrop, plate, mode };
        compose(&stage, &self.bodies(t), &mut canvas);
        if let Some(weather) = self.options.weather {
            let outside = Outside { place: &self.place, backdrop: &self.backdrop, plate, mode };
            Air::new(weather, self.options.seed, self.period()).blow(t, &outside, &mut canvas);
        }
        let moment = t.as_micros() % self.period().as_micros();
        self.sensor.develop(&canvas, mode, exposure, moment as u64, out);
    }

    /// What can be seen in the picture at `t`.
    pub fn objects(&self, t: Duration) -> Vec<SceneObject> {
        truth::objects(&self.place, &self.backdrop, &self.bodies(t))
    }

    /// Whether the picture at `t` is a night picture.
    pub fn is_night(&self, t: Duration) -> bool {
        self.light(t).0 == Mode::Night
    }

    fn bodies(&self, t: Duration) -> Vec<Body> {
        let period = self.script_period.as_secs_f32();
        let time = Duration::from_nanos((t.as_nanos() % self.script_period.as_nanos()) as u64).as_secs_f32();
        self.actors.iter().filter_map(|actor| actor.body(time, period)).collect()
    }

    /// Mode and exposure at `t`: around the change the light fails, the filter swings, and the exposure finds itself.
    fn light(&self, t: Duration) -> (Mode, f32) {
        let period = match self.options.light {
            Light::Day => return (Mode::Day, 1.0),
            Light::Night => return (Mode::Night, 1.0),
            Light::Cycle { period } => period.as_secs_f64(),
        };
        let time = t.as_secs_f64() % period;
        let since = |change: f64| (time - change) as f32;
        let night = period / 2.0;
        if time < night {
            // The last second of dusk is darker than the exposure can follow.
            let dusk = 1.0 - 0.6 * (1.0 + since(night)).max(0.0);
            (Mode::Day, dusk)
        } else {
            (Mode::Night, 1.0 + 0.8 * (-since(night) / 0.25).exp())
        }
    }
}
