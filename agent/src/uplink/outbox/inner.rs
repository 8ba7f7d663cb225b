//! What the outbox's lock protects: the database, the memory queue, and which of them
//! holds what.

mod account;
mod disk;
mod resend;

use std::{
    collections::{BTreeMap, BTreeSet},
    mem,
    ops::RangeInclusive,
    sync::Arc,
    time::Duration,
};

use karaul_wire::Severity;
use uuid::Uuid;

use super::{
    Batch, Draft, Gaps, Kin, OutboxError, OutboxSettings, Waiting,
    numbers::Numbers,
    spill::Spill,
    store::{self, Store, Wish},
};
use crate::clock::Clock;

/// While the disk takes nothing, it is tried again no more often than this.
const RETRY: Duration = Duration::from_secs(2);
/// Messages per transaction while the disk is in trouble: in a nearly full quota some still fit.
const CHUNK: usize = 16;
/// How often it is said that messages are being dropped, while they are.
const SAY_EVERY: Duration = Duration::from_secs(60);
/// So many wait at most to be written together.
const MOST_PENDING: usize = 64;
/// So many alerts that went out from memory are remembered until the disk works again.
const MOST_DONE: usize = 256;
/// Rows committed before the database could be opened at all start here, behind
/// everything that may be in it.
const BEHIND_ALL: i64 = 1 << 40;

pub(super) struct Inner {
    settings: OutboxSettings,
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
    /// What is in `spill` has not been tried to be written: nobody hurries for lesser severities.
    pending: bool,
    /// Numbers that will not be sent any more and that nobody has been told of.
    gaps: Arc<Gaps>,
    /// Those that the batch which is being written tells of.
    telling: Gaps,
    /// The message that told of gaps last, as long as it waits, and what it tells.
    told: Option<(i64, Arc<Gaps>)>,
    /// Where this run began to count without the database, until that is open.
    floor: Option<u64>,
    /// Numbers are given out that the disk takes no note of.
    adrift: bool,
    /// When it was last said how many were dropped, and how many that were.
    said: Option<(Duration, u64)>,
    /// Ids of the incidents that are on disk.
    stored_incidents: BTreeSet<Uuid>,
    /// Rows that the broker has acknowledged, but whose deletion the disk did not take.
    acknowledged: BTreeSet<i64>,
    /// Messages that were acknowledged before they were on disk.
    done: Vec<Waiting>,
    /// Messages on disk that had to make room for others, since the start.
    evicted: u64,
    /// Something had to make room, or found none, since the broker took anything: what comes is written at once, so
    /// that whoever commits learns whether it was kept.
    tight: bool,
    /// The steps that found no room at the last write.
    refused: BTreeSet<u64>,
    /// What the last receipt said is stored, of the numbers given out by then.
    confirmed: Vec<RangeInclusive<u64>>,
    /// Numbers that somebody wants again and that are not in the queue yet.
    wanted: BTreeSet<u64>,
    /// When old ones were last looked for.
    tidied: Option<Duration>,
    /// The file was found damaged while it was in use.
    suspect: bool,
    next_row: i64,
    /// Rows from here on were committed since the broker was last connected.
    new_from: i64,
    sequence: u64,
    session: u64,
    /// Numbers above this one are of this run, and of none of them was anything handed out.
    unseen: u64,
    connected: bool,
    trouble: Option<Trouble>,
}

/// The disk takes nothing.
struct Trouble {
    sentence: String,
    tried: Duration,
}

