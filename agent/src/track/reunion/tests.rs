//! Who is found again under the old id, and who is not.

use std::{collections::BTreeSet, time::Duration};

use proptest::prelude::*;

use crate::{
    track::{Track, Tracker, TrackerSettings},
    vision::{Detection, Rect},
};

/// Width and height of a person.
const W: f32 = 0.05;
const H: f32 = 0.25;

fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// A person in the middle of the picture's height, at an x that is its centre.
fn person(x: f32) -> Detection {
    Detection { bbox: Rect { x: x - W / 2.0, y: 0.4, w: W, h: H }, score: 0.8, class: 0 }
}

/// A camera at five pictures a second.
struct Scene {
    tracker: Tracker,
    picture: u64,
}

impl Scene {
    fn new() -> Self {
        Self { tracker: Tracker::new(TrackerSettings::default()), picture: 0 }
    }

    fn now(&self) -> Duration {
        ms(self.picture * 200)
    }

    /// The next picture.
    fn look(&mut self, detections: &[Detection]) -> Vec<Track> {
        self.picture += 1;
        self.tracker.update(self.now(), detections).to_vec()
    }

    /// People who move from x to x in two seconds.
    fn walk(&mut self, ways: &[(f32, f32)]) -> Vec<Track> {
        (1..=10)
            .map(|n| {
                let at = |&(from, to): &(f32, f32)| person(from + (to - from) * n as f32 / 10.0);
                self.look(&ways.iter().map(at).collect::<Vec<_>>())
            })
            .last()
            .unwrap()
    }

    /// So many tenths of a second in which nothing is seen.
    fn nothing(&mut self, tenths: u64) -> Vec<Track> {
        (0..tenths / 2).map(|_| self.look(&[])).last().unwrap()
    }

    /// The id of a detection that is seen in three pictures.
    fn id(&mut self, detection: Detection) -> u64 {
        self.look(&[detection]);
        self.look(&[detection]);
        let seen: Vec<u64> = self.look(&[detection]).iter().filter(|t| t.seen).map(|t| t.id).collect();
        assert_eq!(seen.len(), 1);
        seen[0]
    }
}

/// The id of someone who is seen at the end of a pause after another one, 1, has been seen on a way.
fn id_after(way: (f32, f32), tenths: u64, then: Detection) -> u64 {
    let mut scene = Scene::new();
    scene.walk(&[way]);
    scene.nothing(tenths);
    scene.id(then)
}

#[test]
fn a_lost_track_stays_where_it_was_seen_and_ends_in_time() {
    let mut scene = Scene::new();
    let seen = scene.walk(&[(0.3, 0.5)])[0];
    let predicted = scene.nothing(20)[0];
    assert!(!predicted.lost && predicted.bbox.x > seen.bbox.x + 2.0 * W, "{predicted:?}");
    for _ in 0..20 {
        let expected = Track { seen: false, lost: true, ..seen };
        assert_eq!(scene.look(&[]), [expected]);
    }
    assert_eq!(scene.look(&[]), []);
    assert!(scene.tracker.is_idle());
}

#[test]
fn who_stood_hidden_is_found_again() {
    for tenths in [24, 40, 56] {
        assert_eq!(id_after((0.5, 0.5), tenths, person(0.5)), 1);
        assert_eq!(id_after((0.5, 0.5), tenths, person(0.5 + 0.7 * W)), 1);
    }
}

#[test]
fn who_went_on_behind_a_wall_or_waited_there_is_found_again() {
    // Two widths a second: after three seconds at 0.6 had it gone on.
    assert_eq!(id_after((0.1, 0.3), 28, person(0.58)), 1);
    assert_eq!(id_after((0.1, 0.3), 28, person(0.4)), 1);
    assert_eq!(id_after((0.1, 0.3), 54, person(0.4)), 1);
}

#[test]
fn a_found_track_is_like_one_that_was_never_lost() {
    let mut scene = Scene::new();
    scene.walk(&[(0.1, 0.3)]);
    scene.nothing(28);
    let found = &scene.look(&[person(0.5)])[0];
    assert_eq!((found.id, found.seen, found.lost, found.last_seen), (1, true, false, scene.now()));
    let later = &scene.look(&[])[0];
    assert!(!later.seen && !later.lost);
}

