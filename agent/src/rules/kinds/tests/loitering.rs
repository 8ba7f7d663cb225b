use std::time::Duration;

use karaul_wire::CloseReason;

use super::{agree, evening, track};
use crate::{
    config::{Rule, RuleKind, sample},
    rules::{
        Change, Subject,
        script::{Actor, Play},
    },
};

/// Loitering in the right half of the picture, for ten seconds; away for no more than eight.
fn gate() -> Rule {
    let zone = sample::zone("gate", &[(0.5, 0.0), (1.0, 0.0), (1.0, 1.0), (0.5, 1.0)]);
    let kind = RuleKind::Loitering { zone, dwell: Duration::from_secs(10), away: Duration::from_secs(8) };
    sample::rule("r", kind)
}

fn play(actors: Vec<Actor>) -> Play {
    Play::new(vec![gate()], actors)
}

/// Up and down over the border of the zone: so many seconds inside and outside in turn.
fn pacing(id: u64, inside: f64, outside: f64, times: u32) -> Actor {
    let mut way = Vec::new();
    for n in 0..times {
        let start = f64::from(n) * (inside + outside);
        way.extend([(start, 0.7, 0.5), (start + inside - 0.01, 0.7, 0.5)]);
        way.extend([(start + inside, 0.3, 0.5), (start + inside + outside - 0.01, 0.3, 0.5)]);
    }
    Actor::new(id, &way)
}

#[test]
fn it_fires_after_the_dwell_time_and_says_what_it_measured() {
    let play = play(vec![Actor::standing(1, (0.7, 0.5), 0.0, 30.0)]);
    let said = play.run(5.0, 12.0);
    assert_eq!(said.len(), 1);
    assert_eq!((said[0].at, said[0].change, said[0].objects.as_slice()), (10.0, Change::Began, &[1][..]));
    let evidence = said[0].evidence;
    assert_eq!(evidence.dwell, Some((10.0, 10.0)));
    assert_eq!((evidence.score_max, evidence.score_min), (0.8, 0.5));
    assert_eq!(evidence.point.map(|p| (p.x, p.y)), Some((0.7, 0.5)));
}

#[test]
fn who_passes_through_does_not_loiter() {
    let passing = Actor::new(1, &[(0.0, 0.1, 0.5), (9.0, 0.9, 0.5)]);
    assert_eq!(play(vec![passing]).begun(5.0, 20.0), []);
}

#[test]
fn walking_up_and_down_adds_up() {
    // Four seconds inside and three outside: ten seconds inside are full in the third turn.
    let begun = play(vec![pacing(1, 4.0, 3.0, 6)]).begun(25.0, 40.0);
    assert_eq!(begun, [(16.1, track(1))]);
}

#[test]
fn who_is_away_for_longer_begins_anew() {
    assert_eq!(play(vec![pacing(1, 6.0, 9.0, 5)]).begun(5.0, 80.0), []);
    assert_eq!(play(vec![pacing(1, 6.0, 7.0, 5)]).begun(5.0, 80.0).len(), 1);
}

#[test]
fn it_ends_when_the_object_has_been_away_for_that_long() {
    let leaves = Actor::new(1, &[(0.0, 0.7, 0.5), (12.0, 0.7, 0.5), (12.1, 0.3, 0.5), (40.0, 0.3, 0.5)]);
    let said = play(vec![leaves]).run(5.0, 40.0);
    let said: Vec<_> = said.iter().map(|line| (line.at, line.change)).collect();
    assert_eq!(said, [(10.0, Change::Began), (20.2, Change::Ended(CloseReason::Cleared))]);
}

#[test]
fn who_goes_out_of_the_picture_is_lost() {
    let said = play(vec![Actor::standing(1, (0.7, 0.5), 0.0, 12.0)]).run(5.0, 30.0);
    let said: Vec<_> = said.iter().map(|line| (line.at, line.change)).collect();
    assert_eq!(said, [(10.0, Change::Began), (18.2, Change::Ended(CloseReason::Lost))]);
}

#[test]
fn behind_a_tree_it_goes_on_and_after_a_loss_it_begins_anew() {
    let behind = Actor::standing(1, (0.7, 0.5), 0.0, 40.0).hidden(4.0, 5.6);
    assert_eq!(play(vec![behind]).begun(5.0, 30.0), [(10.0, track(1))]);
    let lost = Actor::standing(1, (0.7, 0.5), 0.0, 40.0).hidden(4.0, 8.0);
    assert_eq!(play(vec![lost]).begun(5.0, 30.0), [(18.0, track(1))]);
    // Gone for good, and somebody else's number when it is seen again.
    let first = Actor::standing(1, (0.7, 0.5), 0.0, 4.0);
    let again = Actor::standing(2, (0.7, 0.5), 12.0, 40.0);
    assert_eq!(play(vec![first, again]).begun(5.0, 30.0), [(22.0, track(2))]);
}

