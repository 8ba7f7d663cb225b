//! Other numbers for what is stored.

use rusqlite::params;

use super::{
    Store,
    tables::{write_gaps, write_number},
};
use crate::uplink::outbox::{
    Gaps, OutboxError,
    renumber::{Known, Moves, in_payload},
};

/// Of a copy, what it is a copy of decides.
const NUMBERS: &str = "
    SELECT sequence, max(alert) FROM (
        SELECT sequence, NOT retain AS alert FROM message WHERE sequence > ?1 AND NOT again
        UNION ALL SELECT sequence, 1 FROM kept WHERE NOT confirmed AND sequence > ?1
    ) GROUP BY sequence";

const MOVE: &str = "UPDATE message SET sequence = ?2, payload = CAST(replace(CAST(payload AS TEXT), ?3, ?4) AS BLOB) \
                    WHERE sequence = ?1";

/// What was sent under the old number is soon sent again.
const MOVE_KEPT: &str = "UPDATE kept SET sequence = ?2, payload = CAST(replace(CAST(payload AS TEXT), ?3, ?4) AS BLOB), \
                         tries = 0 WHERE sequence = ?1 AND NOT confirmed";

impl Store {
    /// The numbers above this one of what waits for the broker or for a receipt.
    pub(in super::super) fn numbers_above(&self, number: u64) -> Result<Known, OutboxError> {
        let read = || -> rusqlite::Result<Known> {
            let mut statement = self.connection.prepare_cached(NUMBERS)?;
            let rows = statement
                .query_map([number.cast_signed()], |row| Ok((row.get::<_, i64>(0)?.cast_unsigned(), row.get(1)?)))?;
            rows.collect()
        };
        read().map_err(|error| self.reason(&error))
    }

    /// Gives other numbers, and notes which are missing then and which is the last.
    pub(in super::super) fn renumber(&mut self, moves: &Moves, gaps: &Gaps, last: u64) -> Result<(), OutboxError> {
        let mut change = || -> rusqlite::Result<()> {
            let transaction = self.connection.transaction()?;
            for (old, new) in &moves.0 {
                let change = params![old.cast_signed(), new.cast_signed(), in_payload(*old), in_payload(*new)];
                transaction.prepare_cached(MOVE)?.execute(change)?;
                transaction.prepare_cached(MOVE_KEPT)?.execute(change)?;
            }
            write_gaps(&transaction, &self.gaps, gaps)?;
            write_number(&transaction, "sequence", last.cast_signed())?;
            transaction.commit()
        };
        change().map_err(|error| self.reason(&error))?;
        self.gaps = gaps.clone();
        Ok(())
    }
}
