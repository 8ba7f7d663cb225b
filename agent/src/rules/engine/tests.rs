use std::sync::Arc;

use jiff::{Timestamp, tz::TimeZone};

use super::*;
use crate::rules::geometry::Side;
use crate::{
    config::{Direction, Filter, RuleKind, Schedule, Span, sample},
    vision::Rect,
};

fn right_half(dwell_s: f64) -> config::Rule {
    let zone = sample::zone("z", &[(0.5, 0.0), (1.0, 0.0), (1.0, 1.0), (0.5, 1.0)]);
    sample::rule("r", RuleKind::Intrusion { zone, dwell: Duration::from_secs_f64(dwell_s) })
}

/// A line up the middle of the picture, from y = 0.8 to y = 0.2: left is left.
fn middle(direction: Direction) -> config::Rule {
    sample::rule("r", RuleKind::LineCrossing { line: sample::line("l", &[(0.5, 0.8), (0.5, 0.2)]), direction })
}

fn track(id: u64, foot: (f32, f32)) -> Track {
    let (w, h) = (0.1, 0.3);
    Track {
        id,
        class: 0,
        bbox: Rect { x: foot.0 - w / 2.0, y: foot.1 - h, w, h },
        score: 0.8,
        score_max: 0.8,
        seen: true,
        lost: false,
        first_seen: Duration::ZERO,
        last_seen: Duration::ZERO,
    }
}

fn look(at: Stamp, tracks: &[Track]) -> Look<'_> {
    Look { at, tracks, patches: &[], light: None, aspect: 16.0 / 9.0, troubled: false }
}

/// Feeds pictures at `fps`; each entry is the foot of track 1, or `None` if it was not
/// seen. Returns what was said, with the index of the picture.
fn play(rule: &config::Rule, fps: f64, feet: &[Option<(f32, f32)>]) -> Vec<(usize, Change)> {
    let mut engine = Engine::new(std::slice::from_ref(rule), None);
    let mut said = Vec::new();
    let mut last = (0.0, 0.0);
    for (i, foot) in feet.iter().enumerate() {
        let at = Stamp::after(Timestamp::UNIX_EPOCH, Duration::from_secs_f64(i as f64 / fps));
        last = foot.unwrap_or(last);
        let mut findings = Findings::default();
        engine.observe(&look(at, &[Track { seen: foot.is_some(), ..track(1, last) }]), &mut findings);
        said.extend(findings.iter().filter(|f| f.change != Change::Holds).map(|f| (i, f.change)));
    }
    said
}

fn xs(xs: &[f32]) -> Vec<Option<(f32, f32)>> {
    xs.iter().map(|x| Some((*x, 0.5))).collect()
}

const CLEARED: Change = Change::Ended(CloseReason::Cleared);

#[test]
fn intrusion_fires_once_when_the_dwell_time_is_reached() {
    assert_eq!(play(&right_half(2.0), 5.0, &vec![Some((0.7, 0.5)); 60]), [(10, Change::Began)]);
    assert_eq!(play(&right_half(2.0), 25.0, &vec![Some((0.7, 0.5)); 300]), [(50, Change::Began)]);
}

#[test]
fn intrusion_needs_two_pictures_even_without_dwell() {
    assert_eq!(play(&right_half(0.0), 5.0, &xs(&[0.2, 0.7, 0.2, 0.2])), []);
    assert_eq!(play(&right_half(0.0), 5.0, &xs(&[0.2, 0.7, 0.7])), [(2, Change::Began)]);
}

#[test]
fn intrusion_survives_a_trembling_box_and_pictures_without_it() {
    let mut feet = xs(&[0.7, 0.7, 0.7, 0.4, 0.4, 0.7, 0.7]);
    feet.extend([None, None, None, Some((0.7, 0.5))]);
    assert_eq!(play(&right_half(2.0), 5.0, &feet), [(10, Change::Began)]);
}

#[test]
fn intrusion_starts_again_after_a_real_absence() {
    let mut feet = xs(&[0.7; 8]);
    feet.extend(xs(&[0.3; 8])); // 1.6 s outside
    feet.extend(xs(&[0.7; 8]));
    assert_eq!(play(&right_half(2.0), 5.0, &feet), []);
}

#[test]
fn intrusion_is_over_five_seconds_after_leaving() {
    let mut feet = xs(&[0.7; 4]);
    feet.extend(xs(&[0.3; 40]));
    assert_eq!(play(&right_half(0.0), 5.0, &feet), [(1, Change::Began), (3 + 26, CLEARED)]);
    let mut feet = xs(&[0.7; 4]);
    feet.extend(xs(&[0.3; 20])); // 4 s: comes back
    feet.extend(xs(&[0.7; 4]));
    assert_eq!(play(&right_half(0.0), 5.0, &feet), [(1, Change::Began)]);
}

