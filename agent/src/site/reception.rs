//! What comes in from the broker: receipts for the outbox, commands for whoever carries them out.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use karaul_wire::{Command, Order, Receipt, Reply, ReplyCode, Segment, Severity};

use super::{CarryOut, Commands, Orders, Outcome, commands::Answer, delivery::Delivery, line::Line};
use crate::{
    config::{self, Delivery as Delivered},
    stop::Stop,
    trust::{Gate, audit::Audit},
    uplink::{Inbox, Incoming, Message, Passing},
};

/// So long it is waited for a message before other things are looked after.
const LOOK: Duration = Duration::from_secs(2);
/// A receipt that cannot be read is said once in this time.
const SAY_EVERY: Duration = Duration::from_secs(600);

/// Commands by what became of them, for `health/box`.
#[derive(Debug, Default)]
pub(super) struct Counts(Mutex<BTreeMap<ReplyCode, u64>>);

impl Counts {
    pub(super) fn read(&self) -> BTreeMap<ReplyCode, u64> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn set(&self, counts: BTreeMap<ReplyCode, u64>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = counts;
    }
}

impl CarryOut for Arc<Orders> {
    fn carry_out(&self, command: &Command) -> Outcome {
        Orders::carry_out(self, command)
    }

    fn camera_of(&self, order: &Order) -> Option<Segment> {
        Orders::camera_of(self, order)
    }

    fn settings(&self) -> config::Commands {
        self.config().commands.clone()
    }
}

/// Takes messages for this box, one after the other, in a thread of its own.
pub(super) struct Reception {
    pub(super) inbox: Arc<Inbox>,
    pub(super) passing: Arc<Passing>,
    pub(super) line: Arc<Line>,
    pub(super) delivery: Delivery,
    pub(super) orders: Arc<Orders>,
    pub(super) audit: Arc<Audit>,
    pub(super) counts: Arc<Counts>,
}

impl Reception {
    /// Works until it is time to stop.
    pub(super) fn run(self, gate: Gate, stop: &Stop) {
        let Delivery { path, clock, .. } = &self.delivery;
        let config = self.orders.config();
        let (audit, carrier) = (Arc::clone(&self.audit), Arc::clone(&self.orders));
        let mut commands = Commands::start(path, gate, audit, Arc::clone(clock), carrier);
        let receipts = match &config.broker.delivery {
            Delivered::Receipt(consumer) => Some(path.receipt(consumer)),
            Delivered::Puback => None,
        };
        let (mut shown, mut said, mut session, mut ended) = (None, None, 0, 0);
        while !stop.is_stopped() {
            self.show_head(&mut shown);
            match self.inbox.take(LOOK, stop) {
                Some(incoming) if Some(&incoming.topic) == receipts.as_ref() => {
                    self.receipt(&incoming, &mut said);
                    commands.tend();
                }
                Some(Incoming { topic, payload, .. }) => {
                    // While the link is looked at by others, or has no session yet, it is the last one known.
                    session = self.line.report().map(|report| report.session).filter(|new| *new > 0).unwrap_or(session);
                    if let Some(answer) = commands.take(&topic, &payload, session) {
                        self.answer(answer);
                    }
                    if session > ended && session <= commands.gate().spent() {
                        ended = session;
                        self.begin_session(commands.gate().spent());
                    }
                }
                None => commands.tend(),
            }
            self.counts.set(commands.gate().counts().clone());
        }
        commands.stop();
        self.show_head(&mut shown);
    }

    /// Connects anew, since commands that name the present session are not let in any more.
    fn begin_session(&self, spent: u64) {
        tracing::warn!("commands that name sessions up to {spent} are not let in any more; the broker is dialled anew");
        self.delivery.outbox.session_was(spent);
        let _changing = self.orders.changing.lock().unwrap_or_else(PoisonError::into_inner);
        if let Err(error) = self.line.switch(&self.orders.config().broker) {
            tracing::error!("{error}");
        }
    }

    fn receipt(&self, incoming: &Incoming, said: &mut Option<Duration>) {
        match serde_json::from_slice::<Receipt>(&incoming.payload) {
            Ok(receipt) => self.delivery.outbox.receipt(&receipt),
            Err(error) => {
                let now = self.delivery.clock.now().mono;
                if said.is_none_or(|at| now.saturating_sub(at) >= SAY_EVERY) {
                    tracing::error!(
                        "a receipt on {} cannot be read ({error}); alerts wait in the outbox until one can; the consumer \
                         has to write what the schema receipt.json says",
                        incoming.topic
                    );
                    *said = Some(now);
                }
            }
        }
    }

    fn answer(&self, answer: Answer) {
        let Answer { verb, reply, keep } = answer;
        let topic = self.delivery.path.reply(verb);
        let payload = match serde_json::to_vec(&reply) {
            Ok(payload) => payload,
            Err(error) => return tracing::error!("a reply cannot be written as JSON: {error}"),
        };
        if !keep {
            return self.delivery.board.pass(topic, payload);
        }
        // Whoever wants one that was dropped asks again; neither may stand before an alert.
        if reply.picture.is_some() || !reply.ledger.is_empty() {
            return self.passing.offer(about(&reply), topic, payload, self.delivery.clock.now().mono);
        }
        let severity = Severity::Warning;
        let message = Message { topic, payload, retain: false, severity, incident: None, sequence: None };
        let Ok(()) = self.delivery.outbox.commit(|batch| {
            batch.put(message);
            Ok::<_, std::convert::Infallible>(())
        });
    }

    /// Shows the head of the audit log, if it has grown since.
    fn show_head(&self, shown: &mut Option<u64>) {
        let last = self.audit.last();
        if *shown == Some(last) {
            return;
        }
        match self.audit.head(self.delivery.clock.now().wall) {
            Ok(head) => {
                self.delivery.board.set(self.delivery.path.audit(), head.into_bytes());
                *shown = Some(last);
            }
            // Said by the log itself, and tried again.
            Err(error) => tracing::debug!("{error}"),
        }
    }
}

/// What the log says of a reply with a picture or a ledger; its entry in the audit log was written before.
fn about(reply: &Reply) -> String {
    let entry = reply.audit.map_or_else(String::new, |number| format!(" (entry {number} of the audit log)"));
    let what = if reply.picture.is_some() { "picture" } else { "ledger" };
    match reply.jti {
        Some(jti) => format!("the {what} for command {jti}{entry}"),
        None => format!("a {what}{entry}"),
    }
}
