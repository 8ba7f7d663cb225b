mod escalation;
mod fixtures;
mod merging;
mod random;
mod storms;

use jiff::Timestamp;
use karaul_wire::{Acknowledged, Segment, Severity};

use super::*;
use crate::{
    config::{Direction, RuleKind, sample},
    rules::{Evidence, Findings},
    track::Track,
    vision::Rect,
};

fn camera(cooldown_s: u64) -> config::Camera {
    let intrusion = RuleKind::Intrusion {
        zone: sample::zone("yard", &[(0.0, 0.0), (1.0, 0.0), (1.0, 1.0)]),
        dwell: Duration::from_secs(2),
    };
    let line = sample::line("fence", &[(0.5, 1.0), (0.5, 0.0)]);
    let crossing = RuleKind::LineCrossing { line, direction: Direction::Either };
    let rule = |id: &str, kind| config::Rule {
        severity: Severity::Critical,
        cooldown: Duration::from_secs(cooldown_s),
        ..sample::rule(id, kind)
    };
    sample::camera("gate", vec![rule("night", intrusion), rule("over", crossing)])
}

fn desk(cooldown_s: u64) -> Desk {
    Desk::new(&camera(cooldown_s), &[Language::Ru, Language::En], "cpu", ClockSource::Box, None)
}

fn at(seconds: u64) -> Stamp {
    Stamp::after("2026-11-22T03:00:00Z".parse().unwrap(), Duration::from_secs(seconds))
}

/// A finding about one track that always stands in one place.
fn finding(rule: usize, track: u64, change: Change) -> Findings {
    finding_at(rule, track, change, Rect { x: 0.4, y: -0.1, w: 0.1, h: 0.4 }, 0)
}

/// A finding about one track in this box, first seen so many seconds after the start.
fn finding_at(rule: usize, track: u64, change: Change, bbox: Rect, first_seen: u64) -> Findings {
    let object = Track {
        id: track,
        class: 0,
        bbox,
        score: 0.7,
        score_max: 0.9,
        seen: true,
        lost: false,
        first_seen: Duration::from_secs(first_seen),
        last_seen: Duration::ZERO,
    };
    let evidence = Evidence { dwell: Some((2.0, 2.0)), score_max: 0.9, score_min: 0.5, ..Evidence::default() };
    let mut findings = Findings::default();
    findings.push(rule, Subject::Track(track), change, evidence, &[object]);
    findings
}

fn propose(desk: &mut Desk, at: Stamp, findings: &Findings) -> Option<Step> {
    let finding = findings.iter().next().unwrap();
    desk.propose(at, finding, findings.objects(finding))
}

/// Proposes and, if there is a step, commits it.
fn take(desk: &mut Desk, at: Stamp, findings: &Findings) -> Option<Step> {
    let step = propose(desk, at, findings)?;
    desk.committed(&step);
    Some(step)
}

/// Commits what is due.
fn take_due(desk: &mut Desk, at: Stamp) -> Vec<Alert> {
    let mut taken = Vec::new();
    while let Some(step) = desk.due(at) {
        desk.committed(&step);
        taken.push(step.alert);
        assert!(taken.len() < 1000, "there is no end of it");
    }
    taken
}

const LOST: Change = Change::Ended(CloseReason::Lost);
const CLEARED: Change = Change::Ended(CloseReason::Cleared);

#[test]
fn one_incident_opens_updates_and_closes_under_one_id() {
    let mut desk = desk(0);
    let open = take(&mut desk, at(0), &finding(0, 1, Change::Began)).unwrap().alert.incident;
    assert_eq!((open.phase, open.rev, open.opened), (Phase::Open, 1, at(0).wall));
    assert!(take(&mut desk, at(1), &finding(0, 1, Change::Holds)).is_none());
    let update = take(&mut desk, at(30), &finding(0, 1, Change::Holds)).unwrap().alert.incident;
    assert_eq!((update.phase, update.rev, update.id), (Phase::Update, 2, open.id));
    assert!(take(&mut desk, at(59), &finding(0, 1, Change::Holds)).is_none());
    let close = take(&mut desk, at(60), &finding(0, 1, CLEARED)).unwrap().alert.incident;
    assert_eq!((close.phase, close.rev, close.id), (Phase::Close, 3, open.id));
    assert_eq!((close.closed, close.close_reason), (Some(at(60).wall), Some(CloseReason::Cleared)));
    assert_eq!(desk.open_count(), 0);
    assert!(take(&mut desk, at(61), &finding(0, 1, CLEARED)).is_none());
}

