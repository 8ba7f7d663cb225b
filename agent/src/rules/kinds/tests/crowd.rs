use std::time::Duration;

use karaul_wire::{CloseReason, Quantity};

use super::{agree, changes, evening, measured, square_metres};
use crate::{
    config::{Rule, RuleKind, sample},
    rules::{
        Change, Subject,
        script::{Actor, Play},
    },
};

const CLEARED: Change = Change::Ended(CloseReason::Cleared);

/// A crowd in the lower half of the picture, for five seconds.
fn square(at_least: Option<u32>, density: Option<f64>) -> Rule {
    let zone = sample::zone("square", &[(0.0, 0.5), (1.0, 0.5), (1.0, 1.0), (0.0, 1.0)]);
    sample::rule("r", RuleKind::Crowd { zone, at_least, density, dwell: Duration::from_secs(5) })
}

/// So many stand side by side in it.
fn row(many: u16, from: f64, until: f64) -> Vec<Actor> {
    let stand = |n: u16| Actor::standing(u64::from(n) + 1, (0.1 + 0.1 * f32::from(n), 0.8), from, until);
    (0..many).map(stand).collect()
}

fn three(actors: Vec<Actor>) -> Play {
    Play::new(vec![square(Some(3), None)], actors)
}

#[test]
fn it_fires_when_enough_were_there_for_the_dwell_time_and_says_what_it_measured() {
    let mut actors = row(3, 0.0, 30.0);
    actors[1] = actors[1].clone().scoring(0.9);
    let said = three(actors).run(5.0, 20.0);
    assert_eq!(changes(&said), [(5.2, Change::Began)]);
    assert_eq!((said[0].subject, said[0].objects.as_slice()), (Subject::Whole, &[2, 1, 3][..]), "the best score first");
    let least = |what, value, least| (what, value, Some(least), None);
    assert_eq!(measured(&said[0]), [least(Quantity::Count, 3.0, 3.0), least(Quantity::LastedS, 5.0, 5.0)]);
    assert_eq!((said[0].evidence.score_max, said[0].evidence.score_min), (0.9, 0.5));
}

#[test]
fn one_less_is_no_crowd() {
    assert_eq!(three(row(2, 0.0, 60.0)).begun(5.0, 60.0), []);
    // The third stands outside.
    let mut actors = row(2, 0.0, 60.0);
    actors.push(Actor::standing(9, (0.5, 0.4), 0.0, 60.0));
    assert_eq!(three(actors).begun(5.0, 60.0), []);
}

#[test]
fn it_ends_five_seconds_after_it_has_become_too_small() {
    let mut actors = row(2, 0.0, 60.0);
    actors.push(Actor::new(9, &[(0.0, 0.5, 0.8), (10.0, 0.5, 0.8), (10.2, 0.5, 0.3), (60.0, 0.5, 0.3)]));
    assert_eq!(changes(&three(actors).run(5.0, 60.0)), [(5.2, Change::Began), (15.2, CLEARED)]);
}

#[test]
fn somebody_who_steps_out_for_a_moment_does_not_end_it() {
    let mut actors = row(2, 0.0, 60.0);
    let out =
        [(0.0, 0.5, 0.8), (10.0, 0.5, 0.8), (10.2, 0.5, 0.3), (13.0, 0.5, 0.3), (13.2, 0.5, 0.8), (60.0, 0.5, 0.8)];
    actors.push(Actor::new(9, &out));
    assert_eq!(changes(&three(actors).run(5.0, 30.0)), [(5.2, Change::Began)]);
}

#[test]
fn a_dip_of_a_look_does_not_start_it_again() {
    let mut actors = row(2, 0.0, 60.0);
    // 0.4 s outside, which is two looks.
    let out = [(0.0, 0.5, 0.8), (3.0, 0.5, 0.8), (3.1, 0.5, 0.3), (3.5, 0.5, 0.3), (3.6, 0.5, 0.8), (60.0, 0.5, 0.8)];
    actors.push(Actor::new(9, &out));
    assert_eq!(changes(&three(actors).run(5.0, 20.0)), [(5.2, Change::Began)]);
    let mut actors = row(2, 0.0, 60.0);
    // Two seconds.
    let out = [(0.0, 0.5, 0.8), (3.0, 0.5, 0.8), (3.1, 0.5, 0.3), (5.1, 0.5, 0.3), (5.2, 0.5, 0.8), (60.0, 0.5, 0.8)];
    actors.push(Actor::new(9, &out));
    let said = changes(&three(actors).run(5.0, 20.0));
    assert_eq!(said.len(), 1);
    assert!((10.0..=10.6).contains(&said[0].0), "{said:?}");
}

#[test]
fn passing_by_is_no_crowd() {
    let across = |id: u64, start: f64| Actor::new(id, &[(start, 0.05, 0.8), (start + 4.0, 0.95, 0.8)]);
    assert_eq!(three((1..=3).map(|id| across(id, 0.0)).collect()).begun(5.0, 20.0), []);
}

#[test]
fn a_box_for_one_picture_makes_no_crowd() {
    let mut rule = square(Some(3), None);
    if let RuleKind::Crowd { dwell, .. } = &mut rule.kind {
        *dwell = Duration::ZERO;
    }
    let mut actors = row(2, 0.0, 30.0);
    actors.push(Actor::standing(9, (0.5, 0.8), 10.0, 10.1));
    assert_eq!(Play::new(vec![rule.clone()], actors).begun(5.0, 30.0), []);
    assert_eq!(Play::new(vec![rule], row(3, 0.0, 30.0)).begun(5.0, 30.0), [(0.4, Subject::Whole)]);
}

