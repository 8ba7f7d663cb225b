//! The incident that a scheduled test was not confirmed. It is no camera's, so no desk knows it: whoever watches the tests
//! raises and closes it, and a person may take it.

use std::sync::{Mutex, MutexGuard, PoisonError};

use karaul_wire::{Acknowledged, Alert, CloseReason, Language};
use uuid::Uuid;

use super::{delivery::Delivery, tray::Answer};
use crate::{
    clock::Stamp,
    incident::{end_of_alarm, taken_alarm},
};

/// The alarm, if one is open.
#[derive(Debug, Default)]
pub(super) struct Alarm(Mutex<Option<Open>>);

#[derive(Debug)]
struct Open {
    raised: Stamp,
    /// Its last step.
    last: Alert,
}

impl Alarm {
    /// Is this incident the alarm?
    pub(super) fn is(&self, incident: Uuid) -> bool {
        self.open().as_ref().is_some_and(|open| open.last.incident.id == incident)
    }

    pub(super) fn is_open(&self) -> bool {
        self.open().is_some()
    }

    /// Opens it. Says whether there was room.
    pub(super) fn raise(&self, delivery: &Delivery, at: Stamp, alert: Alert) -> bool {
        let mut open = self.open();
        let kept = delivery.put(at.wall, alert.clone());
        if kept {
            *open = Some(Open { raised: at, last: alert });
        }
        kept
    }

    /// Closes it, if it is open. Says whether there was room.
    pub(super) fn settle(&self, delivery: &Delivery, at: Stamp, reason: CloseReason, languages: &[Language]) -> bool {
        let mut open = self.open();
        let Some(Open { raised, last }) = open.as_ref() else { return true };
        let kept = delivery.put(at.wall, end_of_alarm(last, *raised, at, reason, languages));
        if kept {
            *open = None;
        }
        kept
    }

    /// A person takes it.
    pub(super) fn acknowledge(
        &self,
        delivery: &Delivery,
        at: Stamp,
        incident: Uuid,
        by: Acknowledged,
        languages: &[Language],
    ) -> Answer {
        let mut open = self.open();
        let Some(Open { last, .. }) = open.as_mut().filter(|open| open.last.incident.id == incident) else {
            return Answer::NotOpen;
        };
        if let Some(first) = &last.incident.acknowledged {
            return Answer::Taken(first.clone());
        }
        let step = taken_alarm(last, at, by, languages);
        if !delivery.put(at.wall, step.clone()) {
            return Answer::NoRoom;
        }
        *last = step;
        Answer::Done
    }

    fn open(&self) -> MutexGuard<'_, Option<Open>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
