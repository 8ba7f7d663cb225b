use std::collections::BTreeMap;

use karaul_wire::{LedgerBlind, LedgerDay, LedgerRule, LedgerTest, TestOutcome};

use super::{super::table::table, *};

fn rule(camera: &str, rule: &str, [seeing, disarmed, off, unknown]: [u64; 4]) -> LedgerRule {
    LedgerRule {
        camera: id(camera),
        rule: id(rule),
        seeing_ms: seeing,
        blind: BTreeMap::new(),
        disarmed_ms: disarmed,
        off_ms: off,
        unknown_ms: unknown,
    }
}

fn day() -> LedgerDay {
    let mut day = calendar("Asia/Almaty").blank(date("2026-11-22"), [].into_iter()).unwrap();
    day.counted_ms = day.length_ms;
    let mut gate = rule("gate", "night-intrusion", [43_199_999 - 630_000, 43_200_001, 0, 0]);
    let since = time("2026-11-22T01:00:00Z");
    gate.blind.insert(
        "offline".to_owned(),
        LedgerBlind { total_ms: 626_000, spells: 2, longest_ms: 600_000, longest_since: since },
    );
    gate.blind.insert(
        "starting".to_owned(),
        LedgerBlind { total_ms: 4_000, spells: 1, longest_ms: 4_000, longest_since: time("2026-11-21T19:00:00Z") },
    );
    day.rules = vec![
        gate,
        rule("roof", "crossing", [82_800_000, 0, 3_599_500, 500]),
        rule("yard", "never", [0, 86_400_000, 0, 0]),
    ];
    let test = |hour: u8, outcome, took_ms| LedgerTest {
        at: time(&format!("2026-11-22T0{hour}:00:00Z")),
        camera: id("gate"),
        rule: id("night-intrusion"),
        incident: None,
        sequence: None,
        outcome,
        took_ms,
    };
    day.tests = vec![
        test(3, TestOutcome::Confirmed, Some(412)),
        test(4, TestOutcome::Late, Some(372_000)),
        test(5, TestOutcome::Missed, None),
        test(6, TestOutcome::Failed, None),
        test(7, TestOutcome::Waiting, None),
    ];
    day
}

#[test]
fn a_day_is_a_table_that_people_can_read() {
    let mut day = day();
    let expected = "\
2026-11-22 (Asia/Almaty)
camera  rule                armed  seeing    blind  disarmed      off   unknown
gate    night-intrusion  11:59:59  98.5 %  0:10:30  12:00:00  0:00:00   0:00:00
roof    crossing         23:00:00   100 %  0:00:00   0:00:00  0:59:59  <0:00:01
yard    never             0:00:00       -  0:00:00  24:00:00  0:00:00   0:00:00
blind: gate night-intrusion: offline 0:10:26 (2 times, the longest 0:10:00 from 06:00:00)
blind: gate night-intrusion: starting 0:00:04 (once, from 00:00:00)
test: 08:00:00 gate night-intrusion: confirmed after 0.4 s
test: 09:00:00 gate night-intrusion: confirmed TOO LATE, after 372.0 s
test: 10:00:00 gate night-intrusion: NOT CONFIRMED
test: 11:00:00 gate night-intrusion: FAILED: the rule did not fire, or there was no room for the alert
test: 12:00:00 gate night-intrusion: not confirmed yet
";
    assert_eq!(table(&day), expected);
    day.rules.clear();
    day.tests.clear();
    day.counted_ms = 3_600_000;
    assert_eq!(table(&day), "2026-11-22 (Asia/Almaty), the first 1:00:00 of it\nno rules\n");
}

#[test]
fn a_moment_of_blindness_is_never_a_hundred_per_cent() {
    let mut day = day();
    day.rules[1].seeing_ms -= 1;
    day.rules[1].blind.insert(
        "stalled".to_owned(),
        LedgerBlind { total_ms: 1, spells: 1, longest_ms: 1, longest_since: time("2026-11-22T01:00:00Z") },
    );
    let table = table(&day);
    let roof = table.lines().find(|line| line.starts_with("roof")).unwrap();
    assert!(roof.contains(" 99.9 %  <0:00:01 "), "{roof}");
}
