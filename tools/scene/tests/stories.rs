//! The stories keep their promises: what they say happens can be seen, where and when they say it.

use std::time::Duration;

use karaul_scene::{Class, I420Frame, Light, Scene, SceneObject, SceneOptions, Script, Story, StoryEvent};

fn scene(story: Story, width: usize) -> Scene {
    let options = SceneOptions {
        width,
        height: width / 16 * 9,
        script: Script::Story(story),
        light: Light::Day,
        noise: 0.0,
        ..SceneOptions::default()
    };
    Scene::new(options).expect("the options are in range")
}

/// Even-odd rule (Shimrat 1962).
fn inside(zone: &[[f32; 2]], [x, y]: [f32; 2]) -> bool {
    let edges = zone.iter().zip(zone.iter().cycle().skip(1));
    edges.filter(|(a, b)| (a[1] > y) != (b[1] > y) && x < (b[0] - a[0]) * (y - a[1]) / (b[1] - a[1]) + a[0]).count() % 2
        == 1
}

/// On which side of a line a point is: below 0 left, above 0 right.
fn side(line: &[[f32; 2]], [x, y]: [f32; 2]) -> f32 {
    let [a, b] = [line[0], line[1]];
    (b[0] - a[0]) * (y - a[1]) - (b[1] - a[1]) * (x - a[0])
}

fn objects(scene: &Scene, seconds: f32) -> Vec<SceneObject> {
    scene.objects(Duration::from_secs_f32(seconds))
}

/// The foot of an object, if it can be seen.
fn foot(scene: &Scene, id: u32, seconds: f32) -> Option<[f32; 2]> {
    objects(scene, seconds).iter().find(|o| o.id == id).map(SceneObject::foot)
}

fn span(event: &StoryEvent) -> (f32, f32, f32) {
    (event.from.as_secs_f32(), event.to.as_secs_f32(), event.due.as_secs_f32())
}

#[test]
fn every_story_has_events_and_config_of_its_kind() {
    for story in Story::ALL {
        assert_eq!(story.name().parse(), Ok(story));
        let (events, config, period) = (story.events(), story.config(), story.period());
        assert!(!events.is_empty(), "{story:?}");
        assert!((60..=120).contains(&period.as_secs()) && period.as_secs().is_multiple_of(20), "{story:?}: {period:?}");
        assert!(config.contains(&format!("kind = \"{}\"", story.kind())), "{config}");
        for event in &events {
            assert_eq!(event.kind, story.kind());
            assert!(config.contains(&format!("id = \"{}\"", event.rule)), "{config}");
            assert!(config.contains(&format!(".{}]", event.place)), "{event:?}: {config}");
            assert!(event.from <= event.to && event.due < period, "{event:?}");
            assert!(event.due <= event.to || event.from == event.to, "{event:?}");
        }
        for (name, points) in story.zones().into_iter().chain(story.lines()) {
            let in_picture = |p: &[f32; 2]| p.iter().all(|v| *v > 0.0 && *v < 1.0);
            assert!(points.iter().all(in_picture), "{story:?}, {name}: {points:?}");
        }
        for point in story.ground() {
            assert!(point.at.iter().all(|v| (0.0..=1.0).contains(v)), "{story:?}: {point:?}");
        }
    }
}

#[test]
fn the_config_of_a_story_reads_as_an_installer_would_write_it() {
    assert_eq!(
        Story::Loitering.config(),
        "[camera.zone.entrance]\n\
         points = [[0.167, 0.358], [0.468, 0.358], [0.457, 0.538], [0.044, 0.538]]\n\n\
         [[camera.rule]]\nid = \"loitering\"\nkind = \"loitering\"\nzone = \"entrance\"\nclasses = [\"person\"]\n\
         dwell = \"20s\"\n"
    );
    let config = Story::Passers.config();
    assert!(config.contains("kind = \"line_crossing\"\nline = \"middle\"\nclasses = [\"person\"]\n"), "{config}");
}

