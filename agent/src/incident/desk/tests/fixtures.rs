use super::*;

const DAY: u64 = 24 * 3600;

fn bbox(x: f32) -> Rect {
    Rect { x, y: 0.4, w: 0.1, h: 0.3 }
}

fn began(track: u64, x: f32) -> Findings {
    finding_at(0, track, Change::Began, bbox(x), 0)
}

fn holds(track: u64, x: f32) -> Findings {
    finding_at(0, track, Change::Holds, bbox(x), 0)
}

/// What is over and was called a false alarm.
fn false_alarm(desk: &mut Desk, seconds: u64, track: u64, x: f32) {
    let id = take(desk, at(seconds), &began(track, x)).unwrap().alert.incident.id;
    let step = desk.close(at(seconds + 1), id, CloseReason::FalsePositive).unwrap();
    desk.committed(&step);
    take(desk, at(seconds + 2), &finding_at(0, track, CLEARED, bbox(x), 0));
}

#[test]
fn a_known_false_alarm_is_not_raised_again_on_its_spot() {
    let mut desk = desk(0);
    false_alarm(&mut desk, 0, 1, 0.4);
    for (seconds, x) in [(10, 0.4), (11, 0.41), (12, 0.39)] {
        let finding = if seconds == 10 { began(2, x) } else { holds(2, x) };
        assert!(take(&mut desk, at(seconds), &finding).is_none());
    }
    assert_eq!((desk.withheld().len(), desk.withheld()[0].by), (1, Cause::Fixture));
    assert_eq!(desk.fixtures().held_back(&desk.camera.rules[0].id), 1);
    take(&mut desk, at(13), &finding_at(0, 2, CLEARED, bbox(0.4), 0));
    assert!(desk.withheld().is_empty());
    assert!(take(&mut desk, at(20), &began(3, 0.4)).is_none());
    assert_eq!(desk.fixtures().held_back(&desk.camera.rules[0].id), 2);
    // Elsewhere, of another size, or by another rule it is something else.
    assert!(take(&mut desk, at(21), &began(4, 0.45)).is_some());
    let large = Rect { x: 0.4, y: 0.3, w: 0.1, h: 0.55 };
    assert!(take(&mut desk, at(21), &finding_at(0, 5, Change::Began, large, 0)).is_some());
    assert!(take(&mut desk, at(21), &finding_at(1, 6, Change::Began, bbox(0.4), 0)).is_some());
}

#[test]
fn what_moves_away_from_its_spot_is_raised() {
    let mut desk = desk(0);
    false_alarm(&mut desk, 0, 1, 0.4);
    assert!(take(&mut desk, at(10), &began(2, 0.4)).is_none());
    // Its diagonal is 0.316 long: 0.047 is still, 0.048 is not. So far off the boxes overlap by a third.
    assert!(take(&mut desk, at(11), &holds(2, 0.42)).is_none());
    let open = take(&mut desk, at(12), &holds(2, 0.448)).unwrap().alert.incident;
    assert_eq!(open.phase, Phase::Open);
}

#[test]
fn they_come_back_after_a_restart_and_go_with_their_rule() {
    let mut before = desk(0);
    assert!(before.fixtures_to_keep().is_none());
    false_alarm(&mut before, 0, 1, 0.4);
    let kept = serde_json::to_string(before.fixtures_to_keep().unwrap()).unwrap();
    assert!(before.fixtures_to_keep().is_none());
    let kept = || serde_json::from_str::<Fixtures>(&kept).unwrap();
    assert_eq!(&kept(), before.fixtures());

    let mut again = desk(0).knowing(kept(), at(100).wall);
    assert!(again.fixtures_to_keep().is_none());
    assert!(take(&mut again, at(100), &began(1, 0.4)).is_none());

    let with = |change: fn(&mut config::Camera)| {
        let mut camera = camera(0);
        change(&mut camera);
        Desk::new(&camera, &[], "cpu", ClockSource::Box, None).knowing(kept(), at(100).wall)
    };
    assert_eq!(with(|camera| camera.rules[0].severity = Severity::Info).fixtures().len(), 1);
    let mut drawn_anew = with(|camera| {
        let zone = sample::zone("yard", &[(0.0, 0.0), (1.0, 0.0), (0.9, 1.0)]);
        camera.rules[0].kind = RuleKind::Intrusion { zone, dwell: Duration::ZERO };
    });
    assert!(drawn_anew.fixtures().is_empty() && drawn_anew.fixtures_to_keep().is_some());
    assert!(with(|camera| camera.rules[0].id = sample::id("another")).fixtures().is_empty());
}

#[test]
fn they_are_forgotten_after_thirty_days_without_being_seen() {
    let mut desk = desk(0);
    false_alarm(&mut desk, 0, 1, 0.4);
    assert!(desk.fixtures_to_keep().is_some());
    assert!(take(&mut desk, at(29 * DAY), &began(2, 0.4)).is_none());
    assert!(desk.fixtures_to_keep().is_some(), "that it was seen is kept");
    take(&mut desk, at(29 * DAY), &finding_at(0, 2, CLEARED, bbox(0.4), 0));
    assert!(take(&mut desk, at(29 * DAY + 60), &began(3, 0.4)).is_none());
    assert!(desk.fixtures_to_keep().is_none(), "not each time");
    take(&mut desk, at(29 * DAY + 61), &finding_at(0, 3, CLEARED, bbox(0.4), 0));
    assert!(take(&mut desk, at(59 * DAY), &began(4, 0.4)).is_none());
    take(&mut desk, at(59 * DAY), &finding_at(0, 4, CLEARED, bbox(0.4), 0));
    assert!(take(&mut desk, at(89 * DAY + 60), &began(5, 0.4)).is_some());
}

#[test]
fn there_are_64_at_most_and_the_one_unseen_for_longest_goes() {
    let mut desk = desk(0);
    let place = |n: u16| 0.01 * f32::from(n % 50);
    let at_row = |n: u16| Rect { x: place(n), y: 0.1 * f32::from(n / 50), w: 0.004, h: 0.01 };
    for n in 0..70 {
        let track = u64::from(n);
        let began = finding_at(0, track, Change::Began, at_row(n), 0);
        let id = take(&mut desk, at(track * 10), &began).unwrap().alert.incident.id;
        let step = desk.close(at(track * 10 + 1), id, CloseReason::FalsePositive).unwrap();
        desk.committed(&step);
    }
    assert_eq!(desk.fixtures().len(), 64);
    assert!(take(&mut desk, at(2000), &finding_at(0, 100, Change::Began, at_row(6), 0)).is_none());
    assert!(take(&mut desk, at(2000), &finding_at(0, 101, Change::Began, at_row(5), 0)).is_some());
}

#[test]
fn where_the_camera_looks_elsewhere_nothing_is_where_it_was() {
    let mut desk = desk(0);
    false_alarm(&mut desk, 0, 1, 0.4);
    desk.view_moved(Some(at(5).wall));
    assert!(take(&mut desk, at(10), &began(2, 0.4)).is_some());
    desk.view_moved(None);
    assert!(take(&mut desk, at(20), &began(3, 0.4)).is_none());
}

#[test]
fn what_is_only_resolved_is_no_false_alarm() {
    let mut desk = desk(0);
    let id = take(&mut desk, at(0), &began(1, 0.4)).unwrap().alert.incident.id;
    let step = desk.close(at(1), id, CloseReason::Resolved).unwrap();
    desk.committed(&step);
    assert!(desk.fixtures().is_empty());
    assert!(take(&mut desk, at(2), &began(2, 0.4)).is_some());
}
