//! Who gets the room when the quota is used up.

use super::{Phase::*, *};

const MIB: u64 = 1 << 20;

/// How many alerts of a severity wait.
fn count(outbox: &Outbox, severity: Severity) -> usize {
    let waiting = outbox.next(usize::MAX, usize::MAX, |_, _| false);
    waiting.iter().filter(|waiting| waiting.message.severity == severity && waiting.message.told().is_some()).count()
}

#[test]
fn each_severity_has_its_share_and_the_oldest_of_the_least_goes_first() {
    let dir = tempfile::tempdir().unwrap();
    let outbox = open(dir.path(), MIB);
    // Two rows of somewhat more than a page each: a share of so many percent holds about that many steps.
    let fill = |from: u128, severity| {
        let kept: Vec<u64> = (0..200)
            .filter_map(|n| {
                let (number, kept) = step(&outbox, from + n, severity, Open, 1500);
                kept.then_some(number)
            })
            .collect();
        assert_eq!((outbox.trouble(), kept.len()), (None, 200));
    };
    fill(0, Severity::Info);
    let infos = count(&outbox, Severity::Info);
    assert!((90..135).contains(&infos), "half of the quota: {infos}");
    assert_eq!(missing(&outbox), (1..=200 - infos as u64).collect::<Vec<_>>(), "the oldest went, and that is known");

    fill(1000, Severity::Warning);
    let warnings = count(&outbox, Severity::Warning);
    assert_eq!(count(&outbox, Severity::Info), 0, "they make room for what is more important");
    assert!((150..200).contains(&warnings), "four fifths: {warnings}");
    fill(2000, Severity::Critical);
    assert_eq!(count(&outbox, Severity::Critical), 200);
    let critical: BTreeSet<u64> = (401..=600).collect();
    assert!(critical.is_subset(&numbers(&outbox).into_iter().collect()), "all of them, at the cost of warnings");

    fill(3000, Severity::Critical);
    let left = count(&outbox, Severity::Critical);
    assert!((190..260).contains(&left), "all of it: {left}");
    assert_eq!(count(&outbox, Severity::Warning), 0);
    let told = missing(&outbox);
    assert_eq!(told, (1..=800 - left as u64).collect::<Vec<_>>(), "not even these go silently");

    // What is less important than all that is there finds no room, and is known to be missing.
    assert!(!step(&outbox, 9000, Severity::Info, Open, 1500).1, "and whoever commits it is told");
    assert!(!outbox.lock().open_incidents().iter().any(|(id, _)| *id == Uuid::from_u128(9000)));
    assert_eq!((count(&outbox, Severity::Info), missing(&outbox).last()), (0, Some(&801)));
    assert_eq!(outbox.dropped() as usize, 2 * missing(&outbox).len());
    assert!(fs::metadata(dir.path().join("outbox.sqlite")).unwrap().len() <= MIB);
}

#[test]
fn updates_are_merged_before_anything_is_dropped() {
    let dir = tempfile::tempdir().unwrap();
    let outbox = open(dir.path(), MIB);
    step(&outbox, 1, Severity::Info, Open, 1500);
    step(&outbox, 2, Severity::Info, Open, 1500);
    for _ in 0..300 {
        step(&outbox, 1, Severity::Info, Update, 1500);
    }
    step(&outbox, 1, Severity::Info, Close, 1500);
    let left = numbers(&outbox);
    assert_eq!((left[0], left[1]), (1, 2), "what opened is still there");
    assert_eq!((left.last(), outbox.waiting() < 250), (Some(&303), true));
    assert_eq!(missing(&outbox), (3..=302).filter(|number| !left.contains(number)).collect::<Vec<_>>());
    // The last update is never superfluous while nothing follows it.
    let last = step(&outbox, 2, Severity::Info, Update, 1500).0;
    for incident in 10..200 {
        step(&outbox, incident, Severity::Info, Open, 100);
    }
    assert!(numbers(&outbox).contains(&last));
}

