//! No number comes twice, whatever becomes of the disk.

use karaul_wire::{BoxState, BoxStatus, Sequence};

use super::{Phase::*, *};
use crate::uplink::outbox::recall::Surprise;

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
    let receipts = OutboxSettings { receipts: true, ..settings(dir.path(), PLENTY) };
    let outbox = Outbox::open(receipts, Arc::new(clock())).unwrap();
    assert_eq!(alert(&outbox), 1);
    deliver(&outbox, usize::MAX);
    let up_to = |number| Receipt { up_to: Some(Sequence(number)), ..Receipt::default() };
    outbox.receipt(&up_to(4711));
    assert_eq!((alert(&outbox), outbox.unconfirmed()), (4712, 1), "it speaks of other alerts than ours");
    assert_eq!(missing(&outbox), (2..=4711).collect::<Vec<_>>());
    outbox.receipt(&up_to(u64::MAX / 3));
    assert_eq!(alert(&outbox), 4713, "so many have never been");
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
    assert_eq!(outbox.recall(&told(700, Uuid::from_u128(7))), Some(Surprise::Replaced));

    let first = clock.now().wall.as_microsecond().cast_unsigned() + 1;
    assert_eq!(numbers(&outbox), [first, first + 2, first + 3]);
    for Waiting { message, .. } in outbox.next(usize::MAX, usize::MAX, |_, _| false) {
        let number = Sequence(message.sequence.unwrap());
        assert_eq!(String::from_utf8(message.payload).unwrap(), format!(r#"{{"a":"ә","sequence":"{number}","b":1}}"#));
    }
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
