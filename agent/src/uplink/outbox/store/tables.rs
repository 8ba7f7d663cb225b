//! What is remembered beside the messages: open incidents, topics, numbers that are missing.

use std::collections::BTreeSet;

use rusqlite::{Connection, params};
use uuid::Uuid;

use super::Store;
use crate::uplink::outbox::{Gaps, OutboxError};

impl Store {
    /// The incidents that are remembered.
    pub(in super::super) fn incidents(&self) -> Result<Vec<(Uuid, String)>, OutboxError> {
        let read = || -> rusqlite::Result<_> {
            let mut statement = self.connection.prepare_cached("SELECT id, state FROM incident ORDER BY id")?;
            let rows = statement.query_map([], |row| Ok((Uuid::from_bytes(row.get(0)?), row.get(1)?)))?;
            rows.collect()
        };
        read().map_err(|error| self.reason(&error))
    }

    /// The topics that are remembered.
    pub(in super::super) fn topics(&self) -> Result<BTreeSet<String>, OutboxError> {
        let read = || -> rusqlite::Result<_> {
            let mut statement = self.connection.prepare_cached("SELECT name FROM topic")?;
            let rows = statement.query_map([], |row| row.get(0))?;
            rows.collect()
        };
        read().map_err(|error| self.reason(&error))
    }
}

pub(super) fn write_incidents(connection: &Connection, incidents: &[(Uuid, Option<&str>)]) -> rusqlite::Result<()> {
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

/// Writes what has changed of them: there may be many.
pub(super) fn write_gaps(connection: &Connection, before: &Gaps, gaps: &Gaps) -> rusqlite::Result<()> {
    let mut delete = connection.prepare_cached("DELETE FROM gap WHERE first = ?")?;
    for range in before.ranges().filter(|range| !gaps.has(range)) {
        delete.execute([range.start().cast_signed()])?;
    }
    let mut insert = connection.prepare_cached("INSERT OR REPLACE INTO gap VALUES (?, ?)")?;
    for range in gaps.ranges().filter(|range| !before.has(range)) {
        insert.execute([range.start().cast_signed(), range.end().cast_signed()])?;
    }
    Ok(())
}

/// Sets one of the numbers that every file has.
pub(super) fn write_number(connection: &Connection, name: &str, value: i64) -> rusqlite::Result<()> {
    connection.prepare_cached("UPDATE number SET value = ? WHERE name = ?")?.execute(params![value, name]).map(drop)
}

pub(super) fn read_gaps(connection: &Connection) -> rusqlite::Result<Gaps> {
    let mut gaps = Gaps::default();
    let mut statement = connection.prepare("SELECT first, last FROM gap")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        gaps.add(row.get::<_, i64>(0)?.cast_unsigned()..=row.get::<_, i64>(1)?.cast_unsigned());
    }
    Ok(gaps)
}
