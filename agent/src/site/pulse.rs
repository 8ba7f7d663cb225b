use std::{
    collections::BTreeMap,
    sync::{Arc, atomic::Ordering::Relaxed},
    time::Duration,
};

use karaul_wire::{BoxHealth, BoxPath, CameraCounters, LinkHealth, Segment};

use super::guard::Tally;
use crate::{
    camera::Counters,
    clock::Clock,
    uplink::{Link, Outbox, StateBoard},
};

/// How often `health/box` is sent.
const BEAT: Duration = Duration::from_secs(30);

/// Sends the box's counters on `health/box`.
pub(super) struct Pulse {
    topic: String,
    /// When the agent started, on the monotonic time line.
    started: Duration,
    clock: Arc<dyn Clock>,
    outbox: Arc<Outbox>,
    board: Arc<StateBoard>,
    cameras: Vec<(Segment, Arc<Counters>, Arc<Tally>)>,
    last: Duration,
}

impl Pulse {
    pub(super) fn new(path: &BoxPath, clock: &Arc<dyn Clock>, outbox: &Arc<Outbox>, board: &Arc<StateBoard>) -> Self {
        Self {
            topic: path.health(),
            started: clock.now().mono,
            clock: Arc::clone(clock),
            outbox: Arc::clone(outbox),
            board: Arc::clone(board),
            cameras: Vec::new(),
            last: clock.now().mono,
        }
    }

    pub(super) fn add(&mut self, camera: &Segment, counters: &Arc<Counters>, tally: &Arc<Tally>) {
        self.cameras.push((camera.clone(), Arc::clone(counters), Arc::clone(tally)));
    }

    /// Sends them if it is time: every [`BEAT`].
    pub(super) fn beat(&mut self, link: &Link) {
        let now = self.clock.now().mono;
        if now.saturating_sub(self.last) < BEAT {
            return;
        }
        self.last = now;
        match serde_json::to_vec(&self.health(link)) {
            Ok(payload) => self.board.pass(self.topic.clone(), payload),
            Err(error) => tracing::error!("the box's counters cannot be written as JSON: {error}"),
        }
    }

    fn health(&self, link: &Link) -> BoxHealth {
        let now = self.clock.now();
        let sent = link.report();
        BoxHealth {
            time: now.wall,
            uptime_s: now.mono.saturating_sub(self.started).as_secs(),
            outbox_waiting: self.outbox.waiting(),
            delivered: sent.delivered,
            resent: sent.resent,
            connections: sent.connections,
            dropped: self.outbox.dropped(),
            held: sent.held,
            trouble: self.outbox.trouble(),
            unconfirmed: self.outbox.unconfirmed(),
            commands: BTreeMap::new(),
            link: Some(LinkHealth {
                broker: sent.address.clone(),
                taken_over: sent.taken_over,
                ignored: link.inbox().report().refused(),
                trouble: sent.trouble(),
            }),
            cameras: self.cameras.iter().map(|(id, counters, tally)| (id.clone(), counts(counters, tally))).collect(),
        }
    }
}

fn counts(counters: &Counters, tally: &Tally) -> CameraCounters {
    let stream = counters.read();
    CameraCounters {
        decoded: stream.decoded,
        inferred: tally.inferred.load(Relaxed),
        missed: tally.missed.load(Relaxed),
        overrun: stream.overrun,
        corrupted: stream.corrupted,
        reconnects: stream.reconnects,
    }
}
