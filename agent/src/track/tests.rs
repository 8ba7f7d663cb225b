//! What the tracker promises, on made-up objects.

use std::{collections::BTreeSet, time::Duration};

use proptest::prelude::*;

use super::{Track, Tracker, TrackerSettings};
use crate::vision::{Detection, Rect};

const PERSON: u16 = 0;
const CAR: u16 = 2;

/// The boxes here are in no picture.
fn tracker() -> Tracker {
    Tracker::new(TrackerSettings { bounds: None, ..TrackerSettings::default() })
}

fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// A box 10 wide and 20 high with its left edge at `x`.
fn at_x(x: f32) -> Detection {
    Detection { bbox: Rect { x, y: 0.0, w: 10.0, h: 20.0 }, score: 0.8, class: PERSON }
}

fn ids(tracks: &[Track]) -> Vec<u64> {
    tracks.iter().map(|t| t.id).collect()
}

#[test]
fn one_sighting_is_no_track_unless_it_is_sure() {
    let mut tracker = tracker();
    assert_eq!(tracker.update(ms(0), &[at_x(0.0)]), []);
    let track = &tracker.update(ms(200), &[at_x(0.0)])[0];
    assert_eq!((track.first_seen, track.last_seen, track.seen), (ms(0), ms(200), true));

    let mut tracker = self::tracker();
    assert_eq!(tracker.update(ms(0), &[Detection { score: 0.95, ..at_x(0.0) }]).len(), 1);
}

#[test]
fn a_flicker_now_and_then_is_no_track() {
    let mut tracker = tracker();
    for picture in 0..50 {
        let flicker = [Detection { score: 0.6, ..at_x(0.0) }];
        let seen: &[Detection] = if picture % 3 == 0 { &flicker } else { &[] };
        assert_eq!(tracker.update(ms(picture * 200), seen), []);
    }
}

#[test]
fn somebody_who_is_found_twice_between_a_wide_box_and_a_narrow_one_is_one_track() {
    let mut tracker = tracker();
    for n in 0..40_u16 {
        let found = |left: f32, w: f32, score: f32| Detection {
            bbox: Rect { x: 0.5 * f32::from(n) + left, y: 0.0, w, h: 24.0 },
            score,
            class: PERSON,
        };
        let detections = match n {
            20 => vec![found(0.0, 9.0, 0.75), found(3.0, 5.5, 0.6)],
            21..24 => vec![found(3.0, 5.0, 0.85)],
            _ => vec![found(0.0, 10.0, 0.9)],
        };
        let tracks = tracker.update(ms(40 * u64::from(n)), &detections);
        assert_eq!(ids(tracks), [1], "{n}");
    }
}

#[test]
fn who_steps_out_from_behind_another_one_is_a_track_soon() {
    let mut tracker = tracker();
    let front = Detection { score: 0.85, ..at_x(0.0) };
    // Most of the box behind is that of the one in front.
    let behind = Detection { bbox: Rect { x: 3.0, y: -1.0, w: 8.0, h: 14.0 }, score: 0.7, class: PERSON };
    let shown: Vec<usize> = (0..5).map(|n| tracker.update(ms(n * 40), &[front, behind]).len()).collect();
    assert_eq!(shown, [0, 1, 1, 2, 2], "the one behind after a tenth of a second");
}

#[test]
fn an_unseen_object_is_kept_on_its_way_and_found_again() {
    let mut tracker = tracker();
    for n in 0..10_u16 {
        tracker.update(ms(u64::from(n) * 100), &[at_x(f32::from(n) * 2.0)]);
    }
    for n in 10..20_u16 {
        let tracks = tracker.update(ms(u64::from(n) * 100), &[]);
        assert_eq!((ids(tracks), tracks[0].seen, tracks[0].last_seen), (vec![1], false, ms(900)));
        assert!((tracks[0].bbox.x - f32::from(n) * 2.0).abs() < 3.0, "{:?}", tracks[0].bbox);
    }
    let tracks = tracker.update(ms(2000), &[at_x(40.0)]);
    assert_eq!((ids(tracks), tracks[0].seen), (vec![1], true));
}

#[test]
fn a_track_that_is_unseen_for_too_long_is_lost_and_then_ends() {
    let mut tracker = tracker();
    for n in 0..3 {
        tracker.update(ms(n * 200), &[at_x(0.0)]);
    }
    let lost = |tracks: &[Track]| tracks.iter().map(|t| (t.id, t.lost)).collect::<Vec<_>>();
    assert_eq!(lost(tracker.update(ms(2400), &[])), [(1, false)]);
    assert_eq!(lost(tracker.update(ms(2401), &[])), [(1, true)]);
    assert_eq!(lost(tracker.update(ms(6400), &[])), [(1, true)]);
    assert_eq!(tracker.update(ms(6401), &[]), []);
    assert!(tracker.is_idle());
}

