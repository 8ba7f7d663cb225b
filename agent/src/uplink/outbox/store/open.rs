//! How the file is opened, checked and, if it is damaged, replaced.

use std::{fs, path::Path, time::Duration};

use rusqlite::{Connection, OptionalExtension as _};

use super::{
    PAGE_SIZE, Store,
    fault::{explain, folder_error, is_unclean, probe, remove_all, set_aside, set_log_aside},
    kept::millis,
    queue,
    salvage::Salvage,
    schema,
    tables::read_gaps,
};
use crate::uplink::OutboxError;

/// 3.51.3 repaired a WAL-reset race that could damage a database (sqlite.org/wal.html).
const OLDEST_SQLITE: i32 = 3_051_003;
/// Pages in the write-ahead log before it is folded back. It comes on top of the quota: this, and what one more
/// transaction writes.
const LOG_PAGES: u64 = 256;

impl Store {
    /// Opens or creates `dir/outbox.sqlite`. With `suspect`, or after a process that did not
    /// close it, it is checked. A damaged file is moved aside and a new one started with what can
    /// be read of it.
    pub(in super::super) fn open(
        dir: &Path,
        quota: u64,
        suspect: bool,
        now: Duration,
    ) -> Result<(Self, Option<Salvage>), OutboxError> {
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
        let unclean = is_unclean(&path);
        let check = suspect || unclean;
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
                Ok((Self::prepare(&path, quota, false)?.at(now)?, Some(salvage)))
            }
            Err(error @ (OutboxError::Folder { .. } | OutboxError::Disk { .. })) => {
                Err(probe(dir).map_or(error, |source| folder_error(dir, source)))
            }
            Err(error) => Err(error),
            Ok(store) => Ok((Self { unclean, ..store }.at(now)?, None)),
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
        let path = path.to_owned();
        Ok(Self { connection, path, pages, leftover, waiting, gaps, unclean: false, epoch: 0 })
    }

    /// Running time goes on from here.
    fn at(self, now: Duration) -> Result<Self, OutboxError> {
        let elapsed = self.number("elapsed")?.cast_signed();
        Ok(Self { epoch: elapsed.saturating_sub(millis(now)), ..self })
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
        self.number("session")?;
        self.number("elapsed").map(drop)
    }
}
