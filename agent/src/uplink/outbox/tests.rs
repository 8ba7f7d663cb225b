mod crash;
mod damage;
mod model;
mod numbers;
mod order;
mod receipt;
mod room;
mod salvage;
mod trouble;

use std::{fs, path::Path};

use jiff::Timestamp;
use karaul_wire::Severity;
use proptest::prelude::*;

use super::*;
use crate::clock::SimulatedClock;

const PLENTY: u64 = 64 << 20;

fn clock() -> SimulatedClock {
    SimulatedClock::at("2026-11-22T02:00:00Z".parse::<Timestamp>().unwrap())
}

fn settings(folder: &Path, quota: u64) -> OutboxSettings {
    OutboxSettings::new(folder, quota)
}

fn open(dir: &Path, quota: u64) -> Outbox {
    Outbox::open(settings(dir, quota), Arc::new(clock())).unwrap()
}

fn message(text: &str, severity: Severity) -> Message {
    Message {
        topic: "karaul1/a/b/c/d/alert/info/x".into(),
        payload: text.into(),
        retain: false,
        severity,
        incident: None,
        sequence: None,
    }
}

/// What a step of an incident is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Open,
    Update,
    Close,
}

/// Commits a step of an incident as the agent does: its alert, and the state that it leads to. Says
/// its number and whether it was kept.
fn step(outbox: &Outbox, incident: u128, severity: Severity, phase: Phase, size: usize) -> (u64, bool) {
    let offered = outbox.offer(|batch| {
        let number = batch.next_sequence();
        let id = Uuid::from_u128(incident);
        let text = format!("{incident} {phase:?} {}", "x".repeat(size));
        let (incident, sequence) = (Some(id), Some(number));
        let alert = Message { incident, sequence, ..message(&text, severity) };
        let state = if phase == Phase::Close { String::new() } else { text };
        let state =
            Message { incident, sequence, retain: true, topic: format!("open/{id}"), ..message(&state, severity) };
        for message in [alert, state] {
            if phase == Phase::Update { batch.put_passing(message) } else { batch.put(message) }
        }
        if phase == Phase::Close {
            batch.forget_incident(id);
        } else {
            batch.remember_incident(id, "open".to_owned());
        }
        Ok::<_, ()>(number)
    });
    outbox.write_pending();
    offered.unwrap()
}

/// The numbers of the alerts that wait, in the order in which they would go out.
fn numbers(outbox: &Outbox) -> Vec<u64> {
    let waiting = outbox.next(usize::MAX, usize::MAX, |_, _| false);
    waiting.into_iter().filter_map(|waiting| waiting.message.told()).collect()
}

/// The numbers that are missing and that nobody has been told of.
fn missing(outbox: &Outbox) -> Vec<u64> {
    outbox.lock().gaps().ranges().flatten().collect()
}

/// The files as they are, log and all: what a killed process leaves.
fn killed(dir: &Path) -> tempfile::TempDir {
    let left = tempfile::tempdir().unwrap();
    for file in fs::read_dir(dir).unwrap() {
        let file = file.unwrap();
        fs::copy(file.path(), left.path().join(file.file_name())).unwrap();
    }
    left
}

/// Commits one message with a number of its own; returns that number.
fn put(outbox: &Outbox, text: &str) -> u64 {
    let filled = outbox.commit(|batch| {
        batch.put(message(text, Severity::Info));
        Ok::<_, ()>(batch.next_sequence())
    });
    outbox.write_pending();
    filled.unwrap()
}

fn remember(outbox: &Outbox, id: Uuid, state: Option<&str>) {
    let filled: Result<(), ()> = outbox.commit(|batch| {
        match state {
            Some(state) => batch.remember_incident(id, state.to_owned()),
            None => batch.forget_incident(id),
        }
        Ok(())
    });
    filled.unwrap();
    outbox.write_pending();
}

fn all(outbox: &Outbox) -> Vec<String> {
    outbox
        .next(usize::MAX, usize::MAX, |_, _| false)
        .into_iter()
        .map(|w| String::from_utf8(w.message.payload).unwrap())
        .collect()
}

fn deliver(outbox: &Outbox, count: usize) {
    let rows: Vec<i64> = outbox.next(count, usize::MAX, |_, _| false).iter().map(|waiting| waiting.row).collect();
    outbox.delivered(&rows);
}

#[test]
fn a_batch_is_all_or_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let outbox = open(dir.path(), PLENTY);
    let refused: Result<(), &str> = outbox.commit(|batch| {
        batch.put(message("never", Severity::Critical));
        batch.next_sequence();
        batch.remember_incident(Uuid::nil(), "never".into());
        Err("changed my mind")
    });
    assert_eq!(refused, Err("changed my mind"));
    assert_eq!((all(&outbox), outbox.waiting(), outbox.lock().open_incidents()), (vec![], 0, vec![]));
    assert_eq!(put(&outbox, "first"), 1, "a number that nobody saw is given out again");
}

