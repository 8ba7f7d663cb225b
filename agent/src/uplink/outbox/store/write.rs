//! One transaction: what comes, what goes, and what is remembered with it.

use std::{collections::BTreeSet, time::Duration};

use uuid::Uuid;

use super::{
    Store, kept, parked, queue,
    room::{self, Gone, Room, Turn},
    tables::{write_gaps, write_incidents, write_number},
};
use crate::uplink::outbox::{Gaps, OutboxError, Waiting};

/// What one transaction writes.
#[derive(Debug)]
pub(in super::super) struct Change<'a> {
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
    /// Numbers that a message among these tells of. If that is not let in, they are missing like the others.
    pub telling: &'a Gaps,
    /// No higher number is given out, or written here.
    pub sequence: u64,
    pub session: u64,
    /// Monotonic time.
    pub now: Duration,
}

impl Store {
    /// Writes all of a change, or nothing; what has to make room for it goes in the same
    /// transaction, and its numbers are added to those that are missing.
    pub(in super::super) fn write(&mut self, change: &Change<'_>) -> Result<Gone, OutboxError> {
        let mut gaps = change.gaps.clone();
        let elapsed = self.elapsed(change.now);
        let mut behind = Vec::new();
        let mut write = || -> rusqlite::Result<(u64, Gone)> {
            let transaction = self.connection.transaction()?;
            if self.parked.iter().any(|parked| !parked.is_empty()) {
                for row in change.delivered {
                    behind.extend(parked::behind(&transaction, *row)?);
                }
            }
            let taken = kept::take(&transaction, change.delivered, change.kept, elapsed)?;
            kept::add(&transaction, change.done, change.kept, elapsed)?;
            let mut waiting = self.waiting.saturating_sub(taken);
            let gone = {
                let mut room = Room::new(&transaction, self.pages)?;
                for message in change.messages {
                    if room.admit(message)? {
                        queue::insert(&transaction, message, Turn::of(message))?;
                        room::supersede(&transaction, message)?;
                        waiting += 1;
                    } else {
                        room.refuse(message);
                    }
                }
                room.gone
            };
            gaps.join(&gone.numbers);
            if gone.untold {
                gaps.join(change.telling);
            }
            write_incidents(&transaction, &change.incidents)?;
            for name in change.topics {
                transaction.prepare_cached("INSERT OR IGNORE INTO topic VALUES (?)")?.execute([name])?;
            }
            write_gaps(&transaction, &self.gaps, &gaps)?;
            write_number(&transaction, "sequence", change.sequence.cast_signed())?;
            write_number(&transaction, "session", change.session.cast_signed())?;
            write_number(&transaction, "elapsed", elapsed)?;
            transaction.commit()?;
            Ok((waiting.saturating_sub(gone.left), gone))
        };
        let (waiting, gone) = write().map_err(|error| self.reason(&error))?;
        self.waiting = waiting;
        self.gaps = gaps;
        for parked in &mut self.parked {
            behind.iter().for_each(|row| parked.remove(*row));
        }
        Ok(gone)
    }

    /// Notes how long the outbox has been running.
    pub(in super::super) fn note_time(&self, now: Duration) -> Result<(), OutboxError> {
        write_number(&self.connection, "elapsed", self.elapsed(now)).map_err(|error| self.reason(&error))
    }
}
