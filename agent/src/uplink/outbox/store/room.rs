//! Who gets the room when the quota is used up.

use std::collections::BTreeSet;

use karaul_wire::Severity;
use rusqlite::{Connection, params};

use super::{PAGE_SIZE, kept};
use crate::uplink::outbox::{Gaps, Message, Waiting};

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
/// This part of the quota takes what comes while pages do not get free as fast as messages go: a page is free only
/// when the last message on it has gone.
const LEEWAY: u64 = 64;
/// Once room has to be made, this part of the quota is made free, and not more than so many pages.
const SLACK: u64 = 50;
const MOST_SLACK: u64 = 64;
/// So many steps or messages go at a time, in a small quota fewer, so that not more goes than must.
const BITE: u64 = 16;
/// After so many, the transaction is long enough; the next one goes on. Each costs a page or two of the log.
const MOST_GONE: u64 = 128;

/// When a message goes, if it ever does, as it is stored. [`supersede`] changes it to one of the others:
/// 0, an update of which a later step waits; 1, a state that a later one replaces, both before anything else; and
/// 4, the alert of a step that clears something, after the others of its severity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Turn {
    /// The alert of a step that clears nothing, with all that belongs to it.
    Step = 2,
    /// A state whose alert has gone out, and what belongs to no step.
    Other = 3,
}

impl Turn {
    /// That of a message that was just committed.
    pub(super) fn of(waiting: &Waiting) -> Option<Self> {
        let message = &waiting.message;
        match message {
            // A hole must not stay unexplained.
            _ if waiting.again || message.clears() || message.tells_gaps() => None,
            Message { retain: false, sequence: Some(_), .. } => Some(Self::Step),
            _ => Some(Self::Other),
        }
    }
}

/// The state of a step has come: updates and states of the steps before it are superfluous now, and its own alert goes
/// later than others if the state clears something. What was superfluous before has its turn already, so that only the
/// last few messages of the incident need be looked at.
pub(super) fn supersede(connection: &Connection, waiting: &Waiting) -> rusqlite::Result<()> {
    let message = &waiting.message;
    let (true, Some(incident)) = (message.retain, message.incident.map(uuid::Uuid::into_bytes)) else { return Ok(()) };
    let sequence = message.sequence.map(u64::cast_signed);
    connection
        .prepare_cached(SUPERSEDE)?
        .execute(params![incident, waiting.row, message.topic, sequence, message.clears()])
        .map(drop)
}

const SUPERSEDE: &str = "UPDATE message SET goes = iif(sequence IS ?4 AND NOT retain, 4, goes - 2) \
                         WHERE row IN (SELECT row FROM message WHERE incident = ?1 AND row < ?2 ORDER BY row DESC LIMIT 16) \
                         AND iif(retain, +goes = 3 AND topic = ?3, iif(sequence IS ?4, ?5, passing AND +goes = 2))";

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

/// Keeps the books of the pages during one transaction. SQLite counts them, those in use and those that are free, so
/// the figures are those that the quota is enforced by, and cost nothing.
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
    /// So much has gone.
    effort: u64,
    pub gone: Gone,
}

