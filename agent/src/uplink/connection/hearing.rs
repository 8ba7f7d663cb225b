//! What the box hears: its subscription, and the messages that come of it.
//!
//! The client acknowledges a message before anybody has done anything about it, and there is no session that outlasts
//! a connection: what came while the box was away, or what is lost in a crash, is not repeated. That is meant so. A
//! command is short-lived and answered, so whoever gets no answer sends it again, with the same id; a receipt is
//! followed by a greater one, and the latest is best retained by the broker.

use std::time::Duration;

use super::{Item, Phase, Talk};
use crate::uplink::{
    Concern, LinkError,
    inbox::{Incoming, Kind, Unfit},
    mqtt::{Received, matches},
};

/// So many connections in a row that ended over the subscription are proof enough. Some brokers hang up instead of
/// saying no.
const PROOF: u32 = 2;
/// Then it is left for so many times the usual pause: trying again costs the connection.
const LONGER: u32 = 6;

/// Whether it is wise to subscribe: pure policy.
#[derive(Debug, Default)]
pub(super) struct Hearing {
    /// Connections in a row that ended with the subscription unanswered.
    strikes: u32,
    /// Connections in a row that ended with a packet that cannot be read.
    unreadable: u32,
    /// Not before.
    until: Option<Duration>,
}

impl Hearing {
    fn may_subscribe(&self, now: Duration) -> bool {
        self.until.is_none_or(|until| now >= until)
    }

    /// A connection ended with the subscription unanswered. `true` if that is proof.
    fn strike(&mut self) -> bool {
        self.strikes += 1;
        self.strikes >= PROOF
    }

    /// A connection with a subscription ended. `true` if the packets that it brings end each one: a broker may keep
    /// one for us that we cannot read.
    fn ended(&mut self, unreadable: bool) -> bool {
        self.unreadable = if unreadable { self.unreadable + 1 } else { 0 };
        self.unreadable >= PROOF
    }

    /// It is left for a while, for the alerts' sake.
    fn leave(&mut self, until: Duration) {
        *self = Self { until: Some(until), ..Self::default() };
    }

    /// The broker has said yes.
    fn works(&mut self) {
        (self.strikes, self.until) = (0, None);
    }
}

impl Talk<'_> {
    /// Subscribes, once on each connection. It takes a place in the window, because the client gives it a packet id
    /// out of the same circle as the publishes.
    pub(super) fn subscribe(&mut self) {
        let filters = &self.shared.settings.subscriptions;
        let now = self.now();
        let due = !self.subscribed && !filters.is_empty() && self.phase == Phase::Working;
        if !due || self.window.room() == 0 || !self.memory.hearing.may_subscribe(now) {
            return;
        }
        let filters: Vec<_> = filters.iter().map(|wanted| (wanted.filter.clone(), wanted.retained)).collect();
        if self.client.subscribe(&filters) {
            self.subscribed = true;
            self.window.hand_over(Item::Subscription, now);
        }
    }

    /// The broker has answered the subscription.
    pub(super) fn heard_about(&mut self, refusals: &[Option<String>]) {
        let filters = &self.shared.settings.subscriptions;
        let refused: Vec<String> = filters
            .iter()
            .zip(refusals)
            .filter_map(|(wanted, refusal)| Some(format!("{} ({})", wanted.filter, refusal.as_ref()?)))
            .collect();
        if refused.is_empty() {
            self.memory.hearing.works();
            self.shared.concern(Concern::Deaf, None);
            return;
        }
        let (broker, refused) = (self.address(), refused.join(", "));
        let sentence = format!(
            "broker {broker} does not let this box subscribe to {refused}; allow it to this user; what is sent there \
             is not heard, alerts go on"
        );
        self.go_deaf(sentence, 1);
        self.subscribed = false;
    }

    /// A message came in.
    pub(super) fn received(&self, message: Received) {
        let Received { topic, payload, retained } = message;
        let inbox = &self.shared.settings.inbox;
        let Some(topic) = topic else { return inbox.refuse(Unfit::Unwanted) };
        let mut wanted = self.shared.settings.subscriptions.iter().filter(|wanted| matches(&topic, &wanted.filter));
        match wanted.next() {
            None => inbox.refuse(Unfit::Unwanted),
            Some(wanted) if retained && !wanted.retained => inbox.refuse(Unfit::Stale),
            // Somebody has cleared a receipt that the broker kept. It says nothing.
            Some(wanted) if wanted.retained && payload.is_empty() => {}
            Some(wanted) => {
                let kind = if wanted.retained { Kind::Receipt } else { Kind::Command };
                inbox.offer(Incoming { topic, payload, retained }, kind);
            }
        }
    }

    /// Did the subscription, or what came of it, end this connection?
    pub(super) fn judge_subscription(&mut self, error: &LinkError) {
        if !self.subscribed {
            return;
        }
        let unanswered = self.window.any(|item| *item == Item::Subscription);
        let unreadable = self.memory.hearing.ended(matches!(error, LinkError::Unreadable { .. }));
        let proof = match error {
            LinkError::Lost { .. } | LinkError::Dismissed { .. } => unanswered && self.memory.hearing.strike(),
            // The broker is there and answers everything but this.
            LinkError::Silent { limit, .. } => unanswered && self.now().saturating_sub(self.heard) < *limit,
            _ => unreadable,
        };
        if proof {
            let what = match error {
                LinkError::Silent { .. } => "does not answer",
                _ => "ends the connection",
            };
            let sentence = format!(
                "broker {} {what} when this box subscribes to its commands and receipts; check what this user may \
                 subscribe to and what is sent there; nothing is heard for {} minutes, alerts go on",
                self.address(),
                (self.shared.settings.pause * LONGER).as_secs() / 60
            );
            self.go_deaf(sentence, LONGER);
        }
    }

    fn go_deaf(&mut self, sentence: String, pauses: u32) {
        let until = self.now() + self.shared.settings.pause * pauses;
        self.memory.hearing.leave(until);
        self.shared.concern(Concern::Deaf, Some(sentence));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Duration = Duration::from_secs(1000);
    const LATER: Duration = Duration::from_secs(1600);

    #[test]
    fn one_lost_connection_proves_nothing() {
        let mut hearing = Hearing::default();
        assert!(!hearing.strike());
        hearing.works();
        assert!(!hearing.strike(), "it was answered in between");
        assert!(hearing.strike());
    }

    #[test]
    fn what_ends_each_connection_is_left_for_a_while() {
        let mut hearing = Hearing::default();
        assert!(!hearing.ended(true) && !hearing.ended(false) && !hearing.ended(true));
        hearing.works();
        assert!(hearing.ended(true), "the broker had said yes each time");
        hearing.leave(LATER);
        assert!(!hearing.may_subscribe(NOW) && hearing.may_subscribe(LATER));
        assert!(!hearing.ended(true), "it counts from one again");
    }
}
