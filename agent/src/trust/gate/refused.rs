use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use karaul_wire::{Command, ReplyCode, Segment, Verb};
use uuid::Uuid;

use super::LONGEST_TEXT;
use crate::{
    clock::Stamp,
    trust::audit::{Occasion, Record},
};

/// Refused commands of one key that get an entry of their own in each [`PERIOD`]: a person's mistakes and more.
const MOST_ENTRIES: u32 = 30;
/// How often those without an entry of their own are summed up.
const PERIOD: Duration = Duration::from_secs(3600);
/// Answers in a [`MINUTE`] to what no known key signed, and as many to what was signed and has no entry of its own.
const MOST_ANSWERS: u32 = 10;
const MINUTE: Duration = Duration::from_secs(60);

/// A command that is not carried out.
#[derive(Clone, Debug, PartialEq)]
pub struct Refused {
    /// Why, for programs.
    pub code: ReplyCode,
    /// Why, for people: one sentence.
    pub detail: String,
    /// Its id, if it is signed: whoever sees a command pass could have it refused in the eyes of its sender
    /// otherwise, with some nonsense of the same id.
    pub jti: Option<Uuid>,
    /// The verb of the topic it came on.
    pub verb: Verb,
    /// The key, if its signature is good. What follows is known only then.
    pub key: Option<Segment>,
    /// The command, if its claims could be read.
    pub command: Option<Box<Command>>,
}

impl Refused {
    pub(super) const fn new(verb: Verb) -> Self {
        Self { code: ReplyCode::Malformed, detail: String::new(), jti: None, verb, key: None, command: None }
    }

    pub(super) fn signed(&mut self, key: &Segment, claims: &[u8]) {
        self.key = Some(key.clone());
        self.jti = jti(claims);
    }

