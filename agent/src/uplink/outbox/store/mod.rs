//! The outbox's SQLite file.

mod fault;
mod kept;
mod queue;
mod room;
mod salvage;
mod schema;

use std::{
    collections::BTreeSet,
    fs,
    ops::RangeInclusive,
    path::{Path, PathBuf},
    time::Duration,
};

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, Params, params};
use uuid::Uuid;

use self::salvage::Salvage;
use self::{
    fault::{explain, folder_error, is_unclean, probe, remove_all, set_aside, set_log_aside},
    queue::Queue,
    room::Room,
};
pub(super) use self::{
    kept::{Found, MOST_COPIES},
    room::Gone,
};
use super::{Gaps, Kin, OutboxError, Waiting, Wish};

/// 3.51.3 repaired a WAL-reset race that could damage a database (sqlite.org/wal.html).
const OLDEST_SQLITE: i32 = 3_051_003;
/// SQLite's default, written down because the quota is counted in it.
const PAGE_SIZE: u64 = 4096;
/// Pages in the write-ahead log before it is folded back: 1 MiB that comes on top of the quota.
const LOG_PAGES: u64 = 256;

/// What one transaction writes.
#[derive(Debug)]
pub(super) struct Change<'a> {
    pub messages: &'a [Waiting],
    /// `None` forgets the incident.
    pub incidents: Vec<(Uuid, Option<&'a str>)>,
    /// Topics to remember.
    pub topics: &'a BTreeSet<String>,
    /// Rows that the broker has acknowledged.
    pub delivered: &'a [i64],
    /// Messages that it acknowledged before they were on disk.
    pub done: &'a [Waiting],
    /// Are they kept, and is the acknowledgement confirmation enough?
    pub kept: Option<bool>,
    /// Numbers that are missing and that nobody has been told of.
    pub gaps: &'a Gaps,
    /// No higher number is given out, or written here.
    pub sequence: u64,
    pub session: u64,
    pub now: Timestamp,
}

/// An open database, held exclusively by this process.
#[derive(Debug)]
pub(super) struct Store {
    connection: Connection,
    path: PathBuf,
    /// The quota in pages.
    pages: u64,
    /// Rows up to this one were there when the file was opened: another run committed them.
    leftover: i64,
    /// How many messages wait in it.
    waiting: u64,
    /// The missing numbers, as they are stored.
    gaps: Gaps,
}

impl Store {
    /// Opens or creates `dir/outbox.sqlite`. With `suspect`, or after a process that did not
    /// close it, it is checked. A damaged file is moved aside and a new one started with what can
    /// be read of it.
    pub(super) fn open(dir: &Path, quota: u64, suspect: bool) -> Result<(Self, Option<Salvage>), OutboxError> {
        if rusqlite::version_number() < OLDEST_SQLITE {
            return Err(OutboxError::SqliteTooOld { version: rusqlite::version() });
        }
        fs::create_dir_all(dir).map_err(|source| folder_error(dir, source))?;
        let path = dir.join("outbox.sqlite");
        let salvaged = dir.join("outbox.salvaged.sqlite");
        if !path.exists() && salvaged.exists() {
            // Ended between the renames below.
            set_log_aside(&path).map_err(|source| folder_error(dir, source))?;
            fs::rename(&salvaged, &path).map_err(|source| folder_error(dir, source))?;
        }
        let check = suspect || is_unclean(&path);
        let prepared = Self::prepare(&path, quota, check).and_then(|store| {
            if suspect {
                store.read_through()?;
            }
            Ok(store)
        });
        match prepared {
            Err(OutboxError::Corrupt { detail, .. }) => {
                remove_all(&salvaged).map_err(|source| folder_error(dir, source))?;
                // Closed before it is renamed, so that all of it is in one file.
                let salvage = Self::prepare(&salvaged, quota, false)?.salvage(&path)?;
                let kept = set_aside(&path).map_err(|source| folder_error(dir, source))?;
                fs::rename(&salvaged, &path).map_err(|source| folder_error(dir, source))?;
                let rescued = salvage.rescued;
                tracing::error!("{}", OutboxError::Damaged { path: path.clone(), kept, detail, rescued });
                Ok((Self::prepare(&path, quota, false)?, Some(salvage)))
            }
            Err(error @ (OutboxError::Folder { .. } | OutboxError::Disk { .. })) => {
                Err(probe(dir).map_or(error, |source| folder_error(dir, source)))
            }
            Err(error) => Err(error),
            Ok(store) => Ok((store, None)),
        }
    }

