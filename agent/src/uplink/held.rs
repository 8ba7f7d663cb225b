//! Messages that the broker does not want, kept from blocking the others: pure policy.

use std::{collections::BTreeMap, time::Duration};

use uuid::Uuid;

use super::window::MOST_IN_FLIGHT;

/// A held message is offered again after this long. It never leaves the outbox unsent.
const PAUSE: Duration = Duration::from_secs(600);
/// After so many connections that ended without any message acknowledged, they are sent
/// one at a time, to find the one that the broker hangs up on.
const ONE_BY_ONE: u32 = 3;
/// So many connections that the same message ended, sent alone, are proof enough.
const PROOF: u32 = 3;

/// What is passed over for a while: refused by the broker with a reason code, too big for
/// it, or found to make it hang up each time (MQTT 3.1.1 has no other way to refuse).
#[derive(Debug, Default)]
pub(super) struct Held {
    rows: BTreeMap<i64, Hold>,
    /// States by their topics.
    states: BTreeMap<String, Duration>,
    fruitless: u32,
    suspect: Option<(Suspect, u32)>,
}

#[derive(Debug)]
struct Hold {
    until: Duration,
    incident: Option<Uuid>,
    /// The retained topic that it is for.
    retained: Option<String>,
}

/// What may have ended a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Suspect {
    /// A row of the outbox.
    Row(i64),
    /// The state of this topic.
    State(String),
}

impl Held {
    /// Passes a row over from now on, for [`PAUSE`], and with it what follows of its incident.
    pub(super) fn hold(&mut self, row: i64, incident: Option<Uuid>, retained: Option<String>, now: Duration) {
        self.rows.insert(row, Hold { until: now + PAUSE, incident, retained });
    }

    /// Passes a state over from now on, for [`PAUSE`].
    pub(super) fn hold_state(&mut self, topic: String, now: Duration) {
        self.states.insert(topic, now + PAUSE);
    }

    /// Is it to be passed over, or has it to wait behind one that is? Rows of one incident
    /// keep their order: otherwise a state could be retained after it has been cleared.
    pub(super) fn blocks(&self, row: i64, incident: Option<Uuid>, now: Duration) -> bool {
        let in_force = |hold: &Hold| now < hold.until;
        self.rows.get(&row).is_some_and(in_force)
            || incident.is_some() && self.rows.range(..row).any(|(_, hold)| hold.incident == incident && in_force(hold))
    }

    /// Is this state to be passed over?
    pub(super) fn blocks_state(&self, topic: &str, now: Duration) -> bool {
        self.states.get(topic).is_some_and(|until| now < *until)
    }

    /// How many rows are passed over, without those that wait behind them.
    pub(super) fn len(&self, now: Duration) -> usize {
        self.rows.values().filter(|hold| now < hold.until).count()
    }

    /// It was acknowledged. Returns older rows for the same retained topic, which were in
    /// flight together with it and refused: they are out of date and must not follow it.
    pub(super) fn accepted(&mut self, row: i64, retained: Option<&str>) -> Vec<i64> {
        self.rows.remove(&row);
        if retained.is_none() {
            return Vec::new();
        }
        let outdated = self.rows.range(..row).filter(|(_, hold)| hold.retained.as_deref() == retained);
        let outdated: Vec<i64> = outdated.map(|(row, _)| *row).collect();
        for row in &outdated {
            self.rows.remove(row);
        }
        outdated
    }

    /// A message of the outbox was acknowledged: whatever ended the last connections was not one of them.
    pub(super) fn fruitful(&mut self) {
        self.fruitless = 0;
        self.suspect = None;
    }

    /// The broker hung up while `first` was the oldest message without an answer.
    /// Says whether that is proof, so that it should be held. If there is no such message,
    /// the end says nothing about messages and is not told here.
    pub(super) fn hung_up(&mut self, first: Suspect) -> bool {
        let alone = self.window() == 1;
        self.fruitless = self.fruitless.saturating_add(1);
        if !alone {
            return false;
        }
        let times = self.suspect.take().filter(|(suspect, _)| *suspect == first).map_or(0, |(_, times)| times) + 1;
        if times < PROOF {
            self.suspect = Some((first, times));
        }
        times >= PROOF
    }

    /// How many messages may be in flight at once.
    pub(super) const fn window(&self) -> u16 {
        if self.fruitless >= ONE_BY_ONE { 1 } else { MOST_IN_FLIGHT }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Duration = Duration::from_secs(1000);

    #[test]
    fn a_refused_row_is_offered_again_later() {
        let mut held = Held::default();
        held.hold(7, None, None, NOW);
        assert!(held.blocks(7, None, NOW + PAUSE / 2));
        assert_eq!(held.len(NOW), 1);
        assert!(!held.blocks(7, None, NOW + PAUSE));
        assert_eq!(held.len(NOW + PAUSE), 0);
        held.hold(7, None, None, NOW);
        assert!(held.accepted(7, None).is_empty());
        assert!(!held.blocks(7, None, NOW));
    }

    #[test]
    fn what_follows_of_the_same_incident_waits_behind_it() {
        let incident = |n| Some(Uuid::from_u128(n));
        let mut held = Held::default();
        held.hold(7, incident(1), None, NOW);
        assert!(held.blocks(8, incident(1), NOW));
        assert!(!held.blocks(6, incident(1), NOW), "what was before it does not");
        assert!(!held.blocks(8, incident(2), NOW) && !held.blocks(8, None, NOW));
        assert!(!held.blocks(8, incident(1), NOW + PAUSE));
    }

    #[test]
    fn a_state_that_the_broker_has_a_newer_one_of_is_out_of_date() {
        let retained = || Some("open/1".to_owned());
        let mut held = Held::default();
        held.hold(7, None, retained(), NOW);
        held.hold(8, None, None, NOW);
        held.hold(9, None, retained(), NOW);
        assert_eq!(held.accepted(8, retained().as_deref()), [7]);
        assert!(held.blocks(9, None, NOW));
    }

    #[test]
    fn what_ends_every_connection_is_found() {
        for first in [Suspect::Row(7), Suspect::State("meta/box".to_owned())] {
            let mut held = Held::default();
            for _ in 0..ONE_BY_ONE {
                assert_eq!(held.window(), MOST_IN_FLIGHT);
                assert!(!held.hung_up(first.clone()));
            }
            assert_eq!(held.window(), 1);
            assert!(!held.hung_up(first.clone()));
            assert!(!held.hung_up(first.clone()));
            assert!(held.hung_up(first));
        }
    }

    #[test]
    fn a_bad_network_blames_nobody() {
        let mut held = Held::default();
        for row in 0..50 {
            assert!(!held.hung_up(Suspect::Row(row)));
            held.fruitful();
        }
        assert_eq!((held.window(), held.len(NOW)), (MOST_IN_FLIGHT, 0));
    }
}
