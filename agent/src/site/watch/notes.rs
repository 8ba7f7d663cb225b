//! What the diary of decisions is told of a camera.

use crate::{
    clock::Stamp,
    config,
    decisions::{Diary, Record, State},
    incident::{Cause, Desk, Step},
    rules::{Change, Finding, Heard},
    track::Track,
};

pub(super) struct Notes {
    diary: Diary,
    write: Box<dyn FnMut(Record) + Send>,
}

impl Notes {
    pub(super) fn new(camera: &config::Camera, write: impl FnMut(Record) + Send + 'static) -> Self {
        let rules = camera.rules.iter().map(|rule| rule.id.to_string()).collect();
        Self { diary: Diary::new(rules, camera.model.labels.clone()), write: Box::new(write) }
    }

    /// What the rules said at one look.
    pub(super) fn look(&mut self, at: Stamp, heard: &[Heard], tracks: &[Track]) {
        self.diary.look(at, heard, tracks);
        self.write_down(at);
    }

    /// Nothing came of a finding: because the desk holds it back, or because nothing was to come of it.
    pub(super) fn nothing_came(&mut self, at: Stamp, finding: &Finding, objects: &[Track], desk: &Desk) {
        if matches!(finding.change, Change::Ended(_)) {
            return;
        }
        let is_it = |rule, subject| rule == finding.rule && subject == finding.subject;
        let Some(withheld) = desk.withheld().iter().find(|w| is_it(w.rule, w.subject)) else { return };
        self.diary.outcome(at, finding.rule, finding.subject, state(withheld.by), objects.first());
    }

    /// An incident opens, or would have if there had been room.
    pub(super) fn opens(&mut self, at: Stamp, step: &Step, object: Option<&Track>, kept: bool) {
        let state = if kept { State::Alerted } else { State::NoRoom };
        self.diary.outcome(at, step.rule(), step.subject(), state, object);
    }

    /// What is over.
    pub(super) fn write_down(&mut self, now: Stamp) {
        self.diary.take(now).into_iter().for_each(&mut self.write);
    }

    /// All: nobody looks any more.
    pub(super) fn end(&mut self) {
        self.diary.end().into_iter().for_each(&mut self.write);
    }
}

const fn state(cause: Cause) -> State {
    match cause {
        Cause::Cooldown => State::Cooldown,
        Cause::Budget => State::Budget,
        Cause::Fixture => State::Fixture,
        Cause::Closed => State::Settled,
        Cause::NoRoom => State::NoRoom,
    }
}
