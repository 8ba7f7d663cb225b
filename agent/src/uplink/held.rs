//! Messages that the broker does not want, kept from blocking the others: pure policy.

use std::{collections::BTreeMap, time::Duration};

use uuid::Uuid;

use super::outbox::Kin;

/// So many messages of one topic that are held at once speak for all on it: a broker's access rules are about topics.
const MOST_OF_TOPIC: usize = 8;
/// More rows are not held one by one.
const MOST_ROWS: usize = 1024;

/// What is passed over for a while: refused by the broker with a reason code, too big for
/// it, or found to be what ends the connections.
#[derive(Debug, Default)]
pub(super) struct Held {
    rows: BTreeMap<i64, Hold>,
    /// Topics of which everything is passed over, as [`common`] has them.
    topics: BTreeMap<String, Duration>,
    /// States by their topics.
    states: BTreeMap<String, Duration>,
}

#[derive(Debug)]
struct Hold {
    until: Duration,
    incident: Option<Uuid>,
    topic: String,
    /// The broker is to retain it there.
    retained: bool,
}

/// What the access rules of brokers see as one: a topic; of retained ones, of which each incident has one of its own,
/// all but the last level.
pub(super) fn common(topic: &str, retained: bool) -> &str {
    match topic.rfind('/') {
        Some(end) if retained => &topic[..=end],
        _ => topic,
    }
}

impl Held {
    /// Passes a row over until then, and with it what has to wait behind it. It never
    /// leaves the outbox unsent. `true` if all on its topic is passed over: then there is no end of
    /// rows that the broker does not want, and finding that out for each would cost a publish and a place here.
    pub(super) fn hold(&mut self, row: i64, kin: Kin<'_>, now: Duration, until: Duration) -> bool {
        let Kin { incident, topic, retained } = kin;
        // Also those of rows that the outbox has dropped since.
        self.rows.retain(|_, hold| now < hold.until);
        self.topics.retain(|_, until| now < *until);
        let all = common(topic, retained);
        if self.rows.len() < MOST_ROWS {
            self.rows.insert(row, Hold { until, incident, topic: topic.to_owned(), retained });
        }
        let of_topic = self.rows.values().filter(|hold| common(&hold.topic, hold.retained) == all).count();
        let all_held = of_topic >= MOST_OF_TOPIC || self.rows.len() >= MOST_ROWS;
        if all_held {
            self.topics.insert(all.to_owned(), until);
        }
        all_held
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
        let precedes = |hold: &Hold| {
            if hold.retained {
                kin.retained && kin.topic == hold.topic
            } else {
                kin.incident.is_some() && hold.incident == kin.incident
            }
        };
        self.rows.get(&row).is_some_and(in_force)
            || self.topics.get(common(kin.topic, kin.retained)).is_some_and(|until| now < *until)
            || self.rows.range(..row).any(|(_, hold)| precedes(hold) && in_force(hold))
    }

    /// Is this state to be passed over?
    pub(super) fn blocks_state(&self, topic: &str, now: Duration) -> bool {
        self.states.get(topic).is_some_and(|until| now < *until)
    }

    /// How many rows are passed over, without those that wait behind them or because all on their topic do.
    pub(super) fn len(&self, now: Duration) -> usize {
        self.rows.values().filter(|hold| now < hold.until).count()
    }

    /// It was acknowledged.
    pub(super) fn accepted(&mut self, row: i64, kin: Kin<'_>) {
        self.rows.remove(&row);
        self.topics.remove(common(kin.topic, kin.retained));
    }

    /// The state of this topic was acknowledged.
    pub(super) fn accepted_state(&mut self, topic: &str) {
        self.states.remove(topic);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Duration = Duration::from_secs(1000);
    const UNTIL: Duration = Duration::from_secs(1600);
    const NOBODY: Kin<'_> = Kin { incident: None, topic: "gap/box", retained: false };

    fn alert(incident: u128) -> Kin<'static> {
        Kin { incident: Some(Uuid::from_u128(incident)), topic: "alert/info/gate", retained: false }
    }

