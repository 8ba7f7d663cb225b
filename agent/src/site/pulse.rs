use std::{
    sync::{Arc, atomic::Ordering::Relaxed},
    time::Duration,
};

use karaul_wire::{BoxHealth, CameraCounters, LinkHealth};

use super::{delivery::Delivery, guard::Tally, line::Line, posts::Posts, reception::Counts};
use crate::{
    camera::Counters,
    clock::Clock,
    ledger::Ledger,
    trust::audit::Audit,
    uplink::{Inbox, LinkReport, Outbox, Passing, StateBoard},
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
    /// Where messages for this box come in.
    inbox: Arc<Inbox>,
    /// Where pictures go out.
    passing: Arc<Passing>,
    /// Commands by what became of them.
    commands: Arc<Counts>,
    audit: Arc<Audit>,
    ledger: Arc<Ledger>,
    last: Duration,
}

impl Pulse {
    pub(super) fn new(
        delivery: &Delivery,
        (inbox, passing): (Arc<Inbox>, Arc<Passing>),
        commands: Arc<Counts>,
        audit: Arc<Audit>,
    ) -> Self {
        let now = delivery.clock.now().mono;
        Self {
            topic: delivery.path.health(),
            started: now,
            clock: Arc::clone(&delivery.clock),
            outbox: Arc::clone(&delivery.outbox),
            board: Arc::clone(&delivery.board),
            inbox,
            passing,
            commands,
            audit,
            ledger: Arc::clone(&delivery.ledger),
            last: now,
        }
    }

    /// Sends them if it is time: every [`BEAT`].
    pub(super) fn beat(&mut self, line: &Line, posts: &Posts) {
        let now = self.clock.now().mono;
        if now.saturating_sub(self.last) < BEAT {
            return;
        }
        // While the link is being started anew nobody would get it.
        let Some(sent) = line.report() else { return };
        self.last = now;
        match serde_json::to_vec(&self.health(&sent, posts)) {
            Ok(payload) => self.board.pass(self.topic.clone(), payload),
            Err(error) => tracing::error!("the box's counters cannot be written as JSON: {error}"),
        }
    }

    fn health(&self, sent: &LinkReport, posts: &Posts) -> BoxHealth {
        let now = self.clock.now();
        let posts = posts.all();
        let trouble: Vec<String> =
            self.outbox.trouble().into_iter().chain(self.audit.trouble()).chain(self.ledger.trouble()).collect();
        let trouble = (!trouble.is_empty()).then(|| trouble.join("; "));
        let pictures = self.passing.report();
        let cameras = posts.iter().map(|post| (post.camera.id.clone(), counts(&post.counters, &post.shared.tally)));
        BoxHealth {
            time: now.wall,
            uptime_s: now.mono.saturating_sub(self.started).as_secs(),
            outbox_waiting: self.outbox.waiting(),
            delivered: sent.delivered,
            resent: sent.resent,
            connections: sent.connections,
            dropped: self.outbox.dropped(),
            held: sent.held,
            trouble,
            unconfirmed: self.outbox.unconfirmed(),
            commands: self.commands.read(),
            link: Some(LinkHealth {
                broker: sent.address.clone(),
                taken_over: sent.taken_over,
                ignored: self.inbox.report().refused(),
                refused: sent.refused,
                unheard: sent.unheard,
                pictures_sent: pictures.sent,
                pictures_dropped: pictures.dropped,
                trouble: sent.trouble(),
            }),
            cameras: cameras.collect(),
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
        clips: tally.clips.kept.load(Relaxed),
        clips_lost: tally.clips.lost.load(Relaxed),
    }
}
