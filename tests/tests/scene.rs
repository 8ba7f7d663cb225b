//! Are the rendered people people? A detector that has seen only photographs answers.

#![allow(clippy::unwrap_used, reason = "a test ends at the first surprise")]

use std::{path::PathBuf, sync::Arc, time::Duration};

use karaul::{
    config::{Inference, Provider},
    vision::{Detector, Layout, Manifest, Matrix, Model, Planes, Range, Rect},
};
use karaul_scene::{Class, I420Frame, Light, Scene, SceneOptions};
use karaul_tests::FetchedModels;

/// Two looks a second at the whole script.
const STEP: Duration = Duration::from_millis(500);

/// How many of the fully visible persons it finds, and how many there are.
fn found(detector: &mut Detector, person: u16, light: Light) -> (usize, usize) {
    let scene = Scene::new(SceneOptions { light, ..SceneOptions::default() }).unwrap();
    let mut frame = I420Frame::default();
    let (mut found, mut there) = (0, 0);
    let looks = scene.period().as_millis() / STEP.as_millis();
    for look in 0..looks as u32 {
        let at = STEP * look;
        scene.render(at, &mut frame);
        let (width, height) = (frame.width, frame.height);
        let [y, u, v] = frame.planes();
        let layout = Layout::I420 { y, u, v, y_stride: width, u_stride: width / 2, v_stride: width / 2 };
        let planes = Planes { width, height, layout, range: Range::Limited, matrix: Matrix::Bt601 };
        let mut boxes: Vec<Rect> =
            detector.detect(&planes).unwrap().iter().filter(|d| d.class == person).map(|d| d.bbox).collect();
        for object in scene.objects(at).iter().filter(|o| o.class == Class::Person && o.fully_visible()) {
            let [x, y, w, h] = object.bbox;
            let truth = Rect { x, y, w, h };
            there += 1;
            // Each box finds one person.
            let near = (0..boxes.len()).max_by(|a, b| truth.iou(&boxes[*a]).total_cmp(&truth.iou(&boxes[*b])));
            if let Some(i) = near.filter(|i| truth.iou(&boxes[*i]) >= 0.4) {
                boxes.swap_remove(i);
                found += 1;
            }
        }
    }
    (found, there)
}

#[test]
fn a_detector_trained_on_photographs_finds_the_rendered_persons() {
    let Some(models) = FetchedModels::new(&["yolox-nano"]) else { return };
    let manifest = Manifest::load(&models.of("yolox-nano")).unwrap();
    let person = manifest.labels.iter().position(|label| label == "person").unwrap() as u16;
    let settings = Inference { models: PathBuf::new(), library: None, provider: Provider::Cpu, sessions: Some(1) };
    let model = Arc::new(Model::load(&manifest, &settings).unwrap());
    let mut detector = Detector::new(model).with_score_threshold(0.25);
    for (name, light) in [("day", Light::Day), ("night", Light::Night)] {
        let (found, there) = found(&mut detector, person, light);
        println!("{name}: {found} of {there} fully visible persons found");
        assert!(there > 50, "{name}: there is something to find");
        assert!(found * 10 >= there * 7, "{name}: only {found} of {there} persons found");
    }
}
