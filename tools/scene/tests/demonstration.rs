//! The demonstration keeps its promises: the same picture every time, boxes where the pixels are, events on time.

use std::collections::HashMap;
use std::time::Duration;

use karaul_scene::{Class, EVENTS, EventKind, FENCE_LINE, I420Frame, Light, Scene, SceneOptions, Script, YARD_ZONE};

fn scene(width: usize, script: Script, light: Light, noise: f32) -> Scene {
    let options = SceneOptions { width, height: width / 16 * 9, script, light, weather: None, noise, seed: 1 };
    Scene::new(options).expect("the options are in range")
}

fn picture(scene: &Scene, seconds: f64) -> I420Frame {
    let mut frame = I420Frame::default();
    scene.render(Duration::from_secs_f64(seconds), &mut frame);
    frame
}

#[test]
fn the_same_moment_gives_the_same_picture_in_any_order_and_thread() {
    let first = scene(320, Script::Yard, Light::Day, 1.0);
    let expected = [5.0, 34.0, 43.0].map(|t| picture(&first, t));
    let elsewhere = std::thread::spawn(|| {
        let second = scene(320, Script::Yard, Light::Day, 1.0);
        [43.0, 34.0, 5.0].map(|t| picture(&second, t))
    });
    let mut backwards = elsewhere.join().expect("the thread renders and ends");
    backwards.reverse();
    assert!(expected == backwards, "pictures differ between threads");
    assert_ne!(expected[0], expected[1]);
}

#[test]
fn the_loop_has_no_seam() {
    let cycle = Light::Cycle { period: Duration::from_secs(120) };
    for light in [Light::Day, Light::Night, cycle] {
        let scene = scene(320, Script::Yard, light, 1.0);
        let period = scene.period().as_secs_f64();
        assert_eq!(period, if light == cycle { 120.0 } else { 60.0 });
        assert!(picture(&scene, 0.0) == picture(&scene, period), "{light:?} jumps at the end of the loop");
        assert_eq!(scene.objects(Duration::ZERO), scene.objects(scene.period()));
    }
    // Nor does anybody jump just before it.
    let scene = scene(640, Script::Yard, Light::Day, 0.0);
    let before = scene.objects(Duration::from_millis(59_950));
    let after = scene.objects(Duration::from_millis(60_000));
    assert_eq!((before.len(), after.len()), (1, 1));
    assert!((before[0].foot()[0] - after[0].foot()[0]).abs() < 0.01);
}

#[test]
fn the_camera_turns_grey_for_the_night() {
    let scene = scene(320, Script::Yard, Light::Cycle { period: Duration::from_secs(120) }, 0.0);
    let brightness = |frame: &I420Frame| frame.planes()[0].iter().map(|&v| u64::from(v)).sum::<u64>();
    let is_grey = |frame: &I420Frame| frame.planes()[1..].iter().all(|plane| plane.iter().all(|&v| v == 128));
    let [day, dusk, night] = [58.0, 59.9, 60.0].map(|t| picture(&scene, t));
    assert!(brightness(&dusk) < brightness(&day));
    assert_eq!([&day, &dusk, &night].map(is_grey), [false, false, true]);
    assert_eq!([58.0, 60.0, 119.9].map(|t| scene.is_night(Duration::from_secs_f64(t))), [false, true, true]);
}

#[test]
fn boxes_hold_the_pixels_that_differ_from_the_empty_yard() {
    for (light, threshold) in [(Light::Day, 14), (Light::Night, 10)] {
        let (with, without) = (scene(640, Script::Yard, light, 0.0), scene(640, Script::Empty, light, 0.0));
        let empty = picture(&without, 0.0);
        for seconds in [7.0, 14.5, 41.7, 44.9, 52.0] {
            let frame = picture(&with, seconds);
            let differs = |x: usize, y: usize| frame.data[y * 640 + x].abs_diff(empty.data[y * 640 + x]) > threshold;
            for object in with.objects(Duration::from_secs_f64(seconds)) {
                let [left, top, width, height] = object.bbox;
                let (x0, x1) = ((left * 640.0) as usize, ((left + width) * 640.0).ceil() as usize);
                let (y0, y1) = ((top * 360.0) as usize, ((top + height) * 360.0).ceil() as usize);
                // The shadow on the ground also differs: look at the upper half, where there is none.
                let middle = (y0 + y1) / 2;
                let columns: Vec<usize> = (x0.saturating_sub(6)..(x1 + 6).min(640))
                    .filter(|&x| (y0..middle).any(|y| differs(x, y)))
                    .collect();
                let rows: Vec<usize> =
                    (y0.saturating_sub(8)..middle).filter(|&y| (x0..x1).any(|x| differs(x, y))).collect();
                let what = format!("{light:?} at {seconds} s: {object:?}");
                let (first, last) = (columns.first().copied(), columns.last().copied());
                assert!(first.is_some_and(|x| x + 3 >= x0), "left of {what}: {first:?}");
                assert!(last.is_some_and(|x| x <= x1 + 2), "right of {what}: {last:?}");
                assert!(rows.first().is_some_and(|&y| y.abs_diff(y0) <= 3), "top of {what}: {rows:?}");
                let filled =
                    (y0..middle).flat_map(|y| (x0..x1).map(move |x| (x, y))).filter(|&(x, y)| differs(x, y)).count();
                assert!(filled * 8 > (middle - y0) * (x1 - x0), "{what} is mostly empty");
            }
        }
    }
}