    /// Parts of what came can be in the sentence: it stays one line, for logs and terminals, and is not longer than
    /// other texts in the audit log.
    pub(super) fn because(&mut self, (code, detail): (ReplyCode, String)) {
        let mut detail = detail.replace(char::is_control, " ");
        if let Some((at, _)) = detail.char_indices().nth(LONGEST_TEXT) {
            detail.truncate(at);
            detail.push('…');
        }
        (self.code, self.detail) = (code, detail);
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

    /// Was it refused for what it is, not for being old or for another box? Only what its key's owner has sent
    /// just now gets as far as that.
    const fn is_fresh(&self) -> bool {
        matches!(self.code, ReplyCode::Forbidden | ReplyCode::Busy | ReplyCode::AuditUnavailable)
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

/// The id among claims.
fn jti(claims: &[u8]) -> Option<Uuid> {
    #[derive(serde::Deserialize)]
    struct Claims {
        jti: Uuid,
    }
    Some(serde_json::from_slice::<Claims>(claims).ok()?.jti)
}

/// Which refused commands get an entry in the audit log, and which an answer.
///
/// Anybody who can publish can send old commands again, signed as they are, and nonsense without end; neither may
/// fill the log, nor hide what those with a key try. So what is signed, fresh and refused gets an entry of its
/// own, thirty an hour for each key. Of everything else that is signed, the first of each code and key in an hour
/// does. All others are counted, and summed up at the end of the hour by key and code.
#[derive(Debug, Default)]
pub struct Refusals {
    /// When the present hour began, on the monotonic time line.
    since: Option<Duration>,
    /// Entries of their own, by key.
    entries: BTreeMap<Segment, u32>,
    /// The ids of those: sent again they get none. Bounded by the entries.
    known: BTreeSet<Uuid>,
    /// What else has an entry in this hour.
    told: BTreeSet<(Segment, ReplyCode)>,
    /// Those without an entry, by key, if it is known, and code.
    counted: BTreeMap<(Option<Segment>, ReplyCode), Counted>,
    /// To what is not signed, and to what is.
    answers: [Answers; 2],
}

#[derive(Clone, Copy, Debug, Default)]
struct Counted {
    commands: u64,
    /// So many of them got no answer.
    silent: u64,
}

/// Answers in the present minute.
#[derive(Clone, Copy, Debug, Default)]
struct Answers {
    since: Duration,
    given: u32,
}

/// What is to be done about a refused command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Notice {
    /// It gets an entry, to be written now, and an answer.
    Entry(Box<Record>),
    /// It is counted, and gets an answer.
    Answer,
    /// It is counted.
    Silence,
}

impl Refusals {
    /// Takes note of one.
    pub fn note(&mut self, refused: &Refused, now: Stamp) -> Notice {
        self.since.get_or_insert(now.mono);
        if self.gets_entry(refused) {
            return Notice::Entry(Box::new(refused.record()));
        }
        let counted = self.counted.entry((refused.key.clone(), refused.code)).or_default();
        counted.commands = counted.commands.saturating_add(1);
        let answers = &mut self.answers[usize::from(refused.is_signed())];
        if now.mono.saturating_sub(answers.since) >= MINUTE {
            *answers = Answers { since: now.mono, given: 0 };
        }
        if answers.given < MOST_ANSWERS {
            answers.given += 1;
            return Notice::Answer;
        }
        counted.silent = counted.silent.saturating_add(1);
        Notice::Silence
    }

    fn gets_entry(&mut self, refused: &Refused) -> bool {
        let Some(key) = &refused.key else { return false };
        if !refused.is_fresh() {
            return self.told.insert((key.clone(), refused.code));
        }
        let entries = self.entries.entry(key.clone()).or_default();
        let new = *entries < MOST_ENTRIES && refused.jti.is_none_or(|jti| self.known.insert(jti));
        *entries += u32::from(new);
        new
    }

    /// The sums of those without an entry, once the hour is over. To be asked now and then.
    pub fn sum(&mut self, now: Stamp) -> Vec<Record> {
        match self.since {
            Some(since) if now.mono.saturating_sub(since) >= PERIOD => self.rest(now),
            _ => Vec::new(),
        }
    }

    /// The sums of those without an entry so far.
    pub fn rest(&mut self, now: Stamp) -> Vec<Record> {
        let Some(since) = self.since else { return Vec::new() };
        let seconds = now.mono.saturating_sub(since).as_secs();
        let counted = std::mem::take(&mut self.counted);
        *self = Self { answers: self.answers, ..Self::default() };
        let record = |((key, code), Counted { commands, silent }): ((Option<Segment>, ReplyCode), Counted)| {
            let whose = if key.is_some() { "signed" } else { "unsigned" };
            let what = if commands == 1 { "command was" } else { "commands were" };
            let silent = if silent > 0 { format!(", {silent} of them without an answer") } else { String::new() };
            let detail = format!("{commands} {whose} {what} refused in {seconds} s without an entry each{silent}");
            let key = key.map(|key| key.to_string());
            Record { key, result: Some(code), ..Record::new(Occasion::RefusedMany) }.detail(detail)
        };
        counted.into_iter().map(record).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Stamp {
        Stamp { mono: Duration::from_secs(seconds), wall: "2027-03-01T12:00:00Z".parse().unwrap() }
    }

    fn refused(code: ReplyCode, key: Option<&str>, jti: u128) -> Refused {
        let key = key.map(|key| key.parse().unwrap());
        let jti = key.is_some().then(|| Uuid::from_u128(jti));
        Refused { code, detail: "no".to_owned(), jti, verb: Verb::Disarm, key, command: None }
    }

    fn entry(notice: &Notice) -> bool {
        matches!(notice, Notice::Entry(_))
    }

    fn told(record: Record) -> (Occasion, Option<String>, Option<ReplyCode>, String) {
        (record.event, record.key, record.result, record.detail.unwrap_or_default())
    }

    /// Somebody sends a year of old commands again, and nonsense; another tries what he must not.
    #[test]
    fn old_commands_sent_again_neither_fill_the_log_nor_hide_what_insiders_try() {
        let mut refusals = Refusals::default();
        let (mut old, mut insiders, mut unanswered) = (0, 0, 0);
        for n in 0..3_000 {
            let now = at(u64::try_from(n).unwrap());
            for code in [ReplyCode::Expired, ReplyCode::Replayed, ReplyCode::WrongAudience, ReplyCode::Malformed] {
                let notice = refusals.note(&refused(code, Some("desk"), n), now);
                old += u32::from(entry(&notice));
                unanswered += u32::from(notice == Notice::Silence);
            }
            assert!(!entry(&refusals.note(&refused(ReplyCode::BadSignature, None, n), now)));
            if n % 300 == 0 {
                insiders += u32::from(entry(&refusals.note(&refused(ReplyCode::Forbidden, Some("desk"), n), now)));
            }
            assert_eq!(refusals.sum(now), []);
        }
        assert_eq!((old, insiders), (4, 10));
        // Ten answers a minute.
        assert_eq!(unanswered, 12_000 - 4 - 500);
        let sums: Vec<_> = refusals.sum(at(3600)).into_iter().map(told).collect();
        let sum = |key: Option<&str>, code, detail: &str| {
            (Occasion::RefusedMany, key.map(str::to_owned), Some(code), detail.to_owned())
        };
        let unsigned =
            "3000 unsigned commands were refused in 3600 s without an entry each, 2500 of them without an answer";
        assert_eq!(sums[0], sum(None, ReplyCode::BadSignature, unsigned));
        assert_eq!(sums.len(), 5);
        assert!(sums[1].3.starts_with("2999 signed commands were refused in 3600 s without an entry each, 28"));
        assert_eq!(refusals.sum(at(9000)), []);
        assert!(entry(&refusals.note(&refused(ReplyCode::Expired, Some("desk"), 7), at(9000))));
    }

    #[test]
    fn a_key_gets_so_many_entries_an_hour_and_one_for_each_command() {
        let mut refusals = Refusals::default();
        let mut entries = |key: &str, jti| entry(&refusals.note(&refused(ReplyCode::Forbidden, Some(key), jti), at(5)));
        assert!(entries("desk", 1));
        assert!(!entries("desk", 1), "the same, sent again by anybody");
        assert_eq!((2..100).filter(|jti| entries("desk", *jti)).count(), 29);
        assert!(entries("chief", 200), "one key does not use up what another has");
        let sums: Vec<_> = refusals.rest(at(15)).into_iter().map(told).collect();
        let detail = "70 signed commands were refused in 10 s without an entry each, 60 of them without an answer";
        assert_eq!(
            sums,
            [(Occasion::RefusedMany, Some("desk".to_owned()), Some(ReplyCode::Forbidden), detail.to_owned())]
        );
        assert_eq!(refusals.rest(at(16)), []);
    }
}
