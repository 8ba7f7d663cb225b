use std::{collections::BTreeMap, ops::RangeInclusive};

/// Sequence numbers that will not be sent any more.
pub type Gaps = Spans<u64>;

/// A set of whole numbers as ranges. Neighbours are joined, so there are few.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Spans<T> {
    /// First to last, apart from each other by at least one number.
    ranges: BTreeMap<T, T>,
}

/// What can be counted one by one.
pub trait Whole: Copy + Ord {
    /// The next one; the last one itself.
    fn after(self) -> Self;
    /// The one before; the first one itself.
    fn before(self) -> Self;
}

impl Whole for u64 {
    fn after(self) -> Self {
        self.saturating_add(1)
    }

    fn before(self) -> Self {
        self.saturating_sub(1)
    }
}

impl Whole for i64 {
    fn after(self) -> Self {
        self.saturating_add(1)
    }

    fn before(self) -> Self {
        self.saturating_sub(1)
    }
}

impl<T: Whole> Spans<T> {
    /// Adds the numbers of a range.
    pub fn add(&mut self, range: RangeInclusive<T>) {
        let (mut first, mut last) = range.into_inner();
        if first > last {
            return;
        }
        if let Some((from, to)) = self.ranges.range(..=first).next_back()
            && to.after() >= first
        {
            (first, last) = (*from, last.max(*to));
        }
        while let Some((from, to)) = self.ranges.range(first..=last.after()).next() {
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

    /// Takes one number out.
    pub(super) fn remove(&mut self, number: T) {
        let Some((first, last)) = self.around(number) else { return };
        self.ranges.remove(&first);
        if first < number {
            self.ranges.insert(first, number.before());
        }
        if number < last {
            self.ranges.insert(number.after(), last);
        }
    }

    /// The first and the last number of the range that this one is in.
    pub(super) fn around(&self, number: T) -> Option<(T, T)> {
        let (first, last) = self.ranges.range(..=number).next_back()?;
        (number <= *last).then_some((*first, *last))
    }

    /// How many ranges there are.
    pub(super) fn len(&self) -> usize {
        self.ranges.len()
    }

    /// Is this one of the ranges?
    pub(super) fn has(&self, range: &RangeInclusive<T>) -> bool {
        self.ranges.get(range.start()) == Some(range.end())
    }

    /// There is no number.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ranges.is_empty()
    }

    /// The ranges, ascending.
    pub fn ranges(&self) -> impl Iterator<Item = RangeInclusive<T>> {
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
        fn it_is_a_set_of_numbers(acts in proptest::collection::vec((-30..30i64, 0..9i64, any::<bool>()), 0..60)) {
            let (mut spans, mut numbers) = (Spans::default(), BTreeSet::new());
            for (first, more, add) in acts {
                if add {
                    spans.add(first..=first + more);
                    numbers.extend(first..=first + more);
                } else {
                    spans.remove(first);
                    numbers.remove(&first);
                }
                prop_assert!((-40..50).all(|number| spans.around(number).is_some() == numbers.contains(&number)));
                prop_assert_eq!(spans.ranges().flatten().collect::<Vec<_>>(), numbers.iter().copied().collect::<Vec<_>>());
                let ranges: Vec<_> = spans.ranges().collect();
                prop_assert!(ranges.windows(2).all(|pair| pair[0].end() + 1 < *pair[1].start()), "{ranges:?}");
            }
        }
    }

    #[test]
    fn the_ends_of_the_line_are_numbers_like_others() {
        let mut spans = Spans::default();
        spans.add(u64::MAX..=u64::MAX);
        spans.add(0..=u64::MAX - 1);
        assert_eq!((spans.len(), spans.has(&(0..=u64::MAX))), (1, true));
        spans.remove(0);
        spans.remove(u64::MAX);
        assert_eq!(spans.around(7), Some((1, u64::MAX - 1)));
    }
}
