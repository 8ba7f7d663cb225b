use std::time::Duration;

use karaul_wire::{CloseReason, Quantity};

use super::{agree, evening, measured, track};
use crate::{
    config::{Direction, Rule, RuleKind, sample},
    rules::{
        Change,
        geometry::Side,
        script::{Actor, Play},
    },
};

/// A door up the middle of the picture; two seconds between two who go through it are too few.
fn door(direction: Direction) -> Rule {
    let line = sample::line("door", &[(0.5, 0.8), (0.5, 0.2)]);
    sample::rule("r", RuleKind::Tailgating { line, direction, within: Duration::from_secs(2) })
}

fn play(actors: Vec<Actor>) -> Play {
    Play::new(vec![door(Direction::LeftToRight)], actors)
}

/// Comes through, is first seen beyond it 0.6 s later and confirmed there after 0.8 s, and stays there for some time.
fn comes(id: u64, at: f64) -> Actor {
    Actor::new(id, &[(at, 0.3, 0.5), (at + 1.0, 0.7, 0.5), (at + 6.0, 0.7, 0.5)])
}

fn goes(id: u64, at: f64) -> Actor {
    Actor::new(id, &[(at, 0.7, 0.5), (at + 1.0, 0.3, 0.5), (at + 6.0, 0.3, 0.5)])
}

#[test]
fn the_second_is_told_of_with_the_time_between_and_cleared_after_a_little() {
    let said = play(vec![comes(1, 0.0), comes(2, 1.0)]).run(5.0, 6.0);
    let changes: Vec<_> = said.iter().map(|line| (line.at, line.subject, line.change)).collect();
    let cleared = Change::Ended(CloseReason::Cleared);
    assert_eq!(changes, [(1.8, track(2), Change::Began), (3.8, track(2), cleared)]);
    assert_eq!(said[0].objects, [2, 1], "the follower, then the one who was followed");
    assert_eq!(measured(&said[0]), [(Quantity::IntervalS, 1.0, None, Some(2.0))]);
    assert_eq!(said[0].evidence.from, Some(Side::Left));
}

#[test]
fn with_enough_time_between_them_nobody_follows() {
    assert_eq!(play(vec![comes(1, 0.0), comes(2, 2.2), comes(3, 5.0)]).begun(5.0, 20.0), []);
    assert_eq!(play(vec![comes(1, 0.0), comes(2, 2.0)]).begun(5.0, 20.0), [(2.8, track(2))]);
}

#[test]
fn of_three_in_a_row_two_follow() {
    let begun = play(vec![comes(1, 0.0), comes(2, 1.0), comes(3, 2.0)]).begun(5.0, 20.0);
    assert_eq!(begun, [(1.8, track(2)), (2.8, track(3))]);
}

#[test]
fn of_two_side_by_side_one_follows() {
    let beside = Actor::new(2, &[(0.0, 0.3, 0.6), (1.0, 0.7, 0.6), (6.0, 0.7, 0.6)]);
    let said = play(vec![comes(1, 0.0), beside]).run(5.0, 2.0);
    assert_eq!(said.len(), 1);
    assert_eq!(measured(&said[0])[0].1, 0.0);
}

#[test]
fn who_comes_the_other_way_follows_nobody() {
    for direction in [Direction::LeftToRight, Direction::RightToLeft, Direction::Either] {
        let play = Play::new(vec![door(direction)], vec![comes(1, 0.0), goes(2, 1.0)]);
        assert_eq!(play.begun(5.0, 10.0), [], "{direction:?}");
    }
    // One between two does not part them.
    let either = Play::new(vec![door(Direction::Either)], vec![comes(1, 0.0), goes(2, 0.6), comes(3, 1.0)]);
    assert_eq!(either.begun(5.0, 10.0), [(1.8, track(3))]);
    let other = Play::new(vec![door(Direction::RightToLeft)], vec![goes(1, 0.0), goes(2, 1.0)]);
    assert_eq!(other.begun(5.0, 10.0), [(1.8, track(2))]);
}

#[test]
fn nobody_follows_themselves() {
    let way = [(0.0, 0.3, 0.5), (0.5, 0.7, 0.5), (1.0, 0.3, 0.5), (1.5, 0.7, 0.5), (5.0, 0.7, 0.5)];
    assert_eq!(play(vec![Actor::new(1, &way)]).begun(10.0, 10.0), []);
}

