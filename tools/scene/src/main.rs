//! `karaul-scene`: the rendered scene as pictures with labels, or as raw video.

mod export;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};
use karaul_scene::{Light, Scene, SceneOptions, Script, Story, Weather};

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
    /// Write a story's pictures (PNG), labels.json, its events.json and its rule.toml into a folder
    Story {
        /// Its name; --list shows all
        #[arg(required_unless_present = "list")]
        name: Option<Story>,
        /// The folder; made if need be
        #[arg(long, required_unless_present = "list")]
        out: Option<PathBuf>,
        /// Say which stories there are, and how long they take
        #[arg(long)]
        list: bool,
        #[command(flatten)]
        take: Take,
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
        /// Nobody and nothing to be found in any of them, but weather in each
        #[arg(long)]
        deserted: bool,
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
    /// The story, for the story script
    #[arg(long, default_value = "intrusion")]
    story: Story,
    /// When it happens; "cycle" is a minute of day, then a minute of night
    #[arg(long, value_enum, default_value_t = LightName::Cycle)]
    light: LightName,
    #[command(flatten)]
    take: Take,
}

#[derive(Args, Debug)]
struct Take {
    /// Width and height in pixels
    #[arg(long, default_value = "640x360", value_parser = size)]
    size: (usize, usize),
    /// What the weather does
    #[arg(long, value_parser = weather)]
    weather: Option<Weather>,
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
    Story,
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

/// Weather by its name.
fn weather(text: &str) -> Result<Weather, String> {
    let found = Weather::ALL.into_iter().find(|weather| weather.name() == text);
    found.ok_or_else(|| format!("there are {}", Weather::ALL.map(Weather::name).join(", ")))
}

impl View {
    fn shots(&self) -> Result<Shots, Failure> {
        let script = match self.script {
            ScriptName::Yard => Script::Yard,
            ScriptName::Empty => Script::Empty,
            ScriptName::Creep => Script::Creep,
            ScriptName::Random => Script::Random(self.scene),
            ScriptName::Story => Script::Story(self.story),
        };
        let light = match self.light {
            LightName::Day => Light::Day,
            LightName::Night => Light::Night,
            LightName::Cycle => Light::Cycle { period: Duration::from_secs(120) },
        };
        self.take.shots(script, light)
    }
}

impl Take {
    fn shots(&self, script: Script, light: Light) -> Result<Shots, Failure> {
        let (width, height) = self.size;
        let (weather, noise, seed) = (self.weather, self.noise, self.seed);
        let scene = Scene::new(SceneOptions { width, height, script, light, weather, noise, seed })?;
        let seconds = self.seconds.map_or(scene.period(), |s| Duration::from_secs(s.into()));
        let count = (seconds.as_secs_f64() * f64::from(self.fps)).round() as u32;
        Ok(Shots { scene, fps: self.fps, start: Duration::from_secs(self.start.into()), count })
    }
}

/// Pictures, truth and config of a story, or the list of all.
fn tell(name: Option<Story>, out: Option<PathBuf>, take: &Take) -> Result<(), Failure> {
    let (Some(story), Some(out)) = (name, out) else {
        for story in Story::ALL {
            println!("{:<18} {:>3} s  {}", story.name(), story.period().as_secs(), story.summary());
        }
        return Ok(());
    };
    export::pictures(&take.shots(Script::Story(story), Light::Day)?, &out)?;
    export::truth(story, &out)
}

fn main() -> ExitCode {
    let done = match Cli::parse().command {
        Command::Render { view, out } => view.shots().and_then(|shots| export::pictures(&shots, &out)),
        Command::Story { name, out, list, take } => tell(name.filter(|_| !list), out, &take),
        Command::Y4m { view } => view.shots().and_then(|shots| export::y4m(&shots, std::io::stdout().lock())),
        Command::Dataset { count, first, deserted, size, out } => {
            export::dataset(first..first.saturating_add(count), deserted, size, &out)
        }
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("karaul-scene: {failure}");
            ExitCode::FAILURE
        }
    }
}
