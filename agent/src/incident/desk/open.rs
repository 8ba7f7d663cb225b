use std::time::Duration;

use karaul_wire::{Alert, CloseReason, Object, Phase, Why};

use super::{Step, end};
use crate::{clock::Stamp, rules::Subject, track::Track, vision::Rect};

/// What an incident is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum About {
    /// What a rule has found.
    Finding(Subject),
    /// All that a rule has found beyond its budget.
    Storm,
}

/// An incident that is open.
#[derive(Debug)]
pub(super) struct Open {
    pub(super) rule: usize,
    pub(super) about: About,
    pub(super) opened: Stamp,
    pub(super) last_sent: Duration,
    /// Its last step.
    pub(super) last: Alert,
    /// When its rule last found it to be true.
    pub(super) heard: Duration,
    /// The foremost object, as it was then: its class and box.
    pub(super) place: Option<(u16, Rect)>,
    /// It is over, and that is not told yet.
    pub(super) ending: Option<Ending>,
    /// There was no room for what time brings: not again before.
    pub(super) not_before: Duration,
}

/// How an incident ended.
#[derive(Debug)]
pub(super) struct Ending {
    pub(super) at: Stamp,
    pub(super) reason: CloseReason,
    pub(super) why: Why,
    pub(super) objects: Vec<Object>,
    /// When it is told.
    pub(super) due: Duration,
}

impl Open {
    pub(super) fn new(step: &Step) -> Self {
        Self {
            rule: step.rule,
            about: step.about,
            opened: step.at,
            last_sent: step.at.mono,
            last: step.alert.clone(),
            heard: step.at.mono,
            place: step.place,
            ending: None,
            not_before: Duration::ZERO,
        }
    }

    /// Its rule finds it to be true with these objects.
    pub(super) fn saw(&mut self, at: Stamp, objects: &[Track]) {
        self.heard = at.mono;
        if let Some(object) = objects.first() {
            self.place = Some((object.class, object.bbox));
        }
    }

    /// An update was proposed, which may say that it is about another track now.
    pub(super) fn goes_to(&mut self, step: &Step) {
        self.last_sent = step.at.mono;
        if self.about != step.about {
            self.about = step.about;
            self.heard = step.at.mono;
            self.ending = None;
            self.place = step.place;
        }
    }
}

/// Makes a step the last one.
pub(super) fn close(alert: &mut Alert, opened: Stamp, at: Stamp, reason: CloseReason) {
    alert.incident.phase = Phase::Close;
    alert.incident.closed = Some(end(opened, at));
    alert.incident.close_reason = Some(reason);
}
