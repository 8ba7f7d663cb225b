//! `karaul replay`: the same code on a recording.

mod expected;

use std::{
    io::{self, Write},
    path::PathBuf,
    process::ExitCode,
    sync::Arc,
    time::Duration,
};

use jiff::Timestamp;
use karaul_wire::{AlertEvent, BoxPath, ClockSource, CloseReason, Phase};
use uuid::Uuid;

use self::expected::{Expected, ExpectedError, Found};
use super::check::BAD_CONFIG;
use crate::{
    camera::{self, CameraError, Recording, RecordingError},
    clock::Stamp,
    config::{Config, Secrets},
    incident::{Desk, Step},
    sight::Condition,
    site::{Sink, Watch, detector},
    vision::{Model, Planes, VisionError},
};

/// Runs one camera's rules on a recording, as fast as it can, and prints the alerts as
/// JSON lines. The same input gives the same output, apart from ids.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The description of the site
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    /// Id of the camera whose model and rules are used
    #[arg(long, value_name = "ID")]
    camera: String,
    /// When the recording begins, for example 2026-11-22T22:00:00+05:00. Without it,
    /// schedules are not applied and times count from 1970-01-01T00:00:00Z
    #[arg(long, value_name = "TIME")]
    start: Option<Timestamp>,
    /// Compare with the incidents in this JSON file; exit code 1 if they differ
    #[arg(long, value_name = "FILE")]
    expect: Option<PathBuf>,
    /// The recording
    #[arg(value_name = "VIDEO")]
    recording: PathBuf,
}

