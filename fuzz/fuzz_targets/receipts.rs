//! Any bytes as a receipt for an outbox that has delivered some alerts and not others.
#![no_main]

use std::{cell::RefCell, sync::Arc, time::Duration};

use karaul::{
    clock::{Clock, SimulatedClock},
    uplink::{Message, Outbox, OutboxSettings},
};
use karaul_wire::{Receipt, Severity};
use libfuzzer_sys::fuzz_target;
use tempfile::TempDir;

/// Numbers that were given out: the first half was acknowledged by the broker, the other half waits.
const GIVEN: u64 = 32;
/// An outbox serves so many inputs, so that one that went astray does not spoil all that follow.
const INPUTS: u32 = 500;

struct Box {
    outbox: Outbox,
    clock: SimulatedClock,
    left: u32,
    _folder: TempDir,
}

thread_local! {
    static BOX: RefCell<Option<Box>> = const { RefCell::new(None) };
}

fuzz_target!(|bytes: &[u8]| {
    let Ok(receipt) = serde_json::from_slice::<Receipt>(bytes) else { return };
    BOX.with_borrow_mut(|place| {
        if place.as_ref().is_none_or(|unit| unit.left == 0) {
            *place = Some(Box::new());
        }
        let Some(unit) = place else { return };
        unit.left -= 1;
        let before = unit.outbox.unconfirmed();
        unit.outbox.receipt(&receipt);
        assert!(unit.outbox.unconfirmed() <= before, "a receipt only adds");
        assert_eq!(unit.outbox.trouble(), None, "no receipt is trouble with the disk");
        assert!(unit.outbox.waiting() <= 2 * GIVEN, "what is missing is sent once");
        // Each copy goes out again, and later the next receipt may ask for it anew.
        let rows: Vec<i64> = unit.outbox.next(99, 99, |_, _| false).iter().filter(|w| w.again).map(|w| w.row).collect();
        unit.outbox.delivered(&rows);
        unit.clock.advance(Duration::from_secs(11));
        unit.outbox.tend();
    });
});

impl Box {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let clock = SimulatedClock::at("2026-11-22T02:00:00Z".parse().expect("a time"));
        let settings = OutboxSettings {
            folder: folder.path().to_owned(),
            quota: 4 << 20,
            retention: Duration::from_secs(86_400),
            receipts: true,
        };
        let shared: Arc<dyn Clock> = Arc::new(clock.clone());
        let outbox = Outbox::open(settings, shared).expect("a new outbox in an empty folder");
        for number in 1..=GIVEN {
            let filled: Result<(), ()> = outbox.commit(|batch| {
                let sequence = Some(batch.next_sequence());
                let (topic, payload) = ("karaul1/a/b/c/d/alert/critical/x".to_owned(), number.to_string().into_bytes());
                let severity = Severity::Critical;
                batch.put(Message { topic, payload, retain: false, severity, incident: None, sequence });
                Ok(())
            });
            filled.expect("the closure does not fail");
        }
        let rows: Vec<i64> =
            outbox.next(GIVEN as usize / 2, GIVEN as usize, |_, _| false).iter().map(|waiting| waiting.row).collect();
        outbox.delivered(&rows);
        clock.advance(Duration::from_secs(11));
        Self { outbox, clock, left: INPUTS, _folder: folder }
    }
}
