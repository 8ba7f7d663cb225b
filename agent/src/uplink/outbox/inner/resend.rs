//! Receipts, and sending again what was delivered before.

use std::{iter, ops::RangeInclusive, sync::Arc, time::Duration};

use karaul_wire::{GapRange, Receipt};

use super::Inner;
use crate::uplink::outbox::{
    Fate, OutboxError, Replay, Spans,
    recall::is_possible,
    store::{MOST_COPIES, Whereabouts},
};

/// How often it is looked for alerts that are too old to be kept, or whose receipt is overdue.
const TIDY_EVERY: Duration = Duration::from_secs(10);

impl Inner {
    /// Are alerts kept that the broker has?
    pub(super) const fn keeps(&self) -> bool {
        self.settings.receipts || !self.settings.retention.is_zero()
    }

    pub(in crate::uplink::outbox) fn receipt(&mut self, receipt: &Receipt) {
        if !self.settings.receipts {
            return;
        }
        self.write_pending();
        let stored = receipt.up_to.map(|up_to| 0..=up_to.0).into_iter().chain(receipt.ranges.iter().map(range));
        let stored = merged(stored);
        if let Err(error) = self.heed(&stored, receipt) {
            self.fail(&error);
        }
        self.feed_again();
    }

    fn heed(&mut self, stored: &[RangeInclusive<u64>], receipt: &Receipt) -> Result<(), OutboxError> {
        let highest = stored.last().map_or(0, |range| *range.end());
        if highest > self.sequence && is_possible(highest, self.by_the_clock()) {
            // The centre has numbers of which this outbox knows nothing: it is a new one in place of one that was lost,
            // or the disk took nothing when they were used. What it says of them does not concern ours, now or later.
            tracing::warn!(
                "a receipt names number {highest}, above all that are known here; numbering goes on after it"
            );
            self.go_on_behind(highest);
            return Ok(());
        }
        let stored = merged(stored.iter().map(|range| (*range.start()).max(self.foreign + 1)..=*range.end()));
        let Some(store) = &mut self.store else { return Ok(()) };
        store.confirm(&stored)?;
        // It may be here before what it confirms is noted as acknowledged; see `tidy`.
        self.confirmed = merged(stored.iter().map(|range| up_to(range.clone(), self.sequence)));
        // While the disk is in trouble nobody can say what is not there.
        if self.trouble.is_some() || receipt.missing.is_empty() {
            return Ok(());
        }
        let missing = merged(receipt.missing.iter().map(|missing| up_to(range(missing), self.sequence)));
        let found = store.find(&missing, true, self.clock.now().mono)?;
        self.wanted.extend(found.here);
        Arc::make_mut(&mut self.gaps).join(&found.gone);
        Ok(())
    }

    /// Whoever asks has to be told why not.
    pub(in crate::uplink::outbox) fn replay(&mut self, ranges: &[GapRange]) -> Result<Replay, String> {
        self.write_pending();
        let ranges = merged(ranges.iter().map(range));
        let found = match (&self.trouble, &self.store) {
            (None, Some(store)) => store.find(&ranges, false, self.clock.now().mono),
            (Some(trouble), _) => return Err(trouble.sentence.clone()),
            (None, None) => return Err("the outbox is not open".to_owned()),
        };
        let found = found.map_err(|error| {
            self.fail(&error);
            error.to_string()
        })?;
        let again = found.here.len() as u64;
        self.wanted.extend(found.here);
        self.feed_again();
        Ok(Replay { again, under_way: found.under_way, gone: found.gone })
    }

    pub(in crate::uplink::outbox) const fn is_connected(&self) -> bool {
        self.connected
    }