#[test]
fn objects_stay_in_the_picture_and_come_and_go_at_its_border_or_behind_something() {
    for story in Story::ALL {
        let scene = scene(story, 320);
        let mut last: Vec<SceneObject> = objects(&scene, 0.0);
        for step in 1..=scene.period().as_secs() as u32 * 5 {
            let now = objects(&scene, step as f32 / 5.0);
            // Who runs, or is far away and small, may come out from behind something between two looks.
            let at_edge = |o: &SceneObject| {
                let [x, _, w, _] = o.bbox;
                x < 0.06 || x + w > 0.94 || w < 0.03 || o.visible < 0.9
            };
            for object in &now {
                let [x, y, w, h] = object.bbox;
                assert!(x >= 0.0 && y >= 0.0 && w > 0.0 && h > 0.0 && x + w <= 1.001 && y + h <= 1.001, "{object:?}");
                let known = last.iter().any(|o| o.id == object.id);
                assert!(known || at_edge(object), "{story:?} at {}: {object:?} appears", step as f32 / 5.0);
            }
            for object in last.iter().filter(|o| !at_edge(o)) {
                let stays = now.iter().any(|o| o.id == object.id);
                assert!(stays, "{story:?} at {}: {object:?} vanishes", step as f32 / 5.0);
            }
            last = now;
        }
    }
}

#[test]
fn what_happens_in_a_zone_happens_in_it() {
    for story in Story::ALL {
        let (scene, zones) = (scene(story, 320), story.zones());
        for event in story.events() {
            let Some((_, zone)) = zones.iter().find(|(name, _)| *name == event.place) else { continue };
            let (from, to, _) = span(&event);
            let is_in = |id: u32, t: f32| foot(&scene, id, t).is_some_and(|foot| inside(zone, foot));
            let middle = (from + to) / 2.0;
            // What is carried off is lifted first, and brought back through the picture.
            let looks = if story == Story::RemovedObject { [middle; 3] } else { [from + 0.8, middle, to - 0.8] };
            for t in looks {
                match story {
                    Story::Absence => assert!(!is_in(1, t), "{event:?}: the guard is there at {t}"),
                    Story::RemovedObject => assert!(!is_in(2, t), "{event:?}: the parcel is there at {t}"),
                    Story::Crowd => {
                        let there = event.objects.iter().filter(|id| is_in(**id, t)).count();
                        assert!(there >= 6, "{event:?}: {there} at {t}");
                    }
                    // The runner turns in it and may leave it for a moment.
                    Story::Running => assert!(foot(&scene, 2, t).is_some(), "{event:?}: nobody runs at {t}"),
                    _ => assert!(event.objects.iter().all(|id| is_in(*id, t)), "{event:?}: not in it at {t}"),
                }
            }
            // Before and after it is not so.
            for t in [from - 0.8, to + 0.8] {
                match story {
                    Story::Absence => assert!(is_in(1, t), "{event:?}: no guard at {t}"),
                    Story::Intrusion | Story::Loitering | Story::ObjectSeen | Story::Sequence => {
                        assert!(!is_in(event.objects[0], t), "{event:?}: in it at {t}");
                    }
                    _ => {}
                }
            }
        }
    }
}

#[test]
fn who_crosses_a_line_is_on_its_other_side_afterwards() {
    for story in [Story::LineCrossing, Story::Passers, Story::Tailgating, Story::Occupancy] {
        let (scene, lines) = (scene(story, 320), story.lines());
        for event in story.events() {
            let (_, line) = lines.iter().find(|(name, _)| *name == event.place).expect("a line");
            let at = event.from.as_secs_f32();
            let id = *event.objects.last().expect("somebody");
            let sides: Vec<f32> =
                [at - 0.7, at + 0.7].into_iter().filter_map(|t| Some(side(line, foot(&scene, id, t)?))).collect();
            assert!(sides.len() == 2 && sides[0] * sides[1] < 0.0, "{event:?}: {sides:?}");
        }
    }
    // Who only walks along it, or past it, does not cross it.
    let (scene, [(_, line)]) =
        (scene(Story::LineCrossing, 320), <[_; 1]>::try_from(Story::LineCrossing.lines()).expect("one line"));
    let sides = (0..600).filter_map(|step| Some(side(&line, foot(&scene, 4, step as f32 / 10.0)?)));
    assert!(sides.into_iter().all(|side| side > 0.0));
}