#[test]
fn an_unseen_object_does_not_fire() {
    let mut feet = xs(&[0.7, 0.7, 0.7]);
    feet.extend(vec![None; 30]);
    assert_eq!(play(&right_half(2.0), 5.0, &feet), []);
}

#[test]
fn crossing_counts_once_in_its_direction() {
    let right = xs(&[0.3, 0.4, 0.6, 0.7, 0.8]);
    let left = xs(&[0.8, 0.7, 0.4, 0.3, 0.2]);
    assert_eq!(play(&middle(Direction::LeftToRight), 5.0, &right), [(3, Change::Began)]);
    assert_eq!(play(&middle(Direction::RightToLeft), 5.0, &right), []);
    assert_eq!(play(&middle(Direction::RightToLeft), 5.0, &left), [(3, Change::Began)]);
    assert_eq!(play(&middle(Direction::LeftToRight), 5.0, &left), []);
    assert_eq!(play(&middle(Direction::Either), 5.0, &right), [(3, Change::Began)]);
}

#[test]
fn flicker_over_the_line_never_counts() {
    for direction in [Direction::LeftToRight, Direction::RightToLeft, Direction::Either] {
        let rule = middle(direction);
        assert_eq!(play(&rule, 5.0, &xs(&[0.4, 0.4, 0.6, 0.4, 0.4, 0.6, 0.4, 0.4])), []);
        assert_eq!(play(&rule, 5.0, &xs(&[0.6, 0.6, 0.4, 0.6, 0.6, 0.4, 0.6])), []);
        assert_eq!(play(&rule, 5.0, &xs(&[0.4, 0.6, 0.4, 0.6, 0.4, 0.6])), []);
    }
}

#[test]
fn somebody_born_on_the_far_side_has_not_crossed() {
    assert_eq!(play(&middle(Direction::Either), 5.0, &xs(&[0.6, 0.7, 0.8])), []);
    // One picture before the line does not confirm a side.
    assert_eq!(play(&middle(Direction::Either), 5.0, &xs(&[0.4, 0.6, 0.7, 0.8])), []);
}

#[test]
fn going_around_the_end_of_the_line_is_no_crossing() {
    let around: Vec<_> = [(0.3, 0.5), (0.3, 0.9), (0.4, 0.95), (0.6, 0.95), (0.7, 0.9), (0.7, 0.5)].map(Some).to_vec();
    assert_eq!(play(&middle(Direction::Either), 5.0, &around), []);
}

#[test]
fn stopping_on_the_line_counts_when_it_is_left_on_the_far_side() {
    assert_eq!(play(&middle(Direction::Either), 5.0, &xs(&[0.4, 0.4, 0.5, 0.5, 0.5, 0.4, 0.4])), []);
    assert_eq!(play(&middle(Direction::Either), 5.0, &xs(&[0.4, 0.4, 0.5, 0.5, 0.6, 0.6])), [(5, Change::Began)]);
}

#[test]
fn a_crossing_while_unseen_counts_if_the_way_crosses_the_line() {
    let feet = [Some((0.3, 0.5)), Some((0.4, 0.5)), None, None, Some((0.6, 0.5)), Some((0.7, 0.5))];
    assert_eq!(play(&middle(Direction::LeftToRight), 5.0, &feet), [(5, Change::Began)]);
}

#[test]
fn there_and_back_are_two_crossings_and_each_is_cleared() {
    let mut feet = xs(&[0.3, 0.4, 0.6, 0.7]);
    feet.extend(xs(&[0.8; 12]));
    feet.extend(xs(&[0.4, 0.3]));
    let said = play(&middle(Direction::Either), 5.0, &feet);
    assert_eq!(said, [(3, Change::Began), (13, CLEARED), (17, Change::Began)]);
}

#[test]
fn back_at_once_ends_the_first_crossing_with_its_own_words() {
    let mut engine = Engine::new(&[middle(Direction::Either)], None);
    let mut said = Findings::default();
    for (n, x) in [0.3, 0.4, 0.6, 0.7, 0.6, 0.4, 0.3].into_iter().enumerate() {
        let at = Stamp::after(Timestamp::UNIX_EPOCH, Duration::from_millis(200 * n as u64));
        engine.observe(&look(at, &[track(1, (x, 0.5))]), &mut said);
    }
    let said: Vec<_> = said.iter().map(|f| (f.change, f.evidence.from.unwrap())).collect();
    let (there, back) = (Side::Left, Side::Right);
    assert_eq!(said, [(Change::Began, there), (CLEARED, there), (Change::Began, back)]);
}

