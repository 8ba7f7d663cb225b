//! What each value of a sweep costs: every clip is decoded and looked at once, and judged by as many sets of rules as there
//! are values.

use super::{
    Args, Error,
    clips::Clip,
    compare::{Tally, compare},
    journal::Alerts,
    plot::{Plot, Point},
    stage::Stage,
    sweep::{Sweep, Value},
    table::{Row, by_value},
};
use crate::config::{Camera, Config, Draft, Outcome, Problems, Secrets};

/// Why a sweep is not possible.
#[derive(Debug, thiserror::Error)]
pub enum TradeoffError {
    /// There is nothing to measure by.
    #[error(
        "--sweep: it is not known what is expected of {clip}; name a folder with an expected.json, or a file with --expect"
    )]
    NothingExpected {
        /// One of the recordings.
        clip: String,
    },
    /// No camera has the rule.
    #[error("--sweep: no camera that is replayed has a rule '{rule}'; there are: {known}")]
    NoRule {
        /// What was asked for.
        rule: String,
        /// The rules there are.
        known: String,
    },
    /// The key cannot have this value.
    #[error("--sweep: {target} = {value} cannot be:\n{problems}")]
    Value {
        /// Rule and key.
        target: String,
        /// The value.
        value: String,
        /// All that is wrong with it.
        problems: Box<Problems>,
    },
}

/// Replays all clips with all values, and prints what came of them.
pub(super) fn run(args: &Args, sweep: &Sweep, stage: &mut Stage, clips: &[Clip]) -> Result<(), Error> {
    if let Some(clip) = clips.iter().find(|clip| clip.expected.is_none()) {
        return Err(TradeoffError::NothingExpected { clip: clip.name.clone() }.into());
    }
    let cameras = Cameras::of(args, sweep, stage, clips)?;
    let mut tallies = vec![Tally::default(); sweep.values.len()];
    for clip in clips {
        let variants: Vec<Camera> =
            cameras.configs.iter().map(|config| stage.prepared(clip, &config.cameras[clip.camera])).collect();
        let seen = stage.pass(clip, &variants, Alerts::Off, None)?;
        if let Some(damage) = seen.damage {
            return Err(damage.into());
        }
        let camera = variants.first().map_or("", |camera| camera.id.as_str());
        for (tally, found) in tallies.iter_mut().zip(&seen.found) {
            tally.count(camera, &compare(clip.expected.as_deref().unwrap_or_default(), found));
        }
    }
    let near = |value: &Value, present: f64| (value.number - present).abs() < 1e-9;
    let rows: Vec<Row> = sweep
        .values
        .iter()
        .zip(&tallies)
        .map(|(value, tally)| Row {
            value: value.shown.clone(),
            present: cameras.present.is_some_and(|present| near(value, present)),
            own: tally.sum(|rule| rule == sweep.rule),
            others: tally.sum(|rule| rule != sweep.rule),
        })
        .collect();
    print!("{}", by_value(&sweep.target(), &rows));
    if let Some(target) = &args.plot {
        let point =
            |(value, row): (&Value, &Row)| Point { value: value.number, shown: value.shown.clone(), counts: row.own };
        let points = sweep.values.iter().zip(&rows).map(point).collect();
        Plot { title: sweep.target(), points, present: cameras.present }.write(target)?;
    }
    Ok(())
}

/// The site as it would be with each of the values.
struct Cameras {
    configs: Vec<Config>,
    /// The value that is written now, if all cameras have the same.
    present: Option<f64>,
}

impl Cameras {
    fn of(args: &Args, sweep: &Sweep, stage: &Stage, clips: &[Clip]) -> Result<Self, Error> {
        let mut used: Vec<&Camera> = Vec::new();
        for clip in clips {
            let camera = stage.camera(clip);
            if used.iter().all(|known| known.id != camera.id) {
                used.push(camera);
            }
        }
        let has = |camera: &&&Camera| camera.rules.iter().any(|rule| rule.id.as_str() == sweep.rule);
        let affected: Vec<&str> = used.iter().filter(has).map(|camera| camera.id.as_str()).collect();
        if affected.is_empty() {
            let rules = used.iter().flat_map(|c| c.rules.iter().map(move |rule| format!("{}/{}", c.id, rule.id)));
            let known: Vec<String> = rules.collect();
            let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
            return Err(TradeoffError::NoRule { rule: sweep.rule.clone(), known }.into());
        }
        let draft = Draft::of(&args.config).map_err(|problems| Error::Config(Box::new(problems)))?;
        let written: Vec<Option<f64>> =
            affected.iter().map(|camera| sweep.number_of(draft.written(camera, &sweep.rule, &sweep.key)?)).collect();
        let same = written.windows(2).all(|pair| pair[0] == pair[1]);
        let present = written.first().copied().flatten().filter(|_| same);
        let configs =
            sweep.values.iter().map(|value| with(&draft, sweep, value, &affected)).collect::<Result<_, _>>()?;
        Ok(Self { configs, present })
    }
}

/// The config with this value for the rule of these cameras.
fn with(draft: &Draft, sweep: &Sweep, value: &Value, cameras: &[&str]) -> Result<Config, TradeoffError> {
    let mut draft = draft.clone();
    for camera in cameras {
        // That the rule is there is known.
        if let Some(changed) = draft.with(camera, &sweep.rule, &sweep.key, &value.toml) {
            draft = changed;
        }
    }
    let Outcome { config, problems } = draft.read(Secrets::Ignored);
    let wrong =
        || TradeoffError::Value { target: sweep.target(), value: value.toml.clone(), problems: Box::new(problems) };
    config.ok_or_else(wrong)
}
