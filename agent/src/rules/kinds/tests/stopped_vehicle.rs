use std::time::Duration;

use karaul_wire::CloseReason;

use super::track;
use crate::{
    config::{Rule, RuleKind, sample},
    rules::{
        Change,
        script::{Actor, Play},
    },
};

fn rule() -> Rule {
    let zone = sample::zone("gate", &[(0.2, 0.0), (0.8, 0.0), (0.8, 1.0), (0.2, 1.0)]);
    let mut rule = sample::rule("r", RuleKind::StoppedVehicle { zone, dwell: Duration::from_secs(10) });
    rule.filter.classes = vec![2];
    rule
}

fn car(id: u64, way: &[(f64, f32, f32)]) -> Actor {
    Actor::new(id, way).of_class(2).sized(0.12, 0.1)
}

fn run(actors: Vec<Actor>, fps: f64, seconds: f64) -> Vec<(f64, Change)> {
    let lines = Play::new(vec![rule()], actors).run(fps, seconds);
    lines.iter().map(|line| ((line.at * 10.0).round() / 10.0, line.change)).collect()
}

#[test]
fn a_car_that_stops_is_told_after_the_dwell_with_its_time() {
    let stops = car(1, &[(0.0, 0.1, 0.6), (4.0, 0.5, 0.6), (30.0, 0.5, 0.6)]);
    let lines = Play::new(vec![rule()], vec![stops]).run(5.0, 30.0);
    assert_eq!((lines.len(), lines[0].change, lines[0].subject), (1, Change::Began, track(1)));
    // It comes to rest at 4 s; the last half width of its way counts for it.
    assert!((13.0..=14.4).contains(&lines[0].at), "{}", lines[0].at);
    let (dwell, least) = lines[0].evidence.dwell.unwrap();
    assert!((10.0..10.3).contains(&dwell) && least == 10.0, "{dwell}");
}

#[test]
fn a_car_that_drives_through_is_none() {
    assert_eq!(run(vec![car(1, &[(0.0, 0.1, 0.6), (20.0, 0.9, 0.6)])], 5.0, 20.0), []);
}

#[test]
fn a_car_that_creeps_on_in_a_jam_begins_anew() {
    // Every eight seconds it goes on by half its width and a little more.
    let way: Vec<(f64, f32, f32)> = (0..8)
        .flat_map(|n| {
            let (then, x) = (8.0 * f64::from(n), 0.22 + 0.066 * n as f32);
            [(then, x, 0.6), (then + 7.0, x, 0.6)]
        })
        .collect();
    assert_eq!(run(vec![car(1, &way)], 5.0, 63.0), []);
}

#[test]
fn one_that_stands_when_the_camera_starts_counts_from_there() {
    assert_eq!(run(vec![car(1, &[(0.0, 0.5, 0.6), (30.0, 0.5, 0.6)])], 5.0, 20.0), [(10.0, Change::Began)]);
}

#[test]
fn outside_of_the_zone_cars_may_stand_and_on_its_border_not() {
    assert_eq!(run(vec![car(1, &[(0.0, 0.1, 0.6), (30.0, 0.1, 0.6)])], 5.0, 20.0), []);
    assert_eq!(run(vec![car(1, &[(0.0, 0.2, 0.6), (30.0, 0.2, 0.6)])], 5.0, 20.0), [(10.0, Change::Began)]);
}

#[test]
fn what_drives_past_and_hides_it_changes_nothing() {
    let hidden = car(1, &[(0.0, 0.5, 0.6), (30.0, 0.5, 0.6)]).hidden(4.0, 5.6);
    assert_eq!(run(vec![hidden], 5.0, 20.0), [(10.0, Change::Began)]);
    // Hidden in part: its lower half, for two seconds.
    let way =
        [(0.0, 0.5, 0.6), (4.0, 0.5, 0.6), (4.01, 0.5, 0.54), (6.0, 0.5, 0.54), (6.01, 0.5, 0.6), (30.0, 0.5, 0.6)];
    let half = car(1, &way).then_sized(4.01, 0.12, 0.04).then_sized(6.01, 0.12, 0.1);
    assert_eq!(run(vec![half], 5.0, 20.0), [(10.0, Change::Began)]);
}

