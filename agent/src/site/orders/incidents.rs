use karaul_wire::{Acknowledged, CloseReason, ReplyCode, Segment};
use uuid::Uuid;

use super::{Answer, Orders, named, started_anew};
use crate::site::Outcome;
use crate::{
    config,
    incident::trial,
    site::{
        register::{Closed, Entry, REMEMBERED},
        tray::{self, Errand, Silence},
    },
};

impl Orders {
    pub(super) fn acknowledge(&self, incident: Uuid, actor: &str) -> Answer {
        let by = Acknowledged { actor: actor.to_owned(), time: self.clock.now().wall };
        if self.delivery.alarm.is(incident) {
            let (now, languages) = (self.clock.now(), &self.posts.config().site.languages);
            match self.delivery.alarm.acknowledge(&self.delivery, now, incident, by.clone(), languages) {
                tray::Answer::Done => {
                    return Ok(Outcome::done("acknowledged; the alarm goes on until a scheduled test is confirmed"));
                }
                tray::Answer::Taken(by) => return Ok(self.taken(&by)),
                tray::Answer::NoRoom => return Err(no_room()),
                // It closed in this very moment, which the register knows.
                tray::Answer::NotOpen => {}
            }
        }
        let done = |camera: &Segment| Outcome::done(format!("acknowledged; the incident at camera {camera} goes on"));
        let closed = |closed: Closed| Outcome::done(format!("there is nothing left to do: {}", self.ended(&closed)));
        self.at_its_camera(incident, &Errand::Acknowledge(incident, by), done, closed)
    }

    pub(super) fn close(&self, incident: Uuid, reason: CloseReason) -> Answer {
        if self.delivery.alarm.is(incident) {
            return Err(Outcome::failed(
                "this is the alarm that a scheduled test was not confirmed; it closes by itself when one is, or when \
                 [test] is taken out of the config; nothing was changed",
            ));
        }
        let what = if reason == CloseReason::FalsePositive { "closed as a false alarm" } else { "closed" };
        let done = |camera: &Segment| Outcome::done(format!("{what}; camera {camera} watches on"));
        let closed = |closed: Closed| {
            Outcome::failed(format!("{}; what the box has told of it stays as it is", self.ended(&closed)))
        };
        self.at_its_camera(incident, &Errand::Close(incident, reason), done, closed)
    }

    /// Has the thread of the incident's camera do it.
    fn at_its_camera(
        &self,
        incident: Uuid,
        errand: &Errand,
        done: impl FnOnce(&Segment) -> Outcome,
        closed: impl FnOnce(Closed) -> Outcome,
    ) -> Answer {
        if matches!(self.delivery.register.find(incident), Entry::Unknown) {
            // Left open by another run, perhaps, and not closed yet because the disk was away.
            self.delivery.tidy(self.boot_id, &self.posts.config().site.languages);
        }
        let camera = match self.delivery.register.find(incident) {
            Entry::Open(camera) => camera,
            Entry::Closed(end) => return Ok(closed(end)),
            Entry::Unknown => {
                let detail = format!(
                    "no incident {incident} is open, nor is it one of the last {REMEMBERED} that closed since the \
                     agent's start"
                );
                return Err(Outcome::new(ReplyCode::NotFound, detail));
            }
        };
        let answer = self
            .posts
            .of(&camera)
            .map_or(Err(Silence::Nobody), |post| post.shared.tray.ask(errand.clone(), self.limits.errand));
        match answer {
            Ok(tray::Answer::Done) => Ok(done(&camera)),
            Ok(tray::Answer::Taken(by)) => Ok(self.taken(&by)),
            // It closed in this very moment.
            Ok(tray::Answer::NotOpen) | Err(Silence::Nobody) => match self.delivery.register.find(incident) {
                Entry::Closed(end) => Ok(closed(end)),
                // Where there was no room for its end, nobody has it any more.
                Entry::Open(_) | Entry::Unknown => Err(started_anew(
                    &camera,
                    "; if that does not help, the box had no room to tell the end of the incident, and does so when \
                     the agent is restarted",
                )),
            },
            Ok(tray::Answer::NoRoom) => Err(no_room()),
            Err(Silence::Full) => Err(Outcome::new(
                ReplyCode::Busy,
                format!("too many commands wait for camera {camera}; nothing was changed, send the command again"),
            )),
            Err(Silence::Unheard) => Err(Outcome::failed(format!(
                "camera {camera} was too busy for {} s; nothing was changed, send the command again",
                self.limits.errand.as_secs_f64()
            ))),
            Err(Silence::Unfinished) => Err(Outcome::failed(format!(
                "camera {camera} has begun but was not through within {} s; the next step of the incident tells \
                 whether it was done",
                self.limits.errand.as_secs_f64()
            ))),
        }
    }

    pub(super) fn test_incident(&self, camera: &Segment, rule: Option<&Segment>) -> Answer {
        let config = self.posts.config();
        let configured = named(&config, camera)?;
        let rules = &configured.rules;
        let not_found = |detail| Outcome::new(ReplyCode::NotFound, detail);
        let rule = match rule {
            Some(id) => rules.iter().find(|rule| rule.id == *id).ok_or_else(|| {
                let known: Vec<&str> = rules.iter().map(|rule| rule.id.as_str()).collect();
                let remedy = config::choose(id.as_str(), &known, "it has none at all");
                not_found(format!("camera {camera} has no rule \"{id}\"; {remedy}"))
            })?,
            None => rules.first().ok_or_else(|| {
                not_found(format!("camera {camera} has no rule that could be tested; add one to the config"))
            })?,
        };
        let now = self.clock.now();
        let provider = config.inference.provider.as_str();
        let steps = trial(configured, rule, now, provider, self.boot_id, &config.site.languages);
        let id = steps[0].incident.id;
        let mut opened = "";
        for step in steps {
            if !self.delivery.put(now.wall, step) {
                return Err(Outcome::failed(format!(
                    "neither the disk nor the memory of the box has room for the test{opened}; see trouble in health/box"
                )));
            }
            opened = "'s end, and the test incident stays open until the agent is restarted";
        }
        Ok(Outcome::done(format!("test incident {id} of rule {} at camera {camera} opened and closed", rule.id)))
    }

    fn taken(&self, by: &Acknowledged) -> Outcome {
        Outcome::done(format!("{} has acknowledged it already, at {}", by.actor, self.local(by.time)))
    }

    /// When and why it ended, in words.
    fn ended(&self, closed: &Closed) -> String {
        let why = match closed.reason {
            CloseReason::Cleared => "the object had left",
            CloseReason::Lost => "the object was no longer seen",
            CloseReason::Disarmed => "its rule was disarmed",
            CloseReason::Blind => "the camera went blind",
            CloseReason::Stopped => "the agent was stopped",
            CloseReason::Restarted => "the agent was restarted",
            CloseReason::Resolved => "an operator closed it",
            CloseReason::FalsePositive => "an operator called it a false alarm",
        };
        format!("the incident closed at {}: {why}", self.local(closed.at))
    }
}

fn no_room() -> Outcome {
    Outcome::failed(
        "neither the disk nor the memory of the box has room for it; nothing was changed, see trouble in health/box",
    )
}