#[test]
fn what_clears_a_topic_is_kept_whatever_happens() {
    let dir = tempfile::tempdir().unwrap();
    let outbox = open(dir.path(), MIB);
    for incident in 0..300 {
        step(&outbox, incident, Severity::Info, Open, 1500);
        step(&outbox, incident, Severity::Info, Close, 1500);
    }
    let waiting = outbox.next(usize::MAX, usize::MAX, |_, _| false);
    let cleared: BTreeSet<_> = waiting.iter().filter(|w| w.message.clears()).map(|w| w.message.incident).collect();
    assert_eq!(cleared.len(), 300);
    assert!(!missing(&outbox).is_empty());
}

#[test]
fn what_was_delivered_goes_before_what_was_not() {
    let dir = tempfile::tempdir().unwrap();
    let outbox = open(dir.path(), MIB);
    for incident in 0..40 {
        step(&outbox, incident, Severity::Info, Open, 3000);
    }
    deliver(&outbox, usize::MAX);
    for incident in 100..130 {
        step(&outbox, incident, Severity::Info, Open, 3000);
    }
    assert_eq!((numbers(&outbox).len(), missing(&outbox), outbox.dropped()), (30, vec![], 0));
}

#[test]
fn one_that_is_too_big_costs_no_other() {
    let dir = tempfile::tempdir().unwrap();
    let outbox = open(dir.path(), MIB);
    for incident in 0..10 {
        step(&outbox, incident, Severity::Info, Open, 1000);
    }
    step(&outbox, 10, Severity::Info, Open, 600 << 10);
    assert_eq!((numbers(&outbox).len(), missing(&outbox), outbox.trouble()), (10, vec![11], None));
}

#[test]
fn whoever_finds_no_room_is_told_at_once_and_what_it_said_is_undone() {
    let dir = tempfile::tempdir().unwrap();
    let outbox = open(dir.path(), MIB);
    for incident in 0..400 {
        step(&outbox, incident, Severity::Critical, Open, 1500);
    }
    let id = Uuid::from_u128(1000);
    let weak = |phase| {
        let offered = outbox.offer(|batch| {
            let sequence = Some(batch.next_sequence());
            batch.remember_incident(id, "open".to_owned());
            batch.put(Message { sequence, incident: Some(id), ..message(phase, Severity::Warning) });
            Ok::<_, ()>(())
        });
        let is_open = outbox.lock().open_incidents().iter().any(|(open, _)| *open == id);
        (offered.unwrap().1, is_open)
    };
    assert_eq!(weak("not written a moment later, so it is known now"), (false, false));
    assert_eq!(missing(&outbox).last(), Some(&401));
    deliver(&outbox, 300);
    assert_eq!(weak("there is room again"), (true, true));
}

#[test]
fn many_gaps_are_one_message() {
    let dir = tempfile::tempdir().unwrap();
    let outbox = open(dir.path(), MIB);
    let tell = || {
        let told = outbox.commit(|batch| {
            batch.put(message("gap", Severity::Critical));
            Ok::<_, ()>(batch.tell_gaps().ranges().flatten().collect::<Vec<_>>())
        });
        told.unwrap()
    };
    let messages = || all(&outbox).iter().filter(|text| *text == "gap").count();
    let lose = |from: u128| {
        for incident in from..from + 150 {
            step(&outbox, incident, Severity::Info, Open, 1500);
        }
        missing(&outbox).len()
    };
    let first = lose(0);
    assert_eq!((tell().len(), messages()), (first, 1));
    let second = lose(1000);
    assert_eq!((tell().len(), messages()), (first + second, 1), "the second tells what the first told");
    assert_eq!(open(killed(dir.path()).path(), MIB).waiting(), outbox.waiting());
    let waiting = outbox.next(usize::MAX, usize::MAX, |_, _| false);
    let gap = waiting.iter().find(|waiting| waiting.message.tells_gaps()).unwrap().row;
    outbox.delivered(&[gap]);
    let third = lose(2000);
    assert_eq!((tell().len(), messages()), (third, 1), "what has arrived is not told again");
}

