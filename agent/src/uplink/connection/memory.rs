use std::{collections::BTreeSet, time::Duration};

use super::{hearing::Hearing, recall::Recalls};
use crate::uplink::{blame::Blame, guests::Guests, held::Held, mqtt::Tls, route::Route};

/// More rows than were ever in flight and unanswered at the end of a connection; they only serve to count repeats.
const MOST_WRITTEN: usize = 1024;
/// More complaints and topics without listeners are not told apart. A box has a few topics for each camera.
const MOST_TOPICS: usize = 256;

/// What is remembered from one connection to the next.
#[derive(Debug)]
pub(in crate::uplink) struct Memory {
    pub route: Route,
    pub(super) held: Held,
    pub(super) blame: Blame,
    pub(super) guests: Guests,
    pub(super) hearing: Hearing,
    pub(super) recalls: Recalls,
    /// The renewed files of `[broker]` that the broker did not like, and when to try them again.
    pub(super) refused_files: Option<([u8; 32], Duration)>,
    /// Rows that were written to a connection and not acknowledged on it.
    pub(super) written: BTreeSet<i64>,
    /// States that were said to be left out.
    pub(super) left_out: BTreeSet<String>,
    /// Topics that were said to be refused, with the reason.
    complained: BTreeSet<(String, String)>,
    /// Topics of alerts that nobody subscribes to.
    pub(super) unheard: BTreeSet<String>,
}

impl Memory {
    pub(in crate::uplink) fn new(route: Route) -> Self {
        let (held, blame, guests, hearing, recalls, refused_files) = Default::default();
        let (written, left_out, complained, unheard) = Default::default();
        Self { route, held, blame, guests, hearing, recalls, refused_files, written, left_out, complained, unheard }
    }

    /// Was this row written before, without an answer? It is from now on.
    pub(super) fn was_written(&mut self, row: i64) -> bool {
        // One that the outbox has dropped since is never answered.
        if self.written.len() >= MOST_WRITTEN {
            self.written.clear();
        }
        !self.written.insert(row)
    }

    /// Leaves for this address in good order. What the broker before did not want may be welcome there. After a
    /// failure it is not forgotten: a message that ends every connection has to be found, wherever it is sent.
    pub(in crate::uplink) fn move_to(&mut self, to: usize) {
        if to != self.route.at() {
            (self.held, self.blame, self.guests, self.hearing, self.left_out) = Default::default();
            (self.complained, self.unheard) = Default::default();
        }
        if to < self.route.at() {
            self.route.goes_back();
        }
        self.route.go(to);
    }

    /// Is this refusal news?
    pub(super) fn complains(&mut self, topic: &str, reason: &str) -> bool {
        if self.complained.len() >= MOST_TOPICS {
            self.complained.clear();
        }
        self.complained.insert((topic.to_owned(), reason.to_owned()))
    }

    /// The broker takes something on this topic.
    pub(super) fn takes(&mut self, topic: &str) {
        self.complained.retain(|(refused, _)| refused.trim_end_matches('+') != topic);
    }

    /// Notes whether anybody subscribes to this topic of alerts.
    pub(super) fn heard(&mut self, topic: &str, by_somebody: bool) {
        if by_somebody {
            self.unheard.remove(topic);
        } else if self.unheard.len() < MOST_TOPICS && !self.unheard.contains(topic) {
            self.unheard.insert(topic.to_owned());
        }
    }

    /// Were these files tried, and the broker did not like them?
    pub(in crate::uplink) fn has_refused(&self, tls: &Tls) -> bool {
        self.refused_files.is_some_and(|(refused, _)| refused == tls.fingerprint)
    }
}
