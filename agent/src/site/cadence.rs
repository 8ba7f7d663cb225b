use std::time::Duration;

/// Decides by their times which pictures are looked at, so that a recording and a
/// live camera are treated alike.
#[derive(Debug)]
pub(super) struct Cadence {
    period: Duration,
    next: Option<Duration>,
}

impl Cadence {
    /// `per_second` looks; above 0.
    pub(super) fn new(per_second: f64) -> Self {
        Self { period: Duration::from_secs_f64(1.0 / per_second), next: None }
    }

    /// Is the picture of this time to be looked at?
    ///
    /// Times tremble, so one that comes an eighth of a period early is taken rather
    /// than skipped for the next. After a pause the beat starts anew.
    pub(super) fn is_due(&mut self, at: Duration) -> bool {
        let Some(next) = self.next else {
            self.next = Some(at + self.period);
            return true;
        };
        if at + self.period / 8 < next {
            return false;
        }
        let late = at.saturating_sub(next) > self.period;
        self.next = Some(if late { at } else { next } + self.period);
        true
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn taken(per_second: f64, times_ms: impl IntoIterator<Item = u64>) -> Vec<u64> {
        let mut cadence = Cadence::new(per_second);
        times_ms.into_iter().filter(|ms| cadence.is_due(Duration::from_millis(*ms))).collect()
    }

    #[test]
    fn it_takes_the_right_share() {
        assert_eq!(taken(5.0, (0..20).map(|i| i * 100)), [0, 200, 400, 600, 800, 1000, 1200, 1400, 1600, 1800]);
        assert_eq!(taken(5.0, (0..25).map(|i| i * 40)).len(), 5);
        assert_eq!(taken(25.0, (0..10).map(|i| i * 100)).len(), 10, "never more than there are");
    }

    #[test]
    fn trembling_times_do_not_cost_a_look() {
        assert_eq!(taken(5.0, [0, 105, 197, 305, 396, 502, 601, 698, 803]), [0, 197, 396, 601, 803]);
    }

    #[test]
    fn after_a_pause_the_beat_starts_anew() {
        assert_eq!(taken(5.0, [0, 100, 5030, 5130, 5230]), [0, 5030, 5230]);
    }

    proptest! {
        #[test]
        fn the_rate_is_kept(fps in 6.0f64..60.0, rate in 1.0f64..6.0) {
            let times = (0..(fps * 20.0) as u64).map(|i| (i as f64 * 1000.0 / fps) as u64);
            let n = taken(rate, times).len() as f64;
            prop_assert!((n - 20.0 * rate).abs() <= 2.0, "{n} looks in 20 s at {rate} a second of {fps}");
        }
    }
}
