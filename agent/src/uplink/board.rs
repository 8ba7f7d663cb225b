//! The latest of everything that has a present state.

use std::{
    collections::BTreeMap,
    mem,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::sync::Notify;

use super::retained::Retained;

/// States that the broker is to retain, such as `status/camera/…`, and values that only
/// matter now, such as `health/box`.
///
/// It is not a queue: a topic holds its latest payload, so the number of topics bounds
/// it. All states are published anew on every connection.
#[derive(Debug, Default)]
pub struct StateBoard {
    topics: Mutex<Topics>,
    retained: Mutex<Retained>,
    bell: Arc<Notify>,
}

#[derive(Debug, Default)]
struct Topics {
    states: BTreeMap<String, State>,
    passing: BTreeMap<String, Vec<u8>>,
    version: u64,
}

/// One state, as the link sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct State {
    pub payload: Vec<u8>,
    /// Rises with each change of any topic.
    pub version: u64,
}

impl StateBoard {
    /// An empty board.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets a state: QoS 1, retained. The same payload again changes nothing.
    pub fn set(&self, topic: String, payload: Vec<u8>) {
        let mut topics = self.lock();
        if topics.states.get(&topic).is_some_and(|state| state.payload == payload) {
            return;
        }
        topics.version += 1;
        let version = topics.version;
        topics.states.insert(topic, State { payload, version });
        drop(topics);
        self.bell.notify_one();
    }

    #[cfg(test)]
    pub(crate) fn state(&self, topic: &str) -> Option<Vec<u8>> {
        self.lock().states.get(topic).map(|state| state.payload.clone())
    }

    /// Sends a value now, QoS 0, if the broker is connected; otherwise it is forgotten.
    pub fn pass(&self, topic: String, payload: Vec<u8>) {
        self.lock().passing.insert(topic, payload);
        self.bell.notify_one();
    }

    /// States that are newer than `shown` says, oldest change first.
    pub(super) fn news(&self, shown: &BTreeMap<String, u64>) -> Vec<(String, State)> {
        let topics = self.lock();
        let newer = topics.states.iter().filter(|(topic, state)| shown.get(*topic) != Some(&state.version));
        let mut news: Vec<_> = newer.map(|(topic, state)| (topic.clone(), state.clone())).collect();
        news.sort_unstable_by_key(|(_, state)| state.version);
        news
    }

    /// All states, in the order in which they were set.
    #[cfg(test)]
    pub(crate) fn all(&self) -> Vec<(String, Vec<u8>)> {
        self.news(&BTreeMap::new()).into_iter().map(|(topic, state)| (topic, state.payload)).collect()
    }

    /// Takes the values that only matter now.
    pub(super) fn take_passing(&self) -> BTreeMap<String, Vec<u8>> {
        mem::take(&mut self.lock().passing)
    }

    /// Which broker retains which states out of the outbox.
    pub(super) fn retained(&self) -> MutexGuard<'_, Retained> {
        self.retained.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Rung at each change, for the link.
    pub(super) fn bell(&self) -> Arc<Notify> {
        Arc::clone(&self.bell)
    }

    fn lock(&self) -> MutexGuard<'_, Topics> {
        self.topics.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_latest_counts_and_only_news_are_shown() {
        let board = StateBoard::new();
        board.set("a".into(), b"1".to_vec());
        board.set("b".into(), b"1".to_vec());
        board.set("a".into(), b"2".to_vec());
        let news = board.news(&BTreeMap::new());
        let texts: Vec<_> = news.iter().map(|(topic, state)| (topic.as_str(), state.payload.as_slice())).collect();
        assert_eq!(texts, [("b", &b"1"[..]), ("a", b"2")]);
        let shown = news.into_iter().map(|(topic, state)| (topic, state.version)).collect();
        board.set("a".into(), b"2".to_vec());
        assert_eq!(board.news(&shown), []);
        board.set("a".into(), b"3".to_vec());
        assert_eq!(board.news(&shown).len(), 1);
    }

    #[test]
    fn a_passing_value_is_taken_once() {
        let board = StateBoard::new();
        board.pass("h".into(), b"1".to_vec());
        board.pass("h".into(), b"2".to_vec());
        assert_eq!(board.take_passing(), BTreeMap::from([("h".to_owned(), b"2".to_vec())]));
        assert!(board.take_passing().is_empty());
        assert_eq!(board.news(&BTreeMap::new()), []);
    }
}
