use std::time::Duration;

use karaul_wire::{CloseReason, Quantity};

use super::track;
use crate::{
    clock::Stamp,
    config::{Pace, Rule, RuleKind, sample},
    rules::{
        Change, Ground, Unmet,
        engine::{Engine, Findings, Look},
        geometry::Point,
        script::{Actor, Play},
    },
};

/// A road that goes straight away from the camera: the picture is 32 m wide at its lower border and 80 m in the middle.
fn road() -> Ground {
    let points = [(0.0, 1.0), (1.0, 1.0), (0.7, 0.5), (0.3, 0.5)].map(|(x, y)| Point::new(x, y));
    Ground::new(points, [[0.0, 0.0], [32.0, 0.0], [32.0, 30.0], [0.0, 30.0]]).unwrap()
}

fn over(km_per_hour: f64) -> Rule {
    let zone = sample::zone("road", &[(0.0, 0.5), (1.0, 0.5), (1.0, 1.0), (0.0, 1.0)]);
    let over = Pace::KmPerHour(km_per_hour);
    let kind = RuleKind::Speed { zone: Some(zone), over, dwell: Duration::from_millis(400) };
    let mut rule = sample::rule("r", kind);
    rule.filter.classes = vec![2];
    rule
}

/// A car that goes across the picture at this height of it from left to right.
fn across(id: u64, y: f32, seconds: f64) -> Actor {
    Actor::new(id, &[(0.0, 0.1, y), (seconds, 0.9, y)]).of_class(2).sized(0.12, 0.1)
}

fn play(rule: Rule, actors: Vec<Actor>) -> Play {
    let mut play = Play::new(vec![rule], actors);
    play.ground = Some(road());
    play
}

#[test]
fn a_car_is_measured_on_the_ground() {
    // 0.8 of the picture's width at its middle are 64 m; in 4 s that is 57.6 km/h.
    let lines = play(over(40.0), vec![across(1, 0.5, 4.0)]).run(5.0, 4.0);
    assert_eq!((lines[0].change, lines[0].subject), (Change::Began, track(1)));
    assert!((1.2..=1.7).contains(&lines[0].at), "{}", lines[0].at);
    let measured = lines[0].evidence.measured().next().unwrap();
    assert_eq!((measured.what, measured.least), (Quantity::SpeedKmh, Some(40.0)));
    assert!((measured.value - 57.6).abs() < 1.0, "{measured:?}");
    assert_eq!(lines.len(), 1);
}

#[test]
fn the_same_way_in_the_picture_is_slower_where_it_is_nearer() {
    // At 0.9 of the height the picture is about 36 m wide: 26 km/h.
    assert_eq!(play(over(40.0), vec![across(1, 0.9, 4.0)]).begun(5.0, 4.0), []);
}

#[test]
fn a_car_that_comes_straight_towards_the_camera_has_its_speed() {
    // 30 m in 2.5 s, more than a second of them far away: 43 km/h. On the ground the way is even, in the picture it is not.
    let way: Vec<(f64, f32, f32)> = (0..=25)
        .map(|n| {
            let metres = 30.0 - 1.2 * n as f32;
            // The inverse of the road's homography along its middle.
            (f64::from(n) / 10.0, 0.5, ((20.0 + metres / 6.0) / (20.0 + metres)).min(0.985))
        })
        .collect();
    let car = Actor::new(1, &way).of_class(2).sized(0.12, 0.1);
    assert_eq!(play(over(40.0), vec![car.clone()]).begun(10.0, 2.5).len(), 1);
    assert_eq!(play(over(48.0), vec![car]).begun(10.0, 2.5), []);
}

#[test]
fn few_and_many_pictures_agree() {
    let at = |fps| play(over(40.0), vec![across(1, 0.5, 4.0)]).begun(fps, 4.0)[0].0;
    assert!((at(3.0) - at(25.0)).abs() <= 0.41, "{} {}", at(3.0), at(25.0));
}

#[test]
fn outside_of_the_zone_it_may_be_fast() {
    assert_eq!(play(over(20.0), vec![across(1, 0.45, 4.0)]).begun(5.0, 4.0), []);
}

