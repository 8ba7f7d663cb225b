//! Whether sight that is lost is noticed in time, and nothing else is taken for it.

mod film;

use std::{
    collections::BTreeSet,
    fs,
    path::PathBuf,
    time::{Duration, Instant},
};

use karaul::sight::{Condition, Sight, SightSettings};
use karaul_scene::{Effect, I420Frame, Light, Scene, SceneOptions, Script};

use self::film::{Film, part, planes};
use crate::{error::ProofError, report::Report};

/// So long each camera is watched before anything is done to it: the reference and the noise are learnt.
const BEFORE: u64 = 100;

/// So long it is watched afterwards.
const AFTER: u64 = 12;

/// For how long a view is learnt, half of what is usual.
const LEARN: Duration = Duration::from_secs(60);

/// The promise: noticed within.
const LIMIT: Duration = Duration::from_secs(10);

#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Only one yard, by day and by night
    #[arg(long)]
    quick: bool,
    /// Rendered places
    #[arg(long, default_value_t = 5)]
    places: u64,
    /// Folder of real clips; each is a camera of its own
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

    /// In seconds.
    const fn lasts(self) -> u64 {
        if self.blinds() { 30 } else { 120 }
    }

    /// Dirt is seen in the camera's own light only.
    fn concerns(self, camera: &Camera) -> bool {
        self != Self::Effect(Effect::Dirt) || camera.night
    }

    const fn blinds(self) -> bool {
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
#[derive(Debug, Default)]
struct Outcome {
    /// The first trouble that was told, and how long after the beginning.
    caught: Option<(Duration, Condition)>,
    /// What was told after it while the event lasted: one trouble is not to be told twice.
    then: Vec<Condition>,
    /// It was told before anything had happened.
    early: bool,
    /// How long after the end all was well again.
    recovered: Option<Duration>,
    /// Pictures that were shown.
    looks: u32,
}

/// Plays one film with one event. `period` is from picture to picture, in milliseconds.
fn play(film: &Film, event: Event, period: u64) -> Outcome {
    let mut sight = Sight::new(SightSettings { learn: LEARN }, None);
    let mut outcome = Outcome::default();
    let (from, to) = (BEFORE * 1000 + 300, (BEFORE + event.lasts()) * 1000 + 300);
    let (mut seen, mut frame) = (I420Frame::default(), I420Frame::default());
    for time in (0..to + AFTER * 1000).step_by(period as usize) {
        let during = (from..to).contains(&time);
        if !(during && event == Event::Freeze) {
            film.at(Duration::from_millis(time), &mut frame);
            let right = if let (Event::Turn(by), true) = (event, during) { by } else { 0.0 };
            seen = part(&frame, SHARE, right);
        }
        let mut picture = seen.clone();
        if let (Event::Effect(effect), true) = (event, during) {
            effect.apply(Duration::from_millis(time - from), &mut picture);
        }
        outcome.looks += 1;
        if sight.picture(Duration::from_millis(time), &planes(&picture)) {
            let after = |moment: u64| Duration::from_millis(time.saturating_sub(moment));
            match sight.condition() {
                Some(condition) => {
                    outcome.early |= time < from;
                    if outcome.caught.is_none() {
                        outcome.caught = Some((after(from), condition));
                    } else if during {
                        outcome.then.push(condition);
                    }
                }
                None => outcome.recovered = Some(after(to)),
            }
        }
    }
    outcome
}

pub(crate) fn run(options: &Options) -> Result<Report, ProofError> {
    let films = films(options)?;
    let mut report = Report::new(format!("sight of {} cameras, one picture a second", films.len()));
    let [mut late, mut lasting, mut restless, mut false_ones] = [const { Vec::new() }; 4];
    let mut seconds = 0;
    for event in events(options) {
        let (mut slowest, mut names, mut missed) = (Duration::ZERO, BTreeSet::new(), 0);
        let concerned: Vec<_> = films.iter().filter(|film| event.concerns(film)).collect();
        for camera in &concerned {
            let outcome = play(&camera.film, event, 1000);
            let what = format!("{} at {}", event.name(), camera.name);
            tracing::debug!("{what}: {outcome:?}");
            match outcome.caught {
                Some((_, condition)) if outcome.early || !event.blinds() => {
                    false_ones.push(format!("{what}: {}", condition.as_str()));
                }
                Some((after, condition)) => {
                    slowest = slowest.max(after);
                    names.insert(condition.as_str());
                    if after > LIMIT {
                        late.push(format!("{what} after {:.1} s", after.as_secs_f64()));
                    }
                    if let Some(then) = outcome.then.first() {
                        restless.push(format!("{what}: {}, then {}", condition.as_str(), then.as_str()));
                    }
                    if outcome.recovered.is_none() {
                        lasting.push(what);
                    }
                }
                None if event.blinds() => {
                    missed += 1;
                    late.push(format!("{what}: never"));
                }
                None => {}
            }
            seconds += if event.blinds() { BEFORE } else { u64::from(outcome.looks) };
        }
        let names = names.into_iter().collect::<Vec<_>>().join(", ");
        let figure = match (event.blinds(), concerned.len() - missed) {
            (true, caught) => {
                format!("{caught} of {}, after {:.1} s at most, as {names}", concerned.len(), slowest.as_secs_f64())
            }
            (false, _) => format!("at {} cameras", concerned.len()),
        };
        report.fact(event.name(), figure);
    }
    report.fact("hours without tampering", format!("{:.1}", seconds as f64 / 3600.0));
    report.fact("a look at 1920x1080", format!("{:.2} ms", cost()?.as_secs_f64() * 1000.0));
    report.promise("noticed within 10 s", &late);
    report.promise("told once", &restless);
    report.promise("taken back within 12 s", &lasting);
    report.promise("nothing else taken for it", &false_ones);
    Ok(report)
}

/// What one look at a large picture costs, the median of many.
fn cost() -> Result<Duration, ProofError> {
    let options = SceneOptions { width: 1920, height: 1080, light: Light::Day, ..SceneOptions::default() };
    let mut frame = I420Frame::default();
    Scene::new(options)?.render(Duration::ZERO, &mut frame);
    let mut sight = Sight::new(SightSettings { learn: LEARN }, None);
    let mut times: Vec<_> = (0..300)
        .map(|second| {
            let begin = Instant::now();
            sight.picture(Duration::from_secs(second), &planes(&frame));
            begin.elapsed()
        })
        // Only once something has been learnt is there something to compare with.
        .skip(100)
        .collect();
    times.sort_unstable();
    Ok(times[times.len() / 2])
}

struct Camera {
    name: String,
    film: Film,
    /// A picture by infra-red light.
    night: bool,
}

fn films(options: &Options) -> Result<Vec<Camera>, ProofError> {
    let scene = |name: &str, script, light| -> Result<Camera, ProofError> {
        let options = SceneOptions { width: 456, height: 256, script, light, ..SceneOptions::default() };
        let film = Film::Rendered(Box::new(Scene::new(options)?));
        Ok(Camera { name: name.to_owned(), film, night: light == Light::Night })
    };
    let mut cameras = vec![scene("yard by day", Script::Yard, Light::Day)?];
    cameras.push(scene("yard by night", Script::Yard, Light::Night)?);
    if !options.quick {
        // The light changes while the event goes on.
        let period = Duration::from_secs(2 * BEFORE + 10);
        cameras.push(scene("yard at dusk", Script::Yard, Light::Cycle { period })?);
        for number in 1..=options.places {
            let light = if number % 2 == 0 { Light::Day } else { Light::Night };
            cameras.push(scene(&format!("place {number}"), Script::Random(number), light)?);
        }
    }
    let Some(folder) = &options.clips else { return Ok(cameras) };
    karaul::camera::init()?;
    let mut files: Vec<_> = fs::read_dir(folder)?.filter_map(|entry| Some(entry.ok()?.path())).collect();
    files.sort();
    for file in files.iter().filter(|file| file.extension().is_some()) {
        let name = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        cameras.push(Camera { name, film: Film::load(file)?, night: false });
    }
    Ok(cameras)
}

fn events(options: &Options) -> Vec<Event> {
    let turns = if options.quick { &[0.1][..] } else { &[0.3, 0.1, 0.03] };
    let effects = Effect::ALL.into_iter().map(Event::Effect);
    effects.chain(turns.iter().map(|by| Event::Turn(*by))).chain([Event::Freeze, Event::Nothing]).collect()
}
