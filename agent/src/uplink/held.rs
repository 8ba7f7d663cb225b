//! Messages that the broker does not want, kept from blocking the others: pure policy.

use std::{collections::BTreeMap, time::Duration};

use super::window::MOST_IN_FLIGHT;

/// A held message is offered again after this long. It never leaves the outbox unsent.
const PAUSE: Duration = Duration::from_secs(600);
/// After so many connections that ended without any message acknowledged, they are sent
/// one at a time, to find the one that the broker hangs up on.
const ONE_BY_ONE: u32 = 3;
/// So many connections that the same message ended, sent alone, are proof enough.
const PROOF: u32 = 3;

/// Rows that are passed over for a while: refused by the broker with a reason code, or
/// found to make it hang up each time (MQTT 3.1.1 has no other way to refuse).
#[derive(Debug, Default)]
pub(super) struct Held {
    until: BTreeMap<i64, Duration>,
    fruitless: u32,
    suspect: Option<(i64, u32)>,
}

impl Held {
    /// Passes a row over from now on, for [`PAUSE`].
    pub(super) fn hold(&mut self, row: i64, now: Duration) {
        self.until.insert(row, now + PAUSE);
    }

    /// Is it to be passed over?
    pub(super) fn contains(&self, row: i64, now: Duration) -> bool {
        self.until.get(&row).is_some_and(|until| now < *until)
    }

    /// How many are passed over.
    pub(super) fn len(&self, now: Duration) -> usize {
        self.until.values().filter(|until| now < **until).count()
    }

    /// It was acknowledged after all.
    pub(super) fn forget(&mut self, row: i64) {
        self.until.remove(&row);
    }

    /// A message was acknowledged: whatever ended the last connections was not one of them.
    pub(super) const fn fruitful(&mut self) {
        self.fruitless = 0;
        self.suspect = None;
    }

    /// A connection failed while `first` was the oldest message without an answer.
    /// Returns the row if it is held from now on.
    pub(super) fn connection_failed(&mut self, first: Option<i64>, now: Duration) -> Option<i64> {
        // Nothing had been sent: this says nothing about the messages.
        let row = first?;
        let alone = self.window() == 1;
        self.fruitless = self.fruitless.saturating_add(1);
        if !alone {
            return None;
        }
        let times = self.suspect.filter(|(suspect, _)| *suspect == row).map_or(0, |(_, times)| times) + 1;
        self.suspect = Some((row, times));
        if times < PROOF {
            return None;
        }
        self.hold(row, now);
        self.suspect = None;
        Some(row)
    }

    /// How many messages may be in flight at once.
    pub(super) const fn window(&self) -> u16 {
        if self.fruitless >= ONE_BY_ONE { 1 } else { MOST_IN_FLIGHT }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Duration = Duration::from_secs(1000);

    #[test]
    fn a_refused_row_is_offered_again_later() {
        let mut held = Held::default();
        held.hold(7, NOW);
        assert!(held.contains(7, NOW + PAUSE / 2));
        assert_eq!(held.len(NOW), 1);
        assert!(!held.contains(7, NOW + PAUSE));
        assert_eq!(held.len(NOW + PAUSE), 0);
        held.hold(7, NOW);
        held.forget(7);
        assert!(!held.contains(7, NOW));
    }

    #[test]
    fn the_row_that_ends_every_connection_is_found_and_held() {
        let mut held = Held::default();
        for _ in 0..ONE_BY_ONE {
            assert_eq!(held.window(), MOST_IN_FLIGHT);
            assert_eq!(held.connection_failed(Some(7), NOW), None);
        }
        assert_eq!(held.window(), 1);
        assert_eq!(held.connection_failed(Some(7), NOW), None);
        assert_eq!(held.connection_failed(Some(7), NOW), None);
        assert_eq!(held.connection_failed(Some(7), NOW), Some(7));
        assert!(held.contains(7, NOW));
    }

    #[test]
    fn a_bad_network_holds_nothing() {
        let mut held = Held::default();
        for _ in 0..50 {
            assert_eq!(held.connection_failed(None, NOW), None);
        }
        assert_eq!(held.window(), MOST_IN_FLIGHT, "nothing was sent, so no message is to blame");
        for row in 0..50 {
            assert_eq!(held.connection_failed(Some(row), NOW), None);
            held.fruitful();
        }
        assert_eq!((held.window(), held.len(NOW)), (MOST_IN_FLIGHT, 0));
    }
}
