//! Who gets the room when the quota is used up.

use std::collections::BTreeSet;

use karaul_wire::Severity;
use rusqlite::{Connection, params};

use super::{PAGE_SIZE, kept};
use crate::uplink::outbox::{Gaps, Waiting};

/// How much of the quota, in percent, may be in use for a message of this severity to come
/// on top: a fifth is kept free for `critical`, and further three tenths for `warning`.
const fn share(severity: Severity) -> u64 {
    match severity {
        Severity::Info => 50,
        Severity::Warning => 80,
        Severity::Critical => 100,
    }
}
/// Pages that are never given to messages: room for the tables' own upkeep.
const SPARE: u64 = 16;
/// Once room has to be made, this part of the quota is made free.
const SLACK: u64 = 50;
/// Rows that go at a time: in a small quota few, so that not more goes than must; in a large one many, because each
/// time they have to be looked for.
const fn bite_of(pages: u64) -> i64 {
    let rows = (pages / (2 * SLACK)).cast_signed();
    if rows < 4 {
        4
    } else if rows > 512 {
        512
    } else {
        rows
    }
}

/// What had to go.
#[derive(Debug, Default)]
pub(in super::super) struct Gone {
    /// The numbers of alerts among it.
    pub numbers: Gaps,
    /// How many messages the broker has not got: those that left the queue, and those that were not let in.
    pub dropped: u64,
    /// How many of them were in the queue.
    pub left: u64,
    /// The steps that were not let in.
    pub refused: BTreeSet<u64>,
    /// What tells of gaps was not let in.
    pub untold: bool,
}

/// Keeps the books of the pages during one transaction.
///
/// What goes first: alerts that were delivered and confirmed, and copies of them; then updates
/// of incidents of which later steps are waiting, and states that a later one replaces; then, of
/// severities up to that of the message that wants in, the oldest of the least severe. A step goes
/// whole. What clears a retained topic never goes, because without it the broker would show an
/// incident as open for ever; its alert goes after the others of its severity.
#[derive(Debug)]
pub(super) struct Room<'a> {
    connection: &'a Connection,
    pages: u64,
    used: u64,
    /// Rows that go at a time.
    bite: i64,
    /// Nothing more can be merged, or sent no more: it need not be looked for again in this transaction.
    merged: bool,
    pub gone: Gone,
}

impl<'a> Room<'a> {
    pub(super) fn new(connection: &'a Connection, pages: u64) -> rusqlite::Result<Self> {
        let mut room = Self { connection, pages, used: 0, bite: bite_of(pages), merged: false, gone: Gone::default() };
        room.count()?;
        Ok(room)
    }

    /// Makes room for a message. `false` if there is none, because all else is more important.
    pub(super) fn admit(&mut self, waiting: &Waiting) -> rusqlite::Result<bool> {
        let message = &waiting.message;
        // A step goes whole, but for what clears a topic.
        if message.sequence.is_some_and(|number| self.gone.refused.contains(&number)) {
            return Ok(message.clears());
        }
        let bytes = (message.topic.len() + message.payload.len()) as u64;
        // A row that does not fit its page goes on in pages of its own; the indexes take some as well.
        let need = bytes / PAGE_SIZE * 5 / 4 + 2;
        let most = (self.pages * share(message.severity) / 100).min(self.pages.saturating_sub(SPARE));
        // One that is too big for its share even when that is empty must not empty it.
        if self.used + need > most && need <= most {
            // Somewhat more than this one needs, so that not each message has to look for room.
            let target = most.saturating_sub(self.pages / SLACK);
            while self.used + need > target && self.bite(message.severity)? {
                self.count()?;
            }
        }
        let fits = self.used + need <= most || message.clears();
        if fits {
            self.used += bytes.div_ceil(PAGE_SIZE);
        }
        Ok(fits)
    }

    /// Counts a message that was not let in.
    pub(super) fn refuse(&mut self, waiting: &Waiting) {
        self.gone.dropped += 1;
        let message = &waiting.message;
        self.gone.refused.extend(message.sequence);
        // Only `gap/box` is critical and no step of an incident.
        self.gone.untold |= message.sequence.is_none() && message.severity == Severity::Critical;
        if let Some(number) = message.told() {
            self.gone.numbers.add(number..=number);
        }
    }

    fn count(&mut self) -> rusqlite::Result<()> {
        let number = |sql| self.connection.prepare_cached(sql)?.query_row([], |row| row.get::<_, i64>(0));
        let used = number("PRAGMA page_count")? - number("PRAGMA freelist_count")?;
        self.used = used.cast_unsigned();
        Ok(())
    }

