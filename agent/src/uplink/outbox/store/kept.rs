//! Alerts that the broker has: they wait for the consumer's receipt, and may be wanted again.
//!
//! Their age is running time of the outbox, in milliseconds: it grows only while the agent runs, whatever becomes of
//! the wall clock. One that is set forward must not delete what somebody may still want, nor one that is set back keep it.

use std::{ops::RangeInclusive, time::Duration};

use rusqlite::{Connection, OptionalExtension as _, params};

use super::{Store, tables::write_number};
use crate::uplink::outbox::{Gaps, OutboxError, Waiting};

/// Most copies in the queue at a time, so that they take no room from what is new.
pub(in super::super) const MOST_COPIES: u64 = 256;
/// So many that are too old are forgotten at a time.
const EXPIRE_AT_ONCE: i64 = 512;
/// So many are forgotten at a time when the disk is full.
const FORGET_AT_ONCE: i64 = 16;
/// So many are marked as confirmed in one transaction.
const CONFIRM_AT_ONCE: u64 = 512;
/// What the centre says is missing may be on its way: it is not sent again before this.
const ON_ITS_WAY: Duration = Duration::from_secs(10);

impl Store {
    /// How many alerts wait for the consumer's receipt.
    pub(in super::super) fn unconfirmed(&self) -> Result<u64, OutboxError> {
        unconfirmed(&self.connection).map_err(|error| self.reason(&error))
    }

    /// Looks for numbers that somebody wants again; see [`find`].
    pub(in super::super) fn find(
        &self,
        ranges: &[RangeInclusive<u64>],
        patient: bool,
        now: Duration,
    ) -> Result<Found, OutboxError> {
        find(&self.connection, ranges, patient, self.elapsed(now)).map_err(|error| self.reason(&error))
    }

    /// Where the alert of this number is.
    pub(in super::super) fn whereabouts(&self, sequence: u64) -> Result<Whereabouts, OutboxError> {
        whereabouts(&self.connection, sequence).map_err(|error| self.reason(&error))
    }

    /// The consumer has these.
    pub(in super::super) fn confirm(&mut self, ranges: &[RangeInclusive<u64>]) -> Result<(), OutboxError> {
        let mut all = || -> rusqlite::Result<()> {
            loop {
                let transaction = self.connection.transaction()?;
                let all = confirm(&transaction, ranges)?;
                transaction.commit()?;
                if all {
                    return Ok(());
                }
            }
        };
        all().map_err(|error| self.reason(&error))
    }

    /// Forgets what is older than that and confirmed.
    pub(in super::super) fn expire(&mut self, retention: Duration, now: Duration) -> Result<(), OutboxError> {
        expire(&self.connection, retention, self.elapsed(now)).map(drop).map_err(|error| self.reason(&error))
    }

    /// Forgets some alerts that were delivered and confirmed. `false` if there are none.
    pub(in super::super) fn forget_some(&mut self) -> Result<bool, OutboxError> {
        forget_some(&self.connection, FORGET_AT_ONCE).map(|count| count > 0).map_err(|error| self.reason(&error))
    }

    /// The numbers whose receipt is overdue, at most so many.
    pub(in super::super) fn overdue(&self, limit: u64, now: Duration) -> Result<Vec<u64>, OutboxError> {
        overdue(&self.connection, limit, self.elapsed(now)).map_err(|error| self.reason(&error))
    }

    /// How many copies of delivered alerts wait.
    pub(in super::super) fn copies(&self) -> Result<u64, OutboxError> {
        copies(&self.connection).map_err(|error| self.reason(&error))
    }

    /// Puts copies of these at the end of the queue. Returns how many rows they took.
    pub(in super::super) fn send_again(
        &mut self,
        numbers: &[u64],
        next_row: i64,
        now: Duration,
    ) -> Result<u64, OutboxError> {
        let elapsed = self.elapsed(now);
        let mut send = || {
            let transaction = self.connection.transaction()?;
            let copied = send_again(&transaction, numbers, next_row, elapsed)?;
            write_number(&transaction, "elapsed", elapsed)?;
            transaction.commit()?;
            Ok(copied)
        };
        let copied = send().map_err(|error| self.reason(&error))?;
        self.waiting += copied;
        Ok(copied)
    }
}

