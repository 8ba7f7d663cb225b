//! The decoder's time line. `GStreamer`'s decoders give no picture an earlier time than the one before (1.22: "decreasing
//! timestamp"), and on demand they are given what came before a picture that they have given out already. So what is
//! decoded once more is lifted behind it, and lowered again when it comes out.

use std::{collections::VecDeque, time::Duration};

/// Pictures that are shown before the keyframe they follow in the stream are at most so much earlier.
const MARGIN: Duration = Duration::from_secs(1);

/// For the pictures of one decoder.
#[derive(Debug, Default)]
pub(super) struct Lift {
    /// Added to all that go in.
    present: Duration,
    /// The latest time that went in, lifted.
    latest: Duration,
    /// From when on, lifted, pictures that come out are lifted by how much; earliest first.
    steps: VecDeque<(Duration, Duration)>,
}

impl Lift {
    /// What goes in next may have been in already: `first` is the time of its keyframe.
    pub(super) fn rewind(&mut self, first: Duration) {
        let floor = self.latest + MARGIN;
        if first + self.present < floor {
            self.present = floor + MARGIN - first;
            self.steps.push_back((floor, self.present));
        }
    }

    /// The time stamp for a picture that goes in.
    pub(super) fn up(&mut self, at: Duration) -> Duration {
        let lifted = at + self.present;
        self.latest = self.latest.max(lifted);
        lifted
    }

    /// The time of a picture that comes out. They come in order.
    pub(super) fn down(&mut self, lifted: Duration) -> Duration {
        while self.steps.get(1).is_some_and(|(from, _)| *from <= lifted) {
            self.steps.pop_front();
        }
        match self.steps.front() {
            Some((from, lift)) if *from <= lifted => lifted.saturating_sub(*lift),
            _ => lifted,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn without_a_rewind_times_stay_as_they_are() {
        let mut lift = Lift::default();
        assert_eq!((lift.up(5 * SECOND), lift.down(5 * SECOND)), (5 * SECOND, 5 * SECOND));
        lift.rewind(7 * SECOND);
        assert_eq!(lift.up(7 * SECOND), 7 * SECOND, "nothing that late has gone in");
    }

    #[test]
    fn what_is_still_in_the_decoder_comes_out_as_it_went_in() {
        let mut lift = Lift::default();
        let glimpse = lift.up(10 * SECOND);
        lift.rewind(8 * SECOND);
        let again = lift.up(8 * SECOND);
        // Shown before the keyframe that it follows.
        let leading = lift.up(7_960 * SECOND / 1000);
        assert!(glimpse < leading && leading < again);
        assert_eq!(lift.down(glimpse), 10 * SECOND);
        assert_eq!(lift.down(leading), 7_960 * SECOND / 1000);
        assert_eq!(lift.down(again), 8 * SECOND);
    }

    proptest! {
        /// However often it is rewound, the decoder's times rise, and each comes out as it went in.
        #[test]
        fn times_rise_and_come_back(runs in prop::collection::vec((0u64..100_000, 1usize..20, any::<bool>()), 1..30)) {
            let (mut lift, mut inside, mut last) = (Lift::default(), VecDeque::new(), None);
            for (first, count, fetched) in runs {
                lift.rewind(Duration::from_millis(first));
                for n in 0..count {
                    let at = Duration::from_millis(first + 40 * n as u64);
                    let lifted = lift.up(at);
                    prop_assert!(last.is_none_or(|last| lifted > last));
                    last = Some(lifted);
                    inside.push_back((lifted, at));
                }
                // Sometimes the decoder holds back the last ones.
                let keep = if fetched { 0 } else { 2 };
                while inside.len() > keep && let Some((lifted, at)) = inside.pop_front() {
                    prop_assert_eq!(lift.down(lifted), at);
                }
            }
        }
    }
}
