//! The outbox against a list.

use super::*;

#[derive(Clone, Debug)]
enum Step {
    Put(u8),
    Deliver(u8),
    Remember(u8),
    Forget(u8),
    Fill,
    Free,
    Reopen,
    Crash,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        4 => (1..6u8).prop_map(Step::Put),
        3 => (1..6u8).prop_map(Step::Deliver),
        2 => (0..4u8).prop_map(Step::Remember),
        2 => (0..4u8).prop_map(Step::Forget),
        1 => Just(Step::Fill),
        2 => Just(Step::Free),
        2 => Just(Step::Reopen),
        2 => Just(Step::Crash),
    ];
    proptest::collection::vec(step, 1..40)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    /// The outbox against a list: nothing lost, nothing twice, in order, numbers always
    /// rising, whatever the disk does. It is closed, or killed, only while the disk is
    /// well: memory is allowed to be lost in a crash, and that is another test.
    #[test]
    fn it_is_a_list_that_survives(steps in steps()) {
        let mut dir = tempfile::tempdir().unwrap();
        let clock = clock();
        let reopen = |dir: &Path| Outbox::open(settings(dir, PLENTY), Arc::new(clock.clone())).unwrap();
        let mut outbox = reopen(dir.path());
        let mut list: Vec<String> = Vec::new();
        let mut incidents: BTreeMap<Uuid, String> = BTreeMap::new();
        let mut last = 0;
        let mut made = 0;
        for step in steps {
            match step {
                Step::Put(count) => {
                    let texts: Vec<String> = (0..count).map(|n| format!("{}{}", made + u32::from(n), "-".repeat(3000))).collect();
                    made += u32::from(count);
                    let numbers = outbox.commit(|batch| {
                        Ok::<_, ()>(texts.iter().map(|text| {
                            batch.put(message(text, Severity::Info));
                            batch.next_sequence()
                        }).collect::<Vec<_>>())
                    }).unwrap();
                    for number in numbers {
                        prop_assert!(number > last);
                        last = number;
                    }
                    list.extend(texts);
                }
                Step::Deliver(count) => {
                    deliver(&outbox, count.into());
                    list.drain(..list.len().min(count.into()));
                }
                Step::Remember(n) => {
                    let id = Uuid::from_u128(n.into());
                    remember(&outbox, id, Some(&made.to_string()));
                    incidents.insert(id, made.to_string());
                }
                Step::Forget(n) => {
                    let id = Uuid::from_u128(n.into());
                    remember(&outbox, id, None);
                    incidents.remove(&id);
                }
                Step::Fill => outbox.lock().store.as_ref().unwrap().set_disk(0),
                Step::Free | Step::Reopen | Step::Crash => {
                    outbox.lock().store.as_ref().unwrap().set_disk(PLENTY);
                    clock.advance(Duration::from_secs(5));
                    outbox.tend();
                    prop_assert_eq!(outbox.trouble(), None);
                    match step {
                        Step::Reopen => {
                            drop(outbox);
                            outbox = reopen(dir.path());
                        }
                        Step::Crash => {
                            let left = killed(dir.path());
                            outbox = reopen(left.path());
                            dir = left;
                        }
                        _ => {}
                    }
                }
            }
            prop_assert_eq!(all(&outbox), list.clone());
            prop_assert_eq!(outbox.waiting(), list.len() as u64);
            prop_assert_eq!(outbox.lock().open_incidents(), incidents.clone().into_iter().collect::<Vec<_>>());
        }
    }
}
