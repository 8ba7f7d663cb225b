//! How long to wait before dialling again: a pure policy.

use std::time::Duration;

/// Never less than this, so that a broker that hangs up at once is not hammered.
const LEAST: Duration = Duration::from_millis(50);
/// Doublings after which the ceiling stops growing anyway.
const MOST_DOUBLINGS: u32 = 16;

/// Exponential back-off with full jitter (Brooker, "Exponential Backoff And Jitter",
/// AWS Architecture Blog, 2015): each wait is uniform between nothing and a ceiling
/// that doubles. A thousand boxes that lost the same broker do not come back at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BackoffPolicy {
    /// Ceiling of the first wait.
    pub first: Duration,
    /// The ceiling grows up to this.
    pub longest: Duration,
}

impl Default for BackoffPolicy {
    fn default() -> Self {
        Self { first: Duration::from_secs(1), longest: Duration::from_secs(300) }
    }
}

/// What went wrong, as far as waiting is concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Patience {
    /// May be over any moment.
    Normal,
    /// Somebody has to change something first (password, certificate).
    Slow,
}

/// The policy with its memory of failures.
#[derive(Debug)]
pub(super) struct Backoff {
    policy: BackoffPolicy,
    failures: u32,
    random: fastrand::Rng,
}

impl Backoff {
    pub(super) const fn new(policy: BackoffPolicy, random: fastrand::Rng) -> Self {
        Self { policy, failures: 0, random }
    }

    /// The wait after one more failure.
    pub(super) fn next(&mut self, patience: Patience) -> Duration {
        let ceiling = match patience {
            Patience::Normal => self.policy.first * 2u32.pow(self.failures.min(MOST_DOUBLINGS)),
            Patience::Slow => self.policy.longest,
        };
        self.failures = self.failures.saturating_add(1);
        let ceiling = ceiling.min(self.policy.longest);
        let wait = match patience {
            Patience::Normal => ceiling.mul_f64(self.random.f64()),
            // A fifth of the longest at least: one minute by default.
            Patience::Slow => ceiling.mul_f64(0.2 + 0.2 * self.random.f64()),
        };
        wait.max(LEAST)
    }

    /// The connection was a good one.
    pub(super) const fn reset(&mut self) {
        self.failures = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn backoff(seed: u64) -> Backoff {
        Backoff::new(BackoffPolicy::default(), fastrand::Rng::with_seed(seed))
    }

    #[test]
    fn the_ceiling_doubles_up_to_five_minutes() {
        let mut longest = [Duration::ZERO; 12];
        for seed in 0..500 {
            let mut backoff = backoff(seed);
            for seen in &mut longest {
                *seen = (*seen).max(backoff.next(Patience::Normal));
            }
        }
        for (failures, seen) in (0..).zip(longest) {
            let ceiling = (2f64.powi(failures)).min(300.0);
            assert!(seen.as_secs_f64() <= ceiling, "{failures}: {seen:?}");
            assert!(seen.as_secs_f64() > 0.95 * ceiling, "{failures}: {seen:?} uses the whole range");
        }
    }

    #[test]
    fn jitter_is_full_and_starts_anew_after_a_good_connection() {
        let mut backoff = backoff(1);
        for _ in 0..1000 {
            backoff.next(Patience::Normal);
        }
        let waits: Vec<Duration> = (0..200).map(|_| backoff.next(Patience::Normal)).collect();
        assert!(waits.iter().any(|wait| *wait < Duration::from_secs(30)));
        assert!(waits.iter().any(|wait| *wait > Duration::from_secs(270)));
        backoff.reset();
        assert!(backoff.next(Patience::Normal) <= Duration::from_secs(1));
    }

    #[test]
    fn what_needs_a_person_is_tried_about_once_a_minute() {
        let mut backoff = backoff(2);
        for _ in 0..200 {
            let wait = backoff.next(Patience::Slow);
            assert!((60..=120).contains(&wait.as_secs()), "{wait:?}");
        }
    }

    #[test]
    fn it_never_dials_without_any_pause() {
        let policy = BackoffPolicy { first: Duration::ZERO, longest: Duration::ZERO };
        assert_eq!(Backoff::new(policy, fastrand::Rng::with_seed(3)).next(Patience::Normal), LEAST);
    }
}