impl Inner {
    pub(super) fn open(settings: OutboxSettings, clock: Arc<dyn Clock>) -> Result<Self, OutboxError> {
        let mut inner = Self {
            clock,
            store: None,
            numbers: Numbers::open(&settings.folder),
            settings,
            spill: Spill::default(),
            incidents: BTreeMap::new(),
            orphans: BTreeSet::new(),
            topics: BTreeSet::new(),
            pending: false,
            gaps: Arc::default(),
            telling: Gaps::default(),
            told: None,
            floor: None,
            adrift: false,
            said: None,
            stored_incidents: BTreeSet::new(),
            acknowledged: BTreeSet::new(),
            done: Vec::new(),
            evicted: 0,
            tight: false,
            refused: BTreeSet::new(),
            confirmed: Vec::new(),
            wanted: BTreeSet::new(),
            tidied: None,
            suspect: false,
            next_row: 1,
            new_from: 1,
            sequence: 0,
            session: 0,
            unseen: 0,
            connected: false,
            trouble: None,
        };
        let mut opened = inner.open_store();
        if let Err(OutboxError::Corrupt { .. }) = opened {
            // Not seen before it was read: now it is looked at more closely, and what can be is saved.
            inner.suspect = true;
            opened = inner.open_store();
        }
        match opened {
            Ok(()) => {}
            Err(error) if error.passes() => {
                let values = inner.numbers.values();
                let limit = values.limit;
                // A run before this one may have used more than the disk took note of, if it takes none.
                inner.sequence =
                    if limit == 0 || !inner.numbers.can_write() { limit.max(inner.by_the_clock()) } else { limit };
                inner.adrift = true;
                inner.floor = Some(inner.sequence);
                inner.session = values.session;
                inner.next_row = BEHIND_ALL;
                inner.fail(&error);
            }
            Err(error) => return Err(error),
        }
        inner.unseen = inner.sequence;
        Ok(inner)
    }

    /// Says whether it was kept.
    pub(super) fn accept(&mut self, mut batch: Batch) -> bool {
        let committed = Some(self.clock.now().mono);
        let live = self.connected;
        let before: Vec<_> = batch.incidents.keys().map(|id| (*id, self.incidents.get(id).cloned())).collect();
        let (first_row, first_number) = (self.next_row, self.sequence + 1);
        let clears = batch.messages.iter().any(|draft| draft.message.clears());
        let urgent = batch.gaps_told
            || self.tight
            || batch.messages.iter().any(|draft| draft.message.severity == Severity::Critical);
        self.sequence = batch.sequence;
        self.numbers.cover(batch.sequence);
        self.keep_from_coming_again();
        if batch.gaps_told {
            self.tell(&mut batch);
        }
        // Or each change of ours would copy them.
        drop((mem::take(&mut batch.gaps), mem::take(&mut batch.told)));
        for Draft { message, passing } in batch.messages {
            let row = self.next_row;
            self.spill.add(Waiting { row, message, live, committed, fresh: false, again: false, passing });
            self.next_row += 1;
        }
        for (id, state) in batch.incidents {
            self.set_incident(id, state);
        }
        self.pending = true;
        if urgent || self.trouble.is_some() || self.spill.messages().len() >= MOST_PENDING {
            self.write_out();
        }
        let mut kept = clears || self.refused.range(first_number..).next().is_none();
        if self.trouble.is_some() && !self.spill.is_empty() {
            let refusable = self.spill.contains_from(first_row);
            self.trim();
            kept = !refusable || self.spill.contains_from(first_row);
        }
        if !kept {
            // What it would have told is not told again, so its numbers are missing.
            self.miss(first_number..=self.sequence);
            for (id, state) in before {
                self.set_incident(id, state);
            }
            self.pending = true;
        }
        if kept {
            self.orphans.retain(|id| self.incidents.contains_key(id));
        }
        // The message that tells of them is not on disk: told twice is better than never.
        if !self.telling.is_empty() {
            let telling = mem::take(&mut self.telling);
            Arc::make_mut(&mut self.gaps).join(&telling);
        }
        kept
    }

    /// At the orderly end.
    pub(super) fn close(&mut self) {
        self.write_pending();
        let now = self.clock.now().mono;
        if let (None, Some(Err(error))) = (&self.trouble, self.store.as_ref().map(|store| store.note_time(now))) {
            tracing::debug!("the time of the end is not noted: {error}");
        }
    }

