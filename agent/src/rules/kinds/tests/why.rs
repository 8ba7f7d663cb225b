//! What the kinds are short of, for whoever asks why a rule does not fire.

use std::time::Duration;

use jiff::Timestamp;

use super::{square_metres, track};
use crate::{
    clock::Stamp,
    config::{Direction, Distance, RuleKind, Zone, sample},
    rules::{Engine, Findings, Look, Shortfall, Subject, Unmet},
    track::Track,
    vision::Rect,
};

const DWELL: Duration = Duration::from_secs(5);

fn right_half() -> Zone {
    sample::zone("z", &[(0.5, 0.0), (1.0, 0.0), (1.0, 1.0), (0.5, 1.0)])
}

/// Somebody who is seen with the foot here.
fn person(id: u64, x: f32) -> Track {
    Track {
        id,
        class: 0,
        bbox: Rect { x: x - 0.05, y: 0.2, w: 0.1, h: 0.3 },
        score: 0.8,
        score_max: 0.8,
        seen: true,
        lost: false,
        first_seen: Duration::ZERO,
        last_seen: Duration::ZERO,
    }
}

/// What the rule thinks of them after so many seconds in which nobody moved.
fn thinks(kind: RuleKind, people: &[Track], seconds: u64) -> Vec<(Subject, Unmet, f64, f64)> {
    let ground = square_metres();
    let on_ground = !matches!(kind, RuleKind::Group { distance: Distance::Metres(_), .. });
    let mut engine = Engine::new(&[sample::rule("r", kind)], on_ground.then_some(&ground));
    let mut findings = Findings::default();
    for n in 0..=2 * seconds {
        let at = Stamp::after(Timestamp::UNIX_EPOCH, Duration::from_millis(500 * n));
        let look = Look { at, tracks: people, patches: &[], light: None, aspect: 16.0 / 9.0, troubled: false };
        engine.observe(&look, &mut findings);
    }
    let short = |heard: &crate::rules::Heard| {
        let Shortfall { unmet, value, limit } = heard.short?;
        Some((heard.subject, unmet, value, limit))
    };
    engine.heard().iter().filter_map(short).collect()
}

#[test]
fn loitering_is_short_of_time_and_place() {
    let kind = || RuleKind::Loitering { zone: right_half(), dwell: DWELL, away: DWELL };
    assert_eq!(thinks(kind(), &[person(1, 0.7)], 2), [(track(1), Unmet::Dwell, 2.0, 5.0)]);
    assert_eq!(thinks(kind(), &[person(1, 0.3)], 2), [(track(1), Unmet::Outside, 0.0, 0.0)]);
    let lost = Track { seen: false, lost: true, ..person(1, 0.7) };
    assert_eq!(thinks(kind(), &[lost], 2), [(track(1), Unmet::Lost, 0.0, 0.0)]);
    assert_eq!(thinks(kind(), &[person(1, 0.7)], 6), []);
}

#[test]
fn a_crowd_is_short_of_people_density_and_time() {
    let kind = |at_least, density| RuleKind::Crowd { zone: right_half(), at_least, density, dwell: DWELL };
    let two = [person(1, 0.7), person(2, 0.8)];
    assert_eq!(thinks(kind(Some(3), None), &two, 9), [(Subject::Whole, Unmet::Count, 2.0, 3.0)]);
    assert_eq!(thinks(kind(Some(2), None), &two, 3), [(Subject::Whole, Unmet::Dwell, 2.5, 5.0)]);
    // Two on two square metres.
    let said = thinks(kind(None, Some(1.5)), &two, 9);
    assert_eq!((said.len(), said[0].1, said[0].3), (1, Unmet::Density, 1.5));
    assert!((said[0].2 - 1.0).abs() < 1e-6);
}

#[test]
fn an_absence_is_short_of_time_or_somebody_is_there() {
    let kind = || RuleKind::Absence { zone: right_half(), at_least: 1, dwell: DWELL };
    assert_eq!(thinks(kind(), &[person(1, 0.7)], 9), [(Subject::Whole, Unmet::Present, 1.0, 1.0)]);
    assert_eq!(thinks(kind(), &[person(1, 0.3)], 3), [(Subject::Whole, Unmet::Dwell, 3.0, 5.0)]);
    assert_eq!(thinks(kind(), &[], 6), []);
}

#[test]
fn lines_are_short_of_crossings() {
    let line = || sample::line("door", &[(0.5, 0.8), (0.5, 0.2)]);
    let inward = Direction::LeftToRight;
    let kind = RuleKind::Occupancy { line: line(), inward, capacity: 4, reset: None };
    assert_eq!(thinks(kind, &[person(1, 0.7)], 3), [(Subject::Whole, Unmet::Count, 0.0, 5.0)]);
    let kind = RuleKind::Tailgating { line: line(), direction: inward, within: DWELL };
    assert_eq!(thinks(kind, &[person(1, 0.7)], 3), [(track(1), Unmet::NotCrossed, 0.0, 0.0)]);
}

#[test]
fn a_group_is_short_of_people_time_and_ground() {
    let kind = |distance| RuleKind::Group { zone: None, at_least: 2, distance, dwell: DWELL };
    let heights = || kind(Distance::Heights(1.0));
    assert_eq!(thinks(heights(), &[person(1, 0.1), person(2, 0.8)], 9), [(Subject::Whole, Unmet::Count, 1.0, 2.0)]);
    assert_eq!(thinks(heights(), &[], 9), [(Subject::Whole, Unmet::Count, 0.0, 2.0)]);
    assert_eq!(thinks(heights(), &[person(1, 0.7), person(2, 0.8)], 3), [(Subject::Whole, Unmet::Dwell, 2.5, 5.0)]);
    let metres = kind(Distance::Metres(1.0));
    assert_eq!(thinks(metres, &[person(1, 0.7), person(2, 0.8)], 9), [(Subject::Whole, Unmet::NoGround, 0.0, 0.0)]);
}
