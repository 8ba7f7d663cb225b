use super::*;

fn bbox(x: f32) -> Rect {
    Rect { x, y: 0.4, w: 0.1, h: 0.3 }
}

/// A desk with an open incident of track 1 at 0.4, which was seen until second 10.
fn opened() -> (Desk, Incident) {
    let mut desk = desk(0);
    let open = take(&mut desk, at(0), &finding_at(0, 1, Change::Began, bbox(0.4), 0)).unwrap();
    assert!(propose(&mut desk, at(10), &finding_at(0, 1, Change::Holds, bbox(0.4), 0)).is_none());
    (desk, open.alert.incident)
}

#[test]
fn the_end_of_what_was_lost_is_told_three_seconds_later_and_was_before() {
    let (mut desk, open) = opened();
    assert!(take(&mut desk, at(16), &finding_at(0, 1, LOST, bbox(0.4), 0)).is_none());
    assert!(take_due(&mut desk, at(18)).is_empty());
    let [close] = take_due(&mut desk, at(19)).try_into().unwrap();
    let incident = &close.incident;
    assert_eq!((incident.id, incident.rev, incident.phase), (open.id, 2, Phase::Close));
    assert_eq!((incident.closed, incident.close_reason), (Some(at(16).wall), Some(CloseReason::Lost)));
    assert_eq!(close.clock.monotonic_ns, 16_000_000_000);
    assert_eq!(close.text[&Language::En], "gate: person in zone 'yard' — over after 16 s: no longer seen");
    assert_eq!(desk.open_count(), 0);
}

#[test]
fn another_track_on_the_spot_goes_on_with_the_incident() {
    let (mut desk, open) = opened();
    take(&mut desk, at(16), &finding_at(0, 1, LOST, bbox(0.4), 0));
    let update = take(&mut desk, at(18), &finding_at(0, 2, Change::Began, bbox(0.45), 15)).unwrap().alert;
    let incident = &update.incident;
    assert_eq!((incident.id, incident.rev, incident.phase), (open.id, 2, Phase::Update));
    assert_eq!((incident.opened, update.objects[0].track), (open.opened, 2));
    assert!(take_due(&mut desk, at(60)).is_empty());
    let close = take(&mut desk, at(61), &finding_at(0, 2, CLEARED, bbox(0.45), 15)).unwrap().alert.incident;
    assert_eq!((close.id, close.rev), (open.id, 3));
}

#[test]
fn it_goes_on_also_while_the_first_track_is_only_out_of_sight() {
    let (mut desk, open) = opened();
    let new = finding_at(0, 2, Change::Began, bbox(0.45), 11);
    let update = take(&mut desk, at(13), &new).unwrap().alert.incident;
    assert_eq!((update.id, update.phase), (open.id, Phase::Update));
    // The end of the first track is none of the incident any more.
    assert!(take(&mut desk, at(16), &finding_at(0, 1, LOST, bbox(0.4), 0)).is_none());
    assert!(take_due(&mut desk, at(30)).is_empty());
    assert_eq!(desk.open_count(), 1);
    // Had it come back, it would have been another incident.
    let again = take(&mut desk, at(31), &finding_at(0, 1, Change::Holds, bbox(0.4), 0)).unwrap().alert.incident;
    assert!(again.id != open.id && again.phase == Phase::Open);
}

#[test]
fn who_is_elsewhere_or_was_there_before_or_comes_late_is_another() {
    let elsewhere = finding_at(0, 2, Change::Began, bbox(0.6), 15);
    let before = finding_at(0, 2, Change::Began, bbox(0.4), 10);
    let small = finding_at(0, 2, Change::Began, Rect { x: 0.42, y: 0.5, w: 0.05, h: 0.1 }, 15);
    for (what, new, seconds) in [("elsewhere", elsewhere, 18), ("before", before, 18), ("small", small, 18)] {
        let (mut desk, open) = opened();
        take(&mut desk, at(16), &finding_at(0, 1, LOST, bbox(0.4), 0));
        let other = take(&mut desk, at(seconds), &new).unwrap().alert.incident;
        assert!(other.id != open.id && other.phase == Phase::Open, "{what}");
    }
    let (mut desk, open) = opened();
    take(&mut desk, at(16), &finding_at(0, 1, LOST, bbox(0.4), 0));
    take_due(&mut desk, at(19));
    let late = take(&mut desk, at(19), &finding_at(0, 2, Change::Began, bbox(0.4), 15)).unwrap().alert.incident;
    assert!(late.id != open.id && late.phase == Phase::Open);
}

#[test]
fn a_crossing_is_a_moment_and_goes_on_with_nobody() {
    let mut desk = desk(0);
    let first = take(&mut desk, at(0), &finding_at(1, 1, Change::Began, bbox(0.4), 0)).unwrap().alert.incident;
    let close = take(&mut desk, at(1), &finding_at(1, 1, LOST, bbox(0.4), 0)).unwrap().alert.incident;
    assert_eq!((close.phase, close.close_reason), (Phase::Close, Some(CloseReason::Lost)));
    let second = take(&mut desk, at(2), &finding_at(1, 2, Change::Began, bbox(0.4), 1)).unwrap().alert.incident;
    assert!(second.id != first.id && second.phase == Phase::Open);
}

#[test]
fn ends_that_wait_are_told_when_nobody_watches_any_more() {
    let (mut desk, _) = opened();
    take(&mut desk, at(16), &finding_at(0, 1, LOST, bbox(0.4), 0));
    desk.end_all(at(17), CloseReason::Stopped, |_| true);
    let [close] = take_due(&mut desk, at(17)).try_into().unwrap();
    assert_eq!((close.incident.closed, close.incident.close_reason), (Some(at(16).wall), Some(CloseReason::Lost)));
}

#[test]
fn an_end_that_there_was_no_room_for_is_told_later() {
    let (mut desk, open) = opened();
    let step = propose(&mut desk, at(20), &finding_at(0, 1, CLEARED, bbox(0.4), 0)).unwrap();
    desk.refused(&step);
    assert!(desk.due(at(49)).is_none());
    let step = desk.due(at(50)).unwrap();
    desk.refused(&step);
    assert!(desk.due(at(79)).is_none());
    let [close] = take_due(&mut desk, at(80)).try_into().unwrap();
    let incident = &close.incident;
    assert_eq!((incident.id, incident.rev, incident.closed), (open.id, 2, Some(at(20).wall)));
    assert_eq!(incident.close_reason, Some(CloseReason::Cleared));
}

#[test]
fn whoever_has_taken_it_has_it_also_when_another_track_goes_on() {
    let (mut desk, open) = opened();
    take(&mut desk, at(16), &finding_at(0, 1, LOST, bbox(0.4), 0));
    let step = desk.acknowledge(at(17), open.id, duty("duty officer", 17)).unwrap();
    desk.committed(&step);
    let update = take(&mut desk, at(18), &finding_at(0, 2, Change::Began, bbox(0.4), 15)).unwrap().alert.incident;
    assert_eq!((update.rev, update.acknowledged), (3, Some(duty("duty officer", 17))));
}