#[test]
fn tracks_and_rules_have_incidents_of_their_own() {
    let mut desk = desk(0);
    let ids: Vec<_> = [(0, 1), (0, 2), (1, 1)]
        .into_iter()
        .map(|(rule, track)| take(&mut desk, at(0), &finding(rule, track, Change::Began)).unwrap().alert.incident.id)
        .collect();
    assert_eq!(desk.open_count(), 3);
    assert!(ids[0] != ids[1] && ids[1] != ids[2] && ids[0] != ids[2]);
}

#[test]
fn the_cooldown_holds_back_and_counts_and_then_lets_through() {
    let mut desk = desk(10);
    take(&mut desk, at(0), &finding(0, 1, Change::Began)).unwrap();
    assert!(take(&mut desk, at(3), &finding(0, 2, Change::Began)).is_none());
    assert!(take(&mut desk, at(9), &finding(0, 2, Change::Holds)).is_none());
    assert!(take(&mut desk, at(9), &finding(1, 2, Change::Began)).is_some(), "another rule is not held back");
    let late = take(&mut desk, at(10), &finding(0, 2, Change::Holds)).unwrap();
    assert_eq!(late.alert.incident.phase, Phase::Open);
    assert_eq!(late.alert.why.suppressed, 1);
}

#[test]
fn an_alert_that_was_not_sent_starts_no_cooldown_and_opens_nothing() {
    let mut desk = desk(10);
    assert!(propose(&mut desk, at(0), &finding(0, 1, Change::Began)).is_some());
    // The disk refused it: nothing is committed.
    assert_eq!(desk.open_count(), 0);
    let again = take(&mut desk, at(1), &finding(0, 1, Change::Holds)).unwrap();
    assert_eq!((again.alert.incident.phase, again.alert.incident.opened), (Phase::Open, at(1).wall));
}

#[test]
fn what_a_cooldown_held_back_does_not_close() {
    let mut desk = desk(10);
    take(&mut desk, at(0), &finding(1, 1, Change::Began)).unwrap();
    assert!(take(&mut desk, at(1), &finding(1, 2, Change::Began)).is_none());
    assert!(take(&mut desk, at(2), &finding(1, 2, CLEARED)).is_none());
}

#[test]
fn the_alert_says_where_what_and_why() {
    let mut desk = desk(0);
    let alert = propose(&mut desk, at(5), &finding(0, 7, Change::Began)).unwrap().alert;
    assert_eq!(alert.location.zone.as_ref().map(Segment::as_str), Some("yard"));
    assert_eq!(alert.objects[0].bbox, [0.4, 0.0, 0.1, 0.3], "clipped to the picture");
    assert_eq!(alert.text[&Language::En], "gate: person in zone 'yard', 2 s");
    assert_eq!(alert.clock.monotonic_ns, 5_000_000_000);
    assert!(!alert.text.contains_key(&Language::Kk));
}

#[test]
fn what_there_was_no_room_for_is_not_proposed_at_every_picture() {
    let mut desk = desk(0);
    let step = propose(&mut desk, at(0), &finding(0, 1, Change::Began)).unwrap();
    desk.refused(&step);
    assert!(propose(&mut desk, at(1), &finding(0, 1, Change::Holds)).is_none());
    assert!(propose(&mut desk, at(1), &finding(0, 2, Change::Began)).is_some(), "another track has another chance");
    let again = propose(&mut desk, at(30), &finding(0, 1, Change::Holds)).unwrap();
    assert_eq!(again.alert.incident.phase, Phase::Open);
    desk.committed(&again);
    let update = propose(&mut desk, at(60), &finding(0, 1, Change::Holds)).unwrap();
    desk.refused(&update);
    assert!(propose(&mut desk, at(61), &finding(0, 1, Change::Holds)).is_none());
    assert_eq!(propose(&mut desk, at(90), &finding(0, 1, Change::Holds)).unwrap().alert.incident.rev, 2);
    // An object that left meanwhile takes the memory of it along.
    let mut desk = self::desk(0);
    let step = propose(&mut desk, at(0), &finding(0, 1, Change::Began)).unwrap();
    desk.refused(&step);
    assert!(propose(&mut desk, at(1), &finding(0, 1, CLEARED)).is_none());
    assert!(propose(&mut desk, at(2), &finding(0, 1, Change::Began)).is_some());
}

