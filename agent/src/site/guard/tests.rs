//! What becomes of a picture that is not worth watching: told, kept, and said with each alert.

use std::{
    path::Path,
    sync::{
        Mutex,
        atomic::{AtomicBool, Ordering::SeqCst},
    },
};

use karaul_wire::{Alert, BoxPath, CameraState, CameraStatus, ClockSource, Language, Phase};
use tempfile::TempDir;

use super::*;
use crate::{
    clock::SimulatedClock,
    config::{Camera, sample},
    incident::{Desk, Step},
    ledger::Ledger,
    sight::wall::Wall,
    uplink::StateBoard,
    vision::{Detection, Rect, VisionError},
};

/// What the model sees, and whether it works at all.
#[derive(Clone, Default)]
struct Script(Arc<(AtomicBool, AtomicBool)>);

struct Looker {
    script: Script,
    found: Vec<Detection>,
}

impl Detect for Looker {
    fn detect(&mut self, _: &Planes<'_>) -> Result<&[Detection], VisionError> {
        let (person, broken) = &*self.script.0;
        if broken.load(SeqCst) {
            return Err(VisionError::Library { path: "yard-nano".into(), message: "it fell over".to_owned() });
        }
        self.found.clear();
        if person.load(SeqCst) {
            self.found.push(Detection { class: 0, score: 0.9, bbox: Rect { x: 0.4, y: 0.4, w: 0.1, h: 0.3 } });
        }
        Ok(&self.found)
    }
}

/// Keeps the alerts.
#[derive(Clone, Default)]
struct Alerts(Arc<Mutex<Vec<Alert>>>);

impl Sink for Alerts {
    fn commit(&mut self, step: &mut Step, _: Option<&Planes<'_>>) -> bool {
        self.0.lock().unwrap().push(step.alert.clone());
        true
    }
}

/// One camera of a site, in simulated time.
struct Scene {
    folder: TempDir,
    clock: SimulatedClock,
    shared: Shared,
    script: Script,
    alerts: Alerts,
    wall: Wall,
    guard: Guard<Looker, Alerts>,
}

const ZONE: &str = "[[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]]";

/// A rule as TOML.
fn rule(id: &str) -> String {
    format!(
        "[[camera.rule]]\nid = \"{id}\"\nkind = \"intrusion\"\nzone = \"all\"\nclasses = [\"person\"]\ndwell = \
         \"0s\"\ncooldown = \"0s\"\n"
    )
}

/// A camera with these rules in one zone.
fn camera(folder: &Path, zone: &str, rules: &[&str]) -> Camera {
    let rules: String = rules.iter().map(|id| rule(id)).collect();
    let text = sample::head("Asia/Almaty", &["en"])
        + &format!(
            r#"[[camera]]
id = "gate"
url = "rtsp://192.0.2.11/gate"
model = "yard-nano"
purpose = "test"
detections_per_second = 1
[camera.sight]
learn = "30s"
[camera.zone.all]
points = {zone}
{rules}"#
        );
    sample::load(folder, &text).cameras.swap_remove(0)
}

fn guard(folder: &Path, camera: &Camera, shared: &Shared, script: &Script, alerts: &Alerts) -> Guard<Looker, Alerts> {
    let desk = Desk::new(camera, &[Language::En], "cpu", ClockSource::Box, None);
    let looker = Looker { script: script.clone(), found: Vec::new() };
    let rules = camera.rules.iter().map(|rule| rule.id.clone()).collect();
    let view = KeptView::of(folder, camera);
    Guard::new(Watch::new(camera, looker, desk, alerts.clone()), rules, shared.clone(), Some(view))
}

