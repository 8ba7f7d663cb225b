//! How threads are told to end.

use std::{
    mem,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak},
    time::Duration,
};

/// A shared wish to stop. Clones share it; it is never taken back.
#[derive(Clone, Debug, Default)]
pub struct Stop(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    stopped: bool,
    children: Vec<Weak<Shared>>,
}

impl Stop {
    /// Nobody wishes to stop yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// One for a part of the work: it can be stopped alone, and is stopped with the whole.
    #[must_use]
    pub fn child(&self) -> Self {
        let child = Self::default();
        let mut state = self.state();
        if state.stopped {
            child.stop();
        } else {
            state.children.retain(|other| other.strong_count() > 0);
            state.children.push(Arc::downgrade(&child.0));
        }
        child
    }

    /// Tells all who hold a clone, or a child, to end, and wakes those who wait.
    pub fn stop(&self) {
        let mut state = self.state();
        state.stopped = true;
        let children = mem::take(&mut state.children);
        drop(state);
        self.0.changed.notify_all();
        for child in children.iter().filter_map(Weak::upgrade) {
            Self(child).stop();
        }
    }

    /// Is it time to end?
    #[must_use]
    pub fn is_stopped(&self) -> bool {
        self.state().stopped
    }

    /// Sleeps for `limit`, or until it is time to end; true if it is.
    #[must_use = "true means: end now"]
    pub fn wait(&self, limit: Duration) -> bool {
        let wait = self.0.changed.wait_timeout_while(self.state(), limit, |state| !state.stopped);
        wait.unwrap_or_else(PoisonError::into_inner).0.stopped
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
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

    #[test]
    fn a_child_stops_alone_or_with_the_whole() {
        let whole = Stop::new();
        let (first, second) = (whole.child(), whole.child());
        first.stop();
        assert!(first.is_stopped() && !second.is_stopped() && !whole.is_stopped());
        whole.stop();
        assert!(second.is_stopped());
        assert!(whole.child().is_stopped(), "too late to begin anything");
    }
}
