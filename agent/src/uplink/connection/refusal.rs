//! What is done about messages and states that the broker does not take.

use std::time::Duration;

use super::{Item, Sent, Talk};
use crate::uplink::{Concern, LinkError, blame::Suspect, guests::is_guest, held::common, outbox::Kin};

impl Talk<'_> {
    /// The message stays in the outbox and is offered again later; the others go on, but
    /// for those that must not overtake it. A broker answers in the order of the publishes (MQTT 5,
    /// section 4.6), so this comes before the answers to what followed it.
    pub(super) fn hold(&mut self, sent: Sent, reason: &str) {
        let pause = self.shared.settings.pause;
        let Some((topic, all)) = self.set_aside(sent, reason, pause) else { return };
        let (broker, minutes) = (self.address(), pause.as_secs() / 60);
        let remedy = "check what this user may publish and the broker's limits";
        let sentence = if all {
            format!(
                "broker {broker} refuses one message after the other on {topic} ({reason}); all that are for it wait and \
                 are tried again every {minutes} minutes; {remedy}"
            )
        } else {
            format!(
                "broker {broker} refuses a message on {topic} ({reason}); it is kept and tried again in {minutes} \
                 minutes; {remedy}"
            )
        };
        self.complain(&topic, if all { "all" } else { reason }, sentence);
    }

    /// The message does harm. It stays in the outbox too, but it is tried again ever more seldom.
    fn condemn(&mut self, sent: Sent, what: &str) {
        let pause = self.shared.settings.pause * (1 << self.memory.blame.doublings(sent.row));
        let sequence = sent.sequence.map_or_else(String::new, |sequence| format!(", number {sequence}"));
        let Some((topic, _)) = self.set_aside(sent, what, pause) else { return };
        let sentence = format!(
            "broker {} {what} a message on {topic}{sequence}; it is set aside so that the others go on, and tried again in {} \
             minutes; see the broker's log",
            self.address(),
            pause.as_secs() / 60
        );
        self.complain(&topic, what, sentence);
    }

    /// Its topic, the last level of a retained one left open, and whether all on it waits from now on. Nothing if it was
    /// for another system.
    fn set_aside(&mut self, sent: Sent, reason: &str, pause: Duration) -> Option<(String, bool)> {
        let Sent { row, incident, retain: retained, topic, .. } = sent;
        if is_guest(&topic) {
            self.turn_away(&topic, reason);
            self.shared.outbox.delivered(&[row]);
            return None;
        }
        let (now, kin) = (self.now(), Kin { incident, topic: &topic, retained });
        let all = self.memory.held.hold(row, kin, now, now + pause);
        self.shared.report(|report| report.refused += 1);
        self.count_held();
        let open = if retained { "+" } else { "" };
        Some((format!("{}{open}", common(&topic, retained)), all))
    }

    /// Logs it once for each topic and reason until the broker takes something there; shows it as long as anything is
    /// held.
    fn complain(&mut self, topic: &str, reason: &str, sentence: String) {
        if self.memory.complains(topic, reason) {
            tracing::error!("{sentence}");
        } else {
            tracing::debug!("{sentence}");
        }
        self.shared.report(|report| _ = report.concern(Concern::Refused, Some(sentence)));
    }

    /// The broker has a message of the outbox.
    pub(super) fn accepted(&mut self, sent: &Sent) {
        let Sent { row, incident, retain: retained, topic, .. } = sent;
        if is_guest(topic) {
            self.memory.guests.accepted();
        }
        self.memory.written.remove(row);
        self.memory.blame.accepted(*row);
        self.memory.takes(common(topic, *retained));
        self.memory.held.accepted(*row, Kin { incident: *incident, topic, retained: *retained });
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
        if is_guest(topic) {
            self.memory.guests.accepted();
        }
        self.memory.held.accepted_state(topic);
        self.memory.blame.accepted_state(topic);
        self.memory.left_out.remove(topic);
    }

    pub(super) fn count_held(&self) {
        let held = self.memory.held.len(self.now()) as u64;
        self.shared.report(|report| {
            report.held = held;
            if held == 0 {
                report.concern(Concern::Refused, None);
            }
        });
    }

    /// Did a message end this connection, or is there one that the broker never answers?
    pub(super) fn judge(&mut self, error: &LinkError) {
        let what = match error {
            LinkError::Lost { .. } | LinkError::Dismissed { .. } | LinkError::Unreadable { .. } => "hangs up on",
            LinkError::Silent { .. } if self.window.is_passed_over() => "answers all others but never",
            // A dead network, or a second box of the same name, says nothing about a message.
            _ => return,
        };
        let never_answered = matches!(error, LinkError::Silent { .. });
        let first = self.window.unanswered().next().cloned();
        if let Some(Item::Row { sent: Sent { topic, .. }, .. } | Item::State { topic }) = &first
            && is_guest(topic)
        {
            if self.memory.guests.hung_up() {
                self.turn_away(topic, &format!("it {what} this one"));
            }
            return;
        }
        let fruitful = self.fruitful;
        let blame = &mut self.memory.blame;
        let mut guilty =
            |suspect| if never_answered { blame.ignored(suspect) } else { blame.hung_up(suspect, fruitful) };
        match first {
            Some(Item::Row { sent, .. }) => {
                if guilty(Suspect::Row(sent.row)) {
                    self.condemn(sent, what);
                }
            }
            Some(Item::State { topic } | Item::Owed { topic, .. }) => {
                if guilty(Suspect::State(topic.clone())) {
                    self.leave_out(&topic, &format!("it {what} this one"), "check what this user may publish");
                }
            }
            // The subscriptions have a judgement of their own, and the others are not sent again.
            Some(Item::Subscription | Item::Recall | Item::Withdrawn { .. } | Item::Passing { .. } | Item::Stopped)
            | None => {}
        }
    }
}
