//! What the outbox's lock protects: the database, the memory queue, and which of them
//! holds what.

mod disk;

use std::{
    collections::{BTreeMap, BTreeSet},
    mem,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use uuid::Uuid;

use super::{Batch, Gaps, Kin, OutboxError, Waiting, numbers::Numbers, spill::Spill, store::Store};
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
    /// Those that the batch which is being written tells of.
    telling: Gaps,
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
            telling: Gaps::default(),
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
        if batch.gaps_told {
            self.telling = mem::take(&mut self.gaps);
        }
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
            let refusable = self.spill.contains_from(first_row);
            self.spill.trim(&mut self.gaps);
            kept = !refusable || self.spill.contains_from(first_row);
            if !kept {
                // What it would have told is not told again, so its numbers are missing.
                self.gaps.add(first_number..=self.sequence);
                for (id, state) in before {
                    self.set_incident(id, state);
                }
            }
            self.say_dropped();
        }
        if kept {
            self.orphans.retain(|id| self.incidents.contains_key(id));
        }
        // The message that tells of them is not on disk: told twice is better than never.
        self.gaps.join(&mem::take(&mut self.telling));
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

    pub(super) fn first(&mut self, limit: usize, skip: &dyn Fn(i64, Kin<'_>) -> bool) -> Vec<Waiting> {
        let acknowledged = &self.acknowledged;
        let stored = self.store.as_ref().map_or_else(
            || Ok(Vec::new()),
            |store| store.first(limit, &|row, kin| acknowledged.contains(&row) || skip(row, kin)),
        );
        let mut found = stored.unwrap_or_else(|error| {
            self.fail(&error);
            Vec::new()
        });
        let in_memory = self.spill.messages().iter().filter(|waiting| !skip(waiting.row, Kin::of(&waiting.message)));
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
}
