//! Which broker retains which states of open incidents: pure bookkeeping.

use std::collections::{BTreeMap, BTreeSet};

/// More open incidents are not remembered. A box has perhaps a dozen.
const MOST: usize = 1024;

/// A state goes through the outbox once, to the broker that is in use then. After a move to another broker it would
/// be missing there; one that is cleared there would stay at the first for ever, an incident that nobody closes; and a
/// broker that was started anew without its memory would not know what is open. So it is remembered who has what, while
/// the agent runs, over all links.
#[derive(Debug, Default)]
pub(super) struct Retained {
    /// The brokers that may be used, as `host:port`.
    brokers: BTreeSet<String>,
    topics: BTreeMap<String, Copies>,
}

#[derive(Debug, Default)]
struct Copies {
    /// Empty if it has been cleared.
    latest: Vec<u8>,
    /// Who retains the latest, or has cleared it.
    current: BTreeSet<String>,
    /// Who retains something, or may do so.
    retaining: BTreeSet<String>,
}

impl Retained {
    /// These brokers may be used from now on. What others retain is not remembered any more: nobody will ever ask
    /// them to clear it.
    pub(super) fn set_brokers(&mut self, brokers: impl IntoIterator<Item = String>) {
        self.brokers = brokers.into_iter().collect();
        for copies in self.topics.values_mut() {
            copies.current.retain(|broker| self.brokers.contains(broker));
            copies.retaining.retain(|broker| self.brokers.contains(broker));
        }
        self.topics.retain(|_, copies| !copies.latest.is_empty() || !copies.retaining.is_empty());
    }

    /// A connection to this broker begins. What it was told to retain it may have forgotten since, so it is owed again.
    pub(super) fn connected(&mut self, broker: &str) {
        for copies in self.topics.values_mut().filter(|copies| !copies.latest.is_empty()) {
            copies.current.remove(broker);
        }
    }

    /// This broker has acknowledged a state.
    pub(super) fn accepted(&mut self, broker: &str, topic: String, payload: Vec<u8>) {
        if self.topics.len() >= MOST && !self.topics.contains_key(&topic) {
            return;
        }
        let others = || self.brokers.iter().filter(|other| *other != broker).cloned().collect();
        let copies = self.topics.entry(topic.clone()).or_insert_with(|| Copies {
            // The end of an incident of which this run knows nothing: another run left it open, who knows where.
            retaining: if payload.is_empty() { others() } else { BTreeSet::new() },
            ..Copies::default()
        });
        if copies.latest != payload {
            copies.current.clear();
            copies.latest = payload;
        }
        copies.current.insert(broker.to_owned());
        if copies.latest.is_empty() {
            copies.retaining.remove(broker);
        } else {
            copies.retaining.insert(broker.to_owned());
        }
        if copies.latest.is_empty() && copies.retaining.is_empty() {
            self.topics.remove(&topic);
        }
    }

    /// This broker has acknowledged what it was owed.
    pub(super) fn paid(&mut self, broker: &str, topic: String, payload: Vec<u8>) {
        // Otherwise a newer one was acknowledged in between.
        if self.topics.get(&topic).is_some_and(|copies| copies.latest == payload) {
            self.accepted(broker, topic, payload);
        }
    }

    /// This broker is left for good and has cleared this topic, though the incident goes on.
    pub(super) fn withdrawn(&mut self, broker: &str, topic: &str) {
        if let Some(copies) = self.topics.get_mut(topic) {
            copies.current.remove(broker);
            copies.retaining.remove(broker);
        }
    }

    /// What this broker lacks: states that it does not have for certain, and an empty payload for those to be cleared.
    pub(super) fn owed(&self, broker: &str) -> impl Iterator<Item = (&str, &[u8])> {
        let owed = move |copies: &Copies| {
            !copies.current.contains(broker) && (!copies.latest.is_empty() || copies.retaining.contains(broker))
        };
        let owing = self.topics.iter().filter(move |(_, copies)| owed(copies));
        owing.map(|(topic, copies)| (topic.as_str(), copies.latest.as_slice()))
    }