#[test]
fn what_is_at_rest_is_still_there_after_a_pause_in_which_nobody_looked() {
    let mut tracker = tracker();
    for n in 0..10 {
        tracker.update(ms(n * 200), &[at_x(0.0)]);
    }
    // A look every three seconds, longer than an object may be lost.
    for n in 0..100 {
        let at = ms(5_000 + n * 3_000);
        tracker.rest(at);
        let tracks = tracker.update(at, &[at_x(0.3 * (n % 2) as f32)]);
        assert_eq!((ids(tracks), tracks[0].seen, tracks[0].first_seen), (vec![1], true, ms(0)));
        assert_eq!(tracker.followed().count(), 1);
    }
    // It has gone while somebody looked.
    assert!(tracker.update(ms(305_000), &[])[0].lost);
    assert!(tracker.update(ms(310_000), &[]).is_empty());
}

#[test]
fn what_has_gone_is_lost_though_every_look_follows_a_rest() {
    let mut tracker = tracker();
    for n in 0..10 {
        tracker.update(ms(n * 200), &[at_x(0.0)]);
    }
    // Only keyframes are decoded, one every three seconds.
    let looks: Vec<_> = (0..14)
        .map(|n| {
            let at = ms(5_000 + n * 3_000);
            tracker.rest(at);
            tracker.update(at, &[]).first().map(|track| track.lost)
        })
        .collect();
    assert_eq!(looks[..4], [Some(false); 4]);
    assert_eq!(looks[4..11], [Some(true); 7]);
    assert_eq!(looks[11..], [None; 3]);
}

#[test]
fn after_a_long_pause_everything_begins_anew() {
    let mut tracker = tracker();
    tracker.update(ms(0), &[at_x(0.0)]);
    assert_eq!(ids(tracker.update(ms(200), &[at_x(0.0)])), [1]);
    assert_eq!(tracker.update(ms(60_000), &[at_x(0.0)]), []);
    assert_eq!(ids(tracker.update(ms(60_200), &[at_x(0.0)])), [2]);
}

#[test]
fn a_low_score_prolongs_a_track_but_begins_none() {
    let low = |x| Detection { score: 0.2, ..at_x(x) };
    let mut tracker = tracker();
    for n in 0..5 {
        assert_eq!(tracker.update(ms(n * 200), &[low(0.0)]), []);
    }
    tracker.update(ms(1000), &[at_x(0.0)]);
    tracker.update(ms(1200), &[at_x(0.0)]);
    let tracks = tracker.update(ms(1400), &[low(0.0)]);
    assert_eq!((tracks[0].seen, tracks[0].score, tracks[0].score_max), (true, 0.2, 0.8));
}

#[test]
fn two_objects_that_pass_each_other_keep_their_ids() {
    let mut tracker = tracker();
    // Each steps 4 to its side each picture, one a little lower, and they pass at x = 40.
    let pair = |n: u16| {
        let right = at_x(f32::from(n) * 4.0);
        let mut left = at_x(80.0 - f32::from(n) * 4.0);
        left.bbox.y = 3.0;
        [right, left]
    };
    for n in 0..=20 {
        tracker.update(ms(u64::from(n) * 200), &pair(n));
    }
    let tracks = tracker.update(ms(4200), &pair(21));
    let right = tracks.iter().find(|t| t.id == 1).unwrap();
    assert_eq!(ids(tracks), [1, 2]);
    assert!((right.bbox.x - 84.0).abs() < 3.0, "{right:?}");
}

#[test]
fn a_part_of_one_object_is_not_taken_for_a_hidden_one_beside_it() {
    let mut tracker = tracker();
    for n in 0..5 {
        tracker.update(ms(n * 100), &[at_x(0.0), Detection { score: 0.9, ..at_x(6.0) }]);
    }
    // The left one is hidden, and the right one is found once more by head and shoulders.
    let head = Detection { bbox: Rect { x: 5.0, y: 0.0, w: 9.0, h: 12.0 }, score: 0.6, class: PERSON };
    for n in 5..8 {
        let tracks = tracker.update(ms(n * 100), &[Detection { score: 0.9, ..at_x(6.0) }, head]);
        assert!(!tracks[0].seen, "{tracks:?}");
    }
    let tracks = tracker.update(ms(800), &[at_x(0.0), Detection { score: 0.9, ..at_x(6.0) }]);
    assert_eq!(tracks.iter().filter(|t| t.seen).map(|t| t.id).collect::<Vec<_>>(), [1, 2]);
}