    /// Something goes. `false` if nothing may.
    fn bite(&mut self, most: Severity) -> rusqlite::Result<bool> {
        let connection = self.connection;
        if !self.merged && kept::forget_some(connection)? {
            return Ok(true);
        }
        let copies = "DELETE FROM message WHERE row IN (SELECT row FROM message WHERE again ORDER BY row LIMIT ?)";
        let copies = connection.prepare_cached(copies)?.execute([self.bite])?;
        if copies > 0 {
            self.gone.left += copies as u64;
            return Ok(true);
        }
        if !self.merged && self.coalesce()? {
            return Ok(true);
        }
        self.merged = true;
        for severity in Severity::ALL.into_iter().filter(|severity| *severity <= most) {
            if self.drop_confirmable(severity)? || self.drop_steps(severity)? || self.drop_endings(severity)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Updates and states that later ones of the same incident make superfluous.
    fn coalesce(&mut self) -> rusqlite::Result<bool> {
        let updates = "SELECT sequence FROM message AS m WHERE passing AND NOT retain AND EXISTS \
                       (SELECT 1 FROM message AS later WHERE later.incident = m.incident AND later.row > m.row \
                        AND later.sequence > m.sequence AND NOT later.retain) ORDER BY row LIMIT ?1";
        let bite = self.bite;
        if self.drop_sequences(updates, params![bite])? {
            return Ok(true);
        }
        let states = "DELETE FROM message WHERE row IN (SELECT row FROM message AS m WHERE retain AND payload <> x'' \
                      AND EXISTS (SELECT 1 FROM message AS later WHERE later.incident = m.incident \
                      AND later.row > m.row AND later.topic = m.topic AND later.retain) ORDER BY row LIMIT ?1)";
        let left = self.connection.prepare_cached(states)?.execute([bite])? as u64;
        self.gone.left += left;
        Ok(left > 0)
    }

    /// Those that the broker has, though the consumer has not confirmed them.
    fn drop_confirmable(&mut self, severity: Severity) -> rusqlite::Result<bool> {
        let numbers: Vec<i64> = {
            let sql = "SELECT sequence FROM kept WHERE severity = ? AND NOT confirmed ORDER BY sequence LIMIT ?";
            let mut oldest = self.connection.prepare_cached(sql)?;
            oldest
                .query_map(params![severity.as_str(), self.bite], |row| row.get(0))?
                .collect::<rusqlite::Result<_>>()?
        };
        let mut delete = self.connection.prepare_cached("DELETE FROM kept WHERE sequence = ?")?;
        for number in &numbers {
            delete.execute([number])?;
            self.missing(*number);
        }
        Ok(!numbers.is_empty())
    }

    /// The oldest steps that clear nothing, and messages that belong to no step and are not critical.
    fn drop_steps(&mut self, severity: Severity) -> rusqlite::Result<bool> {
        let steps = "SELECT sequence FROM message AS m WHERE severity = ?2 AND sequence IS NOT NULL AND NOT retain \
                     AND NOT EXISTS \
                     (SELECT 1 FROM message AS c WHERE c.sequence = m.sequence AND c.retain AND c.payload = x'') \
                     ORDER BY row LIMIT ?1";
        let bite = self.bite;
        if self.drop_sequences(steps, params![bite, severity.as_str()])? {
            return Ok(true);
        }
        // States whose alert has gone out, and what belongs to no step, but for `gap/box`, which is critical: a hole
        // must not stay unexplained.
        let others = "DELETE FROM message WHERE row IN (SELECT row FROM message WHERE severity = ?2 \
                      AND iif(retain, payload <> x'', sequence IS NULL AND ?2 <> 'critical') ORDER BY row LIMIT ?1)";
        let left = self.connection.prepare_cached(others)?.execute(params![bite, severity.as_str()])? as u64;
        self.gone.left += left;
        self.gone.dropped += left;
        Ok(left > 0)
    }

    /// The alerts of steps that clear something; what clears stays.
    fn drop_endings(&mut self, severity: Severity) -> rusqlite::Result<bool> {
        let rows: Vec<(i64, i64)> = {
            let sql = "SELECT row, sequence FROM message WHERE severity = ? AND sequence IS NOT NULL AND NOT retain \
                       ORDER BY row LIMIT ?";
            let mut oldest = self.connection.prepare_cached(sql)?;
            let rows = oldest.query_map(params![severity.as_str(), self.bite], |row| Ok((row.get(0)?, row.get(1)?)))?;
            rows.collect::<rusqlite::Result<_>>()?
        };
        let mut delete = self.connection.prepare_cached("DELETE FROM message WHERE row = ?")?;
        for (row, number) in &rows {
            self.gone.left += delete.execute([row])? as u64;
            self.gone.dropped += 1;
            self.missing(*number);
        }
        Ok(!rows.is_empty())
    }

    /// Drops these steps with all that belongs to them.
    fn drop_sequences(&mut self, sql: &str, params: impl rusqlite::Params) -> rusqlite::Result<bool> {
        let numbers: Vec<i64> = {
            let mut chosen = self.connection.prepare_cached(sql)?;
            chosen.query_map(params, |row| row.get(0))?.collect::<rusqlite::Result<_>>()?
        };
        let mut delete = self.connection.prepare_cached("DELETE FROM message WHERE sequence = ?")?;
        for number in &numbers {
            let left = delete.execute([number])? as u64;
            self.gone.left += left;
            self.gone.dropped += left;
            self.missing(*number);
        }
        Ok(!numbers.is_empty())
    }

    fn missing(&mut self, number: i64) {
        let number = number.cast_unsigned();
        self.gone.numbers.add(number..=number);
    }
}