#[test]
fn a_box_of_half_the_width_is_the_same_person_and_one_of_half_the_height_is_not() {
    let of = |w: f32, h: f32| {
        let Rect { x, y, .. } = person(0.5).bbox;
        Detection { bbox: Rect { x, y, w: w * W, h: h * H }, ..person(0.5) }
    };
    assert_eq!(id_after((0.5, 0.5), 30, of(0.5, 1.0)), 1);
    assert_eq!(id_after((0.5, 0.5), 30, of(1.0, 0.8)), 1);
    assert_ne!(id_after((0.5, 0.5), 30, of(1.0, 0.7)), 1);
}

#[test]
fn who_is_out_of_reach_is_another() {
    assert_ne!(id_after((0.5, 0.5), 30, person(0.5 + 3.0 * W)), 1);
    assert_ne!(id_after((0.5, 0.5), 58, person(0.5 - 2.0 * W)), 1);
    assert_ne!(id_after((0.1, 0.3), 30, person(0.7)), 1);
}

#[test]
fn who_comes_after_the_memory_has_ended_is_another() {
    assert_ne!(id_after((0.5, 0.5), 62, person(0.5)), 1);
}

#[test]
fn who_comes_through_the_door_at_the_border_is_not_the_one_who_left() {
    // The last box touches the border.
    assert_ne!(id_after((0.8, 0.97), 34, person(0.97)), 1);
    // The last box does not, but one step more and it would.
    assert_ne!(id_after((0.6, 0.95), 34, person(0.97)), 1);
    // One who stands near the border has not left.
    assert_eq!(id_after((0.95, 0.95), 34, person(0.95)), 1);
}

#[test]
fn a_leaver_is_not_listed_as_lost() {
    let mut scene = Scene::new();
    scene.walk(&[(0.8, 0.97)]);
    assert_eq!(scene.nothing(20).len(), 1);
    assert_eq!(scene.nothing(2), []);
}

#[test]
fn who_comes_out_of_a_door_in_the_picture_is_not_the_one_who_went_in() {
    assert_ne!(id_after((0.3, 0.5), 34, person(0.5)), 1);
    assert_ne!(id_after((0.3, 0.5), 34, person(0.46)), 1);
}

#[test]
fn without_borders_everyone_is_remembered() {
    let mut scene = Scene::new();
    scene.tracker = Tracker::new(TrackerSettings { bounds: None, ..TrackerSettings::default() });
    scene.walk(&[(0.97, 0.97)]);
    scene.nothing(34);
    assert_eq!(scene.id(person(0.97)), 1);
}

#[test]
fn only_a_high_score_of_the_same_class_finds() {
    assert_ne!(id_after((0.5, 0.5), 30, Detection { class: 2, ..person(0.5) }), 1);
    let mut scene = Scene::new();
    scene.walk(&[(0.5, 0.5)]);
    scene.nothing(30);
    let tracks = scene.look(&[Detection { score: 0.4, ..person(0.5) }]);
    assert!(tracks[0].lost, "{tracks:?}");
}

#[test]
fn who_was_only_glimpsed_is_not_found_again() {
    let mut scene = Scene::new();
    scene.look(&[person(0.5)]);
    scene.look(&[person(0.5)]);
    assert_eq!(scene.nothing(30).len(), 1);
    assert_ne!(scene.id(person(0.5)), 1);
}

#[test]
fn of_two_lost_ones_the_nearer_is_found() {
    let mut scene = Scene::new();
    scene.walk(&[(0.5, 0.5), (0.56, 0.56)]);
    scene.nothing(30);
    assert_eq!(scene.id(person(0.55)), 2);
}

