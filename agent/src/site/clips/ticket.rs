use std::{
    mem,
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
    time::Instant,
};

use karaul_wire::Evidence;

/// For a clip that is being made: whoever ordered it holds it, and whoever makes it.
#[derive(Debug, Default)]
pub(in crate::site) struct Ticket {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
enum State {
    #[default]
    Making,
    Made(Option<Evidence>),
    /// Nobody waits any more.
    Abandoned,
}

/// What is known of a clip.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Known {
    /// It is being made.
    Nothing,
    /// It is kept, or there will be none.
    Made(Option<Evidence>),
}

impl Ticket {
    /// The clip is kept, or there will be none. Says whether anybody will hear of it.
    pub(super) fn made(&self, clip: Option<Evidence>) -> bool {
        let mut state = self.state();
        if matches!(*state, State::Abandoned) {
            return false;
        }
        *state = State::Made(clip);
        self.changed.notify_all();
        true
    }

    /// Looks without waiting.
    pub(super) fn look(&self) -> Known {
        match &*self.state() {
            State::Made(clip) => Known::Made(clip.clone()),
            State::Making | State::Abandoned => Known::Nothing,
        }
    }

    /// Waits until then; after that nobody will ask any more.
    pub(super) fn wait(&self, until: Instant) -> Known {
        let limit = until.saturating_duration_since(Instant::now());
        let making = |state: &mut State| matches!(state, State::Making);
        let (mut state, _) =
            self.changed.wait_timeout_while(self.state(), limit, making).unwrap_or_else(PoisonError::into_inner);
        match mem::replace(&mut *state, State::Abandoned) {
            State::Made(clip) => Known::Made(clip),
            State::Making | State::Abandoned => Known::Nothing,
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn what_comes_too_late_is_known_to_its_maker() {
        let ticket = Ticket::default();
        assert_eq!(ticket.look(), Known::Nothing);
        assert_eq!(ticket.wait(Instant::now() + Duration::from_millis(5)), Known::Nothing);
        assert!(!ticket.made(None));
        let ticket = Ticket::default();
        assert!(ticket.made(None));
        assert_eq!((ticket.look(), ticket.wait(Instant::now())), (Known::Made(None), Known::Made(None)));
    }
}
