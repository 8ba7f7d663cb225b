//! Messages for this box, between the link and whoever carries them out.

use std::{
    collections::VecDeque,
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use crate::stop::Stop;

/// Most messages that wait. A person sends a handful, a centre that replays perhaps a dozen.
const MOST: usize = 64;
/// Most bytes that wait, topics included.
const ROOM: usize = 1 << 20;
/// Largest payload that is taken. A command is a few hundred bytes, a receipt with all its ranges a few thousand.
const LARGEST: usize = 64 << 10;
/// Between two looks at the wish to stop.
const LOOK: Duration = Duration::from_millis(200);

/// A message that came from the broker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Incoming {
    /// Full topic.
    pub topic: String,
    /// As it came: nothing in it has been looked at.
    pub payload: Vec<u8>,
    /// The broker had kept it, so it may be old.
    pub retained: bool,
}

/// Counters since the agent's start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct InboxReport {
    /// Messages that were put in.
    pub taken: u64,
    /// Refused because others waited already. The newest is refused, so that a flood does not wash out what came
    /// before it.
    pub full: u64,
    /// Refused because of their size.
    pub large: u64,
    /// Refused because the broker had kept them, on a topic where only what is said now counts.
    pub stale: u64,
    /// Refused because nobody asked for their topic.
    pub unwanted: u64,
}

impl InboxReport {
    /// Messages that were refused, for whatever reason.
    #[must_use]
    pub const fn refused(&self) -> u64 {
        self.full + self.large + self.stale + self.unwanted
    }
}

/// Messages in the order in which they came, bounded in number and size.
#[derive(Debug, Default)]
pub struct Inbox {
    state: Mutex<State>,
    filled: Condvar,
}

#[derive(Debug, Default)]
struct State {
    waiting: VecDeque<Incoming>,
    bytes: usize,
    report: InboxReport,
}

/// Why a message is not even offered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unfit {
    Stale,
    Unwanted,
}

impl Inbox {
    /// The oldest message. Waits for one for `limit` at most, or until it is time to stop.
    #[must_use]
    pub fn take(&self, limit: Duration, stop: &Stop) -> Option<Incoming> {
        let deadline = Instant::now() + limit;
        let mut state = self.lock();
        loop {
            if let Some(message) = state.waiting.pop_front() {
                state.bytes -= size(&message);
                return Some(message);
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() || stop.is_stopped() {
                return None;
            }
            let waited = self.filled.wait_timeout(state, left.min(LOOK));
            (state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Counters since the agent's start.
    #[must_use]
    pub fn report(&self) -> InboxReport {
        self.lock().report
    }

    /// Puts a message in, or counts why not.
    pub(super) fn offer(&self, message: Incoming) {
        let size = size(&message);
        let mut state = self.lock();
        if message.payload.len() > LARGEST {
            state.report.large += 1;
        } else if state.waiting.len() >= MOST || state.bytes + size > ROOM {
            state.report.full += 1;
        } else {
            state.report.taken += 1;
            state.bytes += size;
            state.waiting.push_back(message);
            self.filled.notify_one();
        }
    }

    /// Counts one that is not offered.
    pub(super) fn refuse(&self, why: Unfit) {
        let report = &mut self.lock().report;
        match why {
            Unfit::Stale => report.stale += 1,
            Unfit::Unwanted => report.unwanted += 1,
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn size(message: &Incoming) -> usize {
    message.topic.len() + message.payload.len()
}

#[cfg(test)]
mod tests {
    use std::{sync::Arc, thread};

    use super::*;

    fn message(number: usize, size: usize) -> Incoming {
        Incoming { topic: number.to_string(), payload: vec![0; size], retained: false }
    }

    fn take(inbox: &Inbox) -> Option<String> {
        inbox.take(Duration::ZERO, &Stop::new()).map(|message| message.topic)
    }

    #[test]
    fn the_newest_is_refused_when_it_is_full() {
        let inbox = Inbox::default();
        (0..MOST + 3).for_each(|number| inbox.offer(message(number, 1)));
        assert_eq!((inbox.report().taken, inbox.report().full), (MOST as u64, 3));
        let got: Vec<String> = std::iter::from_fn(|| take(&inbox)).collect();
        assert_eq!(got, (0..MOST).map(|number| number.to_string()).collect::<Vec<_>>());
        inbox.offer(message(7, 1));
        assert_eq!(take(&inbox).as_deref(), Some("7"));
    }

    #[test]
    fn its_size_is_bounded_and_freed_again() {
        let inbox = Inbox::default();
        inbox.offer(message(0, LARGEST + 1));
        assert_eq!(inbox.report(), InboxReport { large: 1, ..InboxReport::default() });
        for _ in 0..3 {
            (0..ROOM / LARGEST).for_each(|number| inbox.offer(message(number, LARGEST)));
            assert!(inbox.lock().bytes <= ROOM);
            while take(&inbox).is_some() {}
            assert_eq!(inbox.lock().bytes, 0);
        }
        assert_eq!((inbox.report().full, inbox.report().taken), (3, 45), "the topics take room too");
    }

    #[test]
    fn who_waits_is_woken_by_a_message_and_by_the_wish_to_stop() {
        let (inbox, stop) = (Arc::new(Inbox::default()), Stop::new());
        let waiter = thread::spawn({
            let (inbox, stop) = (Arc::clone(&inbox), stop.clone());
            move || {
                let first = inbox.take(Duration::from_secs(60), &stop);
                (first, inbox.take(Duration::from_secs(60), &stop))
            }
        });
        inbox.offer(message(1, 1));
        while inbox.report().taken == 0 || !inbox.lock().waiting.is_empty() {
            thread::yield_now();
        }
        stop.stop();
        let begun = Instant::now();
        let (first, second) = waiter.join().unwrap();
        assert_eq!((first, second), (Some(message(1, 1)), None));
        assert!(begun.elapsed() < Duration::from_secs(30));
    }

    #[test]
    fn what_is_not_offered_is_counted() {
        let inbox = Inbox::default();
        inbox.refuse(Unfit::Stale);
        inbox.refuse(Unfit::Unwanted);
        assert_eq!((inbox.report().stale, inbox.report().unwanted, inbox.report().refused()), (1, 1, 2));
        assert_eq!(take(&inbox), None);
    }
}