#[test]
fn an_orphan_is_closed_as_restarted() {
    let mut desk = desk(0);
    let open = propose(&mut desk, at(0), &finding(0, 1, Change::Began)).unwrap().alert;
    let boot = Some(Uuid::from_u128(9));
    let close = close_orphan(&open, at(90), boot, &[Language::En]);
    assert_eq!((close.incident.id, close.incident.rev), (open.incident.id, 2));
    assert_eq!(close.incident.close_reason, Some(CloseReason::Restarted));
    assert_eq!((close.clock.boot_id, close.clock.monotonic_ns), (boot, 90_000_000_000));
    assert_eq!(close.text[&Language::En], "gate: person in zone 'yard' — the agent was restarted");

    // A box without a clock of its own, after a power cut.
    let past = Stamp { mono: Duration::ZERO, wall: Timestamp::UNIX_EPOCH.checked_sub(Duration::from_secs(9)).unwrap() };
    let close = close_orphan(&open, past, boot, &[Language::En]);
    assert_eq!(close.incident.closed, Some(open.incident.opened));
}

#[test]
fn a_clock_that_is_set_meanwhile_changes_no_duration() {
    let mut desk = desk(0);
    take(&mut desk, at(100), &finding(0, 1, Change::Began)).unwrap();
    let year_later =
        Stamp { mono: at(121).mono, wall: Stamp::after(at(121).wall, Duration::from_secs(31_536_000)).wall };
    let close = take(&mut desk, year_later, &finding(0, 1, CLEARED)).unwrap().alert;
    assert_eq!(close.incident.closed, Some(at(121).wall));
    assert_eq!(close.text[&Language::En], "gate: person in zone 'yard' — over after 21 s: left the zone");
}

#[test]
fn a_line_crossed_again_at_once_is_another_incident() {
    let mut desk = desk(0);
    let first = take(&mut desk, at(0), &finding(1, 1, Change::Began)).unwrap().alert.incident.id;
    let over = take(&mut desk, at(1), &finding(1, 1, CLEARED)).unwrap().alert.incident.id;
    let again = take(&mut desk, at(1), &finding(1, 1, Change::Began)).unwrap().alert.incident.id;
    assert!(first == over && first != again);
}

fn duty(actor: &str, seconds: u64) -> Acknowledged {
    Acknowledged { actor: actor.to_owned(), time: at(seconds).wall }
}

#[test]
fn whoever_takes_an_incident_first_has_it_until_its_end() {
    let mut desk = desk(0);
    let id = take(&mut desk, at(0), &finding(0, 1, Change::Began)).unwrap().alert.incident.id;
    let step = desk.acknowledge(at(7), id, duty("duty officer", 7)).unwrap();
    let incident = &step.alert.incident;
    assert_eq!((incident.phase, incident.rev, incident.severity), (Phase::Update, 2, Severity::Critical));
    assert_eq!(step.alert.text[&Language::En], "gate: person in zone 'yard', 2 s — acknowledged by duty officer");
    assert_eq!(step.alert.clock.monotonic_ns, 7_000_000_000);
    // The disk refused it: nobody has it yet.
    assert!(desk.acknowledge(at(8), id, duty("another", 8)).is_ok());
    desk.committed(&step);
    assert_eq!(desk.acknowledge(at(9), id, duty("another", 9)).unwrap_err(), Declined::Taken(duty("duty officer", 7)));
    assert!(take(&mut desk, at(36), &finding(0, 1, Change::Holds)).is_none(), "30 s after the last step");
    let update = take(&mut desk, at(37), &finding(0, 1, Change::Holds)).unwrap().alert.incident;
    assert_eq!((update.rev, update.acknowledged), (3, Some(duty("duty officer", 7))));
    let close = take(&mut desk, at(40), &finding(0, 1, CLEARED)).unwrap().alert.incident;
    assert_eq!((close.rev, close.acknowledged), (4, Some(duty("duty officer", 7))));
    assert_eq!(desk.acknowledge(at(41), id, duty("another", 41)).unwrap_err(), Declined::NotOpen);
}

