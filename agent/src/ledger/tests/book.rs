use std::{collections::BTreeSet, time::Duration};

use karaul_wire::Absence;
use uuid::Uuid;

use super::{super::book::Sight, *};

const H: u64 = 3600;

fn blind(cause: &str) -> Sight {
    Sight::Blind(cause.to_owned())
}

#[test]
fn a_day_of_a_camera_that_is_blind_twice() {
    // Almaty is five hours ahead of UTC.
    let mut desk = Desk::new("Asia/Almaty", "2026-11-21T19:00:00Z");
    desk.until("2026-11-21T19:00:04Z");
    desk.book.set_camera(id("gate"), Sight::Seeing);
    desk.until("2026-11-22T01:00:00Z");
    desk.book.set_camera(id("gate"), blind("offline"));
    desk.until("2026-11-22T01:10:00Z");
    desk.book.set_camera(id("gate"), blind("stalled"));
    desk.until("2026-11-22T01:11:00Z");
    desk.book.set_camera(id("gate"), Sight::Seeing);
    desk.until("2026-11-22T10:00:00Z");
    desk.book.set_camera(id("gate"), blind("offline"));
    desk.until("2026-11-22T10:00:30Z");
    desk.book.set_camera(id("gate"), Sight::Seeing);
    desk.until("2026-11-22T19:00:01Z");

    let lost = 4 + 600 + 60 + 30;
    assert_eq!(desk.sums("2026-11-22", "always"), [24 * H - lost, lost, 0, 0, 0]);
    // Disarmed from 07:30 to 19:00; blind in it counts for nothing.
    assert_eq!(desk.sums("2026-11-22", "night"), [12 * H + H / 2 - 664, 664, 11 * H + H / 2, 0, 0]);
    let day = desk.day(date("2026-11-22"));
    let offline = &day.rules[0].blind["offline"];
    assert_eq!((offline.total_ms, offline.spells, offline.longest_ms), (630_000, 2, 600_000));
    assert_eq!(offline.longest_since, time("2026-11-22T01:00:00Z"));
    assert_eq!(day.rules[0].blind["starting"].total_ms, 4_000);
    assert_eq!((day.length_ms, day.counted_ms), (86_400_000, 86_400_000));
    assert_eq!(desk.sums("2026-11-23", "always"), [1, 0, 0, 0, 0]);
}

#[test]
fn days_are_as_long_as_they_are_where_summer_time_begins_and_ends() {
    for (from, day, hours, night) in [
        // Both changes are at night: it is an hour shorter, or longer.
        ("2026-03-28T23:00:00Z", "2026-03-29", 23, 11),
        ("2026-10-24T22:00:00Z", "2026-10-25", 25, 13),
    ] {
        let mut desk = Desk::new("Europe/Berlin", from);
        desk.book.set_camera(id("gate"), Sight::Seeing);
        let ends = desk.day(date(day));
        desk.until(
            &Stamp::after(ends.begins, Duration::from_millis(ends.length_ms) + Duration::from_secs(1)).wall.to_string(),
        );
        assert_eq!(desk.sums(day, "always"), [hours * H, 0, 0, 0, 0]);
        assert_eq!(desk.sums(day, "night"), [night * H + H / 2, 0, 11 * H + H / 2, 0, 0]);
    }
}

#[test]
fn what_is_switched_off_or_disarmed_is_not_armed() {
    let mut desk = Desk::new("UTC", "2026-11-22T00:00:00Z");
    desk.book.set_camera(id("gate"), Sight::Seeing);
    desk.until("2026-11-22T01:00:00Z");
    desk.book.set_disarmed(BTreeSet::from([place("always")]));
    desk.until("2026-11-22T03:00:00Z");
    desk.book.set_disarmed(BTreeSet::new());
    desk.book.set_camera(id("gate"), Sight::Disabled);
    desk.until("2026-11-22T04:00:00Z");
    assert_eq!(desk.sums("2026-11-22", "always"), [H, 0, 3 * H, 0, 0]);
    assert_eq!(desk.sums("2026-11-22", "night"), [3 * H, 0, H, 0, 0]);
}

