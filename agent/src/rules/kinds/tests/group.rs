use std::time::Duration;

use karaul_wire::{CloseReason, Quantity};

use super::{agree, changes, evening, measured, square_metres};
use crate::{
    config::{Distance, Rule, RuleKind, sample},
    rules::{
        Change, Subject,
        script::{Actor, Play},
    },
};

const CLEARED: Change = Change::Ended(CloseReason::Cleared);

/// Three who are no farther apart than this, for five seconds, anywhere.
fn three(distance: Distance) -> Rule {
    sample::rule("r", RuleKind::Group { zone: None, at_least: 3, distance, dwell: Duration::from_secs(5) })
}

fn play(actors: Vec<Actor>) -> Play {
    Play::new(vec![three(Distance::Heights(1.0))], actors)
}

/// They stand at these places of a row; 0.1 is 0.59 heights.
fn row(xs: &[f32], from: f64, until: f64) -> Vec<Actor> {
    xs.iter().zip(1..).map(|(x, id)| Actor::standing(id, (*x, 0.8), from, until)).collect()
}

#[test]
fn each_is_near_the_next_and_it_says_what_it_measured() {
    // The first and the last are 1.19 heights apart.
    let mut actors = row(&[0.2, 0.3, 0.4], 0.0, 30.0);
    actors[1] = actors[1].clone().scoring(0.9);
    let said = play(actors).run(5.0, 20.0);
    assert_eq!(changes(&said), [(5.2, Change::Began)]);
    assert_eq!((said[0].subject, said[0].objects.as_slice()), (Subject::Whole, &[2, 1, 3][..]));
    let measured = measured(&said[0]);
    assert_eq!(measured[0], (Quantity::Count, 3.0, Some(3.0), None));
    let (what, widest, least, most) = measured[1];
    assert_eq!((what, least, most), (Quantity::DistanceHeights, None, Some(1.0)));
    assert!((widest - 0.1 * 16.0 / 9.0 / 0.3).abs() < 1e-6, "{widest}");
    assert_eq!(measured[2], (Quantity::LastedS, 5.0, Some(5.0), None));
}

#[test]
fn who_stands_apart_does_not_belong_to_it() {
    assert_eq!(play(row(&[0.2, 0.3, 0.6], 0.0, 30.0)).begun(5.0, 20.0), []);
    assert_eq!(play(row(&[0.2, 0.3, 0.6, 0.7], 0.0, 30.0)).begun(5.0, 20.0), []);
    let said = play(row(&[0.2, 0.3, 0.4, 0.8], 0.0, 30.0)).run(5.0, 20.0);
    assert_eq!(said[0].objects, [1, 2, 3]);
}

#[test]
fn the_largest_of_several_is_told_of() {
    let said = play(row(&[0.1, 0.2, 0.3, 0.6, 0.7, 0.8, 0.9], 0.0, 30.0)).run(5.0, 20.0);
    assert_eq!(said.len(), 1);
    assert_eq!(said[0].objects, [4, 5, 6, 7]);
    assert_eq!(measured(&said[0])[0].1, 4.0);
}

#[test]
fn the_widest_link_is_the_one_that_holds_it_together() {
    let said = play(row(&[0.2, 0.25, 0.4, 0.45], 0.0, 30.0)).run(5.0, 20.0);
    let widest = measured(&said[0])[1].1;
    assert!((widest - 0.15 * 16.0 / 9.0 / 0.3).abs() < 1e-6, "{widest}");
}

#[test]
fn metres_are_measured_on_the_ground_from_foot_to_foot() {
    let play = |limit, ground| Play {
        ground,
        ..Play::new(vec![three(Distance::Metres(limit))], row(&[0.2, 0.3, 0.4], 0.0, 30.0))
    };
    // The picture is two metres wide.
    let said = play(0.21, Some(square_metres())).run(5.0, 20.0);
    assert_eq!(changes(&said), [(5.2, Change::Began)]);
    let (what, widest, _, most) = measured(&said[0])[1];
    assert_eq!((what, most), (Quantity::DistanceM, Some(0.21)));
    assert!((widest - 0.2).abs() < 1e-5, "{widest}");
    assert_eq!(play(0.19, Some(square_metres())).begun(5.0, 20.0), []);
    assert_eq!(play(0.21, None).begun(5.0, 20.0), [], "without ground nobody knows");
}

#[test]
fn the_taller_box_is_the_measure() {
    // Far away all is smaller: the same places in the picture are farther apart.
    let far = || row(&[0.2, 0.3, 0.4], 0.0, 30.0).into_iter().map(|actor| actor.sized(0.03, 0.1));
    assert_eq!(play(far().collect()).begun(5.0, 20.0), []);
    let child = row(&[0.2, 0.3, 0.4], 0.0, 30.0).into_iter().enumerate();
    let child = child.map(|(n, actor)| if n == 2 { actor.sized(0.05, 0.15) } else { actor }).collect();
    assert_eq!(play(child).begun(5.0, 20.0).len(), 1);
}

