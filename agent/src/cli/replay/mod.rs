//! `karaul replay`: the same code on recordings.
//!
//! ```text
//! clips (which, of which camera, what is expected) → stage (models) → pass (one recording, one watch or several)
//!                                                                       → journal → compare → table, plot
//! ```

mod clips;
mod compare;
mod draw;
mod expected;
mod ids;
mod journal;
mod memory;
mod overlay;
mod pass;
mod plot;
mod render;
mod shapes;
mod stage;
mod sweep;
mod table;
mod tradeoff;

use std::{
    io::{self, Write as _},
    path::{Path, PathBuf},
    process::ExitCode,
};

use jiff::Timestamp;

use self::{
    clips::{Clip, ClipsError, Wish, plan},
    compare::{Tally, compare},
    journal::Alerts,
    pass::Seen,
    plot::PlotError,
    render::Render,
    stage::Stage,
    sweep::Sweep,
    table::by_rule,
    tradeoff::TradeoffError,
};
use super::check::BAD_CONFIG;
use crate::{
    camera::{self, CameraError, FilmError, RecordingError},
    config::{Config, Problems, Secrets},
    vision::VisionError,
};

/// Runs cameras' rules on recordings, as fast as it can, and compares what they find with what is expected. The same
/// input gives the same output, byte for byte.
///
/// One VIDEO: its alerts go to standard output, as JSON lines, and with --expect the comparison to standard error. Several,
/// or a FOLDER with an expected.json: the comparison goes to standard output, with a table of hits, misses and false
/// alarms.
///
/// Exit code 0 if all is as expected or nothing was to be compared, 1 if not or if it failed, 64 if the arguments or the
/// config are wrong.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The description of the site
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    /// Id of the camera whose model and rules are used, where expected.json does not say it; not needed if there is one
    #[arg(long, value_name = "ID")]
    camera: Option<String>,
    /// When a recording begins, for example 2026-11-22T22:00:00+05:00, where expected.json does not say it. If nobody
    /// does, schedules are not applied and times count from 1970-01-01T00:00:00Z
    #[arg(long, value_name = "TIME")]
    start: Option<Timestamp>,
    /// Compare with the incidents in this JSON file, also for folders; exit code 1 if they differ
    #[arg(long, value_name = "FILE")]
    expect: Option<PathBuf>,
    /// Print the alerts of several recordings too, each with the name of its recording; the comparison goes to standard
    /// error then
    #[arg(long)]
    alerts: bool,
    /// Try values for one key of a rule, for example fence.dwell=1s..10s, fence.min_score=0.3..0.7/5 (five values) or
    /// fence.dwell=1s..3s:500ms (in such steps), and print a table of what each costs; exit code 0 whatever that is
    #[arg(long, value_name = "RULE.KEY=FROM..TO", conflicts_with_all = ["alerts", "render"])]
    sweep: Option<Sweep>,
    /// Draw the table of --sweep into this .svg or .png file
    #[arg(long, value_name = "FILE", requires = "sweep")]
    plot: Option<plot::Target>,
    /// Write the recording into this .mp4 file with boxes, track numbers, zones, lines and incidents drawn in
    #[arg(long, value_name = "FILE")]
    render: Option<PathBuf>,
    /// The recordings; of a folder all clips in it
    #[arg(value_name = "VIDEO|FOLDER", required = true)]
    recordings: Vec<PathBuf>,
}

