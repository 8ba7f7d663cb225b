use std::time::Duration;

use karaul_wire::{CloseReason, Quantity};

use super::{agree, changes, evening, measured};
use crate::{
    config::{Rule, RuleKind, sample},
    rules::{
        Change, Subject,
        script::{Actor, Play},
    },
};

const CLEARED: Change = Change::Ended(CloseReason::Cleared);
const PLACE: (f32, f32) = (0.7, 0.5);

/// A post in the right half of the picture; it may be empty for ten seconds.
fn post(at_least: u32) -> Rule {
    let zone = sample::zone("post", &[(0.5, 0.0), (1.0, 0.0), (1.0, 1.0), (0.5, 1.0)]);
    sample::rule("r", RuleKind::Absence { zone, at_least, dwell: Duration::from_secs(10) })
}

fn play(actors: Vec<Actor>) -> Play {
    Play::new(vec![post(1)], actors)
}

fn guard(from: f64, until: f64) -> Actor {
    Actor::standing(1, PLACE, from, until)
}

#[test]
fn an_empty_post_fires_from_the_first_look_on_and_says_what_it_measured() {
    let said = play(vec![]).run(5.0, 60.0);
    assert_eq!(changes(&said), [(10.0, Change::Began)]);
    assert_eq!((said[0].subject, said[0].objects.len()), (Subject::Whole, 0));
    let measured = measured(&said[0]);
    assert_eq!(measured, [(Quantity::Count, 0.0, None, Some(0.0)), (Quantity::LastedS, 10.0, Some(10.0), None),]);
    assert_eq!(said[0].evidence.score_min, 0.5);
}

#[test]
fn a_manned_post_is_silent() {
    assert_eq!(play(vec![guard(0.0, 100.0)]).begun(5.0, 100.0), []);
    assert_eq!(play(vec![guard(8.0, 100.0)]).begun(5.0, 100.0), []);
}

#[test]
fn who_leaves_is_missed_and_who_comes_back_ends_it() {
    // Away from 20 s to 40 s.
    let way =
        [(0.0, 0.7, 0.5), (20.0, 0.7, 0.5), (20.1, 0.2, 0.5), (40.0, 0.2, 0.5), (40.1, 0.7, 0.5), (99.0, 0.7, 0.5)];
    let said = changes(&play(vec![Actor::new(1, &way)]).run(5.0, 90.0));
    assert_eq!(said, [(30.2, Change::Began), (41.2, CLEARED)]);
}

#[test]
fn who_goes_out_of_the_picture_is_missed_from_when_the_track_is_lost() {
    let said = play(vec![guard(0.0, 20.0)]).run(5.0, 60.0);
    // Lost more than 2 s after it was last seen.
    assert_eq!(changes(&said), [(32.2, Change::Began)]);
}

#[test]
fn who_is_hidden_for_a_moment_is_there() {
    let mut hidden = guard(0.0, 200.0);
    for n in 0..20 {
        hidden = hidden.hidden(f64::from(n) * 8.0 + 2.0, f64::from(n) * 8.0 + 3.8);
    }
    assert_eq!(play(vec![hidden]).begun(5.0, 160.0), []);
    // Hidden for longer than the dwell time, seen again under another number.
    let again = Actor::standing(2, PLACE, 40.0, 99.0);
    let said = changes(&play(vec![guard(0.0, 20.0), again]).run(5.0, 60.0));
    assert_eq!(said, [(32.2, Change::Began), (41.0, CLEARED)]);
}

#[test]
fn a_flicker_is_no_guard() {
    // A false detection for one picture every four seconds.
    let ghosts = (0..20_u64).map(|n| Actor::standing(n + 10, PLACE, n as f64 * 4.0 + 1.0, n as f64 * 4.0 + 1.1));
    assert_eq!(play(ghosts.collect()).begun(5.0, 30.0), [(10.0, Subject::Whole)]);
    let far: Vec<_> =
        (0..20).map(|n| Actor::standing(n + 10, (0.45, 0.5), n as f64 * 4.0, n as f64 * 4.0 + 3.0)).collect();
    assert_eq!(play(far).begun(5.0, 30.0), [(10.0, Subject::Whole)]);
}

#[test]
fn a_box_that_flickers_into_the_zone_for_one_picture_is_no_guard() {
    let mut way = Vec::new();
    for n in 0..30 {
        let start = f64::from(n) * 2.0;
        way.extend([
            (start, 0.45, 0.5),
            (start + 1.79, 0.45, 0.5),
            (start + 1.8, 0.55, 0.5),
            (start + 1.99, 0.45, 0.5),
        ]);
    }
    assert_eq!(play(vec![Actor::new(1, &way)]).begun(5.0, 30.0), [(10.0, Subject::Whole)]);
}