/// In a large quota, small messages, so that few pages get free though many messages go: a commit does not do it all.
#[test]
fn one_commit_makes_no_more_room_than_it_must() {
    let dir = tempfile::tempdir().unwrap();
    let outbox = open(dir.path(), 16 * MIB);
    let put = |severities: &[Severity]| {
        outbox
            .commit(|batch| {
                for severity in severities {
                    let sequence = Some(batch.next_sequence());
                    batch.put(Message { sequence, ..message("x", *severity) });
                }
                Ok::<_, ()>(())
            })
            .unwrap();
    };
    let mixed: Vec<Severity> =
        (0..1000).map(|n| if n % 20 == 0 { Severity::Info } else { Severity::Critical }).collect();
    while outbox.dropped() == 0 {
        put(&mixed);
    }
    for _ in 0..20 {
        let before = outbox.dropped();
        put(&[Severity::Critical]);
        assert!(outbox.dropped() - before < 200, "{}", outbox.dropped() - before);
    }
    assert!(fs::metadata(dir.path().join("outbox.sqlite")).unwrap().len() <= 16 * MIB);
}

#[derive(Clone, Debug)]
enum Act {
    Step(u8, u8, u8),
    Deliver(u8),
    Tell,
    Crash,
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let act = prop_oneof![
        12 => (0..12u8, 0..3u8, 0..3u8).prop_map(|(incident, severity, phase)| Act::Step(incident, severity, phase)),
        2 => (1..40u8).prop_map(Act::Deliver),
        1 => Just(Act::Tell),
        1 => Just(Act::Crash),
    ];
    proptest::collection::vec(act, 100..400)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]

    /// In a quota that is far too small: each number is waiting, delivered, missing or told to be;
    /// nothing critical goes while there is anything less important; the quota holds.
    #[test]
    fn every_number_is_accounted_for(acts in acts()) {
        let mut dir = tempfile::tempdir().unwrap();
        let mut outbox = open(dir.path(), MIB / 2);
        let (mut given, mut done) = (BTreeMap::new(), BTreeSet::new());
        for act in acts {
            match act {
                Act::Step(incident, severity, phase) => {
                    let severity = Severity::ALL[usize::from(severity)];
                    let phase = [Open, Update, Close][usize::from(phase)];
                    let (number, _) = step(&outbox, incident.into(), severity, phase, 2500);
                    prop_assert!(given.insert(number, severity).is_none(), "given out twice");
                }
                Act::Deliver(count) => {
                    let first = outbox.next(count.into(), usize::MAX, |_, _| false);
                    done.extend(first.iter().filter_map(|waiting| waiting.message.told()));
                    outbox.delivered(&first.iter().map(|waiting| waiting.row).collect::<Vec<_>>());
                }
                Act::Tell => {
                    let told = outbox.commit(|batch| {
                        let told: Vec<u64> = batch.tell_gaps().ranges().flatten().collect();
                        batch.put(message("gap", Severity::Critical));
                        Ok::<_, ()>(told)
                    });
                    done.extend(told.unwrap());
                }
                Act::Crash => {
                    let left = killed(dir.path());
                    outbox = open(left.path(), MIB / 2);
                    dir = left;
                }
            }
            prop_assert_eq!(outbox.trouble(), None);
            let (waiting, missing) = (numbers(&outbox), missing(&outbox));
            for number in given.keys() {
                prop_assert!(
                    done.contains(number) || waiting.contains(number) || missing.contains(number),
                    "{} is nowhere", number
                );
            }
            prop_assert_eq!(outbox.waiting(), outbox.next(usize::MAX, usize::MAX, |_, _| false).len() as u64);
        }
        prop_assert!(fs::metadata(dir.path().join("outbox.sqlite")).unwrap().len() <= MIB / 2);
    }
}
