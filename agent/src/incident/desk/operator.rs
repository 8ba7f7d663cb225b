use karaul_wire::{Acknowledged, Alert, CloseReason, Phase};
use uuid::Uuid;

use super::{
    Desk, Step, next,
    open::{Open, close},
};
use crate::clock::Stamp;

/// Why what is said of an incident changes nothing.
#[derive(Clone, Debug, PartialEq)]
pub enum Declined {
    /// It is not open at this desk.
    NotOpen,
    /// Somebody took it before.
    Taken(Acknowledged),
}

/// What people say of incidents, and what is added to them. As with findings, a step that is proposed changes nothing before it is
/// [committed](Desk::committed).
impl Desk {
    /// A person takes an incident: an update.
    ///
    /// # Errors
    /// If it is not open, or somebody has it already.
    pub fn acknowledge(&self, at: Stamp, incident: Uuid, by: Acknowledged) -> Result<Step, Declined> {
        let open = self.find(incident)?;
        if let Some(first) = &open.last.incident.acknowledged {
            return Err(Declined::Taken(first.clone()));
        }
        Ok(self.step(at, open, |alert| {
            alert.incident.phase = Phase::Update;
            alert.incident.acknowledged = Some(by);
        }))
    }

    /// A person closes an incident. The object that it was about may still be there, and opens no other incident
    /// of this rule before it has left.
    ///
    /// # Errors
    /// If it is not open.
    pub fn close(&self, at: Stamp, incident: Uuid, reason: CloseReason) -> Result<Step, Declined> {
        let open = self.find(incident)?;
        Ok(self.step(at, open, |alert| {
            close(alert, open.opened, at, reason);
        }))
    }

    /// There is evidence that the incident did not have before, to be attached to this update of it.
    ///
    /// # Errors
    /// If it is not open.
    pub fn evidence_came(&self, at: Stamp, incident: Uuid) -> Result<Step, Declined> {
        let open = self.find(incident)?;
        Ok(self.step(at, open, |alert| alert.incident.phase = Phase::Update))
    }

    fn find(&self, incident: Uuid) -> Result<&Open, Declined> {
        self.open.iter().find(|o| o.last.incident.id == incident).ok_or(Declined::NotOpen)
    }

    /// The next step of an incident, of which nothing new was seen.
    pub(super) fn step(&self, at: Stamp, open: &Open, change: impl FnOnce(&mut Alert)) -> Step {
        let alert = next(&open.last, at, &self.languages, |alert| {
            // The picture belongs to the step that it was taken for.
            alert.evidence.clear();
            change(alert);
        });
        Step { alert, at, rule: open.rule, about: open.about, place: open.place }
    }
}