#[test]
fn the_counts_and_times_are_those_of_the_story() {
    let of = |story: Story| story.events().iter().map(|e| (e.objects.clone(), span(e))).collect::<Vec<_>>();
    let one = |story: Story| {
        let events = of(story);
        assert_eq!(events.len(), 1, "{story:?}: {events:?}");
        events.into_iter().next().expect("one")
    };
    assert_eq!(of(Story::Passers).len(), 44);
    let crossed: Vec<Vec<u32>> = of(Story::LineCrossing).into_iter().map(|(objects, _)| objects).collect();
    assert_eq!(crossed, [vec![1], vec![2], vec![3]]);
    // A minute without a guard.
    let (_, (from, to, due)) = one(Story::Absence);
    assert!((55.0..66.0).contains(&(to - from)) && (due - from - 30.0).abs() < 0.1, "{from} to {to}");
    // Three quarters of a minute before the entrance.
    let (who, (from, to, _)) = one(Story::Loitering);
    assert!(who == [1] && to - from > 40.0, "{from} to {to}");
    assert_eq!(one(Story::Crowd).0.len(), 8);
    assert_eq!(one(Story::Group).0, [1, 2, 3]);
    assert_eq!(one(Story::Occupancy).0, [6], "the sixth is one too many");
    assert_eq!(one(Story::WrongWay).0, [4]);
    assert_eq!(one(Story::Tailgating).0, [3, 4]);
    assert_eq!(one(Story::AbandonedObject).1, (17.4, 70.0, 37.4));
    let classes = |story: Story, t: f32| objects(&scene(story, 320), t).iter().map(|o| o.class).collect::<Vec<_>>();
    assert_eq!(classes(Story::AbandonedObject, 28.0), [Class::Bag]);
    assert_eq!(classes(Story::RemovedObject, 5.0), [Class::Bag]);
    assert!(classes(Story::RemovedObject, 36.0).is_empty());
    assert_eq!(classes(Story::ObjectSeen, 26.0), [Class::Dog]);
}

#[test]
fn who_lies_is_wider_than_high_and_who_stands_is_not() {
    let scene = scene(Story::PersonDown, 640);
    let shape = |t: f32| {
        let bbox = objects(&scene, t).iter().find(|o| o.id == 1).expect("the person").bbox;
        bbox[2] * 16.0 / (bbox[3] * 9.0)
    };
    assert!(
        shape(12.5) < 0.7 && shape(20.0) > 1.5 && shape(61.5) < 0.8,
        "{} {} {}",
        shape(12.5),
        shape(20.0),
        shape(61.5)
    );
    // Who breathes is seen to.
    assert!((shape(20.0) - shape(50.0)).abs() < 0.01, "it lies still: {} {}", shape(20.0), shape(50.0));
}

#[test]
fn the_same_moment_gives_the_same_picture_and_the_loop_has_no_seam() {
    let picture = |scene: &Scene, t: Duration| {
        let mut frame = I420Frame::default();
        scene.render(t, &mut frame);
        frame
    };
    for story in Story::ALL {
        let (a, b) = (scene(story, 128), scene(story, 128));
        let t = Duration::from_millis(25_040);
        assert!(picture(&a, t) == picture(&b, t), "{story:?}");
        assert!(picture(&a, t) == picture(&b, t + a.period()), "{story:?}: jumps at the end of the loop");
        let (last, first) = (a.objects(a.period() - Duration::from_millis(40)), a.objects(Duration::ZERO));
        assert_eq!(last.len(), first.len(), "{story:?}");
        for (last, first) in last.iter().zip(&first) {
            assert!((last.foot()[0] - first.foot()[0]).abs() < 0.02, "{story:?}: {last:?} jumps to {first:?}");
        }
    }
}
