//! How fast: from commit to PUBLISH, and alerts a second into a local mosquitto.

mod disk;
mod latency;
mod listener;
mod rate;

use std::time::Duration;

use clap::Args;

use crate::{error::ProofError, report::Report};

/// Commit to PUBLISH of a critical alert, in ninety-nine of a hundred cases.
const PROMPT: Duration = Duration::from_millis(20);
/// Alerts a second into a local mosquitto.
const RATE: f64 = 2000.0;

/// What to do.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// How long each number of producers goes on.
    #[arg(long, default_value_t = 20)]
    seconds: u64,
    /// How many critical alerts are timed, on an idle and on a busy box.
    #[arg(long, default_value_t = 500)]
    alerts: u32,
    /// Numbers of producers.
    #[arg(long, value_delimiter = ',', default_values_t = [1, 4, 16])]
    producers: Vec<usize>,
    /// Only show the figures, do not fail where an aim is missed: for a machine that does other things as well.
    #[arg(long)]
    no_aims: bool,
}

/// Carries it out.
pub(crate) fn run(options: &Options) -> Result<Report, ProofError> {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let profile = if cfg!(debug_assertions) { "development build" } else { "release build" };
    let mut report = Report::new(format!("Pace ({cores} cores, {profile})"));
    report.fact("this disk: fdatasync of 4 KiB", disk::fdatasync(200)?);
    for background in [0, 100] {
        let spread = latency::measure(options.alerts, background)?;
        let beside =
            if background == 0 { "alone".to_owned() } else { format!("beside {background} lesser ones a second") };
        let what = format!("critical alerts, from the call of commit until the broker has read the PUBLISH, {beside}");
        let good = spread.percentile(99) <= PROMPT;
        if options.no_aims {
            report.fact(what, spread);
        } else {
            report.aim(format!("{what}; p99 at most 20 ms"), spread, good);
        }
    }
    let mut best: f64 = 0.0;
    for producers in &options.producers {
        let flow = rate::measure(*producers, Duration::from_secs(options.seconds))?;
        best = best.max(flow.rate);
        report.fact(format!("alerts a second into mosquitto, {producers} producers"), &flow);
        report.promise(format!("all delivered, {producers} producers"), &flow.lost);
    }
    if !options.no_aims {
        report.aim("2,000 alerts a second", format!("{best:.0}"), best >= RATE);
    }
    Ok(report)
}
