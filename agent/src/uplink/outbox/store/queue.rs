//! In which order messages go out.

use std::{collections::BTreeSet, time::Duration};

use karaul_wire::Severity;
use rusqlite::{CachedStatement, Connection, OptionalExtension as _, Row, params};
use uuid::Uuid;

use super::{Store, room::Turn};
use crate::uplink::outbox::{Kin, Message, Waiting};

const COLUMNS: &str = "row, topic, payload, retain, severity, live, committed_ns, incident, sequence, again, passing";
/// What has to be known of a message to decide whether it may go out. Its payload is read when it does.
const HEAD: &str = "row, incident, sequence, topic, retain";

/// What is wanted of the queue.
#[derive(Clone, Copy, Debug)]
pub(in super::super) struct Wish<'a> {
    /// So many messages at most.
    pub limit: usize,
    /// So many of them at most that are not new.
    pub backlog: usize,
    /// Rows from this one on are new.
    pub new_from: i64,
    /// No step of an incident before the broker has the one before it.
    pub in_turn: bool,
    /// Rows that were delivered and only have to be deleted.
    pub done: &'a BTreeSet<i64>,
}

/// Reads the queue for one request.
pub(super) struct Queue<'a> {
    store: Option<&'a Store>,
    /// What comes after all that is stored, while the disk takes nothing.
    memory: &'a [Waiting],
    wish: Wish<'a>,
    skip: &'a dyn Fn(i64, Kin<'_>) -> bool,
    found: Vec<Waiting>,
    /// Incidents of which nothing more can go out at present.
    stopped: BTreeSet<Uuid>,
}

struct Head {
    row: i64,
    incident: Option<Uuid>,
    sequence: Option<u64>,
    topic: String,
    retained: bool,
}

impl Head {
    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        let sequence = row.get::<_, Option<i64>>(2)?.map(i64::cast_unsigned);
        Ok(Self { row: row.get(0)?, incident: incident(row, 1)?, sequence, topic: row.get(3)?, retained: row.get(4)? })
    }

    fn of(waiting: &Waiting) -> Self {
        let Message { incident, sequence, retain, topic, .. } = &waiting.message;
        let topic = topic.clone();
        Self { row: waiting.row, incident: *incident, sequence: *sequence, topic, retained: *retain }
    }

    fn kin(&self) -> Kin<'_> {
        Kin { incident: self.incident, topic: &self.topic, retained: self.retained }
    }

    /// Must the later one wait until this one is through? What belongs to one step goes together. Behind a state only
    /// what is for the same topic waits: a broker may take alerts and not states.
    fn precedes(&self, later: &Self) -> bool {
        let same_step = self.sequence.is_some() && self.sequence == later.sequence;
        !same_step && (!self.retained || later.retained && later.topic == self.topic)
    }
}

