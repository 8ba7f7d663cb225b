//! Which numbers are used, which are missing, and what is told of them.

use std::{ops::RangeInclusive, sync::Arc};

use karaul_wire::BoxStatus;
use uuid::Uuid;

use super::Inner;
use crate::uplink::outbox::{
    Batch, Gaps, Moves, OutboxError, Waiting,
    recall::{Own, Surprise},
    renumber::Known,
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
            self.numbers.cover(to);
        }
    }

    /// A broker remembers this box. If it knows more than the outbox, numbers and sessions go on behind all that there
    /// can have been.
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
            self.count_on(told.session);
        }
        Some(surprise)
    }

    /// Nobody can tell any more whether there was another outbox before this one: it counts on as if there had been.
    pub(in crate::uplink::outbox) fn presume_another(&mut self) {
        self.write_pending();
        self.count_on(self.session + 1);
    }

    /// There was this session of another outbox: all counts go on far enough ahead.
    fn count_on(&mut self, session: u64) {
        self.session_was(session);
        self.go_on_behind(self.by_the_clock());
    }

    /// Another outbox may have used the numbers up to this one: numbering goes on behind it. What nobody has seen goes
    /// along; with receipts all that none has confirmed, for what is said of its old numbers may be said of others.
    pub(super) fn go_on_behind(&mut self, to: u64) {
        let (to, receipts) = (to.max(self.sequence), self.settings.receipts);
        let after = if receipts { 0 } else { self.unseen };
        self.leap(to);
        (self.unseen, self.foreign) = (to, to);
        self.wanted.clear();
        let mut memory = Known::new();
        for Waiting { message, .. } in self.spill.messages().iter().chain(self.done.iter().filter(|_| receipts)) {
            if let Some(number) = message.sequence.filter(|number| *number > after) {
                *memory.entry(number).or_default() |= !message.retain;
            }
        }
        let moves = match self.move_all(to, after, &memory) {
            Ok(moves) => moves,
            Err(error) => {
                if let Some(error) = error {
                    self.fail(&error);
                }
                tracing::error!(
                    "outbox {}: the disk takes nothing, so alerts that wait on it keep their numbers, and these may come \
                     twice",
                    self.settings.folder.display()
                );
                Moves::behind(to, &memory, Arc::make_mut(&mut self.gaps))
            }
        };
        self.sequence += moves.0.len() as u64;
        self.numbers.cover(self.sequence);
        self.spill.renumber(&moves);
        self.done.iter_mut().filter(|_| receipts).for_each(|waiting| waiting.message.renumber(&moves));
        if self.trouble.is_some() {
            self.numbers.spill(self.sequence);
        }
        self.write_out();
    }

    /// On the disk as well; no error is to be reported where it is closed for one that was.
    fn move_all(&mut self, to: u64, after: u64, memory: &Known) -> Result<Moves, Option<OutboxError>> {
        let store = self.store.as_mut().ok_or(None)?;
        let mut known = store.numbers_above(after)?;
        for (number, is_alert) in memory {
            *known.entry(*number).or_default() |= is_alert;
        }
        let mut gaps = (*self.gaps).clone();
        let moves = Moves::behind(to, &known, &mut gaps);
        // What a crash now would take along is missing, and so are the numbers behind it.
        let unwritten = self.spill.messages().iter().find_map(|waiting| moves.0.get(&waiting.message.told()?));
        let last = unwritten.map_or(to + moves.0.len() as u64, |number| number - 1);
        self.numbers.cover(to + moves.0.len() as u64);
        store.renumber(&moves, &gaps, last)?;
        self.gaps = Arc::new(gaps);
        Ok(moves)
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
    pub(in crate::uplink::outbox) fn miss(&mut self, numbers: RangeInclusive<u64>) {
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
