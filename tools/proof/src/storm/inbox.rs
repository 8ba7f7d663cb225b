//! How receipts reach the outbox in the storm's agent.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::SeqCst},
    },
    thread,
    time::Duration,
};

use karaul::{
    stop::Stop,
    uplink::{Inbox, Outbox},
};
use karaul_wire::Receipt;

/// Hands the receipts that come in to the outbox, for as long as the process lives. Says whether the last one names
/// anything as missing: what a killed broker forgot of `gap/box` is told only to those who ask.
pub(super) fn heed(inbox: Arc<Inbox>, outbox: Arc<Outbox>) -> Arc<AtomicBool> {
    let misses = Arc::new(AtomicBool::new(false));
    let last = Arc::clone(&misses);
    thread::spawn(move || {
        let never = Stop::new();
        loop {
            let Some(incoming) = inbox.take(Duration::from_secs(60), &never) else { continue };
            match serde_json::from_slice::<Receipt>(&incoming.payload) {
                Ok(receipt) => {
                    outbox.receipt(&receipt);
                    last.store(!receipt.missing.is_empty(), SeqCst);
                }
                Err(error) => eprintln!("not a receipt: {error}"),
            }
        }
    });
    misses
}
