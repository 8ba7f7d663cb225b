//! `make bench`: what a camera costs, how that grows, and how fast an alert is.
//!
//! Each row starts a whole agent against the camera simulator and mosquitto, lets it warm
//! up, and then counts its processor time over a fixed span. Beside it stands the ideal:
//! what the same stream costs to receive and decode in a bare `gst-launch-1.0`, plus what
//! the same number of bare inferences costs. Speed is the ratio of the two, so that it
//! can be compared between machines.

mod ideal;
mod load;
mod run;
mod spread;

use std::{path::PathBuf, process::ExitCode, time::Duration};

use clap::Parser;
use karaul_stage::{StageError, repository};

use self::{ideal::Ideal, run::Run, spread::Spread};

/// Measures what a camera costs on this machine.
#[derive(Debug, Parser)]
struct Args {
    /// Numbers of cameras, one row each
    #[arg(long, value_delimiter = ',', default_value = "1,2,4", value_parser = clap::value_parser!(u16).range(1..))]
    cameras: Vec<u16>,
    /// Seconds measured per repetition, after the warm-up
    #[arg(long, default_value_t = 20)]
    seconds: u64,
    /// Repetitions of each row
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u16).range(1..))]
    repeat: u16,
    /// Detections a second
    #[arg(long, default_value_t = 5.0)]
    detections: f64,
    /// Folder of the detector
    #[arg(long, default_value = "models/yard-nano")]
    model: PathBuf,
    /// Recording that all cameras show; otherwise the rendered scene with a time code, which alone
    /// gives latencies
    #[arg(long)]
    clip: Option<PathBuf>,
    /// Size of the rendered scene
    #[arg(long, default_value = "768x432")]
    size: String,
    /// Pictures a second of the rendered scene
    #[arg(long, default_value_t = 10)]
    fps: u32,
}

/// Why nothing could be measured.
#[derive(Debug, thiserror::Error)]
enum BenchError {
    #[error(transparent)]
    Stage(#[from] StageError),
    #[error("cannot read {path}: {source}")]
    Read { path: PathBuf, source: std::io::Error },
    #[error("{0}")]
    Model(#[from] karaul::vision::VisionError),
    #[error("{0}")]
    Manifest(#[from] karaul::vision::ManifestError),
    #[error("camera {0} did not see anything within {1:?}")]
    Blind(String, Duration),
    #[error("the agent or the subscriber ended, or the agent sent no counters, within {0:?}")]
    Broken(Duration),
}

fn main() -> ExitCode {
    match bench(&Args::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bench: {error}");
            ExitCode::FAILURE
        }
    }
}

fn bench(args: &Args) -> Result<(), BenchError> {
    let model = if args.model.is_absolute() { args.model.clone() } else { repository().join(&args.model) };
    let mount = match &args.clip {
        Some(clip) => {
            let clip = clip.canonicalize().map_err(|source| BenchError::Read { path: clip.clone(), source })?;
            format!("/camera=file:{},copy", clip.display())
        }
        None => format!("/camera=scene:yard,size={},fps={},timecode", args.size, args.fps),
    };
    let ideal = Ideal::measure(&mount, &model, args.detections)?;
    let what = args.clip.as_ref().map_or_else(
        || format!("rendered scene {}@{}", args.size, args.fps),
        |clip| clip.file_name().unwrap_or_default().to_string_lossy().into_owned(),
    );
    println!(
        "{} · {what} · {} · {} detections/s",
        load::machine(),
        model.file_name().unwrap_or_default().to_string_lossy(),
        args.detections
    );
    println!(
        "ideal per camera: receive and decode {:.0} + inference {:.0} core-ms/s ({:.2} ms each)\n",
        ideal.decode,
        ideal.inference,
        ideal.inference / args.detections
    );
    println!(
        "| cameras | core-ms per camera-second | efficiency | memory MiB | looks/s per camera | overrun | latency p50 / p99 ms |"
    );
    println!("| --- | --- | --- | --- | --- | --- | --- |");
    let mut memory = Vec::new();
    for cameras in &args.cameras {
        let runs = (0..args.repeat)
            .map(|_| {
                Run::measure(&mount, &model, usize::from(*cameras), args.detections, Duration::from_secs(args.seconds))
            })
            .collect::<Result<Vec<_>, _>>()?;
        let cost = Spread::of(runs.iter().map(|r| r.core_ms));
        let rss = Spread::of(runs.iter().map(|r| r.memory_mib));
        let looks = Spread::of(runs.iter().map(|r| r.looks));
        let overrun: u64 = runs.iter().map(|r| r.overrun).sum();
        let mut latencies: Vec<f64> = runs.iter().flat_map(|r| r.latencies_ms.iter().copied()).collect();
        latencies.sort_by(f64::total_cmp);
        let latency = if latencies.is_empty() {
            "-".to_owned()
        } else {
            let at = |share: f64| latencies[((latencies.len() - 1) as f64 * share).ceil() as usize];
            format!("{:.0} / {:.0} ({} alerts)", at(0.5), at(0.99), latencies.len())
        };
        println!(
            "| {cameras} | {cost:.0} | {:.2} | {rss:.0} | {looks:.1} | {overrun} | {latency} |",
            (ideal.decode + ideal.inference) / cost.median
        );
        memory.push((f64::from(*cameras), rss.median));
    }
    if let (Some((few, a)), Some((many, b))) = (memory.first(), memory.last())
        && many > few
    {
        println!("\nmemory per further camera: {:.1} MiB", (b - a) / (many - few));
    }
    Ok(())
}
