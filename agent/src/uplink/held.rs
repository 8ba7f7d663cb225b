//! Messages that the broker does not want, kept from blocking the others: pure policy.

use std::{collections::BTreeMap, time::Duration};

use uuid::Uuid;

use super::{outbox::Kin, window::MOST_IN_FLIGHT};

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
    /// Passes a row over until then, and with it what has to wait behind it. It never
    /// leaves the outbox unsent.
    pub(super) fn hold(&mut self, row: i64, kin: Kin<'_>, until: Duration) {
        let Kin { incident, retained } = kin;
        self.rows.insert(row, Hold { until, incident, retained: retained.map(str::to_owned) });
    }

    /// Passes a state over until then.
    pub(super) fn hold_state(&mut self, topic: String, until: Duration) {
        self.states.insert(topic, until);
    }

    /// Is it to be passed over, or has it to wait behind one that is? All that follows of
    /// its incident waits behind an alert. Behind a retained state only what is for the
    /// same topic waits, or a state could be retained after it has been cleared; the
    /// alerts go on, for a broker may take those and not the states.
    pub(super) fn blocks(&self, row: i64, kin: Kin<'_>, now: Duration) -> bool {
        let in_force = |hold: &Hold| now < hold.until;
        let precedes = |hold: &Hold| match &hold.retained {
            Some(topic) => kin.retained == Some(topic),
            None => kin.incident.is_some() && hold.incident == kin.incident,
        };
        self.rows.get(&row).is_some_and(in_force)
            || self.rows.range(..row).any(|(_, hold)| precedes(hold) && in_force(hold))
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

    /// The state of this topic was acknowledged.
    pub(super) fn accepted_state(&mut self, topic: &str) {
        self.states.remove(topic);
        if matches!(&self.suspect, Some((Suspect::State(suspect), _)) if suspect == topic) {
            self.suspect = None;
        }
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

    const UNTIL: Duration = Duration::from_secs(1600);
    const NOBODY: Kin<'_> = Kin { incident: None, retained: None };

    fn alert(incident: u128) -> Kin<'static> {
        Kin { incident: Some(Uuid::from_u128(incident)), retained: None }
    }

    fn state(incident: u128, topic: &str) -> Kin<'_> {
        Kin { retained: Some(topic), ..alert(incident) }
    }

    #[test]
    fn a_refused_row_is_offered_again_later() {
        let mut held = Held::default();
        held.hold(7, NOBODY, UNTIL);
        assert!(held.blocks(7, NOBODY, NOW));
        assert_eq!(held.len(NOW), 1);
        assert!(!held.blocks(7, NOBODY, UNTIL));
        assert_eq!(held.len(UNTIL), 0);
        held.hold(7, NOBODY, UNTIL);
        assert!(held.accepted(7, None).is_empty());
        assert!(!held.blocks(7, NOBODY, NOW));
    }

    #[test]
    fn what_follows_of_the_same_incident_waits_behind_an_alert() {
        let mut held = Held::default();
        held.hold(7, alert(1), UNTIL);
        assert!(held.blocks(8, alert(1), NOW) && held.blocks(8, state(1, "open/1"), NOW));
        assert!(!held.blocks(6, alert(1), NOW), "what was before it does not");
        assert!(!held.blocks(8, alert(2), NOW) && !held.blocks(8, NOBODY, NOW));
        assert!(!held.blocks(8, alert(1), UNTIL));
    }

    #[test]
    fn only_its_own_topic_waits_behind_a_state() {
        let mut held = Held::default();
        held.hold(7, state(1, "open/1"), UNTIL);
        assert!(held.blocks(9, state(1, "open/1"), NOW), "or it would be undone");
        assert!(!held.blocks(8, alert(1), NOW) && !held.blocks(9, state(2, "open/2"), NOW));
    }

    #[test]
    fn a_state_that_was_accepted_is_neither_held_nor_suspected() {
        let suspect = || Suspect::State("status/box".to_owned());
        let mut held = Held::default();
        held.hold_state("status/box".to_owned(), UNTIL);
        assert!(held.blocks_state("status/box", NOW));
        for _ in 0..ONE_BY_ONE + PROOF - 1 {
            assert!(!held.hung_up(suspect()));
        }
        held.accepted_state("meta/box");
        assert!(held.blocks_state("status/box", NOW));
        held.accepted_state("status/box");
        assert!(!held.blocks_state("status/box", NOW));
        assert!(!held.hung_up(suspect()), "it counts from one again");
    }

    #[test]
    fn a_state_that_the_broker_has_a_newer_one_of_is_out_of_date() {
        let mut held = Held::default();
        held.hold(7, state(1, "open/1"), UNTIL);
        held.hold(8, NOBODY, UNTIL);
        held.hold(9, state(1, "open/1"), UNTIL);
        assert_eq!(held.accepted(8, Some("open/1")), [7]);
        assert!(held.blocks(9, state(1, "open/1"), NOW));
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
