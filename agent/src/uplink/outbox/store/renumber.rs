//! Other numbers for messages that nobody has seen.

use rusqlite::{Connection, params};

use super::{
    Store,
    tables::{write_gaps, write_number},
};
use crate::uplink::outbox::{Gaps, OutboxError};

/// The number is in the payload too, always with 20 digits.
const MOVE: &str = "
    UPDATE message SET
        payload = CAST(replace(CAST(payload AS TEXT), printf('\"sequence\":\"%020d\"', sequence),
                               printf('\"sequence\":\"%020d\"', sequence + ?3)) AS BLOB),
        sequence = sequence + ?3
    WHERE sequence > ?1 AND sequence <= ?2";

impl Store {
    /// The numbers behind `after` up to `last` become those behind `to`, in the same order. What is missing now is
    /// added to `gaps`, which is stored as well: the numbers that are left out, and the new ones of messages that had
    /// to go before.
    pub(in super::super) fn renumber(
        &mut self,
        after: u64,
        last: u64,
        to: u64,
        gaps: &mut Gaps,
    ) -> Result<(), OutboxError> {
        let mut gone = gaps.clone();
        gone.add(after + 1..=to);
        let (by, end) = (to - after, to + (last - after));
        let mut change = || -> rusqlite::Result<()> {
            let transaction = self.connection.transaction()?;
            transaction.execute(MOVE, params![after.cast_signed(), last.cast_signed(), by.cast_signed()])?;
            let mut next = to + 1;
            for number in numbers_after(&transaction, to)? {
                gone.add(next..=number - 1);
                next = number + 1;
            }
            gone.add(next..=end);
            write_gaps(&transaction, &self.gaps, &gone)?;
            write_number(&transaction, "sequence", end.cast_signed())?;
            transaction.commit()
        };
        change().map_err(|error| self.reason(&error))?;
        self.gaps = gone.clone();
        *gaps = gone;
        Ok(())
    }
}

/// Those of the alerts that wait, ascending.
fn numbers_after(connection: &Connection, number: u64) -> rusqlite::Result<Vec<u64>> {
    let sql = "SELECT DISTINCT sequence FROM message WHERE sequence > ? AND NOT retain ORDER BY sequence";
    let mut statement = connection.prepare(sql)?;
    let rows = statement.query_map([number.cast_signed()], |row| Ok(row.get::<_, i64>(0)?.cast_unsigned()))?;
    rows.collect()
}