#[test]
fn the_box_of_one_who_comes_into_the_picture_grows_with_it() {
    let mut tracker = tracker();
    for n in 1..=10_u16 {
        let size = f32::from(n);
        let seen = Detection { bbox: Rect { x: 0.0, y: 0.0, w: 2.0 * size, h: 20.0 }, ..at_x(0.0) };
        for track in tracker.update(ms(u64::from(n) * 100), &[seen]) {
            assert!((track.bbox.right() - seen.bbox.right()).abs() <= 0.2001 * seen.bbox.w, "{track:?}");
        }
    }
    assert_eq!(tracker.update(ms(1100), &[]).len(), 1);
}

#[test]
fn who_runs_is_followed_though_no_box_overlaps_the_one_before() {
    let mut tracker = tracker();
    for n in 0..10_u16 {
        let tracks = tracker.update(ms(u64::from(n) * 200), &[at_x(f32::from(n) * 14.0)]);
        // It takes a third one to know.
        assert_eq!(ids(tracks), if n < 2 { vec![] } else { vec![1] });
        assert!(tracks.iter().all(|t| t.seen));
    }
}

#[test]
fn a_person_is_one_track_at_any_pace_and_rate() {
    for (fps, pace) in [25.0_f32, 10.0, 5.0].into_iter().flat_map(|fps| (1..=14).map(move |n| (fps, n as f32 / 2.0))) {
        let mut tracker = tracker();
        let mut seen = BTreeSet::new();
        for n in 0..(3.0 * fps) as u16 {
            let seconds = f32::from(n) / fps;
            let tracks = tracker.update(Duration::from_secs_f32(seconds), &[at_x(10.0 * pace * seconds)]);
            assert!(n < 2 || tracks.iter().any(|t| t.seen), "{pace} widths a second at {fps}");
            seen.extend(ids(tracks));
        }
        assert_eq!(seen, BTreeSet::from([1]), "{pace} widths a second at {fps}");
    }
}

#[test]
fn two_flickers_apart_from_each_other_are_no_track() {
    let mut tracker = tracker();
    for n in 0..50_u16 {
        let seen: &[Detection] = if n % 4 < 2 { &[at_x(f32::from(n % 4) * 15.0)] } else { &[] };
        assert_eq!(tracker.update(ms(u64::from(n) * 200), seen), []);
    }
}

#[test]
fn classes_are_followed_apart() {
    let car = Detection { class: CAR, ..at_x(0.0) };
    let mut apart = tracker();
    for n in 0..3 {
        apart.update(ms(n * 200), &[at_x(0.0), car]);
    }
    let tracks = apart.update(ms(600), &[car]);
    assert_eq!(tracks.iter().map(|t| (t.class, t.seen)).collect::<Vec<_>>(), [(PERSON, false), (CAR, true)]);
}

#[test]
fn time_that_stands_still_or_runs_back_does_no_harm() {
    let mut tracker = tracker();
    tracker.update(ms(1000), &[at_x(0.0)]);
    tracker.update(ms(1000), &[at_x(0.0)]);
    let tracks = tracker.update(ms(0), &[at_x(0.1)]);
    assert_eq!((ids(tracks), tracks[0].last_seen), (vec![1], ms(1000)));
}

#[test]
fn what_is_no_box_is_ignored() {
    let odd = [f32::NAN, f32::INFINITY, -1.0, 0.0, 1e-30, 1e30];
    let of_width = |w| Detection { bbox: Rect { w, ..at_x(0.0).bbox }, score: 0.95, class: PERSON };
    let mut tracker = tracker();
    for n in 0..4 {
        let mut detections: Vec<_> = odd.iter().copied().map(of_width).collect();
        detections.push(Detection { score: f32::NAN, ..at_x(0.0) });
        assert_eq!(tracker.update(ms(n * 200), &detections), []);
    }
    assert!(tracker.is_idle());
}

/// Pictures of anything at any time: mostly sane boxes, and every other float there is.
fn pictures() -> impl Strategy<Value = Vec<(u64, Vec<Detection>)>> {
    let value = prop_oneof![8 => 0.0_f32..100.0, 1 => any::<f32>(), 1 => Just(0.0_f32)];
    let bbox = [value.clone(), value.clone(), value.clone(), value].prop_map(|[x, y, w, h]| Rect { x, y, w, h });
    let detection = (bbox, prop_oneof![9 => 0.0_f32..1.0, 1 => any::<f32>()], 0..3_u16)
        .prop_map(|(bbox, score, class)| Detection { bbox, score, class });
    let step = prop_oneof![9 => 0..500_u64, 1 => any::<u64>().prop_map(|ms| ms >> 8)];
    prop::collection::vec((step, prop::collection::vec(detection, 0..12)), 0..40)
}