    fn state(incident: u128, topic: &str) -> Kin<'_> {
        Kin { topic, retained: true, ..alert(incident) }
    }

    #[test]
    fn a_refused_row_is_offered_again_later() {
        let mut held = Held::default();
        assert!(!held.hold(7, NOBODY, NOW, UNTIL));
        assert!(held.blocks(7, NOBODY, NOW));
        assert_eq!(held.len(NOW), 1);
        assert!(!held.blocks(7, NOBODY, UNTIL));
        assert_eq!(held.len(UNTIL), 0);
        held.hold(7, NOBODY, NOW, UNTIL);
        held.accepted(7, NOBODY);
        assert!(!held.blocks(7, NOBODY, NOW));
    }

    #[test]
    fn what_follows_of_the_same_incident_waits_behind_an_alert() {
        let mut held = Held::default();
        held.hold(7, alert(1), NOW, UNTIL);
        assert!(held.blocks(8, alert(1), NOW) && held.blocks(8, state(1, "open/1"), NOW));
        assert!(!held.blocks(6, alert(1), NOW), "what was before it does not");
        assert!(!held.blocks(8, alert(2), NOW) && !held.blocks(8, NOBODY, NOW));
        assert!(!held.blocks(8, alert(1), UNTIL));
    }

    #[test]
    fn only_its_own_topic_waits_behind_a_state() {
        let mut held = Held::default();
        held.hold(7, state(1, "open/1"), NOW, UNTIL);
        assert!(held.blocks(9, state(1, "open/1"), NOW), "or it would be undone");
        assert!(!held.blocks(8, alert(1), NOW) && !held.blocks(9, state(2, "open/2"), NOW));
    }

    #[test]
    fn a_state_that_was_accepted_is_not_held() {
        let mut held = Held::default();
        held.hold_state("status/box".to_owned(), UNTIL);
        held.accepted_state("meta/box");
        assert!(held.blocks_state("status/box", NOW));
        held.accepted_state("status/box");
        assert!(!held.blocks_state("status/box", NOW));
    }

    #[test]
    fn a_topic_of_which_many_are_refused_is_passed_over_as_a_whole() {
        let mut held = Held::default();
        let all: Vec<bool> = (0..10).map(|row| held.hold(row, alert(row as u128), NOW, UNTIL)).collect();
        assert_eq!(all.iter().position(|all| *all), Some(MOST_OF_TOPIC - 1));
        assert!(all[MOST_OF_TOPIC..].iter().all(|all| *all), "those that were in flight");
        assert!(held.blocks(99, alert(99), NOW) && !held.blocks(99, alert(99), UNTIL));
        let elsewhere = Kin { topic: "alert/critical/gate", ..alert(99) };
        assert!(!held.blocks(99, elsewhere, NOW) && !held.blocks(99, state(99, "open/99"), NOW));
        held.accepted(5, alert(5));
        assert!(!held.blocks(99, alert(99), NOW), "the broker takes them again");
    }

    #[test]
    fn the_open_incidents_are_one_topic() {
        let mut held = Held::default();
        for number in 0..MOST_OF_TOPIC as u128 {
            held.hold(number as i64, state(number, &format!("open/{number}")), NOW, UNTIL);
        }
        assert!(held.blocks(99, state(99, "open/99"), NOW) && !held.blocks(99, alert(99), NOW));
    }

    #[test]
    fn it_does_not_grow_without_bound() {
        let mut held = Held::default();
        for row in 0..10_000 {
            let topic = format!("alert/info/camera-{}", row % 500);
            let kin = Kin { topic: &topic, ..alert(row as u128) };
            held.hold(row, kin, NOW, UNTIL);
            assert!(held.blocks(row, kin, NOW));
        }
        assert_eq!((held.rows.len(), held.topics.len()), (MOST_ROWS, 500));
        held.hold(10_000, NOBODY, UNTIL, 2 * UNTIL);
        assert_eq!((held.rows.len(), held.topics.len()), (1, 0), "what is over is forgotten");
    }
}