#[test]
fn rules_come_and_go() {
    let mut desk = Desk::new("UTC", "2026-11-22T00:00:00Z");
    desk.book.set_camera(id("gate"), Sight::Seeing);
    desk.until("2026-11-22T01:00:00Z");
    desk.until("2026-11-22T01:30:00Z");
    let mut more = rules("UTC");
    more.remove(&place("night"));
    more.insert(place("new"), None);
    desk.book.set_rules(calendar("UTC"), more);
    desk.until("2026-11-22T03:00:00Z");
    assert_eq!(desk.sums("2026-11-22", "always"), [3 * H, 0, 0, 0, 0]);
    assert_eq!(desk.sums("2026-11-22", "night"), [H + H / 2, 0, H + H / 2, 0, 0]);
    assert_eq!(desk.sums("2026-11-22", "new"), [H + H / 2, 0, H + H / 2, 0, 0]);
    desk.until("2026-11-23T00:00:01Z");
    assert_eq!(desk.day(date("2026-11-23")).rules.len(), 2, "what has gone is not taken along");
}

#[test]
fn an_agent_that_does_not_run_is_off_and_never_seeing() {
    let mut desk = Desk::new("UTC", "2026-11-20T22:00:00Z");
    desk.book.set_camera(id("gate"), Sight::Seeing);
    desk.until("2026-11-20T23:00:00Z");
    assert_eq!(desk.sums("2026-11-20", "always"), [H, 0, 0, 0, 22 * H], "before the first record nobody knows");
    let boot = Some(Uuid::from_u128(1));
    let mark = desk.book.mark(boot);
    desk.shelf.put(desk.book.today().unwrap().clone());

    // The machine was off for three days.
    let mut book = Book::new(calendar("UTC"));
    book.set_rules(calendar("UTC"), rules("UTC"));
    desk.now = Stamp { mono: Duration::from_secs(7), wall: time("2026-11-23T02:00:00Z") };
    book.open(desk.now, mark.as_ref(), Some(Uuid::from_u128(2)), &mut desk.shelf);
    desk.book = book;
    desk.until("2026-11-23T03:00:00Z");
    assert_eq!(desk.sums("2026-11-20", "always"), [H, 0, 0, H, 22 * H]);
    assert_eq!(desk.sums("2026-11-23", "always"), [0, H, 0, 2 * H, 0]);
    assert_eq!(desk.day(date("2026-11-23")).before, Some(Absence::Off));
    let days = super::super::record::days(date("2026-11-19")..=date("2026-11-30"), desk.book.today(), &mut desk.shelf);
    let dates: Vec<String> = days.iter().map(|day| day.date.to_string()).collect();
    assert_eq!(dates, ["2026-11-20", "2026-11-21", "2026-11-22", "2026-11-23"]);
    assert_eq!((days[1].counted_ms, days[1].rules[0].off_ms), (86_400_000, 86_400_000));
}

#[test]
fn a_clock_that_was_set_while_the_agent_was_off_is_seen_by_the_monotonic_one() {
    let mut desk = Desk::new("UTC", "2026-11-22T10:00:00Z");
    let boot = Some(Uuid::from_u128(1));
    let mark = desk.book.mark(boot);
    desk.shelf.put(desk.book.today().unwrap().clone());
    let mut book = Book::new(calendar("UTC"));
    book.set_rules(calendar("UTC"), rules("UTC"));
    // Off for ten minutes, and set forward by an hour meanwhile.
    desk.now = Stamp { mono: desk.now.mono + Duration::from_secs(600), wall: time("2026-11-22T11:10:00Z") };
    book.open(desk.now, mark.as_ref(), boot, &mut desk.shelf);
    desk.book = book;
    assert_eq!(desk.sums("2026-11-22", "always"), [0, 0, 0, 600, 11 * H]);
}

