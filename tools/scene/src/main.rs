//! `karaul-scene`: the rendered scene as pictures with labels, or as raw video.

mod export;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};
use karaul_scene::{Light, Scene, SceneOptions, Script};

use crate::export::{Failure, Shots};

/// Renders a guarded yard, with exact labels.
#[derive(Debug, Parser)]
#[command(name = "karaul-scene", version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Write pictures (PNG) and labels.json into a folder
    Render {
        #[command(flatten)]
        view: View,
        /// The folder; made if need be
        #[arg(long)]
        out: PathBuf,
    },
    /// Write YUV4MPEG2 to standard output, for ffmpeg and its like
    Y4m {
        #[command(flatten)]
        view: View,
    },
    /// Write one picture of each of many random scenes, and labels.json, into a folder
    Dataset {
        /// How many scenes
        #[arg(long, default_value_t = 1000)]
        count: u64,
        /// Number of the first scene
        #[arg(long, default_value_t = 1)]
        first: u64,
        /// Width and height in pixels
        #[arg(long, default_value = "320x180", value_parser = size)]
        size: (usize, usize),
        /// The folder; made if need be
        #[arg(long)]
        out: PathBuf,
    },
}

#[derive(Args, Debug)]
struct View {
    /// What happens
    #[arg(long, value_enum, default_value_t = ScriptName::Yard)]
    script: ScriptName,
    /// Number of the scene, for the random script
    #[arg(long, default_value_t = 1)]
    scene: u64,
    /// When it happens; "cycle" is a minute of day, then a minute of night
    #[arg(long, value_enum, default_value_t = LightName::Cycle)]
    light: LightName,
    /// Width and height in pixels
    #[arg(long, default_value = "640x360", value_parser = size)]
    size: (usize, usize),
    /// Pictures in a second
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=120))]
    fps: u32,
    /// Seconds to render; one whole loop if not given
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=86_400))]
    seconds: Option<u32>,
    /// Seconds into the loop at which to start
    #[arg(long, default_value_t = 0)]
    start: u32,
    /// Strength of the sensor's noise, 0 to 4
    #[arg(long, default_value_t = 1.0)]
    noise: f32,
    /// Chooses the noise
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum ScriptName {
    Yard,
    Empty,
    Creep,
    Random,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum LightName {
    Day,
    Night,
    Cycle,
}

/// `640x360` to (640, 360).
fn size(text: &str) -> Result<(usize, usize), String> {
    let parts = text.split_once('x').and_then(|(w, h)| Some((w.parse().ok()?, h.parse().ok()?)));
    parts.ok_or_else(|| "give width and height in pixels, as in 640x360".to_owned())
}

impl View {
    fn shots(&self) -> Result<Shots, Failure> {
        let script = match self.script {
            ScriptName::Yard => Script::Yard,
            ScriptName::Empty => Script::Empty,
            ScriptName::Creep => Script::Creep,
            ScriptName::Random => Script::Random(self.scene),
        };
        let light = match self.light {
            LightName::Day => Light::Day,
            LightName::Night => Light::Night,
            LightName::Cycle => Light::Cycle { period: Duration::from_secs(120) },
        };
        let (width, height) = self.size;
        let scene = Scene::new(SceneOptions { width, height, script, light, noise: self.noise, seed: self.seed })?;
        let seconds = self.seconds.map_or(scene.period(), |s| Duration::from_secs(s.into()));
        let count = (seconds.as_secs_f64() * f64::from(self.fps)).round() as u32;
        Ok(Shots { scene, fps: self.fps, start: Duration::from_secs(self.start.into()), count })
    }
}

fn main() -> ExitCode {
    let done = match Cli::parse().command {
        Command::Render { view, out } => view.shots().and_then(|shots| export::pictures(&shots, &out)),
        Command::Y4m { view } => view.shots().and_then(|shots| export::y4m(&shots, std::io::stdout().lock())),
        Command::Dataset { count, first, size, out } => export::dataset(first, count, size, &out),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("karaul-scene: {failure}");
            ExitCode::FAILURE
        }
    }
}