#[test]
fn who_slows_down_for_two_seconds_is_no_longer_too_fast() {
    let way = [(0.0, 0.1, 0.5), (3.0, 0.7, 0.5), (9.0, 0.72, 0.5)];
    let lines = play(over(40.0), vec![Actor::new(1, &way).of_class(2).sized(0.12, 0.1)]).run(5.0, 9.0);
    let changes: Vec<Change> = lines.iter().map(|line| line.change).collect();
    assert_eq!(changes, [Change::Began, Change::Ended(CloseReason::Cleared)]);
    assert!((5.0..6.5).contains(&lines[1].at), "{}", lines[1].at);
}

#[test]
fn a_car_that_drives_off_ends_with_its_track() {
    let lines = play(over(40.0), vec![across(1, 0.5, 4.0)]).run(5.0, 12.0);
    assert_eq!(lines.last().map(|line| line.change), Some(Change::Ended(CloseReason::Lost)));
}

#[test]
fn one_wild_box_is_no_speed() {
    let way =
        [(0.0, 0.3, 0.6), (2.0, 0.3, 0.6), (2.01, 0.5, 0.55), (2.19, 0.5, 0.55), (2.2, 0.3, 0.6), (5.0, 0.3, 0.6)];
    for fps in [5.0, 10.0, 25.0] {
        let car = Actor::new(1, &way).of_class(2).sized(0.12, 0.1);
        assert_eq!(play(over(10.0), vec![car]).begun(fps, 5.0), [], "{fps}");
    }
}

#[test]
fn behind_a_lorry_the_speed_goes_on() {
    let hidden = across(1, 0.5, 5.0).hidden(2.4, 3.4);
    assert_eq!(play(over(30.0), vec![hidden]).run(5.0, 5.0).len(), 1);
}

#[test]
fn two_cars_that_meet_are_each_measured() {
    let back = Actor::new(2, &[(0.0, 0.9, 0.5), (4.0, 0.1, 0.5)]).of_class(2).sized(0.12, 0.1);
    let begun = play(over(40.0), vec![across(1, 0.5, 4.0), back]).begun(5.0, 4.0);
    assert_eq!(begun.iter().map(|(_, subject)| *subject).collect::<Vec<_>>(), [track(1), track(2)]);
}

#[test]
fn a_car_cut_off_by_the_lower_border_tells_no_speed() {
    assert_eq!(play(over(10.0), vec![across(1, 1.0, 4.0)]).begun(5.0, 4.0), []);
}

#[test]
fn a_blind_camera_ends_it() {
    let mut play = play(over(40.0), vec![across(1, 0.5, 4.0)]);
    play.blind = vec![(2.0, 5.0)];
    let lines = play.run(5.0, 4.0);
    assert_eq!(lines.last().map(|line| line.change), Some(Change::Ended(CloseReason::Blind)));
}

#[test]
fn where_there_is_no_ground_it_says_so() {
    let mut rule = over(10.0);
    rule.kind = RuleKind::Speed { zone: None, over: Pace::KmPerHour(10.0), dwell: Duration::ZERO };
    let mut engine = Engine::new(&[rule], Some(&road()));
    let mut findings = Findings::default();
    for n in 0..10_u32 {
        let seconds = f64::from(n) * 0.2;
        let at = Stamp::after(jiff::Timestamp::UNIX_EPOCH, Duration::from_secs_f64(seconds));
        let bbox = crate::vision::Rect { x: 0.1 + 0.05 * n as f32, y: -0.1, w: 0.1, h: 0.1 };
        let seen = crate::track::Track {
            id: 1,
            class: 2,
            bbox,
            score: 0.8,
            score_max: 0.8,
            seen: true,
            lost: false,
            first_seen: Duration::ZERO,
            last_seen: at.mono,
        };
        engine.observe(
            &Look { at, tracks: &[seen], patches: &[], light: None, aspect: 16.0 / 9.0, troubled: false },
            &mut findings,
        );
    }
    assert!(findings.is_empty());
    let short = engine.heard()[0].short.unwrap();
    assert_eq!(short.unmet, Unmet::NoGround);
}
