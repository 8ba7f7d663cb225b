//! What is said on a connection, in which order, and how much at once.

use std::{sync::Arc, time::Duration};

use karaul_wire::mark_backfill;

use super::{Item, Phase, Sent, Talk};
use crate::uplink::{Message, Waiting, board::State, guests::is_guest, outbox::Kin, passing::Parcel};

/// Places of the window that the backlog leaves free.
const FREE: usize = 4;

/// What became of a state.
enum Shown {
    /// It is handed over.
    Yes,
    /// The broker does not take it at present; it comes later.
    LeftOut,
    /// Nothing more goes out at present.
    NoRoom,
}

impl Talk<'_> {
    /// Hands over what there is to say, as long as the window has room: what the broker remembers is asked, how the box is,
    /// what changed, then the outbox in order, what this broker may lack of the open incidents, what is not kept, and
    /// last what is for other systems.
    pub(super) fn feed(&mut self) {
        if self.since.is_none() || !matches!(self.phase, Phase::Working | Phase::Flushing { .. }) {
            return;
        }
        self.ask();
        if self.recall.is_unanswered() {
            return;
        }
        self.subscribe();
        if self.recall.comes_first(self.now()) {
            return;
        }
        let mut index = 0;
        while let Some((topic, payload)) = self.opening.get(index).cloned() {
            match self.show(topic, payload) {
                Shown::Yes => _ = self.opening.remove(index),
                Shown::LeftOut => index += 1,
                Shown::NoRoom => return,
            }
        }
        let (guests, own): (Vec<_>, Vec<_>) =
            self.shared.board.news(&self.shown).into_iter().partition(|(topic, _)| is_guest(topic));
        for (topic, state) in own {
            match self.show(topic.clone(), state.payload) {
                Shown::Yes => _ = self.shown.insert(topic, state.version),
                Shown::LeftOut => {}
                Shown::NoRoom => return,
            }
        }
        for (topic, payload) in self.shared.board.take_passing() {
            // Lost if the client takes nothing now: it only matters now.
            self.client.publish(topic, payload, false, false);
        }
        let now = self.now();
        let (room, backlog) = (self.window.room(), self.backlog_room(now));
        for waiting in self.next(room, backlog) {
            let fresh = waiting.fresh;
            if !self.offer(waiting, now) {
                return;
            }
            if !fresh {
                self.drain.take();
            }
        }
        self.pay_one();
        self.pass_one();
        self.show_one_of(guests);
    }

    /// One state that this broker may lack; one at a time, so that hardly anything is ahead of the next alert.
    fn pay_one(&mut self) {
        if self.window.any(|item| matches!(item, Item::Owed { .. })) {
            return;
        }
        for (topic, payload) in self.owed() {
            if self.fits(&topic, &payload) {
                let item = Item::Owed { topic: topic.clone(), payload: payload.clone() };
                self.publish(item, topic, payload, true);
                return;
            }
        }
    }

    /// One message that is not kept, if no other is under way and nothing new waits.
    fn pass_one(&mut self) {
        let passing = Arc::clone(&self.shared.settings.passing);
        let on_its_way = self.window.any(|item| matches!(item, Item::Passing { .. }));
        if passing.is_empty() || on_its_way || self.window.room() == 0 || !self.next(1, 0).is_empty() {
            return;
        }
        let Some(Parcel { about, topic, payload, .. }) = passing.take() else { return };
        if topic.len() + payload.len() > self.largest {
            passing.dropped(&about, &too_large(self.largest));
        } else if !self.publish(Item::Passing { about: about.clone() }, topic, payload, false) {
            passing.dropped(&about, "the connection takes nothing at present");
        }
    }

    /// One at a time, so that hardly anything is ahead of the next alert, and so that it is known on whose
    /// account a broker hangs up.
    fn show_one_of(&mut self, guests: Vec<(String, State)>) {
        let on_its_way = self.window.any(|item| matches!(item, Item::State { topic } if is_guest(topic)));
        if on_its_way || self.memory.guests.are_out(self.now()) {
            return;
        }
        for (topic, state) in guests {
            match self.show(topic.clone(), state.payload) {
                Shown::Yes => {
                    self.shown.insert(topic, state.version);
                    return;
                }
                Shown::LeftOut => {}
                Shown::NoRoom => return,
            }
        }
    }

    /// Hands a state over, or leaves it out if the broker cannot take it: no state is worth
    /// an alert.
    fn show(&mut self, topic: String, payload: Vec<u8>) -> Shown {
        if self.memory.held.blocks_state(&topic, self.now()) {
            return Shown::LeftOut;
        }
        if !self.fits(&topic, &payload) {
            return Shown::LeftOut;
        }
        let item = Item::State { topic: topic.clone() };
        if self.publish(item, topic, payload, true) { Shown::Yes } else { Shown::NoRoom }
    }

    /// Does the broker take a state of this size? If not, it is left out.
    fn fits(&mut self, topic: &str, payload: &[u8]) -> bool {
        let fits = topic.len() + payload.len() <= self.largest;
        if !fits {
            self.leave_out(topic, &too_large(self.largest), "raise the broker's largest packet size");
        }
        fits
    }

    /// Is there a state to be shown that is not left out at present?
    pub(super) fn has_states(&self) -> bool {
        let now = self.now();
        let news = self.shared.board.news(&self.shown);
        let mut topics = self.opening.iter().map(|(topic, _)| topic).chain(news.iter().map(|(topic, _)| topic));
        let guests_are_out = self.memory.guests.are_out(now);
        let left_out =
            |topic: &String| self.memory.held.blocks_state(topic, now) || (guests_are_out && is_guest(topic));
        topics.any(|topic| !left_out(topic))
    }

    /// How many may go out that waited for the connection. Some places stay free for what is new:
    /// on a slow link it would wait for an acknowledgement otherwise.
    fn backlog_room(&mut self, now: Duration) -> usize {
        let room = self.window.room();
        if self.phase != Phase::Working {
            // It is about to stop: whatever can still go out.
            return room;
        }
        let free = if self.window.size() > 2 * FREE { FREE } else { 0 };
        self.drain.room(now).min(room.saturating_sub(free))
    }

    /// States of incidents that this broker may lack, if nothing is under way that would change them here.
    fn owed(&self) -> Vec<(String, Vec<u8>)> {
        let (now, held) = (self.now(), &self.memory.held);
        let is_under_way = |topic: &str| {
            self.window.any(|item| match item {
                Item::Row { sent, .. } => sent.topic == topic,
                Item::Owed { topic: owed, .. } => owed == topic,
                _ => false,
            })
        };
        let retained = self.shared.board.retained();
        let owed = retained.owed(&self.broker);
        owed.filter(|(topic, _)| !held.blocks_state(topic, now) && !is_under_way(topic))
            .map(|(topic, payload)| (topic.to_owned(), payload.to_vec()))
            .collect()
    }

    /// The next ones, at most so many, and at most `backlog` that waited for the connection.
    pub(super) fn next(&self, limit: usize, backlog: usize) -> Vec<Waiting> {
        if limit == 0 {
            return Vec::new();
        }
        let now = self.now();
        self.shared.outbox.next_in_turn(limit, backlog, |row, kin| {
            self.memory.held.blocks(row, kin, now)
                || self.window.any(|item| matches!(item, Item::Row { sent, .. } if sent.row == row))
        })
    }

    /// `false` if nothing more goes out at present.
    fn offer(&mut self, waiting: Waiting, now: Duration) -> bool {
        // One before it may have been held since the outbox was asked.
        if self.memory.held.blocks(waiting.row, Kin::of(&waiting.message), now) {
            return true;
        }
        if self.memory.guests.are_out(now) && is_guest(&waiting.message.topic) {
            self.shared.outbox.delivered(&[waiting.row]);
            return true;
        }
        let alert = is_alert(&waiting.message.topic);
        let late = alert && is_late(&waiting, now, self.shared.settings.late_after);
        let Waiting { row, message, .. } = waiting;
        let Message { incident, sequence, retain, .. } = message;
        let state = (retain && !is_guest(&message.topic)).then(|| message.payload.clone());
        let sent = Sent { row, incident, sequence, retain, topic: message.topic.clone(), state };
        let payload = if late { backfill(&message.topic, message.payload) } else { message.payload };
        if message.topic.len() + payload.len() > self.largest {
            self.hold(sent, &too_large(self.largest));
            return true;
        }
        self.publish(Item::Row { sent, alert }, message.topic, payload, message.retain)
    }

    /// Hands one over, if the window has room and the client takes it.
    pub(super) fn publish(&mut self, item: Item, topic: String, payload: Vec<u8>, retain: bool) -> bool {
        let taken = self.window.room() > 0 && self.client.publish(topic, payload, retain, true);
        if taken {
            let now = self.now();
            self.window.hand_over(item, now);
        }
        taken
    }
}

