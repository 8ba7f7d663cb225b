//! Replies with a picture: they pass through memory, now or not at all.

use std::{
    collections::VecDeque,
    mem,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::sync::Notify;

/// Most that wait. Commands are carried out one after the other, so hardly ever more than one does.
const MOST: usize = 4;
/// Most bytes that wait, topics included: four pictures of the largest size.
const ROOM: usize = 1 << 20;
/// So long somebody waits for a picture. What comes later comes to nobody.
const LIFE: Duration = Duration::from_secs(60);

/// Messages that are never on the disk: a picture of people has no business there on its way to whoever asked for
/// it, and a quarter of a megabyte must not stand before an alert.
///
/// Bounded in number, size and time. It goes out on the connection on which it was asked for, after all that is new,
/// one at a time, QoS 1; or it is dropped, counted and logged, and whoever wants it asks again.
#[derive(Debug, Default)]
pub struct Passing {
    state: Mutex<State>,
    bell: Arc<Notify>,
}

#[derive(Debug, Default)]
struct State {
    /// There is a connection, and it is not about to end.
    open: bool,
    waiting: VecDeque<Parcel>,
    report: PassingReport,
}

/// Counters since the agent's start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PassingReport {
    /// The broker has acknowledged so many.
    pub sent: u64,
    /// So many were dropped.
    pub dropped: u64,
}

/// A message that waits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Parcel {
    /// What it is, for the log.
    pub about: String,
    pub topic: String,
    pub payload: Vec<u8>,
    until: Duration,
}

impl Passing {
    /// Sends a message soon, or drops it. `about` says what it is, for the log; `now` is monotonic.
    pub fn offer(&self, about: String, topic: String, payload: Vec<u8>, now: Duration) {
        let mut state = self.lock();
        let bytes: usize = state.waiting.iter().map(Parcel::size).sum();
        let parcel = Parcel { about, topic, payload, until: now + LIFE };
        if !state.open {
            state.drop_one(&parcel.about, "the broker is not connected");
        } else if state.waiting.len() >= MOST || bytes + parcel.size() > ROOM {
            state.drop_one(&parcel.about, "too many wait already");
        } else {
            state.waiting.push_back(parcel);
            drop(state);
            self.bell.notify_one();
        }
    }

    /// Counters since the agent's start.
    #[must_use]
    pub fn report(&self) -> PassingReport {
        self.lock().report
    }

    /// From now on there is a connection.
    pub(super) fn open(&self) {
        self.lock().open = true;
    }

    /// From now on there is none: what waits is dropped.
    pub(super) fn close(&self, why: &str) {
        let mut state = self.lock();
        state.open = false;
        for parcel in mem::take(&mut state.waiting) {
            state.drop_one(&parcel.about, why);
        }
    }

    /// Drops what waits too long.
    pub(super) fn tend(&self, now: Duration) {
        let mut state = self.lock();
        while state.waiting.front().is_some_and(|parcel| now >= parcel.until) {
            let late = state.waiting.pop_front();
            state.drop_one(&late.map_or_else(String::new, |late| late.about), "it had no turn within a minute");
        }
    }

    /// Does none wait?
    pub(super) fn is_empty(&self) -> bool {
        self.lock().waiting.is_empty()
    }

    /// The next one.
    pub(super) fn take(&self) -> Option<Parcel> {
        self.lock().waiting.pop_front()
    }

    /// The broker has one.
    pub(super) fn sent(&self, about: &str) {
        self.lock().report.sent += 1;
        tracing::info!("{about} is at the broker");
    }

    /// One that was [taken](Self::take) is lost.
    pub(super) fn dropped(&self, about: &str, why: &str) {
        self.lock().drop_one(about, why);
    }

    /// Rung when one comes, for the link.
    pub(super) fn bell(&self) -> Arc<Notify> {
        Arc::clone(&self.bell)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn drop_one(&mut self, about: &str, why: &str) {
        self.report.dropped += 1;
        tracing::warn!("{about} was dropped: {why}; it is not kept, whoever wants it has to ask again");
    }
}

impl Parcel {
    fn size(&self) -> usize {
        self.topic.len() + self.payload.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Duration = Duration::from_secs(1000);

    fn offer(passing: &Passing, number: usize, size: usize) {
        passing.offer(format!("picture {number}"), "t".to_owned(), vec![0; size], NOW);
    }

    fn counts(passing: &Passing) -> (u64, u64) {
        let PassingReport { sent, dropped } = passing.report();
        (sent, dropped)
    }

    #[test]
    fn without_a_connection_nothing_waits() {
        let passing = Passing::default();
        offer(&passing, 1, 1);
        assert_eq!((passing.take(), counts(&passing)), (None, (0, 1)));
        passing.open();
        offer(&passing, 2, 1);
        passing.close("the connection ended");
        assert!(passing.is_empty());
        offer(&passing, 3, 1);
        assert_eq!((passing.take(), counts(&passing)), (None, (0, 3)));
    }

    #[test]
    fn number_size_and_time_are_bounded() {
        let passing = Passing::default();
        passing.open();
        (0..MOST + 2).for_each(|number| offer(&passing, number, 1));
        assert_eq!(counts(&passing), (0, 2));
        assert_eq!(passing.take().map(|parcel| parcel.about).as_deref(), Some("picture 0"));
        passing.tend(NOW + LIFE - Duration::from_millis(1));
        assert!(!passing.is_empty());
        passing.tend(NOW + LIFE);
        assert!(passing.is_empty());
        assert_eq!(counts(&passing), (0, 1 + MOST as u64));

        offer(&passing, 1, ROOM);
        assert!(passing.is_empty());
        offer(&passing, 1, ROOM / 2);
        offer(&passing, 2, ROOM / 2);
        passing.take();
        assert!(passing.is_empty(), "the second had no room beside the first");
    }
}
