mod nothing;
mod stage;

use std::ops::Range;

use proptest::prelude::*;

use self::stage::{BAG, Stage, Thing, zone};
use super::*;

/// The bag stands in the middle of the room from the tenth second on.
fn with_bag(stage: &mut Stage) -> u64 {
    stage.learn();
    stage.things.push(BAG);
    stage.run(4.0);
    let patches = stage.patches();
    assert_eq!(patches.len(), 1, "{patches:?}");
    patches[0].id
}

#[test]
fn a_bag_that_is_put_down_is_listed_where_it_is_and_since_when() {
    let mut stage = Stage::new();
    stage.learn();
    let put_down = stage.now;
    stage.things.push(BAG);
    stage.run(1.5);
    assert_eq!(stage.patches(), [], "it has not settled");
    stage.run(2.5);
    let [patch] = &stage.patches()[..] else { panic!("{:?}", stage.patches()) };
    assert_eq!((patch.zone, patch.appeared, patch.seen), (0, Some(true), true));
    assert!(patch.bbox.iou(&BAG.rect()) > 0.6, "{:?} {:?}", patch.bbox, BAG.rect());
    let late = patch.since.abs_diff(put_down);
    assert!(late < Duration::from_millis(600), "{late:?}");
}

#[test]
fn a_bag_that_is_taken_away_is_told_from_one_put_down() {
    let mut stage = Stage::new();
    stage.things.push(BAG);
    stage.learn();
    stage.things.clear();
    stage.run(4.0);
    let [patch] = &stage.patches()[..] else { panic!("{:?}", stage.patches()) };
    assert_eq!((patch.appeared, patch.seen), (Some(false), true));
}

#[test]
fn a_bag_that_is_fetched_again_is_listed_no_more() {
    let mut stage = Stage::new();
    with_bag(&mut stage);
    stage.things.clear();
    stage.run(2.5);
    assert_eq!(stage.patches(), []);
    stage.run(60.0);
    assert_eq!(stage.most(), 1, "and nothing else comes of it");
}

#[test]
fn a_bag_keeps_its_number_while_people_pass_before_it() {
    let mut stage = Stage::new();
    let id = with_bag(&mut stage);
    let since = stage.patches()[0].since;
    for _ in 0..3 {
        // Somebody stands before it, whose box hides it...
        stage.persons.push((BAG.place.0 - 10, BAG.place.1 - 40));
        stage.run(5.0);
        let patches = stage.patches();
        assert_eq!((patches.len(), patches[0].id, patches[0].seen), (1, id, false));
        stage.persons.clear();
        stage.run(2.0);
        // ...and somebody whom no detector sees.
        stage.things.push(Thing { place: (BAG.place.0 - 5, BAG.place.1 - 30, 30, 60), luma: 20.0, ..BAG });
        stage.run(0.4);
        stage.things.pop();
        stage.run(2.0);
        let patches = stage.patches();
        assert_eq!((patches.len(), patches[0].id, patches[0].since, patches[0].seen), (1, id, since, true));
    }
}

#[test]
fn a_bag_put_down_by_somebody_is_listed_when_he_is_off() {
    let mut stage = Stage::new();
    stage.learn();
    let owner = stage.walk((60, 120), (250, 140), 4.0);
    stage.things.push(Thing { place: (290, 196, 22, 20), ..BAG });
    stage.persons.push(owner);
    stage.run(8.0);
    stage.persons.clear();
    stage.walk(owner, (60, 120), 4.0);
    stage.run(1.0);
    let [patch] = &stage.patches()[..] else { panic!("{:?}", stage.patches()) };
    assert_eq!(patch.appeared, Some(true));
}

#[test]
fn a_bag_on_textured_ground_is_one() {
    let mut stage = Stage::new();
    stage.texture = 25.0;
    with_bag(&mut stage);
    assert_eq!(stage.patches()[0].appeared, Some(true));
    stage.things.clear();
    stage.run(3.0);
    assert_eq!(stage.patches(), []);
}

#[test]
fn what_counts_is_where_it_stands_or_where_most_of_it_is() {
    // Left edge of the zone at 128.
    let bag = |left: usize| Thing { place: (left, 200, 24, 24), ..BAG };
    for (left, listed) in [(80, 0), (105, 0), (118, 1), (140, 1)] {
        let mut stage = Stage::new();
        stage.learn();
        stage.things.push(bag(left));
        stage.run(5.0);
        assert_eq!(stage.patches().len(), listed, "left {left}");
        if let [patch] = &stage.patches()[..] {
            assert!(patch.bbox.iou(&bag(left).rect()) > 0.6, "all of it, not only what is in the zone: {patch:?}");
        }
    }
}

#[test]
fn what_is_in_two_zones_is_listed_for_both() {
    let mut stage = Stage::with(vec![zone(), zone()], ScenerySettings::default());
    stage.learn();
    stage.things.push(BAG);
    stage.run(4.0);
    let mut listed = stage.patches().iter().map(|patch| (patch.id, patch.zone)).collect::<Vec<_>>();
    listed.sort_unstable();
    assert_eq!(listed, [(1, 0), (2, 1)]);
}

#[test]
fn two_bags_are_two() {
    let mut stage = Stage::new();
    let first = with_bag(&mut stage);
    stage.things.push(Thing { place: (BAG.place.0 + 60, BAG.place.1, 20, 20), ..BAG });
    stage.run(4.0);
    assert_eq!(stage.patches().len(), 2);
    // The first is fetched; the second stays.
    stage.things.remove(0);
    stage.run(3.0);
    let patches = stage.patches();
    assert_eq!(patches.len(), 1);
    assert_ne!(patches[0].id, first);
}