#[test]
fn what_another_run_left_is_told_from_what_this_one_committed() {
    let dir = tempfile::tempdir().unwrap();
    put(&open(dir.path(), PLENTY), "old");
    let clock = clock();
    let outbox = Outbox::open(settings(dir.path(), PLENTY), Arc::new(clock.clone())).unwrap();
    clock.advance(Duration::from_secs(3));
    outbox.set_connected(true);
    put(&outbox, "new");
    let found = outbox.next(10, usize::MAX, |_, _| false);
    assert_eq!(
        found.iter().map(|w| (w.live, w.committed)).collect::<Vec<_>>(),
        [(true, Some(Duration::from_secs(3))), (false, None)],
        "what is new goes first"
    );
    assert_eq!(outbox.next(10, usize::MAX, |row, _| row == found[0].row), found[1..]);
}

#[test]
fn numbers_never_come_again() {
    let dir = tempfile::tempdir().unwrap();
    for run in 0..3 {
        let outbox = open(dir.path(), PLENTY);
        assert_eq!(outbox.session(), run + 1);
        assert_eq!(put(&outbox, "x"), run + 1);
        deliver(&outbox, 1);
        assert_eq!(outbox.waiting(), 0);
    }
}

#[test]
fn a_second_agent_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let _first = open(dir.path(), PLENTY);
    let error = Outbox::open(settings(dir.path(), PLENTY), Arc::new(clock())).err().unwrap().to_string();
    let expected = format!(
        "outbox {}/outbox.sqlite: another process uses it; stop the other karaul or give this one its own path under \
         [storage]",
        dir.path().display()
    );
    assert_eq!(error, expected);
}

#[test]
fn a_newer_schema_is_refused_and_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    drop(open(dir.path(), PLENTY));
    let connection = rusqlite::Connection::open(dir.path().join("outbox.sqlite")).unwrap();
    connection.pragma_update(None, "user_version", 9).unwrap();
    drop(connection);
    let error = Outbox::open(settings(dir.path(), PLENTY), Arc::new(clock())).err().unwrap().to_string();
    assert!(error.contains("a newer Karaul wrote it (schema 9, this one knows 5)"), "{error}");
}

#[test]
fn a_folder_that_cannot_be_made_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("file");
    fs::write(&file, "").unwrap();
    let error = Outbox::open(settings(&file, PLENTY), Arc::new(clock())).err().unwrap().to_string();
    assert!(error.starts_with(&format!("outbox {}: ", file.display())), "{error}");
    assert!(error.ends_with("; check path under [storage] and who may write there"), "{error}");
}

#[test]
fn a_damaged_file_is_moved_aside_and_numbers_go_on() {
    let dir = tempfile::tempdir().unwrap();
    let last = {
        let outbox = open(dir.path(), PLENTY);
        put(&outbox, "lost");
        assert_eq!(outbox.session(), 1);
        put(&outbox, "lost too")
    };
    fs::write(dir.path().join("outbox.sqlite"), "this is no database at all, only some text").unwrap();
    let _ = fs::remove_file(dir.path().join("outbox.sqlite-wal"));
    let outbox = open(dir.path(), PLENTY);
    assert!(dir.path().join("outbox.damaged.sqlite").exists());
    assert!(put(&outbox, "next") > last);
    assert_eq!(outbox.session(), 2);
    assert_eq!(all(&outbox), ["next"]);
}

#[test]
fn a_lost_count_of_sessions_goes_on_after_all_that_there_were() {
    let dir = tempfile::tempdir().unwrap();
    let outbox = open(dir.path(), PLENTY);
    outbox.session_was(0);
    assert_eq!(outbox.session(), 1);
    outbox.session_was(1);
    assert_eq!(outbox.session(), 2);
    outbox.session_was(480);
    assert_eq!(outbox.session(), 1_000_481);
    drop(outbox);
    assert_eq!(open(dir.path(), PLENTY).session(), 1_000_482);
}

#[test]
fn when_the_disk_is_full_alerts_go_on_in_memory_and_come_back_to_disk() {
    let dir = tempfile::tempdir().unwrap();
    let clock = clock();
    let outbox = Outbox::open(settings(dir.path(), PLENTY), Arc::new(clock.clone())).unwrap();
    let mut count = 0;
    outbox.lock().store.as_ref().unwrap().set_disk(256 << 10);
    while outbox.trouble().is_none() {
        put(&outbox, &format!("{count} {}", "x".repeat(4000)));
        outbox.tend();
        count += 1;
        assert!(count < 200, "the limit never took effect");
    }
    let expected = format!(
        "outbox {}/outbox.sqlite: outbox_quota is used up; raise it under [storage] or find out why the broker takes \
         nothing; until then messages wait in memory and a crash would lose them",
        dir.path().display()
    );
    assert_eq!(outbox.trouble(), Some(expected));
    let numbers: Vec<u64> = (0..5).map(|_| put(&outbox, "in memory")).collect();
    assert_eq!(outbox.waiting(), count + 5);
    assert_eq!(all(&outbox).len() as u64, count + 5, "nothing is lost, and the order is that of the commits");
    assert_eq!(all(&outbox)[count as usize..], ["in memory"; 5]);

    outbox.lock().store.as_ref().unwrap().set_disk(PLENTY);
    deliver(&outbox, 20);
    clock.advance(Duration::from_secs(5));
    outbox.tend();
    assert_eq!((outbox.trouble(), outbox.dropped()), (None, 0));
    drop(outbox);
    let outbox = open(dir.path(), PLENTY);
    assert_eq!(outbox.waiting(), count + 5 - 20, "all of it is on the disk");
    assert_eq!(put(&outbox, "next"), numbers[4] + 1);
}

