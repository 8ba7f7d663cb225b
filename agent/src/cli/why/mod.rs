//! `karaul why`.

mod when;
mod words;

use std::{
    io::{self, Write},
    path::PathBuf,
    process::ExitCode,
    time::Duration,
};

use jiff::Timestamp;

use self::{
    when::When,
    words::{Asked, table},
};
use super::check::BAD_CONFIG;
use crate::{
    clock::{Clock as _, SystemClock},
    config::{self, Config, Secrets},
    decisions::{self, ReadError},
};

/// Tells what a camera's rules saw about a time, and of each object which condition was not met, so that no alert came.
/// Reads the storage folder of a box, whether the agent runs or not, and changes nothing
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Config of the box, for its storage folder, its rules and its time zone
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    /// A copy of the storage folder, instead of the one that the config names
    #[arg(long, value_name = "FOLDER")]
    state: Option<PathBuf>,
    /// Id of the camera
    #[arg(long, value_name = "ID")]
    camera: String,
    /// The time of day at the site, as in 02:14 or 02:14:07, the latest one if no day is given; or a whole time, as in
    /// 2026-11-22T02:14:07+05:00
    #[arg(long, value_name = "TIME")]
    at: When,
    /// The day at the site, as in 2026-11-22
    #[arg(long, value_name = "DAY")]
    day: Option<jiff::civil::Date>,
    /// So long before and after that time
    #[arg(long, value_name = "TIME", default_value = "30s", value_parser = around)]
    around: Duration,
    /// Only this rule
    #[arg(long, value_name = "ID")]
    rule: Option<String>,
    /// As JSON lines, as they are on record
    #[arg(long)]
    json: bool,
}

/// Why there is no answer.
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
    /// No such rule.
    #[error("camera '{camera}' has no rule '{rule}'; it has: {known}")]
    NoRule {
        /// The camera.
        camera: String,
        /// What was asked for.
        rule: String,
        /// The ids there are.
        known: String,
    },
    /// No such time.
    #[error("there is no such time at the site: {0}")]
    Time(#[from] jiff::Error),
    /// The log.
    #[error("{0}; the agent writes it while it watches, and keeps a week")]
    Read(#[from] ReadError),
    /// Standard output.
    #[error("cannot write to standard output: {0}")]
    Output(#[from] io::Error),
}

/// Runs `karaul why`. The exit code is 1 if nothing is on record of that time.
///
/// # Errors
/// If there is nothing to be read, or what is asked for does not exist.
pub fn run(args: &Args) -> Result<ExitCode, Error> {
    let config = match Config::load_with(&args.config, Secrets::Ignored) {
        Ok(config) => config,
        Err(problems) => {
            eprintln!("{problems}");
            return Ok(ExitCode::from(BAD_CONFIG));
        }
    };
    let known = |ids: Vec<&str>| ids.join(", ");
    let Some(camera) = config.cameras.iter().find(|camera| camera.id.as_str() == args.camera) else {
        let known = known(config.cameras.iter().map(|camera| camera.id.as_str()).collect());
        return Err(Error::NoCamera { camera: args.camera.clone(), known });
    };
    if let Some(rule) = args.rule.as_ref().filter(|rule| camera.rules.iter().all(|r| r.id.as_str() != rule.as_str())) {
        let known = known(camera.rules.iter().map(|rule| rule.id.as_str()).collect());
        return Err(Error::NoRule { camera: args.camera.clone(), rule: rule.clone(), known });
    }
    let zone = config.site.time_zone.clone();
    let now = SystemClock.now().wall;
    let at = args.at.find(args.day, &zone, now)?;
    let from = at.checked_sub(args.around).unwrap_or(Timestamp::MIN);
    let until = at.checked_add(args.around).unwrap_or(Timestamp::MAX);
    let storage = args.state.as_ref().unwrap_or(&config.storage.path);
    let mut records = decisions::read(storage, &args.camera, from, until)?;
    if let Some(rule) = &args.rule {
        records.retain(|record| record.rule.as_ref().is_none_or(|other| other == rule));
    }
    let mut out = io::stdout().lock();
    if args.json {
        for record in &records {
            serde_json::to_writer(&mut out, record).map_err(io::Error::from)?;
            writeln!(out)?;
        }
    } else {
        let rules: Vec<&config::Rule> =
            camera.rules.iter().filter(|rule| args.rule.as_deref().is_none_or(|id| rule.id.as_str() == id)).collect();
        let asked = Asked { camera: &args.camera, rules: &rules, from, until, zone: &zone, now };
        write!(out, "{}", table(&asked, &records))?;
    }
    Ok(if records.is_empty() { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

fn around(text: &str) -> Result<Duration, String> {
    let limits = Duration::from_secs(1)..=Duration::from_secs(3600);
    config::duration(text)
        .filter(|time| limits.contains(time))
        .ok_or_else(|| "a time with its unit from 1s to 1h is wanted, as in 30s".to_owned())
}
