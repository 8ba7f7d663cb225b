//! Weather is what it says, the same each time, and leaves the truth empty.

use std::time::Duration;

use karaul_scene::{I420Frame, Light, Scene, SceneOptions, Weather, vacant};

fn picture(options: SceneOptions, millis: u64) -> I420Frame {
    let mut frame = I420Frame::default();
    Scene::new(options).expect("the options are in range").render(Duration::from_millis(millis), &mut frame);
    frame
}

fn mean(frame: &I420Frame) -> f32 {
    frame.planes()[0].iter().map(|v| f32::from(*v)).sum::<f32>() / frame.planes()[0].len() as f32
}

#[test]
fn a_vacant_scene_is_vacant_and_the_same_each_time() {
    let scenes = vacant(128, 72, 7);
    assert_eq!(scenes.len(), 15);
    for (name, options) in scenes {
        let scene = Scene::new(options).expect("the options are in range");
        let moments = [0, 3_040, 31_000, 59_000].map(Duration::from_millis);
        assert!(moments.iter().all(|t| scene.objects(*t).is_empty()), "{name}");
        assert!(picture(options, 3_040) == picture(options, 3_040), "{name}");
        assert!(picture(options, 3_040) != picture(options, 3_080), "{name} stands still");
        let again = 3_040 + scene.period().as_millis() as u64;
        assert!(picture(options, 3_040) == picture(options, again), "{name} has a seam");
        if options.weather.is_some() {
            assert_eq!(scene.period(), Duration::from_secs(600), "{name}");
        }
    }
}

#[test]
fn all_weather_changes_the_picture_within_its_time_and_leaves_it_a_picture() {
    for light in [Light::Day, Light::Night] {
        for weather in Weather::ALL {
            let dry = SceneOptions {
                width: 128,
                height: 72,
                script: karaul_scene::Script::Empty,
                light,
                noise: 0.0,
                ..SceneOptions::default()
            };
            let wet = SceneOptions { weather: Some(weather), ..dry };
            let clear = picture(dry, 0);
            let scene = Scene::new(wet).expect("the options are in range");
            let mut frame = I420Frame::default();
            let mut most = 0;
            for second in 0..30 {
                scene.render(Duration::from_millis(second * 1_000 + 500), &mut frame);
                let changed =
                    frame.planes()[0].iter().zip(clear.planes()[0]).filter(|(a, b)| a.abs_diff(**b) > 6).count();
                most = most.max(changed);
                assert!((mean(&frame) - mean(&clear)).abs() < 70.0, "{weather:?} leaves nothing to be seen");
            }
            // The sun has no clouds by night.
            let expected = if weather == Weather::Clouds && light == Light::Night { 0 } else { 12 };
            assert!(most >= expected, "{weather:?}, {light:?}: {most} pixels");
        }
    }
}

#[test]
fn another_seed_is_other_weather() {
    for ((name, a), (_, b)) in vacant(128, 72, 1).into_iter().zip(vacant(128, 72, 2)) {
        let (a, b) = (SceneOptions { noise: 0.0, ..a }, SceneOptions { noise: 0.0, ..b });
        if matches!(a.weather, Some(Weather::Rain | Weather::Snow)) {
            assert!(picture(a, 5_000) != picture(b, 5_000), "{name}");
        }
    }
}
