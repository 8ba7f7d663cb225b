//! What can still be read of a damaged file.

use std::{ops::RangeInclusive, path::Path};

use rusqlite::{Connection, OpenFlags, Row, Transaction, params};

use super::{
    Store, queue,
    room::{self, Turn},
    tables::{read_gaps, write_gaps, write_incidents},
};
use crate::uplink::{
    OutboxError,
    outbox::{Gaps, Waiting},
};

/// What came of a damaged file.
#[derive(Debug)]
pub(in super::super) struct Salvage {
    /// How many messages could be taken over.
    pub rescued: usize,
    /// The highest number that was found; 0 if none was.
    pub sequence: u64,
    /// Numbers that may have been in unreadable parts. Some were never given out.
    pub lost: Vec<RangeInclusive<u64>>,
}

/// Rows of one table, and whether all could be read.
struct Rescued<T> {
    rows: Vec<T>,
    /// Places in `rows` before which some may be missing.
    holes: Vec<usize>,
}

impl Store {
    /// Takes over what can be read of a damaged file.
    pub(super) fn salvage(&mut self, damaged: &Path) -> Result<Salvage, OutboxError> {
        let old = Connection::open_with_flags(damaged, OpenFlags::SQLITE_OPEN_READ_WRITE).and_then(|old| {
            old.pragma_update_and_check(None, "locking_mode", "EXCLUSIVE", |_| Ok(()))?;
            old.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()))?;
            Ok(old)
        });
        let old = match old {
            Ok(old) => old,
            Err(error) => {
                tracing::warn!("nothing in {} can be read: {error}", damaged.display());
                return Ok(Salvage { rescued: 0, sequence: 0, lost: vec![1..=u64::MAX] });
            }
        };
        let messages = scan(&old, &queue::select_all(), "row", "message", queue::read);
        let kept = scan(
            &old,
            "SELECT sequence, topic, payload, severity, confirmed, done_ms, tries FROM kept",
            "sequence",
            "kept",
            |row| {
                let text = |n| row.get::<_, String>(n);
                let number = |n| row.get::<_, i64>(n);
                Ok((number(0)?, text(1)?, row.get::<_, Vec<u8>>(2)?, text(3)?, number(4)?, number(5)?, number(6)?))
            },
        );
        let incidents = unordered(&old, "SELECT id, state FROM incident", |row| {
            Ok((uuid::Uuid::from_bytes(row.get(0)?), row.get::<_, String>(1)?))
        });
        let topics = unordered(&old, "SELECT name FROM topic", |row| row.get::<_, String>(0));
        let numbers = unordered(&old, "SELECT name, value FROM number", |row| {
            Ok((row.get::<_, String>(0)?, row.get::<_, i64>(1)?.cast_unsigned()))
        });
        let gaps = read_gaps(&old).unwrap_or_default();
        drop(old);
        // Of an older version all that is kept starts at the same age.
        let oldest = kept.rows.iter().map(|row| row.5).max().unwrap_or(0).cast_unsigned();
        let number = |name: &str| numbers.iter().find(|(n, _)| n == name).map_or(0, |(_, value)| *value);

        let (sequence, lost) = lost(&messages, number("sequence"));
        let incidents: Vec<_> = incidents.iter().map(|(id, state)| (*id, Some(state.as_str()))).collect();
        self.fill(|transaction| {
            for message in &messages.rows {
                queue::insert(transaction, message, Turn::of(message))?;
                room::supersede(transaction, message)?;
            }
            write_incidents(transaction, &incidents)?;
            for topic in &topics {
                transaction.execute("INSERT OR IGNORE INTO topic VALUES (?)", [topic])?;
            }
            write_gaps(transaction, &Gaps::default(), &gaps)?;
            let elapsed = number("elapsed").max(oldest);
            for (name, value) in [("sequence", sequence), ("session", number("session")), ("elapsed", elapsed)] {
                transaction
                    .execute("UPDATE number SET value = ? WHERE name = ?", params![value.cast_signed(), name])?;
            }
            Ok(())
        })?;
        // Nice to have, and the new file may be somewhat larger than the old.
        let kept = self.fill(|transaction| {
            let mut insert = transaction.prepare("INSERT OR IGNORE INTO kept VALUES (?, ?, ?, ?, ?, ?, ?)")?;
            for row in &kept.rows {
                insert.execute(params![row.0, row.1, row.2, row.3, row.4, row.5, row.6])?;
            }
            Ok(())
        });
        if let Err(error) = kept {
            tracing::warn!("delivered alerts could not be taken over, so they cannot be sent again: {error}");
        }
        Ok(Salvage { rescued: messages.rows.len(), sequence, lost })
    }

    fn fill(&mut self, fill: impl Fn(&Transaction<'_>) -> rusqlite::Result<()>) -> Result<(), OutboxError> {
        let mut write = || {
            let transaction = self.connection.transaction()?;
            fill(&transaction)?;
            transaction.commit()
        };
        write().map_err(|error| self.reason(&error))
    }
}

