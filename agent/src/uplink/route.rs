//! Which of the broker's addresses to dial next: pure policy.

use std::time::Duration;

use super::backoff::Patience;

/// The time to the next try of the way back is doubled so often at most: five minutes to 80.
const MOST_DOUBLINGS: u32 = 4;

/// Goes through the addresses in their order, as long as each fails, and only then waits: one that can be had is
/// not kept waiting by those that cannot. A connection that was good and broke is dialled anew where it was. While
/// another than the first is in use, those before it are tried from time to time.
#[derive(Debug)]
pub(super) struct Route {
    at: usize,
    /// Which of them failed since the last wait.
    failed: Vec<bool>,
    /// The most hopeful of these failures.
    patience: Patience,
    /// Time from a failure of the addresses before to the next try of them, on average.
    return_after: Duration,
    try_again: Duration,
    /// The better address in use was gone back to after a trial, and has not proved itself yet.
    on_probation: bool,
    /// Times in a row that going back was in vain.
    in_vain: u32,
    random: fastrand::Rng,
}

/// What to do about a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// Dial the next address.
    AtOnce,
    /// Wait first.
    Wait(Patience),
}

impl Route {
    /// `count` is at least 1.
    pub(super) fn new(count: usize, return_after: Duration, random: fastrand::Rng) -> Self {
        let (failed, patience, try_again) = (vec![false; count], Patience::Slow, Duration::ZERO);
        Self { at: 0, failed, patience, return_after, try_again, on_probation: false, in_vain: 0, random }
    }

    /// The address to dial, or that is in use.
    pub(super) const fn at(&self) -> usize {
        self.at
    }

    /// It cannot be had, or is of no use.
    pub(super) fn failed(&mut self, patience: Patience, now: Duration) -> Next {
        if self.on_probation {
            (self.on_probation, self.in_vain) = (false, (self.in_vain + 1).min(MOST_DOUBLINGS));
        }
        self.failed[self.at] = true;
        if patience == Patience::Normal {
            self.patience = Patience::Normal;
        }
        self.put_off(now);
        match self.failed.iter().position(|failed| !failed) {
            Some(next) => {
                self.at = next;
                Next::AtOnce
            }
            None => {
                let patience = self.patience;
                self.go(0);
                Next::Wait(patience)
            }
        }
    }

    /// A new round begins here.
    pub(super) fn go(&mut self, at: usize) {
        self.at = at;
        self.failed.fill(false);
        self.patience = Patience::Slow;
    }

    /// How many of the first addresses are to be tried now, for the way back.
    pub(super) fn better(&self, now: Duration) -> Option<usize> {
        (self.at > 0 && now >= self.try_again).then_some(self.at)
    }

    /// Those before have just been tried in vain. The next try is half the usual time later at least and one and a
    /// half at most: a thousand boxes do not come back to a broker at once. A broker that takes the trial and then does
    /// not want the box itself costs a good connection each time, so that time is doubled whenever that happens.
    pub(super) fn put_off(&mut self, now: Duration) {
        let usual = self.return_after * (1 << self.in_vain);
        self.try_again = now + usual.mul_f64(0.5 + self.random.f64());
    }

    /// The trial of a better address was a success, and that is dialled next.
    pub(super) fn goes_back(&mut self) {
        self.on_probation = true;
    }

    /// A connection was good for a while.
    pub(super) fn stood(&mut self) {
        if self.at == 0 || self.on_probation {
            (self.on_probation, self.in_vain) = (false, 0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIVE_MINUTES: Duration = Duration::from_secs(300);

    fn route(count: usize, seed: u64) -> Route {
        Route::new(count, FIVE_MINUTES, fastrand::Rng::with_seed(seed))
    }

    #[test]
    fn all_are_tried_in_order_before_a_wait() {
        let mut route = route(3, 1);
        for _ in 0..3 {
            let mut tried = vec![route.at()];
            while route.failed(Patience::Normal, Duration::ZERO) == Next::AtOnce {
                tried.push(route.at());
            }
            assert_eq!(tried, [0, 1, 2]);
        }
    }

    #[test]
    fn one_alone_waits_after_each_failure_as_long_as_its_failure_is_worth() {
        let mut route = route(1, 1);
        assert_eq!(route.failed(Patience::Slow, Duration::ZERO), Next::Wait(Patience::Slow));
        assert_eq!(route.failed(Patience::Normal, Duration::ZERO), Next::Wait(Patience::Normal));
        assert_eq!(route.failed(Patience::Slow, Duration::ZERO), Next::Wait(Patience::Slow), "it forgets");
        assert_eq!(route.better(Duration::MAX), None);
    }

    #[test]
    fn the_most_hopeful_failure_decides_about_the_wait() {
        let mut route = route(2, 1);
        assert_eq!(route.failed(Patience::Normal, Duration::ZERO), Next::AtOnce);
        assert_eq!(route.failed(Patience::Slow, Duration::ZERO), Next::Wait(Patience::Normal));
    }

    #[test]
    fn a_round_that_begins_elsewhere_comes_to_all_the_others() {
        let mut route = route(3, 1);
        route.go(1);
        let mut tried = vec![route.at()];
        while route.failed(Patience::Normal, Duration::ZERO) == Next::AtOnce {
            tried.push(route.at());
        }
        assert_eq!((tried, route.at()), (vec![1, 0, 2], 0));
    }

    #[test]
    fn the_first_are_tried_again_between_half_and_one_and_a_half_of_the_time() {
        let mut all = Vec::new();
        for seed in 0..200 {
            let mut route = route(3, seed);
            let failed = Duration::from_secs(1000);
            route.failed(Patience::Normal, failed);
            let due = (0..600).map(Duration::from_secs).find(|after| route.better(failed + *after).is_some()).unwrap();
            assert_eq!(route.better(failed + due), Some(1));
            route.put_off(failed + due);
            assert_eq!(route.better(failed + due), None);
            all.push(due);
        }
        let (least, most) = (all.iter().min().unwrap(), all.iter().max().unwrap());
        assert!((150..170).contains(&least.as_secs()) && (430..=450).contains(&most.as_secs()), "{least:?} {most:?}");
    }

    #[test]
    fn a_way_back_that_is_in_vain_is_tried_ever_more_seldom() {
        let mut route = route(2, 1);
        route.failed(Patience::Normal, Duration::ZERO);
        let (mut now, mut gaps) = (Duration::ZERO, Vec::new());
        for _ in 0..20 {
            let gap = (0..).map(Duration::from_secs).find(|gap| route.better(now + *gap).is_some()).unwrap();
            now += gap;
            gaps.push(gap.as_secs());
            route.stood();
            route.goes_back();
            route.go(0);
            assert_eq!((route.failed(Patience::Normal, now), route.at()), (Next::AtOnce, 1));
        }
        for (doublings, gap) in gaps.iter().enumerate() {
            let usual = 300 << doublings.min(4);
            assert!((usual / 2..=usual * 3 / 2).contains(gap), "{gaps:?}");
        }
        route.goes_back();
        route.go(0);
        route.stood();
        route.failed(Patience::Normal, now);
        assert!(
            route.better(now + FIVE_MINUTES * 3 / 2).is_some(),
            "it has proved itself, and everything is forgotten"
        );
    }

    #[test]
    fn a_fallback_that_breaks_again_and_again_does_not_put_off_the_way_back() {
        let mut route = route(2, 7);
        route.failed(Patience::Normal, Duration::ZERO);
        for minute in 1..8 {
            route.go(route.at());
            assert_eq!(route.at(), 1, "{minute}");
        }
        assert_eq!(route.better(Duration::from_secs(451)), Some(1));
    }
}