/// Moves what the broker has acknowledged out of the queue. Returns how many rows left it.
pub(super) fn take(connection: &Connection, rows: &[i64], kept: Option<bool>, now: i64) -> rusqlite::Result<u64> {
    // Its tries go on counting when it was sent again.
    let mut keep = connection.prepare_cached(
        "INSERT INTO kept SELECT sequence, topic, payload, severity, ?2, ?3, 0 FROM message \
         WHERE row = ?1 AND sequence IS NOT NULL AND NOT retain \
         ON CONFLICT (sequence) DO UPDATE SET done_ms = ?3",
    )?;
    let mut delete = connection.prepare_cached("DELETE FROM message WHERE row = ?")?;
    let mut left = 0;
    for row in rows {
        if let Some(confirmed) = kept {
            keep.execute(params![row, confirmed, now])?;
        }
        left += delete.execute([row])? as u64;
    }
    Ok(left)
}

/// Adds those that the broker acknowledged while they were only in memory.
pub(super) fn add(connection: &Connection, done: &[Waiting], kept: Option<bool>, now: i64) -> rusqlite::Result<()> {
    let Some(confirmed) = kept else { return Ok(()) };
    let mut insert = connection.prepare_cached("INSERT OR REPLACE INTO kept VALUES (?, ?, ?, ?, ?, ?, 0)")?;
    for Waiting { message, .. } in done {
        let Some(sequence) = message.told() else { continue };
        let severity = message.severity.as_str();
        insert.execute(params![sequence.cast_signed(), message.topic, message.payload, severity, confirmed, now])?;
    }
    Ok(())
}

/// The consumer has stored these numbers. Some at a time: see whether it was all by calling it again.
pub(super) fn confirm(connection: &Connection, ranges: &[RangeInclusive<u64>]) -> rusqlite::Result<bool> {
    let mut update = connection.prepare_cached(
        "UPDATE kept SET confirmed = 1 WHERE sequence IN (SELECT sequence FROM kept WHERE NOT confirmed \
         AND sequence BETWEEN ?1 AND ?2 ORDER BY sequence LIMIT ?3)",
    )?;
    let mut left = CONFIRM_AT_ONCE;
    for range in ranges {
        left -= update.execute([signed(*range.start()), signed(*range.end()), signed(left)])? as u64;
    }
    Ok(left > 0)
}

/// How many wait for a receipt.
pub(super) fn unconfirmed(connection: &Connection) -> rusqlite::Result<u64> {
    let mut count = connection.prepare_cached("SELECT count(*) FROM kept WHERE NOT confirmed")?;
    count.query_row([], |row| row.get::<_, i64>(0)).map(i64::cast_unsigned)
}

/// Where an alert is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) enum Whereabouts {
    /// It has not been delivered.
    Queue,
    /// The broker has it.
    Kept { confirmed: bool },
    /// Neither.
    Nowhere,
}

/// A copy that is to be sent again changes nothing about the alert.
fn whereabouts(connection: &Connection, sequence: u64) -> rusqlite::Result<Whereabouts> {
    let mut kept = connection.prepare_cached("SELECT confirmed FROM kept WHERE sequence = ?")?;
    let mut waiting = connection.prepare_cached("SELECT 1 FROM message WHERE sequence = ? AND NOT retain LIMIT 1")?;
    if let Some(confirmed) = kept.query_row([signed(sequence)], |row| row.get(0)).optional()? {
        return Ok(Whereabouts::Kept { confirmed });
    }
    let waits = waiting.exists([signed(sequence)])?;
    Ok(if waits { Whereabouts::Queue } else { Whereabouts::Nowhere })
}

/// What there is of numbers that somebody wants again.
#[derive(Debug, Default)]
pub(in super::super) struct Found {
    /// These can be sent again.
    pub here: Vec<u64>,
    /// How many are in the queue already, or have just gone out.
    pub under_way: u64,
    /// These are not here any more.
    pub gone: Gaps,
}

