//! What a consumer confirms, misses and wants again.

use karaul_wire::Sequence;

use super::{Phase::*, *};

fn with_receipts(dir: &Path, clock: &SimulatedClock) -> Outbox {
    Outbox::open(OutboxSettings { receipts: true, ..settings(dir, PLENTY) }, Arc::new(clock.clone())).unwrap()
}

fn range(first: u64, last: u64) -> GapRange {
    GapRange { first: Sequence(first), last: Sequence(last) }
}

fn up_to(number: u64) -> Receipt {
    Receipt { up_to: Some(Sequence(number)), ..Receipt::default() }
}

fn misses(first: u64, last: u64) -> Receipt {
    Receipt { missing: vec![range(first, last)], ..Receipt::default() }
}

/// So many incidents open, and the broker has them.
fn five_sent(outbox: &Outbox) {
    for incident in 0..5 {
        step(outbox, incident, Severity::Warning, Open, 0);
    }
    deliver(outbox, usize::MAX);
    assert_eq!(outbox.waiting(), 0);
}

#[test]
fn an_alert_is_not_forgotten_before_its_receipt() {
    let dir = tempfile::tempdir().unwrap();
    let clock = clock();
    let outbox = with_receipts(dir.path(), &clock);
    five_sent(&outbox);
    assert_eq!(outbox.unconfirmed(), 5);
    outbox.receipt(&Receipt { ranges: vec![range(5, 5)], ..up_to(2) });
    assert_eq!(outbox.unconfirmed(), 2);
    clock.advance(Duration::from_secs(59));
    outbox.tend();
    assert_eq!(numbers(&outbox), [0; 0]);
    drop(outbox);
    let outbox = with_receipts(dir.path(), &clock);
    clock.advance(Duration::from_secs(2));
    outbox.tend();
    assert_eq!(numbers(&outbox), [3, 4], "after a minute without a receipt they go out again");
    assert!(outbox.next(9, 9, |_, _| false).iter().all(|waiting| waiting.again && !waiting.live && !waiting.fresh));

    // Each time it takes twice as long, up to an hour.
    let mut times = 0;
    for _ in 0..24 * 360 {
        clock.advance(Duration::from_secs(10));
        deliver(&outbox, usize::MAX);
        outbox.tend();
        times += usize::from(!numbers(&outbox).is_empty());
    }
    assert!((20..40).contains(&times), "{times}");
    assert_eq!(outbox.unconfirmed(), 2);
    outbox.receipt(&up_to(5));
    assert_eq!(outbox.unconfirmed(), 0);
    clock.advance(Duration::from_secs(2 * 86_400));
    deliver(&outbox, usize::MAX);
    outbox.tend();
    assert_eq!((numbers(&outbox), missing(&outbox)), (vec![], vec![]));
    outbox.receipt(&misses(1, 9));
    assert_eq!(
        (numbers(&outbox), missing(&outbox)),
        (vec![], vec![1, 2, 3, 4, 5]),
        "too old, and never more than there were"
    );
}

#[test]
fn what_the_broker_has_not_is_not_confirmed_by_any_receipt() {
    let dir = tempfile::tempdir().unwrap();
    let outbox = with_receipts(dir.path(), &clock());
    step(&outbox, 1, Severity::Critical, Open, 0);
    outbox.receipt(&up_to(u64::MAX));
    assert_eq!((outbox.waiting(), numbers(&outbox)), (2, vec![1]));
    deliver(&outbox, usize::MAX);
    assert_eq!(outbox.unconfirmed(), 1, "nor by one that came before");
    outbox.receipt(&up_to(1));
    assert_eq!(outbox.unconfirmed(), 0);
}