fn too_large(largest: usize) -> String {
    format!("it is larger than the {largest} bytes that the broker takes")
}

/// `karaul1/<region>/<district>/<site>/<box>/alert/…`
fn is_alert(topic: &str) -> bool {
    topic.split('/').nth(5) == Some("alert")
}

/// Committed while there was no connection or by another run, or simply long ago.
fn is_late(waiting: &Waiting, now: Duration, late_after: Duration) -> bool {
    !waiting.live || waiting.committed.is_none_or(|at| now.saturating_sub(at) >= late_after)
}

fn backfill(topic: &str, payload: Vec<u8>) -> Vec<u8> {
    mark_backfill(&payload).unwrap_or_else(|error| {
        tracing::warn!("a late message on {topic} cannot be marked `backfill` ({error}); it is sent as it is");
        payload
    })
}

#[cfg(test)]
mod tests {
    use karaul_wire::Severity;

    use super::*;

    #[test]
    fn only_the_sixth_level_makes_an_alert() {
        assert!(is_alert("karaul1/almaty/turksib/school-042/b7f3/alert/info/gate"));
        assert!(!is_alert("karaul1/almaty/turksib/alert/alert/open/1"), "a site may be called so");
        assert!(!is_alert("karaul1/alert"));
    }

    #[test]
    fn late_is_what_waited_for_a_connection_a_restart_or_too_long() {
        let waiting = |live, committed| {
            let message = Message {
                topic: String::new(),
                payload: Vec::new(),
                retain: false,
                severity: Severity::Info,
                incident: None,
                sequence: None,
            };
            Waiting { row: 1, message, live, committed, fresh: true, again: false, passing: false }
        };
        let (at, limit) = (Duration::from_secs(100), Duration::from_secs(10));
        let is_late = |live, committed, after| is_late(&waiting(live, committed), at + after, limit);
        assert!(!is_late(true, Some(at), Duration::from_secs(9)));
        assert!(is_late(true, Some(at), limit));
        assert!(is_late(false, Some(at), Duration::ZERO));
        assert!(is_late(true, None, Duration::ZERO));
    }

    #[test]
    fn what_cannot_be_marked_is_sent_as_it_is() {
        assert_eq!(backfill("t", b"not an alert".to_vec()), b"not an alert");
    }
}
