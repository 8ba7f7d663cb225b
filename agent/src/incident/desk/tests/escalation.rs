use super::*;
use crate::config::Escalation;

/// Rule 0 is of severity warning and critical after five minutes.
fn desk(cooldown_s: u64) -> Desk {
    let mut camera = camera(cooldown_s);
    camera.rules[0].severity = Severity::Warning;
    camera.rules[0].escalate = Some(Escalation { after: Duration::from_secs(300), severity: Severity::Critical });
    Desk::new(&camera, &[Language::En], "cpu", ClockSource::Box, None)
}

#[test]
fn what_lasts_becomes_more_severe_at_once_and_stays_so() {
    let mut desk = desk(0);
    let open = take(&mut desk, at(0), &finding(0, 1, Change::Began)).unwrap().alert.incident;
    assert_eq!(open.severity, Severity::Warning);
    for seconds in (30..=270).step_by(30) {
        let update = take(&mut desk, at(seconds), &finding(0, 1, Change::Holds)).unwrap();
        assert_eq!(update.alert.incident.severity, Severity::Warning);
    }
    assert!(take(&mut desk, at(299), &finding(0, 1, Change::Holds)).is_none());
    assert!(take_due(&mut desk, at(299)).is_empty());
    let update = take(&mut desk, at(300), &finding(0, 1, Change::Holds)).unwrap().alert.incident;
    assert_eq!((update.id, update.rev, update.phase), (open.id, 11, Phase::Update));
    assert_eq!(update.severity, Severity::Critical);
    let close = take(&mut desk, at(301), &finding(0, 1, CLEARED)).unwrap().alert.incident;
    assert_eq!((close.rev, close.severity), (12, Severity::Critical));
}

#[test]
fn it_rises_also_while_nothing_is_said_of_it() {
    let mut desk = desk(0);
    take(&mut desk, at(0), &finding(0, 1, Change::Began)).unwrap();
    assert!(take_due(&mut desk, at(299)).is_empty());
    let [update] = take_due(&mut desk, at(300)).try_into().unwrap();
    assert_eq!((update.incident.rev, update.incident.severity), (2, Severity::Critical));
    assert!(take_due(&mut desk, at(301)).is_empty());
}

#[test]
fn a_rise_that_there_was_no_room_for_is_proposed_again_later() {
    let mut desk = desk(0);
    take(&mut desk, at(0), &finding(0, 1, Change::Began)).unwrap();
    let step = desk.due(at(300)).unwrap();
    desk.refused(&step);
    assert!(desk.due(at(301)).is_none() && desk.due(at(329)).is_none());
    assert_eq!(take_due(&mut desk, at(330))[0].incident.rev, 2);
}

#[test]
fn a_rise_breaks_through_a_cooldown() {
    let mut desk = desk(3600);
    take(&mut desk, at(0), &finding(0, 1, Change::Began)).unwrap();
    take(&mut desk, at(1), &finding(0, 1, CLEARED)).unwrap();
    assert!(take(&mut desk, at(10), &finding(0, 2, Change::Began)).is_none());
    assert!(take(&mut desk, at(309), &finding(0, 2, Change::Holds)).is_none());
    assert_eq!(desk.withheld()[0].by, Cause::Cooldown);
    let open = take(&mut desk, at(310), &finding(0, 2, Change::Holds)).unwrap().alert;
    assert_eq!((open.incident.phase, open.incident.severity), (Phase::Open, Severity::Critical));
    assert_eq!((open.incident.opened, open.why.suppressed), (at(310).wall, 1));
    assert!(desk.withheld().is_empty());
    // What is as severe as the last alert is held back by its cooldown.
    assert!(take(&mut desk, at(320), &finding(0, 3, Change::Began)).is_none());
    assert!(take(&mut desk, at(700), &finding(0, 3, Change::Holds)).is_none());
}
