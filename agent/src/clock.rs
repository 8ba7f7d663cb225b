//! Time as the rest of the agent sees it: it comes in from outside.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use jiff::Timestamp;
use rustix::time::{ClockId, clock_gettime};

/// The time of one picture, or of now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Stamp {
    /// Never runs backwards and knows no clock changes: measures dwell, tracks and
    /// time-outs. Counts from the machine's (or recording's) start.
    pub mono: Duration,
    /// Wall clock, UTC: decides schedules and goes on the wire.
    pub wall: Timestamp,
}

impl Stamp {
    /// A stamp `mono` after the start of a time line that began at `origin`.
    #[must_use]
    pub fn after(origin: Timestamp, mono: Duration) -> Self {
        let wall = origin.checked_add(mono).unwrap_or(Timestamp::MAX);
        Self { mono, wall }
    }
}

/// Where "now" comes from: the machine, or a test that moves it by hand.
pub trait Clock: Send + Sync {
    /// The present.
    fn now(&self) -> Stamp;
}

/// The machine's clocks. Its monotonic time is the kernel's `CLOCK_BOOTTIME`, so that times of two runs of
/// the agent can be compared as long as the machine was not started anew, and what lasts an hour does not last
/// longer because the machine slept meanwhile.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Stamp {
        let mono = clock_gettime(ClockId::Boottime);
        // The kernel never gives a negative time here.
        let mono = Duration::try_from(mono).unwrap_or_default();
        Stamp { mono, wall: Timestamp::now() }
    }
}

/// A clock that stands still until it is moved.
#[derive(Clone, Debug)]
pub struct SimulatedClock(Arc<Mutex<Stamp>>);

impl SimulatedClock {
    /// Starts at `wall`, with monotonic time zero.
    #[must_use]
    pub fn at(wall: Timestamp) -> Self {
        Self(Arc::new(Mutex::new(Stamp { mono: Duration::ZERO, wall })))
    }

    /// Lets time pass.
    pub fn advance(&self, by: Duration) {
        let mut now = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *now = Stamp { mono: now.mono + by, wall: Stamp::after(now.wall, by).wall };
    }

    /// Sets the wall clock; monotonic time knows nothing of it.
    pub fn set_wall(&self, wall: Timestamp) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).wall = wall;
    }
}

impl Clock for SimulatedClock {
    fn now(&self) -> Stamp {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