#[test]
fn what_a_person_closed_stays_closed_until_the_object_has_left() {
    let mut desk = desk(0);
    let first = take(&mut desk, at(0), &finding(0, 1, Change::Began)).unwrap().alert.incident.id;
    let step = desk.close(at(5), first, CloseReason::Resolved).unwrap();
    let incident = &step.alert.incident;
    assert_eq!((incident.phase, incident.rev, incident.closed), (Phase::Close, 2, Some(at(5).wall)));
    assert_eq!(step.alert.text[&Language::En], "gate: person in zone 'yard' — over after 5 s: closed by an operator");
    desk.committed(&step);
    assert_eq!(desk.close(at(6), first, CloseReason::Resolved).unwrap_err(), Declined::NotOpen);
    assert!(take(&mut desk, at(60), &finding(0, 1, Change::Holds)).is_none());
    let other = take(&mut desk, at(60), &finding(0, 2, Change::Began)).unwrap();
    assert_eq!(other.alert.incident.phase, Phase::Open, "another track is another incident");
    assert!(take(&mut desk, at(61), &finding(0, 1, CLEARED)).is_none());
    let again = take(&mut desk, at(62), &finding(0, 1, Change::Began)).unwrap().alert.incident;
    assert!(again.phase == Phase::Open && again.id != first);
    assert!(desk.settled.is_empty());
}

#[test]
fn a_test_opens_and_closes_under_one_id_and_leaves_the_desk_alone() {
    let camera = camera(60);
    let [open, close] = trial(&camera, &camera.rules[1], at(3), "cpu", None, &Language::ALL);
    for (alert, rev, phase) in [(&open, 1, Phase::Open), (&close, 2, Phase::Close)] {
        let incident = &alert.incident;
        assert_eq!((incident.id, incident.rev, incident.phase), (open.incident.id, rev, phase));
        assert_eq!((incident.status, incident.severity), (Status::Test, Severity::Critical));
        assert_eq!(alert.location.line.as_ref().map(Segment::as_str), Some("fence"));
        assert!(alert.objects.is_empty() && alert.evidence.is_empty());
        assert!(alert.text[&Language::En].starts_with("TEST: gate: rule 'over'"));
    }
    assert_eq!(close.incident.close_reason, Some(CloseReason::Cleared));
}

#[test]
fn evidence_that_comes_later_is_an_update_of_its_own() {
    let mut desk = desk(10);
    let step = propose(&mut desk, at(0), &finding(0, 1, Change::Began)).unwrap();
    let id = step.alert.incident.id;
    assert_eq!(desk.evidence_came(at(1), id).err(), Some(Declined::NotOpen));
    desk.committed(&step);
    let update = desk.evidence_came(at(12), id).unwrap();
    let incident = &update.alert.incident;
    assert_eq!((incident.id, incident.rev, incident.phase), (id, 2, Phase::Update));
    assert!(update.alert.evidence.is_empty(), "whoever asks attaches it");
}

#[test]
fn what_no_model_has_named_is_an_object() {
    let mut findings = finding(0, 1, Change::Began);
    let finding = findings.iter().next().unwrap().clone();
    let mut thing = findings.objects(&finding)[0];
    thing.class = Track::NO_CLASS;
    findings = Findings::default();
    findings.push(0, Subject::Spot(4), Change::Began, finding.evidence, &[thing]);
    let alert = take(&mut desk(0), at(0), &findings).unwrap().alert;
    assert_eq!(alert.objects[0].class, "object");
    assert_eq!(alert.text[&Language::En], "gate: object in zone 'yard', 2 s");
}
