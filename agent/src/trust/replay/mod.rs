//! Which commands have been here: a small SQLite file that outlasts restarts and power cuts.

#[cfg(test)]
mod tests;

use std::{
    fs, io,
    path::{Path, PathBuf},
    time::Duration,
};

use rusqlite::{Connection, ErrorCode, OptionalExtension as _, params};
use uuid::Uuid;

/// Commands that could still be accepted and are remembered, of those that name a session and of those that do
/// not; enough for one a second with the longest validity that people choose, and about a megabyte.
const MOST: u64 = 10_000;
/// Value of `user_version`.
const SCHEMA_VERSION: i64 = 1;
/// SQLite's default, written down because the quota is counted in it.
const PAGE_SIZE: i64 = 4096;
/// Far above what [`MOST`] needs: 16 MiB.
const MOST_PAGES: i64 = 4096;
/// Pages in the write-ahead log before it is folded back.
const LOG_PAGES: i64 = 64;

/// `newest` is the latest time that a trusted clock has shown, in seconds since 1970; `session` the highest number
/// of one; `forgot` is there after the memory was lost, until all that could have been in it has expired.
const SCHEMA: &str = "
    CREATE TABLE seen (jti BLOB PRIMARY KEY, exp INTEGER NOT NULL, session INTEGER) STRICT, WITHOUT ROWID;
    CREATE TABLE number (name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT, WITHOUT ROWID;
    INSERT INTO number VALUES ('newest', 0), ('session', 0);
";

/// Why a command cannot be taken.
#[derive(Debug, thiserror::Error)]
pub(super) enum ReplayError {
    /// It has been here before.
    #[error("a command with this id has been here before; each needs an id of its own")]
    Replayed,
    /// It has just lost its memory.
    #[error("the memory of commands was lost and has been begun anew; sign the command again, naming the next session")]
    Forgot,
    /// Too many that must be remembered.
    #[error("{MOST} commands are remembered until they expire, and there is no room for another; try again later")]
    Full,
    /// Too many that must be remembered as long as this session lasts.
    #[error(
        "{MOST} commands of this session are remembered, and there is no room for another; the box begins a new session, \
         so sign the command again and name that one"
    )]
    Spent,
    /// The disk.
    #[error(
        "{}: {detail}; check the disk; until it can be written no command is carried out, as it could be carried out twice",
        path.display()
    )]
    Disk {
        /// The database.
        path: PathBuf,
        /// What is wrong.
        detail: String,
    },
    /// Not a database any more.
    #[error("{}: the file is damaged ({detail})", path.display())]
    Damaged {
        /// The database.
        path: PathBuf,
        /// What SQLite says.
        detail: String,
    },
}

/// What is remembered of a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Seen {
    pub(super) jti: Uuid,
    /// When it expires, with every tolerance there may be, in seconds since 1970.
    pub(super) exp: i64,
    /// The session that it named.
    pub(super) session: Option<u64>,
}

/// The memory of commands.
#[derive(Debug)]
pub(super) struct Replays {
    path: PathBuf,
    /// `None` as long as it cannot be opened, and after a failure.
    connection: Option<Connection>,
    /// There should be one: this box has worked before, or this run has opened it.
    expected: bool,
    /// The latest time that a trusted clock has shown, in seconds since 1970.
    newest: i64,
    /// The last session in which this run took a command; 0 before the first.
    last: u64,
    /// Sessions up to this one are of no use any more.
    spent: Option<u64>,
    /// It had to be begun anew and does not know what was accepted before.
    forgot: bool,
    /// Somebody knows that.
    told: bool,
}

impl Replays {
    /// Opens `trust.sqlite` in the storage folder. Failures are told when it is used; it is tried again then.
    ///
    /// `expected`: there should be one, as this box has worked before.
    pub(super) fn open(storage: &Path, expected: bool) -> Self {
        let path = storage.join("trust.sqlite");
        let mut replays =
            Self { path, connection: None, expected, newest: 0, last: 0, spent: None, forgot: false, told: false };
        if let Err(error) = replays.ready() {
            tracing::error!("{error}");
        }
        replays
    }

    /// The latest time that a trusted clock has shown, in seconds since 1970; 0 if none is known.
    pub(super) const fn newest(&self) -> i64 {
        self.newest
    }

    /// A command that names a session up to this one is not to be let in for that: the session was in an earlier run,
    /// or it is not known (any more) which of its commands were here.
    pub(super) fn spent(&self) -> u64 {
        self.spent.unwrap_or_default()
    }