#[test]
fn a_lost_one_begins_anew() {
    let lost = car(1, &[(0.0, 0.5, 0.6), (40.0, 0.5, 0.6)]).hidden(4.0, 7.0);
    assert_eq!(run(vec![lost], 5.0, 30.0), [(17.0, Change::Began)]);
}

#[test]
fn another_id_is_another_stop() {
    let first = car(1, &[(0.0, 0.5, 0.6), (7.0, 0.5, 0.6)]);
    let second = car(2, &[(7.2, 0.5, 0.6), (30.0, 0.5, 0.6)]);
    assert_eq!(run(vec![first, second], 5.0, 20.0), [(17.2, Change::Began)]);
}

#[test]
fn one_wild_box_sets_off_no_car() {
    let way = [(0.0, 0.5, 0.6), (5.0, 0.5, 0.6), (5.01, 0.7, 0.6), (5.39, 0.7, 0.6), (5.4, 0.5, 0.6), (30.0, 0.5, 0.6)];
    assert_eq!(run(vec![car(1, &way)], 5.0, 20.0), [(10.0, Change::Began)]);
}

#[test]
fn it_ends_when_the_car_drives_off_and_not_when_it_makes_room() {
    let room = car(1, &[(0.0, 0.4, 0.6), (15.0, 0.4, 0.6), (16.0, 0.48, 0.6), (40.0, 0.48, 0.6)]);
    assert_eq!(run(vec![room], 5.0, 30.0), [(10.0, Change::Began)]);
    let off = car(1, &[(0.0, 0.4, 0.6), (15.0, 0.4, 0.6), (19.0, 0.75, 0.6), (40.0, 0.75, 0.6)]);
    let off = run(vec![off], 5.0, 24.0);
    assert_eq!(off.len(), 2, "{off:?}");
    assert_eq!(off[1].1, Change::Ended(CloseReason::Cleared));
    assert!((18.0..19.5).contains(&off[1].0), "{off:?}");
}

#[test]
fn it_ends_with_the_zone_and_with_the_track() {
    let leaves = car(1, &[(0.0, 0.7, 0.6), (12.0, 0.7, 0.6), (13.0, 0.79, 0.6), (14.0, 0.84, 0.6), (30.0, 0.84, 0.6)]);
    let lines = run(vec![leaves], 5.0, 30.0);
    assert_eq!((lines.len(), lines[1].1), (2, Change::Ended(CloseReason::Cleared)));
    let gone = run(vec![car(1, &[(0.0, 0.5, 0.6), (12.0, 0.5, 0.6)])], 5.0, 30.0);
    assert_eq!((gone.len(), gone[1].1), (2, Change::Ended(CloseReason::Lost)));
}

#[test]
fn few_and_many_pictures_agree() {
    let at = |fps| run(vec![car(1, &[(0.0, 0.1, 0.6), (4.0, 0.5, 0.6), (30.0, 0.5, 0.6)])], fps, 30.0)[0].0;
    assert!((at(3.0) - at(25.0)).abs() <= 0.9, "the last half width: {} {}", at(3.0), at(25.0));
}

#[test]
fn a_blind_camera_ends_it_and_it_begins_anew() {
    let mut play = Play::new(vec![rule()], vec![car(1, &[(0.0, 0.5, 0.6), (60.0, 0.5, 0.6)])]);
    play.blind = vec![(12.0, 14.0)];
    let lines: Vec<(f64, Change)> = play.run(5.0, 40.0).iter().map(|line| (line.at, line.change)).collect();
    assert_eq!(lines, [(10.0, Change::Began), (12.0, Change::Ended(CloseReason::Blind)), (24.0, Change::Began)]);
}

#[test]
fn persons_are_no_vehicles() {
    assert_eq!(run(vec![Actor::standing(1, (0.5, 0.6), 0.0, 30.0)], 5.0, 20.0), []);
}
