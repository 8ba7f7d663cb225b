//! Whatever a disk returns, alerts go on.

use super::*;

/// Bytes of the file or its log that are not what was written.
#[derive(Clone, Debug)]
struct Damage {
    log: bool,
    /// Place in the file, of 1,000,000.
    at: usize,
    bytes: Vec<u8>,
}

fn any_damage() -> impl Strategy<Value = Damage> {
    let bytes = prop_oneof![
        proptest::collection::vec(any::<u8>(), 1..64),
        (1..3usize).prop_map(|pages| vec![0; pages * 4096]),
        (any::<u8>(), 100..4096usize).prop_map(|(byte, length)| vec![byte; length]),
    ];
    (any::<bool>(), 0..1_000_000usize, bytes).prop_map(|(log, at, bytes)| Damage { log, at, bytes })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    /// Whatever the disk returns: no panic, and what is committed from then on goes out.
    #[test]
    fn any_damage_is_survived(damages in proptest::collection::vec(any_damage(), 1..5), closed: bool) {
        let dir = tempfile::tempdir().unwrap();
        let outbox = open(dir.path(), PLENTY);
        for incident in 0..40 {
            step(&outbox, incident, Severity::Critical, Phase::Open, 400);
        }
        deliver(&outbox, 20);
        let left = if closed {
            drop(outbox);
            // Otherwise it is not checked, because nothing shows that it was not closed in order.
            fs::write(dir.path().join("outbox.sqlite-wal"), "nothing in this log").unwrap();
            killed(dir.path())
        } else {
            killed(dir.path())
        };
        for Damage { log, at, bytes } in &damages {
            let path = left.path().join(if *log { "outbox.sqlite-wal" } else { "outbox.sqlite" });
            let Ok(mut file) = fs::read(&path) else { continue };
            let at = file.len() * at / 1_000_000;
            let end = file.len().min(at + bytes.len());
            file[at..end].copy_from_slice(&bytes[..end - at]);
            fs::write(&path, file).unwrap();
        }
        let clock = clock();
        let outbox = match Outbox::open(settings(left.path(), PLENTY), Arc::new(clock.clone())) {
            Ok(outbox) => outbox,
            // The damage hit the number of the schema.
            Err(OutboxError::Newer { .. }) => return Ok(()),
            Err(error) => panic!("{error}"),
        };
        let new = put(&outbox, "new");
        for _ in 0..4 {
            clock.advance(Duration::from_secs(11));
            outbox.tend();
            _ = outbox.next(usize::MAX, usize::MAX, |_, _| false);
        }
        clock.advance(Duration::from_secs(11));
        outbox.tend();
        prop_assert_eq!(outbox.trouble(), None);
        prop_assert!(new > 0 && new < u64::MAX / 2);
        let waiting = outbox.next(usize::MAX, usize::MAX, |_, _| false);
        prop_assert!(waiting.iter().any(|waiting| waiting.message.payload == b"new"));
    }
}
