//! Which messages go first.

use super::{Phase::*, *};

fn texts(outbox: &Outbox, limit: usize, backlog: usize) -> Vec<String> {
    let waiting = outbox.next(limit, backlog, |_, _| false);
    let alerts = waiting.into_iter().filter(|waiting| !waiting.message.retain);
    alerts.map(|waiting| String::from_utf8(waiting.message.payload).unwrap().trim().to_owned()).collect()
}

#[test]
fn nothing_is_handed_out_before_it_is_on_disk() {
    let dir = tempfile::tempdir().unwrap();
    let outbox = open(dir.path(), PLENTY);
    let commit = |severity| {
        let number = |batch: &mut Batch| {
            batch.put(message("x", severity));
            Ok::<_, ()>(batch.next_sequence())
        };
        outbox.commit(number).unwrap()
    };
    assert_eq!(commit(Severity::Warning), 1);
    assert_eq!(open(killed(dir.path()).path(), PLENTY).waiting(), 0, "it may wait a moment for others");
    assert_eq!(commit(Severity::Critical), 2);
    assert_eq!(open(killed(dir.path()).path(), PLENTY).waiting(), 2, "what is critical does not, and takes them along");
    assert_eq!(commit(Severity::Info), 3);
    assert_eq!(outbox.next(9, 9, |_, _| false).len(), 3);
    assert_eq!(open(killed(dir.path()).path(), PLENTY).waiting(), 3);
    for _ in 0..64 {
        commit(Severity::Info);
    }
    assert_eq!(open(killed(dir.path()).path(), PLENTY).waiting(), 67, "so many are not kept waiting");
}

#[test]
fn new_ones_go_first_then_critical_ones_and_incidents_stay_in_order() {
    let dir = tempfile::tempdir().unwrap();
    let outbox = open(dir.path(), PLENTY);
    step(&outbox, 1, Severity::Info, Open, 0);
    step(&outbox, 2, Severity::Warning, Open, 0);
    step(&outbox, 3, Severity::Critical, Open, 0);
    step(&outbox, 2, Severity::Critical, Update, 0);
    outbox.set_connected(true);
    step(&outbox, 4, Severity::Info, Open, 0);
    step(&outbox, 1, Severity::Info, Close, 0);
    let expected = ["4 Open", "1 Open", "1 Close", "3 Open", "2 Open", "2 Update"];
    assert_eq!(texts(&outbox, usize::MAX, usize::MAX), expected);
    assert_eq!(texts(&outbox, usize::MAX, 0), expected[..3], "the steps before a new one are not held back");
    assert_eq!(texts(&outbox, usize::MAX, 2), expected[..4]);
    assert_eq!(texts(&outbox, 4, usize::MAX), expected[..2]);

    // The next connection: what was new then has waited since.
    outbox.set_connected(false);
    outbox.set_connected(true);
    assert_eq!(texts(&outbox, usize::MAX, 0), [""; 0]);
    assert_eq!(texts(&outbox, usize::MAX, usize::MAX), ["3 Open", "2 Open", "2 Update", "1 Open", "4 Open", "1 Close"]);
}

#[test]
fn what_is_critical_goes_first_also_while_it_is_only_in_memory() {
    let dir = tempfile::tempdir().unwrap();
    let outbox = open(dir.path(), PLENTY);
    outbox.set_connected(true);
    step(&outbox, 1, Severity::Info, Open, 0);
    outbox.lock().store.as_ref().unwrap().set_disk(0);
    step(&outbox, 2, Severity::Info, Open, 200_000);
    step(&outbox, 3, Severity::Critical, Open, 0);
    step(&outbox, 1, Severity::Critical, Update, 0);
    assert!(outbox.trouble().is_some());
    let heads = texts(&outbox, usize::MAX, 0).into_iter().map(|text| text[..6].to_owned());
    assert_eq!(heads.collect::<Vec<_>>(), ["3 Open", "1 Open", "1 Upda", "2 Open"]);
}

#[test]
fn a_step_waits_until_the_broker_has_the_one_before_it() {
    let dir = tempfile::tempdir().unwrap();
    let outbox = open(dir.path(), PLENTY);
    for phase in [Open, Update, Close] {
        step(&outbox, 1, Severity::Info, phase, 0);
    }
    step(&outbox, 2, Severity::Info, Open, 0);
    let next = |on_its_way: &[i64]| {
        let waiting = outbox.next_in_turn(9, 9, |row, _| on_its_way.contains(&row));
        waiting.iter().map(|waiting| waiting.row).collect::<Vec<_>>()
    };
    assert_eq!(next(&[]), [1, 2, 7, 8], "alert and state of a step go together");
    assert_eq!(next(&[1, 7, 8]), [2]);
    assert_eq!(next(&[1, 2, 7, 8]), [0; 0]);
    outbox.delivered(&[1, 7]);
    assert_eq!(next(&[2, 8]), [3], "the state of the next waits for that of the one before");
    outbox.delivered(&[2]);
    assert_eq!(next(&[8]), [3, 4]);
}