#[test]
fn two_lost_ones_are_found_side_by_side() {
    let mut scene = Scene::new();
    scene.walk(&[(0.5, 0.5), (0.56, 0.56)]);
    scene.nothing(30);
    // The one on the left stands nearer to the place of 2 than to its own.
    let mut tracks = scene.look(&[person(0.57), person(0.535)]);
    tracks.sort_by(|a, b| a.bbox.x.total_cmp(&b.bbox.x));
    assert_eq!(tracks.iter().map(|t| (t.id, t.seen)).collect::<Vec<_>>(), [(1, true), (2, true)]);
}

#[test]
fn a_live_track_keeps_its_detection_from_a_lost_one() {
    let mut scene = Scene::new();
    scene.walk(&[(0.5, 0.5), (0.56, 0.56)]);
    for _ in 0..15 {
        scene.look(&[person(0.56)]);
    }
    let tracks = scene.walk(&[(0.56, 0.51)]);
    assert_eq!(tracks.iter().map(|t| (t.id, t.seen, t.lost)).collect::<Vec<_>>(), [(1, false, true), (2, true, false)]);
}

#[test]
fn time_in_which_nobody_looked_is_not_time_unseen() {
    let mut scene = Scene::new();
    scene.walk(&[(0.5, 0.5)]);
    scene.nothing(10);
    scene.picture += 100;
    scene.tracker.rest(scene.now());
    // But for as much as one look stands for: it was missing when nobody looked any more.
    assert!(!scene.nothing(2)[0].lost);
    assert!(scene.nothing(4)[0].lost);
    scene.picture += 100;
    scene.tracker.rest(scene.now());
    assert!(scene.nothing(30)[0].lost);
    assert_eq!(scene.nothing(4), []);
}

/// Pictures of a few people who come and go, each detection with a score of its own.
fn pictures() -> impl Strategy<Value = Vec<(u64, Vec<Detection>)>> {
    let bbox = (0..20_u8, 0..3_u8, 0.9_f32..1.1, 0.9_f32..1.1).prop_map(|(x, y, w, h)| Rect {
        x: 0.05 * f32::from(x),
        y: 0.2 + 0.2 * f32::from(y),
        w: w * W,
        h: h * H,
    });
    let step = prop_oneof![6 => 100..500_u64, 1 => 1000..5000_u64];
    let picture = (step, prop::collection::vec(bbox, 0..5)).prop_map(|(step, boxes)| {
        let found = |(n, bbox)| Detection { bbox, score: 0.6 + 0.05 * n as f32, class: 0 };
        (step, boxes.into_iter().enumerate().map(found).collect())
    });
    prop::collection::vec(picture, 0..80)
}

proptest! {
    #[test]
    fn a_detection_is_of_one_track_and_no_id_comes_back(pictures in pictures()) {
        let settings = TrackerSettings::default();
        let (mut tracker, mut same) = (Tracker::new(settings.clone()), Tracker::new(settings.clone()));
        let (mut last, mut ended): (Vec<Track>, BTreeSet<u64>) = Default::default();
        let mut at = Duration::ZERO;
        for (step, detections) in pictures {
            at += ms(step);
            let tracks = tracker.update(at, &detections).to_vec();
            prop_assert_eq!(&tracks[..], same.update(at, &detections), "not the same again");
            let scores: Vec<f32> = tracks.iter().filter(|t| t.seen).map(|t| t.score).collect();
            for (n, score) in scores.iter().enumerate() {
                prop_assert!(!scores[..n].contains(score), "two tracks of one detection: {:?}", tracks);
                prop_assert!(detections.iter().any(|d| d.score == *score));
            }
            for t in &tracks {
                prop_assert!(!ended.contains(&t.id), "an id after its end");
                let unseen = at - t.last_seen;
                prop_assert_eq!(t.lost, unseen > settings.lost_for);
                prop_assert!(unseen <= settings.remembered_for);
                if let Some(before) = last.iter().find(|b| b.id == t.id && b.lost && t.lost) {
                    prop_assert_eq!(before, t, "a lost track has changed");
                }
            }
            ended.extend(last.iter().filter(|b| tracks.iter().all(|t| t.id != b.id)).map(|b| b.id));
            last = tracks;
        }
    }
}
