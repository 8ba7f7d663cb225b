//! Are the rendered people people? A detector that has seen only photographs answers.

#![allow(clippy::unwrap_used, reason = "a test ends at the first surprise")]

use std::{path::PathBuf, sync::Arc, time::Duration};

use karaul::{
    config::{Inference, Provider},
    vision::{Detector, Layout, Manifest, Matrix, Model, Planes, Range, Rect},
};
use karaul_scene::{Class, I420Frame, Light, Scene, SceneObject, SceneOptions, Script, Story};
use karaul_tests::FetchedModels;

/// Two looks a second at the whole script.
const STEP: Duration = Duration::from_millis(500);

/// How many of the objects that are wanted it finds as one of `labels`, and how many there are.
fn found(
    detector: &mut Detector,
    options: SceneOptions,
    labels: &[u16],
    wanted: impl Fn(Duration, &SceneObject) -> bool,
) -> (usize, usize) {
    let scene = Scene::new(options).unwrap();
    let mut frame = I420Frame::default();
    let (mut found, mut there) = (0, 0);
    let looks = scene.period().as_millis() / STEP.as_millis();
    for look in 0..looks as u32 {
        let at = STEP * look;
        let objects: Vec<SceneObject> =
            scene.objects(at).into_iter().filter(|o| o.fully_visible() && wanted(at, o)).collect();
        if objects.is_empty() {
            continue;
        }
        scene.render(at, &mut frame);
        let (width, height) = (frame.width, frame.height);
        let [y, u, v] = frame.planes();
        let layout = Layout::I420 { y, u, v, y_stride: width, u_stride: width / 2, v_stride: width / 2 };
        let planes = Planes { width, height, layout, range: Range::Limited, matrix: Matrix::Bt601 };
        let mut boxes: Vec<Rect> =
            detector.detect(&planes).unwrap().iter().filter(|d| labels.contains(&d.class)).map(|d| d.bbox).collect();
        for object in objects {
            let [x, y, w, h] = object.bbox;
            let truth = Rect { x, y, w, h };
            there += 1;
            // Each box finds one object.
            let near = (0..boxes.len()).max_by(|a, b| truth.iou(&boxes[*a]).total_cmp(&truth.iou(&boxes[*b])));
            if let Some(i) = near.filter(|i| truth.iou(&boxes[*i]) >= 0.4) {
                boxes.swap_remove(i);
                found += 1;
            }
        }
    }
    (found, there)
}

fn detector(models: &FetchedModels, id: &str) -> (Detector, impl Fn(&str) -> u16) {
    let manifest = Manifest::load(&models.of(id)).unwrap();
    let settings = Inference { models: PathBuf::new(), library: None, provider: Provider::Cpu, sessions: Some(1) };
    let model = Arc::new(Model::load(&manifest, &settings).unwrap());
    let labels = manifest.labels;
    let number = move |name: &str| labels.iter().position(|label| label == name).unwrap() as u16;
    (Detector::new(model).with_score_threshold(0.25), number)
}

#[test]
fn a_detector_trained_on_photographs_finds_the_rendered_persons() {
    let Some(models) = FetchedModels::new(&["yolox-nano"]) else { return };
    let (mut detector, number) = detector(&models, "yolox-nano");
    for (name, light) in [("day", Light::Day), ("night", Light::Night)] {
        let options = SceneOptions { light, ..SceneOptions::default() };
        let (found, there) = found(&mut detector, options, &[number("person")], |_, o| o.class == Class::Person);
        println!("{name}: {found} of {there} fully visible persons found");
        assert!(there > 50, "{name}: there is something to find");
        assert!(found * 10 >= there * 7, "{name}: only {found} of {there} persons found");
    }
}

#[test]
#[ignore = "takes minutes: what detectors that have seen only photographs make of the actors of the stories"]
fn detectors_trained_on_photographs_find_the_actors_of_the_stories() {
    let Some(models) = FetchedModels::new(&["yolox-nano", "picodet-s"]) else { return };
    // The story, who is looked for, under which labels, from when to when, and the least share in tenths.
    type Case = (Story, Class, &'static [&'static str], (u64, u64), usize);
    let cases: [Case; 11] = [
        (Story::Intrusion, Class::Person, &["person"], (0, 99), 7),
        (Story::Crowd, Class::Person, &["person"], (0, 99), 7),
        (Story::Passers, Class::Person, &["person"], (0, 99), 7),
        (Story::Running, Class::Person, &["person"], (22, 30), 7),
        (Story::AbandonedObject, Class::Person, &["person"], (0, 99), 7),
        // What lies on the ground, and bags, are what these detectors are worst at.
        (Story::PersonDown, Class::Person, &["person"], (16, 31), 0),
        (Story::AbandonedObject, Class::Bag, &["suitcase", "handbag", "backpack"], (20, 68), 0),
        (Story::RemovedObject, Class::Bag, &["suitcase", "handbag", "backpack"], (0, 25), 0),
        (Story::Speed, Class::Car, &["car", "truck"], (0, 99), 5),
        (Story::StoppedVehicle, Class::Car, &["car", "truck"], (0, 99), 5),
        (Story::ObjectSeen, Class::Dog, &["dog"], (0, 99), 1),
    ];
    for id in ["yolox-nano", "picodet-s"] {
        let (mut detector, number) = detector(&models, id);
        for (story, class, labels, (from, to), least) in &cases {
            let options = SceneOptions { script: Script::Story(*story), light: Light::Day, ..SceneOptions::default() };
            let labels: Vec<u16> = labels.iter().map(|label| number(label)).collect();
            let span = Duration::from_secs(*from)..Duration::from_secs(*to);
            let (found, there) =
                found(&mut detector, options, &labels, |at, o| o.class == *class && span.contains(&at));
            let what = format!("{id}, {}: {found} of {there} times a {class:?}", story.name());
            println!("{what}");
            assert!(there > 5, "{what}");
            assert!(found * 10 >= there * least, "{what}");
        }
    }
}
