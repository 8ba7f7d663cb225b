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
