//! Starts, stops and watches everything else.

mod cadence;
mod commands;
mod crew;
mod delivery;
mod guard;
mod pulse;
mod watch;

use std::{
    collections::{BTreeSet, HashMap},
    path::{Path, PathBuf},
    sync::Arc,
    thread,
};

use karaul_wire::{BlindReason, BoxBirth, CameraBirth, ClockSource};
use uuid::Uuid;

pub use self::{
    commands::{Answer, CarryOut, Commands, Outcome},
    watch::{Detect, Sink, Watch, detector},
};
use self::{
    crew::Crew,
    delivery::Delivery,
    guard::{Guard, StatusLight, Tally},
    pulse::Pulse,
};
use crate::{
    camera::{self, CameraError, Counters, StreamSettings, keeper},
    clock::{Clock, SystemClock},
    config::{Camera, Config},
    evidence::{Album, AlbumError},
    incident::Desk,
    stop::Stop,
    uplink::{Link, LinkError, LinkSettings, Outbox, OutboxError, StateBoard},
    vision::{Detector, Model, Runtime, VisionError},
};

/// What all cameras need and cannot be had. Anything that only one camera needs makes
/// that camera blind and disturbs no other.
#[derive(Debug, thiserror::Error)]
pub enum SiteError {
    /// GStreamer.
    #[error(transparent)]
    Camera(#[from] CameraError),
    /// ONNX Runtime.
    #[error(transparent)]
    Vision(#[from] VisionError),
    /// The outbox.
    #[error(transparent)]
    Outbox(#[from] OutboxError),
    /// The link to the broker.
    #[error(transparent)]
    Link(#[from] LinkError),
    /// The pictures.
    #[error(transparent)]
    Album(#[from] AlbumError),
    /// The system gives no thread.
    #[error("cannot start the thread of {name}: {source}")]
    Thread {
        /// What it was for.
        name: String,
        /// What the system said.
        source: std::io::Error,
    },
    /// A thread ended though nobody asked for it.
    #[error(
        "the thread of {name} has ended by itself, a fault of the agent (see the log before); the agent ends so that \
         the service manager starts it anew"
    )]
    Fallen {
        /// What it was for.
        name: String,
    },
}

/// Runs a site until it is told to stop.
///
/// # Errors
/// If something that all cameras need cannot be had, or a thread ends by itself. All others
/// are stopped in order before this returns.
pub fn run(config: &Config, stop: &Stop) -> Result<(), SiteError> {
    camera::init()?;
    let runtime = Runtime::init(config.inference.library.as_deref())?;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let boot_id = boot_id();
    let outbox = Arc::new(Outbox::open(&config.storage.path, config.storage.outbox_quota, Arc::clone(&clock))?);
    let album = Arc::new(Album::open(&config.storage.path.join("evidence"), config.storage.evidence_quota)?);
    let board = Arc::new(StateBoard::new());
    let delivery =
        Delivery { path: config.site.path.clone(), outbox: Arc::clone(&outbox), album, clock: Arc::clone(&clock) };
    delivery.tidy(boot_id, &config.site.languages);
    clear_removed_cameras(config, &outbox, &board);

    let link = Link::start(
        LinkSettings::new(config.broker.clone(), config.site.path.clone(), birth(config, &runtime, boot_id)),
        Arc::clone(&outbox),
        Arc::clone(&board),
        Arc::clone(&clock),
    )?;

    let mut models = Models { config, loaded: HashMap::new() };
    let mut pulse = Pulse::new(&config.site.path, &clock, &outbox, &board);
    // Declared after the link, so that it ends first, however this function is left.
    let mut crew = Crew::new(stop);
    for (index, camera) in config.cameras.iter().enumerate() {
        let mut status = StatusLight::new(&config.site.path, &camera.id, Arc::clone(&board), Arc::clone(&clock));
        if !camera.enabled {
            status.disabled();
            continue;
        }
        let model = match models.get(camera) {
            Ok(model) => model,
            Err(error) => {
                tracing::error!(camera = %camera.id, "{error}");
                status.blind(BlindReason::Model, &error);
                continue;
            }
        };
        let provider = model.provider().as_str();
        tracing::info!(camera = %camera.id, url = %camera.url, model = %camera.model.id, provider, "watching");
        let desk = Desk::new(camera, &config.site.languages, provider, ClockSource::Box, boot_id);
        let watch = Watch::new(camera, detector(model), desk, delivery.clone());
        let (counters, tally) = (Arc::new(Counters::default()), Arc::new(Tally::default()));
        pulse.add(&camera.id, &counters, &tally);
        let guard = Guard::new(watch, status, Arc::clone(&clock), tally);
        crew.add(format!("camera {}", camera.id), watching(camera, index, guard, &clock, counters, stop))?;
    }

    let watched = crew.watch(|| {
        if link.has_ended() {
            return Err(SiteError::Fallen { name: "the broker link".to_owned() });
        }
        delivery.tidy(boot_id, &config.site.languages);
        clear_removed_cameras(config, &outbox, &board);
        pulse.beat(&link);
        Ok(())
    });
    let ended = crew.end();
    delivery.tidy(boot_id, &config.site.languages);
    link.stop();
    // The reason to stop may have been one that only a new process helps against.
    watched.and(ended).and_then(|()| Ok(camera::bearable()?))
}

/// What the thread of one camera does.
fn watching(
    camera: &Camera,
    index: usize,
    mut guard: Guard<Detector, Delivery>,
    clock: &Arc<dyn Clock>,
    counters: Arc<Counters>,
    stop: &Stop,
) -> impl FnOnce() + Send + 'static {
    let settings = StreamSettings::from(camera);
    // Cameras that share no seed do not come back all at once.
    let seed = fastrand::u64(..).wrapping_add(index as u64);
    let (clock, stop) = (Arc::clone(clock), stop.clone());
    move || {
        keeper::run(&settings, &clock, &counters, &stop, seed, &mut guard);
        guard.stop();
    }
}

/// A camera that has gone from the config is still `seeing` at the broker, which retains
/// that. So the topics of all cameras there ever were are remembered on disk, and at each
/// connection those that are not configured any more are cleared.
fn clear_removed_cameras(config: &Config, outbox: &Outbox, board: &StateBoard) {
    let path = &config.site.path;
    let configured: BTreeSet<String> = config.cameras.iter().map(|camera| path.camera_status(&camera.id)).collect();
    let known = outbox.topics();
    if !configured.is_subset(&known) {
        outbox.remember_topics(configured.iter().cloned());
    }
    let ours = format!("{path}/");
    for topic in known.difference(&configured).filter(|topic| topic.starts_with(&ours)) {
        // Not through the outbox: should the camera come back, a clearing that still
        // waits there would undo its new state.
        board.set(topic.clone(), Vec::new());
    }
}

/// Each model is loaded once, whoever uses it.
struct Models<'a> {
    config: &'a Config,
    loaded: HashMap<PathBuf, Result<Arc<Model>, String>>,
}

impl Models<'_> {
    fn get(&mut self, camera: &Camera) -> Result<Arc<Model>, String> {
        let load = || {
            // More sessions than cameras that use the model would only cost memory.
            let uses = |c: &&Camera| c.enabled && c.model.folder == camera.model.folder;
            let users = self.config.cameras.iter().filter(uses).count();
            let cores = thread::available_parallelism().map_or(1, usize::from);
            let mut settings = self.config.inference.clone();
            settings.sessions = settings.sessions.or(Some(users.min(cores)));
            Model::load(&camera.model, &settings).map(Arc::new).map_err(|e| e.to_string())
        };
        self.loaded.entry(camera.model.folder.clone()).or_insert_with(load).clone()
    }
}

