use std::time::Duration;

use karaul_wire::{CloseReason, Measure, Quantity};

use super::track;
use crate::{
    config::{Pace, Rule, RuleKind, sample},
    rules::{
        Change,
        script::{Actor, Play},
    },
};

/// Running is 1.5 heights a second for half a second.
fn running() -> Rule {
    let over = Pace::HeightsPerSecond(1.5);
    sample::rule("r", RuleKind::Running { zone: None, over, dwell: Duration::from_millis(500) })
}

/// Somebody 0.2 tall who goes to the right at so many heights a second from 1 s on.
fn goes(id: u64, heights: f32, seconds: f64) -> Actor {
    let shares = heights * 0.2 / (16.0 / 9.0);
    let to = 0.1 + shares * (seconds as f32 - 1.0);
    Actor::new(id, &[(0.0, 0.1, 0.6), (1.0, 0.1, 0.6), (seconds, to, 0.6)]).sized(0.05, 0.2)
}

fn plays(actor: Actor) -> Play {
    Play::new(vec![running()], vec![actor])
}

#[test]
fn who_runs_is_told_after_the_dwell_with_the_speed() {
    let lines = plays(goes(1, 2.5, 5.0)).run(5.0, 5.0);
    assert_eq!((lines.len(), lines[0].change, lines[0].subject), (1, Change::Began, track(1)));
    assert!((2.0..=2.6).contains(&lines[0].at), "{}", lines[0].at);
    let measured: Vec<&Measure> = lines[0].evidence.measured().collect();
    assert_eq!((measured.len(), measured[0].what, measured[0].least), (1, Quantity::SpeedHeights, Some(1.5)));
    assert!((2.4..2.6).contains(&measured[0].value), "{measured:?}");
    let (dwell, least) = lines[0].evidence.dwell.unwrap();
    assert!(dwell >= least && least == 0.5);
}

#[test]
fn who_walks_does_not_run() {
    assert_eq!(plays(goes(1, 0.9, 8.0)).begun(5.0, 8.0), []);
}

#[test]
fn few_and_many_pictures_agree() {
    let at = |fps| plays(goes(1, 2.2, 5.5)).begun(fps, 5.5)[0].0;
    assert!((at(3.0) - at(25.0)).abs() <= 0.41, "{} {}", at(3.0), at(25.0));
    assert!((at(5.0) - at(25.0)).abs() <= 0.3, "{} {}", at(5.0), at(25.0));
}

#[test]
fn the_first_looks_of_a_track_never_fire() {
    let at_once = Actor::new(1, &[(0.0, 0.1, 0.6), (0.9, 0.4, 0.6)]).sized(0.05, 0.2);
    assert_eq!(plays(at_once).begun(25.0, 1.0), []);
}

#[test]
fn a_box_that_jumps_once_does_not_run() {
    // Two tracks swap their objects, or the model takes a shadow for a part of somebody.
    let jumps = [(0.0, 0.3, 0.6), (2.0, 0.3, 0.6), (2.01, 0.5, 0.6), (6.0, 0.5, 0.6)];
    for fps in [3.0, 5.0, 25.0] {
        assert_eq!(plays(Actor::new(1, &jumps).sized(0.05, 0.2)).begun(fps, 6.0), [], "{fps}");
    }
}

#[test]
fn who_steps_behind_a_wall_that_hides_the_legs_does_not_run() {
    // The foot goes up by half a height within a step, the head stays.
    let hides = [(0.0, 0.3, 0.6), (2.0, 0.3, 0.6), (2.3, 0.3, 0.45), (6.0, 0.3, 0.45)];
    let actor = Actor::new(1, &hides).sized(0.05, 0.2).then_sized(2.1, 0.05, 0.12).then_sized(2.2, 0.05, 0.05);
    assert_eq!(plays(actor).begun(5.0, 6.0), []);
}

#[test]
fn who_walks_towards_the_camera_grows_and_does_not_run() {
    // 1.4 m/s from 12 m to 2.2 m before a camera 3 m high; the foot alone moves at 1.1 heights a second in the end.
    let way: Vec<(f64, f32, f32)> = (0..70)
        .map(|n| {
            let depth = 12.0 - 0.14 * n as f32;
            (f64::from(n) / 10.0, 0.5, 0.2 + 0.55 / depth * 3.0)
        })
        .collect();
    let mut actor = Actor::new(1, &way);
    for (n, (at, ..)) in way.iter().enumerate() {
        let height = 0.55 * 1.7 / (12.0 - 0.14 * n as f32);
        actor = actor.then_sized(*at, height * 0.25, height);
    }
    let over = Pace::HeightsPerSecond(0.9);
    let rule = sample::rule("r", RuleKind::Running { zone: None, over, dwell: Duration::ZERO });
    for fps in [3.0, 10.0] {
        assert_eq!(Play::new(vec![rule.clone()], vec![actor.clone()]).begun(fps, 7.0), [], "{fps}");
    }
}

