//! Which broker retains which states of the outbox: pure bookkeeping for several brokers.

use std::collections::BTreeMap;

/// More open incidents are not remembered. A box has perhaps a dozen.
const MOST: usize = 1024;

/// A state goes through the outbox once, to the broker that is in use then. After a move to another broker it would
/// be missing there; and one that is cleared there would stay at the first for ever, an incident that nobody closes.
/// So it is remembered who has what, while the agent runs.
#[derive(Debug, Default)]
pub(super) struct Retained {
    topics: BTreeMap<String, Copies>,
}

#[derive(Debug)]
struct Copies {
    /// Empty if it has been cleared.
    latest: Vec<u8>,
    /// Bit by address: it retains the latest, or has cleared it.
    current: u32,
    /// Bit by address: it retains something.
    retaining: u32,
}

impl Retained {
    /// This broker has acknowledged a state.
    pub(super) fn accepted(&mut self, at: usize, topic: String, payload: Vec<u8>) {
        let here = bit(at);
        if self.topics.len() >= MOST && !self.topics.contains_key(&topic) {
            return;
        }
        let copies =
            self.topics.entry(topic.clone()).or_insert(Copies { latest: Vec::new(), current: 0, retaining: 0 });
        if copies.latest != payload {
            copies.current = 0;
            copies.latest = payload;
        }
        copies.current |= here;
        if copies.latest.is_empty() {
            copies.retaining &= !here
        } else {
            copies.retaining |= here
        }
        if copies.retaining == 0 {
            self.topics.remove(&topic);
        }
    }

    /// What this broker lacks: states that only others have, and an empty payload for those to be cleared.
    pub(super) fn owed(&self, at: usize) -> impl Iterator<Item = (&str, &[u8])> {
        let here = bit(at);
        let owed = move |copies: &Copies| {
            copies.current & here == 0 && (!copies.latest.is_empty() || copies.retaining & here != 0)
        };
        let owing = self.topics.iter().filter(move |(_, copies)| owed(copies));
        owing.map(|(topic, copies)| (topic.as_str(), copies.latest.as_slice()))
    }
}

const fn bit(at: usize) -> u32 {
    // There are five addresses at most.
    1 << (at % 32)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn owed(retained: &Retained, at: usize) -> Vec<(String, Vec<u8>)> {
        retained.owed(at).map(|(topic, payload)| (topic.to_owned(), payload.to_vec())).collect()
    }

    #[test]
    fn a_state_is_owed_to_the_broker_that_lacks_it_and_cleared_where_it_was() {
        let mut retained = Retained::default();
        retained.accepted(0, "open/1".to_owned(), b"1".to_vec());
        assert_eq!(owed(&retained, 0), []);
        assert_eq!(owed(&retained, 1), [("open/1".to_owned(), b"1".to_vec())]);
        retained.accepted(1, "open/1".to_owned(), b"1".to_vec());
        assert_eq!((owed(&retained, 0), owed(&retained, 1)), (vec![], vec![]));
        retained.accepted(1, "open/1".to_owned(), Vec::new());
        assert_eq!(owed(&retained, 1), []);
        assert_eq!(owed(&retained, 0), [("open/1".to_owned(), Vec::new())]);
        retained.accepted(0, "open/1".to_owned(), Vec::new());
        assert!(retained.topics.is_empty());
    }

    #[test]
    fn it_does_not_grow_without_bound() {
        let mut retained = Retained::default();
        for number in 0..2 * MOST {
            retained.accepted(0, number.to_string(), b"1".to_vec());
        }
        assert_eq!(retained.topics.len(), MOST);
        retained.accepted(0, "0".to_owned(), Vec::new());
        assert_eq!(retained.topics.len(), MOST - 1);
    }

    proptest! {
        /// After any history, paying what is owed makes a broker retain exactly what is open.
        #[test]
        fn paying_what_is_owed_makes_brokers_equal(
            steps in proptest::collection::vec((0..3usize, 0..4u8, 0..3u8), 0..60),
        ) {
            let mut retained = Retained::default();
            let mut brokers = vec![BTreeMap::new(); 3];
            let mut open = BTreeMap::new();
            let put = |store: &mut BTreeMap<String, Vec<u8>>, topic: &str, payload: &[u8]| {
                if payload.is_empty() { store.remove(topic) } else { store.insert(topic.to_owned(), payload.to_vec()) };
            };
            for (at, topic, state) in steps {
                let (topic, payload) = (topic.to_string(), vec![b'x'; state.into()]);
                for target in [&mut brokers[at], &mut open] {
                    put(target, &topic, &payload);
                }
                retained.accepted(at, topic, payload);
            }
            for (at, broker) in brokers.iter_mut().enumerate() {
                for (topic, payload) in owed(&retained, at) {
                    put(broker, &topic, &payload);
                    retained.accepted(at, topic, payload);
                }
                prop_assert_eq!(&*broker, &open);
                prop_assert_eq!(owed(&retained, at), vec![]);
            }
            let kept: Vec<&String> = retained.topics.keys().collect();
            prop_assert_eq!(kept, open.keys().collect::<Vec<_>>());
        }
    }
}