#[test]
fn a_new_number_on_the_line_makes_no_second_person() {
    let until = Actor::new(1, &[(0.0, 0.3, 0.5), (1.0, 0.58, 0.5)]);
    let from = Actor::new(2, &[(1.2, 0.6, 0.5), (3.0, 0.9, 0.5)]);
    assert_eq!(play(vec![until, from]).begun(5.0, 10.0), []);
    // Broken exactly on it, and seen on it again.
    let until = Actor::new(1, &[(0.0, 0.3, 0.5), (1.0, 0.5, 0.5)]);
    let from = Actor::new(2, &[(1.2, 0.5, 0.5), (3.0, 0.9, 0.5)]);
    assert_eq!(play(vec![until, from]).begun(5.0, 10.0), []);
}

#[test]
fn numbers_swapped_in_the_door_are_still_two_persons() {
    // The second walks a second behind the first and gets its number when the first stands on the line.
    let one = [(0.0, 0.2, 0.5), (1.49, 0.498, 0.5), (1.5, 0.3, 0.5), (4.0, 0.8, 0.5)];
    let other = [(0.0, 0.0, 0.5), (1.49, 0.298, 0.5), (1.5, 0.5, 0.5), (4.0, 1.0, 0.5)];
    let begun = play(vec![Actor::new(1, &one), Actor::new(2, &other)]).begun(5.0, 10.0);
    assert_eq!(begun.len(), 1, "{begun:?}");
    // One comes and one goes, and both seem to turn round.
    let back = Actor::new(1, &[(0.0, 0.3, 0.5), (0.5, 0.5, 0.5), (1.0, 0.3, 0.5)]);
    let too = Actor::new(2, &[(0.0, 0.7, 0.5), (0.5, 0.5, 0.5), (1.0, 0.7, 0.5)]);
    assert_eq!(Play::new(vec![door(Direction::Either)], vec![back, too]).begun(5.0, 10.0), []);
}

#[test]
fn flickers_and_hesitation_are_no_crossing() {
    let flicker =
        Actor::new(2, &[(0.0, 0.45, 0.5), (0.99, 0.45, 0.5), (1.0, 0.55, 0.5), (1.19, 0.45, 0.5), (4.0, 0.45, 0.5)]);
    assert_eq!(play(vec![comes(1, 0.0), flicker]).begun(5.0, 10.0), []);
    let waits = Actor::new(2, &[(0.0, 0.3, 0.5), (1.0, 0.5, 0.5), (6.0, 0.5, 0.5), (7.0, 0.7, 0.5), (9.0, 0.7, 0.5)]);
    assert_eq!(play(vec![comes(1, 0.0), waits]).begun(5.0, 12.0), []);
}

#[test]
fn a_follower_who_is_hidden_in_the_door_follows_all_the_same() {
    let hidden = comes(2, 1.0).hidden(1.3, 1.7);
    assert_eq!(play(vec![comes(1, 0.0), hidden]).begun(5.0, 10.0), [(2.0, track(2))]);
    // Seen beyond it before the one who was told of first.
    let late = comes(1, 1.0).hidden(1.7, 2.3);
    let beside = Actor::new(2, &[(1.4, 0.3, 0.55), (2.4, 0.7, 0.55), (7.4, 0.7, 0.55)]);
    let said = play(vec![late, beside]).run(5.0, 10.0);
    let begun: Vec<_> = said.iter().filter(|line| line.change == Change::Began).collect();
    assert_eq!(begun.len(), 1);
    assert!(measured(begun[0])[0].1 < 1.0);
}

#[test]
fn the_looks_a_second_make_no_difference() {
    // Slowly, so that the slower camera too sees everybody twice on this side.
    let comes = |id, at: f64| Actor::new(id, &[(at, 0.1, 0.5), (at + 4.0, 0.9, 0.5), (at + 9.0, 0.9, 0.5)]);
    agree(|| play(vec![comes(1, 0.1), comes(2, 1.2), comes(3, 6.0)]), 12.0, 3);
}

#[test]
fn a_blind_time_parts_them() {
    let after = Actor::new(2, &[(1.5, 0.3, 0.5), (2.5, 0.7, 0.5), (6.0, 0.7, 0.5)]);
    let play = Play { blind: vec![(1.0, 1.5)], ..play(vec![comes(1, 0.0), after]) };
    assert_eq!(play.begun(5.0, 10.0), []);
}

#[test]
fn what_the_filter_holds_back_and_what_is_not_armed_follows_nobody() {
    assert_eq!(play(vec![comes(1, 0.0), comes(2, 1.0).of_class(4)]).begun(5.0, 10.0), []);
    assert_eq!(play(vec![comes(1, 0.0).scoring(0.4), comes(2, 1.0)]).begun(5.0, 10.0), []);
    let rule = Rule { schedule: Some(evening(1)), ..door(Direction::Either) };
    assert_eq!(Play::new(vec![rule], vec![comes(1, 58.0), comes(2, 59.0)]).begun(5.0, 70.0), []);
}
