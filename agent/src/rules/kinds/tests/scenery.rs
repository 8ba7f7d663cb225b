//! A bag that somebody leaves, and a thing that somebody takes.

use std::time::Duration;

use karaul_wire::{CloseReason, Quantity};

use crate::{
    config::{Distance, Rule, RuleKind, sample},
    rules::{
        Change, Subject,
        script::{Actor, Play},
    },
    scenery::Patch,
    vision::Rect,
};

fn zone() -> crate::config::Zone {
    sample::zone("hall", &[(0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0)])
}

fn abandoned() -> Rule {
    let owner_within = Distance::Heights(1.0);
    let (dwell, owner_away) = (Duration::from_secs(10), Duration::from_secs(5));
    sample::rule("bag", RuleKind::AbandonedObject { zone: zone(), dwell, owner_within, owner_away })
}

fn removed() -> Rule {
    sample::rule("safe", RuleKind::RemovedObject { zone: zone(), dwell: Duration::from_secs(5) })
}

/// A bag at the middle of the picture.
fn bag(id: u64, since: f64) -> Patch {
    let bbox = Rect { x: 0.48, y: 0.55, w: 0.04, h: 0.05 };
    Patch { id, zone: 0, bbox, appeared: Some(true), since: Duration::from_secs_f64(since), seen: true }
}

/// Puts the bag down at 4 s and is out of the picture at so many seconds.
fn owner(id: u64, leaves: f64) -> Actor {
    Actor::new(id, &[(0.0, 0.1, 0.6), (4.0, 0.5, 0.6), (leaves - 4.0, 0.52, 0.6), (leaves, 1.0, 0.6)])
}

/// The bag stands there from 4 s on, and is listed 2 s later.
fn left(play: &mut Play) {
    play.patches = Box::new(|t| if t >= 6.0 { vec![bag(1, 4.0)] } else { Vec::new() });
}

fn begun(rule: Rule, actors: Vec<Actor>, patches: impl Fn(f64) -> Vec<Patch> + 'static) -> Vec<(f64, Subject)> {
    let mut play = Play::new(vec![rule], actors);
    play.patches = Box::new(patches);
    play.begun(5.0, 60.0)
}

#[test]
fn a_bag_whose_owner_has_gone_is_abandoned() {
    for fps in [3.0, 5.0, 25.0] {
        let mut play = Play::new(vec![abandoned()], vec![owner(1, 12.0)]);
        left(&mut play);
        let begun = play.begun(fps, 60.0);
        // He is further than a height away about a second after he set off at 8 s.
        assert!(begun.len() == 1 && (13.8..=15.4).contains(&begun[0].0), "{begun:?} at {fps}");
        assert_eq!(begun[0].1, Subject::Spot(1));
    }
}

#[test]
fn not_while_the_owner_stands_beside_it() {
    let mut play = Play::new(vec![abandoned()], vec![owner(1, 70.0)]);
    left(&mut play);
    assert_eq!(play.begun(5.0, 60.0), []);
}

#[test]
fn another_person_beside_it_is_not_the_owner() {
    let stranger = Actor::standing(2, (0.55, 0.6), 10.0, 60.0);
    // The owner is still in the picture, far away.
    let waits =
        Actor::new(1, &[(0.0, 0.1, 0.6), (4.0, 0.5, 0.6), (8.0, 0.52, 0.6), (12.0, 0.95, 0.6), (60.0, 0.95, 0.6)]);
    let mut play = Play::new(vec![abandoned()], vec![waits, stranger]);
    left(&mut play);
    assert_eq!(play.begun(5.0, 60.0).len(), 1);
}

#[test]
fn whoever_stands_beside_it_attends_it_once_nobody_knows_the_owner() {
    let stranger = Actor::standing(2, (0.55, 0.6), 9.0, 40.0);
    let mut play = Play::new(vec![abandoned()], vec![owner(1, 12.0), stranger]);
    left(&mut play);
    let begun = play.begun(5.0, 60.0);
    assert!(begun.len() == 1 && begun[0].0 > 40.0, "{begun:?}");
}

#[test]
fn who_only_passes_by_does_not_attend_it() {
    let passers = (0..10_u32).map(|n| {
        let t = 13.0 + 3.0 * f64::from(n);
        Actor::new(10 + u64::from(n), &[(t, 0.2, 0.6), (t + 3.0, 0.8, 0.6)])
    });
    let mut play = Play::new(vec![abandoned()], passers.chain([owner(1, 12.0)]).collect());
    left(&mut play);
    let begun = play.begun(5.0, 60.0);
    assert!(begun.len() == 1 && begun[0].0 < 16.0, "{begun:?}");
}

#[test]
fn an_owner_who_comes_back_in_time_has_not_abandoned_it() {
    let back = Actor::new(
        1,
        &[
            (0.0, 0.1, 0.6),
            (4.0, 0.5, 0.6),
            (8.0, 0.52, 0.6),
            (10.0, 0.9, 0.6),
            (11.5, 0.9, 0.6),
            (13.0, 0.52, 0.6),
            (60.0, 0.52, 0.6),
        ],
    );
    let mut play = Play::new(vec![abandoned()], vec![back]);
    left(&mut play);
    assert_eq!(play.begun(5.0, 60.0), []);
}

