use std::time::Duration;

use karaul_wire::{CloseReason, Quantity};

use super::{Kind, Trouble, View};
use crate::{
    clock::Stamp,
    rules::statement::{Change, Evidence, Said, Shortfall, Subject, Unmet},
    sight::Condition,
};

/// The camera itself is in trouble: tampered with, or without pictures.
#[derive(Debug)]
pub(super) struct CameraRule {
    wanted: Wanted,
    dwell: Duration,
    /// Since when.
    since: Option<Duration>,
    fired: bool,
}

#[derive(Debug)]
pub(super) enum Wanted {
    /// Its picture is in one of these conditions.
    Tampered(Vec<Condition>),
    /// It gives none.
    Lost,
}

impl CameraRule {
    pub(super) fn new(wanted: Wanted, dwell: Duration) -> Self {
        Self { wanted, dwell, since: None, fired: false }
    }
}

impl Kind for CameraRule {
    fn observe(&mut self, _view: &View<'_>, _said: &mut Said) {}

    fn is_about_camera(&self) -> bool {
        true
    }

    fn watch(&mut self, at: Stamp, trouble: Trouble, said: &mut Said) {
        // While there are no pictures nobody knows whether the lens is still covered: what was said of it goes on.
        let troubled = match &self.wanted {
            Wanted::Tampered(_) if trouble.lost => self.since.is_some(),
            Wanted::Tampered(conditions) => trouble.condition.is_some_and(|condition| conditions.contains(&condition)),
            Wanted::Lost => trouble.lost,
        };
        if !troubled {
            self.since = None;
            if std::mem::take(&mut self.fired) {
                said.end(Subject::Whole, CloseReason::Cleared);
            } else {
                said.short(Subject::Whole, Shortfall::of(Unmet::Sound));
            }
            return;
        }
        let lasted = at.mono.saturating_sub(*self.since.get_or_insert(at.mono));
        let (seconds, least) = (lasted.as_secs_f64(), self.dwell.as_secs_f64());
        if lasted < self.dwell {
            said.short(Subject::Whole, Shortfall::new(Unmet::Dwell, seconds, least));
            return;
        }
        let evidence = Evidence { condition: trouble.condition, ..Evidence::default() }.measuring(
            Quantity::LastedS,
            seconds,
            Some(least),
            None,
        );
        let change = if std::mem::replace(&mut self.fired, true) { Change::Holds } else { Change::Began };
        said.say(Subject::Whole, change, evidence, []);
    }

    fn reset(&mut self) {
        self.since = None;
        self.fired = false;
    }
}
