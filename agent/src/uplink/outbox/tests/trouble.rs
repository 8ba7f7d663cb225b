//! What becomes of incidents, numbers and topics when the disk fails or the agent does.

use super::*;

fn ranges(outbox: &Outbox) -> Vec<std::ops::RangeInclusive<u64>> {
    outbox.lock().gaps().ranges().collect()
}

#[test]
fn what_another_run_left_open_is_an_orphan_even_if_the_database_opens_late() {
    let dir = tempfile::tempdir().unwrap();
    let (theirs, ours) = (Uuid::from_u128(1), Uuid::from_u128(2));
    let first = open(dir.path(), PLENTY);
    put(&first, "x");
    remember(&first, theirs, Some("theirs"));
    drop(first);
    assert_eq!(open(dir.path(), PLENTY).orphans(), [(theirs, "theirs".to_owned())]);

    let clock = clock();
    let moved = dir.path().with_extension("moved");
    fs::rename(dir.path(), &moved).unwrap();
    fs::create_dir(dir.path()).unwrap();
    let outbox = Outbox::open(settings(dir.path(), 1), Arc::new(clock.clone())).unwrap();
    assert!(outbox.trouble().is_some());
    remember(&outbox, ours, Some("ours"));
    assert_eq!(outbox.orphans(), []);
    fs::remove_dir_all(dir.path()).unwrap();
    fs::rename(&moved, dir.path()).unwrap();
    outbox.lock().set_quota(PLENTY);
    clock.advance(Duration::from_secs(5));
    outbox.tend();
    assert_eq!((outbox.trouble(), outbox.orphans()), (None, vec![(theirs, "theirs".to_owned())]));
    remember(&outbox, theirs, None);
    assert_eq!(outbox.orphans(), []);
    assert_eq!(outbox.lock().open_incidents(), [(ours, "ours".to_owned())]);
    // The numbers between the two runs are nobody's.
    assert_eq!((ranges(&outbox).len(), *ranges(&outbox)[0].start()), (1, 2));
}

/// Offers a step of an incident that opens; says whether it was kept.
fn offer(outbox: &Outbox, id: Uuid, severity: Severity) -> bool {
    let offered = outbox.offer(|batch| {
        let sequence = Some(batch.next_sequence());
        batch.remember_incident(id, "open".to_owned());
        batch.put(Message { incident: Some(id), sequence, ..message("alert", severity) });
        batch.put(Message { incident: Some(id), sequence, retain: true, ..message("state", severity) });
        Ok::<_, ()>(())
    });
    offered.unwrap().1
}

/// Offers the step that ends it.
fn close(outbox: &Outbox, id: Uuid, severity: Severity) -> bool {
    let offered = outbox.offer(|batch| {
        let sequence = Some(batch.next_sequence());
        batch.forget_incident(id);
        batch.put(Message { incident: Some(id), sequence, ..message("end", severity) });
        batch.put(Message { incident: Some(id), sequence, retain: true, ..message("", severity) });
        Ok::<_, ()>(())
    });
    offered.unwrap().1
}

#[test]
fn what_finds_no_room_is_said_and_numbers_that_were_lost_are_known() {
    let dir = tempfile::tempdir().unwrap();
    let clock = clock();
    let outbox = Outbox::open(settings(dir.path(), 1), Arc::new(clock.clone())).unwrap();
    let floor = outbox.lock().sequence();
    for n in 1..=512 {
        assert!(offer(&outbox, Uuid::from_u128(n), Severity::Warning));
    }
    let (weak, strong) = (Uuid::from_u128(1000), Uuid::from_u128(1001));
    assert!(!offer(&outbox, weak, Severity::Info), "everything else is more important");
    assert!(!outbox.lock().open_incidents().iter().any(|(id, _)| *id == weak), "so it was never opened");
    assert_eq!(ranges(&outbox), [floor + 513..=floor + 513], "but its number is missing");
    assert!(offer(&outbox, strong, Severity::Critical), "the oldest warning goes for it");
    let last = outbox.lock().sequence();
    assert_eq!((last, outbox.dropped()), (floor + 514, 4));
    assert_eq!(ranges(&outbox), [floor + 1..=floor + 1, floor + 513..=floor + 513]);
    assert!(!offer(&outbox, weak, Severity::Info));
    assert_eq!(ranges(&outbox).len(), 3);
    assert!(close(&outbox, Uuid::from_u128(2), Severity::Info), "nothing is more important than an end");
    assert!(!outbox.lock().open_incidents().iter().any(|(id, _)| *id == Uuid::from_u128(2)));
    assert!(!outbox.has_gaps_to_tell(), "not while the disk is in trouble");

    outbox.lock().set_quota(PLENTY);
    clock.advance(Duration::from_secs(5));
    outbox.tend();
    assert!(outbox.has_gaps_to_tell());
    let told = outbox.commit(|batch| Ok::<_, ()>(batch.tell_gaps().ranges().collect::<Vec<_>>())).unwrap();
    let refused = [floor + 513..=floor + 513, floor + 515..=floor + 515];
    assert_eq!(told[0], 1..=floor + 2, "with those that this run left out because it could not read the last");
    assert_eq!(told[1..], refused);
    assert!(!outbox.has_gaps_to_tell());
}

#[test]
fn numbers_that_a_crash_took_along_are_known() {
    let dir = tempfile::tempdir().unwrap();
    let outbox = open(dir.path(), PLENTY);
    put(&outbox, "on disk");
    outbox.lock().store.as_ref().unwrap().set_disk(0);
    let big = "x".repeat(100_000);
    put(&outbox, &big);
    put(&outbox, &big);
    drop(outbox);
    assert_eq!(ranges(&open(dir.path(), PLENTY)), [2..=3]);
}

#[test]
fn topics_are_remembered_over_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let set = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<BTreeSet<_>>();
    open(dir.path(), PLENTY).remember_topics(set(&["a", "b"]));
    let outbox = open(dir.path(), PLENTY);
    outbox.remember_topics(set(&["b", "c"]));
    assert_eq!(outbox.topics(), set(&["a", "b", "c"]));
    drop(outbox);
    assert_eq!(open(dir.path(), PLENTY).topics(), set(&["a", "b", "c"]));
}

#[test]
fn a_file_of_the_first_schema_is_taken_over() {
    let dir = tempfile::tempdir().unwrap();
    let connection = rusqlite::Connection::open(dir.path().join("outbox.sqlite")).unwrap();
    let first = "
        CREATE TABLE message (row INTEGER PRIMARY KEY, topic TEXT NOT NULL, payload BLOB NOT NULL, retain INTEGER NOT NULL,
            severity TEXT NOT NULL, live INTEGER NOT NULL, committed_ns INTEGER NOT NULL) STRICT;
        CREATE TABLE incident (id BLOB PRIMARY KEY, state TEXT NOT NULL) STRICT, WITHOUT ROWID;
        CREATE TABLE number (name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT, WITHOUT ROWID;
        INSERT INTO number VALUES ('sequence', 7), ('session', 3);
        INSERT INTO message VALUES (1, 'topic', x'6f6c64', 0, 'info', 1, 0);
        PRAGMA user_version = 1;";
    connection.execute_batch(first).unwrap();
    drop(connection);
    let outbox = open(dir.path(), PLENTY);
    assert_eq!(all(&outbox), ["old"]);
    assert_eq!(put(&outbox, "new"), 8);
    assert_eq!(all(&open_again(outbox, dir.path())), ["old", "new"]);
}

fn open_again(outbox: Outbox, dir: &Path) -> Outbox {
    drop(outbox);
    open(dir, PLENTY)
}
