use std::{collections::BTreeSet, time::Duration};

use super::hearing::Hearing;
use crate::uplink::{guests::Guests, held::Held, mqtt::Tls, retained::Retained, route::Route};

/// More rows than were ever in flight and unanswered at the end of a connection; they only serve to count repeats.
const MOST_WRITTEN: usize = 1024;

/// What is remembered from one connection to the next.
#[derive(Debug)]
pub(in crate::uplink) struct Memory {
    pub route: Route,
    pub(super) held: Held,
    pub(super) guests: Guests,
    pub(super) hearing: Hearing,
    pub(super) retained: Retained,
    /// The renewed files of `[broker]` that the broker did not like, and when to try them again.
    pub(super) refused_files: Option<([u8; 32], Duration)>,
    /// Rows that were written to a connection and not acknowledged on it.
    pub(super) written: BTreeSet<i64>,
    /// States that were said to be left out.
    pub(super) left_out: BTreeSet<String>,
}

impl Memory {
    pub(in crate::uplink) fn new(route: Route) -> Self {
        let (held, guests, hearing, retained, refused_files, written, left_out) = Default::default();
        Self { route, held, guests, hearing, retained, refused_files, written, left_out }
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
            (self.held, self.guests, self.hearing, self.left_out) = Default::default();
        }
        self.route.go(to);
    }

    /// Were these files tried, and the broker did not like them?
    pub(in crate::uplink) fn has_refused(&self, tls: &Tls) -> bool {
        self.refused_files.is_some_and(|(refused, _)| refused == tls.fingerprint)
    }
}
