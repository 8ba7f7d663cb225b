use jiff::tz::TimeZone;
use karaul_wire::{CloseReason, Quantity};

use super::{agree, changes, evening, measured};
use crate::{
    config::{Daily, Direction, Rule, RuleKind, sample},
    rules::{
        Change, Subject,
        geometry::Side,
        script::{Actor, Play},
    },
};

const CLEARED: Change = Change::Ended(CloseReason::Cleared);

/// A door up the middle of the picture, from the left into a room for so many; the count begins anew one minute after midnight.
fn room(capacity: u32) -> Rule {
    let line = sample::line("door", &[(0.5, 0.8), (0.5, 0.2)]);
    let reset = Some(Daily { minute: 1, time_zone: TimeZone::UTC });
    sample::rule("r", RuleKind::Occupancy { line, inward: Direction::LeftToRight, capacity, reset })
}

fn play(capacity: u32, actors: Vec<Actor>) -> Play {
    Play::new(vec![room(capacity)], actors)
}

/// Comes in; two pictures beyond the line are 0.8 s later, at five looks a second.
fn comes(id: u64, at: f64) -> Actor {
    Actor::new(id, &[(at, 0.3, 0.5), (at + 1.0, 0.7, 0.5)])
}

fn goes(id: u64, at: f64) -> Actor {
    Actor::new(id, &[(at, 0.7, 0.5), (at + 1.0, 0.3, 0.5)])
}

#[test]
fn one_more_than_there_is_room_for_fires_and_says_what_it_measured() {
    let said = play(2, vec![comes(1, 0.0), comes(2, 3.0), comes(3, 6.0)]).run(5.0, 20.0);
    assert_eq!(changes(&said), [(6.8, Change::Began)]);
    assert_eq!((said[0].subject, said[0].objects.as_slice()), (Subject::Whole, &[3][..]));
    assert_eq!(measured(&said[0]), [(Quantity::Inside, 3.0, Some(3.0), None)]);
    assert_eq!(said[0].evidence.from, Some(Side::Left));
}

#[test]
fn as_many_as_there_is_room_for_are_fine() {
    assert_eq!(play(3, vec![comes(1, 0.0), comes(2, 3.0), comes(3, 6.0)]).begun(5.0, 20.0), []);
}

#[test]
fn it_ends_when_there_is_room_again() {
    let actors = vec![comes(1, 0.0), comes(2, 2.0), comes(3, 4.0), comes(4, 6.0), goes(5, 10.0), goes(6, 12.0)];
    let said = play(2, actors).run(5.0, 30.0);
    assert_eq!(changes(&said), [(4.8, Change::Began), (12.8, CLEARED)]);
}

#[test]
fn the_count_is_never_below_zero() {
    // Two who were there before the first look go out.
    let actors = vec![goes(1, 0.0), goes(2, 2.0), comes(3, 4.0), comes(4, 6.0)];
    assert_eq!(play(1, actors).begun(5.0, 20.0), [(6.8, Subject::Whole)]);
}

#[test]
fn each_day_it_begins_anew() {
    let actors = || vec![comes(1, 50.0), comes(2, 52.0), comes(3, 70.0)];
    assert_eq!(play(2, actors()).begun(5.0, 90.0), []);
    let mut rule = room(2);
    if let RuleKind::Occupancy { reset, .. } = &mut rule.kind {
        *reset = None;
    }
    assert_eq!(Play::new(vec![rule], actors()).begun(5.0, 90.0), [(70.8, Subject::Whole)]);
    // What was over ends with the day.
    let said = play(1, actors()).run(5.0, 90.0);
    assert_eq!(changes(&said), [(52.8, Change::Began), (60.0, CLEARED)]);
}

#[test]
fn the_count_survives_a_blind_time_and_ways_over_the_line_do_not() {
    let actors = || vec![comes(1, 0.0), comes(2, 2.0), comes(3, 20.0)];
    let play = |capacity| Play { blind: vec![(8.0, 15.0)], ..play(capacity, actors()) };
    assert_eq!(play(2).begun(5.0, 40.0), [(20.8, Subject::Whole)]);
    // Still too many afterwards, as far as anybody knows.
    let said = changes(&play(1).run(5.0, 40.0));
    assert_eq!(said, [(2.8, Change::Began), (8.0, Change::Ended(CloseReason::Blind)), (15.0, Change::Began)]);
    // Who was on this side before and is on the other after it was not seen crossing.
    let unseen = Actor::new(9, &[(0.0, 0.3, 0.5), (9.0, 0.3, 0.5), (10.0, 0.7, 0.5), (20.0, 0.7, 0.5)]);
    let play = Play { blind: vec![(8.0, 12.0)], ..self::play(0, vec![unseen]) };
    assert_eq!(play.begun(5.0, 20.0), []);
}

