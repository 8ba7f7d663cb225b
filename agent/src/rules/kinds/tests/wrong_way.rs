use karaul_wire::{CloseReason, Quantity};

use super::track;
use crate::{
    config::{Distance, Rule, RuleKind, sample},
    rules::{
        Change, Ground,
        geometry::Point,
        script::{Actor, Play},
    },
};

/// The right way is from left to right; a height and a half against it is wrong.
fn rule() -> Rule {
    let zone = sample::zone("exit", &[(0.1, 0.0), (0.9, 0.0), (0.9, 1.0), (0.1, 1.0)]);
    let heading = [Point::new(0.2, 0.5), Point::new(0.8, 0.5)];
    sample::rule("r", RuleKind::WrongWay { zone, heading, tolerance: 45.0, distance: Distance::Heights(1.5) })
}

fn begun(way: &[(f64, f32, f32)]) -> Vec<(f64, crate::rules::Subject)> {
    let end = way[way.len() - 1].0;
    Play::new(vec![rule()], vec![person(way)]).begun(5.0, end)
}

fn person(way: &[(f64, f32, f32)]) -> Actor {
    Actor::new(1, way).sized(0.05, 0.2)
}

#[test]
fn who_comes_in_by_the_exit_is_told_with_angle_and_distance() {
    // A height and a half is 0.169 of the width: 1.7 s at this speed.
    let lines = Play::new(vec![rule()], vec![person(&[(0.0, 0.8, 0.6), (5.0, 0.3, 0.6)])]).run(5.0, 5.0);
    assert_eq!((lines.len(), lines[0].change, lines[0].subject), (1, Change::Began, track(1)));
    assert!((1.6..=2.1).contains(&lines[0].at), "{}", lines[0].at);
    let measured: Vec<_> = lines[0].evidence.measured().map(|m| (m.what, m.value.round(), m.least)).collect();
    assert_eq!(measured, [(Quantity::AngleDeg, 180.0, Some(135.0)), (Quantity::DistanceHeights, 2.0, Some(1.5))]);
}

#[test]
fn the_right_way_and_across_are_none() {
    assert_eq!(begun(&[(0.0, 0.2, 0.6), (6.0, 0.8, 0.6)]), []);
    assert_eq!(begun(&[(0.0, 0.5, 0.3), (6.0, 0.5, 0.95)]), []);
}

#[test]
fn who_turns_back_for_a_step_is_none() {
    assert_eq!(begun(&[(0.0, 0.2, 0.6), (3.0, 0.5, 0.6), (4.0, 0.42, 0.6), (7.0, 0.8, 0.6)]), []);
}

#[test]
fn who_goes_the_right_way_first_and_then_comes_back_is_told() {
    let begun = begun(&[(0.0, 0.2, 0.6), (4.0, 0.7, 0.6), (8.0, 0.3, 0.6)]);
    assert_eq!(begun.len(), 1);
    assert!((5.6..6.5).contains(&begun[0].0), "{begun:?}");
}

#[test]
fn the_tolerance_decides_how_oblique_is_wrong() {
    // 40 and 50 degrees off the opposite, in the picture as it is seen: 16:9.
    assert_eq!(begun(&[(0.0, 0.7, 0.4), (4.0, 0.4, 0.4 + 0.3 * 16.0 / 9.0 * 0.84)]).len(), 1);
    assert_eq!(begun(&[(0.0, 0.7, 0.4), (4.0, 0.5, 0.4 + 0.2 * 16.0 / 9.0 * 1.19)]), []);
}

#[test]
fn outside_of_the_zone_any_way_is_right() {
    assert_eq!(begun(&[(0.0, 0.99, 0.6), (1.0, 0.91, 0.6), (5.0, 0.91, 0.6)]), []);
    // Only the way in the zone counts.
    assert_eq!(begun(&[(0.0, 0.99, 0.6), (2.0, 0.8, 0.6), (5.0, 0.8, 0.6)]), []);
}

#[test]
fn few_and_many_pictures_agree() {
    let play = Play::new(vec![rule()], vec![person(&[(0.0, 0.8, 0.6), (5.0, 0.3, 0.6)])]);
    let (few, many) = (play.begun(3.0, 5.0)[0].0, play.begun(25.0, 5.0)[0].0);
    assert!((few - many).abs() <= 0.61, "two looks confirm: {few} {many}");
}

#[test]
fn one_wild_box_is_no_way() {
    let way = [(0.0, 0.6, 0.6), (2.0, 0.6, 0.6), (2.01, 0.3, 0.6), (2.39, 0.3, 0.6), (2.4, 0.6, 0.6), (5.0, 0.6, 0.6)];
    assert_eq!(begun(&way), []);
}

