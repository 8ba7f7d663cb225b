//! Each rendered story, seen by a camera's whole way from picture to incident: its rule reports what the story says, and
//! nothing else. The boxes are the story's own, with a tremble, so the engine is tested and no model.

#![allow(clippy::unwrap_used, reason = "a test ends at the first surprise")]

use std::{cell::RefCell, fs, rc::Rc, time::Duration};

use jiff::Timestamp;
use karaul::{
    clock::Stamp,
    config::Config,
    incident::{Desk, Step},
    site::{Detect, Sink, Watch},
    vision::{Detection, Planes, Rect, VisionError},
};
use karaul_scene::{Class, Effect, I420Frame, Light, Scene, SceneOptions, Script, Story};
use karaul_tests::{TestSite, repository};
use karaul_wire::{ClockSource, CloseReason, Phase};

/// What the boxes' model knows.
const LABELS: &str = "labels = [\"person\", \"car\", \"dog\"]";
/// Of whom less can be seen is not detected.
const LEAST_VISIBLE: f32 = 0.3;
/// A box trembles by this share of its size.
const TREMBLE: f32 = 0.02;
const SCORE: f32 = 0.8;

/// Gives the boxes that it was given.
#[derive(Clone, Default)]
struct Given {
    next: Rc<RefCell<Vec<Detection>>>,
    shown: Vec<Detection>,
}

impl Detect for Given {
    fn detect(&mut self, _: &Planes<'_>) -> Result<&[Detection], VisionError> {
        self.shown.clone_from(&self.next.borrow());
        Ok(&self.shown)
    }
}

/// Incidents that were opened and closed: by which rule, and when.
#[derive(Default)]
struct Notes(Vec<(String, Phase, Duration)>);

impl Sink for Notes {
    fn commit(&mut self, step: &mut Step, _: Option<&Planes<'_>>) -> bool {
        self.0.push((step.alert.rule.id.to_string(), step.alert.incident.phase, step.at.mono));
        true
    }
}

/// A site with one camera, and a model of three labels that nobody runs.
fn site(more: &str, per_second: u32, sight: bool) -> Config {
    let folder = tempfile::tempdir().unwrap();
    let model = folder.path().join("truth");
    fs::create_dir(&model).unwrap();
    let text = fs::read_to_string(repository("models/yard-nano/model.toml")).unwrap();
    let text = text.replace("\"yard-nano\"", "\"truth\"").replace("labels = [\"person\", \"car\"]", LABELS);
    assert!(text.contains(LABELS), "the manifest is written otherwise");
    fs::write(model.join("model.toml"), text).unwrap();
    let more = format!("detections_per_second = {per_second}\n[camera.sight]\nenabled = {sight}\n{more}");
    let site =
        TestSite::with_models("mqtt://127.0.0.1:1", folder.path()).camera("gate", "rtsp://192.0.2.1/x", "truth", &more);
    Config::load(&site.write()).unwrap_or_else(|problems| panic!("{more}\n{problems}"))
}

fn scene(story: Story, width: usize) -> Scene {
    let options = SceneOptions {
        width,
        height: width / 16 * 9,
        script: Script::Story(story),
        light: Light::Day,
        ..SceneOptions::default()
    };
    Scene::new(options).unwrap()
}

/// The boxes at this time, trembling; bags are for the scenery.
fn boxes(scene: &Scene, at: Duration, random: &mut fastrand::Rng) -> Vec<Detection> {
    let mut found = Vec::new();
    for object in scene.objects(at).iter().filter(|object| object.visible >= LEAST_VISIBLE) {
        let class = match object.class {
            Class::Person => 0,
            Class::Car => 1,
            Class::Dog => 2,
            Class::Bag => continue,
        };
        let [x, y, w, h] = object.bbox;
        let mut off = |size: f32| size * TREMBLE * (2.0 * random.f32() - 1.0);
        let edges = [x + off(w), y + off(h), x + w + off(w), y + h + off(h)].map(|edge| edge.clamp(0.0, 1.0));
        found.push(Detection { bbox: Rect::from_edges(edges[0], edges[1], edges[2], edges[3]), score: SCORE, class });
    }
    found
}

/// Whether a rule looks at the picture itself.
fn needs_pixels(story: Story) -> bool {
    matches!(story, Story::AbandonedObject | Story::RemovedObject)
}

