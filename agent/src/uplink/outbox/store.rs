//! The outbox's SQLite file: schema, quota, damage.

use std::{
    collections::BTreeSet,
    fs, io,
    path::{Path, PathBuf},
    time::Duration,
};

use karaul_wire::Severity;
use rusqlite::{Connection, ErrorCode, OptionalExtension as _, Params, Row, params};
use uuid::Uuid;

use super::{Gaps, Kin, Message, OutboxError, Waiting};

/// 3.51.3 repaired a WAL-reset race that could damage a database (sqlite.org/wal.html).
const OLDEST_SQLITE: i32 = 3_051_003;
/// Value of `user_version`; raise it with each change of [`SCHEMA`] and migrate in [`Store::prepare`].
const SCHEMA_VERSION: i64 = 2;
/// SQLite's default, written down because the quota is counted in it.
const PAGE_SIZE: u64 = 4096;
/// Pages in the write-ahead log before it is folded back: 1 MiB that comes on top of the quota.
const LOG_PAGES: u64 = 256;

const SCHEMA: &str = "
    CREATE TABLE message (
        row INTEGER PRIMARY KEY,
        topic TEXT NOT NULL,
        payload BLOB NOT NULL,
        retain INTEGER NOT NULL,
        severity TEXT NOT NULL,
        live INTEGER NOT NULL,
        committed_ns INTEGER NOT NULL,
        incident BLOB,
        sequence INTEGER
    ) STRICT;
    CREATE TABLE incident (id BLOB PRIMARY KEY, state TEXT NOT NULL) STRICT, WITHOUT ROWID;
    CREATE TABLE number (name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT, WITHOUT ROWID;
    CREATE TABLE topic (name TEXT PRIMARY KEY) STRICT, WITHOUT ROWID;
    CREATE TABLE gap (first INTEGER PRIMARY KEY, last INTEGER NOT NULL) STRICT;
    INSERT INTO number VALUES ('sequence', 0), ('session', 0);
";

/// From version 1. Its messages know no incident and wait for none.
const FROM_1: &str = "
    ALTER TABLE message ADD COLUMN incident BLOB;
    ALTER TABLE message ADD COLUMN sequence INTEGER;
    CREATE TABLE topic (name TEXT PRIMARY KEY) STRICT, WITHOUT ROWID;
    CREATE TABLE gap (first INTEGER PRIMARY KEY, last INTEGER NOT NULL) STRICT;
";

/// What one transaction writes.
#[derive(Debug)]
pub(super) struct Change<'a> {
    pub messages: &'a [Waiting],
    /// `None` forgets the incident.
    pub incidents: Vec<(Uuid, Option<&'a str>)>,
    /// Topics to remember.
    pub topics: &'a BTreeSet<String>,
    pub delivered: &'a [i64],
    /// Numbers that are missing and that nobody has been told of.
    pub gaps: &'a Gaps,
    /// No higher number is given out, or written here.
    pub sequence: u64,
    pub session: u64,
}

/// An open database, held exclusively by this process.
#[derive(Debug)]
pub(super) struct Store {
    connection: Connection,
    path: PathBuf,
    /// Rows up to this one were there when the file was opened: another run committed them.
    leftover: i64,
    /// The missing numbers, as they are stored.
    gaps: Gaps,
}

impl Store {
    /// Opens or creates `dir/outbox.sqlite`. A damaged file is moved aside and a new
    /// one started; the second value then says so.
    pub(super) fn open(dir: &Path, quota: u64) -> Result<(Self, Option<OutboxError>), OutboxError> {
        if rusqlite::version_number() < OLDEST_SQLITE {
            return Err(OutboxError::SqliteTooOld { version: rusqlite::version() });
        }
        fs::create_dir_all(dir).map_err(|source| folder_error(dir, source))?;
        let path = dir.join("outbox.sqlite");
        match Self::prepare(&path, quota) {
            Err(OutboxError::Corrupt { detail, .. }) => {
                let kept = set_aside(&path).map_err(|source| folder_error(dir, source))?;
                let store = Self::prepare(&path, quota)?;
                Ok((store, Some(OutboxError::Damaged { path, kept, detail })))
            }
            Err(error @ (OutboxError::Folder { .. } | OutboxError::Disk { .. })) => {
                Err(probe(dir).map_or(error, |source| folder_error(dir, source)))
            }
            Err(error) => Err(error),
            Ok(store) => Ok((store, None)),
        }
    }

    fn prepare(path: &Path, quota: u64) -> Result<Self, OutboxError> {
        let explain = |error| explain(path, &error);
        let connection = Connection::open(path).map_err(explain)?;
        // A predecessor that is just ending gets a moment.
        connection.busy_timeout(Duration::from_secs(1)).map_err(explain)?;
        let pragma = |name: &str, value: &dyn rusqlite::ToSql| {
            connection.pragma_update_and_check(None, name, value, |_| Ok(())).optional().map(drop)
        };
        pragma("page_size", &PAGE_SIZE.cast_signed()).map_err(explain)?;
        // One agent per outbox: a second one is refused instead of sending everything twice.
        pragma("locking_mode", &"EXCLUSIVE").map_err(explain)?;
        pragma("journal_mode", &"WAL").map_err(explain)?;
        pragma("synchronous", &"FULL").map_err(explain)?;
        pragma("wal_autocheckpoint", &LOG_PAGES.cast_signed()).map_err(explain)?;
        pragma("journal_size_limit", &(LOG_PAGES * PAGE_SIZE).cast_signed()).map_err(explain)?;
        let pages = i64::try_from(quota / PAGE_SIZE).unwrap_or(i64::MAX).max(1);
        pragma("max_page_count", &pages).map_err(explain)?;

        let check: String = connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0)).map_err(explain)?;
        if check != "ok" {
            return Err(OutboxError::Corrupt { path: path.to_owned(), detail: check });
        }
        let version: i64 = connection.query_row("PRAGMA user_version", [], |row| row.get(0)).map_err(explain)?;
        let change = |sql: &str| {
            connection.execute_batch(&format!("BEGIN; {sql} PRAGMA user_version = {SCHEMA_VERSION}; COMMIT;"))
        };
        match version {
            SCHEMA_VERSION => {}
            0 => change(SCHEMA).map_err(explain)?,
            1 => change(FROM_1).map_err(explain)?,
            version => {
                return Err(OutboxError::Newer { path: path.to_owned(), version, known: SCHEMA_VERSION });
            }
        }
        let leftover =
            connection.query_row("SELECT coalesce(max(row), 0) FROM message", [], |row| row.get(0)).map_err(explain)?;
        let gaps = read_gaps(&connection).map_err(explain)?;
        Ok(Self { connection, path: path.to_owned(), leftover, gaps })
    }

    /// The missing numbers.
    pub(super) const fn gaps(&self) -> &Gaps {
        &self.gaps
    }

    /// Moves the rows from this one on down to where the rows before them end. Only for
    /// rows that nobody has been given yet.
    pub(super) fn move_down(&mut self, from: i64) -> Result<(), OutboxError> {
        let change = || -> rusqlite::Result<i64> {
            let bounds = "SELECT (SELECT coalesce(max(row), 0) FROM message WHERE row < ?1), min(row) FROM message \
                          WHERE row >= ?1";
            let (end, first): (i64, Option<i64>) =
                self.connection.query_row(bounds, [from], |row| Ok((row.get(0)?, row.get(1)?)))?;
            let by = first.map_or(0, |first| first - end - 1);
            self.connection.execute("UPDATE message SET row = row - ?2 WHERE row >= ?1", [from, by])?;
            Ok(by)
        };
        let by = change().map_err(|error| self.reason(&self.path, &error))?;
        self.leftover -= by;
        Ok(())
    }

    /// The last row another run left behind.
    pub(super) const fn leftover(&self) -> i64 {
        self.leftover
    }

    /// A stored number, `sequence` or `session`.
    pub(super) fn number(&self, name: &str) -> Result<u64, OutboxError> {
        self.value("SELECT value FROM number WHERE name = ?", [name])
    }

    /// How many messages are stored.
    pub(super) fn count(&self) -> Result<u64, OutboxError> {
        self.value("SELECT count(*) FROM message", [])
    }

    fn value(&self, sql: &str, params: impl Params) -> Result<u64, OutboxError> {
        let value: rusqlite::Result<i64> = self.connection.query_row(sql, params, |row| row.get(0));
        value.map(i64::cast_unsigned).map_err(|error| explain(&self.path, &error))
    }

    /// The incidents that are remembered.
    pub(super) fn incidents(&self) -> Result<Vec<(Uuid, String)>, OutboxError> {
        let read = || -> rusqlite::Result<_> {
            let mut statement = self.connection.prepare_cached("SELECT id, state FROM incident ORDER BY id")?;
            let rows = statement.query_map([], |row| Ok((Uuid::from_bytes(row.get(0)?), row.get(1)?)))?;
            rows.collect()
        };
        read().map_err(|error| explain(&self.path, &error))
    }

    /// The topics that are remembered.
    pub(super) fn topics(&self) -> Result<BTreeSet<String>, OutboxError> {
        let read = || -> rusqlite::Result<_> {
            let mut statement = self.connection.prepare_cached("SELECT name FROM topic")?;
            let rows = statement.query_map([], |row| row.get(0))?;
            rows.collect()
        };
        read().map_err(|error| explain(&self.path, &error))
    }

    /// The first `limit` messages, in order, for which `skip` is false.
    pub(super) fn first(&self, limit: usize, skip: &dyn Fn(i64, Kin<'_>) -> bool) -> Result<Vec<Waiting>, OutboxError> {
        let read = || -> rusqlite::Result<_> {
            let mut statement = self.connection.prepare_cached(
                "SELECT row, topic, payload, retain, severity, live, committed_ns, incident, sequence FROM message \
                 ORDER BY row",
            )?;
            let mut rows = statement.query([])?;
            let mut found = Vec::new();
            while found.len() < limit {
                let Some(row) = rows.next()? else { break };
                let retained = row.get::<_, bool>(3)?.then(|| row.get::<_, String>(1)).transpose()?;
                if !skip(row.get(0)?, Kin { incident: incident(row)?, retained: retained.as_deref() }) {
                    found.push(self.waiting(row)?);
                }
            }
            Ok(found)
        };
        read().map_err(|error| explain(&self.path, &error))
    }

    fn waiting(&self, row: &Row<'_>) -> rusqlite::Result<Waiting> {
        let number: i64 = row.get(0)?;
        let severity: String = row.get(4)?;
        let committed: i64 = row.get(6)?;
        Ok(Waiting {
            row: number,
            message: Message {
                topic: row.get(1)?,
                payload: row.get(2)?,
                retain: row.get(3)?,
                severity: severity.parse().unwrap_or(Severity::Critical),
                incident: incident(row)?,
                sequence: row.get::<_, Option<i64>>(8)?.map(i64::cast_unsigned),
            },
            live: row.get(5)?,
            committed: (number > self.leftover).then(|| Duration::from_nanos(committed.cast_unsigned())),
        })
    }

    /// Writes all of a change, or nothing. Returns how many rows were deleted.
    pub(super) fn write(&mut self, change: &Change<'_>) -> Result<u64, OutboxError> {
        let mut write = || -> rusqlite::Result<u64> {
            let transaction = self.connection.transaction()?;
            let mut deleted = 0;
            {
                let mut delete = transaction.prepare_cached("DELETE FROM message WHERE row = ?")?;
                for row in change.delivered {
                    deleted += delete.execute([row])? as u64;
                }
                let mut insert =
                    transaction.prepare_cached("INSERT INTO message VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)")?;
                for waiting in change.messages {
                    let Message { topic, payload, retain, severity, incident, sequence } = &waiting.message;
                    let committed = waiting.committed.unwrap_or_default().as_nanos();
                    let committed = i64::try_from(committed).unwrap_or(i64::MAX);
                    insert.execute(params![
                        waiting.row,
                        topic,
                        payload,
                        retain,
                        severity.as_str(),
                        waiting.live,
                        committed,
                        incident.map(Uuid::into_bytes),
                        sequence.map(u64::cast_signed)
                    ])?;
                }
                let mut remember = transaction.prepare_cached("INSERT OR REPLACE INTO incident VALUES (?, ?)")?;
                let mut forget = transaction.prepare_cached("DELETE FROM incident WHERE id = ?")?;
                for (id, state) in &change.incidents {
                    match state {
                        Some(state) => remember.execute(params![id.as_bytes(), state])?,
                        None => forget.execute([id.as_bytes()])?,
                    };
                }
                let mut topic = transaction.prepare_cached("INSERT OR IGNORE INTO topic VALUES (?)")?;
                for name in change.topics {
                    topic.execute([name])?;
                }
                if *change.gaps != self.gaps {
                    transaction.execute("DELETE FROM gap", [])?;
                    let mut gap = transaction.prepare_cached("INSERT INTO gap VALUES (?, ?)")?;
                    for range in change.gaps.ranges() {
                        gap.execute([range.start().cast_signed(), range.end().cast_signed()])?;
                    }
                }
                let mut number = transaction.prepare_cached("UPDATE number SET value = ? WHERE name = ?")?;
                number.execute(params![change.sequence.cast_signed(), "sequence"])?;
                number.execute(params![change.session.cast_signed(), "session"])?;
            }
            transaction.commit()?;
            Ok(deleted)
        };
        let deleted = write().map_err(|error| self.reason(&self.path, &error))?;
        self.gaps.clone_from(change.gaps);
        Ok(deleted)
    }

    /// Like [`explain`], and tells a full quota from a full disk.
    fn reason(&self, path: &Path, error: &rusqlite::Error) -> OutboxError {
        match explain(path, error) {
            OutboxError::DiskFull { path } if self.quota_reached() => OutboxError::QuotaFull { path },
            other => other,
        }
    }

    fn quota_reached(&self) -> bool {
        let number = |sql| self.connection.query_row(sql, [], |row| row.get::<_, i64>(0));
        let (Ok(used), Ok(most), Ok(free)) =
            (number("PRAGMA page_count"), number("PRAGMA max_page_count"), number("PRAGMA freelist_count"))
        else {
            return false;
        };
        // A big message needs several pages at once, so "full" begins a little before the last page.
        most.saturating_sub(used).saturating_add(free) < 64
    }

    #[cfg(test)]
    pub(super) fn set_quota(&self, quota: u64) {
        // SQLite ignores 0 and never goes below what is used already.
        let pages = (quota / PAGE_SIZE).max(1).cast_signed();
        self.connection.pragma_update_and_check(None, "max_page_count", pages, |_| Ok(())).unwrap();
    }
}