/// Even-odd rule (Shimrat 1962).
fn inside(zone: &[[f32; 2]], [x, y]: [f32; 2]) -> bool {
    let edges = zone.iter().zip(zone.iter().cycle().skip(1));
    edges.filter(|(a, b)| (a[1] > y) != (b[1] > y) && x < (b[0] - a[0]) * (y - a[1]) / (b[1] - a[1]) + a[0]).count() % 2
        == 1
}

#[test]
fn the_table_of_events_is_what_happens() {
    let scene = scene(640, Script::Yard, Light::Day, 0.0);
    let mut last: HashMap<u32, [f32; 2]> = HashMap::new();
    let mut happened = Vec::new();
    let [[line_from, line_y], [line_to, _]] = FENCE_LINE;
    for step in 0..600 {
        let at = Duration::from_millis(step * 100);
        let now: HashMap<u32, ([f32; 2], Class)> =
            scene.objects(at).iter().map(|o| (o.id, (o.foot(), o.class))).collect();
        for (&id, &(foot, class)) in &now {
            let Some(&before) = last.get(&id) else { continue };
            let on_line = (line_from..=line_to).contains(&foot[0]);
            match (before[1] > line_y, foot[1] > line_y) {
                (false, true) if on_line => happened.push((at, id, class, EventKind::CrossingIn)),
                (true, false) if on_line => happened.push((at, id, class, EventKind::CrossingOut)),
                _ => {}
            }
            match (inside(&YARD_ZONE, before), inside(&YARD_ZONE, foot)) {
                (false, true) => happened.push((at, id, class, EventKind::ZoneEntry)),
                (true, false) => happened.push((at, id, class, EventKind::ZoneExit)),
                _ => {}
            }
        }
        last = now.into_iter().map(|(id, (foot, _))| (id, foot)).collect();
    }
    assert_eq!(happened.len(), EVENTS.len(), "{happened:?}");
    for (event, (at, id, class, kind)) in EVENTS.iter().zip(&happened) {
        assert_eq!((event.object, event.class, event.kind), (*id, *class, *kind), "at {at:?}");
        assert!(event.at.abs_diff(*at) <= Duration::from_millis(100), "{event:?} happens at {at:?}");
    }
}

#[test]
fn persons_are_as_large_as_promised_and_mostly_unhidden() {
    let scene = scene(640, Script::Yard, Light::Day, 0.0);
    let all: Vec<_> = (0..120).flat_map(|i| scene.objects(Duration::from_millis(i * 500))).collect();
    let whole: Vec<_> = all.iter().filter(|o| o.class == Class::Person && o.fully_visible()).collect();
    assert!(whole.len() > 70, "only {} whole persons in 120 pictures", whole.len());
    for object in &whole {
        assert!((60.0..200.0).contains(&(object.bbox[3] * 360.0)), "{object:?}");
    }
    let hidden = all.iter().filter(|o| o.visible < 0.9 && !o.cut_by_border).count();
    assert!(hidden > 10, "the fence and the crossing hide somebody now and then");
}

#[test]
fn the_empty_yard_is_empty_and_wrong_options_are_explained() {
    assert!(scene(320, Script::Empty, Light::Day, 1.0).objects(Duration::from_secs(7)).is_empty());
    let refused = |options| Scene::new(options).expect_err("the option is wrong").to_string();
    assert_eq!(
        refused(SceneOptions { width: 641, ..SceneOptions::default() }),
        "a picture of 641x360 cannot be rendered: both sides must be even and between 64 and 4096"
    );
    assert_eq!(
        refused(SceneOptions { noise: 9.0, ..SceneOptions::default() }),
        "a noise of 9 cannot be rendered: give a number from 0 to 4"
    );
    let light = Light::Cycle { period: Duration::from_secs(3) };
    assert_eq!(
        refused(SceneOptions { light, ..SceneOptions::default() }),
        "day and night cannot change every 3s: the period must be a whole number of seconds from 10 s to 1 h"
    );
}

#[test]
fn random_scenes_differ_and_loop() {
    let mut frames = Vec::new();
    for number in 1..6 {
        let scene = scene(128, Script::Random(number), Light::Day, 0.0);
        assert!(picture(&scene, 0.0) == picture(&scene, scene.period().as_secs_f64()));
        for object in scene.objects(Duration::from_secs(3)) {
            let [x, y, w, h] = object.bbox;
            assert!(x >= 0.0 && y >= 0.0 && w > 0.0 && h > 0.0 && x + w <= 1.001 && y + h <= 1.001, "{object:?}");
            assert!((0.0..=1.0).contains(&object.visible));
        }
        frames.push(picture(&scene, 3.0));
    }
    frames.dedup();
    assert_eq!(frames.len(), 5);
}
