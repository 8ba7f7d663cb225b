//! Somebody who is followed twice crosses once.

use karaul_wire::CloseReason;

use super::track;
use crate::{
    config::{Direction, RuleKind, sample},
    rules::{
        Change,
        script::{Actor, Play},
    },
};

/// A line up the middle of the picture.
fn middle(actors: Vec<Actor>) -> Play {
    let line = sample::line("middle", &[(0.5, 0.8), (0.5, 0.2)]);
    Play::new(vec![sample::rule("r", RuleKind::LineCrossing { line, direction: Direction::Either })], actors)
}

/// From left to right within two seconds from this time on, and gone.
fn walks(id: u64, at: f64, y: f32) -> Actor {
    Actor::new(id, &[(at, 0.3, y), (at + 2.0, 0.7, y)])
}

#[test]
fn two_boxes_around_one_person_cross_once() {
    for fps in [5.0, 25.0] {
        // The second one is as high, but narrow, and a little behind or before.
        for after in [-0.1, 0.0, 0.1] {
            let begun = middle(vec![walks(1, 0.2, 0.6), walks(2, 0.2 + after, 0.605).sized(0.05, 0.3)]).begun(fps, 4.0);
            assert_eq!(begun.len(), 1, "{fps} {after}: {begun:?}");
        }
    }
}

#[test]
fn a_box_that_does_not_count_stands_for_nobody() {
    let faint = walks(1, 0.0, 0.6).sized(0.05, 0.3).scoring(0.2);
    assert_eq!(middle(vec![faint, walks(2, 0.1, 0.605)]).begun(25.0, 4.0).len(), 1);
}

#[test]
fn two_persons_cross_twice_one_behind_the_other_side_by_side_or_towards_each_other() {
    let one = walks(1, 0.0, 0.6);
    for other in [
        // As far away, half a box behind.
        walks(2, 0.25, 0.6),
        // Beside, and so farther away: less high, and the feet higher up.
        walks(2, 0.0, 0.56).sized(0.09, 0.28),
        Actor::new(2, &[(0.0, 0.7, 0.6), (2.0, 0.3, 0.6)]),
    ] {
        assert_eq!(middle(vec![one.clone(), other]).begun(25.0, 4.0).len(), 2);
    }
}

#[test]
fn who_turns_back_and_comes_again_crosses_each_time() {
    let way = [(0.0, 0.45, 0.6), (0.4, 0.55, 0.6), (0.8, 0.45, 0.6), (1.2, 0.55, 0.6), (5.0, 0.55, 0.6)];
    let said = middle(vec![Actor::new(1, &way)]).run(25.0, 5.0);
    let changes: Vec<_> = said.iter().map(|line| (line.subject, line.change)).collect();
    let (began, cleared) = ((track(1), Change::Began), (track(1), Change::Ended(CloseReason::Cleared)));
    assert_eq!(changes, [began, cleared, began, cleared, began, cleared]);
}
