use std::{
    collections::BTreeMap,
    fs,
    path::Path,
    sync::{
        Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering::SeqCst},
    },
    thread,
    time::{Duration, Instant},
};

use karaul_wire::{AlertEvent, BlindCause, BoxBirth, CameraState, CameraStatus, Phase};
use tempfile::TempDir;

use super::*;
use crate::{
    camera::{Counters, EncodedRing, Observer},
    clock::SystemClock,
    config::{Camera, CameraUrl, sample},
    evidence::Album,
    ledger::Ledger,
    sight::wall::Wall,
    site::{
        Detect,
        eyes::{AnyGuard, Eyes},
    },
    stop::Stop,
    uplink::{Gaps, Link, LinkSettings, Outbox, OutboxSettings, StateBoard},
    vision::{Detection, Layout, Matrix, Planes, Range, Rect, VisionError},
};

const LIMIT: Duration = Duration::from_secs(20);

/// What the camera of a script does.
#[derive(Debug, Default)]
pub(super) struct Scene {
    /// Somebody is in the picture.
    pub(super) person: AtomicBool,
    /// No picture comes, and the thread is busy.
    pub(super) hangs: AtomicBool,
    /// No picture comes.
    pub(super) dark: AtomicBool,
    /// Its model is being loaded, and that takes long.
    pub(super) loading: AtomicBool,
    /// Times that somebody began to watch it.
    pub(super) starts: AtomicU64,
    /// Pictures that it gave.
    pub(super) pictures: AtomicU64,
    /// What is in them; one a second then, in their own time.
    pub(super) wall: Mutex<Option<Wall>>,
}

/// Cameras as a script has them.
#[derive(Debug, Default)]
struct Script {
    scenes: Mutex<BTreeMap<Segment, Arc<Scene>>>,
    stop: Stop,
}

impl Script {
    fn scene(&self, camera: &Segment) -> Arc<Scene> {
        Arc::clone(self.scenes.lock().unwrap().entry(camera.clone()).or_default())
    }
}

struct Looker {
    scene: Arc<Scene>,
    found: Vec<Detection>,
}

impl Detect for Looker {
    fn detect(&mut self, _: &Planes<'_>) -> Result<&[Detection], VisionError> {
        self.found.clear();
        if self.scene.person.load(SeqCst) {
            let bbox = Rect { x: 0.4, y: 0.4, w: 0.1, h: 0.3 };
            self.found.push(Detection { class: 0, score: 0.9, bbox });
        }
        Ok(&self.found)
    }
}

impl Eyes for Script {
    fn detector(&self, camera: &Camera, _: usize) -> Result<(Box<dyn Detect + Send>, &'static str), String> {
        if camera.purpose == "broken" {
            return Err("model \"yard-nano\": it is broken".to_owned());
        }
        let (scene, until) = (self.scene(&camera.id), Instant::now() + LIMIT);
        while scene.loading.load(SeqCst) && Instant::now() < until {
            thread::sleep(Duration::from_millis(5));
        }
        Ok((Box::new(Looker { scene, found: Vec::new() }), "cpu"))
    }

    fn watch(
        &self,
        camera: &Camera,
        _: Option<Arc<EncodedRing>>,
        _: &Arc<Counters>,
        stop: &Stop,
        guard: &mut AnyGuard,
    ) {
        let scene = self.scene(&camera.id);
        scene.starts.fetch_add(1, SeqCst);
        let grey = [128; 64 * 48 * 3];
        let layout = Layout::Rgb { rgb: &grey, stride: 64 * 3 };
        let planes = Planes { width: 64, height: 48, layout, range: Range::Full, matrix: Matrix::Bt601 };
        let (mut saw, mut at) = (None, SystemClock.now());
        while !stop.wait(Duration::from_millis(5)) {
            if scene.hangs.load(SeqCst) {
                continue;
            }
            let sees = !scene.dark.load(SeqCst);
            if saw != Some(sees) {
                saw = Some(sees);
                if sees { guard.seeing() } else { guard.blind(BlindCause::Refused, "camera 192.0.2.11 is away") }
            }
            if sees {
                scene.pictures.fetch_add(1, SeqCst);
                if let Some(wall) = &mut *scene.wall.lock().unwrap() {
                    at.mono += Duration::from_secs(1);
                    wall.show(|picture| guard.look(at, picture, false));
                } else {
                    guard.look(SystemClock.now(), &planes, false);
                }
            } else {
                guard.tick();
            }
        }
    }

