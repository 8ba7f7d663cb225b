//! The outbox: messages on their way to the broker, safe on the disk.
//!
//! A message is committed here before anything is published, and leaves only when the
//! broker has acknowledged it. In the same transaction the open incidents are
//! remembered, so that a crash leaves no incident that nobody closes.
//!
//! When the disk takes nothing (full, read-only, damaged), commits go on in a bounded
//! memory queue and are written as soon as the disk works again.

mod error;
mod fate;
mod inner;
mod look;
mod message;
mod numbers;
mod recall;
mod renumber;
mod spans;
mod spill;
mod store;
#[cfg(test)]
mod tests;

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use karaul_wire::{GapRange, Receipt};
use tokio::sync::Notify;
use uuid::Uuid;

pub(super) use self::recall::Surprise;
pub use self::{
    error::OutboxError,
    fate::Fate,
    message::Message,
    spans::{Gaps, Spans},
};
use self::{inner::Inner, renumber::Moves};
use crate::clock::Clock;

/// How an outbox is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutboxSettings {
    /// The folder of its files.
    pub folder: PathBuf,
    /// Most bytes of the database; the write-ahead log, at most some MiB, comes on top.
    pub quota: u64,
    /// Alerts that are delivered are kept while the outbox runs for so long, to be sent again if somebody wants
    /// them. The time in which the box is off does not count.
    pub retention: Duration,
    /// Delivered is only what a consumer has confirmed by a receipt; otherwise, what the
    /// broker has acknowledged.
    pub receipts: bool,
}

impl OutboxSettings {
    /// Settings with the usual values: a day of retention, no receipts.
    #[must_use]
    pub fn new(folder: impl Into<PathBuf>, quota: u64) -> Self {
        let retention = Duration::from_secs(86_400);
        Self { folder: folder.into(), quota, retention, receipts: false }
    }
}

/// What becomes of numbers that are to be sent again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Replay {
    /// So many are sent again.
    pub again: u64,
    /// So many have not been delivered yet and go out anyway.
    pub under_way: u64,
    /// These are not there any more.
    pub gone: Gaps,
}

/// A committed message that the broker has not acknowledged yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waiting {
    /// Its place in the order, unique while this process lives.
    pub row: i64,
    /// The message.
    pub message: Message,
    /// The broker was connected when it was committed.
    pub live: bool,
    /// Monotonic time of the commit; `None` if another run of the agent committed it.
    pub committed: Option<Duration>,
    /// It goes before all that waited for the connection: it is new, or an earlier step of the
    /// incident of one that is.
    pub fresh: bool,
    /// A copy of what was delivered before.
    pub again: bool,
    /// A later step of its incident makes it superfluous.
    pub(super) passing: bool,
}

/// What decides whether a waiting message has to stay behind another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kin<'a> {
    /// The incident it tells of.
    pub incident: Option<Uuid>,
    /// Its topic.
    pub topic: &'a str,
    /// The broker retains it there.
    pub retained: bool,
}

impl<'a> Kin<'a> {
    pub(super) fn of(message: &'a Message) -> Self {
        Self { incident: message.incident, topic: &message.topic, retained: message.retain }
    }
}

#[derive(Debug)]
struct Draft {
    message: Message,
    passing: bool,
}

/// What goes into one transaction: all of it, or nothing.
#[derive(Debug)]
pub struct Batch {
    sequence: u64,
    messages: Vec<Draft>,
    incidents: BTreeMap<Uuid, Option<String>>,
    gaps: Arc<Gaps>,
    /// What a message that still waits tells of.
    told: Arc<Gaps>,
    gaps_told: bool,
}

impl Batch {
    /// The next number of the box's never-ending numbering.
    pub fn next_sequence(&mut self) -> u64 {
        self.sequence += 1;
        self.sequence
    }

    /// Adds a message.
    pub fn put(&mut self, message: Message) {
        self.messages.push(Draft { message, passing: false });
    }