#[test]
fn who_is_hidden_is_there_and_who_is_lost_is_not() {
    let mut actors = row(3, 0.0, 60.0);
    actors[2] = actors[2].clone().hidden(2.0, 3.8);
    assert_eq!(three(actors).begun(5.0, 20.0), [(5.2, Subject::Whole)]);
    let mut actors = row(3, 0.0, 60.0);
    actors[2] = actors[2].clone().hidden(2.0, 7.0);
    // Confirmed again after the loss: from 7.2 s on.
    assert_eq!(three(actors).begun(5.0, 20.0), [(12.2, Subject::Whole)]);
    // Gone behind a tree and out of it under another number.
    let mut actors = row(2, 0.0, 60.0);
    actors.extend([Actor::standing(8, (0.5, 0.8), 0.0, 2.0), Actor::standing(9, (0.5, 0.8), 6.0, 60.0)]);
    assert_eq!(three(actors).begun(5.0, 20.0), [(11.2, Subject::Whole)]);
}

#[test]
fn nobody_seen_fires_nothing() {
    let hidden = row(3, 0.0, 60.0).into_iter().map(|actor| actor.hidden(4.8, 6.4)).collect();
    assert_eq!(three(hidden).begun(5.0, 20.0), [(6.4, Subject::Whole)]);
}

#[test]
fn numbers_that_change_among_those_who_stay_do_not_matter() {
    let mut actors = row(3, 0.0, 60.0);
    // Two of them swap places, and with that numbers.
    actors[0] = Actor::new(1, &[(0.0, 0.1, 0.8), (3.0, 0.1, 0.8), (3.1, 0.3, 0.8), (60.0, 0.3, 0.8)]);
    actors[2] = Actor::new(3, &[(0.0, 0.3, 0.8), (3.0, 0.3, 0.8), (3.1, 0.1, 0.8), (60.0, 0.1, 0.8)]);
    assert_eq!(three(actors).begun(5.0, 20.0), [(5.2, Subject::Whole)]);
}

#[test]
fn density_is_measured_on_the_ground() {
    // The lower half of the picture is 2 m by 1 m here.
    let play = |many: u16, at_least, density| Play {
        ground: Some(square_metres()),
        ..Play::new(vec![square(at_least, density)], row(many, 0.0, 30.0))
    };
    assert_eq!(play(7, None, Some(4.0)).begun(5.0, 20.0), []);
    let said = play(8, None, Some(4.0)).run(5.0, 20.0);
    assert_eq!(changes(&said), [(5.2, Change::Began)]);
    let (what, value, least, _) = measured(&said[0])[1];
    assert_eq!((what, least), (Quantity::PerSquareMetre, Some(4.0)));
    assert!((value - 4.0).abs() < 1e-6, "{value}");
    // One of both will do.
    assert_eq!(play(3, Some(3), Some(4.0)).begun(5.0, 20.0).len(), 1);
    assert_eq!(play(8, Some(30), Some(4.0)).begun(5.0, 20.0).len(), 1);
    assert_eq!(play(3, Some(4), Some(4.0)).begun(5.0, 20.0), []);
}

#[test]
fn without_ground_there_is_no_density() {
    assert_eq!(Play::new(vec![square(None, Some(1.0))], row(9, 0.0, 30.0)).begun(5.0, 20.0), []);
    assert_eq!(Play::new(vec![square(Some(3), Some(9.0))], row(9, 0.0, 30.0)).begun(5.0, 20.0).len(), 1);
}

#[test]
fn the_looks_a_second_make_no_difference() {
    let crowd = || {
        let mut actors = row(2, 0.0, 60.0);
        actors.push(Actor::new(
            9,
            &[(4.1, 0.5, 0.3), (5.1, 0.5, 0.8), (20.0, 0.5, 0.8), (21.0, 0.5, 0.3), (60.0, 0.5, 0.3)],
        ));
        three(actors)
    };
    agree(crowd, 50.0, 2);
}

#[test]
fn a_blind_time_ends_it_and_it_begins_anew() {
    let mut actors = row(3, 0.0, 10.0);
    actors.extend((11..=13).map(|id| Actor::standing(id, (0.03 * id as f32, 0.8), 20.0, 60.0)));
    let play = Play { blind: vec![(10.0, 20.0)], ..three(actors) };
    let said = changes(&play.run(5.0, 40.0));
    assert_eq!(said, [(5.2, Change::Began), (10.0, Change::Ended(CloseReason::Blind)), (25.2, Change::Began)]);
}

#[test]
fn it_counts_from_when_the_rule_is_armed_and_only_what_passes_its_filter() {
    let rule = Rule { schedule: Some(evening(1)), ..square(Some(3), None) };
    assert_eq!(Play::new(vec![rule], row(3, 0.0, 200.0)).begun(5.0, 80.0), [(65.2, Subject::Whole)]);
    let mut actors = row(3, 0.0, 60.0);
    actors[2] = actors[2].clone().scoring(0.4);
    assert_eq!(three(actors).begun(5.0, 20.0), []);
    let mut actors = row(3, 0.0, 60.0);
    actors[2] = actors[2].clone().of_class(3);
    assert_eq!(three(actors).begun(5.0, 20.0), []);
}
