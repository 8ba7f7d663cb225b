//! The outbox's SQLite file.

mod fault;
mod kept;
mod open;
mod parked;
mod queue;
mod renumber;
mod room;
mod salvage;
mod schema;
mod tables;
mod write;

use std::{mem, path::PathBuf, time::Duration};

use rusqlite::{Connection, Params};

use self::{
    fault::explain,
    parked::Parked,
    queue::{PARTS, Queue},
};
pub(super) use self::{
    kept::{MOST_COPIES, Whereabouts},
    queue::Wish,
    write::Change,
};
use super::{Gaps, Kin, OutboxError, Waiting};

/// SQLite's default, written down because the quota is counted in it.
const PAGE_SIZE: u64 = 4096;

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
    /// Who had it before did not close it.
    unclean: bool,
    /// The outbox's running time, in milliseconds, when this process's monotonic time was zero.
    epoch: i64,
    /// What was found not to go out at present.
    parked: [Parked; PARTS],
}

impl Store {
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

    /// Did who had it before not close it?
    pub(super) const fn is_unclean(&self) -> bool {
        self.unclean
    }

    /// How long the outbox has been running, in milliseconds, all runs together: what ages are measured by. Since what
    /// is written notes it, it never falls behind anything that is written.
    fn elapsed(&self, now: Duration) -> i64 {
        self.epoch.saturating_add(kept::millis(now))
    }

    /// A stored number, `sequence`, `session` or `elapsed`.
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

    /// What is wished for of what is here and in memory, without that for which `skip` is true.
    pub(super) fn first(
        &mut self,
        memory: &[Waiting],
        wish: Wish<'_>,
        skip: &dyn Fn(i64, Kin<'_>) -> bool,
    ) -> Result<Vec<Waiting>, OutboxError> {
        let mut parked = mem::take(&mut self.parked);
        let found = Queue::new(Some(self), memory, wish, skip, &mut parked).read();
        self.parked = parked;
        found.map_err(|error| self.reason(&error))
    }

    /// What was on its way is not any more.
    pub(super) fn look_anew(&mut self) {
        self.parked.iter_mut().for_each(Parked::clear);
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

/// What can be had of memory alone.
pub(super) fn first_of_memory(memory: &[Waiting], wish: Wish<'_>, skip: &dyn Fn(i64, Kin<'_>) -> bool) -> Vec<Waiting> {
    // Without a database nothing can fail.
    Queue::new(None, memory, wish, skip, &mut <[Parked; PARTS]>::default()).read().unwrap_or_default()
}
