//! Which message is it that ends the connections, or that the broker never answers? Pure policy.

use std::collections::BTreeMap;

use super::window::MOST_IN_FLIGHT;

/// After so many connections that ended without any message acknowledged, or with the same one first without an answer,
/// they are sent one at a time, to find the one that the broker hangs up on.
const ONE_BY_ONE: u32 = 3;
/// So many connections that the same message ended, sent alone, are proof enough.
const PROOF: u32 = 3;
/// So many connections on which the broker answered what came after a message and not that, though there was all the time
/// in the world, are proof enough.
const IGNORED: u32 = 2;
/// More messages that were found guilty are not remembered.
const MOST: usize = 64;
/// The pause of a message that was found guilty again and again is doubled so often at most: 10 minutes to 11 hours.
const MOST_DOUBLINGS: u32 = 6;

/// What is known about the ends of connections. MQTT 3.1.1 has no way to refuse a message but to hang up, and some
/// brokers do that in version 5 as well.
#[derive(Debug, Default)]
pub(super) struct Blame {
    /// Connections in a row that ended without any message of the outbox acknowledged.
    fruitless: u32,
    suspect: Option<Suspicion>,
    /// By row, how often it was found guilty. One more connection that it ends is proof enough then.
    guilty: BTreeMap<i64, u32>,
}

#[derive(Debug)]
struct Suspicion {
    of: Suspect,
    /// Connections in a row that ended with it as the first without an answer.
    ends: u32,
    /// So many of them with nothing else in flight.
    alone: u32,
    /// Connections in a row on which it was left out.
    ignored: u32,
}

/// What may have ended a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Suspect {
    /// A row of the outbox.
    Row(i64),
    /// The state of this topic.
    State(String),
}

impl Blame {
    /// The broker hung up while `first` was the oldest message without an answer; `fruitful` if it had acknowledged others
    /// on this connection. Says whether that is proof, so that it should be held. If there is no such message,
    /// the end says nothing about messages and is not told here.
    pub(super) fn hung_up(&mut self, first: Suspect, fruitful: bool) -> bool {
        let alone = self.window() == 1;
        if !fruitful {
            self.fruitless = self.fruitless.saturating_add(1);
        }
        let suspicion = self.suspicion(first);
        suspicion.ends = suspicion.ends.saturating_add(1);
        suspicion.alone += u32::from(alone);
        let proven = suspicion.alone >= PROOF;
        self.judged(proven)
    }

    /// The broker answered what came after `first`, and not that, until the connection was given up. Says whether that is
    /// proof.
    pub(super) fn ignored(&mut self, first: Suspect) -> bool {
        let suspicion = self.suspicion(first);
        suspicion.ignored += 1;
        let proven = suspicion.ignored >= IGNORED;
        self.judged(proven)
    }

    fn suspicion(&mut self, first: Suspect) -> &mut Suspicion {
        let same = self.suspect.take().filter(|suspicion| suspicion.of == first);
        self.suspect.insert(same.unwrap_or(Suspicion { of: first, ends: 0, alone: 0, ignored: 0 }))
    }

    fn judged(&mut self, proven: bool) -> bool {
        let Some(Suspicion { of, .. }) = &self.suspect else { return false };
        let known = matches!(of, Suspect::Row(row) if self.guilty.contains_key(row));
        if !proven && !known {
            return false;
        }
        if let Suspect::Row(row) = *of {
            if self.guilty.len() >= MOST && !known {
                self.guilty.pop_first();
            }
            *self.guilty.entry(row).or_default() += 1;
        }
        self.suspect = None;
        true
    }

    /// The usual pause of a row that was found guilty is doubled so often.
    pub(super) fn doublings(&self, row: i64) -> u32 {
        self.guilty.get(&row).map_or(0, |times| (times - 1).min(MOST_DOUBLINGS))
    }

    /// A message of the outbox was acknowledged: it has not ended the last connections, and most likely no other has that
    /// goes before it.
    pub(super) fn accepted(&mut self, row: i64) {
        self.fruitless = 0;
        self.guilty.remove(&row);
        self.clear(&Suspect::Row(row));
    }

