//! What a crash costs while the disk is in trouble: nothing that nobody is told of.

use super::*;

/// Commits an alert of this size, with its number.
fn alert(outbox: &Outbox, size: usize) -> u64 {
    let filled = outbox.commit(|batch| {
        let number = batch.next_sequence();
        batch.put(Message { sequence: Some(number), ..message(&"x".repeat(size), Severity::Info) });
        Ok::<_, ()>(number)
    });
    outbox.write_pending();
    filled.unwrap()
}

fn waiting(outbox: &Outbox) -> BTreeSet<u64> {
    outbox
        .next(usize::MAX, usize::MAX, |_, _| false)
        .into_iter()
        .filter_map(|waiting| waiting.message.sequence)
        .collect()
}

fn fill(outbox: &Outbox) {
    outbox.lock().store.as_ref().unwrap().set_disk(0);
}

fn later(outbox: &Outbox, clock: &SimulatedClock) {
    clock.advance(Duration::from_secs(5));
    outbox.tend();
}

/// Twenty on disk, forty in memory; then the twenty are delivered and make room for some.
fn partly_written(outbox: &Outbox, clock: &SimulatedClock) {
    for _ in 0..20 {
        alert(outbox, 4000);
    }
    fill(outbox);
    for _ in 0..40 {
        alert(outbox, 4000);
    }
    deliver(outbox, 20);
    later(outbox, clock);
    assert!(outbox.trouble().is_some());
}

#[test]
fn numbers_behind_a_chunk_that_still_fitted_are_known_after_a_crash() {
    let dir = tempfile::tempdir().unwrap();
    let clock = clock();
    let outbox = Outbox::open(settings(dir.path(), PLENTY), Arc::new(clock.clone())).unwrap();
    partly_written(&outbox, &clock);
    let left = killed(dir.path());
    let outbox = open(left.path(), PLENTY);
    let safe = waiting(&outbox);
    assert!((1..40).contains(&safe.len()), "{safe:?}");
    assert_eq!(missing(&outbox), (21..=60).filter(|number| !safe.contains(number)).collect::<Vec<_>>());
    assert_eq!(alert(&outbox, 1), 61);
    // Still not told, and another crash.
    let left = killed(left.path());
    let again = open(left.path(), PLENTY);
    assert_eq!(missing(&again), missing(&outbox));
    again.commit(|batch| Ok::<_, ()>(batch.tell_gaps().is_empty())).unwrap();
    assert!(missing(&again).is_empty());
}

#[test]
fn an_incident_is_not_forgotten_before_its_end_is_on_disk() {
    let dir = tempfile::tempdir().unwrap();
    let clock = clock();
    let outbox = Outbox::open(settings(dir.path(), PLENTY), Arc::new(clock.clone())).unwrap();
    remember(&outbox, Uuid::nil(), Some("open"));
    for _ in 0..20 {
        alert(&outbox, 4000);
    }
    fill(&outbox);
    for _ in 0..39 {
        alert(&outbox, 4000);
    }
    outbox
        .commit(|batch| {
            let sequence = Some(batch.next_sequence());
            batch.forget_incident(Uuid::nil());
            batch.put(Message { sequence, ..message(&"x".repeat(4000), Severity::Info) });
            Ok::<_, ()>(())
        })
        .unwrap();
    deliver(&outbox, 20);
    later(&outbox, &clock);
    assert!(outbox.trouble().is_some());
    assert_eq!(open(killed(dir.path()).path(), PLENTY).orphans(), [(Uuid::nil(), "open".to_owned())]);
    outbox.lock().store.as_ref().unwrap().set_disk(PLENTY);
    later(&outbox, &clock);
    assert_eq!(open(killed(dir.path()).path(), PLENTY).orphans(), []);
}

#[test]
fn gaps_are_told_again_if_the_message_that_tells_them_is_not_on_disk() {
    let dir = tempfile::tempdir().unwrap();
    let clock = clock();
    let outbox = Outbox::open(settings(dir.path(), PLENTY), Arc::new(clock.clone())).unwrap();
    partly_written(&outbox, &clock);
    let left = killed(dir.path());
    let outbox = Outbox::open(settings(left.path(), PLENTY), Arc::new(clock.clone())).unwrap();
    let lost = missing(&outbox);
    let tell = |outbox: &Outbox| {
        let put = outbox.commit(|batch| {
            batch.tell_gaps();
            batch.put(message(&"g".repeat(100_000), Severity::Critical));
            Ok::<_, ()>(())
        });
        put.unwrap();
    };
    fill(&outbox);
    tell(&outbox);
    assert!(outbox.trouble().is_some());
    assert_eq!(missing(&outbox), lost);
    assert_eq!(missing(&open(killed(left.path()).path(), PLENTY)), lost);
    outbox.lock().store.as_ref().unwrap().set_disk(PLENTY);
    later(&outbox, &clock);
    tell(&outbox);
    assert!(missing(&outbox).is_empty());
    assert!(missing(&open(killed(left.path()).path(), PLENTY)).is_empty());
}

