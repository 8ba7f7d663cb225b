//! What waits in memory while the disk takes nothing.

use std::collections::{BTreeMap, BTreeSet};

use karaul_wire::Severity;
use uuid::Uuid;

use super::{Gaps, Message, Moves, Waiting};

/// Most messages kept in memory.
const MOST_MESSAGES: usize = 1024;
/// Most payload bytes kept in memory.
const MOST_BYTES: usize = 4 << 20;

/// A bounded queue. Policy: where room is needed, the least severe step goes, and among
/// those the oldest. What clears a retained topic goes last of all, because without it the
/// broker would show an incident as open for ever: when only steps that clear one are left,
/// the oldest of them loses its alert, however severe, and keeps the clearing. Only when
/// nothing but clearings is left, the oldest goes; so a step that clears is never refused.
#[derive(Debug, Default)]
pub(super) struct Spill {
    /// In row order.
    messages: Vec<Waiting>,
    bytes: usize,
    /// Incidents whose stored state is out of date; `None` is to be deleted.
    pub incidents: BTreeMap<Uuid, Option<String>>,
    /// Retained topics that are not remembered on disk yet.
    pub topics: BTreeSet<String>,
    /// Messages that had to go since the start.
    dropped: u64,
}

impl Spill {
    /// Adds a message at the end.
    pub(super) fn add(&mut self, waiting: Waiting) {
        self.bytes += size(&waiting);
        self.messages.push(waiting);
    }

    /// Makes the bound hold; the numbers of alerts that went are added to `gaps`. Not part
    /// of [`Self::add`]: what the disk takes at once need not go.
    pub(super) fn trim(&mut self, gaps: &mut Gaps) {
        while self.messages.len() > MOST_MESSAGES || (self.bytes > MOST_BYTES && self.steps() > 1) {
            let clearing = self.clearing();
            let rank = |message: &Message| match message {
                message if message.clears() => Rank::Clearing,
                Message { sequence: Some(number), .. } if clearing.contains(number) => Rank::AlertOfClearing,
                message => Rank::Usual(message.severity),
            };
            // `min_by_key` returns the first of equals: the oldest.
            let Some(weakest) = self.messages.iter().min_by_key(|waiting| rank(&waiting.message)) else { break };
            let row = weakest.row;
            let step = weakest.message.sequence.filter(|_| matches!(rank(&weakest.message), Rank::Usual(_)));
            let goes = |waiting: &Waiting| waiting.row == row || (step.is_some() && waiting.message.sequence == step);
            let (gone, left) = std::mem::take(&mut self.messages).into_iter().partition::<Vec<_>, _>(goes);
            self.messages = left;
            self.bytes -= gone.iter().map(size).sum::<usize>();
            self.dropped += gone.len() as u64;
            for number in gone.iter().filter_map(|waiting| waiting.message.told()) {
                gaps.add(number..=number);
            }
        }
    }

    /// The steps that clear a retained topic.
    fn clearing(&self) -> BTreeSet<u64> {
        self.messages.iter().filter(|w| w.message.clears()).filter_map(|w| w.message.sequence).collect()
    }

    /// How many steps there are, each message without a number counting as one; up to 2.
    fn steps(&self) -> usize {
        let Some(first) = self.messages.first() else { return 0 };
        let same = |w: &Waiting| w.message.sequence.is_some() && w.message.sequence == first.message.sequence;
        if self.messages[1..].iter().all(same) { 1 } else { 2 }
    }

    /// Is this row or a later one here?
    pub(super) fn contains_from(&self, row: i64) -> bool {
        self.messages.last().is_some_and(|last| last.row >= row)
    }

    /// Removes one message, if it is here.
    pub(super) fn remove(&mut self, row: i64) -> Option<Waiting> {
        let index = self.messages.binary_search_by_key(&row, |waiting| waiting.row).ok()?;
        let waiting = self.messages.remove(index);
        self.bytes -= size(&waiting);
        Some(waiting)
    }

    /// Removes the first `count` messages: they are on disk now.
    pub(super) fn written(&mut self, count: usize) {
        self.bytes -= self.messages.drain(..count).map(|waiting| size(&waiting)).sum::<usize>();
    }

    /// Gives other numbers.
    pub(super) fn renumber(&mut self, moves: &Moves) {
        for waiting in &mut self.messages {
            waiting.message.renumber(moves);
        }
    }

    /// The messages, in row order.
    pub(super) fn messages(&self) -> &[Waiting] {
        &self.messages
    }

    /// Nothing waits for the disk.
    pub(super) fn is_empty(&self) -> bool {
        self.messages.is_empty() && self.incidents.is_empty() && self.topics.is_empty()
    }

    /// Messages that had to go since the start.
    pub(super) const fn dropped(&self) -> u64 {
        self.dropped
    }
}

/// What goes first when room is needed, in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Rank {
    Usual(Severity),
    AlertOfClearing,
    Clearing,
}