proptest! {
    #[test]
    fn any_input_gives_sound_tracks_and_ids_are_used_once(pictures in pictures()) {
        let mut tracker = tracker();
        let mut at = Duration::ZERO;
        let (mut shown, mut ended) = (BTreeSet::new(), BTreeSet::new());
        for (step, detections) in pictures {
            at = at.saturating_add(ms(step));
            let tracks = tracker.update(at, &detections).to_vec();
            let now: BTreeSet<u64> = tracks.iter().map(|t| t.id).collect();
            prop_assert_eq!(now.len(), tracks.len(), "an id twice in one picture");
            prop_assert!(now.is_disjoint(&ended), "an id after its end");
            let gone: BTreeSet<u64> = shown.difference(&now).copied().collect();
            ended.extend(gone);
            for t in &tracks {
                let Rect { x, y, w, h } = t.bbox;
                prop_assert!([x, y, w, h].iter().all(|v| v.is_finite()) && w > 0.0 && h > 0.0, "{:?}", t);
                prop_assert!(t.first_seen <= t.last_seen && t.last_seen <= at);
                // At a time that stood still, the last sighting may be of the picture before.
                prop_assert!(t.seen == (t.last_seen == at) || (step == 0 && !t.seen));
                prop_assert!(t.score <= t.score_max);
            }
            shown = now;
        }
    }

    /// Powers of two, so that even the last bit must be the same.
    #[test]
    fn the_unit_of_an_axis_does_not_matter(pictures in pictures(), sx in -6..6_i32, sy in -6..6_i32) {
        let (sx, sy) = (2.0_f32.powi(sx), 2.0_f32.powi(sy));
        let scale = |r: Rect| Rect { x: r.x * sx, y: r.y * sy, w: r.w * sx, h: r.h * sy };
        let sane = |d: &&Detection| {
            let Rect { x, y, w, h } = d.bbox;
            x.abs() < 1e4 && y.abs() < 1e4 && (1e-3..1e4).contains(&w) && (1e-3..1e4).contains(&h)
        };
        let (mut plain, mut scaled) = (tracker(), tracker());
        let mut at = Duration::ZERO;
        for (step, detections) in pictures {
            at = at.saturating_add(ms(step));
            let detections: Vec<Detection> = detections.iter().filter(sane).copied().collect();
            let in_scale: Vec<Detection> =
                detections.iter().map(|&d| Detection { bbox: scale(d.bbox), ..d }).collect();
            let expected: Vec<Track> =
                plain.update(at, &detections).iter().map(|t| Track { bbox: scale(t.bbox), ..*t }).collect();
            prop_assert_eq!(scaled.update(at, &in_scale), &expected[..]);
        }
    }

    #[test]
    fn an_object_in_steady_motion_keeps_its_id_through_lost_pictures(
        fps in 3.0_f64..25.0,
        speed in (-2.5_f32..2.5, -1.0_f32..1.0),
        lost in prop::collection::vec(0.0_f64..1.0, 120),
        jitter in prop::collection::vec((-0.03_f32..0.03, -0.03_f32..0.03), 120),
    ) {
        let mut tracker = tracker();
        let (mut seen_ids, mut last) = (BTreeSet::new(), Duration::ZERO);
        let (w, h) = (0.05_f32, 0.2_f32);
        for (n, (lost, jitter)) in lost.iter().zip(&jitter).enumerate() {
            let at = Duration::from_secs_f64(n as f64 / fps);
            // Three in ten are lost, but for the first three, by which it becomes known, and for a second at most.
            if n >= 3 && *lost < 0.3 && at - last < ms(700) {
                continue;
            }
            last = at;
            let t = at.as_secs_f32();
            let bbox = Rect { x: (speed.0 * t + jitter.0) * w, y: (speed.1 * t + jitter.1) * h, w, h };
            let tracks = tracker.update(at, &[Detection { bbox, score: 0.7, class: PERSON }]);
            prop_assert!(n == 0 || tracks.iter().any(|t| t.seen), "not followed in picture {}", n);
            seen_ids.extend(ids(tracks));
        }
        prop_assert_eq!(seen_ids, BTreeSet::from([1]));
    }
}
