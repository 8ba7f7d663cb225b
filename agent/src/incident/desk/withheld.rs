use std::time::Duration;

use super::Desk;
use crate::{
    clock::Stamp,
    rules::{Finding, Subject},
    track::Track,
    vision::Rect,
};

/// Something that a rule finds to be true and of which no incident is open.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Withheld {
    /// Index of the rule.
    pub rule: usize,
    /// What it is about.
    pub subject: Subject,
    /// Since when it has been true, monotonic.
    pub since: Duration,
    /// What holds it back.
    pub by: Cause,
    /// Where the foremost object was when it began.
    pub(super) start: Option<Rect>,
    /// It has moved away from there.
    pub(super) moved: bool,
}

/// What holds an incident back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// The rule has sent an alert shortly before.
    Cooldown,
    /// The rule has sent as many as its budget allows: it is counted in a storm.
    Budget,
    /// An operator has said before that it is none, of the same thing on the same spot.
    Fixture,
    /// A person has closed its incident.
    Closed,
    /// The outbox had no room.
    NoRoom,
}

impl Desk {
    /// What is true at present and not told one by one, and why not: for whoever asks why there was no alert.
    #[must_use]
    pub fn withheld(&self) -> &[Withheld] {
        &self.withheld
    }

    /// Notes that this holds a finding back.
    pub(super) fn withhold(&mut self, at: Stamp, finding: &Finding, objects: &[Track], by: Cause) {
        let (rule, subject) = (finding.rule, finding.subject);
        if let Some(waiting) = self.withheld.iter_mut().find(|w| w.rule == rule && w.subject == subject) {
            waiting.by = by;
            return;
        }
        let start = objects.first().map(|object| object.bbox);
        self.withheld.push(Withheld { rule, subject, since: at.mono, by, start, moved: false });
    }

    /// Nothing holds it back any more, or it is over.
    pub(super) fn release(&mut self, rule: usize, subject: Subject) {
        self.withheld.retain(|w| !(w.rule == rule && w.subject == subject));
    }
}