/// A broker may refuse a topic for days, and each commit and each answer asks for the next. Counted is what is looked at,
/// not timed.
#[test]
fn what_cannot_go_out_is_not_looked_at_each_time() {
    const STEPS: u128 = 4000;
    /// In each of the parts of the queue so many new ones and so many known ones.
    const MOST: usize = 2 * (1024 + 256);
    let dir = tempfile::tempdir().unwrap();
    let outbox = open(dir.path(), PLENTY);
    let commit = |incidents: std::ops::Range<u128>, severity: Severity| {
        outbox.commit(|batch| {
            for incident in incidents {
                let (id, sequence) = (Uuid::from_u128(incident), Some(batch.next_sequence()));
                let alert = Message { incident: Some(id), sequence, ..message("x", severity) };
                let topic = format!("alert/{}", severity.as_str());
                batch.put(Message { topic, ..alert.clone() });
                batch.put(Message { topic: format!("open/{id}"), retain: true, ..alert });
            }
            Ok::<_, ()>(())
        })
    };
    commit(0..STEPS, Severity::Info).unwrap();
    outbox.set_connected(true);
    let blocked = std::cell::RefCell::new(BTreeSet::from(["alert/info", "open"]));
    let next = || {
        let looked = std::cell::Cell::new(0);
        let waiting = outbox.next_in_turn(16, 12, |_, kin| {
            looked.set(looked.get() + 1);
            blocked.borrow().iter().any(|topic| kin.topic.starts_with(topic))
        });
        assert!(looked.get() <= MOST, "{} rows are looked at", looked.get());
        waiting
    };
    let send = || {
        let waiting = next();
        outbox.delivered(&waiting.iter().map(|waiting| waiting.row).collect::<Vec<_>>());
        waiting.len()
    };
    for _ in 0..20 {
        assert_eq!(send(), 0);
    }
    commit(STEPS..STEPS + 1, Severity::Critical).unwrap();
    commit(STEPS + 1..STEPS + 2, Severity::Warning).unwrap();
    assert_eq!(send(), 2, "what the broker takes goes out at once");
    assert_eq!(outbox.waiting(), 2 * STEPS as u64 + 2);

    // Alerts go out again, each after the one before it.
    blocked.borrow_mut().remove("alert/info");
    let sent: usize = (0..STEPS / 6).map(|_| send()).sum();
    assert_eq!(sent, STEPS as usize);
    for severity in [Severity::Info; 2] {
        commit(0..1, severity).unwrap();
    }
    assert_eq!((send(), send(), send()), (1, 1, 0));
    blocked.borrow_mut().clear();
    let sent: usize = (0..STEPS / 6).map(|_| send()).sum();
    assert_eq!((sent, outbox.waiting()), (STEPS as usize + 4, 0), "in a while all is found");
}

/// Behind each that is set aside waits its incident.
#[test]
fn rows_that_are_held_one_by_one_are_not_looked_at_each_time() {
    let dir = tempfile::tempdir().unwrap();
    let outbox = open(dir.path(), PLENTY);
    outbox.set_connected(true);
    let commit = |count: u128| {
        outbox.commit(|batch| {
            for incident in 0..count {
                let (incident, sequence) = (Some(Uuid::from_u128(incident)), Some(batch.next_sequence()));
                batch.put(Message { incident, sequence, ..message("x", Severity::Critical) });
            }
            Ok::<_, ()>(())
        })
    };
    commit(3000).unwrap();
    commit(3000).unwrap();
    let looked = std::cell::Cell::new(0);
    let next = |first: i64| {
        looked.set(0);
        let held = |row, _: Kin<'_>| {
            looked.set(looked.get() + 1);
            (first..=3000).contains(&row)
        };
        outbox.next_in_turn(16, 16, held).iter().map(|waiting| waiting.row).collect::<Vec<_>>()
    };
    for _ in 0..12 {
        assert_eq!(next(1), [0; 0]);
        assert!(looked.get() <= 4 * (1024 + 256), "{} rows are looked at", looked.get());
    }
    commit(1).unwrap();
    let row = put(&outbox, "new").cast_signed();
    assert_eq!(next(1), [row]);
    assert!(looked.get() <= 4 * (256 + 8), "{} rows are looked at", looked.get());
    // One of them can go out after all.
    let found = (0..100).find_map(|_| next(2).into_iter().find(|row| *row == 1));
    outbox.delivered(&[found.unwrap(), row]);
    assert_eq!(next(2), [3001], "and then the next of its incident");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, ..ProptestConfig::default() })]

    /// Whatever is committed, delivered and taken in portions: an incident's steps go out in
    /// their order, everything goes out once, and nothing new waits for anything that is old and not its own.
    #[test]
    fn steps_of_an_incident_never_overtake_each_other(
        steps in proptest::collection::vec((0..5u128, 0..3usize, any::<bool>()), 1..40),
        portions in proptest::collection::vec((1..9usize, 0..5usize), 40..60),
    ) {
        let dir = tempfile::tempdir().unwrap();
        let outbox = open(dir.path(), PLENTY);
        let mut total = 0;
        for (incident, severity, connect) in steps {
            step(&outbox, incident, Severity::ALL[severity], Update, 0);
            total += 2;
            if connect {
                outbox.set_connected(false);
                outbox.set_connected(true);
            }
        }
        let mut last: BTreeMap<Uuid, i64> = BTreeMap::new();
        let mut gone = 0;
        for (limit, backlog) in portions.into_iter().chain(std::iter::repeat_n((9, 9), 40)) {
            let waiting = outbox.next_in_turn(limit, backlog, |_, _| false);
            prop_assert!(waiting.len() <= limit);
            prop_assert!(waiting.iter().filter(|waiting| !waiting.fresh).count() <= backlog);
            prop_assert!(waiting.is_sorted_by_key(|waiting| !waiting.fresh));
            for Waiting { row, message, .. } in &waiting {
                let before = last.insert(message.incident.unwrap(), *row);
                prop_assert!(before.is_none_or(|before| before < *row), "{before:?} {row}");
            }
            gone += waiting.len();
            outbox.delivered(&waiting.iter().map(|waiting| waiting.row).collect::<Vec<_>>());
        }
        prop_assert_eq!((gone, outbox.waiting()), (total, 0));
    }
}