impl<'a> Room<'a> {
    pub(super) fn new(connection: &'a Connection, pages: u64) -> rusqlite::Result<Self> {
        let mut room = Self { connection, pages, used: 0, effort: 0, gone: Gone::default() };
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
        let leeway = self.pages / LEEWAY;
        let most = (self.pages * share(message.severity) / 100).min(self.pages.saturating_sub(SPARE + leeway));
        let mut limit = most;
        // One that is too big for its share even when that is empty must not empty it.
        if self.used + need > most && need <= most {
            // Somewhat more than this one needs, so that not each message has to look for room.
            let target = most.saturating_sub((self.pages / SLACK).min(MOST_SLACK));
            while self.used + need > target {
                if self.effort >= MOST_GONE && self.used + need <= most + leeway {
                    // Enough has gone for this message, even if no page is free yet.
                    limit = most + leeway;
                    break;
                }
                if !self.bite(message.severity)? {
                    break;
                }
                self.count()?;
            }
        }
        let fits = self.used + need <= limit || message.clears();
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
        self.gone.untold |= message.tells_gaps();
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
        let bite = (self.pages / (2 * SLACK)).clamp(4, BITE).cast_signed();
        let connection = self.connection;
        let forgotten = kept::forget_some(connection, bite)?;
        self.effort += forgotten;
        if forgotten > 0 {
            return Ok(true);
        }
        let copies = connection.prepare_cached(COPIES)?.execute([bite])? as u64;
        self.left(copies);
        if copies > 0 || self.drop_updates(bite)? || self.drop_states(bite)? {
            return Ok(true);
        }
        for severity in Severity::ALL.into_iter().filter(|severity| *severity <= most) {
            if self.drop_confirmable(severity, bite)?
                || self.drop_steps(severity, bite)?
                || self.drop_others(severity, bite)?
                || self.drop_endings(severity, bite)?
            {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Updates that later ones of the same incident make superfluous.
    fn drop_updates(&mut self, bite: i64) -> rusqlite::Result<bool> {
        let numbers = self.numbers(SUPERFLUOUS_UPDATES, params![bite])?;
        self.drop_sequences(&numbers)
    }

    /// States that later ones of the same incident replace.
    fn drop_states(&mut self, bite: i64) -> rusqlite::Result<bool> {
        let gone = self.connection.prepare_cached(SUPERFLUOUS_STATES)?.execute([bite])? as u64;
        self.left(gone);
        Ok(gone > 0)
    }

    /// Those that the broker has, though the consumer has not confirmed them.
    fn drop_confirmable(&mut self, severity: Severity, bite: i64) -> rusqlite::Result<bool> {
        let numbers = self.numbers(kept::OLDEST_UNCONFIRMED, params![severity.as_str(), bite])?;
        let mut delete = self.connection.prepare_cached("DELETE FROM kept WHERE sequence = ?")?;
        for number in &numbers {
            self.effort += delete.execute([number])? as u64;
            self.missing(*number);
        }
        Ok(!numbers.is_empty())
    }

    /// The oldest steps that clear nothing.
    fn drop_steps(&mut self, severity: Severity, bite: i64) -> rusqlite::Result<bool> {
        let numbers = self.numbers(OLDEST_STEPS, params![severity.as_str(), bite])?;
        self.drop_sequences(&numbers)
    }

    /// The oldest of what belongs to no step, and states whose alert has gone out.
    fn drop_others(&mut self, severity: Severity, bite: i64) -> rusqlite::Result<bool> {
        let gone = self.connection.prepare_cached(OLDEST_OTHERS)?.execute(params![severity.as_str(), bite])? as u64;
        self.left(gone);
        self.gone.dropped += gone;
        Ok(gone > 0)
    }

    /// The alerts of steps that clear something; what clears stays.
    fn drop_endings(&mut self, severity: Severity, bite: i64) -> rusqlite::Result<bool> {
        let numbers = self.numbers(OLDEST_ENDINGS, params![severity.as_str(), bite])?;
        let mut delete = self.connection.prepare_cached("DELETE FROM message WHERE sequence = ? AND +goes = 4")?;
        for number in &numbers {
            let gone = delete.execute([number])? as u64;
            self.left(gone);
            self.gone.dropped += gone;
            self.missing(*number);
        }
        Ok(!numbers.is_empty())
    }

    /// Drops these steps with all that belongs to them.
    fn drop_sequences(&mut self, numbers: &[i64]) -> rusqlite::Result<bool> {
        let mut delete = self.connection.prepare_cached("DELETE FROM message WHERE sequence = ?")?;
        for number in numbers {
            let gone = delete.execute([number])? as u64;
            self.left(gone);
            self.gone.dropped += gone;
            self.missing(*number);
        }
        Ok(!numbers.is_empty())
    }

    fn numbers(&self, sql: &str, params: impl rusqlite::Params) -> rusqlite::Result<Vec<i64>> {
        let mut chosen = self.connection.prepare_cached(sql)?;
        chosen.query_map(params, |row| row.get(0))?.collect()
    }

    const fn left(&mut self, count: u64) {
        self.gone.left += count;
        self.effort += count;
    }

    fn missing(&mut self, number: i64) {
        let number = number.cast_unsigned();
        self.gone.numbers.add(number..=number);
    }
}

const COPIES: &str = "DELETE FROM message WHERE row IN (SELECT row FROM message WHERE again ORDER BY row LIMIT ?)";
const SUPERFLUOUS_UPDATES: &str = "SELECT sequence FROM message WHERE goes = 0 LIMIT ?";
const SUPERFLUOUS_STATES: &str = "DELETE FROM message WHERE row IN (SELECT row FROM message WHERE goes = 1 LIMIT ?)";
const OLDEST_STEPS: &str = "SELECT sequence FROM message WHERE goes = 2 AND severity = ? ORDER BY row LIMIT ?";
const OLDEST_OTHERS: &str = "DELETE FROM message WHERE row IN \
                             (SELECT row FROM message WHERE goes = 3 AND severity = ? ORDER BY row LIMIT ?)";
const OLDEST_ENDINGS: &str = "SELECT sequence FROM message WHERE goes = 4 AND severity = ? ORDER BY row LIMIT ?";

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::uplink::outbox::store::schema;

    /// With a scan, making room in a large quota took minutes.
    #[test]
    fn what_goes_is_found_by_an_index() {
        let connection = Connection::open_in_memory().unwrap();
        schema::make(&connection, Path::new("memory")).unwrap();
        let all = [
            SUPERSEDE,
            COPIES,
            SUPERFLUOUS_UPDATES,
            SUPERFLUOUS_STATES,
            OLDEST_STEPS,
            OLDEST_OTHERS,
            OLDEST_ENDINGS,
            kept::OLDEST_UNCONFIRMED,
            kept::OLDEST_CONFIRMED,
        ];
        for sql in all {
            let mut plan = connection.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
            let count = plan.parameter_count();
            let rows =
                plan.query_map(rusqlite::params_from_iter(vec![1; count]), |row| row.get::<_, String>(3)).unwrap();
            let plan: Vec<String> = rows.collect::<Result<_, _>>().unwrap();
            let scans = plan.iter().any(|line| line.starts_with("SCAN") && !line.contains("USING"));
            assert!(!scans && !plan.iter().any(|line| line.contains("TEMP B-TREE")), "{sql}: {plan:?}");
            let by_turn = plan.iter().any(|line| line.contains("message_goes"));
            assert!(!(by_turn && sql == SUPERSEDE), "that would look at all that may go: {plan:?}");
        }
    }
}
