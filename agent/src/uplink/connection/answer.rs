//! What comes from the broker, and what becomes of it.

use super::{Item, Phase, Talk};
use crate::uplink::{
    Concern,
    guests::is_guest,
    mqtt::{Event, Version},
};

impl Talk<'_> {
    pub(super) fn handle(&mut self, event: Event, version: Version) {
        if !matches!(event, Event::Written(_) | Event::Other | Event::SignedOff) {
            self.heard = self.now();
        }
        match event {
            Event::SignedOn { window, largest } => self.signed_on(window, largest, version),
            Event::Written(packet_id) => {
                if let Some(Item::Row { sent, .. }) = self.window.written(packet_id)
                    && self.memory.was_written(sent.row)
                {
                    self.shared.report(|report| report.resent += 1);
                }
            }
            Event::Answered { packet_id, refusal, unheard } => match self.answer(packet_id, false) {
                Some(item) => {
                    if refusal.is_none() {
                        self.heard_of(&item, !unheard);
                    }
                    self.answered(item, refusal);
                }
                None => tracing::debug!("an acknowledgement for packet {packet_id}, which is not in flight"),
            },
            Event::Subscribed { packet_id, refusals } => match self.answer(packet_id, true) {
                Some(Item::Recall) => self.may_recall(&refusals),
                Some(_) => self.heard_about(&refusals),
                None => tracing::debug!("an answer to a subscription {packet_id} that nobody made"),
            },
            Event::Received(message) => {
                // It may be the receipt for what was acknowledged just before, and others read it.
                self.settle();
                if !self.remembers(&message) {
                    self.received(message);
                }
            }
            // rumqttc also says so about a sign-off that it means to send and does not.
            Event::SignedOff if matches!(self.phase, Phase::SigningOff { .. }) => self.phase = Phase::Done,
            Event::SignedOff | Event::Heard | Event::Other | Event::Wrong(_) => {}
        }
    }

    /// What this answer is about; nothing if it is not the answer that belongs to it.
    fn answer(&mut self, packet_id: u16, to_subscription: bool) -> Option<Item> {
        let holder = self.window.holder(packet_id)?;
        (matches!(holder, Item::Subscription | Item::Recall) == to_subscription)
            .then(|| self.window.acknowledged(packet_id))?
    }

    fn answered(&mut self, item: Item, refusal: Option<String>) {
        match (item, refusal) {
            (Item::Row { sent, alert }, None) => {
                self.delivered.push(sent.row);
                self.accepted(&sent);
                self.window.resize(self.widest.min(self.memory.blame.window()));
                self.fruitful = true;
                if alert {
                    self.shared.report(|report| report.delivered += 1);
                }
                if let Some(state) = sent.state {
                    self.shared.board.retained().accepted(&self.broker, sent.topic, state);
                }
            }
            (Item::Row { sent, .. }, Some(reason)) => self.hold(sent, &reason),
            (Item::State { topic }, Some(reason)) if is_guest(&topic) => {
                self.shown.remove(&topic);
                self.turn_away(&topic, &reason);
            }
            (Item::State { topic } | Item::Owed { topic, .. }, Some(reason)) => self.refused_state(topic, &reason),
            (Item::State { topic }, None) => self.accepted_state(&topic),
            (Item::Owed { topic, payload }, None) => {
                self.accepted_state(&topic);
                self.shared.board.retained().paid(&self.broker, topic, payload);
            }
            (Item::Withdrawn { topic }, None) => self.shared.board.retained().withdrawn(&self.broker, &topic),
            (Item::Withdrawn { topic }, Some(reason)) => {
                self.leave_out(&topic, &reason, "check what this user may publish");
            }
            (Item::Passing { about }, None) => self.shared.settings.passing.sent(&about),
            (Item::Passing { about }, Some(reason)) => {
                self.shared.settings.passing.dropped(&about, &format!("the broker refuses it ({reason})"));
            }
            (Item::Stopped, _) => self.sign_off(),
            // Answered in another way.
            (Item::Subscription | Item::Recall, _) => {}
        }
    }

    /// Notes whether anybody subscribes to what the broker has acknowledged. With `delivery = "puback"` an alert that
    /// nobody hears is delivered all the same, so somebody has to know.
    fn heard_of(&mut self, item: &Item, by_somebody: bool) {
        let Item::Row { sent, alert: true } = item else { return };
        if !by_somebody {
            self.shared.report(|report| report.unheard += 1);
        }
        self.memory.heard(&sent.topic, by_somebody);
        let sentence = self.memory.unheard.first().map(|topic| {
            format!(
                "broker {} takes alerts on {topic}, but nobody subscribes to them: they reach nobody; see whether the \
                 operations centre is connected, and to what it subscribes",
                self.address()
            )
        });
        self.shared.concern(Concern::Unheard, sentence);
    }
}