#[test]
fn filters_hold_back_what_does_not_count() {
    let inside = vec![Some((0.7, 0.5)); 5];
    let fires = |change: fn(&mut Filter)| {
        let mut rule = right_half(0.0);
        change(&mut rule.filter);
        !play(&rule, 5.0, &inside).is_empty()
    };
    assert!(fires(|_| ()));
    assert!(!fires(|f| f.classes = vec![2]));
    assert!(!fires(|f| f.min_score = 0.81));
    assert!(fires(|f| f.min_size = [0.09, 0.29]));
    assert!(!fires(|f| f.min_size = [0.11, 0.0]));
    assert!(!fires(|f| f.max_size = [1.0, 0.29]));
    assert!(!fires(|f| f.min_travel = 0.05));
}

#[test]
fn min_travel_is_met_by_walking() {
    let mut rule = right_half(0.0);
    rule.filter.min_travel = 0.1;
    assert_eq!(play(&rule, 5.0, &xs(&[0.55, 0.6, 0.65, 0.68, 0.7])), [(4, Change::Began)]);
}

#[test]
fn a_lost_track_and_a_blind_camera_end_what_was_open() {
    let mut engine = Engine::new(&[right_half(0.0)], None);
    let mut findings = Findings::default();
    let at = |s: u64| Stamp::after(Timestamp::UNIX_EPOCH, Duration::from_secs(s));
    engine.observe(&look(at(0), &[track(1, (0.7, 0.5)), track(2, (0.8, 0.5))]), &mut findings);
    engine.observe(&look(at(1), &[track(1, (0.7, 0.5)), track(2, (0.8, 0.5))]), &mut findings);
    findings.clear();
    engine.observe(&look(at(2), &[track(2, (0.8, 0.5))]), &mut findings);
    let mut said: Vec<_> = findings.iter().map(|f| (f.subject, f.change)).collect();
    said.sort_by_key(|(subject, _)| *subject);
    assert_eq!(said, [(Subject::Track(1), Change::Ended(CloseReason::Lost)), (Subject::Track(2), Change::Holds)]);
    findings.clear();
    engine.end_all(CloseReason::Blind, &mut findings);
    let said: Vec<_> = findings.iter().map(|f| (f.subject, f.change)).collect();
    assert_eq!(said, [(Subject::Track(2), Change::Ended(CloseReason::Blind))]);
}

#[test]
fn the_schedule_arms_and_disarms() {
    let mut rule = right_half(0.0);
    let mut days: [Vec<Span>; 7] = Default::default();
    days[3] = vec![Span { start: 0, end: 1 }]; // Thursday 1970-01-01, 00:00 to 00:01
    rule.schedule =
        Some(Arc::new(Schedule { id: "s".parse().unwrap(), time_zone: TimeZone::UTC, days, holidays: None }));
    let said = play(&rule, 1.0, &vec![Some((0.7, 0.5)); 70]);
    assert_eq!(said, [(1, Change::Began), (60, Change::Ended(CloseReason::Disarmed))]);
}

#[test]
fn a_rule_that_is_disarmed_ends_what_was_true_and_begins_anew_when_armed() {
    let rules = [right_half(1.0), right_half(1.0)];
    let mut engine = Engine::new(&rules, None);
    let see = |engine: &mut Engine, ms: u64| {
        let at = Stamp::after(Timestamp::UNIX_EPOCH, Duration::from_millis(ms));
        let mut findings = Findings::default();
        engine.observe(&look(at, &[track(1, (0.7, 0.5))]), &mut findings);
        findings.iter().filter(|f| f.change != Change::Holds).map(|f| (f.rule, f.change)).collect::<Vec<_>>()
    };
    for ms in [0, 500] {
        assert_eq!(see(&mut engine, ms), []);
    }
    assert_eq!(see(&mut engine, 1000), [(0, Change::Began), (1, Change::Began)]);
    let mut findings = Findings::default();
    engine.disarm(&[true, false], &mut findings);
    assert_eq!(
        findings.iter().map(|f| (f.rule, f.change)).collect::<Vec<_>>(),
        [(0, Change::Ended(CloseReason::Disarmed))]
    );
    assert_eq!(see(&mut engine, 3000), []);
    engine.disarm(&[false, false], &mut findings);
    assert_eq!(see(&mut engine, 3500), [], "the dwell time begins anew");
    assert_eq!(see(&mut engine, 4500), [(0, Change::Began)]);
}