/// The highest number, and those that may have been in the holes.
fn lost(messages: &Rescued<Waiting>, counted: u64) -> (u64, Vec<RangeInclusive<u64>>) {
    // A damaged page can hold any number.
    let possible = |number: &u64| *number > 0 && i64::try_from(*number).is_ok();
    let numbers = messages.rows.iter().filter_map(|waiting| waiting.message.sequence);
    let highest = numbers.chain([counted]).filter(possible).max().unwrap_or(0);
    let mut lost = Vec::new();
    for hole in &messages.holes {
        let number = |waiting: &Waiting| waiting.message.sequence.filter(|n| !waiting.again && possible(n));
        let before = messages.rows[..*hole].iter().rev().find_map(number);
        let after = messages.rows[*hole..].iter().find_map(number);
        // The same step may have a row on each side.
        lost.push(before.map_or(1, |before| before + 1)..=after.map_or(u64::MAX, |after| after - 1));
    }
    (highest, lost)
}

/// Reads a table by its integer key: forward until a page that cannot be read, then backward
/// from the end, then what is between, key by key.
fn scan<T>(
    connection: &Connection,
    select: &str,
    key: &str,
    table: &str,
    read: impl Fn(&Row<'_>) -> rusqlite::Result<T>,
) -> Rescued<T> {
    let walk = |order: &str, after: i64| -> (Vec<(i64, T)>, bool) {
        let mut rows: Vec<(i64, T)> = Vec::new();
        let mut go = || -> rusqlite::Result<bool> {
            // Not by an index, which could be damaged as well and lead astray.
            let sql = format!("{select} NOT INDEXED WHERE {key} > ? ORDER BY {key} {order}");
            let mut statement = connection.prepare(&sql)?;
            let mut found = statement.query([after])?;
            while let Some(row) = found.next()? {
                let number = row.get(0)?;
                // A damaged tree may lead in circles.
                let onward =
                    rows.last().is_none_or(|(last, _)| (*last < number) == (order == "ASC") && *last != number);
                if !onward {
                    return Ok(false);
                }
                rows.push((number, read(row)?));
            }
            Ok(true)
        };
        let whole = go().unwrap_or(false);
        (rows, whole)
    };
    let (mut rows, whole) = walk("ASC", i64::MIN);
    let mut holes = Vec::new();
    if !whole {
        let last = rows.last().map_or(i64::MIN, |(key, _)| *key);
        let (mut tail, _) = walk("DESC", last);
        tail.reverse();
        let end = tail.first().map(|(key, _)| *key);
        let mut between = Vec::new();
        // Where no end is known, as many are tried as a page full of small ones could have held, many times over.
        let first = last.max(0).saturating_add(1);
        let until = end.unwrap_or(i64::MAX).min(first.saturating_add(MOST_PROBES));
        for probe in first..until {
            let one = connection
                .prepare_cached(&format!("{select} NOT INDEXED WHERE {key} = ?"))
                .and_then(|mut statement| statement.query_row([probe], |row| Ok((row.get(0)?, read(row)?))));
            between.extend(one.ok());
        }
        let mut previous = last;
        for found in between.into_iter().chain(tail) {
            // Rows that were delivered are missing as well: it does not show which.
            if found.0 != previous.saturating_add(1) {
                holes.push(rows.len());
            }
            previous = found.0;
            rows.push(found);
        }
        if end.is_none() {
            holes.push(rows.len());
        }
        tracing::warn!("table {table}: {} rows could be read, {} stretches could not", rows.len(), holes.len());
    }
    Rescued { rows: rows.into_iter().map(|(_, row)| row).collect(), holes }
}

/// Keys tried one by one behind the last that could be read.
const MOST_PROBES: i64 = 100_000;

/// Reads a table until its end or the first page that cannot be read.
fn unordered<T>(connection: &Connection, select: &str, read: impl Fn(&Row<'_>) -> rusqlite::Result<T>) -> Vec<T> {
    let mut found = Vec::new();
    let mut go = || -> rusqlite::Result<()> {
        let mut statement = connection.prepare(select)?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            found.push(read(row)?);
        }
        Ok(())
    };
    if let Err(error) = go() {
        tracing::warn!("after {} rows: {error}", found.len());
    }
    found
}