    pub(in crate::uplink::outbox) fn fate(&mut self, sequence: u64) -> Fate {
        let broker_has_it = if self.settings.receipts { Fate::Unconfirmed } else { Fate::Delivered };
        if self.spill.messages().iter().any(|waiting| waiting.message.told() == Some(sequence)) {
            return Fate::Waiting;
        }
        if self.done.iter().any(|waiting| waiting.message.told() == Some(sequence)) {
            return broker_has_it;
        }
        match self.store.as_ref().map(|store| store.whereabouts(sequence)) {
            Some(Ok(Whereabouts::Queue)) => Fate::Waiting,
            Some(Ok(Whereabouts::Kept { confirmed: true })) => Fate::Delivered,
            Some(Ok(Whereabouts::Kept { confirmed: false })) => Fate::Unconfirmed,
            // What is delivered is not kept at all.
            Some(Ok(Whereabouts::Nowhere)) if !self.keeps() => Fate::Delivered,
            Some(Ok(Whereabouts::Nowhere)) => Fate::Lost,
            Some(Err(error)) => {
                self.fail(&error);
                Fate::Waiting
            }
            None => Fate::Waiting,
        }
    }

    pub(in crate::uplink::outbox) fn unconfirmed(&mut self) -> u64 {
        let count = self.store.as_ref().filter(|_| self.settings.receipts).map(|store| store.unconfirmed());
        count
            .transpose()
            .unwrap_or_else(|error| {
                self.fail(&error);
                None
            })
            .unwrap_or_default()
    }

    /// Once in a while: forgets what is too old, and reminds of what nobody has confirmed.
    pub(super) fn tidy(&mut self) {
        let now = self.clock.now();
        let due = self.tidied.is_none_or(|at| now.mono.saturating_sub(at) >= TIDY_EVERY);
        if !due || self.trouble.is_some() {
            return;
        }
        self.tidied = Some(now.mono);
        let Some(store) = &mut self.store else { return };
        let mut tidy = || {
            store.confirm(&self.confirmed)?;
            store.expire(self.settings.retention, now.mono)?;
            if self.settings.receipts { store.overdue(MOST_COPIES, now.mono) } else { Ok(Vec::new()) }
        };
        match tidy() {
            Ok(overdue) => self.wanted.extend(overdue),
            Err(error) => self.fail(&error),
        }
    }

    /// Puts what is wanted again into the queue, as far as there may be more copies in it.
    pub(super) fn feed_again(&mut self) {
        if self.wanted.is_empty() || self.trouble.is_some() {
            return;
        }
        let Some(store) = &mut self.store else { return };
        let mut numbers = Vec::new();
        let fed = store.copies().and_then(|copies| {
            let room = usize::try_from(MOST_COPIES.saturating_sub(copies)).unwrap_or_default();
            numbers.extend(iter::from_fn(|| self.wanted.pop_first()).take(room));
            store.send_again(&numbers, self.next_row, self.clock.now().mono)
        });
        match fed {
            Ok(rows) => self.next_row += rows.cast_signed(),
            Err(error) => {
                self.wanted.extend(numbers);
                // A copy that finds no room is no trouble: the alert is there, and tried again later.
                if !matches!(error, OutboxError::DiskFull { .. } | OutboxError::QuotaFull { .. }) {
                    self.fail(&error);
                }
            }
        }
    }
}

/// Each number once, however often it is named: a thousand times "everything" is everything.
fn merged(ranges: impl Iterator<Item = RangeInclusive<u64>>) -> Vec<RangeInclusive<u64>> {
    let mut numbers = Spans::default();
    ranges.for_each(|range| numbers.add(range));
    numbers.ranges().collect()
}

fn range(range: &GapRange) -> RangeInclusive<u64> {
    range.first.0..=range.last.0
}

/// Nobody can have missed a number that was not given out.
fn up_to(range: RangeInclusive<u64>, last: u64) -> RangeInclusive<u64> {
    *range.start()..=last.min(*range.end())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_looked_for_once_however_often_it_is_named() {
        let named = (0..1000).map(|_| 0..=u64::MAX).chain([3..=5, 4..=9]);
        assert_eq!(merged(named), [0..=u64::MAX]);
        assert_eq!(merged([3..=5, RangeInclusive::new(8, 7), 4..=6].into_iter()), [3..=6]);
    }
}