impl Scene {
    /// Its view is learnt.
    fn new(seed: u64) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let clock = SimulatedClock::at("2026-11-22T02:00:00Z".parse().unwrap());
        let now: Arc<dyn Clock> = Arc::new(clock.clone());
        let id = |text: &str| text.parse().unwrap();
        let path = BoxPath { region: id("almaty"), district: id("turksib"), site: id("school-042"), unit: id("b7f3") };
        let ledger = Arc::new(Ledger::new(folder.path(), Arc::clone(&now), None));
        let board = Arc::new(StateBoard::new());
        let shared = Shared {
            light: Light::new(&path, &id("gate"), board, Arc::clone(&now), ledger),
            tally: Arc::default(),
            tray: Arc::default(),
            standing: Arc::new(Standing::open(folder.path(), Arc::clone(&now), None)),
            clock: now,
        };
        let (script, alerts) = (Script::default(), Alerts::default());
        let camera = camera(folder.path(), ZONE, &["any", "other"]);
        let guard = guard(folder.path(), &camera, &shared, &script, &alerts);
        let mut scene = Self { folder, clock, shared, script, alerts, wall: Wall::new(seed), guard };
        scene.guard.seeing();
        scene.go_on(100);
        assert_eq!(scene.status().state, CameraState::Seeing);
        scene
    }

    /// A picture a second.
    fn go_on(&mut self, seconds: u32) {
        for _ in 0..seconds {
            self.clock.advance(Duration::from_secs(1));
            let (guard, now) = (&mut self.guard, self.clock.now());
            self.wall.show(|picture| guard.look(now, picture, false));
        }
    }

    /// What the broker retains.
    fn status(&self) -> CameraStatus {
        self.shared.light.status().unwrap()
    }

    fn blind(&self) -> Option<BlindReason> {
        let status = self.status();
        assert_eq!(status.state == CameraState::Blind, status.reason.is_some());
        status.reason
    }

    fn person(&self, there: bool) {
        self.script.0.0.store(there, SeqCst);
    }

    fn model_fails(&self, fails: bool) {
        self.script.0.1.store(fails, SeqCst);
    }

    /// The alerts since the last call.
    fn told(&self) -> Vec<Alert> {
        std::mem::take(&mut *self.alerts.0.lock().unwrap())
    }

    fn inferred(&self) -> u64 {
        self.shared.tally.inferred.load(Relaxed)
    }

    /// The config is read anew, with this zone and these rules.
    fn reload(&mut self, zone: &str, rules: &[&str]) {
        self.guard.end(CloseReason::Disarmed);
        self.shared.tray = Arc::default();
        self.shared.light.view(None);
        let camera = camera(self.folder.path(), zone, rules);
        self.guard = guard(self.folder.path(), &camera, &self.shared, &self.script, &self.alerts);
        self.guard.seeing();
    }
}

/// How the incidents of both rules ended.
fn ended(alerts: &[Alert]) -> Vec<CloseReason> {
    alerts.iter().filter_map(|alert| alert.incident.close_reason).collect()
}

#[test]
fn a_cover_is_told_and_ends_what_is_open() {
    let mut scene = Scene::new(1);
    scene.person(true);
    scene.go_on(10);
    assert_eq!(scene.told().iter().filter(|alert| alert.incident.phase == Phase::Open).count(), 2);
    scene.wall.covered = true;
    scene.go_on(10);
    let status = scene.status();
    assert_eq!(status.reason, Some(BlindReason::Covered));
    assert_eq!(status.detail, Some(Condition::Covered.to_string()));
    assert_eq!(status.view, None);
    assert_eq!(ended(&scene.told()), [CloseReason::Blind; 2]);
    scene.wall.covered = false;
    scene.go_on(6);
    assert_eq!(scene.blind(), None);
}