#[test]
fn two_who_cross_each_other_leave_the_count_as_it_is() {
    let mut actors = vec![comes(1, 0.0)];
    for n in 0..5_u64 {
        let at = 3.0 + 3.0 * n as f64;
        actors.extend([comes(10 + 2 * n, at), goes(11 + 2 * n, at)]);
    }
    assert_eq!(play(2, actors.clone()).begun(5.0, 30.0), []);
    // Their numbers swapped in the door, both seem to turn round: the count is right all the same.
    let back = Actor::new(30, &[(20.0, 0.3, 0.5), (20.5, 0.5, 0.5), (21.0, 0.3, 0.5)]);
    let too = Actor::new(31, &[(20.0, 0.7, 0.5), (20.5, 0.5, 0.5), (21.0, 0.7, 0.5)]);
    actors.extend([back, too]);
    assert_eq!(play(2, actors).begun(5.0, 30.0), []);
}

#[test]
fn numbers_swapped_behind_the_line_count_both_once() {
    // One walks a second behind the other; beyond the line the first one gets the second one's number.
    let swapped = || {
        let first = [(0.0, 0.2, 0.5), (1.99, 0.598, 0.5), (2.0, 0.4, 0.5), (4.0, 0.8, 0.5)];
        let second = [(0.0, 0.0, 0.5), (1.99, 0.398, 0.5), (2.0, 0.6, 0.5), (4.0, 1.0, 0.5)];
        vec![Actor::new(1, &first), Actor::new(2, &second)]
    };
    assert_eq!(play(1, swapped()).begun(5.0, 10.0).len(), 1);
    assert_eq!(play(2, swapped()).begun(5.0, 10.0), []);
}

#[test]
fn flickers_and_hesitation_count_nobody() {
    let flicker = |id, at: f64| {
        Actor::new(
            id,
            &[
                (at, 0.45, 0.5),
                (at + 0.99, 0.45, 0.5),
                (at + 1.0, 0.55, 0.5),
                (at + 1.19, 0.45, 0.5),
                (at + 3.0, 0.45, 0.5),
            ],
        )
    };
    assert_eq!(play(0, (0..5).map(|n| flicker(n + 1, n as f64 * 4.0)).collect()).begun(5.0, 30.0), []);
    let hesitates = Actor::new(1, &[(0.0, 0.3, 0.5), (2.0, 0.5, 0.5), (10.0, 0.5, 0.5), (12.0, 0.3, 0.5)]);
    assert_eq!(play(0, vec![hesitates]).begun(5.0, 20.0), []);
    let stops = Actor::new(1, &[(0.0, 0.3, 0.5), (2.0, 0.5, 0.5), (10.0, 0.5, 0.5), (12.0, 0.7, 0.5)]);
    assert_eq!(play(0, vec![stops]).begun(5.0, 20.0).len(), 1);
}

#[test]
fn who_appears_inside_has_not_come_in() {
    let born = Actor::new(1, &[(0.0, 0.6, 0.5), (3.0, 0.8, 0.5)]);
    assert_eq!(play(0, vec![born]).begun(5.0, 10.0), []);
}

#[test]
fn a_crossing_behind_somebody_counts_and_one_under_another_number_does_not() {
    let hidden = Actor::new(1, &[(0.0, 0.2, 0.5), (3.0, 0.8, 0.5)]).hidden(0.9, 2.1);
    assert_eq!(play(0, vec![hidden]).begun(5.0, 10.0).len(), 1);
    let before = Actor::new(1, &[(0.0, 0.2, 0.5), (1.0, 0.4, 0.5)]);
    let after = Actor::new(2, &[(5.0, 0.6, 0.5), (6.0, 0.8, 0.5)]);
    assert_eq!(play(0, vec![before, after]).begun(5.0, 20.0), []);
}

#[test]
fn the_looks_a_second_make_no_difference() {
    // Slowly, so that the slower camera too sees everybody twice on this side.
    let into = |id, at: f64| Actor::new(id, &[(at, 0.1, 0.5), (at + 4.0, 0.9, 0.5)]);
    let out = |id, at: f64| Actor::new(id, &[(at, 0.9, 0.5), (at + 4.0, 0.1, 0.5)]);
    let actors = || vec![into(1, 0.1), into(2, 2.2), into(3, 4.3), out(4, 9.4), out(5, 11.5)];
    agree(|| play(2, actors()), 30.0, 2);
    agree(|| play(1, actors()), 30.0, 2);
}

#[test]
fn a_disarmed_rule_counts_nobody_and_begins_at_zero() {
    let rule = Rule { schedule: Some(evening(1)), ..room(1) };
    let actors = vec![comes(1, 10.0), comes(2, 12.0), comes(3, 70.0), comes(4, 72.0)];
    assert_eq!(Play::new(vec![rule], actors).begun(5.0, 90.0), [(72.8, Subject::Whole)]);
}

#[test]
fn what_the_filter_holds_back_is_not_counted() {
    assert_eq!(play(0, vec![comes(1, 0.0).of_class(4)]).begun(5.0, 10.0), []);
    assert_eq!(play(0, vec![comes(1, 0.0).scoring(0.4)]).begun(5.0, 10.0), []);
}
