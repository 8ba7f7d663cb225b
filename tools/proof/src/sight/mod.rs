//! Whether sight that is lost is noticed in time, and nothing else is taken for it.

mod film;

use std::{path::PathBuf, time::Duration};

use karaul::sight::{Condition, Sight, SightSettings};
use karaul_scene::{Effect, I420Frame, Light, Scene, SceneOptions, Script};

use self::film::{Film, part, planes};
use crate::{error::ProofError, report::Report};

/// So long each camera is watched before anything is done to it: the reference and the noise are learnt.
const BEFORE: u64 = 100;

/// So long what is done to it lasts.
const LASTS: u64 = 15;

/// The promise: noticed within.
const LIMIT: Duration = Duration::from_secs(10);

#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Only a part of it
    #[arg(long)]
    quick: bool,
    /// Folder of real clips
    #[arg(long, value_name = "DIR")]
    clips: Option<PathBuf>,
}

/// What happens to a camera.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Event {
    Effect(Effect),
    /// Turned to the right by this share of the picture's width.
    Turn(f32),
    Freeze,
    Nothing,
}

impl Event {
    fn name(self) -> String {
        match self {
            Self::Effect(effect) => effect.name().to_owned(),
            Self::Turn(by) => format!("turn by {:.0} %", by / SHARE * 100.0),
            Self::Freeze => "freeze".to_owned(),
            Self::Nothing => "nothing".to_owned(),
        }
    }

    fn blinds(self) -> bool {
        match self {
            Self::Effect(effect) => effect.blinds(),
            Self::Turn(_) | Self::Freeze => true,
            Self::Nothing => false,
        }
    }
}

/// Cameras see this share of the picture, so that they can be turned.
const SHARE: f32 = 0.7;

/// What became of it.
#[derive(Debug)]
struct Outcome {
    caught: Option<(Duration, Condition)>,
    recovered: Option<Duration>,
}

fn play(film: &Film, event: Event, start: u64, period_ms: u64) -> Outcome {
    let settings = SightSettings { learn: Duration::from_secs(60) };
    let mut sight = Sight::new(settings, None);
    let mut outcome = Outcome { caught: None, recovered: None };
    let (from, to) = (BEFORE * 1000 + 300, (BEFORE + LASTS) * 1000 + 300);
    let mut last = I420Frame::default();
    let mut frame = I420Frame::default();
    let mut time = 0;
    while time < to + 12_000 {
        let during = (from..to).contains(&time);
        let right = if let (Event::Turn(by), true) = (event, during) { by } else { 0.0 };
        if !(during && event == Event::Freeze) {
            film.at(Duration::from_millis(start * 1000 + time), &mut frame);
            last = part(&frame, SHARE, right);
        }
        let mut picture = last.clone();
        if let (Event::Effect(effect), true) = (event, during) {
            effect.apply(Duration::from_millis(time - from), &mut picture);
        }
        let at = Duration::from_millis(time);
        if sight.picture(at, &planes(&picture)) {
            match sight.condition() {
                Some(condition) => _ = outcome.caught.get_or_insert((at.saturating_sub(Duration::from_millis(from)), condition)),
                None => _ = outcome.recovered.get_or_insert(at.saturating_sub(Duration::from_millis(to))),
            }
        }
        time += period_ms;
    }
    outcome
}

pub(crate) fn run(options: &Options) -> Result<Report, ProofError> {
    let scene = |script, light| -> Film {
        let options = SceneOptions { width: 456, height: 256, script, light, ..SceneOptions::default() };
        Film::Rendered(Box::new(Scene::new(options).unwrap()))
    };
    let mut films = vec![
        ("yard by day".to_owned(), scene(Script::Yard, Light::Day)),
        ("yard by night".to_owned(), scene(Script::Yard, Light::Night)),
    ];
    films.push(("passage".to_owned(), scene(Script::Yard, Light::Cycle { period: Duration::from_secs(220) })));
    if !options.quick {
        for n in 1..6 {
            let light = if n % 2 == 0 { Light::Day } else { Light::Night };
            films.push((format!("place {n}"), scene(Script::Random(n), light)));
        }
    }
    if let Some(folder) = &options.clips {
        karaul::camera::init().unwrap();
        for file in std::fs::read_dir(folder).unwrap().flatten() {
            if file.path().extension().is_some() {
                films.push((file.file_name().to_string_lossy().into_owned(), Film::load(&file.path())?));
            }
        }
    }
    let events = Effect::ALL.map(Event::Effect).into_iter().chain([
        Event::Turn(0.3),
        Event::Turn(0.1),
        Event::Turn(0.03),
        Event::Freeze,
        Event::Nothing,
    ]);
    for event in events {
        for (name, film) in &films {
            if let Ok(only) = std::env::var("ONLY") && !format!("{}/{name}", event.name()).contains(&only) { continue }
            let o = play(film, event, 7, 1000);
            let bad = event.blinds() != o.caught.is_some() || o.caught.is_some_and(|(a, _)| a > LIMIT) || (event.blinds() && o.recovered.is_none());
            println!("{} {:16} {name:30} {:?} {:?}", if bad { "BAD" } else { "ok " }, event.name(), o.caught, o.recovered);
        }
    }
    todo!()
}
