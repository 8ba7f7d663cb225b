//! A command's way: gate, audit log, whoever carries it out, audit log, reply.

#[cfg(test)]
mod tests;
mod words;

use std::sync::Arc;

use karaul_wire::{BoxPath, Command, Order, Reply, ReplyCode, Segment, Verb};

use self::words::{intent, names, result};
use super::Outcome;
use crate::{
    clock::{Clock, Stamp},
    config,
    trust::{
        Admitted, Gate, Notice, Refusals, Refused,
        audit::{Audit, Occasion, Record},
    },
};

/// Who carries commands out.
pub trait CarryOut {
    /// Does what a command asks for. It has a limit of its own.
    fn carry_out(&self, command: &Command) -> Outcome;

    /// The camera of the incident or picture that an order names; `None` if it names none, or that cannot be told.
    fn camera_of(&self, order: &Order) -> Option<Segment>;

    /// The keys and roles in force.
    fn settings(&self) -> config::Commands;
}

/// What is to be sent on `reply/<verb>`.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// The topic's last level.
    pub verb: Verb,
    /// The payload.
    pub reply: Reply,
    /// It has to arrive, so it goes into the outbox. Answers to what nobody has signed do not: anybody could fill
    /// it. They go out now, or never.
    pub keep: bool,
}

/// Takes commands one after the other.
pub struct Commands<C> {
    /// Topic of commands without the verb.
    prefix: String,
    gate: Gate,
    audit: Arc<Audit>,
    refusals: Refusals,
    clock: Arc<dyn Clock>,
    carrier: C,
    settings: config::Commands,
}

impl<C: CarryOut> Commands<C> {
    /// Begins to take commands, and puts on record that the agent started, with which keys.
    pub fn start(path: &BoxPath, gate: Gate, audit: Arc<Audit>, clock: Arc<dyn Clock>, carrier: C) -> Self {
        let settings = carrier.settings();
        let prefix = format!("{path}/command/");
        let refusals = Refusals::default();
        let mut commands = Self { prefix, gate, audit, refusals, clock, carrier, settings };
        let version = format!("karaul {}", env!("CARGO_PKG_VERSION"));
        commands.note(Record::new(Occasion::Start).detail(version));
        commands.put_in_force();
        commands
    }

    /// Takes what came on a topic in the session of this number. `None` if the topic is none of a command, so
    /// that there is nowhere to answer, or if it is one of too many that nobody wants an answer to. What comes for
    /// a verb that there is not is counted.
    pub fn take(&mut self, topic: &str, payload: &[u8], session: u64) -> Option<Answer> {
        // First, so that nobody uses a key that is no longer in force.
        self.tend();
        let Ok(verb) = topic.strip_prefix(&self.prefix)?.parse::<Verb>() else {
            self.gate.count(ReplyCode::Malformed);
            return None;
        };
        let now = self.clock.now();
        match self.gate.admit(verb, payload, now, session) {
            Ok(admitted) => Some(self.admitted(verb, &admitted, now)),
            Err(refused) => self.refused(refused, now),
        }
    }

    /// To be called every few seconds: sums up refusals, and puts changed keys into force and on record.
    pub fn tend(&mut self) {
        let now = self.clock.now();
        for record in self.refusals.sum(now) {
            self.note(record);
        }
        let settings = self.carrier.settings();
        if settings != self.settings {
            self.settings = settings;
            self.put_in_force();
        }
        self.audit.catch_up(now.wall);
    }

    /// On record first of all: as long as that cannot be written, no command is carried out, as its own entry comes
    /// after it.
    fn put_in_force(&mut self) {
        self.gate.set(&self.settings);
        self.note(Record::new(Occasion::Keys).detail(names(&self.settings)));
    }

    /// Puts on record that the agent stops.
    pub fn stop(&mut self) {
        for record in self.refusals.rest(self.clock.now()) {
            self.note(record);
        }
        self.note(Record::new(Occasion::Stop));
    }

    /// Counters for `health/box`.
    #[must_use]
    pub const fn gate(&self) -> &Gate {
        &self.gate
    }

    fn admitted(&mut self, verb: Verb, admitted: &Admitted, now: Stamp) -> Answer {
        let command = &admitted.command;
        let camera = self.carrier.camera_of(&command.order);
        let (mut outcome, audit) = match self.audit.record(now.wall, intent(admitted, camera.as_ref())) {
            Ok(number) => {
                let refused = forbidden(admitted, camera.as_ref());
                let outcome = refused.unwrap_or_else(|| self.carrier.carry_out(command));
                (outcome, Some(number))
            }
            Err(error) => (Outcome::new(ReplyCode::AuditUnavailable, error.to_string()), None),
        };
        if let Some(number) = audit
            && let Err(error) = self.audit.record(self.clock.now().wall, result(verb, number, &outcome))
            && outcome.picture.is_some()
        {
            // The picture has not left yet, and does not leave without its entry.
            outcome = Outcome::new(ReplyCode::AuditUnavailable, error.to_string());
        }
        self.gate.count(outcome.code);
        let Outcome { code, detail, picture, ledger } = outcome;
        let time = self.clock.now().wall;
        let reply = Reply {
            jti: Some(command.jti),
            time,
            code,
            detail,
            audit,
            picture: picture.map(|picture| *picture),
            ledger,
        };
        Answer { verb, reply, keep: true }
    }

    fn refused(&mut self, refused: Refused, now: Stamp) -> Option<Answer> {
        let (keep, audit) = match self.refusals.note(&refused, now) {
            Notice::Entry(record) => {
                // One line each for those with an entry, so that nobody can flood the log of the agent either.
                let key = refused.key.as_ref().map(Segment::as_str);
                tracing::warn!(verb = %refused.verb, key, "command refused: {}", refused.detail);
                (true, self.audit.note(now.wall, *record))
            }
            Notice::Answer => (false, None),
            Notice::Silence => return None,
        };
        let Refused { code, detail, jti, verb, .. } = refused;
        let reply = Reply { jti, time: now.wall, code, detail, audit, picture: None, ledger: Vec::new() };
        Some(Answer { verb, reply, keep })
    }

    /// Puts on record what has happened anyway.
    fn note(&self, record: Record) {
        self.audit.note(self.clock.now().wall, record);
    }
}

/// Why a role that is only for some cameras may not do this to what `camera` has taken or seen; `None` if it may.
fn forbidden(admitted: &Admitted, camera: Option<&Segment>) -> Option<Outcome> {
    if !admitted.needs_look_up() {
        return None;
    }
    let role = &admitted.command.role;
    let detail = match camera {
        Some(camera) if admitted.may(camera) => return None,
        Some(camera) => format!("the role {role} is not for the camera {camera}"),
        None => format!("the role {role} is only for some cameras, and it is not known of which one this is"),
    };
    Some(Outcome::new(ReplyCode::Forbidden, detail))
}
