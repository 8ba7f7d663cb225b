//! How long to wait before dialling again: a pure policy.

use std::time::Duration;

/// Never less than this, so that a broker that hangs up at once is not hammered.
const LEAST: Duration = Duration::from_millis(50);
/// The ceiling is this part of the time waited so far.
const SHARE: u32 = 4;

/// Exponential back-off with full jitter (Brooker, "Exponential Backoff And Jitter",
/// AWS Architecture Blog, 2015): each wait is uniform between nothing and a ceiling
/// that grows. A thousand boxes that lost the same broker do not come back at once.
///
/// The ceiling is `first` and a quarter of what has been waited since the last good
/// connection. Doubling it at each failure, as is usual, makes a box whose broker was
/// away for a minute stay away for up to two more; alerts are late by that. So a box
/// dials again at the latest `first` and a quarter of the outage after its broker is back,
/// plus the dials that were under way then (up to 20 s for each address where the network swallows packets:
/// both versions are tried). The ceiling is at `longest` after twenty minutes of waiting,
/// and that costs about fifty attempts, not ten.
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

/// The policy with its memory.
#[derive(Debug)]
pub(super) struct Backoff {
    policy: BackoffPolicy,
    /// The sum of the waits since the last good connection.
    waited: Duration,
    random: fastrand::Rng,
}

impl Backoff {
    pub(super) const fn new(policy: BackoffPolicy, random: fastrand::Rng) -> Self {
        Self { policy, waited: Duration::ZERO, random }
    }

    /// The wait after one more failure.
    pub(super) fn next(&mut self, patience: Patience) -> Duration {
        let ceiling = match patience {
            Patience::Normal => self.policy.longest.min(self.policy.first + self.waited / SHARE),
            Patience::Slow => self.policy.longest,
        };
        let wait = match patience {
            Patience::Normal => ceiling.mul_f64(self.random.f64()),
            // A fifth of the longest at least: one minute by default.
            Patience::Slow => ceiling.mul_f64(0.2 + 0.2 * self.random.f64()),
        };
        let wait = wait.max(LEAST);
        self.waited = self.waited.saturating_add(wait);
        wait
    }

    /// The connection was a good one.
    pub(super) const fn reset(&mut self) {
        self.waited = Duration::ZERO;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn backoff(seed: u64) -> Backoff {
        Backoff::new(BackoffPolicy::default(), fastrand::Rng::with_seed(seed))
    }

    #[test]
    fn a_box_is_back_a_quarter_of_the_outage_after_its_broker() {
        for outage in [5, 20, 60, 600].map(Duration::from_secs) {
            let mut longest = Duration::ZERO;
            for seed in 0..500 {
                let mut backoff = backoff(seed);
                let mut dialled = Duration::ZERO;
                while dialled < outage {
                    dialled += backoff.next(Patience::Normal);
                }
                longest = longest.max(dialled - outage);
            }
            let bound = Duration::from_secs(1) + outage / 4;
            assert!(longest <= bound, "{outage:?}: {longest:?}");
            assert!(longest > bound / 2, "{outage:?}: {longest:?} uses the range");
        }
    }

    #[test]
    fn the_ceiling_grows_up_to_five_minutes_without_hammering() {
        for seed in 0..100 {
            let mut backoff = backoff(seed);
            let (mut dialled, mut attempts) = (Duration::ZERO, 0);
            while dialled < Duration::from_secs(1200) {
                let wait = backoff.next(Patience::Normal);
                assert!(wait <= Duration::from_secs(300));
                dialled += wait;
                attempts += 1;
            }
            assert!((20..=100).contains(&attempts), "{attempts} attempts in twenty minutes");
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
