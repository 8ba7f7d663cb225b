//! The noted events of real clips, through `karaul replay` and through real RTSP and MQTT.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test ends at the first surprise")]

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use karaul_stage::{Agent, Broker, Heard, Simulator, Subscriber, binary};
use karaul_tests::{FetchedModels, TestSite, data, delivered};
use karaul_wire::{AlertEvent, CameraState, Phase};

/// Six people enter on the left and leave on the right.
const ONE_BY_ONE: &str = r#"
[camera.line.exit]
points = [[0.75, 1.0], [0.75, 0.0]]
[[camera.rule]]
id = "leaves"
kind = "line_crossing"
line = "exit"
classes = ["person"]
direction = "left-to-right"
[[camera.rule]]
id = "returns"
kind = "line_crossing"
line = "exit"
classes = ["person"]
direction = "right-to-left"
"#;

/// One cyclist on the hard shoulder; the zone is the one of the material's notes.
const MOTORWAY: &str = r#"
[camera.zone.shoulder]
points = [[0.68, 1.0], [0.87, 0.5], [0.93, 0.33], [0.97, 0.33], [0.95, 0.55], [0.9, 1.0]]
[[camera.rule]]
id = "on-the-shoulder"
kind = "intrusion"
zone = "shoulder"
classes = ["person"]
min_score = 0.4
dwell = "1s"
"#;

/// Bottles, and nothing that anybody should hear of. YOLOX-Nano takes what reaches in at the left edge for a person,
/// for up to 1.0 s at a time; the dwell is that of the design's example.
const BOTTLES: &str = r#"
[camera.zone.all]
points = [[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]]
[[camera.rule]]
id = "anybody"
kind = "intrusion"
zone = "all"
classes = ["person", "bicycle", "car", "motorcycle", "bus", "truck"]
dwell = "2s"
"#;

const CLIPS: [(&str, &str, &str, &str); 3] = [
    ("one-by-one", "videos/intel-one-by-one-person.mp4", "yolox-nano", ONE_BY_ONE),
    ("motorway", "videos/motorway-cyclist-320x240.avi", "picodet-s", MOTORWAY),
    ("bottles", "videos/intel-bottles.mp4", "yolox-nano", BOTTLES),
];

/// Opened incidents by rule.
fn count<'a>(events: impl Iterator<Item = &'a AlertEvent>) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for event in events.filter(|e| e.data.incident.phase == Phase::Open) {
        *counts.entry(event.data.rule.id.to_string()).or_default() += 1;
    }
    counts
}

fn expected(camera: &str) -> BTreeMap<String, usize> {
    match camera {
        "one-by-one" => BTreeMap::from([("leaves".to_owned(), 6)]),
        "motorway" => BTreeMap::from([("on-the-shoulder".to_owned(), 1)]),
        _ => BTreeMap::new(),
    }
}

fn replay(config: &Path, camera: &str, clip: &Path) -> String {
    let mut command = Command::new(binary("karaul"));
    command.arg("replay").arg("--config").arg(config).arg("--camera").arg(camera).arg(clip);
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn replays_find_the_noted_events_and_are_the_same_every_time() {
    let Some(models) = FetchedModels::new(&["yolox-nano", "picodet-s"]) else { return };
    let clips: Option<Vec<PathBuf>> = CLIPS.iter().map(|(_, clip, ..)| data(clip)).collect();
    let Some(clips) = clips else { return };
    let mut site = TestSite::with_models("mqtt://127.0.0.1:1", models.path());
    for (id, _, model, rules) in CLIPS {
        site = site.camera(id, "rtsp://192.0.2.1/none", model, rules);
    }
    let config = site.write();
    for ((id, ..), clip) in CLIPS.iter().zip(&clips) {
        let first = replay(&config, id, clip);
        let events: Vec<AlertEvent> = first.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(count(events.iter()), expected(id), "{id}");
        assert_eq!(first, replay(&config, id, clip), "{id}: byte for byte");
    }
}

/// All three clips at once as three cameras, in real time: 140 s.
#[test]
fn cameras_find_the_noted_events() {
    let Some(models) = FetchedModels::new(&["yolox-nano", "picodet-s"]) else { return };
    let clips: Option<Vec<PathBuf>> = CLIPS.iter().map(|(_, clip, ..)| data(clip)).collect();
    let Some(clips) = clips else { return };
    let mounts: Vec<_> = CLIPS
        .iter()
        .zip(&clips)
        .map(|((id, ..), clip)| format!("/{id}=file:{},once", clip.canonicalize().unwrap().display()))
        .collect();
    let simulator = Simulator::start(0, &mounts, &[]).unwrap();
    let broker = Broker::start(0).unwrap();
    let mut subscriber = Subscriber::start(broker.port, "centre").unwrap();
    let mut site = TestSite::with_models(&broker.url(), models.path());
    for ((id, _, model, rules), url) in CLIPS.iter().zip(&simulator.urls) {
        site = site.camera(id, url, model, rules);
    }
    let mut agent = Agent::start(&site.write()).unwrap();

    // Each clip is shown once and then stands still.
    let heard = subscriber.collect(Duration::from_secs(150), |_| false);
    agent.program.stop(Duration::from_secs(10)).unwrap().expect("it stops");
    let all = delivered(&heard);
    assert_eq!(all.faults, Vec::<String>::new());
    for (id, ..) in CLIPS {
        let sees = |h: &Heard| matches!(h, Heard::Camera(c, s) if c == id && s.state == CameraState::Seeing);
        assert!(heard.iter().any(sees), "{id} never saw");
        assert_eq!(count(all.alerts.values().filter(|a| a.data.location.camera.as_str() == id)), expected(id), "{id}");
    }
}
