use super::*;

fn seen(jti: u128, exp: i64, session: Option<u64>) -> Seen {
    Seen { jti: Uuid::from_u128(jti), exp, session }
}

fn taken(result: &Result<(), ReplayError>) -> &'static str {
    match result {
        Ok(()) => "taken",
        Err(ReplayError::Replayed) => "replayed",
        Err(ReplayError::Forgot) => "forgot",
        Err(ReplayError::Full) => "full",
        Err(ReplayError::Spent) => "spent",
        Err(ReplayError::Disk { .. }) => "disk",
        Err(ReplayError::Damaged { .. }) => "damaged",
    }
}

fn count(replays: &Replays) -> i64 {
    let connection = replays.connection.as_ref().unwrap();
    connection.query_row("SELECT count(*) FROM seen", [], |row| row.get(0)).unwrap()
}

#[test]
fn it_remembers_over_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let mut replays = Replays::open(dir.path(), false);
    assert_eq!(taken(&replays.take(seen(1, 100, None), Some(50), 1)), "taken");
    assert_eq!(taken(&replays.take(seen(1, 100, None), Some(50), 1)), "replayed");
    drop(replays);
    let mut replays = Replays::open(dir.path(), true);
    assert!(!replays.take_forgot());
    assert_eq!(replays.newest(), 50);
    assert_eq!(taken(&replays.take(seen(1, 100, None), None, 2)), "replayed");
}

#[test]
fn it_forgets_only_what_can_never_be_accepted_again() {
    let dir = tempfile::tempdir().unwrap();
    let mut replays = Replays::open(dir.path(), false);
    replays.take(seen(1, 100, None), Some(50), 1).unwrap();
    replays.take(seen(2, 100, Some(1)), Some(50), 1).unwrap();
    // The clock is not trusted any more: no time has passed that one could know of.
    replays.take(seen(3, 500, Some(1)), None, 1).unwrap();
    assert_eq!(count(&replays), 3);
    // Without a session the first has expired for good, even if the clock is set back.
    replays.take(seen(4, 500, Some(1)), Some(100), 1).unwrap();
    assert_eq!(count(&replays), 3);
    assert_eq!(replays.newest(), 100);
    replays.take(seen(5, 500, Some(1)), Some(70), 1).unwrap();
    assert_eq!(replays.newest(), 100);
    // Those that named the session can come again as long as it is the present one, whatever the clock says.
    assert_eq!(taken(&replays.take(seen(2, 100, Some(1)), Some(9_000), 1)), "replayed");
    assert_eq!(taken(&replays.take(seen(6, 9_500, Some(2)), None, 2)), "taken");
    assert_eq!(count(&replays), 1);
    // A counter that was lost makes it forget nothing.
    replays.take(seen(7, 9_500, Some(1)), None, 1).unwrap();
    assert_eq!(taken(&replays.take(seen(6, 9_500, Some(2)), None, 1)), "replayed");
}

#[test]
fn there_is_a_most() {
    let dir = tempfile::tempdir().unwrap();
    let mut replays = Replays::open(dir.path(), false);
    let connection = replays.connection.as_mut().unwrap();
    let fill = connection.transaction().unwrap();
    for jti in 0..u128::from(MOST) - 1 {
        let jti = Uuid::from_u128(jti);
        fill.execute("INSERT INTO seen VALUES (?1, 1000, NULL)", [jti.as_bytes()]).unwrap();
    }
    fill.commit().unwrap();
    assert_eq!(taken(&replays.take(seen(1 << 64, 1000, None), Some(10), 1)), "taken");
    let full = replays.take(seen(2 << 64, 1000, None), Some(10), 1).unwrap_err();
    let expected = "10000 commands are remembered until they expire, and there is no room for another; try again later";
    assert_eq!(full.to_string(), expected);
    // Those that name a session have room of their own.
    assert_eq!(taken(&replays.take(seen(3 << 64, 1000, Some(1)), Some(10), 1)), "taken");
    assert_eq!(taken(&replays.take(seen(2 << 64, 2000, None), Some(1000), 1)), "taken");
}

