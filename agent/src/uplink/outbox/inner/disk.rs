//! How the outbox writes to its database, opens it, and goes on without it.

use std::{collections::BTreeMap, mem, sync::Arc};

use uuid::Uuid;

use super::{BEHIND_ALL, CHUNK, Inner, RETRY, Trouble};
use crate::uplink::outbox::{
    Gaps, OutboxError,
    store::{Change, Store},
};

impl Inner {
    /// Brings the disk up to date. A disk in trouble is tried only every [`RETRY`].
    pub(super) fn write_out(&mut self) {
        self.pending = false;
        let now = self.clock.now().mono;
        if self.trouble.as_ref().is_some_and(|trouble| now.saturating_sub(trouble.tried) < RETRY) {
            return;
        }
        match self.try_write_out() {
            Ok(()) => {
                if self.trouble.take().is_some() {
                    let (folder, dropped) = (self.settings.folder.display(), self.dropped());
                    tracing::info!("outbox {folder}: the disk takes messages again ({dropped} dropped)");
                }
            }
            Err(error) => self.fail(&error),
        }
    }

    fn try_write_out(&mut self) -> Result<(), OutboxError> {
        if self.store.is_none() {
            self.open_store()?;
        }
        let kept = self.keeps().then_some(!self.settings.receipts);
        let now = self.clock.now().mono;
        let Some(store) = &mut self.store else { return Ok(()) };
        loop {
            let messages = self.spill.messages();
            let chunk = if self.trouble.is_some() { messages.len().min(CHUNK) } else { messages.len() };
            let whole = chunk == messages.len();
            // What a crash now would take along is missing, and so are the numbers behind it.
            let unwritten = messages[chunk..].iter().find_map(|waiting| waiting.message.told());
            let mut gaps = Arc::clone(&self.gaps);
            if !whole {
                Arc::make_mut(&mut gaps).join(&self.telling);
            }
            // An incident is forgotten only with the message that closes it, which may be in a later chunk.
            let ripe = |state: &Option<String>| whole || state.is_some();
            let delivered: Vec<i64> = self.acknowledged.iter().copied().collect();
            let change = Change {
                messages: &messages[..chunk],
                incidents: self
                    .spill
                    .incidents
                    .iter()
                    .filter(|(_, state)| ripe(state))
                    .map(|(id, state)| (*id, state.as_deref()))
                    .collect(),
                topics: &self.spill.topics,
                delivered: &delivered,
                done: &self.done,
                kept,
                now,
                gaps: &gaps,
                sequence: unwritten.map_or(self.sequence, |number| number - 1),
                session: self.session,
            };
            let gone = loop {
                match store.write(&change) {
                    // What is only kept to be sent again is not worth a message in memory.
                    Err(OutboxError::DiskFull { .. } | OutboxError::QuotaFull { .. }) if store.forget_some()? => {}
                    written => break written?,
                }
            };
            drop(gaps);
            if !gone.numbers.is_empty() {
                Arc::make_mut(&mut self.gaps).join(&gone.numbers);
            }
            self.evicted += gone.dropped;
            self.tight |= gone.dropped > 0;
            self.refused = gone.refused;
            self.acknowledged.clear();
            self.done.clear();
            let (written, later) = mem::take(&mut self.spill.incidents).into_iter().partition(|(_, state)| ripe(state));
            self.spill.incidents = later;
            for (id, state) in BTreeMap::<Uuid, Option<String>>::into_iter(written) {
                match state {
                    Some(_) => self.stored_incidents.insert(id),
                    None => self.stored_incidents.remove(&id),
                };
            }
            self.spill.topics.clear();
            self.spill.written(chunk);
            if whole {
                if !gone.untold {
                    self.telling = Gaps::default();
                }
                return Ok(());
            }
        }
    }

    /// Opens the database, at the start or after damage, and makes what it says and
    /// what this run knows one.
    pub(super) fn open_store(&mut self) -> Result<(), OutboxError> {
        let now = self.clock.now().mono;
        let (mut store, salvage) = Store::open(&self.settings.folder, self.settings.quota, self.suspect, now)?;
        self.suspect = false;
        let values = self.numbers.values();
        let stored = store.number("sequence")?;
        let mut sequence = stored.max(values.spilled);
        let fresh = self.sequence == 0;
        let powerless = fresh && store.is_unclean() && self.numbers.were_of_another_boot();
        if salvage.is_some() || sequence == 0 || powerless {
            // The database may have lost count, or a run that ended with the power may have used numbers while the disk
            // was read-only: no number up to the limit may come again.
            let limit =
                if salvage.is_some() && values.limit < sequence.max(1) { self.by_the_clock() } else { values.limit };
            sequence = sequence.max(limit);
        }
        self.numbers.note_boot();
        if let Some(salvage) = &salvage {
            let numbers = self.spill.messages().iter().filter_map(|waiting| waiting.message.sequence);
            let last = numbers.min().map_or(sequence.max(self.sequence), |first| first - 1);
            for lost in &salvage.lost {
                self.miss(*lost.start()..=last.min(*lost.end()));
            }
            self.miss(salvage.sequence + 1..=last);
            // And what is left out from here on, if this run had begun to count already.
            self.miss(self.sequence + 1..=if self.sequence > 0 { sequence } else { 0 });
        } else if let Some(began_after) = self.floor.or(fresh.then_some(sequence)) {
            // Left out by this run, or given out from memory by one that ended before it could write them.
            self.miss(stored + 1..=began_after);
        }
        Arc::make_mut(&mut self.gaps).join(store.gaps());
        if !self.settings.receipts {
            // Another config may have waited for receipts.
            store.confirm(&[0..=u64::MAX])?;
        }
        if self.floor.is_some() && store.leftover() >= BEHIND_ALL {
            // An earlier run began without the database as well, and its rows are where ours are.
            store.move_down(BEHIND_ALL)?;
        }
        self.floor = None;
        self.sequence = self.sequence.max(sequence);
        self.session = self.session.max(store.number("session")?).max(values.session);
        self.next_row = self.next_row.max(store.leftover() + 1);
        self.acknowledged.retain(|row| *row <= store.leftover());
        self.stored_incidents.clear();
        for (id, state) in store.incidents()? {
            self.stored_incidents.insert(id);
            // What this run knows is newer than what the file says.
            if !self.spill.incidents.contains_key(&id) && !self.incidents.contains_key(&id) {
                self.orphans.insert(id);
                self.incidents.insert(id, state);
            }
        }
        let topics = store.topics()?;
        self.spill.topics = self.topics.difference(&topics).cloned().collect();
        self.topics.extend(topics);
        for (id, state) in &self.incidents {
            if !self.stored_incidents.contains(id) {
                self.spill.incidents.insert(*id, Some(state.clone()));
            }
        }
        self.store = Some(store);
        Ok(())
    }

    #[cfg(test)]
    pub(in crate::uplink::outbox) const fn set_quota(&mut self, quota: u64) {
        self.settings.quota = quota;
    }

    /// Goes on in memory. Each new trouble is logged once, and again when it changes.
    pub(in crate::uplink::outbox) fn fail(&mut self, error: &OutboxError) {
        if matches!(error, OutboxError::Corrupt { .. }) {
            // Opening it again saves what can be read.
            self.store = None;
            self.suspect = true;
        }
        let sentence = error.to_string();
        if self.trouble() != Some(&sentence) {
            tracing::error!("{sentence}");
        }
        self.trouble = Some(Trouble { sentence, tried: self.clock.now().mono });
    }
}
