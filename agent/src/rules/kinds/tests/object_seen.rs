//! A dog in the yard: any class of any model.

use std::time::Duration;

use karaul_wire::{CloseReason, Quantity};

use super::track;
use crate::{
    config::{Rule, RuleKind, Zone, sample},
    rules::{
        Change,
        script::{Actor, Play},
    },
};

const DOG: u16 = 3;

fn seen(zone: Option<Zone>, confirm: [u32; 2]) -> Rule {
    let mut rule = sample::rule("dog", RuleKind::ObjectSeen { zone });
    rule.filter.classes = vec![DOG];
    rule.filter.confirm = confirm;
    rule
}

fn dog(from: f64, until: f64) -> Actor {
    Actor::standing(1, (0.7, 0.6), from, until).of_class(DOG).sized(0.1, 0.08)
}

fn left_half() -> Zone {
    sample::zone("lawn", &[(0.0, 0.0), (0.5, 0.0), (0.5, 1.0), (0.0, 1.0)])
}

#[test]
fn it_fires_when_the_object_was_seen_often_enough() {
    for (fps, at) in [(3.0, 2.7), (5.0, 2.4), (25.0, 2.1)] {
        let play = Play::new(vec![seen(None, [3, 5])], vec![dog(2.0, 20.0)]);
        assert_eq!(play.begun(fps, 10.0), [(at, track(1))], "{fps}");
    }
}

#[test]
fn every_other_look_is_often_enough_and_two_of_five_are_not() {
    let flicker = |gaps: &[(f64, f64)]| gaps.iter().fold(dog(0.0, 1.0), |dog, (from, until)| dog.hidden(*from, *until));
    let often = flicker(&[(0.1, 0.3), (0.5, 0.7)]);
    assert_eq!(Play::new(vec![seen(None, [3, 5])], vec![often]).begun(5.0, 5.0), [(0.8, track(1))]);
    let seldom = flicker(&[(0.1, 0.5), (0.7, 2.0)]);
    assert_eq!(Play::new(vec![seen(None, [3, 5])], vec![seldom]).begun(5.0, 5.0), []);
}

#[test]
fn one_look_is_enough_where_the_rule_says_so() {
    assert_eq!(Play::new(vec![seen(None, [1, 1])], vec![dog(2.0, 2.1)]).begun(5.0, 5.0), [(2.0, track(1))]);
}

#[test]
fn other_classes_do_not_count() {
    let person = Actor::standing(1, (0.7, 0.6), 0.0, 20.0);
    assert_eq!(Play::new(vec![seen(None, [3, 5])], vec![person]).begun(5.0, 10.0), []);
}

#[test]
fn a_low_score_does_not_count() {
    assert_eq!(Play::new(vec![seen(None, [3, 5])], vec![dog(0.0, 20.0).scoring(0.45)]).begun(5.0, 10.0), []);
}

#[test]
fn outside_the_zone_it_does_not_count() {
    assert_eq!(Play::new(vec![seen(Some(left_half()), [3, 5])], vec![dog(0.0, 20.0)]).begun(5.0, 10.0), []);
}

#[test]
fn it_fires_when_it_comes_into_the_zone_and_is_over_after_it_has_left() {
    let runs = Actor::new(1, &[(0.0, 0.9, 0.6), (4.0, 0.1, 0.6), (6.0, 0.1, 0.6), (10.0, 0.9, 0.6), (30.0, 0.9, 0.6)]);
    let play = Play::new(vec![seen(Some(left_half()), [3, 5])], vec![runs.of_class(DOG)]);
    let said: Vec<_> = play.run(5.0, 30.0).into_iter().map(|line| ((line.at * 10.0).round(), line.change)).collect();
    assert_eq!(said, [(20.0, Change::Began), (132.0, Change::Ended(CloseReason::Cleared))]);
}

#[test]
fn two_dogs_are_two_findings() {
    let other = Actor::standing(2, (0.2, 0.6), 0.0, 20.0).of_class(DOG);
    let begun = Play::new(vec![seen(None, [3, 5])], vec![dog(0.0, 20.0), other]).begun(5.0, 10.0);
    assert_eq!(begun, [(0.4, track(1)), (0.4, track(2))]);
}

#[test]
fn one_that_is_found_again_is_no_other() {
    let play = Play::new(vec![seen(None, [3, 5])], vec![dog(0.0, 20.0).hidden(3.0, 7.0)]);
    assert_eq!(play.begun(5.0, 15.0), [(0.4, track(1))]);
}

#[test]
fn what_is_lost_for_good_ends_as_lost() {
    let play = Play::new(vec![seen(None, [3, 5])], vec![dog(0.0, 3.0)]);
    let ends: Vec<_> = play.run(5.0, 20.0).into_iter().map(|line| line.change).collect();
    assert!(matches!(ends[..], [Change::Began, Change::Ended(_)]), "{ends:?}");
}

#[test]
fn the_evidence_tells_in_how_many_looks() {
    let play = Play::new(vec![seen(None, [3, 5])], vec![dog(0.0, 20.0)]);
    let evidence = play.run(5.0, 5.0)[0].evidence;
    let looks = evidence.measured().next().unwrap();
    assert_eq!((looks.what, looks.value, looks.least), (Quantity::Looks, 3.0, Some(3.0)));
}

#[test]
fn a_blind_camera_begins_anew() {
    let mut play = Play::new(vec![seen(None, [3, 5])], vec![dog(0.0, 20.0)]);
    play.blind = vec![(3.0, 6.0)];
    let said: Vec<_> = play.run(5.0, 10.0).into_iter().map(|line| line.change).collect();
    assert_eq!(said, [Change::Began, Change::Ended(CloseReason::Blind), Change::Began]);
}

#[test]
fn what_was_seen_too_young_or_too_small_waits() {
    let mut rule = seen(None, [1, 1]);
    rule.filter.min_age = Duration::from_secs(2);
    assert_eq!(Play::new(vec![rule], vec![dog(1.0, 20.0)]).begun(5.0, 10.0), [(3.0, track(1))]);
    let mut rule = seen(None, [1, 1]);
    rule.filter.min_size = [0.0, 0.1];
    assert_eq!(Play::new(vec![rule], vec![dog(1.0, 20.0)]).begun(5.0, 10.0), []);
}
