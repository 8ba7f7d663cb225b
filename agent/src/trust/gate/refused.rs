use std::time::Duration;

use data_encoding::BASE64URL_NOPAD;
use karaul_wire::{Command, ReplyCode, Segment, Verb};
use uuid::Uuid;

use super::LARGEST;
use crate::{
    clock::Stamp,
    trust::audit::{Occasion, Record},
};

/// Refused commands that get an entry of their own in each [`PERIOD`]. Old commands can be sent again by
/// anybody who can publish, so also those with a good signature have to be bounded.
const MOST_ENTRIES: u32 = 10;
/// How often those without an entry of their own are summed up.
const PERIOD: Duration = Duration::from_secs(60);

/// A command that is not carried out.
#[derive(Clone, Debug, PartialEq)]
pub struct Refused {
    /// Why, for programs.
    pub code: ReplyCode,
    /// Why, for people: one sentence.
    pub detail: String,
    /// Its id, as far as it could be read. Not to be believed unless it is signed.
    pub jti: Option<Uuid>,
    /// The verb of the topic it came on.
    pub verb: Verb,
    /// The key, if its signature is good. What follows is known only then.
    pub key: Option<Segment>,
    /// The command, if its claims could be read.
    pub command: Option<Box<Command>>,
}

impl Refused {
    pub(super) fn new(verb: Verb, payload: &[u8]) -> Self {
        let (code, detail) = (ReplyCode::Malformed, String::new());
        Self { code, detail, jti: jti(payload), verb, key: None, command: None }
    }

    pub(super) fn signed(&mut self, key: &Segment) {
        self.key = Some(key.clone());
    }

    pub(super) fn named(&mut self, command: &Command) {
        self.jti = Some(command.jti);
        self.command = Some(Box::new(command.clone()));
    }

    /// Did a known key sign it? It may have been sent again by somebody else.
    #[must_use]
    pub const fn is_signed(&self) -> bool {
        self.key.is_some()
    }

    /// As an entry of the audit log.
    fn record(&self) -> Record {
        let command = self.command.as_deref();
        Record {
            actor: command.map(|command| command.actor.clone()),
            key: self.key.as_ref().map(Segment::to_string),
            role: command.map(|command| command.role.clone()),
            verb: Some(self.verb),
            reason: command.map(|command| command.reason.clone()),
            jti: self.jti,
            result: Some(self.code),
            detail: Some(self.detail.clone()),
            ..Record::new(Occasion::Refused)
        }
    }
}

/// The id that a payload claims to have.
fn jti(payload: &[u8]) -> Option<Uuid> {
    #[derive(serde::Deserialize)]
    struct Claims {
        jti: Uuid,
    }
    let claims = payload.get(..LARGEST.min(payload.len()))?.split(|byte| *byte == b'.').nth(1)?;
    let claims = BASE64URL_NOPAD.decode(claims).ok()?;
    Some(serde_json::from_slice::<Claims>(&claims).ok()?.jti)
}

/// Which refused commands get an entry in the audit log: signed ones one each, up to ten a minute; all others
/// are counted, and summed up at most once a minute.
#[derive(Debug, Default)]
pub struct Refusals {
    /// When the present minute began, on the monotonic time line.
    since: Option<Duration>,
    entries: u32,
    counted: u64,
    last: Option<ReplyCode>,
}

impl Refusals {
    /// Takes note of one. The record, if there is one, is to be written now.
    pub fn note(&mut self, refused: &Refused, now: Stamp) -> Option<Record> {
        self.since.get_or_insert(now.mono);
        if refused.is_signed() && self.entries < MOST_ENTRIES {
            self.entries += 1;
            return Some(refused.record());
        }
        self.counted = self.counted.saturating_add(1);
        self.last = Some(refused.code);
        None
    }

    /// The sum of those without an entry, once the minute is over. To be asked now and then.
    pub fn sum(&mut self, now: Stamp) -> Option<Record> {
        let since = self.since.filter(|since| now.mono.saturating_sub(*since) >= PERIOD)?;
        let (counted, last) = (self.counted, self.last);
        *self = Self::default();
        let code = last.filter(|_| counted > 0)?;
        let seconds = now.mono.saturating_sub(since).as_secs();
        let what = if counted == 1 { "command was" } else { "commands were" };
        let detail =
            format!("{counted} {what} refused in {seconds} s without an entry each: unsigned ones, or too many");
        Some(Record { result: Some(code), ..Record::new(Occasion::RefusedMany) }.detail(detail))
    }
}