impl<'a> Queue<'a> {
    pub(super) const fn new(
        store: Option<&'a Store>,
        memory: &'a [Waiting],
        wish: Wish<'a>,
        skip: &'a dyn Fn(i64, Kin<'_>) -> bool,
    ) -> Self {
        Self { store, memory, wish, skip, found: Vec::new(), stopped: BTreeSet::new() }
    }

    /// What is new goes first, and what is only in memory, then what waited; the critical of each first, and else in
    /// the order of the commits. A step of an incident takes along the earlier ones that still wait.
    pub(super) fn read(mut self) -> rusqlite::Result<Vec<Waiting>> {
        let Wish { limit, new_from, .. } = self.wish;
        self.pass(
            limit,
            "INDEXED BY message_critical WHERE severity = 'critical' AND row >= ? AND NOT again",
            new_from,
        )?;
        self.memory(limit, |waiting| waiting.message.severity == Severity::Critical)?;
        self.pass(limit, "WHERE row >= ? AND NOT again", new_from)?;
        self.memory(limit, |_| true)?;
        for waiting in &mut self.found {
            waiting.fresh = true;
        }
        let limit = self.found.len().saturating_add(self.wish.backlog).min(limit);
        self.pass(limit, "INDEXED BY message_critical WHERE severity = 'critical' AND row < ?", new_from)?;
        self.pass(limit, "WHERE row < ?", new_from)?;
        self.pass(limit, "INDEXED BY message_again WHERE again AND row >= ?", new_from)?;
        Ok(self.found)
    }

    /// Adds these, until there are `limit`.
    fn pass(&mut self, limit: usize, which: &str, from: i64) -> rusqlite::Result<()> {
        let Some(store) = self.store.filter(|_| self.found.len() < limit) else { return Ok(()) };
        let mut statement = select(&store.connection, which)?;
        let mut rows = statement.query([from])?;
        while self.found.len() < limit {
            let Some(row) = rows.next()? else { break };
            self.offer(limit, Head::read(row)?)?;
        }
        Ok(())
    }

    /// Adds these of what is in memory.
    fn memory(&mut self, limit: usize, which: impl Fn(&Waiting) -> bool) -> rusqlite::Result<()> {
        for waiting in self.memory.iter().filter(|waiting| which(waiting)) {
            if self.found.len() >= limit {
                break;
            }
            self.offer(limit, Head::of(waiting))?;
        }
        Ok(())
    }

    /// Adds it, with what goes before it.
    fn offer(&mut self, limit: usize, head: Head) -> rusqlite::Result<()> {
        match head.incident {
            None if !self.is_unwanted(&head) && !self.wish.done.contains(&head.row) => self.take(head.row),
            // In turn, only its first step can go, so one walk tells all there is to know.
            Some(incident) if self.wish.in_turn && self.stopped.insert(incident) => {
                self.walk(limit, incident, i64::MAX)
            }
            Some(incident) if !self.wish.in_turn => self.walk(limit, incident, head.row),
            _ => Ok(()),
        }
    }

    /// Adds what waits of an incident up to this row, as far as nothing goes before it that is on its way or
    /// not wanted.
    fn walk(&mut self, limit: usize, incident: Uuid, until: i64) -> rusqlite::Result<()> {
        let mut ahead: Vec<Head> = Vec::new();
        if let Some(store) = self.store {
            let mut statement = select(&store.connection, "WHERE incident = ? AND row <= ?")?;
            let mut rows = statement.query(params![incident.as_bytes(), until])?;
            while let Some(row) = rows.next()? {
                if !self.step(limit, &mut ahead, Head::read(row)?)? {
                    return Ok(());
                }
            }
        }
        let is_due = |waiting: &&Waiting| waiting.message.incident == Some(incident) && waiting.row <= until;
        for waiting in self.memory.iter().filter(is_due) {
            if !self.step(limit, &mut ahead, Head::of(waiting))? {
                return Ok(());
            }
        }
        Ok(())
    }

    /// The next of an incident. `false` if it has to wait for one ahead of it, and so has all that follows.
    fn step(&mut self, limit: usize, ahead: &mut Vec<Head>, head: Head) -> rusqlite::Result<bool> {
        if self.wish.done.contains(&head.row) {
            return Ok(true);
        }
        let waits = self.wish.in_turn && ahead.iter().any(|before| before.precedes(&head));
        if waits && !head.retained {
            return Ok(false);
        }
        if !waits && self.found.len() < limit && !self.is_unwanted(&head) {
            self.take(head.row)?;
        }
        ahead.push(head);
        Ok(true)
    }

    fn is_unwanted(&self, head: &Head) -> bool {
        self.found.iter().any(|found| found.row == head.row) || (self.skip)(head.row, head.kin())
    }

    fn take(&mut self, row: i64) -> rusqlite::Result<()> {
        if let Ok(place) = self.memory.binary_search_by_key(&row, |waiting| waiting.row) {
            self.found.push(self.memory[place].clone());
        } else if let Some(store) = self.store {
            let sql = format!("SELECT {COLUMNS} FROM message WHERE row = ?");
            let mut statement = store.connection.prepare_cached(&sql)?;
            let waiting = statement.query_row([row], |row| waiting(row, store.leftover)).optional()?;
            self.found.extend(waiting);
        }
        Ok(())
    }
}

fn select<'a>(connection: &'a Connection, which: &str) -> rusqlite::Result<CachedStatement<'a>> {
    connection.prepare_cached(&format!("SELECT {HEAD} FROM message {which} ORDER BY row"))
}

fn waiting(row: &Row<'_>, leftover: i64) -> rusqlite::Result<Waiting> {
    let waiting = read(row)?;
    let committed: i64 = row.get(6)?;
    let here = waiting.row > leftover && !waiting.again;
    Ok(Waiting { committed: here.then(|| Duration::from_nanos(committed.cast_unsigned())), ..waiting })
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
            incident: incident(row, 7)?,
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
pub(super) fn insert(connection: &Connection, waiting: &Waiting, goes: Option<Turn>) -> rusqlite::Result<()> {
    let Message { topic, payload, retain, severity, incident, sequence } = &waiting.message;
    let committed = waiting.committed.unwrap_or_default().as_nanos();
    let sql = format!("INSERT INTO message ({COLUMNS}, goes) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
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
        goes.map(|turn| turn as i64),
    ])?;
    Ok(())
}

fn incident(row: &Row<'_>, column: usize) -> rusqlite::Result<Option<Uuid>> {
    Ok(row.get::<_, Option<[u8; 16]>>(column)?.map(Uuid::from_bytes))
}
