//! Which numbers are used, which are missing, and what is told of them.

use std::{ops::RangeInclusive, sync::Arc};

use karaul_wire::BoxStatus;
use uuid::Uuid;

use super::Inner;
use crate::uplink::outbox::{
    Batch, Gaps,
    recall::{Own, Surprise},
};

/// With more ranges than this a message that tells of gaps is long enough.
const MOST_TOLD: usize = 512;

impl Inner {
    /// The numbers that are noted as used come to an end and the disk takes no note of more: after a power cut they would
    /// come again. What the clock says is a number that no count reaches.
    pub(super) fn keep_from_coming_again(&mut self) {
        let runs_out = self.trouble.is_some() && self.numbers.run_out(self.sequence);
        if runs_out && !self.adrift {
            self.leap(self.by_the_clock());
        }
        self.adrift = runs_out;
    }

    /// Numbering goes on after this one. Those between will not be sent.
    pub(super) fn leap(&mut self, to: u64) {
        if to > self.sequence {
            self.miss(self.sequence + 1..=to);
            self.sequence = to;
            self.unseen = to;
            self.numbers.cover(to);
        }
    }

    /// A broker remembers this box. If it knows more than the outbox, numbers and sessions go on behind all that there
    /// can have been; what this run has numbered and nobody has seen goes along.
    pub(in crate::uplink::outbox) fn recall(&mut self, told: &BoxStatus) -> Option<Surprise> {
        self.write_pending();
        let own = Own {
            outbox: self.numbers.name(),
            session: self.session,
            sequence: self.sequence,
            by_the_clock: self.by_the_clock(),
        };
        let surprise = own.surprise(told)?;
        if surprise != Surprise::Absurd {
            self.session_was(told.session);
            self.renumber(own.by_the_clock);
            self.leap(own.by_the_clock);
            self.write_out();
        }
        Some(surprise)
    }

    /// Moves the numbers that nobody has seen behind this one.
    fn renumber(&mut self, to: u64) {
        let (after, last) = (self.unseen, self.sequence);
        let (None, Some(store), true) = (&self.trouble, &mut self.store, after < last && last < to) else { return };
        self.numbers.cover(to + (last - after));
        match store.renumber(after, last, to, Arc::make_mut(&mut self.gaps)) {
            Ok(()) => {
                self.sequence = to + (last - after);
                self.unseen = to;
            }
            Err(error) => self.fail(&error),
        }
    }

    /// The microseconds since 1970: higher than any number counted one by one, and later higher still.
    pub(super) fn by_the_clock(&self) -> u64 {
        u64::try_from(self.clock.now().wall.as_microsecond()).unwrap_or_default()
    }

    /// What this batch tells of need not be told any more, and what an earlier message tells is told again by it.
    pub(super) fn tell(&mut self, batch: &mut Batch) {
        self.telling = (*batch.gaps).clone();
        self.gaps = Arc::default();
        if self.telling.is_empty() {
            return;
        }
        if let Some((row, _)) = self.told.take_if(|told| told.1.len() <= MOST_TOLD)
            && self.spill.remove(row).is_none()
        {
            self.acknowledged.insert(row);
        }
        let place = batch.messages.iter().position(|draft| draft.message.tells_gaps());
        self.told = place.map(|place| (self.next_row + place as i64, Arc::clone(&batch.gaps)));
    }

    /// These numbers will not be sent.
    pub(super) fn miss(&mut self, numbers: RangeInclusive<u64>) {
        Arc::make_mut(&mut self.gaps).add(numbers);
    }

    pub(in crate::uplink::outbox) const fn gaps(&self) -> &Arc<Gaps> {
        &self.gaps
    }

    pub(in crate::uplink::outbox) const fn name(&self) -> Uuid {
        self.numbers.name()
    }

    /// What the next message that tells of gaps tells again.
    pub(in crate::uplink::outbox) fn told(&self) -> Arc<Gaps> {
        let told = self.told.as_ref().filter(|told| told.1.len() <= MOST_TOLD);
        told.map(|told| Arc::clone(&told.1)).unwrap_or_default()
    }

    /// From now on the disk takes no note of the numbers.
    #[cfg(test)]
    pub(in crate::uplink::outbox) fn lose_numbers(&mut self) {
        self.numbers = crate::uplink::outbox::numbers::Numbers::open(std::path::Path::new("/dev/null/nothing"));
        self.numbers.session(1);
    }
}