#[test]
fn what_is_missing_comes_again_or_is_told_to_be_gone() {
    let dir = tempfile::tempdir().unwrap();
    let clock = clock();
    let outbox = with_receipts(dir.path(), &clock);
    five_sent(&outbox);
    step(&outbox, 9, Severity::Warning, Open, 0);
    outbox.receipt(&misses(2, 6));
    assert_eq!(numbers(&outbox), [6], "they have just gone out");
    clock.advance(Duration::from_secs(11));
    outbox.receipt(&misses(2, 4));
    outbox.receipt(&misses(2, 4));
    assert_eq!(
        (numbers(&outbox), outbox.waiting()),
        (vec![6, 2, 3, 4], 5),
        "once, and after what is not delivered yet"
    );
    deliver(&outbox, usize::MAX);
    let rows = |outbox: &Outbox| outbox.next(9, 9, |_, _| false).len();
    assert_eq!(rows(&outbox), 0);
    outbox.receipt(&Receipt { missing: vec![range(8, 2), range(100, u64::MAX), range(0, 0)], ..Receipt::default() });
    assert_eq!((rows(&outbox), missing(&outbox)), (0, vec![0]), "nonsense does no harm");
}

#[test]
fn replay_sends_again_what_is_there_a_portion_at_a_time() {
    let dir = tempfile::tempdir().unwrap();
    let clock = clock();
    let outbox = Outbox::open(settings(dir.path(), PLENTY), Arc::new(clock.clone())).unwrap();
    for incident in 0..600 {
        step(&outbox, incident, Severity::Info, Open, 0);
    }
    deliver(&outbox, usize::MAX);
    step(&outbox, 1, Severity::Info, Close, 0);
    let replay = outbox.replay(&[range(1, 601), range(700, 900)]).unwrap();
    assert_eq!((replay.again, replay.under_way), (600, 1));
    assert_eq!(replay.gone.ranges().collect::<Vec<_>>(), [700..=900], "nor are those that never were");
    assert_eq!(outbox.waiting(), 256 + 2, "copies take no room that new ones need");
    let mut got = Vec::new();
    while outbox.waiting() > 0 {
        let rows = outbox.next(16, 16, |_, _| false);
        got.extend(rows.iter().filter_map(|waiting| waiting.message.told()));
        outbox.delivered(&rows.iter().map(|waiting| waiting.row).collect::<Vec<_>>());
    }
    assert_eq!((got[0], got.len()), (601, 601));
    got.sort_unstable();
    assert_eq!(got, (1..=601).collect::<Vec<_>>());

    clock.advance(Duration::from_secs(2 * 86_400));
    for _ in 0..9 {
        clock.advance(Duration::from_secs(10));
        outbox.tend();
    }
    let replay = outbox.replay(&[range(1, 601)]).unwrap();
    assert_eq!((replay.again, replay.gone.ranges().collect::<Vec<_>>()), (0, vec![1..=601]));
    outbox.lock().fail(&OutboxError::DiskFull { path: dir.path().to_owned() });
    assert!(outbox.replay(&[range(1, 601)]).unwrap_err().contains("the disk is full"));
}

#[test]
fn a_receipt_that_comes_too_early_counts_for_what_was_given_out_by_then() {
    let dir = tempfile::tempdir().unwrap();
    let clock = clock();
    let outbox = with_receipts(dir.path(), &clock);
    step(&outbox, 1, Severity::Critical, Open, 0);
    outbox.receipt(&up_to(u64::MAX));
    step(&outbox, 2, Severity::Critical, Open, 0);
    deliver(&outbox, usize::MAX);
    assert_eq!(outbox.unconfirmed(), 2);
    clock.advance(Duration::from_secs(11));
    outbox.tend();
    assert_eq!(outbox.unconfirmed(), 1, "the second came after it");
}

#[test]
fn without_receipts_nothing_waits_for_one_any_more() {
    let dir = tempfile::tempdir().unwrap();
    let clock = clock();
    five_sent(&with_receipts(dir.path(), &clock));
    let outbox = open(dir.path(), PLENTY);
    outbox.receipt(&misses(1, 5));
    assert_eq!((outbox.unconfirmed(), numbers(&outbox)), (0, vec![]), "nor is one heeded");
    drop(outbox);
    assert_eq!(with_receipts(dir.path(), &clock).unconfirmed(), 0);
}

