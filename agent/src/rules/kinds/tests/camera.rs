//! The camera is tampered with, or gone.

use std::time::Duration;

use jiff::Timestamp;
use karaul_wire::CloseReason;

use crate::{
    clock::Stamp,
    config::{Rule, RuleKind, sample},
    rules::{Change, Engine, Findings, Subject, Trouble},
    sight::Condition,
};

fn tampering(dwell: u64) -> Rule {
    let conditions = vec![Condition::Covered, Condition::Moved, Condition::Blurred];
    sample::rule("tamper", RuleKind::CameraTampering { conditions, dwell: Duration::from_secs(dwell) })
}

fn loss(dwell: u64) -> Rule {
    sample::rule("loss", RuleKind::CameraLoss { dwell: Duration::from_secs(dwell) })
}

const COVERED: Trouble = Trouble { condition: Some(Condition::Covered), lost: false };
const MOVED: Trouble = Trouble { condition: Some(Condition::Moved), lost: false };
const DARK: Trouble = Trouble { condition: Some(Condition::Dark), lost: false };
const GONE: Trouble = Trouble { condition: None, lost: true };
const SOUND: Trouble = Trouble { condition: None, lost: false };

/// What is said, looked at so often a second, of what is wrong from which second on.
fn said(rules: &[Rule], looks: u32, troubles: &[(f64, Trouble)]) -> Vec<(f64, usize, Change)> {
    let mut engine = Engine::new(rules, None);
    let (mut said, mut findings) = (Vec::new(), Findings::default());
    for n in 0..=60 * looks {
        let t = f64::from(n) / f64::from(looks);
        let trouble = troubles.iter().rev().find(|(from, _)| t >= *from).map_or(SOUND, |(_, trouble)| *trouble);
        let at = Stamp::after(Timestamp::UNIX_EPOCH, Duration::from_secs_f64(t));
        engine.watch(at, trouble, &mut findings);
        said.extend(findings.iter().filter(|f| f.change != Change::Holds).map(|f| {
            assert_eq!(f.subject, Subject::Whole);
            (t, f.rule, f.change)
        }));
        findings.clear();
    }
    said
}

const CLEARED: Change = Change::Ended(CloseReason::Cleared);

#[test]
fn tampering_is_told_after_its_time_and_ends_with_the_picture_sound() {
    for looks in [1, 5, 25] {
        let told = said(&[tampering(10)], looks, &[(5.0, COVERED), (30.0, SOUND)]);
        assert_eq!(told, [(15.0, 0, Change::Began), (30.0, 0, CLEARED)], "{looks}");
    }
}

#[test]
fn what_is_over_before_its_time_is_none() {
    assert_eq!(said(&[tampering(10)], 5, &[(5.0, COVERED), (14.0, SOUND)]), []);
    assert_eq!(said(&[loss(10)], 5, &[(5.0, GONE), (14.0, SOUND)]), []);
}

#[test]
fn only_the_conditions_that_are_wanted_count() {
    assert_eq!(said(&[tampering(10)], 5, &[(5.0, DARK)]), []);
}

#[test]
fn one_condition_that_becomes_another_is_one_incident() {
    assert_eq!(said(&[tampering(10)], 5, &[(5.0, COVERED), (12.0, MOVED)]), [(15.0, 0, Change::Began)]);
}

#[test]
fn a_condition_that_comes_again_is_another_incident() {
    let told = said(&[tampering(2)], 5, &[(5.0, COVERED), (10.0, SOUND), (20.0, COVERED)]);
    assert_eq!(told, [(7.0, 0, Change::Began), (10.0, 0, CLEARED), (22.0, 0, Change::Began)]);
}

#[test]
fn a_loss_is_told_after_its_time_and_ends_with_the_first_picture() {
    for looks in [1, 5, 25] {
        let told = said(&[loss(30)], looks, &[(5.0, GONE), (50.0, SOUND)]);
        assert_eq!(told, [(35.0, 0, Change::Began), (50.0, 0, CLEARED)], "{looks}");
    }
}

#[test]
fn a_covered_picture_is_no_loss_and_a_loss_is_no_tampering() {
    assert_eq!(said(&[loss(5)], 5, &[(5.0, COVERED)]), []);
    assert_eq!(said(&[tampering(5)], 5, &[(5.0, GONE)]), []);
}

#[test]
fn a_covered_camera_that_is_torn_off_is_still_tampered_with() {
    let told = said(&[tampering(5), loss(5)], 5, &[(5.0, COVERED), (20.0, GONE), (40.0, SOUND)]);
    let expected = [(10.0, 0, Change::Began), (25.0, 1, Change::Began), (40.0, 0, CLEARED), (40.0, 1, CLEARED)];
    assert_eq!(told, expected);
}

#[test]
fn blindness_does_not_end_what_is_about_it_and_the_end_of_watching_does() {
    let mut engine = Engine::new(&[tampering(0)], None);
    let mut findings = Findings::default();
    let at = Stamp::after(Timestamp::UNIX_EPOCH, Duration::from_secs(1));
    engine.watch(at, COVERED, &mut findings);
    assert_eq!(findings.iter().count(), 1);
    findings.clear();
    engine.end_all(CloseReason::Blind, &mut findings);
    assert!(findings.is_empty());
    engine.end_all(CloseReason::Stopped, &mut findings);
    assert_eq!(findings.iter().next().unwrap().change, Change::Ended(CloseReason::Stopped));
}

#[test]
fn a_rule_that_is_disarmed_says_nothing_and_begins_anew() {
    let mut engine = Engine::new(&[loss(5)], None);
    let mut findings = Findings::default();
    let mut look = |engine: &mut Engine, second: u64| {
        engine.watch(Stamp::after(Timestamp::UNIX_EPOCH, Duration::from_secs(second)), GONE, &mut findings);
        let changes: Vec<_> = findings.iter().map(|f| f.change).collect();
        findings.clear();
        changes
    };
    assert_eq!(look(&mut engine, 0), []);
    assert_eq!(look(&mut engine, 5), [Change::Began]);
    let mut ended = Findings::default();
    engine.disarm(&[true], &mut ended);
    assert_eq!(ended.iter().next().unwrap().change, Change::Ended(CloseReason::Disarmed));
    assert_eq!(look(&mut engine, 20), []);
    engine.disarm(&[false], &mut ended);
    assert_eq!(look(&mut engine, 21), []);
    assert_eq!(look(&mut engine, 26), [Change::Began]);
}

#[test]
fn the_evidence_is_the_condition_and_the_time() {
    let mut engine = Engine::new(&[tampering(0)], None);
    let mut findings = Findings::default();
    engine.watch(Stamp::after(Timestamp::UNIX_EPOCH, Duration::from_secs(1)), MOVED, &mut findings);
    let evidence = findings.iter().next().unwrap().evidence;
    assert_eq!(evidence.condition, Some(Condition::Moved));
    assert_eq!(evidence.measured().count(), 1);
}