#[test]
fn a_session_that_is_full_of_commands_is_followed_by_another() {
    let dir = tempfile::tempdir().unwrap();
    let mut replays = Replays::open(dir.path(), false);
    let connection = replays.connection.as_mut().unwrap();
    let fill = connection.transaction().unwrap();
    for jti in 0..u128::from(MOST) {
        fill.execute("INSERT INTO seen VALUES (?1, 1000, 1)", [Uuid::from_u128(jti).as_bytes()]).unwrap();
    }
    fill.commit().unwrap();
    assert_eq!(replays.spent(), 0);
    let full = replays.take(seen(1 << 64, 1000, Some(1)), None, 1).unwrap_err();
    let expected = "10000 commands of this session are remembered, and there is no room for another; the box begins a new \
                    session, so sign the command again and name that one";
    assert_eq!((full.to_string().as_str(), replays.spent()), (expected, 1));
    assert_eq!(taken(&replays.take(seen(1 << 64, 1000, Some(2)), None, 2)), "taken");
    assert_eq!((count(&replays), replays.spent()), (1, 1));
}

#[test]
fn a_file_that_goes_while_it_runs_is_missed_when_it_is_opened_again() {
    let dir = tempfile::tempdir().unwrap();
    // Nobody said that there should be one.
    let mut replays = Replays::open(dir.path(), false);
    replays.take(seen(1, 100, Some(4)), None, 4).unwrap();
    replays.lose();
    assert_eq!(taken(&replays.take(seen(1, 100, Some(4)), None, 4)), "forgot");
    assert_eq!((replays.take_forgot(), replays.spent()), (true, 4));
    // And once more, while somebody is careful because of the first time.
    replays.take(seen(2, 100, Some(5)), None, 5).unwrap();
    replays.lose();
    assert_eq!(taken(&replays.take(seen(2, 100, Some(5)), None, 5)), "forgot");
    assert_eq!((replays.take_forgot(), replays.spent()), (true, 5));
    // A file without its numbers is no memory either.
    replays.connection.take().unwrap().execute("DELETE FROM number", []).unwrap();
    assert_eq!(taken(&replays.take(seen(3, 100, Some(6)), None, 6)), "forgot");
}

#[test]
fn what_it_knows_of_sessions_outlasts_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let mut replays = Replays::open(dir.path(), false);
    replays.take(seen(1, 100, None), Some(50), 7).unwrap();
    // Opened again in the same run, which had that session itself.
    replays.connection = None;
    replays.take(seen(2, 100, Some(7)), Some(50), 7).unwrap();
    assert_eq!(replays.spent(), 0);
    drop(replays);
    assert_eq!(Replays::open(dir.path(), true).spent(), 7);
}

#[test]
fn a_lost_memory_is_known() {
    let dir = tempfile::tempdir().unwrap();
    assert!(!Replays::open(dir.path(), false).take_forgot());
    fs::remove_file(dir.path().join("trust.sqlite")).unwrap();
    let mut replays = Replays::open(dir.path(), true);
    assert!(replays.take_forgot());
    assert!(!replays.take_forgot());
    drop(replays);
    let _ = fs::remove_file(dir.path().join("trust.sqlite-wal"));
    fs::write(dir.path().join("trust.sqlite"), [7; 9000]).unwrap();
    let mut replays = Replays::open(dir.path(), true);
    assert_eq!(taken(&replays.take(seen(1, 100, None), Some(50), 1)), "forgot");
    assert!(replays.take_forgot());
    assert_eq!(taken(&replays.take(seen(1, 100, None), Some(50), 1)), "taken");
    assert_eq!(fs::read(dir.path().join("trust.damaged.sqlite")).unwrap(), [7; 9000]);
}

#[test]
fn a_disk_that_takes_nothing_is_tried_again() {
    let dir = tempfile::tempdir().unwrap();
    let storage = dir.path().join("storage");
    fs::write(&storage, "in the way").unwrap();
    let mut replays = Replays::open(&storage, false);
    assert_eq!(taken(&replays.take(seen(1, 100, None), Some(50), 1)), "disk");
    fs::remove_file(&storage).unwrap();
    assert_eq!(taken(&replays.take(seen(1, 100, None), Some(50), 1)), "taken");
    assert_eq!(taken(&replays.take(seen(1, 100, None), Some(50), 1)), "replayed");
}
