//! Questions of the link about what waits.

use super::{Kin, Outbox};

impl Outbox {
    /// Would [`Self::next_in_turn`] hand anything out, one of the `backlog` at most? Nothing counts as seen by it.
    pub(in crate::uplink) fn has_next(&self, backlog: usize, skip: impl Fn(i64, Kin<'_>) -> bool) -> bool {
        !self.lock().look(1, backlog, true, &skip).is_empty()
    }

    /// Rows committed from now on are greater than this one.
    pub(in crate::uplink) fn newest_row(&self) -> i64 {
        self.lock().newest_row()
    }
}