fn size(waiting: &Waiting) -> usize {
    waiting.message.topic.len() + waiting.message.payload.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn waiting(row: i64, severity: Severity, bytes: usize) -> Waiting {
        let message = Message {
            topic: String::new(),
            payload: vec![0; bytes],
            retain: false,
            severity,
            incident: None,
            sequence: None,
        };
        Waiting { row, message, live: true, committed: None, fresh: false, again: false, passing: false }
    }

    /// Alert and state of a step in the rows 2n and 2n+1; closing clears the state.
    fn step(spill: &mut Spill, number: u64, severity: Severity, closing: bool) {
        for (row, retain) in [(2 * number, false), (2 * number + 1, true)] {
            let mut waiting = waiting(row.cast_signed(), severity, usize::from(!(retain && closing)));
            waiting.message.retain = retain;
            waiting.message.sequence = Some(number);
            spill.add(waiting);
        }
    }

    #[test]
    fn steps_go_whole_and_what_closes_an_incident_goes_last() {
        let (mut spill, mut gaps) = (Spill::default(), Gaps::default());
        let steps = MOST_MESSAGES as u64 / 2;
        step(&mut spill, 1, Severity::Info, true);
        for number in 2..=steps {
            step(&mut spill, number, Severity::Critical, false);
        }
        spill.trim(&mut gaps);
        assert!(gaps.is_empty());
        step(&mut spill, steps + 1, Severity::Critical, false);
        spill.add(waiting(9000, Severity::Critical, 1));
        spill.trim(&mut gaps);
        assert_eq!(rows(&spill)[..3], [2, 3, 8], "the two oldest that close nothing went, with both halves");
        assert_eq!((gaps.ranges().collect::<Vec<_>>(), spill.dropped()), (vec![2..=3], 4));

        // What the broker has got of a step is not lost.
        assert!(spill.remove(8).is_some());
        for row in 0..3 {
            spill.add(waiting(9001 + row, Severity::Critical, 1));
        }
        spill.trim(&mut gaps);
        assert_eq!((rows(&spill)[..3].to_vec(), gaps.ranges().collect::<Vec<_>>()), (vec![2, 3, 10], vec![2..=3]));
    }

    #[test]
    fn a_step_that_clears_is_never_refused_and_bounds_hold() {
        let (mut spill, mut gaps) = (Spill::default(), Gaps::default());
        let steps = MOST_MESSAGES as u64 / 2;
        for number in 1..=steps {
            step(&mut spill, number, Severity::Critical, true);
        }
        step(&mut spill, steps + 1, Severity::Info, true);
        spill.trim(&mut gaps);
        assert_eq!(rows(&spill)[..3], [3, 5, 6], "two alerts of the oldest went, their clearings did not");
        assert_eq!(gaps.ranges().collect::<Vec<_>>(), vec![1..=2]);
        for number in steps + 2..=steps * 3 {
            step(&mut spill, number, Severity::Info, true);
            spill.trim(&mut gaps);
            assert!(spill.contains_from(2 * number.cast_signed() + 1), "{number}");
        }
        assert_eq!(spill.messages().len(), MOST_MESSAGES);
        assert!(spill.messages().iter().all(|waiting| waiting.message.clears()));
        assert_eq!(gaps.ranges().collect::<Vec<_>>(), vec![1..=steps * 3]);
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
        spill.trim(&mut Gaps::default());
        assert_eq!(spill.dropped(), 0);
        for (row, severity) in [(5000, Severity::Critical), (5001, Severity::Critical)] {
            spill.add(waiting(row, severity, 1));
            spill.trim(&mut Gaps::default());
        }
        assert_eq!(rows(&spill)[..6], [0, 2, 4, 5, 6, 7], "the two oldest of `info` went");
        for row in 0..510 {
            spill.add(waiting(6000 + row, Severity::Critical, 1));
        }
        spill.trim(&mut Gaps::default());
        assert!(spill.messages().iter().all(|waiting| waiting.message.severity > Severity::Info));
        spill.add(waiting(7000, Severity::Critical, 1));
        spill.trim(&mut Gaps::default());
        assert_eq!(rows(&spill)[..2], [2, 4], "now the oldest warning");
        assert_eq!((spill.messages().len(), spill.dropped()), (MOST_MESSAGES, 513));
    }

    #[test]
    fn bytes_are_bounded_and_one_message_always_fits() {
        let mut spill = Spill::default();
        spill.add(waiting(1, Severity::Info, MOST_BYTES * 2));
        spill.trim(&mut Gaps::default());
        assert_eq!(rows(&spill), [1]);
        spill.add(waiting(2, Severity::Critical, MOST_BYTES));
        spill.trim(&mut Gaps::default());
        assert_eq!(rows(&spill), [2]);
        assert!(spill.remove(2).is_some());
        assert!(spill.remove(2).is_none());
        assert_eq!((spill.bytes, spill.is_empty()), (0, true));
    }
}