#[test]
fn a_turned_camera_says_so_until_it_is_turned_back() {
    let mut scene = Scene::new(2);
    scene.wall.right = 90;
    scene.go_on(10);
    assert_eq!(scene.blind(), Some(BlindReason::Moved));
    let view = scene.status().view.expect("the view is another one");
    assert_eq!(view.rules.iter().map(Segment::as_str).collect::<Vec<_>>(), ["any", "other"]);
    assert!(view.moved >= scene.status().since);

    // The rules go on, and each alert says so.
    scene.person(true);
    scene.go_on(10);
    let alerts = scene.told();
    assert_eq!(alerts.len(), 2);
    assert!(alerts.iter().all(|alert| alert.location.view_moved == Some(view.moved)));

    // It is no less turned for being dark, and not later because of that.
    scene.wall.gain = 0.02;
    scene.go_on(10);
    assert_eq!(scene.blind(), Some(BlindReason::Dark));
    assert_eq!(scene.status().view.as_ref(), Some(&view));
    assert_eq!(ended(&scene.told())[..2], [CloseReason::Blind; 2]);
    scene.wall.gain = 1.0;
    scene.go_on(10);
    assert_eq!((scene.blind(), scene.status().view.as_ref()), (Some(BlindReason::Moved), Some(&view)));
    scene.wall.right = 0;
    scene.go_on(6);
    assert_eq!((scene.blind(), scene.status().view), (None, None));
    scene.told();
    scene.person(false);
    scene.go_on(60);
    scene.person(true);
    scene.go_on(10);
    let opened: Vec<_> = scene.told().into_iter().filter(|alert| alert.incident.phase == Phase::Open).collect();
    assert_eq!(opened.len(), 2);
    assert!(opened.iter().all(|alert| alert.location.view_moved.is_none()));
}

#[test]
fn nobody_is_looked_for_in_a_frozen_picture() {
    let mut scene = Scene::new(3);
    scene.wall.noise = 0;
    scene.go_on(10);
    assert_eq!(scene.blind(), Some(BlindReason::Frozen));
    let before = scene.inferred();
    scene.go_on(60);
    assert_eq!(scene.inferred(), before);
    scene.wall.noise = 3;
    scene.go_on(10);
    assert_eq!(scene.blind(), None);
    assert!(scene.inferred() > before);
}

#[test]
fn a_model_that_fails_ends_what_is_open_whatever_is_wrong_with_the_picture() {
    let mut scene = Scene::new(4);
    for right in [0, 90] {
        scene.wall.right = right;
        scene.person(true);
        scene.go_on(15);
        assert_eq!(scene.blind(), (right > 0).then_some(BlindReason::Moved));
        let opened = |alert: &Alert| alert.incident.phase != Phase::Close;
        assert!(scene.told().last().is_some_and(opened));
        scene.model_fails(true);
        scene.go_on(4);
        assert_eq!(ended(&scene.told()), []);
        scene.go_on(20);
        assert_eq!(scene.blind(), Some(BlindReason::Model));
        assert_eq!(ended(&scene.told()), [CloseReason::Blind; 2], "once");
        scene.model_fails(false);
        scene.person(false);
        scene.go_on(60);
        assert_eq!(scene.blind(), (right > 0).then_some(BlindReason::Moved));
    }
}

#[test]
fn only_a_zone_that_is_drawn_anew_makes_another_view_the_right_one() {
    let mut scene = Scene::new(5);
    scene.wall.right = 90;
    scene.go_on(10);
    assert_eq!(scene.blind(), Some(BlindReason::Moved));
    for rules in [&["other", "any"][..], &["any", "other", "third"], &["any"], &[], &["any"]] {
        scene.reload(ZONE, rules);
        scene.go_on(10);
        assert_eq!(scene.blind(), Some(BlindReason::Moved), "{rules:?}");
        assert_eq!(scene.status().view.unwrap().rules.len(), rules.len());
    }
    scene.reload(&ZONE.replacen("0.0", "0.1", 1), &["any"]);
    scene.go_on(200);
    assert_eq!((scene.blind(), scene.status().view), (None, None));
    // And from now on it is the other way round.
    scene.wall.right = 0;
    scene.go_on(10);
    assert_eq!(scene.blind(), Some(BlindReason::Moved));
}

#[test]
fn a_stream_that_ends_leaves_the_view_as_it_is() {
    let mut scene = Scene::new(6);
    scene.wall.right = 90;
    scene.go_on(10);
    let view = scene.status().view;
    assert!(view.is_some());
    scene.guard.blind(BlindCause::Refused, "camera 192.0.2.11 is away");
    assert_eq!((scene.blind(), scene.status().view), (Some(BlindReason::Offline), view.clone()));
    scene.guard.seeing();
    assert_eq!((scene.blind(), scene.status().view), (Some(BlindReason::Moved), view));
}
