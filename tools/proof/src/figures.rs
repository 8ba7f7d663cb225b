use std::{fmt, time::Duration};

/// The spread of some times.
#[derive(Debug)]
pub(crate) struct Spread {
    sorted: Vec<Duration>,
}

impl Spread {
    /// Of these; any order.
    pub(crate) fn of(times: impl IntoIterator<Item = Duration>) -> Self {
        let mut sorted: Vec<_> = times.into_iter().collect();
        sorted.sort_unstable();
        Self { sorted }
    }

    /// The smallest time that so many percent do not exceed (nearest rank); zero without any.
    pub(crate) fn percentile(&self, percent: usize) -> Duration {
        let rank = (self.sorted.len() * percent).div_ceil(100);
        self.sorted.get(rank.saturating_sub(1)).copied().unwrap_or_default()
    }
}

impl fmt::Display for Spread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [p50, p99, max] = [50, 99, 100].map(|percent| time(self.percentile(percent)));
        write!(f, "p50 {p50}, p99 {p99}, max {max} ({})", self.sorted.len())
    }
}

/// With as many digits as mean something.
pub(crate) fn time(time: Duration) -> String {
    match time.as_secs_f64() {
        seconds if seconds >= 10.0 => format!("{seconds:.0} s"),
        seconds if seconds >= 1.0 => format!("{seconds:.1} s"),
        seconds if seconds >= 0.01 => format!("{:.0} ms", seconds * 1e3),
        seconds => format!("{:.2} ms", seconds * 1e3),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_by_nearest_rank() {
        let spread = Spread::of((1..=200).rev().map(Duration::from_millis));
        assert_eq!([50, 99, 100].map(|p| spread.percentile(p).as_millis()), [100, 198, 200]);
        assert_eq!(Spread::of([]).percentile(99), Duration::ZERO);
    }
}
