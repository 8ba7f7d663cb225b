//! The notes beside what arrived.

use std::{
    collections::{BTreeMap, HashSet},
    ops::RangeInclusive,
};

use karaul_wire::{AlertEvent, Severity};
use uuid::Uuid;

use super::ledger::{Entry, Ledger};
use crate::{
    centre::{self, Record},
    report::Report,
};

/// What was there at the end.
pub(super) struct Found<'a> {
    /// What the operations centre got.
    pub record: &'a Record,
    /// Topic and revision of the incidents that the last process left open.
    pub left_open: Vec<String>,
    /// What is retained on `open/`.
    pub retained: BTreeMap<String, Vec<u8>>,
}

/// Adds the result to the report. With `broker_forgets` the broker was killed too. What it forgot is sent again after
/// what came later, so the order is then only counted, and so are retained states, because a receipt tells of alerts.
pub(super) fn judge(ledger: &Ledger, found: &Found<'_>, broker_forgets: bool, report: &mut Report) {
    let record = found.record;
    let (lost, undone) = losses(ledger.entries(), record);
    report.fact("alerts that arrived", record.first.len());
    report.fact("duplicates", record.duplicates);
    report.fact("lesser severities undone by a SIGKILL before they were written", undone);
    report.promise("none lost", &lost);
    report.promise("no number twice with different ids", &words(&record.contradictions));
    report.promise("no hole in the numbers that `gap/box` does not explain", &holes(record));
    let disorder = disorder(record);
    if broker_forgets {
        report.fact("revisions out of order, because mosquitto forgot one (a consumer sorts by `rev`)", disorder.len());
    } else {
        report.promise("revisions of an incident in order", &disorder);
    }
    report.promise("nothing but events of the contract", &record.nonsense);
    let states = states(found);
    if broker_forgets {
        report.fact("retained `open/` that differ (a receipt does not cover states)", states.len());
    } else {
        report.promise("retained `open/` are the incidents that are open", &states);
    }
}

/// What was noted and did not arrive: lost, or undone.
///
/// Lesser severities are written a moment after their commit, all together and before they are handed out. So a
/// SIGKILL may undo them, but only as the tail of a life: nothing that this life committed later has been written.
fn losses(entries: &[Entry], record: &Record) -> (Vec<String>, usize) {
    let last_life = entries.last().map_or(0, |entry| entry.life);
    let mut last_written: BTreeMap<u64, u64> = BTreeMap::new();
    // By what it says: its number may have become another one before it was sent.
    let events: HashSet<Uuid> = record.first.iter().map(|arrival| arrival.event).collect();
    let arrived = |entry: &Entry| events.contains(&entry.event);
    for entry in entries.iter().filter(|entry| arrived(entry)) {
        let last = last_written.entry(entry.life).or_default();
        *last = entry.sequence.max(*last);
    }
    let told = |number| record.gaps.iter().any(|(first, last)| (*first..=*last).contains(&number));
    let (mut lost, mut undone) = (Vec::new(), 0);
    for entry in entries.iter().filter(|entry| !arrived(entry)) {
        let tail = last_written.get(&entry.life).is_none_or(|last| entry.sequence > *last);
        if entry.severity < Severity::Critical && tail && entry.life < last_life {
            undone += 1;
        } else if !told(entry.sequence) {
            lost.push(entry.to_string());
        }
    }
    (lost, undone)
}

/// Numbers that neither came nor are in a gap, as ranges: a new outbox may go on far ahead.
fn holes(record: &Record) -> Vec<String> {
    // What is missing behind the last that came may still be told.
    let last = record.numbers().last().unwrap_or_default();
    let known = record.dealt_with();
    let ranges = known.ranges().map(RangeInclusive::into_inner).take_while(|(first, _)| *first <= last);
    centre::holes(ranges).map(|(first, last)| format!("{first} to {last}")).collect()
}

/// First arrivals whose revision is not the next of their incident, but for numbers that a gap explains.
fn disorder(record: &Record) -> Vec<String> {
    let mut last: BTreeMap<Uuid, u32> = BTreeMap::new();
    let mut wrong = Vec::new();
    for arrival in &record.first {
        let before = last.insert(arrival.incident, arrival.rev).unwrap_or_default();
        let in_order = if record.gaps.is_empty() { arrival.rev == before + 1 } else { arrival.rev > before };
        if !in_order {
            wrong.push(format!("{}: revision {} after {before}", arrival.incident, arrival.rev));
        }
    }
    wrong
}