    /// Writes what nobody has hurried for yet.
    pub(super) fn write_pending(&mut self) {
        if self.pending {
            self.write_and_trim();
        }
    }

    fn write_and_trim(&mut self) {
        self.write_out();
        if self.trouble.is_some() && !self.spill.is_empty() {
            self.trim();
        }
    }

    /// The disk takes nothing: what is in memory stays within its bounds, and its numbers are not
    /// given out again after a crash.
    fn trim(&mut self) {
        self.numbers.spill(self.sequence);
        self.spill.trim(Arc::make_mut(&mut self.gaps));
        self.say_dropped();
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
        let (now, dropped) = (self.clock.now().mono, self.dropped());
        let due = self.said.is_none_or(|(at, said)| dropped > said && now.saturating_sub(at) >= SAY_EVERY);
        if dropped > 0 && due {
            let folder = self.settings.folder.display();
            let remedy = self.trouble().map_or_else(
                || "raise outbox_quota under [storage] or find out why the broker takes nothing".to_owned(),
                // That sentence has its own remedy.
                |trouble| format!("the memory is full as well, because the disk takes nothing: {trouble}"),
            );
            tracing::error!(
                "outbox {folder}: there is no room; the oldest of the least severe messages are being dropped ({dropped} so \
                 far); {remedy}"
            );
            self.said = Some((now, dropped));
        }
    }

    pub(super) fn first(
        &mut self,
        limit: usize,
        backlog: usize,
        in_turn: bool,
        skip: &dyn Fn(i64, Kin<'_>) -> bool,
    ) -> Vec<Waiting> {
        self.write_pending();
        let wish = Wish { limit, backlog, new_from: self.new_from, in_turn, done: &self.acknowledged };
        let memory = self.spill.messages();
        let found = self.store.as_ref().map(|store| store.first(memory, wish, skip));
        let found = match found {
            Some(Ok(found)) => found,
            Some(Err(error)) => {
                let found = store::first_of_memory(memory, wish, skip);
                self.fail(&error);
                found
            }
            None => store::first_of_memory(memory, wish, skip),
        };
        if !found.is_empty() {
            self.unseen = self.sequence;
        }
        found
    }

    pub(super) fn delivered(&mut self, rows: &[i64]) {
        for row in rows {
            self.told.take_if(|told| told.0 == *row);
            match self.spill.remove(*row) {
                Some(waiting) if self.keeps() && self.done.len() < MOST_DONE => self.done.push(waiting),
                Some(_) => {}
                None => _ = self.acknowledged.insert(*row),
            }
        }
        self.tight = false;
        self.write_out();
        self.feed_again();
    }

    pub(super) fn next_session(&mut self) -> u64 {
        self.session += 1;
        self.numbers.session(self.session);
        self.write_out();
        self.session
    }

    pub(super) fn session_was(&mut self, session: u64) {
        /// More than a box that dials every five minutes has in nine years.
        const AHEAD: u64 = 1_000_000;
        if self.session < session {
            self.session = session.saturating_add(AHEAD);
            tracing::error!("the count of sessions was lost; it goes on after {}", self.session);
        }
    }

    pub(super) fn tend(&mut self) {
        if self.trouble.is_some() || !self.spill.is_empty() {
            self.write_and_trim();
        }
        self.tidy();
        self.feed_again();
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
        let stored = self.store.as_ref().map_or(0, Store::waiting);
        (stored + self.spill.messages().len() as u64).saturating_sub(self.acknowledged.len() as u64)
    }

    pub(super) const fn sequence(&self) -> u64 {
        self.sequence
    }

    pub(super) const fn dropped(&self) -> u64 {
        self.spill.dropped() + self.evicted
    }

    pub(super) fn trouble(&self) -> Option<&str> {
        self.trouble.as_ref().map(|trouble| trouble.sentence.as_str())
    }

    pub(super) const fn set_connected(&mut self, connected: bool) {
        if connected && !self.connected {
            self.new_from = self.next_row;
        }
        self.connected = connected;
    }
}