#[test]
fn only_those_in_the_zone_count() {
    let mut rule = three(Distance::Heights(1.0));
    if let RuleKind::Group { zone, .. } = &mut rule.kind {
        *zone = Some(sample::zone("left", &[(0.0, 0.0), (0.5, 0.0), (0.5, 1.0), (0.0, 1.0)]));
    }
    let play = |xs: &[f32]| Play::new(vec![rule.clone()], row(xs, 0.0, 30.0));
    assert_eq!(play(&[0.35, 0.45, 0.55]).begun(5.0, 20.0), []);
    assert_eq!(play(&[0.25, 0.35, 0.45]).begun(5.0, 20.0).len(), 1);
}

#[test]
fn members_may_change_while_it_lasts() {
    let mut actors = row(&[0.2, 0.3], 0.0, 60.0);
    // The third leaves when a fourth has come.
    actors.push(Actor::new(3, &[(0.0, 0.4, 0.8), (3.0, 0.4, 0.8), (4.0, 0.9, 0.8), (60.0, 0.9, 0.8)]));
    actors.push(Actor::new(4, &[(2.0, 0.1, 0.2), (3.0, 0.1, 0.8), (60.0, 0.1, 0.8)]));
    let said = play(actors).run(5.0, 30.0);
    assert_eq!(changes(&said), [(5.2, Change::Began)]);
    assert_eq!(said[0].objects, [1, 2, 4]);
}

#[test]
fn meeting_in_passing_is_no_group() {
    let mut actors = row(&[0.45, 0.5], 0.0, 30.0);
    actors.push(Actor::new(3, &[(5.0, 0.05, 0.8), (10.0, 0.95, 0.8)]));
    assert_eq!(play(actors).begun(5.0, 30.0), []);
}

#[test]
fn it_ends_five_seconds_after_they_have_parted() {
    let mut actors = row(&[0.2, 0.3], 0.0, 60.0);
    actors.push(Actor::new(3, &[(0.0, 0.4, 0.8), (10.0, 0.4, 0.8), (10.2, 0.9, 0.8), (60.0, 0.9, 0.8)]));
    assert_eq!(changes(&play(actors).run(5.0, 40.0)), [(5.2, Change::Began), (15.2, CLEARED)]);
    // Who comes back within that time has not been away.
    let mut actors = row(&[0.2, 0.3], 0.0, 60.0);
    let way =
        [(0.0, 0.4, 0.8), (10.0, 0.4, 0.8), (10.2, 0.9, 0.8), (13.0, 0.9, 0.8), (13.2, 0.4, 0.8), (60.0, 0.4, 0.8)];
    actors.push(Actor::new(3, &way));
    assert_eq!(changes(&play(actors).run(5.0, 40.0)), [(5.2, Change::Began)]);
}

#[test]
fn who_is_hidden_is_there_and_who_is_lost_is_not() {
    let mut actors = row(&[0.2, 0.3, 0.4], 0.0, 60.0);
    actors[1] = actors[1].clone().hidden(2.0, 3.8);
    assert_eq!(play(actors).begun(5.0, 20.0), [(5.2, Subject::Whole)]);
    let mut actors = row(&[0.2, 0.3, 0.4], 0.0, 60.0);
    actors[1] = actors[1].clone().hidden(2.0, 7.0);
    assert_eq!(play(actors).begun(5.0, 20.0), [(12.2, Subject::Whole)]);
}

#[test]
fn a_box_for_one_picture_makes_no_group() {
    let mut rule = three(Distance::Heights(1.0));
    if let RuleKind::Group { dwell, .. } = &mut rule.kind {
        *dwell = Duration::ZERO;
    }
    let mut actors = row(&[0.2, 0.3], 0.0, 30.0);
    actors.push(Actor::standing(9, (0.4, 0.8), 10.0, 10.1));
    assert_eq!(Play::new(vec![rule], actors).begun(5.0, 30.0), []);
}

#[test]
fn the_looks_a_second_make_no_difference() {
    let play = || {
        let mut actors = row(&[0.2, 0.3], 0.0, 60.0);
        let way = [(3.1, 0.9, 0.8), (4.1, 0.4, 0.8), (20.0, 0.4, 0.8), (21.0, 0.9, 0.8), (60.0, 0.9, 0.8)];
        actors.push(Actor::new(3, &way));
        play(actors)
    };
    agree(play, 50.0, 2);
}

#[test]
fn a_blind_time_ends_it_and_it_begins_anew() {
    let mut actors = row(&[0.2, 0.3, 0.4], 0.0, 10.0);
    actors.extend([(11, 0.2), (12, 0.3), (13, 0.4)].map(|(id, x)| Actor::standing(id, (x, 0.8), 20.0, 60.0)));
    let said = changes(&Play { blind: vec![(10.0, 20.0)], ..play(actors) }.run(5.0, 40.0));
    assert_eq!(said, [(5.2, Change::Began), (10.0, Change::Ended(CloseReason::Blind)), (25.2, Change::Began)]);
}

#[test]
fn it_counts_from_when_the_rule_is_armed_and_only_what_passes_its_filter() {
    let rule = Rule { schedule: Some(evening(1)), ..three(Distance::Heights(1.0)) };
    let play_armed = Play::new(vec![rule], row(&[0.2, 0.3, 0.4], 0.0, 200.0));
    assert_eq!(play_armed.begun(5.0, 80.0), [(65.2, Subject::Whole)]);
    let mut actors = row(&[0.2, 0.3, 0.4], 0.0, 60.0);
    actors[1] = actors[1].clone().scoring(0.4);
    assert_eq!(play(actors).begun(5.0, 20.0), [], "nobody stands between the two");
}