#[test]
fn it_has_to_stand_for_the_time() {
    let patches = |t: f64| if (6.0..12.0).contains(&t) { vec![bag(1, 4.0)] } else { Vec::new() };
    assert_eq!(begun(abandoned(), vec![owner(1, 7.0)], patches), []);
}

#[test]
fn it_is_over_when_it_is_taken_away() {
    let mut play = Play::new(vec![abandoned()], vec![owner(1, 12.0)]);
    play.patches = Box::new(|t| if (6.0..30.0).contains(&t) { vec![bag(1, 4.0)] } else { Vec::new() });
    let said: Vec<_> = play.run(5.0, 60.0).into_iter().map(|line| line.change).collect();
    assert_eq!(said, [Change::Began, Change::Ended(CloseReason::Cleared)]);
}

#[test]
fn while_somebody_hides_it_nothing_begins() {
    let patches = |t: f64| if t >= 6.0 { vec![Patch { seen: t >= 30.0, ..bag(1, 4.0) }] } else { Vec::new() };
    assert_eq!(begun(abandoned(), vec![owner(1, 12.0)], patches), [(30.0, Subject::Spot(1))]);
}

#[test]
fn two_bags_are_two_findings() {
    let second = |since| Patch { id: 2, bbox: Rect { x: 0.7, ..bag(2, since).bbox }, ..bag(2, since) };
    let patches = move |t: f64| if t >= 6.0 { vec![bag(1, 4.0), second(5.0)] } else { Vec::new() };
    assert_eq!(begun(abandoned(), vec![owner(1, 12.0)], patches).len(), 2);
}

#[test]
fn what_is_missing_is_not_abandoned_and_the_other_way_round() {
    let missing = |t: f64| if t >= 6.0 { vec![Patch { appeared: Some(false), ..bag(1, 4.0) }] } else { Vec::new() };
    assert_eq!(begun(abandoned(), Vec::new(), missing), []);
    assert_eq!(begun(removed(), Vec::new(), missing), [(9.0, Subject::Spot(1))]);
    let there = |t: f64| if t >= 6.0 { vec![bag(1, 4.0)] } else { Vec::new() };
    assert_eq!(begun(removed(), Vec::new(), there), []);
}

#[test]
fn what_cannot_be_told_counts_for_both() {
    let unclear = |t: f64| if t >= 6.0 { vec![Patch { appeared: None, ..bag(1, 4.0) }] } else { Vec::new() };
    assert_eq!(begun(removed(), Vec::new(), unclear), [(9.0, Subject::Spot(1))]);
    assert_eq!(begun(abandoned(), Vec::new(), unclear), [(14.0, Subject::Spot(1))]);
}

#[test]
fn a_thing_that_is_taken_is_missed_at_any_rate_and_is_over_when_it_is_back() {
    for fps in [3.0, 5.0, 25.0] {
        let mut play = Play::new(vec![removed()], vec![owner(1, 12.0)]);
        play.patches = Box::new(|t| {
            if (6.0..40.0).contains(&t) { vec![Patch { appeared: Some(false), ..bag(1, 4.0) }] } else { Vec::new() }
        });
        let said: Vec<_> =
            play.run(fps, 60.0).into_iter().map(|line| ((line.at * 3.0).round() / 3.0, line.change)).collect();
        assert_eq!(said, [(9.0, Change::Began), (40.0, Change::Ended(CloseReason::Cleared))], "{fps}");
    }
}

#[test]
fn of_another_zone_nothing_is_said() {
    let patches = |t: f64| if t >= 6.0 { vec![Patch { zone: 1, ..bag(1, 4.0) }] } else { Vec::new() };
    assert_eq!(begun(abandoned(), Vec::new(), patches), []);
    // The second rule that watches the scenery has the second zone.
    let mut play = Play::new(vec![abandoned(), sample::rule("other", abandoned().kind)], Vec::new());
    play.patches = Box::new(patches);
    assert_eq!(play.run(5.0, 60.0)[0].rule, 1);
}

#[test]
fn blindness_ends_it_and_nothing_is_taken_for_granted_after() {
    let mut play = Play::new(vec![removed()], Vec::new());
    play.patches = Box::new(|t| {
        if (6.0..20.0).contains(&t) { vec![Patch { appeared: Some(false), ..bag(1, 4.0) }] } else { Vec::new() }
    });
    play.blind = vec![(12.0, 25.0)];
    let said: Vec<_> = play.run(5.0, 60.0).into_iter().map(|line| line.change).collect();
    assert_eq!(said, [Change::Began, Change::Ended(CloseReason::Blind)]);
}

#[test]
fn the_evidence_is_how_long_it_stands_and_how_long_it_is_alone() {
    let mut play = Play::new(vec![abandoned()], vec![owner(1, 12.0)]);
    left(&mut play);
    let line = &play.run(5.0, 60.0)[0];
    let (stood, wanted) = line.evidence.dwell.unwrap();
    assert!((stood - (line.at - 4.0)).abs() < 0.01 && wanted == 10.0);
    let away = line.evidence.measured().find(|m| m.what == Quantity::OwnerAwayS).unwrap();
    assert!(away.value >= 5.0 && away.least == Some(5.0));
}