#[test]
fn what_stands_for_long_becomes_part_of_the_scene() {
    let settings = ScenerySettings { absorb_after: Duration::from_secs(30), ..ScenerySettings::default() };
    let mut stage = Stage::with(vec![zone()], settings);
    with_bag(&mut stage);
    stage.run(22.0);
    assert_eq!(stage.patches().len(), 1);
    stage.run(10.0);
    assert_eq!(stage.patches(), []);
    stage.run(60.0);
    assert_eq!(stage.most(), 1, "it is not found again");
    // And is missed when it is taken away then.
    stage.things.clear();
    stage.run(4.0);
    assert_eq!(stage.patches()[0].appeared, Some(false));
}

#[test]
fn what_is_too_small_or_too_large_is_no_object() {
    for (place, listed) in [((300, 200, 8, 8), 0), ((300, 200, 17, 17), 1), ((60, 40, 400, 260), 0)] {
        let mut stage = Stage::new();
        stage.learn();
        stage.things.push(Thing { place, ..BAG });
        stage.run(5.0);
        assert_eq!(stage.patches().len(), listed, "{place:?}");
    }
}

#[test]
fn nothing_is_known_after_a_reset_and_numbers_go_on() {
    let mut stage = Stage::new();
    let id = with_bag(&mut stage);
    stage.scenery.reset();
    stage.run(15.0);
    assert_eq!(stage.patches(), [], "the bag is part of what was learnt");
    stage.things.clear();
    stage.run(4.0);
    let patches = stage.patches();
    assert_eq!(patches[0].appeared, Some(false));
    assert!(patches[0].id > id);
}

#[test]
fn another_size_of_picture_begins_anew() {
    let mut stage = Stage::new();
    with_bag(&mut stage);
    stage.resize(1280, 720);
    stage.look();
    assert_eq!(stage.patches(), []);
    stage.things.clear();
    stage.learn();
    stage.things.push(Thing { place: (600, 400, 44, 44), ..BAG });
    stage.run(4.0);
    assert_eq!(stage.patches().len(), 1);
}

#[test]
fn three_and_twenty_five_looks_a_second_see_the_same() {
    for rate in [2.0, 3.0, 25.0] {
        let mut stage = Stage::new();
        stage.rate = rate;
        stage.learn();
        stage.run(20.0);
        stage.things.push(BAG);
        stage.run(1.5);
        assert_eq!(stage.patches(), [], "rate {rate}");
        stage.run(3.0);
        assert_eq!(stage.patches().len(), 1, "rate {rate}");
        stage.things.clear();
        stage.run(4.0);
        assert_eq!((stage.patches().len(), stage.most()), (0, 1), "rate {rate}");
    }
}

#[test]
fn after_a_pause_what_stands_there_has_to_settle() {
    let mut stage = Stage::new();
    stage.learn();
    stage.things.push(BAG);
    stage.now += Duration::from_secs(40);
    stage.run(1.5);
    assert_eq!(stage.patches(), []);
    stage.run(2.0);
    let since = stage.patches()[0].since;
    assert!(stage.now - since < Duration::from_secs(5), "nobody knows what was in the pause: {since:?}");
}

#[test]
fn no_zone_and_no_planes_are_no_trouble() {
    let mut stage = Stage::with(vec![], ScenerySettings::default());
    stage.learn();
    assert_eq!(stage.patches(), []);
    let mut stage = Stage::new();
    with_bag(&mut stage);
    stage.cut_off();
    assert_eq!(stage.patches().len(), 1, "a picture that is cut off says nothing");
}

/// Places of things inside the zone, in pixels.
fn place(width: Range<usize>, height: Range<usize>) -> impl Strategy<Value = (usize, usize, usize, usize)> {
    (width, height).prop_flat_map(|(w, h)| (140..500 - w, 100..300 - h, Just(w), Just(h)))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn any_thing_of_a_bag_s_size_is_found_and_lost_again(
        place in place(18..60, 18..60),
        contrast in prop_oneof![-70.0..-30.0f32, 30.0..90.0f32],
        noise in 0.0..4.0f32,
        there_first in any::<bool>(),
    ) {
        let mut stage = Stage::new();
        stage.noise = noise;
        let thing = Thing { place, luma: stage::FLOOR + contrast, ..BAG };
        stage.things.extend(there_first.then_some(thing));
        stage.learn();
        stage.things.clear();
        stage.things.extend((!there_first).then_some(thing));
        stage.run(4.0);
        let patches = stage.patches();
        prop_assert_eq!(patches.len(), 1);
        prop_assert_eq!(patches[0].appeared, Some(!there_first));
        prop_assert!(patches[0].bbox.iou(&thing.rect()) > 0.5, "{:?} {:?}", patches, thing.rect());
        stage.things.clear();
        stage.things.extend(there_first.then_some(thing));
        stage.run(4.0);
        prop_assert_eq!(stage.patches(), vec![]);
        prop_assert_eq!(stage.most(), 1);
    }

    #[test]
    fn any_boxes_anywhere_are_no_trouble(boxes in prop::collection::vec((-2.0..2.0f32, -2.0..2.0f32, 0.0..3.0f32, 0.0..3.0f32), 0..6)) {
        let mut stage = Stage::new();
        stage.boxes = boxes.into_iter().map(|(x, y, w, h)| Rect { x, y, w, h }).collect();
        stage.things.push(BAG);
        stage.run(14.0);
        stage.boxes.clear();
        stage.run(4.0);
        prop_assert_eq!(stage.most(), 0, "it was there from the beginning");
    }
}