/// Why a recording could not be replayed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No such camera.
    #[error("the config has no camera '{camera}'; it has: {known}")]
    NoCamera {
        /// What was asked for.
        camera: String,
        /// The ids there are.
        known: String,
    },
    /// GStreamer.
    #[error(transparent)]
    Camera(#[from] CameraError),
    /// The file.
    #[error(transparent)]
    Recording(#[from] RecordingError),
    /// The model.
    #[error(transparent)]
    Vision(#[from] VisionError),
    /// The file of expected incidents.
    #[error(transparent)]
    Expected(#[from] ExpectedError),
    /// Standard output.
    #[error("cannot write the alerts: {0}")]
    Output(#[from] io::Error),
}

/// Replays the recording.
///
/// # Errors
/// If config, model or recording cannot be used. What a damaged recording gave before
/// its damage has been printed then.
pub fn run(args: &Args) -> Result<ExitCode, Error> {
    let mut config = match Config::load_with(&args.config, Secrets::Ignored) {
        Ok(config) => config,
        Err(problems) => {
            eprintln!("{problems}");
            return Ok(ExitCode::from(BAD_CONFIG));
        }
    };
    let expected = args.expect.as_deref().map(Expected::load).transpose()?;
    let Some(camera) = config.cameras.iter_mut().find(|c| c.id.as_str() == args.camera) else {
        let known: Vec<_> = config.cameras.iter().map(|c| c.id.as_str()).collect();
        return Err(Error::NoCamera { camera: args.camera.clone(), known: known.join(", ") });
    };
    if args.start.is_none() {
        for rule in &mut camera.rules {
            if let Some(schedule) = rule.schedule.take() {
                eprintln!("rule '{}': schedule '{}' is not applied; give --start to apply it", rule.id, schedule.id);
            }
        }
    }

    camera::init()?;
    let model = Arc::new(Model::load(&camera.model, &config.inference)?);
    let origin = args.start.unwrap_or(Timestamp::UNIX_EPOCH);
    let desk = Desk::new(camera, &config.site.languages, model.provider().as_str(), ClockSource::Recording, None);
    let lines = Lines { path: config.site.path.clone(), origin, sequence: 0, found: Vec::new(), failed: None };
    let mut watch = Watch::new(camera, detector(model), desk, lines);

    let mut recording = Recording::open(&args.recording, origin)?.decoded(camera.decoding, camera.look_every);
    let mut progress = Progress { last: Stamp::after(origin, Duration::ZERO), trouble: None };
    let mut ended = Ok(());
    while let Some(frame) = recording.next() {
        match frame {
            Ok(frame) => {
                if frame.glimpse {
                    watch.glimpse(frame.stamp, &frame.planes())?;
                } else {
                    watch.picture(frame.stamp, &frame.planes())?;
                }
                recording.attend(watch.is_attentive());
                if let Some(line) = progress.take(frame.stamp, watch.trouble().map(|(condition, _)| condition)) {
                    eprintln!("{line}");
                }
            }
            Err(error) => ended = Err(error),
        }
    }
    watch.end_all(progress.last, CloseReason::Stopped);
    let (file, length) = (args.recording.display(), progress.last.mono.as_secs_f64());
    eprintln!("{file}: {} pictures looked at, {length:.1} s", watch.looks());
    let lines = watch.into_sink();
    if let Some(error) = lines.failed {
        return Err(error.into());
    }
    ended?;
    let Some(expected) = expected else { return Ok(ExitCode::SUCCESS) };
    let report = expected.compare(&lines.found);
    eprint!("{report}");
    Ok(if report.is_good() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// How far the recording has come, and what is wrong with its picture there.
struct Progress {
    /// Of the latest picture. The pictures before a glimpse may follow it.
    last: Stamp,
    trouble: Option<Condition>,
}

impl Progress {
    /// Takes the next picture, or glimpse; a line if something else is wrong from here on.
    fn take(&mut self, at: Stamp, trouble: Option<Condition>) -> Option<String> {
        self.last = self.last.max(at);
        if std::mem::replace(&mut self.trouble, trouble) == trouble {
            return None;
        }
        let words = trouble.map_or_else(|| "seeing".to_owned(), |what| format!("{}: {what}", what.as_str()));
        Some(format!("{:.1} s: {words}", self.last.mono.as_secs_f64()))
    }
}

/// Prints alerts as the broker would get them.
struct Lines {
    path: BoxPath,
    origin: Timestamp,
    sequence: u64,
    found: Vec<Found>,
    failed: Option<io::Error>,
}

impl Sink for Lines {
    fn commit(&mut self, step: &mut Step, _picture: Option<&Planes<'_>>) -> bool {
        self.sequence += 1;
        if step.alert.incident.phase == Phase::Open {
            let at = step.at.wall.duration_since(self.origin).as_secs_f64();
            self.found.push(Found { rule: step.alert.rule.id.to_string(), at });
        }
        // What a live box would call the time of its disk is here the time of the picture:
        // it must not differ between two runs.
        let (at, alert) = (step.at.wall, step.alert.clone());
        let event = AlertEvent::alert(Uuid::now_v7(), self.path.to_string(), at, at, self.sequence, alert);
        let written = event.to_json().map_err(io::Error::other).and_then(|json| {
            let mut out = io::stdout().lock();
            out.write_all(&json)?;
            out.write_all(b"\n")
        });
        if let Err(error) = written {
            self.failed.get_or_insert(error);
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn glimpses_count_and_pictures_that_follow_them_do_not_turn_time_back() {
        let at = |seconds| Stamp::after(Timestamp::UNIX_EPOCH, Duration::from_secs_f64(seconds));
        let mut progress = Progress { last: at(0.0), trouble: None };
        assert_eq!(progress.take(at(2.0), None), None);
        let line = progress.take(at(8.0), Some(Condition::Dark)).unwrap();
        assert_eq!(line, format!("8.0 s: dark: {}", Condition::Dark));
        assert_eq!(progress.take(at(6.5), Some(Condition::Dark)), None);
        assert_eq!((progress.take(at(7.0), None).as_deref(), progress.last), (Some("8.0 s: seeing"), at(8.0)));
    }
}
