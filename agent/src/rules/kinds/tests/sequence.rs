//! Over the fence, and then into the store.

use std::time::Duration;

use karaul_wire::{CloseReason, Quantity};

use super::track;
use crate::{
    config::{Direction, Rule, RuleKind, Same, sample},
    rules::{
        Change, Subject,
        script::{Actor, Play},
    },
};

/// Fence in the middle, store on the right, and one after the other, in this order of the file: the sequence first.
fn rules(within: u64, same: Same) -> Vec<Rule> {
    let fence =
        RuleKind::LineCrossing { line: sample::line("fence", &[(0.5, 1.0), (0.5, 0.0)]), direction: Direction::Either };
    let zone = sample::zone("store", &[(0.8, 0.0), (1.0, 0.0), (1.0, 1.0), (0.8, 1.0)]);
    let store = RuleKind::Intrusion { zone, dwell: Duration::from_secs(1) };
    let both = RuleKind::Sequence { first: 1, then: 2, within: Duration::from_secs(within), same };
    vec![sample::rule("both", both), sample::rule("fence", fence), sample::rule("store", store)]
}

/// Crosses the fence at 5 s and comes to the store at so many seconds, where it is for 2 s.
fn burglar(id: u64, arrives: f64) -> Actor {
    // Nobody walks within somebody else.
    let y = 0.45 + 0.05 * id as f32;
    Actor::new(
        id,
        &[(3.0, 0.3, y), (7.0, 0.7, y), (arrives, 0.79, y), (arrives + 0.5, 0.9, y), (arrives + 2.5, 0.9, y)],
    )
}

/// Comes to the store from the right, over no fence.
fn guard(id: u64, arrives: f64) -> Actor {
    Actor::new(id, &[(arrives - 0.1, 0.95, 0.2), (arrives, 0.95, 0.5), (arrives + 2.5, 0.95, 0.5)])
}

fn begun(rules: &[Rule], actors: Vec<Actor>, fps: f64) -> Vec<(f64, Subject)> {
    let said = Play::new(rules.to_vec(), actors).run(fps, 60.0);
    let begun = said.into_iter().filter(|line| line.rule == 0 && line.change == Change::Began);
    begun.map(|line| ((line.at * 10.0).round() / 10.0, line.subject)).collect()
}

#[test]
fn first_and_then_within_the_time_is_one_finding() {
    for (fps, at) in [(3.0, 11.3), (5.0, 11.2), (25.0, 11.1)] {
        assert_eq!(begun(&rules(30, Same::Track), vec![burglar(1, 10.0)], fps), [(at, track(1))], "{fps}");
    }
}

#[test]
fn too_late_is_none() {
    assert_eq!(begun(&rules(5, Same::Track), vec![burglar(1, 20.0)], 5.0), []);
}

#[test]
fn the_second_alone_is_none() {
    assert_eq!(begun(&rules(30, Same::Track), vec![guard(1, 10.0)], 5.0), []);
}

#[test]
fn the_first_alone_is_none() {
    let passer = Actor::new(1, &[(3.0, 0.3, 0.5), (7.0, 0.7, 0.5), (20.0, 0.75, 0.5)]);
    assert_eq!(begun(&rules(30, Same::Track), vec![passer], 5.0), []);
}

#[test]
fn another_object_counts_only_where_it_need_not_be_the_same() {
    let passer = Actor::new(1, &[(3.0, 0.3, 0.5), (7.0, 0.7, 0.5), (20.0, 0.75, 0.5)]);
    let actors = || vec![passer.clone(), guard(2, 10.0)];
    assert_eq!(begun(&rules(30, Same::Track), actors(), 5.0), []);
    assert_eq!(begun(&rules(30, Same::Camera), actors(), 5.0), [(11.0, track(2))]);
}

#[test]
fn the_wrong_order_is_none() {
    // Out of the store, and then over the fence.
    let leaves = Actor::new(1, &[(0.0, 0.9, 0.5), (3.0, 0.9, 0.5), (7.0, 0.3, 0.5), (20.0, 0.2, 0.5)]);
    assert_eq!(begun(&rules(30, Same::Track), vec![leaves], 5.0), []);
}

#[test]
fn two_who_do_it_are_two_findings() {
    let found = begun(&rules(30, Same::Track), vec![burglar(1, 10.0), burglar(2, 14.0)], 5.0);
    assert_eq!(found, [(11.2, track(1)), (15.2, track(2))]);
}

#[test]
fn each_time_again_is_another_finding() {
    let twice = Actor::new(
        1,
        &[
            (0.0, 0.3, 0.5),
            (2.0, 0.9, 0.5),
            (5.0, 0.9, 0.5),
            (8.0, 0.3, 0.5),
            (16.0, 0.3, 0.5),
            (18.0, 0.9, 0.5),
            (30.0, 0.9, 0.5),
        ],
    );
    assert_eq!(begun(&rules(5, Same::Track), vec![twice], 5.0).len(), 2);
}

#[test]
fn a_filter_of_the_first_rule_holds() {
    let mut rules = rules(30, Same::Track);
    rules[1].filter.min_score = 0.9;
    assert_eq!(begun(&rules, vec![burglar(1, 10.0)], 5.0), []);
}

#[test]
fn a_sequence_that_is_not_armed_does_not_remember() {
    let mut rules = rules(30, Same::Track);
    rules[1].light = Some(crate::config::Light::Night);
    let mut play = Play::new(rules, vec![burglar(1, 10.0)]);
    play.light = Box::new(|_| Some(crate::config::Light::Day));
    assert!(play.run(5.0, 30.0).iter().all(|line| line.rule == 2), "the fence is not armed by day");
}

#[test]
fn blindness_in_between_begins_anew() {
    let mut play = Play::new(rules(30, Same::Track), vec![burglar(1, 10.0)]);
    play.blind = vec![(7.0, 8.0)];
    assert!(play.run(5.0, 30.0).iter().all(|line| line.rule != 0));
}

#[test]
fn it_tells_the_time_between_and_is_over_soon() {
    let said = Play::new(rules(30, Same::Track), vec![burglar(1, 10.0)]).run(5.0, 30.0);
    let said: Vec<_> = said.into_iter().filter(|line| line.rule == 0).collect();
    let interval = said[0].evidence.measured().next().unwrap();
    assert_eq!(
        (interval.what, (interval.value * 10.0).round() / 10.0, interval.most),
        (Quantity::IntervalS, 5.8, Some(30.0))
    );
    assert_eq!(said[0].objects, [1]);
    assert_eq!(said[1].change, Change::Ended(CloseReason::Cleared));
    assert!((said[1].at - said[0].at - 2.0).abs() < 0.3);
}
