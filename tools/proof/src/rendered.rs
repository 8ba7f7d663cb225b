//! A rendered scene, seen by a camera's whole way from picture to incident, with a detector.

use std::{
    fs,
    num::NonZero,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::Duration,
};

use jiff::Timestamp;
use karaul::{
    clock::Stamp,
    config::{Config, Inference, Provider},
    incident::{Desk, Step},
    site::{Sink, Watch, detector},
    vision::{Manifest, Model, Planes},
};
use karaul_scene::{I420Frame, Scene, SceneOptions};
use karaul_wire::{ClockSource, Phase};

use crate::{error::ProofError, site::head};

/// An incident that was opened: its rule, and when.
pub(crate) type Opened = (String, Duration);

/// A scene, and what looks at it.
#[derive(Debug)]
pub(crate) struct Take {
    pub(crate) scene: SceneOptions,
    /// The tables of the camera below `[[camera]]`.
    pub(crate) camera: String,
    pub(crate) looks_a_second: u32,
    pub(crate) length: Duration,
}

/// A detector that looks at rendered scenes, as many at once as there are processors.
#[derive(Debug)]
pub(crate) struct Studio {
    pub(crate) manifest: Manifest,
    model: Arc<Model>,
    folder: PathBuf,
    at_once: usize,
}

impl Studio {
    /// The detector in this folder.
    pub(crate) fn new(folder: &Path) -> Result<Self, ProofError> {
        let manifest = Manifest::load(folder).map_err(ProofError::client)?;
        let at_once = thread::available_parallelism().map_or(1, NonZero::get);
        let (models, provider) = (PathBuf::new(), Provider::Cpu);
        let settings = Inference { models, library: None, provider, sessions: Some(at_once) };
        let model = Arc::new(Model::load(&manifest, &settings).map_err(ProofError::client)?);
        Ok(Self { manifest, model, folder: std::path::absolute(folder)?, at_once })
    }

    /// What is opened in each take, in their order.
    pub(crate) fn watch(&self, takes: &[Take]) -> Result<Vec<Vec<Opened>>, ProofError> {
        let (next, results) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
        thread::scope(|scope| {
            for _ in 0..self.at_once {
                scope.spawn(|| {
                    loop {
                        let index = next.fetch_add(1, Ordering::Relaxed);
                        let Some(take) = takes.get(index) else { break };
                        let opened = self.one(take);
                        results.lock().unwrap_or_else(PoisonError::into_inner).push((index, opened));
                    }
                });
            }
        });
        let mut results = results.into_inner().unwrap_or_else(PoisonError::into_inner);
        results.sort_by_key(|(index, _)| *index);
        results.into_iter().map(|(_, opened)| opened).collect()
    }

    fn one(&self, take: &Take) -> Result<Vec<Opened>, ProofError> {
        let scene = Scene::new(take.scene)?;
        let config = config(&self.folder, take.looks_a_second, &take.camera)?;
        let camera = &config.cameras[0];
        let desk = Desk::new(camera, &config.site.languages, "CPU", ClockSource::Recording, None);
        let mut watch = Watch::new(camera, detector(Arc::clone(&self.model)), desk, Notes::default());
        let mut frame = I420Frame::default();
        let looks = (take.length.as_secs_f64() * f64::from(take.looks_a_second)) as u32;
        for look in 0..looks {
            let at = Duration::from_secs(1) * look / take.looks_a_second;
            scene.render(at, &mut frame);
            watch
                .picture(
                    Stamp::after(Timestamp::UNIX_EPOCH, at),
                    &Planes::i420(frame.planes(), frame.width, frame.height),
                )
                .map_err(ProofError::client)?;
        }
        Ok(watch.into_sink().0)
    }
}

/// A site with one camera and the detector of this folder.
pub(crate) fn config(model: &Path, looks_a_second: u32, camera: &str) -> Result<Config, ProofError> {
    let folder = tempfile::tempdir()?;
    let (models, name) = (model.parent().unwrap_or(model), model.file_name().unwrap_or_default().to_string_lossy());
    let head = head("mqtt://127.0.0.1", folder.path(), models);
    let file = folder.path().join("site.toml");
    let text = format!(
        r#"{head}[[camera]]
id = "camera"
url = "rtsp://127.0.0.1/camera"
model = "{name}"
purpose = "proof"
detections_per_second = {looks_a_second}
{camera}"#
    );
    fs::write(&file, text)?;
    Config::load(&file).map_err(ProofError::client)
}

#[derive(Default)]
struct Notes(Vec<Opened>);

impl Sink for Notes {
    fn commit(&mut self, step: &mut Step, _: Option<&Planes<'_>>) -> bool {
        if step.alert.incident.phase == Phase::Open {
            self.0.push((step.alert.rule.id.to_string(), step.at.mono));
        }
        true
    }
}
