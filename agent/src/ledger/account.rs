//! What becomes of a stretch of time in the account of one rule.

use jiff::Timestamp;
use karaul_wire::{LedgerBlind, LedgerRule};

/// More causes of blindness are not told apart on one day, for one rule.
const MOST_CAUSES: usize = 16;

/// What stands for all further causes.
const OTHER: &str = "other";

/// What a rule was in a stretch of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State<'a> {
    Seeing,
    Blind(&'a str),
    Disarmed,
    Off,
    Unknown,
}

/// The spell of blindness that a rule is in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Spell {
    cause: String,
    since: Timestamp,
    ms: u64,
}

/// Counts `ms` that have not been counted before, which began at `at`. `spell` is what the rule was in before,
/// and is afterwards.
pub(super) fn count(rule: &mut LedgerRule, state: State<'_>, at: Timestamp, ms: u64, spell: &mut Option<Spell>) {
    match state {
        State::Seeing => rule.seeing_ms += ms,
        State::Disarmed => rule.disarmed_ms += ms,
        State::Off => rule.off_ms += ms,
        State::Unknown => rule.unknown_ms += ms,
        State::Blind(cause) => return blind(rule, cause, at, ms, spell),
    }
    *spell = None;
}

/// Counts `ms` of a time that was counted before, because the clock was set back: what was seeing the first time
/// counts as seen only if it was so the second time as well. The sum stays as it is.
pub(super) fn count_again(rule: &mut LedgerRule, state: State<'_>, at: Timestamp, ms: u64, spell: &mut Option<Spell>) {
    let ms = ms.min(rule.seeing_ms);
    match state {
        State::Seeing | State::Disarmed => {}
        _ if ms == 0 => {}
        state => {
            rule.seeing_ms -= ms;
            count(rule, state, at, ms, spell);
            return;
        }
    }
    *spell = None;
}

fn blind(rule: &mut LedgerRule, cause: &str, at: Timestamp, ms: u64, spell: &mut Option<Spell>) {
    let cause = if rule.blind.len() < MOST_CAUSES || rule.blind.contains_key(cause) { cause } else { OTHER };
    let begins = spell.as_ref().is_none_or(|spell| spell.cause != cause);
    let spell = match spell {
        Some(spell) if !begins => spell,
        _ => spell.insert(Spell { cause: cause.to_owned(), since: at, ms: 0 }),
    };
    spell.ms += ms;
    let first = || LedgerBlind { total_ms: 0, spells: 0, longest_ms: 0, longest_since: at };
    let sum = rule.blind.entry(cause.to_owned()).or_insert_with(first);
    sum.total_ms += ms;
    sum.spells = sum.spells.saturating_add(u32::from(begins));
    if spell.ms > sum.longest_ms {
        (sum.longest_ms, sum.longest_since) = (spell.ms, spell.since);
    }
}
