//! What waits in memory while the disk takes nothing.

use std::collections::BTreeMap;

use uuid::Uuid;

use super::Waiting;

/// Most messages kept in memory.
const MOST_MESSAGES: usize = 1024;
/// Most payload bytes kept in memory.
const MOST_BYTES: usize = 4 << 20;

/// A bounded queue. Policy: where room is needed, the least severe message goes, and
/// among those the oldest.
#[derive(Debug, Default)]
pub(super) struct Spill {
    /// In row order.
    messages: Vec<Waiting>,
    bytes: usize,
    /// Incidents whose stored state is out of date; `None` is to be deleted.
    pub incidents: BTreeMap<Uuid, Option<String>>,
    /// Messages that had to go since the start.
    dropped: u64,
}

impl Spill {
    /// Adds a message at the end.
    pub(super) fn add(&mut self, waiting: Waiting) {
        self.bytes += size(&waiting);
        self.messages.push(waiting);
    }

    /// Makes the bound hold. Not part of [`Self::add`]: what the disk takes at once need not go.
    pub(super) fn trim(&mut self) {
        while self.messages.len() > MOST_MESSAGES || (self.bytes > MOST_BYTES && self.messages.len() > 1) {
            // `min_by_key` returns the first of equals: the oldest.
            let weakest = self.messages.iter().enumerate().min_by_key(|(_, waiting)| waiting.message.severity);
            let Some((index, _)) = weakest else { break };
            self.bytes -= size(&self.messages.remove(index));
            self.dropped += 1;
        }
    }

    /// Removes one message, if it is here.
    pub(super) fn remove(&mut self, row: i64) -> bool {
        let Ok(index) = self.messages.binary_search_by_key(&row, |waiting| waiting.row) else { return false };
        self.bytes -= size(&self.messages.remove(index));
        true
    }

    /// Removes the first `count` messages: they are on disk now.
    pub(super) fn written(&mut self, count: usize) {
        self.bytes -= self.messages.drain(..count).map(|waiting| size(&waiting)).sum::<usize>();
    }

    /// The messages, in row order.
    pub(super) fn messages(&self) -> &[Waiting] {
        &self.messages
    }

    /// Nothing waits for the disk.
    pub(super) fn is_empty(&self) -> bool {
        self.messages.is_empty() && self.incidents.is_empty()
    }

    /// Messages that had to go since the start.
    pub(super) const fn dropped(&self) -> u64 {
        self.dropped
    }
}

fn size(waiting: &Waiting) -> usize {
    waiting.message.topic.len() + waiting.message.payload.len()
}

#[cfg(test)]
mod tests {
    use karaul_wire::Severity;

    use super::*;
    use crate::uplink::Message;

    fn waiting(row: i64, severity: Severity, bytes: usize) -> Waiting {
        let message = Message { topic: String::new(), payload: vec![0; bytes], retain: false, severity };
        Waiting { row, message, live: true, committed: None }
    }

    fn rows(spill: &Spill) -> Vec<i64> {
        spill.messages().iter().map(|waiting| waiting.row).collect()
    }

    #[test]
    fn the_oldest_of_the_least_severe_goes_first() {
        let mut spill = Spill::default();
        let severities = [Severity::Warning, Severity::Info, Severity::Critical, Severity::Info];
        for (row, severity) in (0..).zip(severities.into_iter().cycle()).take(MOST_MESSAGES) {
            spill.add(waiting(row, severity, 1));
        }
        spill.trim();
        assert_eq!(spill.dropped(), 0);
        for (row, severity) in [(5000, Severity::Critical), (5001, Severity::Critical)] {
            spill.add(waiting(row, severity, 1));
            spill.trim();
        }
        assert_eq!(rows(&spill)[..6], [0, 2, 4, 5, 6, 7], "the two oldest of `info` went");
        for row in 0..510 {
            spill.add(waiting(6000 + row, Severity::Critical, 1));
        }
        spill.trim();
        assert!(spill.messages().iter().all(|waiting| waiting.message.severity > Severity::Info));
        spill.add(waiting(7000, Severity::Critical, 1));
        spill.trim();
        assert_eq!(rows(&spill)[..2], [2, 4], "now the oldest warning");
        assert_eq!((spill.messages().len(), spill.dropped()), (MOST_MESSAGES, 513));
    }

    #[test]
    fn bytes_are_bounded_and_one_message_always_fits() {
        let mut spill = Spill::default();
        spill.add(waiting(1, Severity::Info, MOST_BYTES * 2));
        spill.trim();
        assert_eq!(rows(&spill), [1]);
        spill.add(waiting(2, Severity::Critical, MOST_BYTES));
        spill.trim();
        assert_eq!(rows(&spill), [2]);
        assert!(spill.remove(2));
        assert!(!spill.remove(2));
        assert_eq!((spill.bytes, spill.is_empty()), (0, true));
    }
}