fn birth(config: &Config, runtime: &Runtime, boot_id: Option<Uuid>) -> BoxBirth {
    let cameras = config
        .cameras
        .iter()
        .map(|camera| CameraBirth {
            id: camera.id.clone(),
            label: camera.label.clone(),
            purpose: camera.purpose.clone(),
            model: camera.model.id.clone(),
            model_sha256: camera.model.sha256.clone(),
            rules: camera.rules.iter().map(|rule| rule.id.clone()).collect(),
        })
        .collect();
    let schemas = karaul_wire::schemas()
        .into_iter()
        .map(|(name, _)| (name.to_owned(), karaul_wire::schema_address(name)))
        .collect();
    BoxBirth {
        session: 0, // counted by the link at each connection
        agent: env!("CARGO_PKG_VERSION").to_owned(),
        libraries: [("gstreamer", camera::version()), ("onnxruntime", runtime.version())]
            .into_iter()
            .map(|(name, version)| (name.to_owned(), version))
            .collect(),
        cameras,
        schemas,
        boot_id,
        signing_key: None,
    }
}

/// The kernel's boot id: monotonic times can be compared only within one boot.
fn boot_id() -> Option<Uuid> {
    std::fs::read_to_string(Path::new("/proc/sys/kernel/random/boot_id")).ok()?.trim().parse().ok()
}
