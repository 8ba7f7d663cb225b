use std::{
    collections::BTreeMap,
    fmt::Write,
    fs,
    path::Path,
    time::{Duration, Instant},
};

use karaul_simulator::timecode;
use karaul_stage::{Agent, Broker, Heard, Simulator, Subscriber};
use karaul_wire::{AlertEvent, BoxHealth, CameraState, Phase};
use tempfile::TempDir;

use crate::{BenchError, load};

/// Time for streams to settle, models to warm up, and decoding on demand to learn what is usual and fall asleep.
const WARM_UP: Duration = Duration::from_secs(12);
/// The agent tells its counters every 30 s.
const HEALTH: Duration = Duration::from_secs(32);

/// The agent that is measured.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Setup<'a> {
    /// What all its cameras show.
    pub(crate) mount: &'a str,
    /// Folder of the detector.
    pub(crate) model: &'a Path,
    pub(crate) cameras: usize,
    /// Detections a second.
    pub(crate) detections: f64,
    /// As in the config.
    pub(crate) decoding: &'a str,
    /// As in the config.
    pub(crate) detection: &'a str,
}

/// One agent with so many cameras, for a while.
#[derive(Debug)]
pub(crate) struct Run {
    /// Core-milliseconds per camera-second.
    pub(crate) core_ms: f64,
    /// Resident memory at the end.
    pub(crate) memory_mib: f64,
    /// Pictures looked at, per second and camera.
    pub(crate) looks: f64,
    /// Pictures that were replaced by newer ones because the agent was too slow.
    pub(crate) overrun: u64,
    /// From the time code in the picture that fired to the message at a subscriber.
    pub(crate) latencies_ms: Vec<f64>,
}

impl Run {
    pub(crate) fn measure(setup: &Setup<'_>, span: Duration) -> Result<Self, BenchError> {
        let cameras = setup.cameras;
        // One mount for all: the simulator encodes once, and its own cost does not grow.
        let simulator = Simulator::start(0, &[setup.mount.to_owned()], &[])?;
        let broker = Broker::start(0)?;
        let mut subscriber = Subscriber::start(broker.port, "bench")?;
        let folder = tempfile::tempdir().map_err(karaul_stage::StageError::from)?;
        let config = folder.path().join("site.toml");
        let text = site(&folder, &broker.url(), &simulator.urls[0], setup);
        fs::write(&config, text).map_err(karaul_stage::StageError::from)?;
        let mut agent = Agent::start(&config)?;
        let began = Instant::now();

        let mut seeing = BTreeMap::new();
        let limit = Duration::from_secs(30);
        while seeing.len() < cameras {
            match subscriber.next(limit.saturating_sub(began.elapsed())) {
                Some(Heard::Camera(id, status)) if status.state == CameraState::Seeing => {
                    seeing.insert(id, status.since);
                }
                Some(_) => {}
                None => return Err(BenchError::Blind(format!("{} of {cameras}", seeing.len() + 1), limit)),
            }
        }
        let mut latencies_ms = Vec::new();
        let mut health: Vec<BoxHealth> = Vec::new();
        let mut listen = |subscriber: &mut Subscriber, span: Duration| {
            let end = Instant::now() + span;
            while let Some((at, heard)) = subscriber.next_at(end.saturating_duration_since(Instant::now())) {
                match heard {
                    Heard::Alert(event) => latencies_ms.extend(latency(at, &event, folder.path())),
                    Heard::Other(topic, payload) if topic.ends_with("health/box") => {
                        health.extend(serde_json::from_str::<BoxHealth>(&payload).ok());
                    }
                    _ => {}
                }
            }
        };
        listen(&mut subscriber, WARM_UP);
        let pid = agent.program.id();
        let used = load::core_ms_per_second(pid, || listen(&mut subscriber, span));
        let memory_mib = load::memory_mib(pid);
        listen(&mut subscriber, HEALTH.saturating_sub(began.elapsed()));
        let alive = subscriber.is_alive()? && agent.program.wait(Duration::ZERO)?.is_none();
        let (true, Some(used), Some(memory_mib), Some(health)) = (alive, used, memory_mib, health.last()) else {
            return Err(BenchError::Broken(began.elapsed()));
        };
        let looks = health.cameras.iter().filter_map(|(id, counters)| {
            let watched = health.time.duration_since(*seeing.get(id.as_str())?).as_secs_f64();
            Some(counters.inferred as f64 / watched)
        });
        Ok(Self {
            core_ms: used / cameras as f64,
            memory_mib,
            looks: looks.sum::<f64>() / cameras as f64,
            overrun: health.cameras.values().map(|c| c.overrun).sum(),
            latencies_ms,
        })
    }
}

/// Cameras whose rules fire again and again.
fn site(folder: &TempDir, broker: &str, camera: &str, setup: &Setup<'_>) -> String {
    let Setup { model, cameras, detections, decoding, detection, .. } = *setup;
    let models = model.parent().unwrap_or(model).display();
    let name = model.file_name().unwrap_or_default().to_string_lossy();
    let mut text = format!(
        "[site]\nregion = \"bench\"\ndistrict = \"bench\"\nname = \"bench\"\nbox = \"bench\"\ntime_zone = \"UTC\"\nlanguages = [\"en\"]\n\
         [broker]\nurl = \"{broker}\"\n[storage]\npath = \"{}\"\n[inference]\nmodels = \"{models}\"\n",
        folder.path().join("state").display()
    );
    for n in 1..=cameras {
        // Writing to a String cannot fail.
        let _ = write!(
            text,
            "[[camera]]\nid = \"camera-{n}\"\nurl = \"{camera}\"\nmodel = \"{name}\"\npurpose = \"bench\"\n\
             detections_per_second = {detections:?}\ndecoding = \"{decoding}\"\ndetection = \"{detection}\"\n\
             [camera.zone.all]\npoints = [[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]]\n\
             [[camera.rule]]\nid = \"any\"\nkind = \"intrusion\"\nzone = \"all\"\nclasses = [\"person\"]\ndwell = \"0s\"\ncooldown = \"0s\"\n"
        );
    }
    text
}

/// Milliseconds from the time code in the picture that opened an incident to its alert at the subscriber.
fn latency(at: Duration, event: &AlertEvent, folder: &Path) -> Option<f64> {
    if event.data.incident.phase != Phase::Open || event.data.backfill {
        return None;
    }
    let id = event.data.evidence.first()?.id;
    let picture = image::open(folder.join(format!("state/evidence/{id}.jpg"))).ok()?.to_luma8();
    let (width, height) = (picture.width() as usize, picture.height() as usize);
    let taken = timecode::read(picture.as_raw(), width, height, width)?;
    Some(at.saturating_sub(taken).as_secs_f64() * 1000.0)
}
