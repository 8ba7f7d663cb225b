use std::{collections::BTreeMap, ops::RangeInclusive};

/// Sequence numbers that will not be sent any more, as ranges. Neighbours are joined, so
/// there are few.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Gaps {
    /// First to last, apart from each other by at least one number.
    ranges: BTreeMap<u64, u64>,
}

impl Gaps {
    /// Adds the numbers of a range.
    pub(super) fn add(&mut self, range: RangeInclusive<u64>) {
        let (mut first, mut last) = range.into_inner();
        if first > last {
            return;
        }
        if let Some((from, to)) = self.ranges.range(..=first).next_back()
            && to.saturating_add(1) >= first
        {
            (first, last) = (*from, last.max(*to));
        }
        while let Some((from, to)) = self.ranges.range(first..=last.saturating_add(1)).next() {
            let (from, to) = (*from, *to);
            self.ranges.remove(&from);
            last = last.max(to);
        }
        self.ranges.insert(first, last);
    }

    /// Adds the numbers of others.
    pub(super) fn join(&mut self, others: &Self) {
        for range in others.ranges() {
            self.add(range);
        }
    }

    /// How many ranges there are.
    pub(super) fn len(&self) -> usize {
        self.ranges.len()
    }

    /// Is this one of the ranges?
    pub(super) fn has(&self, range: &RangeInclusive<u64>) -> bool {
        self.ranges.get(range.start()) == Some(range.end())
    }

    /// No number is missing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ranges.is_empty()
    }

    /// The ranges, ascending.
    pub fn ranges(&self) -> impl Iterator<Item = RangeInclusive<u64>> {
        self.ranges.iter().map(|(first, last)| *first..=*last)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn it_is_a_set_of_numbers(added in proptest::collection::vec((0..60u64, 0..6u64), 0..20)) {
            let (mut gaps, mut numbers) = (Gaps::default(), BTreeSet::new());
            for (first, more) in added {
                gaps.add(first..=first + more);
                numbers.extend(first..=first + more);
            }
            prop_assert_eq!(gaps.ranges().flatten().collect::<Vec<_>>(), numbers.into_iter().collect::<Vec<_>>());
            let ranges: Vec<_> = gaps.ranges().collect();
            prop_assert!(ranges.windows(2).all(|pair| pair[0].end() + 1 < *pair[1].start()), "{ranges:?}");
        }
    }
}