#[test]
fn a_guard_who_stands_on_the_border_is_there() {
    let mut way = Vec::new();
    for n in 0..200 {
        let start = f64::from(n) * 0.4;
        way.extend([
            (start, 0.51, 0.5),
            (start + 0.19, 0.51, 0.5),
            (start + 0.2, 0.49, 0.5),
            (start + 0.39, 0.49, 0.5),
        ]);
    }
    assert_eq!(play(vec![Actor::new(1, &way)]).begun(5.0, 70.0), []);
}

#[test]
fn who_only_looks_in_does_not_end_it() {
    // For 0.6 s, three pictures, at 20 s; the relief comes at 30 s.
    let way =
        [(19.0, 0.4, 0.5), (19.99, 0.4, 0.5), (20.0, 0.6, 0.5), (20.5, 0.6, 0.5), (20.6, 0.4, 0.5), (21.0, 0.4, 0.5)];
    let said = changes(&play(vec![Actor::new(1, &way), Actor::standing(2, PLACE, 30.0, 99.0)]).run(5.0, 60.0));
    assert_eq!(said, [(10.0, Change::Began), (31.0, CLEARED)]);
}

#[test]
fn one_of_two_is_not_enough() {
    let actors =
        vec![guard(0.0, 99.0), Actor::new(2, &[(0.0, 0.8, 0.7), (15.0, 0.8, 0.7), (15.1, 0.2, 0.7), (99.0, 0.2, 0.7)])];
    let said = Play::new(vec![post(2)], actors).run(5.0, 60.0);
    assert_eq!(changes(&said), [(25.2, Change::Began)]);
    assert_eq!(said[0].objects, [1]);
    assert_eq!(measured(&said[0])[0], (Quantity::Count, 1.0, None, Some(1.0)));
}

#[test]
fn a_relief_that_swaps_places_leaves_no_gap() {
    let leaves = Actor::new(1, &[(0.0, 0.7, 0.5), (20.0, 0.7, 0.5), (21.0, 0.2, 0.5), (60.0, 0.2, 0.5)]);
    let comes = Actor::new(2, &[(0.0, 0.2, 0.5), (20.0, 0.2, 0.5), (21.0, 0.7, 0.5), (60.0, 0.7, 0.5)]);
    assert_eq!(play(vec![leaves, comes]).begun(5.0, 60.0), []);
}

#[test]
fn a_blind_camera_is_neither_an_empty_post_nor_a_manned_one() {
    // Empty, and blind before the time is over: it starts anew.
    let empty = Play { blind: vec![(8.0, 30.0)], ..play(vec![]) };
    assert_eq!(changes(&empty.run(5.0, 60.0)), [(40.0, Change::Began)]);
    // What has fired ends blind, and not because somebody was seen; then the time starts anew.
    let fired = Play { blind: vec![(15.0, 30.0)], ..play(vec![]) };
    let said = changes(&fired.run(5.0, 60.0));
    assert_eq!(said, [(10.0, Change::Began), (15.0, Change::Ended(CloseReason::Blind)), (40.0, Change::Began)]);
    // Blind for much longer than the dwell time, with a guard before and after.
    let again = Actor::standing(2, PLACE, 60.0, 99.0);
    let manned = Play { blind: vec![(10.0, 60.0)], ..play(vec![guard(0.0, 10.0), again]) };
    assert_eq!(manned.run(5.0, 90.0).len(), 0);
}

#[test]
fn looks_that_are_far_apart_do_not_fire_too_early() {
    // One look in eight seconds, on demand: ten seconds are over at the second look after the first.
    assert_eq!(play(vec![]).begun(0.125, 60.0), [(16.0, Subject::Whole)]);
    // Each look at a manned post has tracks of its own.
    let each = (0..10).map(|n| Actor::standing(n + 1, PLACE, n as f64 * 8.0, n as f64 * 8.0)).collect();
    assert_eq!(play(each).begun(0.125, 72.0), []);
    // After 20 s without a look nobody knows.
    assert_eq!(play(vec![]).begun(0.05, 200.0), []);
}

#[test]
fn the_looks_a_second_make_no_difference() {
    let way =
        [(0.0, 0.7, 0.5), (20.0, 0.7, 0.5), (21.0, 0.2, 0.5), (40.0, 0.2, 0.5), (41.0, 0.7, 0.5), (99.0, 0.7, 0.5)];
    agree(|| play(vec![Actor::new(1, &way)]), 90.0, 2);
    agree(|| play(vec![guard(0.0, 20.0)]), 90.0, 2);
}

#[test]
fn it_counts_from_when_the_rule_is_armed_and_only_guards_end_it() {
    let rule = Rule { schedule: Some(evening(1)), ..post(1) };
    assert_eq!(Play::new(vec![rule], vec![]).begun(5.0, 100.0), [(70.0, Subject::Whole)]);
    // A dog keeps no watch.
    assert_eq!(play(vec![guard(0.0, 99.0).of_class(5)]).begun(5.0, 60.0), [(10.0, Subject::Whole)]);
    assert_eq!(play(vec![guard(0.0, 99.0).scoring(0.4)]).begun(5.0, 60.0), [(10.0, Subject::Whole)]);
}