    /// The topics on which this broker retains something.
    pub(super) fn at(&self, broker: &str) -> impl Iterator<Item = &str> {
        self.topics.iter().filter(move |(_, copies)| copies.retaining.contains(broker)).map(|(topic, _)| topic.as_str())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const BROKERS: [&str; 3] = ["a:1883", "b:1883", "c:1883"];
    const A: &str = BROKERS[0];
    const B: &str = BROKERS[1];

    fn retained(brokers: &[&str]) -> Retained {
        let mut retained = Retained::default();
        retained.set_brokers(brokers.iter().map(|broker| (*broker).to_owned()));
        retained
    }

    fn accepted(retained: &mut Retained, broker: &str, payload: &[u8]) {
        retained.accepted(broker, "open/1".to_owned(), payload.to_vec());
    }

    fn owed(retained: &Retained, broker: &str) -> Vec<(String, Vec<u8>)> {
        retained.owed(broker).map(|(topic, payload)| (topic.to_owned(), payload.to_vec())).collect()
    }

    fn one(payload: &[u8]) -> Vec<(String, Vec<u8>)> {
        vec![("open/1".to_owned(), payload.to_vec())]
    }

    #[test]
    fn a_state_is_owed_to_the_broker_that_lacks_it_and_cleared_where_it_was() {
        let mut retained = retained(&[A, B]);
        accepted(&mut retained, A, b"1");
        assert_eq!((owed(&retained, A), owed(&retained, B)), (vec![], one(b"1")));
        accepted(&mut retained, B, b"1");
        assert_eq!((owed(&retained, A), owed(&retained, B)), (vec![], vec![]));
        accepted(&mut retained, B, b"");
        assert_eq!((owed(&retained, A), owed(&retained, B)), (one(b""), vec![]));
        accepted(&mut retained, A, b"");
        assert!(retained.topics.is_empty());
    }

    #[test]
    fn what_is_open_is_owed_again_at_each_connection() {
        let mut retained = retained(&[A]);
        accepted(&mut retained, A, b"1");
        retained.connected(A);
        assert_eq!(owed(&retained, A), one(b"1"));
        retained.paid(A, "open/1".to_owned(), b"1".to_vec());
        assert_eq!(owed(&retained, A), []);
        accepted(&mut retained, A, b"");
        retained.connected(A);
        assert_eq!(owed(&retained, A), []);
    }

    #[test]
    fn a_late_answer_to_what_was_owed_undoes_nothing() {
        let mut retained = retained(&[A, B]);
        accepted(&mut retained, A, b"1");
        accepted(&mut retained, B, b"2");
        retained.paid(B, "open/1".to_owned(), b"1".to_vec());
        assert_eq!((owed(&retained, A), owed(&retained, B)), (one(b"2"), vec![]));
    }

    #[test]
    fn an_incident_that_another_run_left_open_is_cleared_wherever_it_may_be() {
        let mut retained = retained(&[A, B]);
        accepted(&mut retained, B, b"");
        assert_eq!((owed(&retained, A), owed(&retained, B)), (one(b""), vec![]));
        retained.connected(A);
        retained.paid(A, "open/1".to_owned(), Vec::new());
        assert!(retained.topics.is_empty());
    }

    #[test]
    fn brokers_that_are_used_no_more_are_forgotten_and_what_is_open_is_not() {
        let mut retained = retained(&[A, B]);
        accepted(&mut retained, A, b"1");
        assert_eq!(retained.at(A).collect::<Vec<_>>(), ["open/1"]);
        retained.withdrawn(A, "open/1");
        assert_eq!(retained.at(A).count(), 0);
        accepted(&mut retained, B, b"1");
        retained.set_brokers(["c:1883".to_owned()]);
        assert_eq!(owed(&retained, BROKERS[2]), one(b"1"));
        accepted(&mut retained, BROKERS[2], b"");
        assert!(retained.topics.is_empty());
    }

    #[test]
    fn it_does_not_grow_without_bound() {
        let mut retained = retained(&[A]);
        for number in 0..2 * MOST {
            retained.accepted(A, number.to_string(), b"1".to_vec());
        }
        assert_eq!(retained.topics.len(), MOST);
        retained.accepted(A, "0".to_owned(), Vec::new());
        assert_eq!(retained.topics.len(), MOST - 1);
    }

    proptest! {
        /// After any history, in which brokers forget all that they retain, paying what is owed makes a broker retain
        /// exactly what is open.
        #[test]
        fn paying_what_is_owed_makes_brokers_equal(
            steps in proptest::collection::vec((0..3usize, 0..4u8, 0..3u8, any::<bool>()), 0..60),
        ) {
            let mut retained = retained(&BROKERS);
            let mut brokers = vec![BTreeMap::new(); 3];
            let mut open = BTreeMap::new();
            let put = |store: &mut BTreeMap<String, Vec<u8>>, topic: &str, payload: &[u8]| {
                if payload.is_empty() { store.remove(topic) } else { store.insert(topic.to_owned(), payload.to_vec()) };
            };
            for (at, topic, state, forgets) in steps {
                if forgets {
                    brokers[at].clear();
                }
                let (topic, payload) = (topic.to_string(), vec![b'x'; state.into()]);
                for target in [&mut brokers[at], &mut open] {
                    put(target, &topic, &payload);
                }
                retained.accepted(BROKERS[at], topic, payload);
            }
            for (at, broker) in brokers.iter_mut().enumerate() {
                retained.connected(BROKERS[at]);
                for (topic, payload) in owed(&retained, BROKERS[at]) {
                    put(broker, &topic, &payload);
                    retained.paid(BROKERS[at], topic, payload);
                }
                prop_assert_eq!(&*broker, &open);
                prop_assert_eq!(owed(&retained, BROKERS[at]), vec![]);
            }
            let kept: Vec<&String> = retained.topics.keys().collect();
            prop_assert_eq!(kept, open.keys().collect::<Vec<_>>());
        }
    }
}
