//! Which size of a picture is usual for a stream.

use std::collections::VecDeque;

/// So many sizes are remembered: ten seconds at 25 a second. Rain or dusk are usual after half of that.
const MEMORY: usize = 250;

/// With fewer, nothing is known.
const ENOUGH: usize = 50;

/// Large is by how many times the usual spread, and by which share of the usual size, above the usual. Encoders' rate
/// control makes sizes swing by some tens of per cent on sensor noise alone.
const SPREADS: usize = 4;
const SHARE: f64 = 0.5;

/// Bytes that count for nothing: a few blocks coded anew.
const SLACK: usize = 200;

/// So many large ones in a row are a sign: a single one is a hiccup of the encoder, unless it is twice as large as
/// "large" already.
const IN_A_ROW: u32 = 2;

/// Sizes of the pictures of one kind, and whether the last ones stick out. Running median (the usual size) and the
/// distance of the upper sixth from it (the spread; one standard deviation of a bell curve).
#[derive(Debug, Default)]
pub(super) struct Sizes {
    recent: VecDeque<usize>,
    sorted: Vec<usize>,
    large: u32,
}

impl Sizes {
    /// Is there enough to tell large from usual?
    pub(super) fn are_known(&self) -> bool {
        self.recent.len() >= ENOUGH
    }

    /// Does this size, with those before, say that something moves? Never, as long as nothing is known.
    pub(super) fn is_large(&mut self, size: usize) -> bool {
        let Some(limit) = self.limit() else { return false };
        self.large = if size > limit { self.large + 1 } else { 0 };
        self.large >= IN_A_ROW || size > 2 * limit
    }

    /// Remembers a size, and forgets the oldest.
    pub(super) fn learn(&mut self, size: usize) {
        if self.recent.len() == MEMORY
            && let Some(oldest) = self.recent.pop_front()
            && let Ok(place) = self.sorted.binary_search(&oldest)
        {
            self.sorted.remove(place);
        }
        self.recent.push_back(size);
        let place = self.sorted.partition_point(|other| *other < size);
        self.sorted.insert(place, size);
    }

    fn limit(&self) -> Option<usize> {
        if !self.are_known() {
            return None;
        }
        let (usual, upper) = (self.sorted[self.sorted.len() / 2], self.sorted[self.sorted.len() * 5 / 6]);
        let spread = SPREADS * (upper - usual);
        // Truncated: some bytes more or less do not matter.
        let share = (usual as f64 * SHARE) as usize;
        Some(usual + spread.max(share) + SLACK)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn usual(sizes: impl IntoIterator<Item = usize>) -> Sizes {
        let mut known = Sizes::default();
        sizes.into_iter().for_each(|size| known.learn(size));
        known
    }

    #[test]
    fn nothing_is_large_before_the_usual_is_known() {
        let mut sizes = usual((0..ENOUGH - 1).map(|_| 1000));
        assert!(!sizes.are_known() && !sizes.is_large(1_000_000));
        sizes.learn(1000);
        assert!(sizes.are_known() && sizes.is_large(1_000_000));
    }

    #[test]
    fn a_single_large_one_is_a_hiccup_and_two_are_a_sign() {
        let mut sizes = usual((0..200).map(|n| 1000 + n % 7 * 20));
        assert!(!sizes.is_large(2000));
        assert!(!sizes.is_large(1000));
        assert!(!sizes.is_large(2000));
        assert!(sizes.is_large(2000));
        assert!(sizes.is_large(2000));
    }

    #[test]
    fn noise_that_swings_is_usual() {
        let mut sizes = usual((0..250).map(|n| if n % 3 == 0 { 8000 } else { 4000 }));
        assert!(!sizes.is_large(8200) && !sizes.is_large(8200));
    }

    #[test]
    fn what_lasts_becomes_usual() {
        let mut sizes = usual((0..MEMORY).map(|_| 1000));
        for _ in 0..=MEMORY / 2 {
            sizes.learn(5000);
        }
        assert!(!sizes.is_large(5100) && !sizes.is_large(5100));
        assert_eq!((sizes.recent.len(), sizes.sorted.len()), (MEMORY, MEMORY));
    }
}
