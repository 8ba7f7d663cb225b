//! `make bench`: what a camera costs, how that grows, and how fast an alert is.
//!
//! Each row starts a whole agent against the camera simulator and mosquitto, lets it warm
//! up, and then counts its processor time over a fixed span. Beside it stands the ideal:
//! what the same stream costs to receive and decode in a bare `gst-launch-1.0`, plus what
//! the same number of bare inferences costs. Speed is the ratio of the two, so that it
//! can be compared between machines.

mod ideal;
mod load;
mod row;
mod run;
mod spread;

use std::{
    fs,
    path::{Path, PathBuf},
    process::ExitCode,
    time::Duration,
};

use clap::Parser;
use karaul_simulator::{MountError, SimulatorError, peer::Clip};
use karaul_stage::{StageError, repository};

use self::{
    row::Row,
    run::{Run, Setup},
    spread::Spread,
};

/// Keyframe intervals of a scene that stands still before it begins again.
const STILL_GROUPS: u32 = 5;

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
    /// Picture, or clip whose first picture is shown, standing still with the noise of a sensor
    #[arg(long, conflicts_with = "clip")]
    still: Option<PathBuf>,
    /// Kilobits a second of the still picture
    #[arg(long, default_value_t = 3000)]
    bitrate: u32,
    /// Pictures from one keyframe to the next of the still picture
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..))]
    gop: u32,
    /// Which pictures are decoded: rows for each
    #[arg(long, value_delimiter = ',', default_value = "full", value_parser = ["full", "on-demand", "keyframes"])]
    decoding: Vec<String>,
    /// Which of the decoded pictures the detector looks at
    #[arg(long, default_value = "always", value_parser = ["always", "on-motion"])]
    detection: String,
    /// Size of the rendered scene or the still picture
    #[arg(long, default_value = "768x432")]
    size: String,
    /// Pictures a second of the rendered scene or the still picture
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
    #[error(transparent)]
    Mount(#[from] MountError),
    #[error(transparent)]
    Still(#[from] SimulatorError),
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
    let folder = tempfile::tempdir().map_err(StageError::from)?;
    let (mount, what) = shown(args, folder.path())?;
    println!(
        "{} · {what} · {} · at most {} detections/s, {}",
        load::machine(),
        model.file_name().unwrap_or_default().to_string_lossy(),
        args.detections,
        args.detection
    );
    let inference = ideal::inference(&model)?;
    println!("one bare inference: {inference:.2} core-ms\n");
    println!(
        "| decoding | cameras | core-ms per camera-second | receive and decode alone | the rest without inference, to that \
         | efficiency | memory MiB | looks/s per camera | overrun | latency p50 / p99 ms |"
    );
    println!("|{}", " --- |".repeat(10));
    let mut notes = Vec::new();
    for decoding in &args.decoding {
        let ideal = ideal::decode(&mount, decoding != "full")?;
        let mut rows = Vec::new();
        for cameras in &args.cameras {
            let agent = Setup {
                mount: &mount,
                model: &model,
                cameras: usize::from(*cameras),
                detections: args.detections,
                decoding,
                detection: &args.detection,
            };
            let runs = (0..args.repeat)
                .map(|_| Run::measure(&agent, Duration::from_secs(args.seconds)))
                .collect::<Result<Vec<_>, _>>()?;
            let row = Row::of(&runs);
            let looking = inference * row.looks.median;
            println!(
                "| {decoding} | {cameras} | {:.0} | {ideal:.0} | {:.2} | {:.2} | {:.0} | {:.1} | {} | {} |",
                row.cost,
                (row.cost.median - looking) / ideal,
                (ideal + looking) / row.cost.median,
                row.memory,
                row.looks,
                row.overrun,
                row.latency()
            );
            rows.push((f64::from(*cameras), row));
        }
        if let ([(few, a), .., (many, b)], true) = (rows.as_slice(), rows.len() > 1) {
            let costs = Spread::of(rows.iter().map(|(_, row)| row.cost.median));
            notes.push(format!(
                "{decoding}: memory per further camera {:.1} MiB, cost per camera within {:.0} % of its median",
                (b.memory.median - a.memory.median) / (many - few),
                (costs.max - costs.median).max(costs.median - costs.min) / costs.median * 100.0
            ));
        }
    }
    for note in notes {
        println!("\n{note}");
    }
    Ok(())
}

/// What all cameras show, as a mount of the simulator and in words.
fn shown(args: &Args, folder: &Path) -> Result<(String, String), BenchError> {
    let name = |path: &Path| path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let found = |path: &Path| path.canonicalize().map_err(|source| BenchError::Read { path: path.to_owned(), source });
    let (size, fps) = (&args.size, args.fps);
    if let Some(clip) = &args.clip {
        return Ok((format!("/camera=file:{},copy", found(clip)?.display()), name(clip)));
    }
    let Some(still) = &args.still else {
        let what = format!("rendered scene {size}@{fps}");
        return Ok((format!("/camera=scene:yard,size={size},fps={fps},timecode"), what));
    };
    let (bitrate, gop) = (args.bitrate, args.gop);
    let mount = format!("/camera=still:{},size={size},fps={fps},bitrate={bitrate},gop={gop}", found(still)?.display());
    // Encoded once, and not while the agent is measured.
    let clip = Clip::of(&mount.parse()?, STILL_GROUPS * gop)?;
    let file = folder.join("still.h264");
    fs::write(&file, clip.bytes()).map_err(StageError::from)?;
    let what =
        format!("{} standing still, {size}@{fps}, {bitrate} kbit/s, a keyframe each {gop} pictures", name(still));
    Ok((format!("/camera=file:{},copy", file.display()), what))
}
