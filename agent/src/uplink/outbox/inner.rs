//! What the outbox's lock protects: the database, the memory queue, and which of them
//! holds what.

use std::{
    collections::{BTreeMap, BTreeSet},
    mem,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use uuid::Uuid;

use super::{
    Batch, Gaps, OutboxError, Waiting,
    numbers::Numbers,
    spill::Spill,
    store::{Change, Store},
};
use crate::clock::Clock;

/// While the disk takes nothing, it is tried again no more often than this.
const RETRY: Duration = Duration::from_secs(2);
/// Messages per transaction while the disk is in trouble: in a nearly full quota some still fit.
const CHUNK: usize = 16;
/// How often it is said that messages are being dropped, while they are.
const SAY_EVERY: Duration = Duration::from_secs(60);
/// Rows committed before the database could be opened at all start here, behind
/// everything that may be in it.
const BEHIND_ALL: i64 = 1 << 40;

pub(super) struct Inner {
    dir: PathBuf,
    quota: u64,
    clock: Arc<dyn Clock>,
    pub(super) store: Option<Store>,
    numbers: Numbers,
    spill: Spill,
    /// The open incidents.
    incidents: BTreeMap<Uuid, String>,
    /// Ids of the open incidents that another run left.
    orphans: BTreeSet<Uuid>,
    /// Retained topics that are remembered over a restart.
    topics: BTreeSet<String>,
    /// Numbers that will not be sent any more and that nobody has been told of.
    gaps: Gaps,
    /// Where this run began to count without the database, until that is open.
    floor: Option<u64>,
    /// When it was last said how many were dropped, and how many that were.
    said: Option<(Duration, u64)>,
    /// Ids of the incidents that are on disk.
    stored_incidents: BTreeSet<Uuid>,
    /// Rows that the broker has acknowledged, but whose deletion the disk did not take.
    acknowledged: BTreeSet<i64>,
    /// How many messages are on disk, the acknowledged ones included.
    stored: u64,
    next_row: i64,
    sequence: u64,
    session: u64,
    connected: bool,
    trouble: Option<Trouble>,
}

/// The disk takes nothing.
struct Trouble {
    sentence: String,
    tried: Duration,
}

impl Inner {
    pub(super) fn open(dir: &Path, quota: u64, clock: Arc<dyn Clock>) -> Result<Self, OutboxError> {
        let mut inner = Self {
            dir: dir.to_owned(),
            quota,
            clock,
            store: None,
            numbers: Numbers::open(dir),
            spill: Spill::default(),
            incidents: BTreeMap::new(),
            orphans: BTreeSet::new(),
            topics: BTreeSet::new(),
            gaps: Gaps::default(),
            floor: None,
            said: None,
            stored_incidents: BTreeSet::new(),
            acknowledged: BTreeSet::new(),
            stored: 0,
            next_row: 1,
            sequence: 0,
            session: 0,
            connected: false,
            trouble: None,
        };
        match inner.open_store() {
            Ok(()) => {}
            Err(error) if error.passes() => {
                let values = inner.numbers.values();
                // Without any number to go on from, the clock gives one that no count reaches.
                let floor = inner.clock.now().wall.as_millisecond().cast_unsigned();
                inner.sequence = if values.limit == 0 { floor } else { values.limit };
                inner.floor = Some(inner.sequence);
                inner.session = values.session;
                inner.next_row = BEHIND_ALL;
                inner.fail(&error);
            }
            Err(error) => return Err(error),
        }
        Ok(inner)
    }

    /// Says whether it was kept.
    pub(super) fn accept(&mut self, batch: Batch) -> bool {
        let committed = Some(self.clock.now().mono);
        let live = self.connected;
        let before: Vec<_> = batch.incidents.keys().map(|id| (*id, self.incidents.get(id).cloned())).collect();
        let (first_row, first_number) = (self.next_row, self.sequence + 1);
        self.sequence = batch.sequence;
        self.numbers.cover(batch.sequence);
        for message in batch.messages {
            self.spill.add(Waiting { row: self.next_row, message, live, committed });
            self.next_row += 1;
        }
        for (id, state) in batch.incidents {
            self.set_incident(id, state);
        }
        self.write_out();
        let mut kept = true;
        if !self.spill.is_empty() {
            self.numbers.spill(self.sequence);
            let full = self.spill.contains(first_row);
            self.spill.trim(&mut self.gaps);
            kept = !full || self.spill.contains(first_row);
            if !kept {
                // Nobody has seen its numbers, so they are given out again and are no gap.
                self.gaps.forget_from(first_number);
                self.sequence = first_number - 1;
                for (id, state) in before {
                    self.set_incident(id, state);
                }
            }
            self.say_dropped();
        }
        if kept {
            self.orphans.retain(|id| self.incidents.contains_key(id));
            if batch.gaps_told {
                self.gaps = Gaps::default();
            }
        }
        kept
    }

    fn set_incident(&mut self, id: Uuid, state: Option<String>) {
        match &state {
            Some(state) => _ = self.incidents.insert(id, state.clone()),
            None => _ = self.incidents.remove(&id),
        }
        if state.is_some() || self.stored_incidents.contains(&id) {
            self.spill.incidents.insert(id, state);
        } else {
            self.spill.incidents.remove(&id);
        }
    }

    /// Once per period, and only if there are more than before.
    fn say_dropped(&mut self) {
        let (now, dropped) = (self.clock.now().mono, self.spill.dropped());
        let due = self.said.is_none_or(|(at, said)| dropped > said && now.saturating_sub(at) >= SAY_EVERY);
        if dropped > 0 && due {
            tracing::error!(
                "outbox {}: the memory queue is full too; the oldest of the least severe messages are being dropped \
                 ({dropped} so far)",
                self.dir.display()
            );
            self.said = Some((now, dropped));
        }
    }

    pub(super) fn first(&mut self, limit: usize, skip: &dyn Fn(i64, Option<Uuid>) -> bool) -> Vec<Waiting> {
        let acknowledged = &self.acknowledged;
        let stored = self.store.as_ref().map_or_else(
            || Ok(Vec::new()),
            |store| store.first(limit, &|row, incident| acknowledged.contains(&row) || skip(row, incident)),
        );
        let mut found = stored.unwrap_or_else(|error| {
            self.fail(&error);
            Vec::new()
        });
        let in_memory = self.spill.messages().iter().filter(|waiting| !skip(waiting.row, waiting.message.incident));
        found.extend(in_memory.take(limit).cloned());
        found.sort_unstable_by_key(|waiting| waiting.row);
        found.truncate(limit);
        found
    }

    pub(super) fn delivered(&mut self, rows: &[i64]) {
        for row in rows {
            if !self.spill.remove(*row) {
                self.acknowledged.insert(*row);
            }
        }
        self.write_out();
    }

    pub(super) fn next_session(&mut self) -> u64 {
        self.session += 1;
        self.numbers.session(self.session);
        self.write_out();
        self.session
    }

    pub(super) fn tend(&mut self) {
        if self.trouble.is_some() || !self.spill.is_empty() {
            self.write_out();
        }
        self.say_dropped();
    }

    #[cfg(test)]
    pub(super) fn open_incidents(&self) -> Vec<(Uuid, String)> {
        self.incidents.iter().map(|(id, state)| (*id, state.clone())).collect()
    }

    pub(super) fn orphans(&self) -> Vec<(Uuid, String)> {
        let state = |id: &Uuid| self.incidents.get(id).map(|state| (*id, state.clone()));
        self.orphans.iter().filter_map(state).collect()
    }

    pub(super) const fn gaps(&self) -> &Gaps {
        &self.gaps
    }

    pub(super) const fn topics(&self) -> &BTreeSet<String> {
        &self.topics
    }

    pub(super) fn remember_topics(&mut self, topics: impl IntoIterator<Item = String>) {
        for topic in topics {
            if self.topics.insert(topic.clone()) {
                self.spill.topics.insert(topic);
            }
        }
        self.write_out();
    }

    pub(super) fn waiting(&self) -> u64 {
        (self.stored + self.spill.messages().len() as u64).saturating_sub(self.acknowledged.len() as u64)
    }

    pub(super) const fn sequence(&self) -> u64 {
        self.sequence
    }

    pub(super) const fn dropped(&self) -> u64 {
        self.spill.dropped()
    }

    pub(super) fn trouble(&self) -> Option<&str> {
        self.trouble.as_ref().map(|trouble| trouble.sentence.as_str())
    }

    pub(super) const fn set_connected(&mut self, connected: bool) {
        self.connected = connected;
    }

    /// Brings the disk up to date. A disk in trouble is tried only every [`RETRY`].
    fn write_out(&mut self) {
        let now = self.clock.now().mono;
        if self.trouble.as_ref().is_some_and(|trouble| now.saturating_sub(trouble.tried) < RETRY) {
            return;
        }
        match self.try_write_out() {
            Ok(()) => {
                if self.trouble.take().is_some() {
                    let dropped = self.spill.dropped();
                    tracing::info!("outbox {}: the disk takes messages again ({dropped} dropped)", self.dir.display());
                }
            }
            Err(error) => self.fail(&error),
        }
    }

    fn try_write_out(&mut self) -> Result<(), OutboxError> {
        if self.store.is_none() {
            self.open_store()?;
        }
        let Some(store) = &mut self.store else { return Ok(()) };
        loop {
            let messages = self.spill.messages();
            let chunk = if self.trouble.is_some() { messages.len().min(CHUNK) } else { messages.len() };
            let delivered: Vec<i64> = self.acknowledged.iter().copied().collect();
            let change = Change {
                messages: &messages[..chunk],
                incidents: self.spill.incidents.iter().map(|(id, state)| (*id, state.as_deref())).collect(),
                topics: &self.spill.topics,
                delivered: &delivered,
                sequence: self.sequence,
                session: self.session,
            };
            let deleted = store.write(&change)?;
            self.stored = (self.stored + chunk as u64).saturating_sub(deleted);
            self.acknowledged.clear();
            for (id, state) in mem::take(&mut self.spill.incidents) {
                match state {
                    Some(_) => self.stored_incidents.insert(id),
                    None => self.stored_incidents.remove(&id),
                };
            }
            self.spill.topics.clear();
            self.spill.written(chunk);
            if self.spill.messages().is_empty() {
                return Ok(());
            }
        }
    }

    /// Opens the database, at the start or after damage, and makes what it says and
    /// what this run knows one.
    fn open_store(&mut self) -> Result<(), OutboxError> {
        let (store, damage) = Store::open(&self.dir, self.quota)?;
        if let Some(damage) = &damage {
            tracing::error!("{damage}");
        }
        let values = self.numbers.values();
        let stored = store.number("sequence")?;
        let mut sequence = stored.max(values.spilled);
        let fresh = self.sequence == 0;
        if damage.is_some() || sequence == 0 {
            // The database has lost count: no number up to the limit may come again.
            sequence = sequence.max(values.limit);
        }
        if damage.is_some() {
            // What waited in it is lost, and nobody can say which numbers that were.
            let numbers = self.spill.messages().iter().filter_map(|waiting| waiting.message.sequence);
            self.gaps.add(1..=numbers.min().map_or(sequence.max(self.sequence), |first| first - 1));
        } else if let Some(began_after) = self.floor.or(fresh.then_some(sequence)) {
            // Left out by this run, or given out from memory by one that ended before it could write them.
            self.gaps.add(stored + 1..=began_after);
        }
        self.floor = None;
        self.sequence = self.sequence.max(sequence);
        self.session = self.session.max(store.number("session")?).max(values.session);
        self.next_row = self.next_row.max(store.leftover() + 1);
        self.stored = store.count()?;
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
    pub(super) const fn set_quota(&mut self, quota: u64) {
        self.quota = quota;
    }

    /// Goes on in memory. Each new trouble is logged once, and again when it changes.
    pub(super) fn fail(&mut self, error: &OutboxError) {
        if matches!(error, OutboxError::Corrupt { .. }) {
            // Opening it again moves it aside. What waited in it is lost to this run.
            self.store = None;
            self.stored = 0;
            self.acknowledged.clear();
        }
        let sentence = error.to_string();
        if self.trouble() != Some(&sentence) {
            tracing::error!("{sentence}");
        }
        self.trouble = Some(Trouble { sentence, tried: self.clock.now().mono });
    }
}