#[test]
fn nothing_is_kept_if_nobody_wants_it() {
    let dir = tempfile::tempdir().unwrap();
    let none = OutboxSettings { retention: Duration::ZERO, ..settings(dir.path(), PLENTY) };
    let outbox = Outbox::open(none, Arc::new(clock())).unwrap();
    five_sent(&outbox);
    assert_eq!(outbox.replay(&[range(1, 5)]).unwrap().gone.ranges().collect::<Vec<_>>(), [1..=5]);
}

#[test]
fn a_step_of_the_clock_neither_deletes_nor_keeps() {
    let dir = tempfile::tempdir().unwrap();
    let clock = clock();
    let outbox = Outbox::open(settings(dir.path(), PLENTY), Arc::new(clock.clone())).unwrap();
    five_sent(&outbox);
    clock.set_wall("2036-01-01T00:00:00Z".parse().unwrap());
    let later = |outbox: &Outbox, hours: u64| {
        clock.advance(Duration::from_secs(hours * 3600));
        outbox.tend();
    };
    later(&outbox, 1);
    assert_eq!(outbox.replay(&[range(1, 1)]).unwrap().again, 1, "ten years in a moment");
    clock.set_wall("1970-01-01T00:00:00Z".parse().unwrap());
    later(&outbox, 13);
    drop(outbox);
    let outbox = Outbox::open(settings(dir.path(), PLENTY), Arc::new(clock.clone())).unwrap();
    assert_eq!(outbox.replay(&[range(2, 2)]).unwrap().again, 1);
    later(&outbox, 11);
    assert_eq!(outbox.replay(&[range(3, 3)]).unwrap().again, 0, "a day of running time, over a restart");
}

#[test]
fn no_alert_that_went_out_from_memory_counts_as_confirmed() {
    let dir = tempfile::tempdir().unwrap();
    let clock = clock();
    let outbox = with_receipts(dir.path(), &clock);
    outbox.lock().store.as_ref().unwrap().set_disk(0);
    step(&outbox, 0, Severity::Critical, Open, 200_000);
    assert!(outbox.trouble().is_some());
    for incident in 1..300 {
        step(&outbox, incident, Severity::Info, Open, 0);
    }
    deliver(&outbox, usize::MAX);
    outbox.lock().store.as_ref().unwrap().set_disk(PLENTY);
    clock.advance(Duration::from_secs(5));
    outbox.tend();
    assert_eq!((outbox.trouble(), outbox.waiting()), (None, 0));
    let (unconfirmed, missing) = (outbox.unconfirmed(), missing(&outbox));
    assert_eq!((unconfirmed, missing.len()), (256, 44), "the centre is told to look for what nobody waits for");
    assert_eq!(missing.last(), Some(&300));
}

#[test]
fn what_becomes_of_an_alert_can_be_asked_for() {
    let dir = tempfile::tempdir().unwrap();
    let clock = clock();
    let fates = |outbox: &Outbox, numbers: [u64; 3]| numbers.map(|number| outbox.fate(number));
    let outbox = with_receipts(dir.path(), &clock);
    step(&outbox, 0, Severity::Warning, Open, 0);
    assert_eq!(fates(&outbox, [1, 2, 0]), [Fate::Waiting, Fate::Lost, Fate::Lost], "in memory");
    assert_eq!(numbers(&outbox), [1]);
    assert_eq!(outbox.fate(1), Fate::Waiting, "on disk");
    deliver(&outbox, usize::MAX);
    assert_eq!(outbox.fate(1), Fate::Unconfirmed);
    outbox.receipt(&up_to(1));
    assert_eq!(outbox.fate(1), Fate::Delivered);
    drop(outbox);

    let dir = tempfile::tempdir().unwrap();
    for retention in [Duration::from_secs(3600), Duration::ZERO] {
        let settings =
            OutboxSettings { retention, ..settings(&dir.path().join(retention.as_secs().to_string()), PLENTY) };
        let outbox = Outbox::open(settings, Arc::new(clock.clone())).unwrap();
        step(&outbox, 0, Severity::Critical, Open, 0);
        assert_eq!(outbox.fate(1), Fate::Waiting);
        deliver(&outbox, usize::MAX);
        assert_eq!(outbox.fate(1), Fate::Delivered);
    }
}
