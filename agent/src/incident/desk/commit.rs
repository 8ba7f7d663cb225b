//! What becomes of a step.

use karaul_wire::{CloseReason, Phase};

use super::{About, Desk, Refused, Settled, Step, UPDATE_EVERY, open::Open, storm::Storm};
use crate::rules::Subject;

impl Desk {
    /// The step is safe in the outbox: from now on the incident is what it says.
    pub fn committed(&mut self, step: &Step) {
        let incident = &step.alert.incident;
        match incident.phase {
            Phase::Open => {
                self.open.push(Open::new(step));
                let rule = &mut self.rules[step.rule];
                match step.about {
                    About::Finding(subject) => {
                        let config = &self.camera.rules[step.rule];
                        rule.quiet_until = Some(step.at.mono + config.cooldown);
                        (rule.told, rule.suppressed) = (Some(incident.severity), 0);
                        rule.rate.began(step.at.mono, config.budget);
                        self.release(step.rule, subject);
                    }
                    About::Storm => rule.storm.iter_mut().for_each(|storm| storm.is_told(&step.alert)),
                }
            }
            Phase::Update => {
                if let About::Finding(subject) = step.about {
                    self.release(step.rule, subject);
                }
                self.rules[step.rule].storm.iter_mut().for_each(|storm| storm.is_told(&step.alert));
                if let Some(open) = self.open.iter_mut().find(|o| o.last.incident.id == incident.id) {
                    open.goes_to(step);
                    open.last.clone_from(&step.alert);
                }
            }
            Phase::Close => self.closed(step),
        }
    }

    fn closed(&mut self, step: &Step) {
        let incident = &step.alert.incident;
        let Some(open) = self.open.iter().position(|o| o.last.incident.id == incident.id) else { return };
        let open = self.open.swap_remove(open);
        let by_person = matches!(incident.close_reason, Some(CloseReason::Resolved | CloseReason::FalsePositive));
        match open.about {
            About::Storm => {
                let storm = &mut self.rules[step.rule].storm;
                if by_person { storm.iter_mut().for_each(Storm::settle) } else { *storm = None }
            }
            About::Finding(subject) if by_person => {
                if incident.close_reason == Some(CloseReason::FalsePositive) && subject != Subject::Whole {
                    self.learn(step.at, &open);
                }
                // What has ended is not said again.
                if open.ending.is_none() {
                    self.settled.push(Settled { rule: step.rule, subject });
                }
            }
            About::Finding(_) => {}
        }
    }

    /// There was no room for the step. The incident is as it was before, and what still holds is proposed again
    /// no sooner than an update would be.
    pub fn refused(&mut self, step: &Step) {
        match step.alert.incident.phase {
            Phase::Open => self.refused.push(Refused { rule: step.rule, about: step.about, at: step.at.mono }),
            Phase::Update => {
                let incident = step.alert.incident.id;
                if let About::Finding(subject) = step.about {
                    self.release(step.rule, subject);
                }
                if let Some(open) = self.open.iter_mut().find(|o| o.last.incident.id == incident) {
                    open.goes_to(step);
                    open.not_before = step.at.mono + UPDATE_EVERY;
                }
            }
            Phase::Close => self.hold_back(step, UPDATE_EVERY),
        }
    }
}