    /// Did it lose its memory? It takes nothing before that was asked, so that whoever asks can be careful.
    pub(super) const fn take_forgot(&mut self) -> bool {
        let forgot = self.forgot;
        self.forgot = false;
        self.told |= forgot;
        forgot
    }

    /// All that it could have forgotten has expired.
    pub(super) fn recovered(&mut self) {
        self.told = false;
        let Some(connection) = &self.connection else { return };
        if let Err(error) = connection.execute("DELETE FROM number WHERE name = 'forgot'", []) {
            // Then the next start is careful once more.
            tracing::warn!("{}: {error}", self.path.display());
        }
    }

    /// Remembers a command, on the disk, unless it has been here.
    ///
    /// `trusted_now` is the time, if the clock is trusted; `session` the present session.
    pub(super) fn take(&mut self, seen: Seen, trusted_now: Option<i64>, session: u64) -> Result<(), ReplayError> {
        self.ready()?;
        if self.forgot {
            return Err(ReplayError::Forgot);
        }
        self.last = self.last.max(session);
        let newest = self.newest.max(trusted_now.unwrap_or_default());
        let Some(connection) = &mut self.connection else { return Err(self.disk("it is not open")) };
        match insert(connection, seen, newest, session) {
            Ok(Ok(())) => {
                self.newest = newest;
                Ok(())
            }
            Ok(Err(refused)) => {
                if matches!(refused, ReplayError::Spent) {
                    self.spend(session);
                }
                Err(refused)
            }
            Err(error) => {
                // Opened anew next time, in case the disk is back or the file has to be replaced.
                self.connection = None;
                Err(explain(&self.path, &error))
            }
        }
    }

    fn ready(&mut self) -> Result<(), ReplayError> {
        if self.connection.is_some() {
            return Ok(());
        }
        let opened = match prepare(&self.path, self.expected) {
            Err(error @ ReplayError::Damaged { .. }) => {
                let kept = self.path.with_extension("damaged.sqlite");
                tracing::error!("{error}; moved to {}, and begun anew", kept.display());
                set_aside(&self.path, &kept).map_err(|why| self.disk(&why.to_string()))?;
                self.expected = true;
                prepare(&self.path, true)?
            }
            other => other?,
        };
        self.newest = self.newest.max(opened.newest);
        // What is opened again in this run has this run's sessions in it.
        self.spent.get_or_insert(opened.session);
        if opened.lost {
            tracing::error!("{} was gone, and with it which commands have been here", self.path.display());
            self.spend(self.last);
        }
        // It is told once in this run of the agent, and again in the next.
        self.forgot |= opened.lost || opened.forgot && !self.told;
        self.expected = true;
        self.connection = Some(opened.connection);
        Ok(())
    }

    /// As when the disk fails and comes back empty.
    #[cfg(test)]
    pub(super) fn lose(&mut self) {
        self.connection = None;
        let _ = fs::remove_file(&self.path);
    }

    fn spend(&mut self, session: u64) {
        self.spent = self.spent.max(Some(session));
    }

    fn disk(&self, detail: &str) -> ReplayError {
        ReplayError::Disk { path: self.path.clone(), detail: detail.to_owned() }
    }
}

/// A file that can be used.
struct Opened {
    connection: Connection,
    newest: i64,
    session: u64,
    /// It should have been there, and was not, or was empty: nothing is known of what was in it.
    lost: bool,
    /// That, now or in an earlier run.
    forgot: bool,
}

