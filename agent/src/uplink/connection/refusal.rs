//! What is done about messages and states that the broker does not take.

use super::{Item, Sent, Talk};
use crate::uplink::{held::Suspect, outbox::Kin};

impl Talk<'_> {
    /// The message stays in the outbox and is offered again later; the others go on, but
    /// for those that must not overtake it. A broker answers in the order of the publishes (MQTT 5,
    /// section 4.6), so this comes before the answers to what followed it.
    pub(super) fn hold(&mut self, sent: Sent, reason: &str) {
        let Sent { row, incident, retain, topic, .. } = sent;
        tracing::error!(
            "broker {} refuses a message on {topic} ({reason}); it is kept and tried again in {} minutes; check \
             what this user may publish and the broker's limits",
            self.address(),
            self.shared.settings.pause.as_secs() / 60
        );
        let until = self.now() + self.shared.settings.pause;
        self.memory.held.hold(row, Kin { incident, retained: retain.then_some(topic.as_str()) }, until);
        self.count_held();
    }

    /// The state is not shown for a while. Said once, because each connection shows all
    /// states anew.
    pub(super) fn leave_out(&mut self, topic: &str, reason: &str, remedy: &str) {
        let until = self.now() + self.shared.settings.pause;
        self.memory.held.hold_state(topic.to_owned(), until);
        if self.memory.left_out.insert(topic.to_owned()) {
            tracing::error!(
                "broker {} cannot take the state on {topic} ({reason}); it is left out, alerts go on; {remedy}",
                self.address()
            );
        }
    }

    /// The broker does not take this state; it is shown again after a while.
    pub(super) fn refused_state(&mut self, topic: String, reason: &str) {
        self.leave_out(&topic, reason, "check what this user may publish");
        self.shown.remove(&topic);
        // One of the board, or one that is owed, comes again by itself.
        self.opening.extend(self.opening_states().into_iter().filter(|(opening, _)| *opening == topic));
    }

    /// The broker has this state.
    pub(super) fn accepted_state(&mut self, topic: &str) {
        self.memory.held.accepted_state(topic);
        self.memory.left_out.remove(topic);
    }

    pub(super) fn count_held(&self) {
        let held = self.memory.held.len(self.now()) as u64;
        self.shared.report(|report| report.held = held);
    }

    /// Did a message end this connection?
    pub(super) fn judge(&mut self) {
        if self.fruitful {
            return;
        }
        let reason = "it hangs up each time this one is sent";
        let first = self.window.unanswered().next().cloned();
        match first {
            Some(Item::Row { sent, .. }) => {
                if self.memory.held.hung_up(Suspect::Row(sent.row)) {
                    self.hold(sent, reason);
                }
            }
            Some(Item::State { topic } | Item::Owed { topic, .. }) => {
                if self.memory.held.hung_up(Suspect::State(topic.clone())) {
                    self.leave_out(&topic, reason, "check what this user may publish");
                }
            }
            // The subscription has a judgement of its own.
            Some(Item::Subscription | Item::Stopped) | None => {}
        }
    }
}
