//! The ledger in words, for people.

use std::fmt::Write as _;

use karaul_wire::{LedgerBlind, LedgerDay, LedgerRule, LedgerTest, TestOutcome};

use super::calendar::Calendar;

const HEAD: [&str; 8] = ["camera", "rule", "armed", "seeing", "blind", "disarmed", "off", "unknown"];
/// Columns that are texts; the others are numbers and stand on the right.
const TEXTS: usize = 2;

/// One day as a table, with the causes of blindness and the tests below it.
pub(crate) fn table(day: &LedgerDay) -> String {
    let calendar = Calendar::of(day);
    let mut said = format!("{} ({})", day.date, day.time_zone);
    if day.counted_ms < day.length_ms {
        let _ = write!(said, ", the first {} of it", span(day.counted_ms));
    }
    said.push('\n');
    if day.rules.is_empty() {
        said.push_str("no rules\n");
    } else {
        rows(&day.rules, &mut said);
    }
    let clock = |at| calendar.as_ref().map_or_else(|| format!("{at}"), |calendar| calendar.clock(at));
    for rule in &day.rules {
        for (cause, blind) in &rule.blind {
            let LedgerBlind { total_ms, spells, longest_ms, longest_since } = blind;
            let (total, since) = (span(*total_ms), clock(*longest_since));
            let how = match spells {
                0 | 1 => format!("once, from {since}"),
                _ => format!("{spells} times, the longest {} from {since}", span(*longest_ms)),
            };
            let _ = writeln!(said, "blind: {} {}: {cause} {total} ({how})", rule.camera, rule.rule);
        }
    }
    for LedgerTest { at, camera, rule, outcome, took_ms, .. } in &day.tests {
        let took = took_ms.map(seconds).unwrap_or_default();
        let outcome = match outcome {
            TestOutcome::Waiting => "not confirmed yet".to_owned(),
            TestOutcome::Confirmed => format!("confirmed after {took}"),
            TestOutcome::Late => format!("confirmed TOO LATE, after {took}"),
            TestOutcome::Missed => "NOT CONFIRMED".to_owned(),
            TestOutcome::Failed => "FAILED: the rule did not fire, or there was no room for the alert".to_owned(),
        };
        let _ = writeln!(said, "test: {} {camera} {rule}: {outcome}", clock(*at));
    }
    said
}

fn rows(rules: &[LedgerRule], said: &mut String) {
    let row = |rule: &LedgerRule| {
        [
            rule.camera.to_string(),
            rule.rule.to_string(),
            span(rule.armed_ms()),
            share(rule),
            span(rule.blind_ms()),
            span(rule.disarmed_ms),
            span(rule.off_ms),
            span(rule.unknown_ms),
        ]
    };
    let rows: Vec<[String; 8]> = std::iter::once(HEAD.map(str::to_owned)).chain(rules.iter().map(row)).collect();
    let width = |column: usize| rows.iter().map(|row| row[column].len()).max().unwrap_or(0);
    let widths: [usize; 8] = std::array::from_fn(width);
    for row in &rows {
        let cells: Vec<String> = (0..HEAD.len())
            .map(|i| {
                let (cell, width) = (&row[i], widths[i]);
                if i < TEXTS { format!("{cell:width$}") } else { format!("{cell:>width$}") }
            })
            .collect();
        said.push_str(cells.join("  ").trim_end());
        said.push('\n');
    }
}

/// How much of the time in which it was armed it really saw. Rounded down: 100 % is never said of less.
fn share(rule: &LedgerRule) -> String {
    let armed = u128::from(rule.armed_ms());
    if armed == 0 {
        return "-".to_owned();
    }
    let tenths = u128::from(rule.seeing_ms) * 1000 / armed;
    if tenths == 1000 { "100 %".to_owned() } else { format!("{}.{} %", tenths / 10, tenths % 10) }
}

/// Hours, minutes and seconds. Less than a second is not nothing.
fn span(ms: u64) -> String {
    if ms > 0 && ms < 1000 {
        return "<0:00:01".to_owned();
    }
    let seconds = ms / 1000;
    format!("{}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60)
}

fn seconds(ms: u64) -> String {
    format!("{}.{} s", ms / 1000, ms % 1000 / 100)
}
