//! Rows that were looked at and cannot go out at present.

use rusqlite::{Connection, OptionalExtension as _, params};
use uuid::Uuid;

use crate::uplink::outbox::Spans;

/// So many rows of which nothing is known are looked at for one request, in each part of the queue …
const MOST_NEW: usize = 1024;
/// … and so many of those that could not go out: what they wait for may be over.
const MOST_AGAIN: usize = 256;

/// What is known of a part of the queue, so that a request does not look at all that wait: a broker may refuse a topic
/// for days, and behind that wait tens of thousands. It is not more than a hint. What is parked and could go out is found
/// in a while, as each request looks at some of them, one after the other.
#[derive(Debug, Default)]
pub(super) struct Parked {
    /// Rows of which none can go out.
    stretches: Spans<i64>,
    /// From this row on they are looked at again.
    next: i64,
}

impl Parked {
    /// Looks at all rows once more.
    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }

    pub(super) fn is_empty(&self) -> bool {
        self.stretches.is_empty()
    }

    /// This one may go out.
    pub(super) fn remove(&mut self, row: i64) {
        self.stretches.remove(row);
    }
}

/// Which rows one request looks at, in the order of the rows.
#[derive(Debug)]
pub(super) struct Look<'a> {
    /// Nothing if it looks at all.
    parked: Option<&'a mut Parked>,
    /// The row behind the last one that was looked at or passed over.
    at: i64,
    /// Where those begin that are looked at again.
    began: i64,
    new: usize,
    again: usize,
}

/// What is done about a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// It is looked at.
    Look,
    /// It is passed over, and those up to before this one.
    Hop(i64),
    /// Enough was looked at for one request.
    Enough,
}

impl<'a> Look<'a> {
    /// Begins at this row.
    pub(super) fn new(parked: Option<&'a mut Parked>, at: i64) -> Self {
        let began = parked.as_ref().map_or(0, |parked| parked.next);
        Self { parked, at, began, new: MOST_NEW, again: MOST_AGAIN }
    }

    /// The next row is this one.
    pub(super) fn next(&mut self, row: i64) -> Next {
        let Some(parked) = &mut self.parked else { return Next::Look };
        let Some((_, last)) = parked.stretches.around(row) else {
            let Some(left) = self.new.checked_sub(1) else { return Next::Enough };
            self.new = left;
            return Next::Look;
        };
        if self.again > 0 && row >= parked.next {
            self.again -= 1;
            parked.next = row + 1;
            return Next::Look;
        }
        let last = if self.again > 0 { last.min(parked.next - 1) } else { last };
        // Nothing is between the last one and this.
        parked.stretches.add(self.at..=last);
        self.at = last + 1;
        Next::Hop(self.at)
    }

    /// This one was looked at. Can it go out?
    pub(super) fn seen(&mut self, row: i64, wanted: bool) {
        if let Some(parked) = self.parked.as_mut().filter(|_| !wanted) {
            parked.stretches.add(self.at..=row);
        }
        self.at = row + 1;
    }

    /// There are no more rows. If more of them could have been looked at again, the next time begins with the first.
    pub(super) fn ends(&mut self) {
        if let Some(parked) = self.parked.as_mut().filter(|_| self.again > 0) {
            parked.next = 0;
        }
    }

    /// There is no room for more: what was looked at again need not have been looked at closely.
    pub(super) fn is_cut_short(&mut self) {
        if let Some(parked) = &mut self.parked {
            parked.next = self.began;
        }
    }
}

/// Rows that may have waited for this one: the next of its incident, and the last, which may be new.
pub(super) fn behind(connection: &Connection, row: i64) -> rusqlite::Result<Vec<i64>> {
    let mut incident = connection.prepare_cached("SELECT incident FROM message WHERE row = ?")?;
    let incident = incident.query_row([row], |row| row.get::<_, Option<[u8; 16]>>(0)).optional()?.flatten();
    let Some(incident) = incident.map(Uuid::from_bytes) else { return Ok(Vec::new()) };
    let mut rows = connection.prepare_cached(
        "SELECT * FROM (SELECT row FROM message WHERE incident = ?1 AND row > ?2 ORDER BY row LIMIT 8) \
         UNION ALL SELECT * FROM (SELECT row FROM message WHERE incident = ?1 ORDER BY row DESC LIMIT 1)",
    )?;
    rows.query_map(params![incident.as_bytes(), row], |row| row.get(0))?.collect()
}
