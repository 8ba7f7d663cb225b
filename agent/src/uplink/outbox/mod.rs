//! The outbox: messages on their way to the broker, safe on the disk.
//!
//! A message is committed here before anything is published, and leaves only when the
//! broker has acknowledged it. In the same transaction the open incidents are
//! remembered, so that a crash leaves no incident that nobody closes.
//!
//! When the disk takes nothing (full, read-only, damaged), commits go on in a bounded
//! memory queue and are written as soon as the disk works again.

mod error;
mod inner;
mod numbers;
mod spill;
mod store;
#[cfg(test)]
mod tests;

use std::{
    collections::BTreeMap,
    path::Path,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use karaul_wire::Severity;
use tokio::sync::Notify;
use uuid::Uuid;

pub use self::error::OutboxError;
use self::inner::Inner;
use crate::clock::Clock;

/// A message for the broker, QoS 1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// Full topic.
    pub topic: String,
    /// JSON, or empty to clear a retained topic.
    pub payload: Vec<u8>,
    /// Does the broker keep it for later subscribers?
    pub retain: bool,
    /// Decides what is dropped first when neither disk nor memory has room.
    pub severity: Severity,
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
}

/// What goes into one transaction: all of it, or nothing.
#[derive(Debug)]
pub struct Batch {
    sequence: u64,
    messages: Vec<Message>,
    incidents: BTreeMap<Uuid, Option<String>>,
}

impl Batch {
    /// The next number of the box's never-ending numbering.
    pub fn next_sequence(&mut self) -> u64 {
        self.sequence += 1;
        self.sequence
    }

    /// Adds a message.
    pub fn put(&mut self, message: Message) {
        self.messages.push(message);
    }

    /// Remembers an open incident, or its newer state, over a crash.
    pub fn remember_incident(&mut self, id: Uuid, state: String) {
        self.incidents.insert(id, Some(state));
    }

    /// Forgets an incident that has ended.
    pub fn forget_incident(&mut self, id: Uuid) {
        self.incidents.insert(id, None);
    }
}

/// See the [module](self). Shared by the cameras, which commit, and the link, which delivers.
pub struct Outbox {
    inner: Mutex<Inner>,
    bell: Arc<Notify>,
}

impl Outbox {
    /// Opens `dir/outbox.sqlite`, or creates it. `quota` bounds its size in bytes (the
    /// write-ahead log, 1 MiB, comes on top).
    ///
    /// A damaged file is moved aside, said so in the log, and a fresh one is started. A
    /// disk that is full or read-only is said, and messages wait in memory.
    ///
    /// # Errors
    /// If the folder cannot be used, another process uses it, or the file or SQLite has
    /// the wrong version: trouble that somebody has to mend before the agent may start.
    pub fn open(dir: &Path, quota: u64, clock: Arc<dyn Clock>) -> Result<Self, OutboxError> {
        let inner = Inner::open(dir, quota, clock)?;
        Ok(Self { inner: Mutex::new(inner), bell: Arc::new(Notify::new()) })
    }

    /// Commits what `fill` puts into the batch, in one transaction. When this returns
    /// `Ok`, the messages are on disk, or in memory if the disk takes nothing.
    ///
    /// `fill` must not call the outbox.
    ///
    /// # Errors
    /// Only those of `fill`; nothing is committed then.
    pub fn commit<T, E>(&self, fill: impl FnOnce(&mut Batch) -> Result<T, E>) -> Result<T, E> {
        let mut inner = self.lock();
        let mut batch = Batch { sequence: inner.sequence(), messages: Vec::new(), incidents: BTreeMap::new() };
        let value = fill(&mut batch)?;
        inner.accept(batch);
        drop(inner);
        self.bell.notify_one();
        Ok(value)
    }

    /// The incidents that are open, by id, with the state last remembered. After a
    /// crash these are the orphans that have to be closed.
    #[must_use]
    pub fn open_incidents(&self) -> Vec<(Uuid, String)> {
        self.lock().open_incidents()
    }

    /// The number of a new connection to the broker; counts for ever.
    pub fn session(&self) -> u64 {
        self.lock().next_session()
    }

    /// The first `limit` waiting messages, in order, for which `skip(row)` is false.
    #[must_use]
    pub fn next(&self, limit: usize, skip: impl Fn(i64) -> bool) -> Vec<Waiting> {
        self.lock().first(limit, &skip)
    }

    /// The broker has these: they leave the outbox.
    pub fn delivered(&self, rows: &[i64]) {
        self.lock().delivered(rows);
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

    /// Messages lost because neither disk nor memory had room, since the start.
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

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // A panic in a commit's closure changes nothing here, so the state is whole.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