/// Plays one loop of a story: what was opened, by its own rule.
fn play(story: Story, per_second: u32) -> Vec<Duration> {
    let pixels = needs_pixels(story);
    let config = site(&story.config(), per_second, pixels);
    let scene = scene(story, if pixels { 640 } else { 320 });
    let given = Given::default();
    let next = Rc::clone(&given.next);
    let camera = &config.cameras[0];
    let desk = Desk::new(camera, &config.site.languages, "CPU", ClockSource::Recording, None);
    let mut watch = Watch::new(camera, given, desk, Notes::default());
    let mut random = fastrand::Rng::with_seed(7);
    let mut frame = I420Frame::new(64, 36);
    frame.data.fill(128);
    let looks = scene.period().as_secs() as u32 * per_second;
    for look in 0..looks {
        let at = Duration::from_secs(1) * look / per_second;
        *next.borrow_mut() = boxes(&scene, at, &mut random);
        if pixels {
            scene.render(at, &mut frame);
        }
        watch
            .picture(Stamp::after(Timestamp::UNIX_EPOCH, at), &Planes::i420(frame.planes(), frame.width, frame.height))
            .unwrap();
    }
    watch.end_all(Stamp::after(Timestamp::UNIX_EPOCH, scene.period()), CloseReason::Stopped);
    let rule = story.events()[0].rule;
    let opened = |(id, phase, _): &(String, Phase, Duration)| id == rule && *phase == Phase::Open;
    watch.into_sink().0.into_iter().filter(opened).map(|(.., at)| at).collect()
}

#[test]
fn the_config_of_each_story_is_read_without_a_word() {
    for story in Story::ALL {
        let rule = story.events()[0].rule;
        assert!(site(&story.config(), 5, true).cameras[0].rules.iter().any(|r| r.id.as_str() == rule), "{story:?}");
    }
}

/// Plays stories: what is wrong with what was told.
fn faults(stories: impl Iterator<Item = Story>) -> Vec<String> {
    let mut wrong = Vec::new();
    for story in stories {
        let told = story.judge(&play(story, 5));
        println!("{}: {told:?}", story.name());
        if !told.all_and_no_more() {
            wrong.push(format!("{}: {told:?}", story.name()));
        }
    }
    wrong
}

#[test]
fn each_story_is_told_and_nothing_else() {
    let wrong = faults(Story::ALL.into_iter().filter(|story| !needs_pixels(*story)));
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_bag_that_was_left_is_told_though_others_pass_it() {
    let wrong = faults([Story::AbandonedObject].into_iter());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_parcel_that_was_taken_is_told() {
    let wrong = faults([Story::RemovedObject].into_iter());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_line_counts_the_same_at_every_rate() {
    let truth = Story::Passers.events().len();
    let mut counts = Vec::new();
    for per_second in [25, 10, 5] {
        let opened = play(Story::Passers, per_second);
        let told = Story::Passers.judge(&opened);
        println!("{per_second} a second: {} counted, further {:?}", opened.len(), told.further);
        counts.push(opened.len());
    }
    assert!(counts.iter().all(|count| *count == truth), "{counts:?} of {truth}");
}

/// The yard is watched, from this second on something is done to the camera, and from the other on all is as before.
const DONE: [u64; 2] = [60, 130];

#[test]
fn what_is_done_to_a_camera_is_told_and_what_passes_before_it_is_not() {
    let rule = "learn = \"30s\"\n[[camera.rule]]\nid = \"tampered\"\nkind = \"camera_tampering\"\n";
    let config = site(rule, 5, true);
    let camera = &config.cameras[0];
    // Dirt shines in infra-red light only.
    let effects = Effect::ALL.into_iter().filter(|effect| *effect != Effect::Dirt);
    let watch = || {
        let desk = Desk::new(camera, &config.site.languages, "CPU", ClockSource::Recording, None);
        Watch::new(camera, Given::default(), desk, Notes::default())
    };
    let mut watched: Vec<_> = effects.map(|effect| (effect, watch())).collect();
    let yard = SceneOptions { width: 320, height: 180, light: Light::Day, ..SceneOptions::default() };
    let scene = Scene::new(yard).unwrap();
    let [from, to] = DONE.map(Duration::from_secs);
    let (mut frame, mut seen) = (I420Frame::default(), I420Frame::default());
    for look in 0..5 * (DONE[1] as u32 + 20) {
        let at = Duration::from_millis(200) * look;
        scene.render(at, &mut frame);
        for (effect, watch) in &mut watched {
            seen.clone_from(&frame);
            if (from..to).contains(&at) {
                effect.apply(at - from, &mut seen);
            }
            let planes = Planes::i420(seen.planes(), seen.width, seen.height);
            watch.picture(Stamp::after(Timestamp::UNIX_EPOCH, at), &planes).unwrap();
        }
    }
    for (effect, watch) in watched {
        let told = watch.into_sink().0;
        println!("{}: {told:?}", effect.name());
        match &told[..] {
            [(_, Phase::Open, opened), .., (_, Phase::Close, closed)] if effect.blinds() => {
                // Sight takes up to ten seconds, and then the rule its dwell of ten.
                assert!((from..from + Duration::from_secs(21)).contains(opened), "{effect:?}: {opened:?}");
                assert!((to..to + Duration::from_secs(15)).contains(closed), "{effect:?}: {closed:?}");
                assert_eq!(told.iter().filter(|(_, phase, _)| *phase == Phase::Open).count(), 1, "{effect:?}");
            }
            [] if !effect.blinds() => {}
            _ => panic!("{effect:?}: {told:?}"),
        }
    }
}