    /// Adds a message that the later steps of its incident make superfluous: when room is
    /// needed, it goes before anything else that waits.
    pub fn put_passing(&mut self, message: Message) {
        self.messages.push(Draft { message, passing: true });
    }

    /// Remembers an open incident, or its newer state, over a crash.
    pub fn remember_incident(&mut self, id: Uuid, state: String) {
        self.incidents.insert(id, Some(state));
    }

    /// Forgets an incident that has ended.
    pub fn forget_incident(&mut self, id: Uuid) {
        self.incidents.insert(id, None);
    }

    /// The numbers that nobody has been told of yet and that will not be sent any more.
    /// With this batch they are told, so it has to carry the message that does it. An earlier such message
    /// that still waits is replaced: its numbers are among these, so that there is one and not one for each time.
    pub fn tell_gaps(&mut self) -> &Gaps {
        if !self.gaps_told && !self.gaps.is_empty() {
            Arc::make_mut(&mut self.gaps).join(&self.told);
        }
        self.gaps_told = true;
        &self.gaps
    }
}

/// See the [module](self). Shared by the cameras, which commit, and the link, which delivers.
pub struct Outbox {
    inner: Mutex<Inner>,
    bell: Arc<Notify>,
}

impl Outbox {
    /// Opens `outbox.sqlite` in its folder, or creates it.
    ///
    /// After a process that did not close it, it is checked. What can be read of a damaged file is
    /// taken over into a new one, said so in the log, and what cannot be is a [gap](Batch::tell_gaps).
    /// A disk that is full or read-only is said, and messages wait in memory.
    ///
    /// # Errors
    /// If the folder cannot be used, another process uses it, or the file or SQLite has
    /// the wrong version: trouble that somebody has to mend before the agent may start.
    pub fn open(settings: OutboxSettings, clock: Arc<dyn Clock>) -> Result<Self, OutboxError> {
        let inner = Inner::open(settings, clock)?;
        Ok(Self { inner: Mutex::new(inner), bell: Arc::new(Notify::new()) })
    }

    /// Commits what `fill` puts into the batch, in one transaction. When this returns
    /// `Ok`, a batch with anything critical in it is on disk, or in memory if the disk takes nothing.
    /// Others are written a moment later, together with what comes meanwhile; nothing is
    /// [handed out](Self::next) before that, so a crash in that moment undoes what nobody has seen.
    ///
    /// `fill` must not call the outbox.
    ///
    /// # Errors
    /// Only those of `fill`; nothing is committed then.
    pub fn commit<T, E>(&self, fill: impl FnOnce(&mut Batch) -> Result<T, E>) -> Result<T, E> {
        self.offer(fill).map(|(value, _)| value)
    }

    /// Like [`Self::commit`], and says whether it was kept. It is not if neither the disk
    /// has room nor the memory, where everything else is more important; then all is as
    /// it was before, but its numbers are [gaps](Batch::tell_gaps): what it would have told
    /// may never be told again. What clears a retained topic is always kept.
    ///
    /// # Errors
    /// Only those of `fill`; nothing is committed then.
    pub fn offer<T, E>(&self, fill: impl FnOnce(&mut Batch) -> Result<T, E>) -> Result<(T, bool), E> {
        let mut inner = self.lock();
        let mut batch = Batch {
            sequence: inner.sequence(),
            messages: Vec::new(),
            incidents: BTreeMap::new(),
            gaps: Arc::clone(inner.gaps()),
            told: inner.told(),
            gaps_told: false,
        };
        let value = fill(&mut batch)?;
        let kept = inner.accept(batch);
        drop(inner);
        self.bell.notify_one();
        Ok((value, kept))
    }

    /// The incidents that another run of the agent left open, by id, with the state last
    /// remembered. They have to be closed. Known when the database is open, which may be
    /// long after the start.
    #[must_use]
    pub fn orphans(&self) -> Vec<(Uuid, String)> {
        self.lock().orphans()
    }

