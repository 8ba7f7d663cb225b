//! No number comes twice, whatever becomes of the disk.

use karaul_wire::{BoxState, BoxStatus, Sequence};

use super::{Phase::*, *};
use crate::uplink::outbox::recall::Surprise;

fn with_receipts(dir: &Path, clock: &SimulatedClock) -> Outbox {
    Outbox::open(OutboxSettings { receipts: true, ..settings(dir, PLENTY) }, Arc::new(clock.clone())).unwrap()
}

fn up_to(number: u64) -> Receipt {
    Receipt { up_to: Some(Sequence(number)), ..Receipt::default() }
}

fn alert(outbox: &Outbox) -> u64 {
    step(outbox, 1, Severity::Critical, Open, 0).0
}

/// While the disk is read-only, numbers are given out of which it takes no note; then the power goes.
#[test]
fn numbers_that_no_disk_took_note_of_do_not_come_again() {
    let dir = tempfile::tempdir().unwrap();
    let clock = clock();
    let outbox = Outbox::open(settings(dir.path(), PLENTY), Arc::new(clock.clone())).unwrap();
    let last = alert(&outbox);
    outbox.lock().store.as_ref().unwrap().set_disk(0);
    step(&outbox, 2, Severity::Critical, Open, 200_000);
    assert!(outbox.trouble().is_some());
    outbox.lock().lose_numbers();
    alert(&outbox);
    let unknown: Vec<u64> = (0..3).map(|_| alert(&outbox)).collect();
    let by_the_clock = clock.now().wall.as_microsecond().cast_unsigned();
    assert_eq!(unknown, [by_the_clock + 1, by_the_clock + 2, by_the_clock + 3], "one leap, not one for each");

    let left = killed(dir.path());
    let numbers = left.path().join("numbers");
    let text = fs::read_to_string(&numbers).unwrap();
    let (before, boot) = text.split_once("boot    ").unwrap();
    fs::write(&numbers, format!("{before}boot    {}\n", Uuid::from_u128(7))).unwrap();
    let after = open(left.path(), PLENTY);
    let next = alert(&after);
    assert!(next > 1024 && !unknown.contains(&next), "behind all that was noted as used: {next}");
    assert_eq!((missing(&after), last), ((2..next).collect(), 1), "and it is said that none of those comes");
    drop(after);
    assert!(fs::read_to_string(&numbers).unwrap().ends_with(boot));
    let left = killed(left.path());
    assert_eq!(alert(&open(left.path(), PLENTY)), next + 1, "once, and only when the power was off");
}

#[test]
fn a_new_folder_goes_on_behind_what_the_centre_has() {
    let dir = tempfile::tempdir().unwrap();
    let outbox = with_receipts(dir.path(), &clock());
    assert_eq!(alert(&outbox), 1);
    deliver(&outbox, usize::MAX);
    outbox.receipt(&up_to(4711));
    assert_eq!((alert(&outbox), outbox.unconfirmed()), (4713, 1), "it speaks of other alerts than ours");
    assert_eq!(missing(&outbox), (1..=4711).collect::<Vec<_>>());
    outbox.receipt(&up_to(u64::MAX / 3));
    assert_eq!(alert(&outbox), 4714, "so many have never been");
}

