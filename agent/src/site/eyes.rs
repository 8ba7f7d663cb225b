use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    thread,
};

use karaul_wire::BlindCause;

use super::{Detect, delivery::Delivery, detector, guard::Guard};
use crate::{
    camera::{Counters, EncodedRing, Frame, Observer, StreamSettings, keeper},
    clock::Clock,
    config::{Camera, CameraUrl, Decoder, Inference},
    stop::Stop,
    vision::{Manifest, Model},
};

/// The guard of any camera.
pub(super) type AnyGuard = Guard<Box<dyn Detect + Send>, Delivery>;

/// How cameras are watched: by their streams and models, or by a test's script.
pub(super) trait Eyes: Send + Sync {
    /// What looks at the pictures of a camera, and the name of the execution provider. `users` cameras
    /// use the same model.
    ///
    /// # Errors
    /// One sentence, if the model cannot be used.
    fn detector(&self, camera: &Camera, users: usize) -> Result<(Box<dyn Detect + Send>, &'static str), String>;

    /// Watches until it is told to stop. What is received goes into the ring as well, if there is one.
    fn watch(
        &self,
        camera: &Camera,
        ring: Option<Arc<EncodedRing>>,
        counters: &Arc<Counters>,
        stop: &Stop,
        guard: &mut AnyGuard,
    );

    /// Receives the camera's other stream into the ring until it is told to stop.
    fn receive(&self, camera: &Camera, url: &CameraUrl, ring: Arc<EncodedRing>, stop: &Stop);

    /// These are the cameras that are watched from now on; what they do not need can go.
    fn keep(&self, cameras: &[&Camera]);
}

/// RTSP and ONNX Runtime.
pub(super) struct RealEyes {
    inference: Inference,
    clock: Arc<dyn Clock>,
    models: Mutex<Vec<Loaded>>,
}

/// Needs to be told nothing.
struct Nobody;

impl Observer for Nobody {
    fn frame(&mut self, _: &Frame) {}
    fn seeing(&mut self) {}
    fn blind(&mut self, _: BlindCause, _: &str) {}
}

/// Each model is loaded once, whoever uses it.
struct Loaded {
    manifest: Manifest,
    model: Result<Arc<Model>, String>,
}

impl RealEyes {
    pub(super) fn new(inference: Inference, clock: Arc<dyn Clock>) -> Self {
        Self { inference, clock, models: Mutex::default() }
    }

    fn load(&self, camera: &Camera, users: usize) -> Result<Arc<Model>, String> {
        let manifest = &camera.model;
        let cores = thread::available_parallelism().map_or(1, usize::from);
        // More sessions than cameras that use the model would only cost memory.
        let sessions = self.inference.sessions.unwrap_or(users.min(cores));
        let mut models = self.models();
        if let Some(loaded) = models.iter().find(|loaded| loaded.manifest == *manifest) {
            let model = loaded.model.clone()?;
            if let Err(error) = model.grow(sessions, &self.inference) {
                // Slower for all, but nobody is blind for it.
                tracing::error!(camera = %camera.id, "{error}");
            }
            return Ok(model);
        }
        let settings = Inference { sessions: Some(sessions), ..self.inference.clone() };
        let model = Model::load(manifest, &settings).map(Arc::new).map_err(|e| e.to_string());
        models.push(Loaded { manifest: manifest.clone(), model: model.clone() });
        model
    }

    fn models(&self) -> MutexGuard<'_, Vec<Loaded>> {
        self.models.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Eyes for RealEyes {
    fn detector(&self, camera: &Camera, users: usize) -> Result<(Box<dyn Detect + Send>, &'static str), String> {
        let model = self.load(camera, users)?;
        let provider = model.provider().as_str();
        Ok((Box::new(detector(model)), provider))
    }

    fn watch(
        &self,
        camera: &Camera,
        ring: Option<Arc<EncodedRing>>,
        counters: &Arc<Counters>,
        stop: &Stop,
        guard: &mut AnyGuard,
    ) {
        let settings = StreamSettings { ring, ..StreamSettings::from(camera) };
        // Cameras that share no seed do not come back all at once.
        keeper::run(&settings, &self.clock, counters, stop, fastrand::u64(..), guard);
    }

    fn receive(&self, camera: &Camera, url: &CameraUrl, ring: Arc<EncodedRing>, stop: &Stop) {
        let settings = StreamSettings {
            url: url.clone(),
            ring: Some(ring),
            receive_only: true,
            // There is none, so none is tried out.
            decoder: Decoder::Software,
            ..StreamSettings::from(camera)
        };
        // The camera is none the blinder for it: what it is told, the log tells as well.
        keeper::run(&settings, &self.clock, &Arc::default(), stop, fastrand::u64(..), &mut Nobody);
    }

    fn keep(&self, cameras: &[&Camera]) {
        // One that could not be loaded may be there by now.
        let wanted = |loaded: &Loaded| loaded.model.is_ok() && cameras.iter().any(|c| c.model == loaded.manifest);
        self.models().retain(wanted);
    }
}