#[test]
fn behind_a_tree_the_way_goes_on_and_a_lost_track_begins_anew() {
    let way = [(0.0, 0.8, 0.6), (5.0, 0.3, 0.6)];
    let play = |actor| Play::new(vec![rule()], vec![actor]).begun(5.0, 8.0);
    assert_eq!(play(person(&way).hidden(0.6, 2.2)), [(2.4, track(1))]);
    // Where it was meanwhile nobody knows: what it went since then counts.
    let lost = [(0.0, 0.8, 0.6), (5.0, 0.3, 0.6), (8.0, 0.3, 0.6)];
    assert_eq!(play(person(&lost).hidden(0.6, 4.6)), []);
}

#[test]
fn two_who_pass_each_other_are_told_apart() {
    let right = Actor::new(1, &[(0.0, 0.2, 0.6), (5.0, 0.8, 0.6)]).sized(0.05, 0.2);
    let wrong = Actor::new(2, &[(0.0, 0.8, 0.6), (5.0, 0.2, 0.6)]).sized(0.05, 0.2);
    let begun = Play::new(vec![rule()], vec![right, wrong]).begun(5.0, 5.0);
    assert_eq!(begun.iter().map(|(_, s)| *s).collect::<Vec<_>>(), [track(2)]);
}

#[test]
fn who_turns_round_or_leaves_ends_it() {
    let turns = person(&[(0.0, 0.8, 0.6), (4.0, 0.4, 0.6), (8.0, 0.85, 0.6), (9.0, 0.85, 0.6)]);
    let lines = Play::new(vec![rule()], vec![turns]).run(5.0, 9.0);
    let changes: Vec<Change> = lines.iter().map(|line| line.change).collect();
    assert_eq!(changes, [Change::Began, Change::Ended(CloseReason::Cleared)]);
    assert!((5.4..8.0).contains(&lines[1].at), "{}", lines[1].at);
    let leaves = person(&[(0.0, 0.8, 0.6), (4.0, 0.05, 0.6), (14.0, 0.05, 0.6)]);
    let lines = Play::new(vec![rule()], vec![leaves]).run(5.0, 14.0);
    assert_eq!(lines[1].change, Change::Ended(CloseReason::Cleared));
    assert!((8.4..9.4).contains(&lines[1].at), "{}", lines[1].at);
}

#[test]
fn a_blind_camera_ends_it_and_the_way_begins_anew() {
    let mut play = Play::new(vec![rule()], vec![person(&[(0.0, 0.85, 0.6), (6.0, 0.25, 0.6)])]);
    play.blind = vec![(2.5, 3.0)];
    let changes: Vec<Change> = play.run(5.0, 6.0).iter().map(|line| line.change).collect();
    assert_eq!(changes, [Change::Began, Change::Ended(CloseReason::Blind), Change::Began]);
}

#[test]
fn on_the_ground_the_angle_is_that_of_the_ground() {
    // A road that leads away: going away from the camera is right. In the picture its left border goes up and to the right.
    let points = [(0.0, 1.0), (1.0, 1.0), (0.7, 0.5), (0.3, 0.5)].map(|(x, y)| Point::new(x, y));
    let ground = Ground::new(points, [[0.0, 0.0], [32.0, 0.0], [32.0, 30.0], [0.0, 30.0]]).unwrap();
    let zone = sample::zone("road", &[(0.0, 0.4), (1.0, 0.4), (1.0, 1.0), (0.0, 1.0)]);
    let heading = [Point::new(0.5, 0.9), Point::new(0.5, 0.5)];
    let kind = RuleKind::WrongWay { zone, heading, tolerance: 15.0, distance: Distance::Metres(10.0) };
    // Along the left border towards the camera: 47 degrees off in the picture, none on the ground.
    let comes = Actor::new(1, &[(0.0, 0.3, 0.5), (4.0, 0.0, 1.0)]).sized(0.05, 0.1);
    let mut play = Play::new(vec![sample::rule("r", kind.clone())], vec![comes]);
    play.ground = Some(ground);
    let lines = play.run(5.0, 4.0);
    assert_eq!(lines.len(), 1);
    let measured: Vec<_> = lines[0].evidence.measured().map(|m| (m.what, m.least)).collect();
    assert_eq!(measured, [(Quantity::AngleDeg, Some(165.0)), (Quantity::DistanceM, Some(10.0))]);
    // Without the ground there are no metres, and nothing fires.
    play.ground = None;
    assert!(play.run(5.0, 4.0).is_empty());
}

#[test]
fn who_does_not_pass_the_filter_may_go_anywhere() {
    let way = [(0.0, 0.8, 0.6), (5.0, 0.3, 0.6)];
    assert_eq!(Play::new(vec![rule()], vec![person(&way).scoring(0.3)]).begun(5.0, 5.0), []);
    assert_eq!(Play::new(vec![rule()], vec![person(&way).of_class(2)]).begun(5.0, 5.0), []);
}
