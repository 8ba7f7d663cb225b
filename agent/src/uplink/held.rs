//! Messages that the broker does not want, kept from blocking the others: pure policy.

use std::{collections::BTreeMap, time::Duration};

use uuid::Uuid;

use super::outbox::Kin;

/// So many messages of one topic that are held at once, and not each for its own sake, speak for all on it: a broker's
/// access rules are about topics.
const MOST_OF_TOPIC: usize = 8;
/// More rows are not held one by one. As each is offered once in a pause, it also bounds what a broker that takes no
/// message at all costs: some 2 MB in ten minutes.
const MOST_ROWS: usize = 1024;
/// This part of its pause those of a topic that were refused last let the others go first.
const TURN: u32 = 4;

/// What is passed over for a while: refused by the broker with a reason code, too big for
/// it, or found to be what ends the connections.
#[derive(Debug, Default)]
pub(super) struct Held {
    /// Also those whose time is over, as long as there is room: they are known to have been refused.
    rows: BTreeMap<i64, Hold>,
    /// By topics, as [`common`] has them.
    topics: BTreeMap<String, Shut>,
    /// States by their topics.
    states: BTreeMap<String, Duration>,
}

/// What a message is held for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cause {
    /// Its topic.
    Topic,
    /// Itself.
    Message,
    /// It ends the connections, or stops them up: some brokers hang up where others refuse a topic. Its pause is
    /// doubled so often.
    Harm { doublings: u32 },
}

#[derive(Debug)]
struct Hold {
    until: Duration,
    cause: Cause,
    incident: Option<Uuid>,
    topic: String,
    /// The broker is to retain it there.
    retained: bool,
}

/// A topic of which what waits is passed over.
#[derive(Debug)]
struct Shut {
    until: Duration,
    /// And so long those up to `refused`, which come round again when the others had their turn.
    turn: Duration,
    refused: i64,
    /// Rows up to this one. What came later is tried at once: it costs one publish, and if the broker takes it, all goes
    /// on.
    newest: i64,
}

impl Shut {
    fn covers(&self, row: i64, now: Duration) -> bool {
        now < self.until && row <= self.newest || now < self.turn && row <= self.refused
    }
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
    /// Passes a row over for a pause, and with it what has to wait behind it. It never
    /// leaves the outbox unsent. `true` if all on its topic up to the row `newest` is passed over: then there is no end of
    /// rows that the broker does not want, and finding that out for each would cost a publish and a place here.
    pub(super) fn hold(
        &mut self,
        row: i64,
        kin: Kin<'_>,
        cause: Cause,
        now: Duration,
        pause: Duration,
        newest: i64,
    ) -> bool {
        let Kin { incident, topic, retained } = kin;
        if self.rows.len() >= MOST_ROWS {
            // Also those that the outbox has dropped since.
            self.rows.retain(|_, hold| now < hold.until);
        }
        self.topics.retain(|_, shut| now < shut.turn);
        let all = common(topic, retained);
        let has_room = self.rows.len() < MOST_ROWS;
        if has_room {
            let factor = if let Cause::Harm { doublings } = cause { 1 << doublings } else { 1 };
            let until = now + pause * factor;
            self.rows.insert(row, Hold { until, cause, incident, topic: topic.to_owned(), retained });
        }
        let speaks_for_all = |hold: &&Hold| {
            now < hold.until && hold.cause != Cause::Message && common(&hold.topic, hold.retained) == all
        };
        let is_shut =
            !has_room || cause != Cause::Message && self.rows.values().filter(speaks_for_all).count() >= MOST_OF_TOPIC;
        if is_shut {
            // To find out about a new one as well would cost the others their connection.
            let newest = if matches!(cause, Cause::Harm { .. }) { i64::MAX } else { newest };
            self.shut(all, row, now, pause, newest);
        }
        is_shut
    }