#[test]
fn numbers_given_out_from_memory_do_not_come_again_after_a_crash() {
    let dir = tempfile::tempdir().unwrap();
    let outbox = open(dir.path(), PLENTY);
    put(&outbox, "on disk");
    outbox.lock().store.as_ref().unwrap().set_disk(0);
    let big = "x".repeat(100_000);
    let last = put(&outbox, &big).max(put(&outbox, &big));
    assert!(outbox.trouble().is_some());
    remember(&outbox, Uuid::nil(), Some("open"));
    drop(outbox);
    let outbox = open(dir.path(), PLENTY);
    assert_eq!(all(&outbox), ["on disk"], "that is what a crash costs");
    assert_eq!(put(&outbox, "next"), last + 1);
}

#[test]
fn an_acknowledged_row_is_not_sent_again_even_if_it_cannot_be_deleted() {
    let dir = tempfile::tempdir().unwrap();
    let clock = clock();
    let outbox = Outbox::open(settings(dir.path(), PLENTY), Arc::new(clock.clone())).unwrap();
    put(&outbox, "a");
    put(&outbox, "b");
    outbox.lock().store = None;
    let moved = dir.path().with_extension("moved");
    fs::rename(dir.path(), &moved).unwrap();
    fs::write(dir.path(), "a file where the folder was").unwrap();
    outbox.delivered(&[1]);
    assert!(outbox.trouble().is_some());
    fs::remove_file(dir.path()).unwrap();
    fs::rename(&moved, dir.path()).unwrap();
    clock.advance(Duration::from_secs(5));
    outbox.tend();
    assert_eq!((outbox.trouble(), all(&outbox)), (None, vec!["b".to_owned()]));
    drop(outbox);
    assert_eq!(all(&open(dir.path(), PLENTY)), ["b"]);
}

#[test]
fn a_start_without_a_usable_disk_goes_on_in_memory() {
    let dir = tempfile::tempdir().unwrap();
    let clock = clock();
    // One page is not enough for the tables.
    let outbox = Outbox::open(settings(dir.path(), 1), Arc::new(clock.clone())).unwrap();
    assert!(outbox.trouble().is_some());
    let first = put(&outbox, "first");
    assert_eq!(first, clock.now().wall.as_microsecond().cast_unsigned() + 1, "a number that no count reaches");
    put(&outbox, "second");
    remember(&outbox, Uuid::nil(), Some("open"));
    assert_eq!(all(&outbox), ["first", "second"]);
    deliver(&outbox, 1);
    outbox.lock().set_quota(PLENTY);
    clock.advance(Duration::from_secs(5));
    outbox.tend();
    assert_eq!(outbox.trouble(), None);
    assert_eq!(put(&outbox, "third"), first + 2);
    drop(outbox);
    let outbox = open(dir.path(), PLENTY);
    assert_eq!(all(&outbox), ["second", "third"]);
    assert_eq!(outbox.lock().open_incidents(), [(Uuid::nil(), "open".to_owned())]);
}

#[test]
fn damage_while_running_is_survived() {
    let dir = tempfile::tempdir().unwrap();
    let clock = clock();
    let outbox = Outbox::open(settings(dir.path(), PLENTY), Arc::new(clock.clone())).unwrap();
    put(&outbox, "lost");
    remember(&outbox, Uuid::nil(), Some("open"));
    let corrupt = OutboxError::Corrupt { path: dir.path().join("outbox.sqlite"), detail: "test".to_owned() };
    outbox.lock().fail(&corrupt);
    fs::write(dir.path().join("outbox.sqlite"), "this is no database at all, only some text").unwrap();
    let _ = fs::remove_file(dir.path().join("outbox.sqlite-wal"));
    assert_eq!(put(&outbox, "in memory"), 2);
    assert_eq!(all(&outbox), ["in memory"]);
    clock.advance(Duration::from_secs(5));
    outbox.tend();
    assert_eq!(outbox.trouble(), None);
    drop(outbox);
    let outbox = open(dir.path(), PLENTY);
    assert_eq!(all(&outbox), ["in memory"]);
    assert_eq!(
        outbox.lock().open_incidents(),
        [(Uuid::nil(), "open".to_owned())],
        "what the run knew is written again"
    );
}