/// Opens the file, makes it if need be, and has it remember that one was `expected`.
fn prepare(path: &Path, expected: bool) -> Result<Opened, ReplayError> {
    let explain = |error: rusqlite::Error| explain(path, &error);
    if let Some(folder) = path.parent() {
        let disk = |why: io::Error| ReplayError::Disk { path: path.to_owned(), detail: why.to_string() };
        fs::create_dir_all(folder).map_err(disk)?;
    }
    let connection = Connection::open(path).map_err(explain)?;
    connection.busy_timeout(Duration::from_secs(1)).map_err(explain)?;
    let pragma = |name: &str, value: &dyn rusqlite::ToSql| {
        connection.pragma_update_and_check(None, name, value, |_| Ok(())).optional().map(drop)
    };
    pragma("page_size", &PAGE_SIZE).map_err(explain)?;
    // One agent per folder: a command must not be taken twice by two of them.
    pragma("locking_mode", &"EXCLUSIVE").map_err(explain)?;
    pragma("journal_mode", &"WAL").map_err(explain)?;
    pragma("synchronous", &"FULL").map_err(explain)?;
    pragma("wal_autocheckpoint", &LOG_PAGES).map_err(explain)?;
    pragma("journal_size_limit", &(LOG_PAGES * PAGE_SIZE)).map_err(explain)?;
    pragma("max_page_count", &MOST_PAGES).map_err(explain)?;
    let damaged = |detail| ReplayError::Damaged { path: path.to_owned(), detail };
    let check: String = connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0)).map_err(explain)?;
    if check != "ok" {
        return Err(damaged(check));
    }
    let version: i64 = connection.query_row("PRAGMA user_version", [], |row| row.get(0)).map_err(explain)?;
    // A file that was cut off to nothing has no version either.
    let lost = expected && version == 0;
    match version {
        SCHEMA_VERSION => {}
        0 => {
            let forgot = if lost { "INSERT INTO number VALUES ('forgot', 1);" } else { "" };
            let sql = format!("BEGIN; {SCHEMA} {forgot} PRAGMA user_version = {SCHEMA_VERSION}; COMMIT;");
            connection.execute_batch(&sql).map_err(explain)?;
        }
        newer => {
            let detail = format!("a newer Karaul wrote it (schema {newer}); install that version again");
            return Err(ReplayError::Disk { path: path.to_owned(), detail });
        }
    }
    let number = |name: &str| -> rusqlite::Result<Option<i64>> {
        connection.query_row("SELECT value FROM number WHERE name = ?1", [name], |row| row.get(0)).optional()
    };
    let [newest, session, forgot] = ["newest", "session", "forgot"].map(number);
    let forgot = forgot.map_err(explain)?.is_some();
    let (Some(newest), Some(session)) = (newest.map_err(explain)?, session.map_err(explain)?) else {
        return Err(damaged("numbers are missing in it".to_owned()));
    };
    Ok(Opened { connection, newest, session: session.cast_unsigned(), lost, forgot })
}

fn insert(
    connection: &mut Connection,
    seen: Seen,
    newest: i64,
    session: u64,
) -> rusqlite::Result<Result<(), ReplayError>> {
    let transaction = connection.transaction()?;
    // The highest session ever: were the box's counter lost, old numbers would come again.
    transaction.execute("UPDATE number SET value = max(value, ?1) WHERE name = 'session'", [session.cast_signed()])?;
    transaction.execute("UPDATE number SET value = max(value, ?1) WHERE name = 'newest'", [newest])?;
    // What can never be accepted again. Without a session only a trusted clock lets a command in, and none that
    // is behind `newest` is trusted; with one, sessions before the present one never come again.
    transaction.execute(
        "DELETE FROM seen WHERE CASE WHEN session IS NULL THEN exp <= ?1 \
         ELSE session < ?2 AND ?2 >= (SELECT value FROM number WHERE name = 'session') END",
        params![newest, session.cast_signed()],
    )?;
    let known: Option<i64> = transaction
        .query_row("SELECT 1 FROM seen WHERE jti = ?1", [seen.jti.as_bytes()], |row| row.get(0))
        .optional()?;
    if known.is_some() {
        return Ok(Err(ReplayError::Replayed));
    }
    let named = seen.session.is_some();
    let alike = "SELECT count(*) FROM seen WHERE (session IS NOT NULL) = ?1";
    let count: i64 = transaction.query_row(alike, [named], |row| row.get(0))?;
    if count.cast_unsigned() >= MOST {
        return Ok(Err(if named { ReplayError::Spent } else { ReplayError::Full }));
    }
    transaction.execute(
        "INSERT INTO seen VALUES (?1, ?2, ?3)",
        params![seen.jti.as_bytes(), seen.exp, seen.session.map(u64::cast_signed)],
    )?;
    transaction.commit()?;
    Ok(Ok(()))
}

/// Moves a damaged database out of the way; only the newest is kept.
fn set_aside(path: &Path, kept: &Path) -> io::Result<()> {
    let with = |path: &Path, suffix: &str| {
        let mut name = path.as_os_str().to_owned();
        name.push(suffix);
        PathBuf::from(name)
    };
    for suffix in ["", "-wal"] {
        match fs::rename(with(path, suffix), with(kept, suffix)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            Err(_) | Ok(()) => {}
        }
    }
    match fs::remove_file(with(path, "-shm")) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        Err(_) | Ok(()) => Ok(()),
    }
}

fn explain(path: &Path, error: &rusqlite::Error) -> ReplayError {
    let path = path.to_owned();
    let detail = match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
            return ReplayError::Damaged { path, detail: error.to_string() };
        }
        Some(ErrorCode::DiskFull) => "the disk is full".to_owned(),
        Some(ErrorCode::ReadOnly) => "it is read-only".to_owned(),
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => "another process uses it".to_owned(),
        _ => error.to_string(),
    };
    ReplayError::Disk { path, detail }
}
