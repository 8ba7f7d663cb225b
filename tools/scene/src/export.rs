//! Pictures, labels and video out of a scene.

use std::fs;
use std::io::{self, BufWriter, Write};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::time::Duration;

use image::codecs::png::{CompressionType, FilterType, PngEncoder};
use image::{ExtendedColorType, ImageEncoder};
use karaul_scene::{I420Frame, Light, Scene, SceneError, SceneObject, SceneOptions, Script, Story, Weather};
use serde::Serialize;

/// Why nothing, or not everything, was written.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// The scene cannot be made.
    #[error(transparent)]
    Scene(#[from] SceneError),
    /// A file cannot be written.
    #[error("cannot write {path}: {source}")]
    Write { path: PathBuf, source: io::Error },
    /// The reader of the video went away, or its disk is full.
    #[error("cannot write the video to standard output: {0}")]
    Stream(#[source] io::Error),
}

/// Pictures of one scene, evenly spaced.
#[derive(Debug)]
pub(crate) struct Shots {
    pub(crate) scene: Scene,
    pub(crate) fps: u32,
    pub(crate) start: Duration,
    pub(crate) count: u32,
}

/// One picture in labels.json.
#[derive(Debug, Serialize)]
struct Label {
    file: String,
    /// Seconds into the loop.
    time: f64,
    night: bool,
    objects: Vec<SceneObject>,
}

impl Shots {
    fn times(&self) -> impl Iterator<Item = Duration> {
        let (start, fps) = (self.start, self.fps);
        (0..self.count).map(move |i| start + Duration::from_secs(i.into()) / fps)
    }
}

/// Writes PNG files and labels.json into `folder`.
pub(crate) fn pictures(shots: &Shots, folder: &Path) -> Result<(), Failure> {
    make(folder)?;
    let mut labels = Vec::new();
    for (index, time) in shots.times().enumerate() {
        labels.push(picture(&shots.scene, time, format!("{index:05}.png"), folder)?);
    }
    write_labels(&labels, folder)
}

/// Writes what has to be reported of a story, and the config of its rule, into `folder`.
pub(crate) fn truth(story: Story, folder: &Path) -> Result<(), Failure> {
    let path = folder.join("events.json");
    let text = serde_json::to_vec_pretty(&story.events())
        .map_err(|error| Failure::Write { path: path.clone(), source: error.into() })?;
    write(&path, &text)?;
    write(&folder.join("rule.toml"), story.config().as_bytes())
}

/// Writes one picture each of random scenes, and labels.json; if `deserted`, of their weather alone.
pub(crate) fn dataset(
    scenes: Range<u64>,
    deserted: bool,
    (width, height): (usize, usize),
    folder: &Path,
) -> Result<(), Failure> {
    make(folder)?;
    let mut labels = Vec::new();
    for number in scenes {
        let mut random = fastrand::Rng::with_seed(number);
        let light = if random.bool() { Light::Day } else { Light::Night };
        let noise = random.f32() * 2.0;
        let script = if deserted { Script::Deserted(number) } else { Script::Random(number) };
        let time = random.u64(0..20_000);
        // Every second picture has weather; it takes ten minutes to show all that it does.
        let weather = (random.bool() || deserted).then(|| random.choice(Weather::ALL)).flatten();
        let time = Duration::from_millis(time + if weather.is_some() { 20_000 * random.u64(0..30) } else { 0 });
        let scene = Scene::new(SceneOptions { width, height, script, light, weather, noise, seed: number })?;
        labels.push(picture(&scene, time, format!("{number:07}.png"), folder)?);
    }
    write_labels(&labels, folder)
}

/// Writes YUV4MPEG2, as `mjpegtools` defines it.
pub(crate) fn y4m(shots: &Shots, out: impl Write) -> Result<(), Failure> {
    let mut out = BufWriter::new(out);
    let mut frame = I420Frame::default();
    for (index, time) in shots.times().enumerate() {
        shots.scene.render(time, &mut frame);
        if index == 0 {
            let header = format!("YUV4MPEG2 W{} H{} F{}:1 Ip A1:1 C420jpeg\n", frame.width, frame.height, shots.fps);
            out.write_all(header.as_bytes()).map_err(Failure::Stream)?;
        }
        out.write_all(b"FRAME\n").and_then(|()| out.write_all(&frame.data)).map_err(Failure::Stream)?;
    }
    out.flush().map_err(Failure::Stream)
}

fn picture(scene: &Scene, time: Duration, file: String, folder: &Path) -> Result<Label, Failure> {
    let mut frame = I420Frame::default();
    scene.render(time, &mut frame);
    let path = folder.join(&file);
    let mut png = Vec::new();
    PngEncoder::new_with_quality(&mut png, CompressionType::Default, FilterType::Adaptive)
        .write_image(&frame.to_rgb(), frame.width as u32, frame.height as u32, ExtendedColorType::Rgb8)
        .map_err(|error| Failure::Write { path: path.clone(), source: io::Error::other(error) })?;
    write(&path, &png)?;
    Ok(Label { file, time: time.as_secs_f64(), night: scene.is_night(time), objects: scene.objects(time) })
}

fn write_labels(labels: &[Label], folder: &Path) -> Result<(), Failure> {
    let path = folder.join("labels.json");
    let text = serde_json::to_vec_pretty(labels)
        .map_err(|error| Failure::Write { path: path.clone(), source: error.into() })?;
    write(&path, &text)
}

fn make(folder: &Path) -> Result<(), Failure> {
    fs::create_dir_all(folder).map_err(|source| Failure::Write { path: folder.to_owned(), source })
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    fs::write(path, bytes).map_err(|source| Failure::Write { path: path.to_owned(), source })
}