    fn shut(&mut self, topic: &str, row: i64, now: Duration, pause: Duration, newest: i64) {
        match self.topics.get_mut(topic) {
            // New ones that are refused as well do not put off what waits.
            Some(shut) if now < shut.until => {
                if row <= shut.newest {
                    shut.refused = row;
                }
                shut.newest = shut.newest.max(newest);
            }
            _ => {
                let until = now + pause;
                let shut = Shut { until, turn: until + pause / TURN, refused: row, newest };
                self.topics.insert(topic.to_owned(), shut);
            }
        }
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
            || self.topics.get(common(kin.topic, kin.retained)).is_some_and(|shut| shut.covers(row, now))
            || self.rows.range(..row).any(|(_, hold)| precedes(hold) && in_force(hold))
    }

    /// Was it refused before?
    pub(super) fn was_refused(&self, row: i64) -> bool {
        self.rows.contains_key(&row)
    }

    /// Is this state to be passed over?
    pub(super) fn blocks_state(&self, topic: &str, now: Duration) -> bool {
        self.states.get(topic).is_some_and(|until| now < *until)
    }

    /// How many rows are passed over, without those that wait behind them or because all on their topic do.
    pub(super) fn len(&self, now: Duration) -> usize {
        self.rows.values().filter(|hold| now < hold.until).count()
    }

    /// It was acknowledged. So whatever else of its topic was refused was so for its own sake.
    pub(super) fn accepted(&mut self, row: i64, kin: Kin<'_>) {
        let all = common(kin.topic, kin.retained);
        self.rows.remove(&row);
        self.topics.remove(all);
        for hold in self.rows.values_mut().filter(|hold| common(&hold.topic, hold.retained) == all) {
            hold.cause = Cause::Message;
        }
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
    const PAUSE: Duration = Duration::from_secs(600);
    const UNTIL: Duration = Duration::from_secs(1600);
    /// When those that were refused come round again.
    const TURN_OVER: Duration = Duration::from_secs(1750);
    const HARM: Cause = Cause::Harm { doublings: 6 };
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
        assert!(!held.hold(7, NOBODY, Cause::Topic, NOW, PAUSE, 7));
        assert!(held.blocks(7, NOBODY, NOW));
        assert_eq!(held.len(NOW), 1);
        assert!(!held.blocks(7, NOBODY, UNTIL));
        assert_eq!(held.len(UNTIL), 0);
        held.hold(7, NOBODY, Cause::Topic, NOW, PAUSE, 7);
        held.accepted(7, NOBODY);
        assert!(!held.blocks(7, NOBODY, NOW));
    }

    #[test]
    fn what_follows_of_the_same_incident_waits_behind_an_alert() {
        let mut held = Held::default();
        held.hold(7, alert(1), Cause::Topic, NOW, PAUSE, 7);
        assert!(held.blocks(8, alert(1), NOW) && held.blocks(8, state(1, "open/1"), NOW));
        assert!(!held.blocks(6, alert(1), NOW), "what was before it does not");
        assert!(!held.blocks(8, alert(2), NOW) && !held.blocks(8, NOBODY, NOW));
        assert!(!held.blocks(8, alert(1), UNTIL));
    }