#[test]
fn a_box_cut_off_by_the_picture_tells_no_speed() {
    // Head and shoulders at the lower border: a third of the height, so three times as fast.
    let way = [(0.0, 0.1, 1.0), (5.0, 0.8, 1.0)];
    assert_eq!(plays(Actor::new(1, &way).sized(0.1, 0.12)).begun(5.0, 5.0), []);
}

#[test]
fn a_short_dash_is_none_and_a_pause_ends_the_run() {
    let over = Pace::HeightsPerSecond(1.5);
    let rule = sample::rule("r", RuleKind::Running { zone: None, over, dwell: Duration::from_secs(2) });
    // One second of running, then on foot again.
    let dash = [(0.0, 0.1, 0.6), (2.0, 0.1, 0.6), (3.0, 0.38, 0.6), (8.0, 0.5, 0.6)];
    let dash = Actor::new(1, &dash).sized(0.05, 0.2);
    assert_eq!(Play::new(vec![rule], vec![dash]).begun(5.0, 8.0), []);
    let way = [(0.0, 0.1, 0.6), (3.0, 0.94, 0.6), (12.0, 0.94, 0.6)];
    let lines = plays(Actor::new(1, &way).sized(0.05, 0.2)).run(5.0, 12.0);
    assert_eq!(lines.len(), 2);
    assert_eq!(lines[1].change, Change::Ended(CloseReason::Cleared));
    assert!((5.0..7.0).contains(&lines[1].at), "{}", lines[1].at);
}

#[test]
fn who_runs_on_behind_a_tree_is_one_run_and_a_lost_track_begins_anew() {
    let tree = goes(1, 2.0, 5.0).hidden(3.0, 4.0);
    assert_eq!(plays(tree).run(5.0, 5.0).len(), 1);
    // The run itself was not seen: after the loss somebody stands there.
    let lost = Actor::new(1, &[(0.0, 0.1, 0.6), (1.0, 0.1, 0.6), (3.0, 0.6, 0.6), (9.0, 0.6, 0.6)]);
    assert_eq!(plays(lost.sized(0.05, 0.2).hidden(1.4, 5.0)).begun(5.0, 9.0), []);
}

#[test]
fn a_blind_camera_ends_a_run_and_the_window_begins_anew() {
    let mut play = plays(goes(1, 1.8, 5.8));
    play.blind = vec![(3.0, 3.6)];
    let lines = play.run(5.0, 5.8);
    let changes: Vec<Change> = lines.iter().map(|line| line.change).collect();
    assert_eq!(changes, [Change::Began, Change::Ended(CloseReason::Blind), Change::Began]);
    assert!(lines[2].at >= 4.6, "a second of seeing at least, then the dwell: {}", lines[2].at);
}

#[test]
fn lost_pictures_make_nobody_run() {
    let walks = goes(1, 1.0, 7.0).hidden(2.0, 2.4).hidden(3.0, 3.6).hidden(4.0, 4.2);
    assert_eq!(plays(walks).begun(10.0, 7.0), []);
}

#[test]
fn only_who_passes_the_filter_runs() {
    let rule = running();
    let play = |actor| Play::new(vec![rule.clone()], vec![actor]).begun(5.0, 5.0);
    assert_eq!(play(goes(1, 2.5, 5.0).scoring(0.4)), []);
    assert_eq!(play(goes(1, 2.5, 5.0).of_class(2)), []);
}

#[test]
fn two_who_cross_each_other_at_a_walk_do_not_run_when_their_tracks_are_swapped() {
    // From 3 s on each track follows the other one back.
    let a = Actor::new(1, &[(0.0, 0.2, 0.6), (3.0, 0.5, 0.6), (6.0, 0.2, 0.6)]).sized(0.05, 0.2);
    let b = Actor::new(2, &[(0.0, 0.8, 0.6), (3.0, 0.52, 0.6), (6.0, 0.8, 0.6)]).sized(0.05, 0.2);
    assert_eq!(Play::new(vec![running()], vec![a, b]).begun(5.0, 6.0), []);
}