    fn receive(&self, _: &Camera, _: &CameraUrl, _: Arc<EncodedRing>, _: &Stop) {}

    fn keep(&self, _: &[&Camera]) {}
}

/// A site with scripted cameras and no broker.
pub(super) struct Stage {
    pub(super) orders: Orders,
    script: Arc<Script>,
    pub(super) board: Arc<StateBoard>,
    pub(super) folder: Arc<TempDir>,
}

/// The TOML of a camera on which everybody is an incident at once, and the next one too.
pub(super) fn camera(id: &str) -> String {
    format!(
        r#"
[[camera]]
id = "{id}"
url = "rtsp://192.0.2.11/{id}"
model = "yard-nano"
purpose = "test"
detections_per_second = 25
[camera.zone.all]
points = [[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]]
[[camera.rule]]
id = "any"
kind = "intrusion"
zone = "all"
classes = ["person"]
dwell = "0s"
cooldown = "0s"
"#
    )
}

pub(super) fn id(text: &str) -> Segment {
    text.parse().unwrap()
}

pub(super) fn nothing_gone() -> Replay {
    Replay { again: 0, under_way: 0, gone: Gaps::default() }
}

impl Stage {
    pub(super) fn new(cameras: &str) -> Self {
        Self::again(Arc::new(tempfile::tempdir().unwrap()), cameras)
    }

    /// What a new process finds.
    pub(super) fn again(folder: Arc<TempDir>, cameras: &str) -> Self {
        write(folder.path(), cameras);
        let file = folder.path().join("site.toml");
        let config = Config::load(&file).unwrap_or_else(|problems| panic!("{problems}"));
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let state = config.storage.path.clone();
        let outbox = Arc::new(Outbox::open(OutboxSettings::new(&state, 64 << 20), Arc::clone(&clock)).unwrap());
        let standing = Arc::new(Standing::open(&state, Arc::clone(&clock), None));
        let board = Arc::new(StateBoard::new());
        let path = config.site.path.clone();
        let delivery = Delivery {
            decisions: Arc::new(crate::decisions::Writer::new(&state)),
            ledger: Arc::new(Ledger::new(&state, Arc::clone(&clock), None)),
            tidying: Arc::default(),
            alarm: Arc::default(),
            path: path.clone(),
            outbox: Arc::clone(&outbox),
            album: Arc::new(Album::open(&state.join("evidence"), 64 << 20).unwrap()),
            outputs: Arc::default(),
            board: Arc::clone(&board),
            clock: Arc::clone(&clock),
            register: Arc::default(),
        };
        let dial = {
            let (board, clock) = (Arc::clone(&board), Arc::clone(&clock));
            move |broker: &_, birth| {
                let settings = LinkSettings::new(Clone::clone(broker), path.clone(), birth);
                Link::start(settings, Arc::clone(&outbox), Arc::clone(&board), Arc::clone(&clock))
            }
        };
        let birth = BoxBirth {
            session: 0,
            agent: String::new(),
            libraries: BTreeMap::new(),
            cameras: Vec::new(),
            schemas: BTreeMap::new(),
            boot_id: None,
            signing_key: None,
            modes: Vec::new(),
            mode: None,
        };
        let line = Arc::new(Line::start(&config.broker, birth, Box::new(dial)).unwrap());
        let script = Arc::new(Script::default());
        let posts = Posts::new(
            config.clone(),
            &script.stop,
            Arc::clone(&script) as Arc<dyn Eyes>,
            delivery.clone(),
            Arc::clone(&standing),
            None,
        );
        posts.take_up(config).unwrap();
        let limits = Limits { errand: Duration::from_secs(5), picture: Duration::from_millis(500) };
        let orders = Orders {
            posts: Arc::new(posts),
            line,
            standing,
            delivery,
            clock,
            boot_id: None,
            file,
            limits,
            changing: Mutex::default(),
        };
        let stage = Self { orders, script, board, folder };
        stage.wait("all cameras are what they are", || {
            stage.orders.posts.all().iter().all(|post| post.shared.light.status().is_some()).then_some(())
        });
        stage
    }

