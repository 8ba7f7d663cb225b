//! In which order messages go out.

use std::time::Duration;

use karaul_wire::Severity;
use rusqlite::{CachedStatement, Connection, Params, Row, params};
use uuid::Uuid;

use crate::uplink::outbox::{Kin, Message, Waiting, Wish};

const COLUMNS: &str = "row, topic, payload, retain, severity, live, committed_ns, incident, sequence, again, passing";

/// Reads the queue for one request.
pub(super) struct Queue<'a> {
    connection: &'a Connection,
    /// Rows up to this one were committed by another run.
    leftover: i64,
    wish: Wish,
    skip: &'a dyn Fn(i64, Kin<'_>) -> bool,
    found: Vec<Waiting>,
}

impl<'a> Queue<'a> {
    pub(super) const fn new(
        connection: &'a Connection,
        leftover: i64,
        wish: Wish,
        skip: &'a dyn Fn(i64, Kin<'_>) -> bool,
    ) -> Self {
        Self { connection, leftover, wish, skip, found: Vec::new() }
    }

    /// What is new goes first, then what waited, the critical of it first; each in the order
    /// of its commits. A step of an incident takes along the earlier ones that still wait,
    /// so that the steps of an incident stay in order.
    pub(super) fn read(mut self) -> rusqlite::Result<Vec<Waiting>> {
        let new_from = self.wish.new_from;
        let limit = self.wish.limit;
        self.pass(limit, "WHERE row >= ? AND NOT again", params![new_from])?;
        for waiting in &mut self.found {
            waiting.fresh = true;
        }
        let limit = self.found.len().saturating_add(self.wish.backlog).min(limit);
        self.pass(limit, "WHERE severity = 'critical' AND row < ?", params![new_from])?;
        self.pass(limit, "WHERE row < ?", params![new_from])?;
        self.pass(limit, "WHERE again AND row >= ?", params![new_from])?;
        Ok(self.found)
    }

    /// Adds these, until there are `limit`.
    fn pass(&mut self, limit: usize, which: &str, params: impl Params) -> rusqlite::Result<()> {
        if self.found.len() >= limit {
            return Ok(());
        }
        let mut statement = self.select(&format!("{which} ORDER BY row"))?;
        let mut rows = statement.query(params)?;
        while self.found.len() < limit {
            let Some(row) = rows.next()? else { break };
            let (number, incident) = (row.get(0)?, incident(row)?);
            if self.is_unwanted(row)? {
                continue;
            }
            if let Some(incident) = incident {
                self.earlier(limit, number, incident)?;
            }
            if self.found.len() < limit {
                let waiting = self.waiting(row)?;
                self.found.push(waiting);
            }
        }
        Ok(())
    }

    /// Adds what waits before this row of its incident.
    fn earlier(&mut self, limit: usize, before: i64, incident: Uuid) -> rusqlite::Result<()> {
        let mut statement = self.select("WHERE incident = ? AND row < ? ORDER BY row")?;
        let mut rows = statement.query(params![incident.as_bytes(), before])?;
        while self.found.len() < limit {
            let Some(row) = rows.next()? else { break };
            if !self.is_unwanted(row)? {
                let waiting = self.waiting(row)?;
                self.found.push(waiting);
            }
        }
        Ok(())
    }

    fn is_unwanted(&self, row: &Row<'_>) -> rusqlite::Result<bool> {
        let number = row.get(0)?;
        if self.found.iter().any(|found| found.row == number) {
            return Ok(true);
        }
        let topic = row.get_ref(1)?.as_str()?;
        Ok((self.skip)(number, Kin { incident: incident(row)?, topic, retained: row.get(3)? }))
    }

    fn select(&self, which: &str) -> rusqlite::Result<CachedStatement<'a>> {
        self.connection.prepare_cached(&format!("SELECT {COLUMNS} FROM message {which}"))
    }

    fn waiting(&self, row: &Row<'_>) -> rusqlite::Result<Waiting> {
        let number: i64 = row.get(0)?;
        let committed: i64 = row.get(6)?;
        let waiting = read(row)?;
        let committed =
            (number > self.leftover && !waiting.again).then(|| Duration::from_nanos(committed.cast_unsigned()));
        Ok(Waiting { committed, ..waiting })
    }
}

/// A row of the table. When it was committed is for the caller to say.
pub(super) fn read(row: &Row<'_>) -> rusqlite::Result<Waiting> {
    let severity: String = row.get(4)?;
    Ok(Waiting {
        row: row.get(0)?,
        message: Message {
            topic: row.get(1)?,
            payload: row.get(2)?,
            retain: row.get(3)?,
            // A word that this version does not know is not less important.
            severity: severity.parse().unwrap_or(Severity::Critical),
            incident: incident(row)?,
            sequence: row.get::<_, Option<i64>>(8)?.map(i64::cast_unsigned),
        },
        live: row.get(5)?,
        committed: None,
        fresh: false,
        again: row.get(9)?,
        passing: row.get(10)?,
    })
}

/// All rows in order, as far as they can be read, for [salvage](super::salvage).
pub(super) fn select_all() -> String {
    format!("SELECT {COLUMNS} FROM message")
}

/// Writes a message.
pub(super) fn insert(connection: &Connection, waiting: &Waiting) -> rusqlite::Result<()> {
    let Message { topic, payload, retain, severity, incident, sequence } = &waiting.message;
    let committed = waiting.committed.unwrap_or_default().as_nanos();
    let sql = format!("INSERT INTO message ({COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
    connection.prepare_cached(&sql)?.execute(params![
        waiting.row,
        topic,
        payload,
        retain,
        severity.as_str(),
        waiting.live,
        i64::try_from(committed).unwrap_or(i64::MAX),
        incident.map(Uuid::into_bytes),
        sequence.map(u64::cast_signed),
        waiting.again,
        waiting.passing,
    ])?;
    Ok(())
}

fn incident(row: &Row<'_>) -> rusqlite::Result<Option<Uuid>> {
    Ok(row.get::<_, Option<[u8; 16]>>(7)?.map(Uuid::from_bytes))
}