/// A step whose number is in the payload, as in an alert.
fn numbered(outbox: &Outbox, incident: u128, severity: Severity) -> u64 {
    let filled = outbox.commit(|batch| {
        let number = batch.next_sequence();
        let text = format!(r#"{{"a":"ә","sequence":"{}","b":1}}"#, Sequence(number));
        let (incident, sequence) = (Some(Uuid::from_u128(incident)), Some(number));
        batch.put(Message { incident, sequence, ..message(&text, severity) });
        let topic = format!("open/{incident:?}");
        batch.put(Message { incident, sequence, topic, retain: true, ..message(&text, severity) });
        Ok::<_, ()>(number)
    });
    outbox.write_pending();
    filled.unwrap()
}

/// The number in the payload is that of the message.
fn assert_payloads(outbox: &Outbox) {
    for Waiting { message, .. } in outbox.next(usize::MAX, usize::MAX, |_, _| false) {
        let Some(number) = message.sequence.map(Sequence) else { continue };
        assert_eq!(String::from_utf8(message.payload).unwrap(), format!(r#"{{"a":"ә","sequence":"{number}","b":1}}"#));
    }
}

fn told(session: u64, outbox: Uuid) -> BoxStatus {
    let since = "2026-11-22T02:00:00Z".parse().unwrap();
    BoxStatus { state: BoxState::Lost, session, since, sequence: None, outbox: Some(outbox) }
}

#[test]
fn what_nobody_has_seen_gets_other_numbers_when_the_folder_turns_out_to_be_new() {
    let dir = tempfile::tempdir().unwrap();
    let clock = clock();
    let outbox = Outbox::open(settings(dir.path(), PLENTY), Arc::new(clock.clone())).unwrap();
    assert_eq!((1..=4).map(|incident| numbered(&outbox, incident, Severity::Info)).max(), Some(4));
    // The alert of the second; its state still waits.
    outbox.delivered(&[3]);
    assert_eq!(outbox.session(), 1);
    assert!(outbox.has_next(1, |_, _| false), "whoever only asks has seen nothing");
    assert_eq!(outbox.recall(&told(700, Uuid::from_u128(7))), Some(Surprise::Replaced));

    let first = clock.now().wall.as_microsecond().cast_unsigned() + 1;
    assert_eq!(numbers(&outbox), [first, first + 2, first + 3]);
    assert_payloads(&outbox);
    let gaps: Vec<_> = outbox.lock().gaps().ranges().collect();
    assert_eq!(gaps, [1..=first - 1, first + 1..=first + 1], "the second went before");
    assert!(outbox.session() > 700);
    let left = killed(dir.path());
    let after = open(left.path(), PLENTY);
    assert_eq!((numbered(&after, 9, Severity::Info), after.lock().gaps().ranges().collect()), (first + 4, gaps));
    assert_eq!(after.recall(&told(1, outbox.name())), None, "its name outlasts a crash");
}

#[test]
fn what_was_handed_out_keeps_its_number() {
    let dir = tempfile::tempdir().unwrap();
    let outbox = open(dir.path(), PLENTY);
    numbered(&outbox, 1, Severity::Info);
    assert_eq!(numbers(&outbox), [1]);
    numbered(&outbox, 2, Severity::Info);
    outbox.session();
    assert_eq!(outbox.recall(&told(1, outbox.name())), Some(Surprise::Behind));
    let all = numbers(&outbox);
    assert_eq!((all.len(), all[0]), (2, 1));
    assert!(all[1] > 1_000_000_000_000);
    assert_eq!(numbered(&outbox, 3, Severity::Info), all[1] + 1);
    assert_eq!(outbox.recall(&told(1, outbox.name())), Some(Surprise::Behind), "the session is still to be begun");
    outbox.session();
    assert_eq!(outbox.recall(&told(1, outbox.name())), None);
}

/// The broker may be back only after the agent was started again.
#[test]
fn what_nobody_has_seen_gets_other_numbers_after_a_restart_too() {
    let by_the_clock = clock().now().wall.as_microsecond().cast_unsigned();
    let replaced = told(700, Uuid::from_u128(7));
    for receipts in [false, true] {
        let dir = tempfile::tempdir().unwrap();
        let open = || Outbox::open(OutboxSettings { receipts, ..settings(dir.path(), PLENTY) }, Arc::new(clock()));
        let first = open().unwrap();
        assert_eq!((1..=3).map(|incident| numbered(&first, incident, Severity::Critical)).max(), Some(3));
        drop(first);
        drop(open().unwrap());
        let outbox = open().unwrap();
        assert!(outbox.has_next(1, |_, _| false), "whoever only looks knows of no number");
        assert_eq!(outbox.recall(&replaced), Some(Surprise::Replaced));
        assert_eq!(numbers(&outbox), [by_the_clock + 1, by_the_clock + 2, by_the_clock + 3]);
        assert_payloads(&outbox);
        deliver(&outbox, usize::MAX);
        outbox.receipt(&up_to(4711));
        assert_eq!((outbox.has_next(1, |_, _| false), outbox.unconfirmed()), (false, if receipts { 3 } else { 0 }));
    }

    let dir = tempfile::tempdir().unwrap();
    let first = open(dir.path(), PLENTY);
    numbered(&first, 1, Severity::Critical);
    assert_eq!(numbers(&first), [1]);
    numbered(&first, 2, Severity::Critical);
    drop(first);
    let outbox = open(dir.path(), PLENTY);
    assert_eq!(outbox.recall(&replaced), Some(Surprise::Replaced));
    assert_eq!(numbers(&outbox), [1, 2], "somebody may know the first");
}

#[test]
fn what_nobody_has_seen_gets_other_numbers_in_disk_trouble_too() {
    for (stored, is_moved) in [(2, true), (300, false)] {
        let dir = tempfile::tempdir().unwrap();
        let clock = clock();
        let outbox = Outbox::open(settings(dir.path(), PLENTY), Arc::new(clock.clone())).unwrap();
        for incident in 1..=stored {
            numbered(&outbox, incident, Severity::Info);
        }
        outbox.lock().store.as_ref().unwrap().set_disk(0);
        let big = message(&"x".repeat(200_000), Severity::Critical);
        let filled: Result<(), ()> = outbox.commit(|batch| {
            batch.put(big);
            Ok(())
        });
        filled.unwrap();
        assert!(outbox.trouble().is_some());
        numbered(&outbox, 1001, Severity::Critical);
        numbered(&outbox, 1002, Severity::Critical);
        assert_eq!(outbox.recall(&told(700, Uuid::from_u128(7))), Some(Surprise::Replaced));

        let first = clock.now().wall.as_microsecond().cast_unsigned() + 1;
        let stored = u64::try_from(stored).unwrap();
        let expected: Vec<u64> = if is_moved {
            (first..first + stored + 2).collect()
        } else {
            (1..=stored).chain(first..first + 2).collect()
        };
        let sorted = |outbox: &Outbox| {
            let mut numbers = numbers(outbox);
            numbers.sort_unstable();
            numbers
        };
        let waiting = outbox.next(usize::MAX, usize::MAX, |_, _| false);
        assert_eq!(sorted(&outbox), expected, "what the disk does not let go keeps its number, and that is said");
        let last = *expected.last().unwrap();
        assert_eq!(alert(&open(killed(dir.path()).path(), PLENTY)), last + 1, "after a crash as well");

        outbox.lock().store.as_ref().unwrap().set_disk(PLENTY);
        clock.advance(Duration::from_secs(5));
        outbox.tend();
        assert_eq!((outbox.trouble(), alert(&outbox)), (None, last + 1));
        drop(outbox);
        let outbox = open(dir.path(), PLENTY);
        assert_eq!((sorted(&outbox), waiting.len() as u64), ([expected, vec![last + 1]].concat(), 2 * stored + 5));
    }
}

/// The broker does not let the box read its status, so that only the receipt tells of the outbox before this one.
#[test]
fn a_receipt_for_another_outbox_confirms_nothing_of_this_one() {
    let dir = tempfile::tempdir().unwrap();
    let clock = clock();
    let outbox = with_receipts(dir.path(), &clock);
    for incident in 1..=4 {
        numbered(&outbox, incident, Severity::Critical);
    }
    // The first is delivered, the second on its way.
    assert_eq!(numbers(&outbox), [1, 2, 3, 4]);
    deliver(&outbox, 2);
    outbox.receipt(&up_to(4711));
    assert_eq!((numbers(&outbox), outbox.unconfirmed()), (vec![4713, 4714, 4715], 1));
    deliver(&outbox, usize::MAX);
    for _ in 0..3 {
        outbox.receipt(&up_to(4711));
        clock.advance(Duration::from_secs(11));
        outbox.tend();
    }
    assert_eq!((outbox.unconfirmed(), missing(&outbox)), (4, (1..=4711).collect()));
    drop(outbox);
    let outbox = with_receipts(dir.path(), &clock);
    outbox.receipt(&up_to(4711));
    assert_eq!(outbox.unconfirmed(), 4, "after a restart as well");
    clock.advance(Duration::from_secs(60));
    outbox.tend();
    assert_eq!(numbers(&outbox), [4712, 4713, 4714, 4715], "they are sent again under their new numbers");
    assert_payloads(&outbox);
    deliver(&outbox, usize::MAX);
    outbox.receipt(&up_to(4714));
    assert_eq!((outbox.unconfirmed(), numbered(&outbox, 9, Severity::Info)), (1, 4716));
}
