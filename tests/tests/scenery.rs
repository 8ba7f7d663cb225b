//! What is put down in the rendered yard is found by the picture alone, and nothing else is.

#![allow(clippy::unwrap_used, reason = "a test ends at the first surprise")]

use std::time::Duration;

use karaul::{
    rules::geometry::{Point, Polygon},
    scenery::{Patch, Scenery, ScenerySettings},
    vision::{Planes, Rect},
};
use karaul_scene::{I420Frame, Light, Scene, SceneOptions, YARD_ZONE};

/// Five looks a second.
const STEP: Duration = Duration::from_millis(200);

/// A bag in the middle of the yard, where nobody walks through it: left, top, width and height in pixels.
const BAG: [usize; 4] = [420, 190, 18, 16];

/// Paints a bag into a picture, with a lighter handle and the noise that is there.
fn put_down(frame: &mut I420Frame) {
    let [left, top, width, height] = BAG;
    let stride = frame.width;
    for y in top..top + height {
        for x in left..left + width {
            let luma = &mut frame.data[y * stride + x];
            let bag = if y < top + 4 && x.abs_diff(left + width / 2) < 3 { 110 } else { 38 };
            *luma = bag + *luma % 4;
        }
    }
}

/// Looks at the yard for so long; the bag is there from `put` to `fetched`. All that was ever listed, as it was last, and
/// what is listed in the end.
fn watch(light: Light, long: Duration, bag: std::ops::Range<u64>) -> (Vec<Patch>, Vec<Patch>) {
    let scene = Scene::new(SceneOptions { light, ..SceneOptions::default() }).unwrap();
    let zone = Polygon::new(YARD_ZONE.iter().map(|[x, y]| Point::new(*x, *y)).collect()).unwrap();
    let mut scenery = Scenery::new(vec![zone], ScenerySettings::default());
    let mut frame = I420Frame::default();
    let (mut ever, mut last) = (Vec::<Patch>::new(), Vec::new());
    for look in 0..(long.as_millis() / STEP.as_millis()) as u32 {
        let at = STEP * look;
        scene.render(at, &mut frame);
        if bag.contains(&at.as_secs()) {
            put_down(&mut frame);
        }
        let objects = scene.objects(at);
        let boxes = objects.iter().map(|object| {
            let [x, y, w, h] = object.bbox;
            Rect { x, y, w, h }
        });
        let boxes = boxes.collect::<Vec<_>>();
        let planes = Planes::i420(frame.planes(), frame.width, frame.height);
        last = scenery.look(at, &planes, &boxes).to_vec();
        for patch in &last {
            match ever.iter_mut().find(|known| known.id == patch.id) {
                Some(known) => *known = *patch,
                None => {
                    println!("{:.1} s: {patch:?}", at.as_secs_f32());
                    ever.push(*patch);
                }
            }
        }
    }
    (ever, last)
}

#[test]
fn people_who_come_and_go_leave_nothing_by_day_and_night() {
    for light in [Light::Day, Light::Night] {
        let (ever, _) = watch(light, Duration::from_secs(150), 0..0);
        assert_eq!(ever, [], "{light:?}");
    }
}

#[test]
fn a_bag_is_found_by_day_and_night_and_missed_when_it_is_fetched() {
    for light in [Light::Day, Light::Night] {
        let (ever, last) = watch(light, Duration::from_secs(120), 36..100);
        let [patch] = &ever[..] else { panic!("{light:?}: {ever:?}") };
        let [x, y, w, h] = BAG.map(|pixels| pixels as f32);
        let bag = Rect { x: x / 640.0, y: y / 360.0, w: w / 640.0, h: h / 360.0 };
        assert_eq!(patch.appeared, Some(true), "{light:?}");
        assert!(patch.bbox.iou(&bag) > 0.5, "{light:?}: {patch:?} {bag:?}");
        assert_eq!(last, [], "{light:?}");
    }
}
