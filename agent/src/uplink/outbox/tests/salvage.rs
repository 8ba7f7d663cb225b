//! What can still be read of a damaged file is taken over.

use super::{Phase::*, *};

/// Thirty incidents: ten delivered, twenty open on disk; everything in one file.
fn thirty(dir: &Path) -> u64 {
    let outbox = open(dir, PLENTY);
    for incident in 0..10 {
        step(&outbox, incident, Severity::Warning, Open, 1500);
    }
    deliver(&outbox, usize::MAX);
    let last = (10..30).map(|incident| step(&outbox, incident, Severity::Warning, Open, 1500).0).last();
    outbox.remember_topics(["status".to_owned()]);
    outbox.session();
    last.unwrap()
}

/// Overwrites a page of the database with rubbish.
fn damage(dir: &Path, page: u64) {
    use std::os::unix::fs::FileExt as _;
    let file = fs::OpenOptions::new().write(true).open(dir.join("outbox.sqlite")).unwrap();
    file.write_all_at(&[0xA5; 4096], page * 4096).unwrap();
}

/// It is found when the file is checked: after a process that did not close it.
fn unclean(dir: &Path) {
    fs::write(dir.join("outbox.sqlite-wal"), "not a log, so there is nothing in it").unwrap();
}

#[test]
fn what_can_be_read_is_saved_and_what_cannot_is_a_gap() {
    let whole = tempfile::tempdir().unwrap();
    let last = thirty(whole.path());
    let pages = fs::metadata(whole.path().join("outbox.sqlite")).unwrap().len() / 4096;
    let mut saved_some = 0;
    for page in 1..pages {
        let dir = killed(whole.path());
        damage(dir.path(), page);
        unclean(dir.path());
        let outbox = open(dir.path(), PLENTY);
        assert_eq!(outbox.trouble(), None, "page {page}");
        let (waiting, missing) = (numbers(&outbox), missing(&outbox));
        for number in 11..=last {
            assert!(waiting.contains(&number) || missing.contains(&number), "page {page}: {number} is nowhere");
        }
        if !missing.is_empty() {
            saved_some += usize::from(!waiting.is_empty());
        }
        assert!(step(&outbox, 99, Severity::Info, Open, 0).0 > last, "page {page}");
        drop(outbox);
        assert!(open(dir.path(), PLENTY).waiting() > 0, "page {page}");
    }
    assert!(saved_some > 10, "{saved_some} of {pages} pages");
}

#[test]
fn a_page_of_an_index_costs_nothing() {
    let dir = tempfile::tempdir().unwrap();
    thirty(dir.path());
    let index = rusqlite::Connection::open(dir.path().join("outbox.sqlite")).unwrap();
    let root: u64 = index
        .query_row("SELECT rootpage FROM sqlite_schema WHERE name = 'message_goes'", [], |row| row.get::<_, i64>(0))
        .unwrap()
        .cast_unsigned();
    drop(index);
    damage(dir.path(), root - 1);
    unclean(dir.path());
    let outbox = open(dir.path(), PLENTY);
    assert_eq!(numbers(&outbox), (11..=30).collect::<Vec<_>>());
    assert_eq!((outbox.orphans().len(), outbox.topics().len()), (30, 1));
    assert_eq!(outbox.session(), 2);
    let again = outbox.replay(&[GapRange { first: karaul_wire::Sequence(1), last: karaul_wire::Sequence(10) }]);
    assert_eq!(again.unwrap().again, 10, "also what was delivered");
    assert!(dir.path().join("outbox.damaged.sqlite").exists());
}

#[test]
fn a_file_that_was_closed_in_order_is_not_checked() {
    let dir = tempfile::tempdir().unwrap();
    thirty(dir.path());
    let index = rusqlite::Connection::open(dir.path().join("outbox.sqlite")).unwrap();
    let root: i64 =
        index.query_row("SELECT rootpage FROM sqlite_schema WHERE name = 'kept_age'", [], |row| row.get(0)).unwrap();
    drop(index);
    damage(dir.path(), root.cast_unsigned() - 1);
    let clock = clock();
    let outbox = Outbox::open(settings(dir.path(), PLENTY), Arc::new(clock.clone())).unwrap();
    assert!(!dir.path().join("outbox.damaged.sqlite").exists());
    // It is found when it is used, and then saved as well.
    deliver(&outbox, 1);
    assert!(outbox.trouble().is_some());
    clock.advance(Duration::from_secs(5));
    outbox.tend();
    assert_eq!(outbox.trouble(), None);
    assert_eq!(numbers(&outbox), (12..=30).collect::<Vec<_>>(), "and what the broker has is not sent again");
}

#[test]
fn ending_while_saving_loses_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let last = thirty(dir.path());
    // As it is between the two renames at the end.
    fs::rename(dir.path().join("outbox.sqlite"), dir.path().join("outbox.salvaged.sqlite")).unwrap();
    assert_eq!(numbers(&open(dir.path(), PLENTY)).last(), Some(&last));
    // An earlier attempt was left half done.
    fs::write(dir.path().join("outbox.salvaged.sqlite"), "half").unwrap();
    let outbox = dir.path().join("outbox.sqlite");
    assert!(outbox.exists());
    damage(dir.path(), 1);
    unclean(dir.path());
    assert_eq!(open(dir.path(), PLENTY).trouble(), None);
}

#[test]
fn what_waits_in_memory_while_a_file_is_saved_does_not_hide_what_was_in_it() {
    let dir = tempfile::tempdir().unwrap();
    let clock = clock();
    let outbox = Outbox::open(settings(dir.path(), PLENTY), Arc::new(clock.clone())).unwrap();
    for incident in 0..3 {
        step(&outbox, incident, Severity::Critical, Open, 0);
    }
    let corrupt = OutboxError::Corrupt { path: dir.path().join("outbox.sqlite"), detail: "test".to_owned() };
    outbox.lock().fail(&corrupt);
    fs::write(dir.path().join("outbox.sqlite"), "this is no database at all, only some text").unwrap();
    let _ = fs::remove_file(dir.path().join("outbox.sqlite-wal"));
    assert_eq!(step(&outbox, 9, Severity::Critical, Open, 0).0, 4);
    clock.advance(Duration::from_secs(5));
    outbox.tend();
    let next = step(&outbox, 10, Severity::Critical, Open, 0).0;
    let expected: Vec<u64> = (1..=3).chain(5..next).collect();
    assert_eq!((outbox.trouble(), missing(&outbox), numbers(&outbox)), (None, expected.clone(), vec![4, next]));
    assert_eq!(missing(&open(killed(dir.path()).path(), PLENTY)), expected, "also after a crash");
}

/// The start that salvages a file may be cut off after the damaged file got its other name and before its log did.
#[test]
fn the_log_of_a_damaged_file_never_gets_into_the_new_one() {
    let dir = tempfile::tempdir().unwrap();
    let last = thirty(dir.path());
    fs::rename(dir.path().join("outbox.sqlite"), dir.path().join("outbox.salvaged.sqlite")).unwrap();
    // A log with pages of another database, whole and valid.
    let other = tempfile::tempdir().unwrap();
    let damaged = open(other.path(), PLENTY);
    put(&damaged, "of the damaged file");
    fs::copy(other.path().join("outbox.sqlite-wal"), dir.path().join("outbox.sqlite-wal")).unwrap();
    let outbox = open(dir.path(), PLENTY);
    assert_eq!(numbers(&outbox), (11..=last).collect::<Vec<_>>());
    assert!(dir.path().join("outbox.damaged.sqlite-wal").exists());
}
