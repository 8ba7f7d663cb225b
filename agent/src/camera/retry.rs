//! When to try again. Pure: knows no clock, takes its randomness from a seed.

use std::time::Duration;

use karaul_wire::BlindCause;

use super::Fault;

/// The pause before the next attempt: exponential back-off with jitter over the whole
/// range, so that the cameras of a site do not come back in step after a power cut
/// (Brooker, "Exponential Backoff and Jitter", AWS Architecture Blog, 2015).
#[derive(Debug)]
pub struct Retry {
    failures: u32,
    refused_logins: u32,
    random: fastrand::Rng,
}

impl Retry {
    /// No pause is shorter: a camera that closes each connection at once is not to be hammered.
    pub const SHORTEST: Duration = Duration::from_millis(500);
    /// No pause is longer at first: a camera that comes back is seen again within seconds.
    pub const SOON: Duration = Duration::from_millis(2500);
    /// So many failures in a row are no reboot: the camera's or the config's fault lasts.
    pub const LASTING: u32 = 60;
    /// No ordinary pause is longer.
    pub const LONGEST: Duration = Duration::from_secs(10);
    /// First pause after refused credentials. Cameras lock an account after some five to seven wrong
    /// logins within minutes.
    pub const LOGIN_SHORTEST: Duration = Duration::from_secs(60);
    /// The longest pause after refused credentials, before jitter.
    pub const LOGIN_LONGEST: Duration = Duration::from_secs(600);
    /// A stream that gave pictures for this long was well: what comes next is a new failure.
    pub const GOOD_WHILE: Duration = Duration::from_secs(30);

    /// A policy whose jitter follows from `seed`.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self { failures: 0, refused_logins: 0, random: fastrand::Rng::with_seed(seed) }
    }

    /// How long to wait, after a stream gave pictures for `seeing` and then ended by `fault`.
    pub fn pause(&mut self, fault: &Fault, seeing: Duration) -> Duration {
        if seeing >= Self::GOOD_WHILE {
            self.failures = 0;
        }
        if fault.cause() == BlindCause::Unauthorised {
            let floor = doubled(Self::LOGIN_SHORTEST, self.refused_logins, Self::LOGIN_LONGEST);
            self.refused_logins = self.refused_logins.saturating_add(1);
            return self.between(floor, floor + floor / 2);
        }
        // The credentials were not what failed: either they were taken, or nobody looked at them.
        if !seeing.is_zero() {
            self.refused_logins = 0;
        }
        self.failures = self.failures.saturating_add(1);
        let longest = if self.failures <= Self::LASTING { Self::SOON } else { Self::LONGEST };
        let ceiling = doubled(Self::SHORTEST, self.failures, longest);
        self.between(Self::SHORTEST, ceiling)
    }

    fn between(&mut self, low: Duration, high: Duration) -> Duration {
        low + (high - low).mul_f64(self.random.f64())
    }
}

/// `first` doubled `times` times, at most `longest`.
fn doubled(first: Duration, times: u32, longest: Duration) -> Duration {
    // 2^16 times the shortest pause exceeds each limit; the shift cannot overflow.
    first.saturating_mul(1 << times.min(16)).min(longest)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const REFUSED: Fault = Fault::Refused;
    const UNAUTHORISED: Fault = Fault::Unauthorised { login: true };

    fn pauses(seed: u64, fault: &Fault, seeing: Duration, count: usize) -> Vec<Duration> {
        let mut retry = Retry::new(seed);
        (0..count).map(|_| retry.pause(fault, seeing)).collect()
    }

    #[test]
    fn the_same_seed_gives_the_same_pauses_and_another_gives_others() {
        let first = pauses(1, &REFUSED, Duration::ZERO, 8);
        assert_eq!(first, pauses(1, &REFUSED, Duration::ZERO, 8));
        assert_ne!(first, pauses(2, &REFUSED, Duration::ZERO, 8));
    }

    #[test]
    fn pauses_use_the_whole_range_and_grow_longer_only_when_the_fault_lasts() {
        let mut soon = pauses(3, &REFUSED, Duration::ZERO, 400);
        let late = soon.split_off(Retry::LASTING as usize);
        let range = |pauses: &[Duration]| (*pauses.iter().min().unwrap(), *pauses.iter().max().unwrap());
        let (low, high) = range(&soon);
        assert!(low < Duration::from_secs(1) && high <= Retry::SOON && high > Duration::from_secs(2), "{high:?}");
        let (low, high) = range(&late);
        assert!(low < Duration::from_secs(1) && high > Duration::from_secs(9), "{low:?} to {high:?}");
    }

    #[test]
    fn a_good_while_makes_the_next_pause_short_again() {
        let mut retry = Retry::new(4);
        for _ in 0..20 {
            retry.pause(&REFUSED, Duration::ZERO);
        }
        assert!(retry.pause(&REFUSED, Retry::GOOD_WHILE) <= Duration::from_secs(1));
    }

    #[test]
    fn refused_credentials_take_the_slow_path() {
        let pauses = pauses(5, &UNAUTHORISED, Duration::ZERO, 8);
        assert!(pauses[0] >= Retry::LOGIN_SHORTEST && pauses[0] <= Duration::from_secs(90), "{pauses:?}");
        assert!(pauses[7] >= Retry::LOGIN_LONGEST && pauses[7] <= Duration::from_secs(900), "{pauses:?}");
    }

    #[test]
    fn a_camera_that_was_away_between_wrong_logins_does_not_shorten_the_slow_path() {
        let mut retry = Retry::new(6);
        retry.pause(&UNAUTHORISED, Duration::ZERO);
        retry.pause(&REFUSED, Duration::ZERO);
        assert!(retry.pause(&UNAUTHORISED, Duration::ZERO) >= 2 * Retry::LOGIN_SHORTEST);
    }

    proptest! {
        #[test]
        fn no_pause_leaves_its_bounds(seed: u64, steps in prop::collection::vec((any::<bool>(), 0u64..100), 1..100)) {
            let mut retry = Retry::new(seed);
            for (login, seeing) in steps {
                let pause = retry.pause(if login { &UNAUTHORISED } else { &REFUSED }, Duration::from_secs(seeing));
                if login {
                    prop_assert!(pause >= Retry::LOGIN_SHORTEST && pause <= Retry::LOGIN_LONGEST * 3 / 2);
                } else {
                    prop_assert!(pause >= Retry::SHORTEST && pause <= Retry::LONGEST);
                }
            }
        }
    }
}
