//! How threads are told to end.

use std::{
    sync::{Arc, Condvar, Mutex, PoisonError},
    time::Duration,
};

/// A shared wish to stop. Clones share it; it is never taken back.
#[derive(Clone, Debug, Default)]
pub struct Stop(Arc<(Mutex<bool>, Condvar)>);

impl Stop {
    /// Nobody wishes to stop yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Tells all who hold a clone to end, and wakes those who wait.
    pub fn stop(&self) {
        let (stopped, changed) = &*self.0;
        *stopped.lock().unwrap_or_else(PoisonError::into_inner) = true;
        changed.notify_all();
    }

    /// Is it time to end?
    #[must_use]
    pub fn is_stopped(&self) -> bool {
        *self.0.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sleeps for `limit`, or until it is time to end; true if it is.
    #[must_use = "true means: end now"]
    pub fn wait(&self, limit: Duration) -> bool {
        let (stopped, changed) = &*self.0;
        let guard = stopped.lock().unwrap_or_else(PoisonError::into_inner);
        let (guard, _) =
            changed.wait_timeout_while(guard, limit, |stopped| !*stopped).unwrap_or_else(PoisonError::into_inner);
        *guard
    }
}

#[cfg(test)]
mod tests {
    use std::{thread, time::Instant};

    use super::*;

    #[test]
    fn a_wait_ends_by_itself() {
        assert!(!Stop::new().wait(Duration::from_millis(1)));
    }

    #[test]
    fn clones_share_it_and_sleepers_wake() {
        let stop = Stop::new();
        let sleeper = thread::spawn({
            let stop = stop.clone();
            move || {
                let begun = Instant::now();
                (stop.wait(Duration::from_secs(60)), begun.elapsed())
            }
        });
        stop.stop();
        let (stopped, slept) = sleeper.join().unwrap();
        assert!(stopped && stop.is_stopped());
        assert!(slept < Duration::from_secs(30), "slept {slept:?}");
    }
}
