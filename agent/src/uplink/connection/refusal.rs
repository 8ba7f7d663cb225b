//! What is done about messages and states that the broker does not take.

use karaul_wire::BoxPath;

use super::{Item, Sent, Talk};
use crate::uplink::{held::Suspect, outbox::Kin};

impl Talk<'_> {
    /// The message stays in the outbox and is offered again later; the others go on, but
    /// for those that must not overtake it. A broker answers in the order of the publishes (MQTT 5,
    /// section 4.6), so this comes before the answers to what followed it.
    pub(super) fn hold(&mut self, sent: Sent, reason: &str) {
        let Sent { row, incident, retain, topic, .. } = sent;
        if self.is_guest(&topic) {
            self.turn_away(&topic, reason);
            self.shared.outbox.delivered(&[row]);
            return;
        }
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

    /// Is the topic none of Karaul's? What is for other systems must not cost an alert. A box that was given
    /// another path still has alerts under the old one.
    pub(super) fn is_guest(&self, topic: &str) -> bool {
        !topic.strip_prefix(BoxPath::ROOT).is_some_and(|rest| rest.starts_with('/'))
    }

    /// Nothing is sent to other systems for a while; their events are dropped meanwhile.
    pub(super) fn turn_away(&mut self, topic: &str, reason: &str) {
        let now = self.now();
        if self.memory.guests.refused(now) {
            tracing::error!(
                "broker {} refuses {topic} ([output]; {reason}); the other outputs are left out for an hour, alerts go \
                 on; allow this user to publish there, or switch the output off",
                self.address()
            );
        }
    }

    /// The broker does not take this state; it is shown again after a while.
    pub(super) fn refused_state(&mut self, topic: String, reason: &str) {
        self.leave_out(&topic, reason, "check what this user may publish");
        self.shown.remove(&topic);
        // One of the board, or one that is owed, comes again by itself.
        self.opening.extend(Some(self.online()).filter(|(online, _)| *online == topic));
    }

    /// The broker has this state.
    pub(super) fn accepted_state(&mut self, topic: &str) {
        if self.is_guest(topic) {
            self.memory.guests.accepted();
        }
        self.memory.held.accepted_state(topic);
        self.memory.left_out.remove(topic);
    }

    pub(super) fn count_held(&self) {
        let held = self.memory.held.len(self.now()) as u64;
        self.shared.report(|report| report.held = held);
    }

    /// Did a message end this connection?
    pub(super) fn judge(&mut self) {
        let reason = "it hangs up each time this one is sent";
        let first = self.window.unanswered().next().cloned();
        if let Some(Item::Row { sent: Sent { topic, .. }, .. } | Item::State { topic }) = &first
            && self.is_guest(topic)
        {
            if self.memory.guests.hung_up() {
                self.turn_away(topic, reason);
            }
            return;
        }
        if self.fruitful {
            return;
        }
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
