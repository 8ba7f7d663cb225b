use karaul_wire::Storm as Told;

use super::*;
use crate::config::Escalation;

/// Rule 0 tells three incidents an hour one by one.
fn desk(escalate: Option<Escalation>) -> Desk {
    let mut camera = camera(0);
    let rule = &mut camera.rules[0];
    (rule.budget, rule.severity, rule.escalate) = (Some(3), Severity::Warning, escalate);
    Desk::new(&camera, &[Language::En], "cpu", ClockSource::Box, None)
}

/// An incident that begins and is over a second later.
fn short(desk: &mut Desk, seconds: u64, track: u64) -> Option<Step> {
    let step = take(desk, at(seconds), &finding(0, track, Change::Began));
    take(desk, at(seconds + 1), &finding(0, track, CLEARED));
    step
}

fn told(alert: &Alert) -> (Phase, u32, &Told) {
    (alert.incident.phase, alert.incident.rev, alert.storm.as_ref().unwrap())
}

#[test]
fn beyond_the_budget_there_is_one_incident_for_all() {
    let mut desk = desk(None);
    for (seconds, track) in [(0, 1), (10, 2), (20, 3)] {
        assert!(short(&mut desk, seconds, track).is_some());
        assert!(take_due(&mut desk, at(seconds)).is_empty());
    }
    let storm = |count| Told { count, since: at(30).wall, score_max: 0.9 };
    assert!(short(&mut desk, 30, 4).is_none());
    let [open] = take_due(&mut desk, at(31)).try_into().unwrap();
    assert_eq!(told(&open), (Phase::Open, 1, &storm(1)));
    assert_eq!((open.why.suppressed, open.objects[0].track, open.incident.severity), (1, 4, Severity::Warning));
    assert_eq!(
        open.text[&Language::En],
        "gate: too many alerts of rule 'night': 1 not told one by one, best score 0.9"
    );
    assert!(short(&mut desk, 40, 5).is_none() && short(&mut desk, 50, 6).is_none());
    assert!(take_due(&mut desk, at(60)).is_empty(), "30 s after the last step");
    let [update] = take_due(&mut desk, at(61)).try_into().unwrap();
    assert_eq!((told(&update), update.incident.id), ((Phase::Update, 2, &storm(3)), open.incident.id));
    assert!(take_due(&mut desk, at(1000)).is_empty(), "there is nothing new");
    // The third from last was an hour ago: what comes next is told by itself again.
    assert!(take_due(&mut desk, at(3629)).is_empty());
    let [close] = take_due(&mut desk, at(3630)).try_into().unwrap();
    assert_eq!(told(&close), (Phase::Close, 3, &storm(3)));
    assert_eq!(close.incident.close_reason, Some(CloseReason::Cleared));
    assert_eq!(
        close.text[&Language::En],
        "gate: too many alerts of rule 'night': 3 not told one by one, best score 0.9 \
         — over after 59 min: the rate has fallen"
    );
    assert!(short(&mut desk, 3640, 7).is_some());
    assert_eq!(desk.open_count(), 0);
}

#[test]
fn a_rate_within_the_budget_is_never_a_storm() {
    let mut desk = desk(None);
    for hour in 0..100 {
        for (part, track) in [(0, 1), (1200, 2), (2400, 3)] {
            assert!(short(&mut desk, hour * 3600 + part, hour * 3 + track).is_some());
            assert!(take_due(&mut desk, at(hour * 3600 + part)).is_empty());
        }
    }
}

#[test]
fn what_a_storm_has_counted_is_counted_once_and_stays_quiet() {
    let mut desk = desk(None);
    (1..=3).for_each(|track| assert!(short(&mut desk, track, track).is_some()));
    for second in 10..3700 {
        let change = if second == 10 { Change::Began } else { Change::Holds };
        assert!(take(&mut desk, at(second), &finding(0, 9, change)).is_none());
        for alert in take_due(&mut desk, at(second)) {
            assert_eq!(alert.storm.unwrap().count, 1);
        }
    }
    assert_eq!(desk.withheld()[0].by, Cause::Budget);
    assert_eq!(desk.open_count(), 0, "the storm is over");
    take(&mut desk, at(3700), &finding(0, 9, CLEARED));
    assert!(desk.withheld().is_empty());
}

#[test]
fn a_rise_breaks_through_a_storm() {
    let mut desk = desk(Some(Escalation { after: Duration::from_secs(300), severity: Severity::Critical }));
    (1..=3).for_each(|track| assert!(short(&mut desk, track, track).is_some()));
    assert!(take(&mut desk, at(10), &finding(0, 9, Change::Began)).is_none());
    assert_eq!(take_due(&mut desk, at(10)).len(), 1);
    assert!(take(&mut desk, at(309), &finding(0, 9, Change::Holds)).is_none());
    let open = take(&mut desk, at(310), &finding(0, 9, Change::Holds)).unwrap().alert;
    assert_eq!((open.incident.severity, open.storm), (Severity::Critical, None));
}

#[test]
fn a_storm_that_a_person_closed_does_not_come_back_before_the_rate_has_fallen() {
    let mut desk = desk(None);
    (1..=4).for_each(|track| _ = short(&mut desk, track, track));
    let [open] = take_due(&mut desk, at(5)).try_into().unwrap();
    let step = desk.close(at(60), open.incident.id, CloseReason::FalsePositive).unwrap();
    desk.committed(&step);
    assert!(desk.fixtures().is_empty());
    assert!(short(&mut desk, 100, 5).is_none());
    assert!(take_due(&mut desk, at(200)).is_empty());
    // 3, 4 and 5 began at 3 s, 4 s and 100 s.
    assert!(take_due(&mut desk, at(3603)).is_empty());
    assert!(short(&mut desk, 3603, 6).is_some());
}

#[test]
fn a_storm_ends_with_the_watch() {
    let mut desk = desk(None);
    (1..=4).for_each(|track| _ = short(&mut desk, track, track));
    take_due(&mut desk, at(5));
    desk.end_all(at(6), CloseReason::Blind, |rule| rule == 1);
    assert!(take_due(&mut desk, at(6)).is_empty(), "another rule");
    desk.end_all(at(7), CloseReason::Blind, |_| true);
    let [close] = take_due(&mut desk, at(7)).try_into().unwrap();
    assert_eq!((close.incident.close_reason, close.incident.rev), (Some(CloseReason::Blind), 2));
    assert_eq!(desk.open_count(), 0);
}