    #[test]
    fn only_its_own_topic_waits_behind_a_state() {
        let mut held = Held::default();
        held.hold(7, state(1, "open/1"), Cause::Topic, NOW, PAUSE, 7);
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

    /// The broker refuses these alerts, while `newest` is the last.
    fn refuse(held: &mut Held, rows: std::ops::Range<i64>, cause: Cause, now: Duration, newest: i64) -> Vec<bool> {
        rows.map(|row| held.hold(row, alert(row as u128), cause, now, PAUSE, newest)).collect()
    }

    fn passes(held: &Held, row: i64, now: Duration) -> bool {
        !held.blocks(row, alert(row as u128), now)
    }

    #[test]
    fn a_topic_of_which_many_are_refused_is_passed_over_as_a_whole() {
        let mut held = Held::default();
        let all = refuse(&mut held, 0..10, Cause::Topic, NOW, 99);
        assert_eq!(all.iter().position(|all| *all), Some(MOST_OF_TOPIC - 1));
        assert!(all[MOST_OF_TOPIC..].iter().all(|all| *all), "those that were in flight");
        assert!(!passes(&held, 99, NOW) && passes(&held, 99, UNTIL));
        let elsewhere = Kin { topic: "alert/critical/gate", ..alert(99) };
        assert!(!held.blocks(99, elsewhere, NOW) && !held.blocks(99, state(99, "open/99"), NOW));
        held.accepted(5, alert(5));
        assert!(passes(&held, 99, NOW), "the broker takes them again");
        assert!(!passes(&held, 4, NOW), "but perhaps not this one");
        assert!(refuse(&mut held, 10..10 + MOST_OF_TOPIC as i64 - 1, Cause::Topic, NOW, 99).iter().all(|all| !all));
    }

    #[test]
    fn what_is_new_is_tried_at_once_and_does_not_put_off_what_waits() {
        let mut held = Held::default();
        refuse(&mut held, 0..8, Cause::Topic, NOW, 99);
        assert!(passes(&held, 100, NOW));
        let later = NOW + PAUSE / 2;
        assert_eq!(refuse(&mut held, 100..101, Cause::Topic, later, 150), [true]);
        assert!(!passes(&held, 150, later) && passes(&held, 151, later), "or a flood of them would have no end");
        assert!(passes(&held, 99, UNTIL) && !passes(&held, 0, UNTIL));
    }

    #[test]
    fn those_that_were_refused_come_round_when_the_others_had_their_turn() {
        let mut held = Held::default();
        let (mut now, mut found) = (NOW, Vec::new());
        // Number 21 would be taken, and the oldest never are.
        for _ in 0..3 {
            let next: Vec<i64> = (1..=21).filter(|row| passes(&held, *row, now)).take(MOST_OF_TOPIC).collect();
            for row in next.iter().filter(|row| **row < 21) {
                refuse(&mut held, *row..row + 1, Cause::Topic, now, 21);
            }
            found.push((next[0], next.contains(&21)));
            now += PAUSE;
        }
        assert_eq!(found, [(1, false), (9, false), (17, true)]);
        let mut held = Held::default();
        refuse(&mut held, 0..8, Cause::Topic, NOW, 7);
        assert!((0..8).all(|row| !passes(&held, row, UNTIL) && passes(&held, row, TURN_OVER)));
    }

    #[test]
    fn what_is_refused_for_its_own_sake_holds_up_no_other() {
        let mut held = Held::default();
        assert!(refuse(&mut held, 0..100, Cause::Message, NOW, 999).iter().all(|all| !all));
        assert!((0..100).all(|row| !passes(&held, row, NOW)) && passes(&held, 100, NOW));
        assert!((0..100).all(|row| passes(&held, row, UNTIL) && held.was_refused(row)));
    }

    #[test]
    fn the_pause_of_what_does_harm_is_not_that_of_its_topic() {
        let mut held = Held::default();
        assert_eq!(refuse(&mut held, 0..8, HARM, NOW, 7).last(), Some(&true));
        assert!(!passes(&held, 8, NOW), "trying each new one would cost the others their connection");
        assert!(passes(&held, 8, UNTIL));
        assert!(!passes(&held, 0, NOW + 63 * PAUSE) && passes(&held, 0, NOW + 64 * PAUSE));
    }

    #[test]
    fn the_open_incidents_are_one_topic() {
        let mut held = Held::default();
        for number in 0..MOST_OF_TOPIC as i64 {
            let topic = format!("open/{number}");
            held.hold(number, state(number as u128, &topic), Cause::Topic, NOW, PAUSE, 99);
        }
        assert!(held.blocks(99, state(99, "open/99"), NOW) && !held.blocks(99, alert(99), NOW));
    }

    #[test]
    fn it_does_not_grow_without_bound() {
        for cause in [Cause::Topic, Cause::Message, HARM] {
            let mut held = Held::default();
            for row in 0..10_000 {
                let topic = format!("alert/info/camera-{}", row % 500);
                let kin = Kin { topic: &topic, ..alert(row as u128) };
                held.hold(row, kin, cause, NOW, PAUSE, row);
                assert!(held.blocks(row, kin, NOW));
            }
            assert_eq!((held.rows.len(), held.topics.len()), (MOST_ROWS, 500));
            let later = NOW + 65 * PAUSE;
            held.hold(10_000, NOBODY, cause, later, PAUSE, 10_000);
            assert_eq!((held.rows.len(), held.topics.len()), (1, 0), "what is over is forgotten");
        }
    }
}