#[test]
fn two_starts_in_a_row_without_the_database_keep_both_rows() {
    let dir = tempfile::tempdir().unwrap();
    let clock = clock();
    let start = || {
        let moved = dir.path().with_extension("moved");
        fs::rename(dir.path(), &moved).unwrap();
        fs::create_dir(dir.path()).unwrap();
        let outbox = Outbox::open(settings(dir.path(), 1), Arc::new(clock.clone())).unwrap();
        assert!(outbox.trouble().is_some());
        fs::remove_dir_all(dir.path()).unwrap();
        fs::rename(&moved, dir.path()).unwrap();
        outbox.lock().set_quota(PLENTY);
        outbox
    };
    put(&open(dir.path(), PLENTY), "0");
    for run in 1..=3 {
        let outbox = start();
        put(&outbox, &format!("{run}a"));
        put(&outbox, &format!("{run}b"));
        let rows = outbox.next(usize::MAX, usize::MAX, |_, _| false).last().map(|last| last.row);
        later(&outbox, &clock);
        assert_eq!(outbox.trouble(), None, "run {run}");
        let rows_after = outbox.next(usize::MAX, usize::MAX, |_, _| false).last().map(|last| last.row);
        assert_eq!(rows, rows_after, "the link knows them already");
    }
    let outbox = open(dir.path(), PLENTY);
    assert_eq!(all(&outbox), ["0", "1a", "1b", "2a", "2b", "3a", "3b"]);
}

#[derive(Clone, Debug)]
enum Step {
    Alert(u8),
    Deliver(u8),
    Fill,
    /// The disk is full, much is in memory, and some of it fits again.
    Squeeze(u8),
    Free,
    Later,
    Tell,
    Crash,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        6 => (1..30u8).prop_map(Step::Alert),
        3 => (1..30u8).prop_map(Step::Deliver),
        1 => Just(Step::Fill),
        3 => (1..40u8).prop_map(Step::Squeeze),
        1 => Just(Step::Free),
        3 => Just(Step::Later),
        1 => Just(Step::Tell),
        2 => Just(Step::Crash),
    ];
    proptest::collection::vec(step, 1..40)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    /// However the disk and the process end: each number given out is delivered, waiting,
    /// missing, or was told to be missing.
    #[test]
    fn every_number_is_accounted_for(steps in steps()) {
        let mut dir = tempfile::tempdir().unwrap();
        let clock = clock();
        let mut outbox = Outbox::open(settings(dir.path(), PLENTY), Arc::new(clock.clone())).unwrap();
        let (mut given, mut done) = (BTreeSet::new(), BTreeSet::new());
        for step in steps {
            match step {
                Step::Alert(count) => {
                    for _ in 0..count {
                        prop_assert!(given.insert(alert(&outbox, 3000)), "given out twice");
                    }
                }
                Step::Deliver(count) => {
                    let first = outbox.next(count.into(), usize::MAX, |_, _| false);
                    done.extend(first.iter().filter_map(|waiting| waiting.message.sequence));
                    deliver(&outbox, count.into());
                }
                Step::Fill => fill(&outbox),
                Step::Squeeze(count) => {
                    fill(&outbox);
                    for _ in 0..40 {
                        prop_assert!(given.insert(alert(&outbox, 3000)), "given out twice");
                    }
                    let first = outbox.next(count.into(), usize::MAX, |_, _| false);
                    done.extend(first.iter().filter_map(|waiting| waiting.message.sequence));
                    deliver(&outbox, count.into());
                    later(&outbox, &clock);
                }
                Step::Free => outbox.lock().store.as_ref().unwrap().set_disk(PLENTY),
                Step::Later => later(&outbox, &clock),
                Step::Tell => {
                    if outbox.has_gaps_to_tell() {
                        let told = outbox.commit(|batch| {
                            let told: Vec<u64> = batch.tell_gaps().ranges().flatten().collect();
                            batch.put(message("gap", Severity::Critical));
                            Ok::<_, ()>(told)
                        });
                        if outbox.trouble().is_none() {
                            done.extend(told.unwrap());
                        }
                    }
                }
                Step::Crash => {
                    let left = killed(dir.path());
                    outbox = Outbox::open(settings(left.path(), PLENTY), Arc::new(clock.clone())).unwrap();
                    dir = left;
                }
            }
            let (waiting, missing) = (waiting(&outbox), missing(&outbox));
            for number in &given {
                prop_assert!(
                    done.contains(number) || waiting.contains(number) || missing.contains(number),
                    "{} is nowhere", number
                );
            }
        }
    }
}