    /// The state of this topic was acknowledged.
    pub(super) fn accepted_state(&mut self, topic: &str) {
        self.clear(&Suspect::State(topic.to_owned()));
    }

    /// A connection stands for long: whatever ended those before, it is not sent any more.
    pub(super) fn absolve(&mut self) {
        self.suspect = None;
    }

    fn clear(&mut self, suspect: &Suspect) {
        self.suspect.take_if(|suspicion| suspicion.of == *suspect);
    }

    /// How many messages may be in flight at once.
    pub(super) fn window(&self) -> u16 {
        let suspicious = self.suspect.as_ref().is_some_and(|suspicion| suspicion.ends >= ONE_BY_ONE);
        if suspicious || self.fruitless >= ONE_BY_ONE { 1 } else { MOST_IN_FLIGHT }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state(topic: &str) -> Suspect {
        Suspect::State(topic.to_owned())
    }

    /// How many connections it takes to find it.
    fn found_after(blame: &mut Blame, first: &Suspect, fruitful: bool) -> u32 {
        (1..).find(|_| blame.hung_up(first.clone(), fruitful)).unwrap()
    }

    #[test]
    fn what_ends_every_connection_is_found_whether_others_get_through_or_not() {
        for first in [Suspect::Row(7), state("meta/box")] {
            for fruitful in [false, true] {
                let mut blame = Blame::default();
                for _ in 0..ONE_BY_ONE {
                    assert_eq!(blame.window(), MOST_IN_FLIGHT);
                    assert!(!blame.hung_up(first.clone(), fruitful));
                    if fruitful {
                        blame.accepted(99);
                    }
                }
                assert_eq!(blame.window(), 1);
                assert_eq!(found_after(&mut blame, &first, fruitful), PROOF);
            }
        }
    }

    #[test]
    fn a_bad_network_blames_nobody() {
        let mut blame = Blame::default();
        for row in 0..50 {
            assert!(!blame.hung_up(Suspect::Row(row), true) && !blame.hung_up(Suspect::Row(row), true));
            assert_eq!(blame.window(), MOST_IN_FLIGHT);
            blame.accepted(row);
        }
    }

    #[test]
    fn what_gets_through_is_not_suspected_any_more() {
        let mut blame = Blame::default();
        for _ in 0..ONE_BY_ONE + PROOF - 1 {
            assert!(!blame.hung_up(state("status/box"), false));
        }
        blame.accepted_state("meta/box");
        assert_eq!(blame.window(), 1);
        blame.accepted_state("status/box");
        assert!(!blame.hung_up(state("status/box"), false), "it counts from one again");
        for _ in 0..ONE_BY_ONE {
            blame.hung_up(Suspect::Row(7), true);
        }
        blame.absolve();
        blame.accepted(8);
        assert_eq!(blame.window(), MOST_IN_FLIGHT);
    }

    #[test]
    fn what_is_never_answered_is_found_at_the_second_time() {
        let mut blame = Blame::default();
        assert!(!blame.ignored(Suspect::Row(7)));
        blame.accepted(8);
        assert!(blame.ignored(Suspect::Row(7)));
        assert!(!blame.ignored(Suspect::Row(8)));
        blame.accepted(8);
        assert!(!blame.ignored(Suspect::Row(8)), "it was answered in between");
    }

    #[test]
    fn one_that_was_found_guilty_is_found_at_once_and_waits_longer_each_time() {
        let mut blame = Blame::default();
        found_after(&mut blame, &Suspect::Row(7), false);
        let mut doublings = vec![blame.doublings(7)];
        for _ in 0..8 {
            assert!(blame.hung_up(Suspect::Row(7), true));
            doublings.push(blame.doublings(7));
        }
        assert_eq!(doublings, [0, 1, 2, 3, 4, 5, 6, 6, 6]);
        blame.accepted(7);
        assert_eq!(blame.doublings(7), 0);
        assert!(!blame.hung_up(Suspect::Row(7), true));
    }

    #[test]
    fn it_does_not_grow_without_bound() {
        let mut blame = Blame::default();
        for row in 0..2 * MOST as i64 {
            assert!(!blame.ignored(Suspect::Row(row)) && blame.ignored(Suspect::Row(row)));
        }
        assert_eq!(blame.guilty.len(), MOST);
    }
}