    /// Are there numbers to be [told of](Batch::tell_gaps), and is the disk well?
    #[must_use]
    pub fn has_gaps_to_tell(&self) -> bool {
        let inner = self.lock();
        inner.trouble().is_none() && !inner.gaps().is_empty()
    }

    /// Remembers these retained topics over a restart.
    pub fn remember_topics(&self, topics: impl IntoIterator<Item = String>) {
        self.lock().remember_topics(topics);
    }

    /// All topics ever [remembered](Self::remember_topics).
    #[must_use]
    pub fn topics(&self) -> BTreeSet<String> {
        self.lock().topics().clone()
    }

    /// The number of a new connection to the broker; counts for ever.
    pub fn session(&self) -> u64 {
        self.lock().next_session()
    }

    /// Tells of a session that there certainly was. If the count is behind that, it was lost, and goes on far enough
    /// ahead that no number comes again.
    pub fn session_was(&self, session: u64) {
        self.lock().session_was(session);
    }

    /// The next waiting messages, at most `limit`, for which `skip` is false; it is asked with
    /// the row and its kin. New ones come first, and then at most `backlog` of those that were there
    /// before the broker was, the critical ones of both first. The steps of an incident stay in order.
    #[must_use]
    pub fn next(&self, limit: usize, backlog: usize, skip: impl Fn(i64, Kin<'_>) -> bool) -> Vec<Waiting> {
        self.lock().first(limit, backlog, false, &skip)
    }

    /// Like [`Self::next`], but no step of an incident comes before the broker has acknowledged the one before it: it
    /// could be refused, and would arrive after the later one. For one that is skipped the later ones wait as well.
    pub(super) fn next_in_turn(
        &self,
        limit: usize,
        backlog: usize,
        skip: impl Fn(i64, Kin<'_>) -> bool,
    ) -> Vec<Waiting> {
        self.lock().first(limit, backlog, true, &skip)
    }

    /// The broker has these: they leave the queue.
    pub fn delivered(&self, rows: &[i64]) {
        self.lock().delivered(rows);
    }

    /// Heeds what a consumer says that it has stored and what it misses. What it misses and is
    /// not there any more is a [gap](Batch::tell_gaps).
    pub fn receipt(&self, receipt: &Receipt) {
        self.lock().receipt(receipt);
        self.bell.notify_one();
    }

    /// Sends alerts again, whether they were delivered or not, as far as they are still there.
    ///
    /// # Errors
    /// If the disk is in trouble; the sentence says which.
    pub fn replay(&self, ranges: &[GapRange]) -> Result<Replay, String> {
        let replay = self.lock().replay(ranges);
        self.bell.notify_one();
        replay
    }

    /// How many alerts the broker has that no receipt has covered yet.
    #[must_use]
    pub fn unconfirmed(&self) -> u64 {
        self.lock().unconfirmed()
    }

    /// Tries to write what waits in memory; cheap when nothing does.
    pub fn tend(&self) {
        self.lock().tend();
    }

    /// How many messages wait for an acknowledgement.
    #[must_use]
    pub fn waiting(&self) -> u64 {
        self.lock().waiting()
    }

    /// Messages that neither disk nor memory had room for, since the start.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        self.lock().dropped()
    }

    /// Why the disk takes nothing at present, in one sentence.
    #[must_use]
    pub fn trouble(&self) -> Option<String> {
        self.lock().trouble().map(str::to_owned)
    }

    /// The link says whether the broker is there; commits note it.
    pub(super) fn set_connected(&self, connected: bool) {
        self.lock().set_connected(connected);
    }

    /// Rung at each commit, for the link.
    pub(super) fn bell(&self) -> Arc<Notify> {
        Arc::clone(&self.bell)
    }

    /// Writes what nobody has hurried for yet.
    pub(super) fn write_pending(&self) {
        self.lock().write_pending();
    }

    #[cfg(test)]
    pub(crate) fn set_quota(&self, quota: u64) {
        self.lock().set_quota(quota);
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // A panic in a commit's closure changes nothing here, so the state is whole.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Outbox {
    fn drop(&mut self) {
        self.lock().close();
    }
}