/// Why a recording could not be replayed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// What is to be replayed.
    #[error(transparent)]
    Clips(#[from] ClipsError),
    /// The config file was changed meanwhile.
    #[error("{0}")]
    Config(Box<Problems>),
    /// GStreamer.
    #[error(transparent)]
    Camera(#[from] CameraError),
    /// The file.
    #[error(transparent)]
    Recording(#[from] RecordingError),
    /// The model.
    #[error(transparent)]
    Vision(#[from] VisionError),
    /// A sweep.
    #[error(transparent)]
    Tradeoff(#[from] TradeoffError),
    /// Its plot.
    #[error(transparent)]
    Plot(#[from] PlotError),
    /// A film is of one recording.
    #[error("--render: a film is of one recording, and there are {0}; name one")]
    FilmOfSeveral(usize),
    /// The film would take the recording's place.
    #[error("--render: {0} is the recording itself; name another file")]
    FilmOfItself(PathBuf),
    /// The film.
    #[error(transparent)]
    Film(#[from] FilmError),
    /// Standard output.
    #[error("cannot write the alerts: {0}")]
    Output(#[from] io::Error),
}

/// Replays the recordings.
///
/// # Errors
/// If config, model or recording cannot be used. What a damaged recording gave before
/// its damage has been printed then.
pub fn run(args: &Args) -> Result<ExitCode, Error> {
    match replay_all(args) {
        // Not to be taken for a comparison that failed.
        Err(wrong @ (Error::Clips(_) | Error::Tradeoff(_) | Error::FilmOfSeveral(_) | Error::FilmOfItself(_))) => {
            eprintln!("karaul: {wrong}");
            Ok(ExitCode::from(BAD_CONFIG))
        }
        done => done,
    }
}

fn replay_all(args: &Args) -> Result<ExitCode, Error> {
    let config = match Config::load_with(&args.config, Secrets::Ignored) {
        Ok(config) => config,
        Err(problems) => {
            eprintln!("{problems}");
            return Ok(ExitCode::from(BAD_CONFIG));
        }
    };
    let Args { camera, start, expect, recordings, .. } = args;
    let wish = Wish { recordings, camera: camera.as_deref(), start: *start, expect: expect.as_deref() };
    let clips = plan(&wish, &config)?;
    let render = args.render.as_ref().map(|path| one_for(path, &clips, &config)).transpose()?;

    camera::init()?;
    let mut stage = Stage::new(config);
    if let Some(sweep) = &args.sweep {
        tradeoff::run(args, sweep, &mut stage, &clips)?;
        return Ok(ExitCode::SUCCESS);
    }
    match (&*clips, &**recordings) {
        ([clip], [named]) if clip.path == *named => one(&mut stage, clip, render),
        _ => several(&mut stage, &clips, args.alerts, render),
    }
}

/// The film of the only clip.
fn one_for(path: &Path, clips: &[Clip], config: &Config) -> Result<Render, Error> {
    let [clip] = clips else { return Err(Error::FilmOfSeveral(clips.len())) };
    let same = path.canonicalize().ok().zip(clip.path.canonicalize().ok()).is_some_and(|(a, b)| a == b);
    if same {
        return Err(Error::FilmOfItself(path.to_owned()));
    }
    Ok(Render::new(path, &config.cameras[clip.camera]))
}

/// Replays a clip as its camera.
fn replay(stage: &mut Stage, clip: &Clip, alerts: Alerts, render: Option<Render>) -> Result<Seen, Error> {
    let camera = stage.camera(clip).clone();
    let camera = stage.prepared(clip, &camera);
    let mut render = render;
    let seen = stage.pass(clip, &[camera], alerts, render.as_mut())?;
    if let Some(word) = render.map(Render::finish).transpose()?.flatten() {
        eprintln!("{word}");
    }
    Ok(seen)
}

/// One recording that was named: its alerts, and how they compare.
fn one(stage: &mut Stage, clip: &Clip, render: Option<Render>) -> Result<ExitCode, Error> {
    let seen = replay(stage, clip, Alerts::Lines, render)?;
    if let Some(damage) = seen.damage {
        return Err(damage.into());
    }
    let Some(expected) = &clip.expected else { return Ok(ExitCode::SUCCESS) };
    let report = compare(expected, seen.found.first().map_or(&[], Vec::as_slice));
    eprint!("{report}");
    eprintln!("{}", report.counts());
    Ok(if report.is_good() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Several recordings: how they compare, and the table. One that is damaged does not keep the others from being replayed.
fn several(stage: &mut Stage, clips: &[Clip], print: bool, mut render: Option<Render>) -> Result<ExitCode, Error> {
    let alerts = if print { Alerts::Named } else { Alerts::Off };
    let mut tally = Tally::default();
    let (mut compared, mut good, mut damaged) = (0, 0, 0);
    for clip in clips {
        let camera = stage.camera(clip).clone();
        let (found, damage) = match replay(stage, clip, alerts, render.take()) {
            Ok(seen) => (seen.found.into_iter().next().unwrap_or_default(), seen.damage),
            Err(Error::Recording(error)) => (Vec::new(), Some(error)),
            Err(error) => return Err(error),
        };
        let mut text = format!("{} ({}): ", clip.name, camera.id);
        match &clip.expected {
            Some(expected) => {
                let report = compare(expected, &found);
                text.push_str(&format!("{}\n{}", report.counts(), indented(&report.to_string())));
                tally.expect(camera.id.as_str(), camera.rules.iter().map(|rule| rule.id.as_str()));
                tally.count(camera.id.as_str(), &report);
                compared += 1;
                good += usize::from(report.is_good() && damage.is_none());
            }
            None => {
                text.push_str("nothing to compare with\n");
                for found in &found {
                    text.push_str(&format!("  incident     {:<20} found {:.1} s\n", found.rule, found.at));
                }
            }
        }
        if let Some(damage) = damage {
            text.push_str(&format!("  {damage}\n"));
            damaged += 1;
        }
        say(&text, print)?;
    }
    if compared > 0 {
        say(&format!("\n{}{good} of {compared} clips are as expected\n", by_rule(&tally)), print)?;
    }
    Ok(if good == compared && damaged == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// To standard output, unless that is for alerts.
fn say(text: &str, alerts: bool) -> Result<(), Error> {
    if alerts {
        eprint!("{text}");
        return Ok(());
    }
    io::stdout().lock().write_all(text.as_bytes())?;
    Ok(())
}

fn indented(lines: &str) -> String {
    lines.lines().map(|line| format!("  {line}\n")).collect()
}