    /// Stops it in order, and leaves its folder to the next.
    pub(super) fn stop(self) -> Arc<TempDir> {
        self.orders.posts.crew.close().unwrap();
        Arc::clone(&self.folder)
    }

    /// Changes the config file.
    pub(super) fn rewrite(&self, cameras: &str) {
        write(self.folder.path(), cameras);
    }

    pub(super) fn scene(&self, camera: &str) -> Arc<Scene> {
        self.script.scene(&id(camera))
    }

    pub(super) fn order(&self, order: Order) -> (ReplyCode, String) {
        let Outcome { code, detail, .. } = self.carry_out(order);
        (code, detail)
    }

    pub(super) fn carry_out(&self, order: Order) -> Outcome {
        self.orders.carry_out(&Command {
            aud: String::new(),
            iat: 0,
            exp: 0,
            jti: Uuid::nil(),
            session: None,
            actor: "duty officer".to_owned(),
            role: id("operator"),
            reason: "a test".to_owned(),
            order,
        })
    }

    pub(super) fn status(&self, camera: &str) -> CameraStatus {
        self.orders.posts.of(&id(camera)).unwrap().shared.light.status().unwrap()
    }

    pub(super) fn wait_for_state(&self, camera: &str, state: CameraState) {
        let post = self.orders.posts.of(&id(camera)).unwrap();
        self.wait("the camera's state", || (post.shared.light.status()?.state == state).then_some(()));
    }

    /// All alerts so far, in order.
    pub(super) fn alerts(&self) -> Vec<AlertEvent> {
        let mut waiting = self.orders.delivery.outbox.next(10_000, 10_000, |_, _| false);
        waiting.sort_by_key(|waiting| waiting.row);
        let alerts = waiting.iter().filter(|waiting| waiting.message.topic.contains("/alert/"));
        alerts.map(|waiting| serde_json::from_slice(&waiting.message.payload).unwrap()).collect()
    }

    /// Lets somebody come into the picture and waits for the incident after `known` of them; its id.
    pub(super) fn somebody_comes(&self, camera: &str, known: usize) -> Uuid {
        self.scene(camera).person.store(true, SeqCst);
        self.wait("the incident", || {
            let alerts = self.alerts();
            let mut opened = alerts.iter().filter(|alert| alert.data.incident.phase == Phase::Open);
            opened.nth(known).map(|alert| alert.data.incident.id)
        })
    }

    /// Waits until the camera has given so many more pictures.
    pub(super) fn pictures(&self, camera: &str, count: u64) {
        let scene = self.scene(camera);
        let wanted = scene.pictures.load(SeqCst) + count;
        self.wait("pictures", || (scene.pictures.load(SeqCst) >= wanted).then_some(()));
    }

    pub(super) fn wait<T>(&self, what: &str, there: impl Fn() -> Option<T>) -> T {
        let until = Instant::now() + LIMIT;
        loop {
            if let Some(found) = there() {
                return found;
            }
            assert!(Instant::now() < until, "{what} did not come");
            thread::sleep(Duration::from_millis(5));
        }
    }
}

fn write(folder: &Path, cameras: &str) {
    let head = sample::head("Asia/Almaty", &["kk", "ru", "en"]);
    // A first line with the modes belongs to the site.
    let (modes, cameras) =
        cameras.split_once('\n').filter(|(line, _)| line.starts_with("modes")).unwrap_or(("", cameras));
    let head = head.replace("[broker]", &format!("{modes}\n[broker]"));
    fs::write(folder.join("site.toml"), format!("{head}[storage]\npath = \"state\"\n{cameras}\n")).unwrap();
}
