//! How fast the backlog goes out: a pure policy.

use std::time::Duration;

/// A token bucket that holds what comes in a second.
///
/// After a day without a broker a box has thousands of alerts. Sent as fast as the link can,
/// those of a whole region would flood the centre at the moment when it is back, and new
/// alerts would queue behind them in buffers on the way.
#[derive(Debug)]
pub(super) struct Drain {
    /// Messages a second.
    rate: f64,
    tokens: f64,
    at: Duration,
}

impl Drain {
    /// A full one.
    pub(super) fn new(rate: u32, now: Duration) -> Self {
        let rate = f64::from(rate.max(1));
        Self { rate, tokens: rate, at: now }
    }

    /// How many may go out now.
    pub(super) fn room(&mut self, now: Duration) -> usize {
        let passed = now.saturating_sub(self.at).as_secs_f64();
        self.at = now;
        self.tokens = (self.tokens + passed * self.rate).min(self.rate);
        // Rounded down, but for what a sum of parts may lack; at most `rate`, which was a u32.
        (self.tokens + 1e-6) as usize
    }

    /// One went out.
    pub(super) fn take(&mut self) {
        self.tokens = (self.tokens - 1.0).max(0.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_lets_through_what_comes_in_the_time_and_a_second_more() {
        for rate in [1, 7, 50, 10_000] {
            let mut drain = Drain::new(rate, Duration::ZERO);
            let (mut out, mut now) = (0, Duration::ZERO);
            while now <= Duration::from_secs(60) {
                for _ in 0..drain.room(now) {
                    drain.take();
                    out += 1;
                }
                now += Duration::from_millis(50);
            }
            let expected = 61 * rate;
            assert!(expected.abs_diff(out) <= 1, "{rate}: {out}");
        }
    }

    #[test]
    fn idle_time_is_not_saved_up() {
        let mut drain = Drain::new(5, Duration::ZERO);
        assert_eq!(drain.room(Duration::from_secs(3600)), 5);
        for _ in 0..9 {
            drain.take();
        }
        assert_eq!(drain.room(Duration::from_secs(3600)), 0);
    }
}
