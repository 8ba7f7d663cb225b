use std::{
    collections::VecDeque,
    sync::{
        Mutex, MutexGuard, PoisonError,
        mpsc::{self, SyncSender},
    },
    time::Duration,
};

use karaul_wire::{Acknowledged, CloseReason};
use uuid::Uuid;

use crate::vision::{Planes, Still};

/// More errands do not wait at a time.
const CAPACITY: usize = 8;

/// Something that only the thread of a camera can do.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Errand {
    /// A person takes an incident.
    Acknowledge(Uuid, Acknowledged),
    /// A person closes an incident.
    Close(Uuid, CloseReason),
}

/// What became of an errand.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Answer {
    /// Done, and safe in the outbox.
    Done,
    /// Somebody took the incident before.
    Taken(Acknowledged),
    /// The incident is not open.
    NotOpen,
    /// The outbox has no room; nothing was changed.
    NoRoom,
}

/// Why there is no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Silence {
    /// The camera is not watched (any more); nothing was changed.
    Nobody,
    /// Others wait already; nothing was changed.
    Full,
    /// Nobody took the errand up in time; it was taken back, and nothing was changed.
    Unheard,
    /// It was taken up, but was not through in time.
    Unfinished,
}

/// In-tray of one camera: others leave errands there and wait for the answer, the camera's thread
/// looks in at each picture and several times a second without.
#[derive(Debug, Default)]
pub(super) struct Tray(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    waiting: VecDeque<Slip>,
    /// Somebody wants the next picture.
    wish: Option<SyncSender<Still>>,
    slips: u64,
    closed: bool,
}

#[derive(Debug)]
struct Slip {
    number: u64,
    errand: Errand,
    answer: SyncSender<Answer>,
}

impl Tray {
    /// Leaves an errand and waits for its answer, at most `limit`.
    pub(super) fn ask(&self, errand: Errand, limit: Duration) -> Result<Answer, Silence> {
        let (answer, answered) = mpsc::sync_channel(1);
        let mut state = self.state();
        if state.closed {
            return Err(Silence::Nobody);
        }
        if state.waiting.len() >= CAPACITY {
            return Err(Silence::Full);
        }
        state.slips += 1;
        let number = state.slips;
        state.waiting.push_back(Slip { number, errand, answer });
        drop(state);
        answered.recv_timeout(limit).map_err(|error| {
            let mut state = self.state();
            let place = state.waiting.iter().position(|slip| slip.number == number);
            match (place, error) {
                (Some(place), _) => {
                    state.waiting.remove(place);
                    Silence::Unheard
                }
                (None, mpsc::RecvTimeoutError::Timeout) => Silence::Unfinished,
                (None, mpsc::RecvTimeoutError::Disconnected) => Silence::Nobody,
            }
        })
    }

    /// The next picture, if one comes within `limit`. For one who asks at a time.
    pub(super) fn next_picture(&self, limit: Duration) -> Result<Still, Silence> {
        let (wish, picture) = mpsc::sync_channel(1);
        let mut state = self.state();
        if state.closed {
            return Err(Silence::Nobody);
        }
        state.wish = Some(wish);
        drop(state);
        picture.recv_timeout(limit).map_err(|_| {
            let mut state = self.state();
            state.wish = None;
            if state.closed { Silence::Nobody } else { Silence::Unheard }
        })
    }

    /// The oldest errand, and where its answer goes. For the camera's thread.
    pub(super) fn take(&self) -> Option<(Errand, SyncSender<Answer>)> {
        self.state().waiting.pop_front().map(|slip| (slip.errand, slip.answer))
    }

    /// Gives a copy of the picture to whoever waits for one. For the camera's thread.
    pub(super) fn show(&self, picture: &Planes<'_>) {
        let wish = self.state().wish.take();
        if let Some(wish) = wish {
            // Whoever no longer waits has taken the wish back, or is about to.
            let _ = wish.try_send(Still::of(picture));
        }
    }

    /// Nobody looks in any more: who waits is told, who comes is refused.
    pub(super) fn close(&self) {
        let mut state = self.state();
        state.closed = true;
        state.waiting.clear();
        state.wish = None;
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    const SOON: Duration = Duration::from_millis(20);
    const LONG: Duration = Duration::from_secs(30);

    fn errand() -> Errand {
        Errand::Close(Uuid::nil(), CloseReason::Resolved)
    }

    #[test]
    fn an_errand_that_nobody_takes_up_is_taken_back() {
        let tray = Tray::default();
        assert_eq!(tray.ask(errand(), SOON), Err(Silence::Unheard));
        assert!(tray.take().is_none());
    }

    #[test]
    fn one_that_was_taken_up_is_not() {
        let tray = Tray::default();
        thread::scope(|scope| {
            let asker = scope.spawn(|| tray.ask(errand(), Duration::from_millis(200)));
            let held = loop {
                if let Some(taken) = tray.take() {
                    break taken;
                }
            };
            assert_eq!(asker.join().unwrap(), Err(Silence::Unfinished));
            assert_eq!(held.0, errand());
        });
    }

    #[test]
    fn the_answer_comes_back_and_the_queue_has_an_end() {
        let tray = Tray::default();
        thread::scope(|scope| {
            let askers: Vec<_> = (0..CAPACITY).map(|_| scope.spawn(|| tray.ask(errand(), LONG))).collect();
            while tray.state().waiting.len() < CAPACITY {
                thread::yield_now();
            }
            assert_eq!(tray.ask(errand(), LONG), Err(Silence::Full));
            let (_, answer) = tray.take().unwrap();
            answer.send(Answer::Done).unwrap();
            tray.close();
            let mut answers: Vec<_> = askers.into_iter().map(|asker| asker.join().unwrap()).collect();
            answers.sort_by_key(Result::is_err);
            assert_eq!(answers[0], Ok(Answer::Done));
            assert!(answers[1..].iter().all(|answer| *answer == Err(Silence::Nobody)));
        });
        assert_eq!(tray.ask(errand(), LONG), Err(Silence::Nobody));
        assert_eq!(tray.next_picture(LONG).err(), Some(Silence::Nobody));
    }
}
