//! What goes out, and what has arrived.

use super::Inner;
use crate::uplink::outbox::{
    Kin, Waiting,
    store::{self, Wish},
};

/// So many alerts that went out from memory are remembered until the disk works again.
const MOST_DONE: usize = 256;

impl Inner {
    /// Hands out the next ones. From then on somebody may know their numbers.
    pub(in crate::uplink::outbox) fn first(
        &mut self,
        limit: usize,
        backlog: usize,
        in_turn: bool,
        skip: &dyn Fn(i64, Kin<'_>) -> bool,
    ) -> Vec<Waiting> {
        let found = self.look(limit, backlog, in_turn, skip);
        if let Some(highest) = found.iter().filter_map(|waiting| waiting.message.sequence).max() {
            self.unseen = self.unseen.max(highest);
            self.numbers.hand_out();
        }
        found
    }

    /// What would be handed out.
    pub(in crate::uplink::outbox) fn look(
        &mut self,
        limit: usize,
        backlog: usize,
        in_turn: bool,
        skip: &dyn Fn(i64, Kin<'_>) -> bool,
    ) -> Vec<Waiting> {
        self.write_pending();
        let wish = Wish { limit, backlog, new_from: self.new_from, in_turn, done: &self.acknowledged };
        let memory = self.spill.messages();
        match self.store.as_mut().map(|store| store.first(memory, wish, skip)) {
            Some(Ok(found)) => found,
            Some(Err(error)) => {
                let found = store::first_of_memory(memory, wish, skip);
                self.fail(&error);
                found
            }
            None => store::first_of_memory(memory, wish, skip),
        }
    }

    /// The last row there is, or was.
    pub(in crate::uplink::outbox) const fn newest_row(&self) -> i64 {
        self.next_row - 1
    }

    pub(in crate::uplink::outbox) fn delivered(&mut self, rows: &[i64]) {
        for row in rows {
            self.told.take_if(|told| told.0 == *row);
            let Some(waiting) = self.spill.remove(*row) else {
                self.acknowledged.insert(*row);
                continue;
            };
            let Some(number) = waiting.message.told() else { continue };
            if self.keeps() && self.done.len() < MOST_DONE {
                self.done.push(waiting);
            } else if self.settings.receipts {
                // No receipt is awaited for it and it cannot be sent again: whoever has not got it has to know.
                self.miss(number..=number);
            }
        }
        self.tight = false;
        self.write_out();
        self.feed_again();
    }
}