fn read_gaps(connection: &Connection) -> rusqlite::Result<Gaps> {
    let mut gaps = Gaps::default();
    let mut statement = connection.prepare("SELECT first, last FROM gap")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        gaps.add(row.get::<_, i64>(0)?.cast_unsigned()..=row.get::<_, i64>(1)?.cast_unsigned());
    }
    Ok(gaps)
}

fn incident(row: &Row<'_>) -> rusqlite::Result<Option<Uuid>> {
    Ok(row.get::<_, Option<[u8; 16]>>(7)?.map(Uuid::from_bytes))
}

/// Moves a damaged database out of the way. Only the newest is kept, so that damage
/// that comes back cannot fill the disk.
fn set_aside(path: &Path) -> io::Result<PathBuf> {
    let kept = path.with_extension("damaged.sqlite");
    for (suffix, target) in [("", kept.clone()), ("-wal", with_suffix(&kept, "-wal"))] {
        match fs::rename(with_suffix(path, suffix), &target) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            Err(_) | Ok(()) => {}
        }
    }
    match fs::remove_file(with_suffix(path, "-shm")) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        Err(_) | Ok(()) => Ok(kept),
    }
}

/// SQLite says only that it cannot open or read the file; the system says why.
fn probe(dir: &Path) -> Option<io::Error> {
    let path = dir.join("probe");
    let error = fs::write(&path, "probe").err();
    // Removing it cannot matter: it is overwritten next time.
    let _ = fs::remove_file(path);
    error
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

fn folder_error(dir: &Path, source: io::Error) -> OutboxError {
    let path = dir.to_owned();
    match source.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => OutboxError::DiskFull { path },
        io::ErrorKind::ReadOnlyFilesystem => OutboxError::ReadOnly { path },
        _ => OutboxError::Folder { path, source },
    }
}

fn explain(path: &Path, error: &rusqlite::Error) -> OutboxError {
    let path = path.to_owned();
    let detail = error.to_string();
    match error.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => OutboxError::DiskFull { path },
        Some(ErrorCode::ReadOnly) => OutboxError::ReadOnly { path },
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => OutboxError::Corrupt { path, detail },
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => OutboxError::InUse { path },
        Some(ErrorCode::CannotOpen | ErrorCode::PermissionDenied) => {
            OutboxError::Folder { path, source: io::Error::other(detail) }
        }
        _ => OutboxError::Disk { path, detail },
    }
}