fn states(found: &Found<'_>) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut retained = found.retained.clone();
    for line in &found.left_open {
        let Some((topic, rev)) = line.split_once(' ') else { continue };
        let state = retained.remove(topic).unwrap_or_default();
        match serde_json::from_slice::<AlertEvent>(&state) {
            Ok(event) if event.data.incident.rev.to_string() == rev => {}
            Ok(event) => wrong.push(format!("{topic} has revision {}, not {rev}", event.data.incident.rev)),
            Err(error) => wrong.push(format!("{topic}: {error}")),
        }
    }
    wrong.extend(retained.into_keys().map(|topic| format!("{topic} is not open")));
    wrong
}

fn words(numbers: &[u64]) -> Vec<String> {
    numbers.iter().map(u64::to_string).collect()
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use karaul_wire::Phase;

    use super::*;
    use crate::centre::Arrival;

    fn entry(life: u64, sequence: u64, rev: u32, severity: Severity) -> Entry {
        let event = Uuid::from_u128(u128::from(life) << 64 | u128::from(sequence));
        let phase = if rev == 1 { Phase::Open } else { Phase::Update };
        Entry { life, sequence, event, incident: Uuid::nil(), rev, phase, severity }
    }

    fn arrived(entries: &[Entry]) -> Record {
        let mut record = Record::default();
        for Entry { sequence, event, incident, rev, severity, .. } in entries.iter().copied() {
            record.take(Arrival { sequence, event, incident, rev, severity, backfill: false, at: Instant::now() });
        }
        record
    }

    #[test]
    fn only_the_lesser_tail_of_a_killed_life_may_be_undone() {
        let (info, critical) = (Severity::Info, Severity::Critical);
        let all = [entry(1, 1, 1, critical), entry(1, 2, 2, info), entry(2, 2, 2, critical), entry(2, 3, 3, info)];
        let came = [all[0], all[2], all[3]];
        assert_eq!(losses(&all, &arrived(&came)), (vec![], 1));
        assert_eq!(losses(&all, &arrived(&came[..1])).0.len(), 2, "a critical one and the last life's are lost");
        let moved = Entry { sequence: 77, ..all[0] };
        assert_eq!(losses(&all, &arrived(&[moved, all[2], all[3]])), (vec![], 1), "under another number");
        let middle = [entry(1, 1, 1, info), entry(1, 2, 2, critical), entry(2, 3, 3, critical)];
        assert_eq!(losses(&middle, &arrived(&middle[1..])).0.len(), 1, "what came after it was written");
    }

    #[test]
    fn holes_disorder_and_contradictions_are_seen() {
        let critical = Severity::Critical;
        let record = arrived(&[entry(1, 1, 1, critical), entry(1, 4, 3, critical), entry(1, 3, 2, critical)]);
        assert_eq!(holes(&record), ["2 to 2"]);
        let far = 1_800_000_000_000_000;
        let mut leapt =
            arrived(&[entry(1, 2, 1, critical), entry(1, far, 2, critical), entry(1, far + 1, 3, critical)]);
        leapt.gaps = vec![(5, 9), (7, far - 2), (far + 5, far + 9)];
        assert_eq!(holes(&leapt), ["1 to 1", "3 to 4", &format!("{0} to {0}", far - 1)], "in no time");
        assert_eq!(disorder(&record).len(), 2);
        let record = arrived(&[entry(1, 1, 1, critical), entry(2, 1, 1, critical), entry(1, 1, 1, critical)]);
        assert_eq!((record.contradictions.len(), record.first.len()), (2, 1));
    }

    #[test]
    fn a_state_that_nobody_cleared_is_seen() {
        let record = Record::default();
        let retained = BTreeMap::from([("open/x".to_owned(), b"{}".to_vec())]);
        let found = Found { record: &record, left_open: vec!["open/y 1".to_owned()], retained };
        assert_eq!(states(&found).len(), 2);
    }
}
