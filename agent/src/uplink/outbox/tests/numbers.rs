//! No number comes twice, whatever becomes of the disk.

use karaul_wire::Sequence;

use super::{Phase::*, *};

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
