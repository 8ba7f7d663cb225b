use std::{
    collections::{HashMap, VecDeque},
    sync::{Mutex, MutexGuard, PoisonError},
};

use jiff::Timestamp;
use karaul_wire::{CloseReason, Incident, Phase, Segment};
use uuid::Uuid;

/// So many incidents are known after they have closed.
pub(super) const REMEMBERED: usize = 1000;

/// Which incidents are open, at which camera, and which closed lately.
#[derive(Debug, Default)]
pub(super) struct Register(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    open: HashMap<Uuid, Segment>,
    /// The oldest first.
    closed: VecDeque<(Uuid, Closed)>,
}

/// How an incident ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Closed {
    pub(super) camera: Segment,
    pub(super) at: Timestamp,
    pub(super) reason: CloseReason,
}

/// What is known of an incident.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Entry {
    /// Open at this camera.
    Open(Segment),
    /// One of the last that closed.
    Closed(Closed),
    /// Nothing.
    Unknown,
}

impl Register {
    /// Enters an opening or a closing step.
    pub(super) fn enter(&self, incident: &Incident, camera: &Segment) {
        let Incident { id, phase, opened, closed, close_reason, .. } = *incident;
        let mut state = self.state();
        if phase != Phase::Close {
            state.open.insert(id, camera.clone());
            return;
        }
        state.open.remove(&id);
        while state.closed.len() >= REMEMBERED {
            state.closed.pop_front();
        }
        let camera = camera.clone();
        let end = Closed { camera, at: closed.unwrap_or(opened), reason: close_reason.unwrap_or(CloseReason::Cleared) };
        state.closed.push_back((id, end));
    }

    /// There was no room for its opening after all.
    pub(super) fn withdraw(&self, id: Uuid) {
        self.state().open.remove(&id);
    }

    /// Looks an incident up.
    pub(super) fn find(&self, id: Uuid) -> Entry {
        let state = self.state();
        if let Some(camera) = state.open.get(&id) {
            return Entry::Open(camera.clone());
        }
        let closed = state.closed.iter().rev().find(|(other, _)| *other == id);
        closed.map_or(Entry::Unknown, |(_, closed)| Entry::Closed(closed.clone()))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use karaul_wire::Alert;

    use super::*;

    fn step(register: &Register, id: u128, phase: Phase) {
        let mut incident = Alert::example().incident;
        incident.id = Uuid::from_u128(id);
        incident.phase = phase;
        register.enter(&incident, &"gate".parse().unwrap());
    }

    #[test]
    fn open_ones_are_found_at_their_camera_and_the_last_that_closed_are_remembered() {
        let register = Register::default();
        step(&register, 7, Phase::Open);
        register.withdraw(Uuid::from_u128(7));
        assert_eq!(register.find(Uuid::from_u128(7)), Entry::Unknown);
        step(&register, 1, Phase::Open);
        assert_eq!(register.find(Uuid::from_u128(1)), Entry::Open("gate".parse().unwrap()));
        for id in 1..=REMEMBERED as u128 + 1 {
            step(&register, id, Phase::Close);
        }
        assert_eq!(register.find(Uuid::from_u128(1)), Entry::Unknown);
        let Entry::Closed(closed) = register.find(Uuid::from_u128(2)) else { panic!("forgotten too early") };
        assert_eq!(closed.reason, CloseReason::Cleared);
        let state = register.state();
        assert_eq!((state.open.len(), state.closed.len()), (0, REMEMBERED));
    }
}
