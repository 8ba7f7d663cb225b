//! How receipts reach the outbox in the storm's agent.

use std::{sync::Arc, thread, time::Duration};

use karaul::{
    stop::Stop,
    uplink::{Inbox, Outbox},
};
use karaul_wire::Receipt;

/// Hands the receipts that come in to the outbox, for as long as the process lives.
pub(super) fn heed(inbox: Arc<Inbox>, outbox: Arc<Outbox>) {
    thread::spawn(move || {
        let never = Stop::new();
        loop {
            let Some(incoming) = inbox.take(Duration::from_secs(60), &never) else { continue };
            match serde_json::from_slice::<Receipt>(&incoming.payload) {
                Ok(receipt) => outbox.receipt(&receipt),
                Err(error) => eprintln!("not a receipt: {error}"),
            }
        }
    });
}