#[test]
fn a_hidden_object_never_fires() {
    let hidden = Actor::standing(1, (0.7, 0.5), 0.0, 10.6).hidden(9.0, 10.6);
    assert_eq!(play(vec![hidden]).begun(5.0, 10.4), []);
}

#[test]
fn a_flicker_into_the_zone_adds_nothing() {
    // Beside the zone, and one picture in ten within it.
    let mut way = Vec::new();
    for n in 0..40 {
        let start = f64::from(n) * 2.0;
        way.extend([
            (start, 0.45, 0.5),
            (start + 1.79, 0.45, 0.5),
            (start + 1.8, 0.55, 0.5),
            (start + 1.99, 0.45, 0.5),
        ]);
    }
    assert_eq!(play(vec![Actor::new(1, &way)]).begun(5.0, 78.0), []);
}

#[test]
fn a_box_that_trembles_on_the_border_is_inside() {
    // Every third picture lies outside.
    let mut way = Vec::new();
    for n in 0..60 {
        let start = f64::from(n) * 0.6;
        way.extend([
            (start, 0.51, 0.5),
            (start + 0.39, 0.51, 0.5),
            (start + 0.4, 0.49, 0.5),
            (start + 0.59, 0.49, 0.5),
        ]);
    }
    let begun = play(vec![Actor::new(1, &way)]).begun(5.0, 30.0);
    assert_eq!(begun.len(), 1);
    assert!((10.0..=10.4).contains(&begun[0].0), "{begun:?}");
}

#[test]
fn two_are_two_incidents() {
    let two = vec![Actor::standing(1, (0.7, 0.5), 0.0, 40.0), Actor::standing(2, (0.8, 0.7), 3.0, 40.0)];
    assert_eq!(play(two).begun(5.0, 30.0), [(10.0, track(1)), (13.0, track(2))]);
}

#[test]
fn numbers_swapped_between_two_do_not_lengthen_a_stay() {
    // One stays for six seconds and leaves while another comes, under each other's number.
    let one = Actor::new(1, &[(0.0, 0.7, 0.5), (6.0, 0.7, 0.5), (6.1, 0.2, 0.5), (30.0, 0.2, 0.5)]);
    let other = Actor::new(2, &[(0.0, 0.2, 0.5), (6.0, 0.2, 0.5), (6.1, 0.7, 0.5), (30.0, 0.7, 0.5)]);
    assert_eq!(play(vec![one, other]).begun(5.0, 30.0), [(16.2, track(2))]);
}

#[test]
fn the_looks_a_second_make_no_difference() {
    agree(|| play(vec![pacing(1, 4.0, 3.0, 8)]), 50.0, 3);
    agree(|| play(vec![Actor::standing(1, (0.7, 0.5), 0.3, 40.0)]), 40.0, 1);
}

#[test]
fn a_blind_time_ends_it_and_it_begins_anew() {
    let before = Actor::standing(1, (0.7, 0.5), 0.0, 15.0);
    let after = Actor::standing(2, (0.7, 0.5), 20.0, 60.0);
    let play = Play { blind: vec![(15.0, 20.0)], ..play(vec![before, after]) };
    let said = play.run(5.0, 40.0);
    let said: Vec<_> = said.iter().map(|line| (line.at, line.subject, line.change)).collect();
    let blind = Change::Ended(CloseReason::Blind);
    assert_eq!(said, [(10.0, track(1), Change::Began), (15.0, track(1), blind), (30.0, track(2), Change::Began)]);
}

#[test]
fn what_the_filter_holds_back_does_not_loiter() {
    assert_eq!(play(vec![Actor::standing(1, (0.7, 0.5), 0.0, 30.0).of_class(2)]).begun(5.0, 30.0), []);
    assert_eq!(play(vec![Actor::standing(1, (0.7, 0.5), 0.0, 30.0).scoring(0.4)]).begun(5.0, 30.0), []);
}

#[test]
fn a_stay_counts_from_when_the_rule_is_armed() {
    let rule = Rule { schedule: Some(evening(1)), ..gate() };
    let play = Play::new(vec![rule], vec![Actor::standing(1, (0.7, 0.5), 0.0, 200.0)]);
    let begun: Vec<(f64, Subject)> = play.begun(5.0, 100.0);
    assert_eq!(begun, [(70.0, track(1))]);
}