    fn prepare(path: &Path, quota: u64, check: bool) -> Result<Self, OutboxError> {
        let explain = |error| explain(path, &error);
        let connection = Connection::open(path).map_err(explain)?;
        // More than rusqlite's usual 16: each statement of the queue and of the room is used all the time.
        connection.set_prepared_statement_cache_capacity(64);
        // A predecessor that is just ending gets a moment.
        connection.busy_timeout(Duration::from_secs(1)).map_err(explain)?;
        let pragma = |name: &str, value: &dyn rusqlite::ToSql| {
            connection.pragma_update_and_check(None, name, value, |_| Ok(())).optional().map(drop)
        };
        let pages = (quota / PAGE_SIZE).max(1);
        pragma("page_size", &PAGE_SIZE.cast_signed()).map_err(explain)?;
        // One agent per outbox: a second one is refused instead of sending everything twice.
        pragma("locking_mode", &"EXCLUSIVE").map_err(explain)?;
        pragma("journal_mode", &"WAL").map_err(explain)?;
        pragma("synchronous", &"FULL").map_err(explain)?;
        pragma("wal_autocheckpoint", &LOG_PAGES.cast_signed()).map_err(explain)?;
        pragma("journal_size_limit", &(LOG_PAGES * PAGE_SIZE).cast_signed()).map_err(explain)?;
        pragma("max_page_count", &i64::try_from(pages).unwrap_or(i64::MAX)).map_err(explain)?;
        if check {
            let found: String = connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0)).map_err(explain)?;
            if found != "ok" {
                return Err(OutboxError::Corrupt { path: path.to_owned(), detail: found });
            }
        }
        schema::make(&connection, path)?;
        let number = |sql| connection.query_row(sql, [], |row| row.get::<_, i64>(0)).map_err(explain);
        let leftover = number("SELECT coalesce(max(row), 0) FROM message")?;
        let waiting = number("SELECT count(*) FROM message")?.cast_unsigned();
        let gaps = read_gaps(&connection).map_err(explain)?;
        Ok(Self { connection, path: path.to_owned(), pages, leftover, waiting, gaps })
    }

    /// Reads all that waits and all that is remembered. SQLite's check does not see a word that is no text or an id
    /// of another length; one such row would stop all that come after it.
    fn read_through(&self) -> Result<(), OutboxError> {
        let read = || -> rusqlite::Result<()> {
            let mut statement = self.connection.prepare(&queue::select_all())?;
            let mut rows = statement.query([])?;
            while let Some(row) = rows.next()? {
                queue::read(row)?;
            }
            Ok(())
        };
        read().map_err(|error| self.reason(&error))?;
        self.incidents()?;
        self.topics()?;
        self.number("sequence")?;
        self.number("session").map(drop)
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
        let by = change().map_err(|error| self.reason(&error))?;
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

    /// How many messages wait.
    pub(super) const fn waiting(&self) -> u64 {
        self.waiting
    }

    fn value(&self, sql: &str, params: impl Params) -> Result<u64, OutboxError> {
        let value: rusqlite::Result<i64> = self.connection.query_row(sql, params, |row| row.get(0));
        value.map(i64::cast_unsigned).map_err(|error| self.reason(&error))
    }

    /// The incidents that are remembered.
    pub(super) fn incidents(&self) -> Result<Vec<(Uuid, String)>, OutboxError> {
        let read = || -> rusqlite::Result<_> {
            let mut statement = self.connection.prepare_cached("SELECT id, state FROM incident ORDER BY id")?;
            let rows = statement.query_map([], |row| Ok((Uuid::from_bytes(row.get(0)?), row.get(1)?)))?;
            rows.collect()
        };
        read().map_err(|error| self.reason(&error))
    }

    /// The topics that are remembered.
    pub(super) fn topics(&self) -> Result<BTreeSet<String>, OutboxError> {
        let read = || -> rusqlite::Result<_> {
            let mut statement = self.connection.prepare_cached("SELECT name FROM topic")?;
            let rows = statement.query_map([], |row| row.get(0))?;
            rows.collect()
        };
        read().map_err(|error| self.reason(&error))
    }

    /// What is wished for, without that for which `skip` is true.
    pub(super) fn first(&self, wish: Wish, skip: &dyn Fn(i64, Kin<'_>) -> bool) -> Result<Vec<Waiting>, OutboxError> {
        Queue::new(&self.connection, self.leftover, wish, skip).read().map_err(|error| self.reason(&error))
    }

    /// How many alerts wait for the consumer's receipt.
    pub(super) fn unconfirmed(&self) -> Result<u64, OutboxError> {
        kept::unconfirmed(&self.connection).map_err(|error| self.reason(&error))
    }

    /// Looks for numbers that somebody wants again; see [`kept::find`].
    pub(super) fn find(
        &self,
        ranges: &[RangeInclusive<u64>],
        patient: bool,
        now: Timestamp,
    ) -> Result<Found, OutboxError> {
        kept::find(&self.connection, ranges, patient, now).map_err(|error| self.reason(&error))
    }

    /// The consumer has these. Returns how many that nobody knew of.
    pub(super) fn confirm(&mut self, ranges: &[RangeInclusive<u64>]) -> Result<u64, OutboxError> {
        let mut confirm = || {
            let transaction = self.connection.transaction()?;
            let confirmed = kept::confirm(&transaction, ranges)?;
            transaction.commit()?;
            Ok(confirmed)
        };
        confirm().map_err(|error| self.reason(&error))
    }

    /// Forgets what is older than that and confirmed.
    pub(super) fn expire(&mut self, retention: Duration, now: Timestamp) -> Result<(), OutboxError> {
        kept::expire(&self.connection, retention, now).map(drop).map_err(|error| self.reason(&error))
    }

    /// Forgets some alerts that were delivered and confirmed. `false` if there are none.
    pub(super) fn forget_some(&mut self) -> Result<bool, OutboxError> {
        kept::forget_some(&self.connection).map_err(|error| self.reason(&error))
    }

    /// The numbers whose receipt is overdue, at most so many.
    pub(super) fn overdue(&self, limit: u64, now: Timestamp) -> Result<Vec<u64>, OutboxError> {
        kept::overdue(&self.connection, limit, now).map_err(|error| self.reason(&error))
    }

    /// How many copies of delivered alerts wait.
    pub(super) fn copies(&self) -> Result<u64, OutboxError> {
        kept::copies(&self.connection).map_err(|error| self.reason(&error))
    }

    /// Puts copies of these at the end of the queue. Returns how many rows they took.
    pub(super) fn send_again(&mut self, numbers: &[u64], next_row: i64, now: Timestamp) -> Result<u64, OutboxError> {
        let mut send = || {
            let transaction = self.connection.transaction()?;
            let copied = kept::send_again(&transaction, numbers, next_row, now)?;
            transaction.commit()?;
            Ok(copied)
        };
        let copied = send().map_err(|error| self.reason(&error))?;
        self.waiting += copied;
        Ok(copied)
    }

    /// Writes all of a change, or nothing; what has to make room for it goes in the same
    /// transaction, and its numbers are added to those that are missing.
    pub(super) fn write(&mut self, change: &Change<'_>) -> Result<Gone, OutboxError> {
        let mut gaps = change.gaps.clone();
        let mut write = || -> rusqlite::Result<(u64, Gone)> {
            let transaction = self.connection.transaction()?;
            let taken = kept::take(&transaction, change.delivered, change.kept, change.now)?;
            kept::add(&transaction, change.done, change.kept, change.now)?;
            let mut waiting = self.waiting.saturating_sub(taken);
            let gone = {
                let mut room = Room::new(&transaction, self.pages)?;
                for message in change.messages {
                    if room.admit(message)? {
                        queue::insert(&transaction, message)?;
                        waiting += 1;
                    } else {
                        room.refuse(message);
                    }
                }
                room.gone
            };
            gaps.join(&gone.numbers);
            write_incidents(&transaction, &change.incidents)?;
            for name in change.topics {
                transaction.prepare_cached("INSERT OR IGNORE INTO topic VALUES (?)")?.execute([name])?;
            }
            if gaps != self.gaps {
                write_gaps(&transaction, &gaps)?;
            }
            {
                let mut number = transaction.prepare_cached("UPDATE number SET value = ? WHERE name = ?")?;
                number.execute(params![change.sequence.cast_signed(), "sequence"])?;
                number.execute(params![change.session.cast_signed(), "session"])?;
            }
            transaction.commit()?;
            Ok((waiting.saturating_sub(gone.left), gone))
        };
        let (waiting, gone) = write().map_err(|error| self.reason(&error))?;
        self.waiting = waiting;
        self.gaps = gaps;
        Ok(gone)
    }

    /// Like [`explain`], and tells a full quota from a full disk.
    fn reason(&self, error: &rusqlite::Error) -> OutboxError {
        match explain(&self.path, error) {
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

    /// From now on the disk is full, or not.
    #[cfg(test)]
    pub(super) fn set_disk(&self, bytes: u64) {
        // SQLite ignores 0 and never goes below what is used already.
        let pages = (bytes / PAGE_SIZE).max(1).cast_signed();
        self.connection.pragma_update_and_check(None, "max_page_count", pages, |_| Ok(())).unwrap();
    }
}

fn write_incidents(connection: &Connection, incidents: &[(Uuid, Option<&str>)]) -> rusqlite::Result<()> {
    let mut remember = connection.prepare_cached("INSERT OR REPLACE INTO incident VALUES (?, ?)")?;
    let mut forget = connection.prepare_cached("DELETE FROM incident WHERE id = ?")?;
    for (id, state) in incidents {
        match state {
            Some(state) => remember.execute(params![id.as_bytes(), state])?,
            None => forget.execute([id.as_bytes()])?,
        };
    }
    Ok(())
}

fn write_gaps(connection: &Connection, gaps: &Gaps) -> rusqlite::Result<()> {
    connection.execute("DELETE FROM gap", [])?;
    let mut gap = connection.prepare_cached("INSERT INTO gap VALUES (?, ?)")?;
    for range in gaps.ranges() {
        gap.execute([range.start().cast_signed(), range.end().cast_signed()])?;
    }
    Ok(())
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