#[test]
fn steps_of_the_clock_never_add_to_what_was_seen() {
    let mut desk = Desk::new("UTC", "2026-11-22T00:00:00Z");
    desk.book.set_camera(id("gate"), Sight::Seeing);
    desk.until("2026-11-22T01:00:00Z");
    desk.set("2026-11-22T04:00:00Z");
    desk.until("2026-11-22T05:00:00Z");
    assert_eq!(desk.sums("2026-11-22", "always"), [2 * H, 0, 0, 0, 3 * H]);
    // The same hour again: half of it blind, so that half was not seen both times.
    desk.set("2026-11-22T04:00:00Z");
    desk.until("2026-11-22T04:30:00Z");
    desk.book.set_camera(id("gate"), blind("offline"));
    desk.until("2026-11-22T05:00:00Z");
    assert_eq!(desk.sums("2026-11-22", "always"), [H + H / 2, H / 2, 0, 0, 3 * H]);
    desk.book.set_camera(id("gate"), Sight::Seeing);
    desk.until("2026-11-22T06:00:00Z");
    assert_eq!(desk.sums("2026-11-22", "always"), [2 * H + H / 2, H / 2, 0, 0, 3 * H]);
    // A clock that has lost its battery, until the network tells the time.
    desk.set("1970-01-01T00:00:00Z");
    desk.until("1970-01-01T00:10:00Z");
    desk.set("2026-11-23T02:00:00Z");
    desk.until("2026-11-23T03:00:00Z");
    assert_eq!(desk.sums("2026-11-22", "always"), [2 * H + H / 2, H / 2, 0, 0, 21 * H]);
    assert_eq!(desk.sums("2026-11-23", "always"), [H, 0, 0, 0, 2 * H]);
    assert_eq!(desk.day(date("2026-11-23")).before, None);
}

#[test]
fn an_agent_that_stood_still_saw_nothing() {
    let mut desk = Desk::new("UTC", "2026-11-22T23:00:00Z");
    desk.book.set_camera(id("gate"), Sight::Seeing);
    desk.until("2026-11-22T23:59:00Z");
    desk.pass(Duration::from_secs(120));
    assert_eq!(desk.sums("2026-11-22", "always"), [59 * 60, 0, 0, 60, 23 * H]);
    assert_eq!(desk.sums("2026-11-23", "always"), [0, 0, 0, 60, 0]);
}

#[test]
fn what_was_seen_and_then_found_blind_is_taken_back_as_far_as_is_remembered() {
    let mut desk = Desk::new("UTC", "2026-11-22T06:00:00Z");
    desk.book.set_camera(id("gate"), Sight::Seeing);
    // Schedules end at 07:30, and the clock is set by an hour in the middle of it.
    desk.until("2026-11-22T07:29:30Z");
    let since = desk.now.mono;
    desk.until("2026-11-22T07:29:50Z");
    desk.set("2026-11-22T06:29:50Z");
    desk.set("2026-11-22T07:29:50Z");
    desk.until("2026-11-22T07:30:34Z");
    let before = [H + 30 * 60 + 34, 0, 0, 0, 6 * H];
    assert_eq!(desk.sums("2026-11-22", "always"), before);
    desk.book.take_back(&id("gate"), "frozen", since, &mut desk.shelf);
    desk.book.set_camera(id("gate"), blind("frozen"));
    desk.until("2026-11-22T07:31:00Z");
    assert_eq!(desk.sums("2026-11-22", "always"), [before[0] - 64, 90, 0, 0, 6 * H]);
    assert_eq!(
        desk.sums("2026-11-22", "night"),
        [H + 29 * 60 + 30, 30, 60, 0, 6 * H],
        "armed only for half a minute of it"
    );
    // Long after the end of a stretch nothing is taken back any more, nor anything twice.
    desk.until("2026-11-22T07:33:00Z");
    desk.book.set_camera(id("gate"), Sight::Seeing);
    desk.until("2026-11-22T07:34:00Z");
    desk.book.take_back(&id("gate"), "frozen", Duration::ZERO, &mut desk.shelf);
    assert_eq!(desk.sums("2026-11-22", "always"), [before[0] - 64, 90 + 180, 0, 0, 6 * H]);
}

#[test]
fn another_time_zone_begins_the_day_anew() {
    let mut desk = Desk::new("UTC", "2026-11-22T00:00:00Z");
    desk.book.set_camera(id("gate"), Sight::Seeing);
    desk.until("2026-11-22T01:00:00Z");
    desk.book.set_rules(calendar("Asia/Almaty"), rules("Asia/Almaty"));
    desk.until("2026-11-22T02:00:00Z");
    let day = desk.day(date("2026-11-22"));
    assert_eq!((day.time_zone.as_str(), day.begins), ("Asia/Almaty", time("2026-11-21T19:00:00Z")));
    assert_eq!(desk.sums("2026-11-22", "always"), [H, 0, 0, 0, 6 * H]);
}