/// Looks for these numbers. With `patient`, those that went out a moment ago are under way.
pub(super) fn find(
    connection: &Connection,
    ranges: &[RangeInclusive<u64>],
    patient: bool,
    now: i64,
) -> rusqlite::Result<Found> {
    let recent = if patient { now - millis(ON_ITS_WAY) } else { i64::MAX };
    let mut known = connection.prepare_cached(
        "SELECT sequence, max(waiting), max(done_ms) FROM ( \
             SELECT sequence, 1 AS waiting, 0 AS done_ms FROM message WHERE sequence BETWEEN ?1 AND ?2 AND NOT retain \
             UNION ALL SELECT sequence, 0, done_ms FROM kept WHERE sequence BETWEEN ?1 AND ?2 \
         ) GROUP BY sequence ORDER BY sequence",
    )?;
    let mut found = Found::default();
    for range in ranges {
        let mut next = *range.start();
        let mut rows = known.query([signed(*range.start()), signed(*range.end())])?;
        while let Some(row) = rows.next()? {
            let sequence = row.get::<_, i64>(0)?.cast_unsigned();
            let (waiting, done): (bool, i64) = (row.get(1)?, row.get(2)?);
            if sequence > next {
                found.gone.add(next..=sequence - 1);
            }
            next = sequence.saturating_add(1);
            if waiting || recent < done {
                found.under_way += 1;
            } else {
                found.here.push(sequence);
            }
        }
        found.gone.add(next..=*range.end());
    }
    Ok(found)
}

/// How many copies wait in the queue.
pub(super) fn copies(connection: &Connection) -> rusqlite::Result<u64> {
    let mut count = connection.prepare_cached("SELECT count(*) FROM message WHERE again")?;
    count.query_row([], |row| row.get::<_, i64>(0)).map(i64::cast_unsigned)
}

/// Those whose receipt is overdue, at most so many, those that are so longest first.
pub(super) fn overdue(connection: &Connection, limit: u64, now: i64) -> rusqlite::Result<Vec<u64>> {
    let mut overdue = connection.prepare_cached(OVERDUE)?;
    overdue.query_map(params![now, signed(limit)], |row| row.get(0).map(i64::cast_unsigned))?.collect()
}

/// By `kept_due`, whose words these are: columns behind the payloads of all that wait would take a tenth of a second.
pub(super) const OVERDUE: &str = "SELECT sequence FROM kept INDEXED BY kept_due \
     WHERE NOT confirmed AND done_ms + (60000 << min(tries, 6)) <= ?1 \
     AND NOT EXISTS (SELECT 1 FROM message WHERE message.sequence = kept.sequence AND NOT retain) \
     ORDER BY done_ms + (60000 << min(tries, 6)) LIMIT ?2";

/// Puts copies of these at the end of the queue, from the row `next_row` on. Returns how many there were.
///
/// A copy knows no incident: a consumer orders the steps of an incident by `rev`, and it must not hold up what
/// is new.
pub(super) fn send_again(connection: &Connection, sequences: &[u64], next_row: i64, now: i64) -> rusqlite::Result<u64> {
    let mut copy = connection.prepare_cached(
        "INSERT INTO message (row, topic, payload, retain, severity, live, committed_ns, sequence, again) \
         SELECT ?2, topic, payload, 0, severity, 0, 0, sequence, 1 FROM kept WHERE sequence = ?1",
    )?;
    let mut count = connection.prepare_cached("UPDATE kept SET tries = tries + 1, done_ms = ?2 WHERE sequence = ?1")?;
    let mut copied = 0;
    for sequence in sequences {
        let sequence = sequence.cast_signed();
        copied += copy.execute([sequence, next_row + copied])? as i64;
        count.execute([sequence, now])?;
    }
    Ok(copied.cast_unsigned())
}

/// Forgets those that were confirmed and are older than this.
pub(super) fn expire(connection: &Connection, retention: Duration, now: i64) -> rusqlite::Result<u64> {
    let mut delete = connection.prepare_cached(
        "DELETE FROM kept WHERE sequence IN (SELECT sequence FROM kept WHERE confirmed AND done_ms < ? \
         ORDER BY done_ms LIMIT ?)",
    )?;
    Ok(delete.execute([now - millis(retention), EXPIRE_AT_ONCE])? as u64)
}

/// Forgets so many of the oldest that were confirmed. Returns how many there were.
pub(super) fn forget_some(connection: &Connection, count: i64) -> rusqlite::Result<u64> {
    Ok(connection.prepare_cached(OLDEST_CONFIRMED)?.execute([count])? as u64)
}

pub(super) const OLDEST_CONFIRMED: &str =
    "DELETE FROM kept WHERE sequence IN (SELECT sequence FROM kept WHERE confirmed ORDER BY done_ms LIMIT ?)";
pub(super) const OLDEST_UNCONFIRMED: &str =
    "SELECT sequence FROM kept WHERE severity = ? AND NOT confirmed ORDER BY sequence LIMIT ?";

pub(super) fn millis(time: Duration) -> i64 {
    i64::try_from(time.as_millis()).unwrap_or(i64::MAX)
}

/// SQLite's integers end earlier, and so do the numbers that are given out.
fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
