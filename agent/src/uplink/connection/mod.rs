//! One connection from sign-on to its end. Nothing here dials again.

mod feed;
mod refusal;

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    future,
    pin::pin,
    time::Duration,
};

use karaul_wire::BoxState;
use serde::Serialize;
use tokio::{sync::watch, time};
use uuid::Uuid;

use super::{
    LinkError,
    held::Held,
    link::Shared,
    mqtt::{self, Client, Connection, Event, Version, Will},
    window::Window,
};

/// How often time-outs are looked at, the disk is tended and held messages are offered again.
const TICK: Duration = Duration::from_secs(1);
/// `stopped` has this long to be acknowledged, and then the sign-off to be written.
const FAREWELL: Duration = Duration::from_secs(1);
/// A connection that stood so long was a good one. One that carried messages and broke
/// sooner was not: two boxes with the same path throw each other out like that.
const GOOD: Duration = Duration::from_secs(10);

/// What is remembered from one connection to the next.
#[derive(Debug, Default)]
pub(super) struct Memory {
    held: Held,
    /// Rows that were written to a connection and not acknowledged on it.
    written: BTreeSet<i64>,
    /// States that were said to be left out.
    left_out: BTreeSet<String>,
}

/// Why a connection ended.
pub(super) enum Ended {
    /// We were asked to stop.
    Stopped,
    /// It failed; `signed_on` if it ever stood, `good` if it was of use.
    Failed { error: LinkError, signed_on: bool, good: bool },
}

/// What a publish in the window carries.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Item {
    Row { sent: Sent, alert: bool },
    State { topic: String },
    Stopped,
}

/// A row of the outbox.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Sent {
    row: i64,
    incident: Option<Uuid>,
    retain: bool,
    topic: String,
}

/// How far the farewell is. Each step has its limit, in monotonic time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Working,
    /// Asked to stop: what waits is still sent.
    Flushing {
        until: Duration,
    },
    /// `stopped` is on its way.
    Stopping {
        until: Duration,
    },
    /// The sign-off is on its way.
    SigningOff {
        until: Duration,
    },
    /// All said.
    Done,
}

/// Dials, and stays until the connection fails or `stop` is set.
pub(super) async fn live(
    shared: &Shared,
    memory: &mut Memory,
    version: Version,
    stop: &mut watch::Receiver<bool>,
) -> Ended {
    let session = shared.outbox.session();
    let will = Will { topic: shared.settings.path.box_status(), payload: shared.status(BoxState::Lost, session) };
    let (client, mut connection) = mqtt::connect(&shared.sign_on, version, will);
    let mut talk = Talk::new(shared, memory, client, session);
    let result = talk.run(&mut connection, version, stop).await;
    shared.outbox.set_connected(false);
    talk.settle();
    match result {
        Ok(()) => Ended::Stopped,
        Err(error) => {
            let signed_on = talk.since.is_some();
            let good = talk.since.is_some_and(|since| talk.now().saturating_sub(since) > GOOD);
            // A dead network, or a second box of the same name, says nothing about a message.
            if matches!(error, LinkError::Lost { .. }) {
                talk.judge();
            }
            Ended::Failed { error, signed_on, good }
        }
    }
}

struct Talk<'a> {
    shared: &'a Shared,
    memory: &'a mut Memory,
    client: Client,
    session: u64,
    /// When the sign-on was accepted.
    since: Option<Duration>,
    window: Window<Item>,
    /// Most that `SignedOn` allows, and bytes of topic and payload the broker accepts.
    widest: u16,
    largest: usize,
    /// What is said first on each connection: topic and payload, retained.
    opening: VecDeque<(String, Vec<u8>)>,
    /// Versions of the board's states that were handed over.
    shown: BTreeMap<String, u64>,
    /// Acknowledged rows that the outbox has not been told yet.
    delivered: Vec<i64>,
    /// The last sign of life.
    heard: Duration,
    /// A message was acknowledged on this connection.
    fruitful: bool,
    phase: Phase,
}

impl<'a> Talk<'a> {
    fn new(shared: &'a Shared, memory: &'a mut Memory, client: Client, session: u64) -> Self {
        let widest = memory.held.window();
        let heard = shared.clock.now().mono;
        Self {
            shared,
            memory,
            client,
            session,
            since: None,
            window: Window::new(widest),
            widest,
            largest: 0,
            opening: VecDeque::new(),
            shown: BTreeMap::new(),
            delivered: Vec::new(),
            heard,
            fruitful: false,
            phase: Phase::Working,
        }
    }

    /// `Ok` once an orderly stop is through, as far as it could be.
    async fn run(
        &mut self,
        connection: &mut Connection,
        version: Version,
        stop: &mut watch::Receiver<bool>,
    ) -> Result<(), LinkError> {
        let (commits, states) = (self.shared.outbox.bell(), self.shared.board.bell());
        let mut tick = time::interval(TICK);
        tick.set_missed_tick_behavior(time::MissedTickBehavior::Delay);
        while self.phase != Phase::Done {
            let silence = connection.silence_limit();
            let mut work = true;
            let event = {
                // The future is never dropped half-way, see `Connection::poll`.
                let mut event = pin!(connection.poll());
                loop {
                    let now = self.now();
                    let wake = self.phase.until().map_or(TICK, |until| until.saturating_sub(now));
                    tokio::select! {
                        biased;
                        event = &mut event => break event?,
                        // Only when the client has nothing to tell at the moment: so
                        // acknowledgements are taken together in one transaction.
                        () = future::ready(()), if work => {
                            work = false;
                            self.settle();
                            self.step_down();
                            if self.phase == Phase::Done {
                                return Ok(());
                            }
                            self.feed();
                        }
                        () = commits.notified(), if self.since.is_some() => work = true,
                        () = states.notified(), if self.since.is_some() => work = true,
                        () = wait_for(stop), if self.phase == Phase::Working => {
                            if self.since.is_none() {
                                return Ok(());
                            }
                            self.phase = Phase::Flushing { until: self.now() + self.shared.settings.flush };
                            work = true;
                        }
                        _ = tick.tick() => {
                            if self.is_silent(silence) {
                                let address = self.shared.sign_on.address();
                                return Err(LinkError::Silent { address, limit: silence });
                            }
                            self.shared.outbox.tend();
                            self.count_held();
                            work = true;
                        }
                        () = time::sleep(wake), if self.phase != Phase::Working => work = true,
                    }
                }
            };
            self.handle(event, version);
        }
        Ok(())
    }

    fn handle(&mut self, event: Event, version: Version) {
        if !matches!(event, Event::Written(_) | Event::Other | Event::SignedOff) {
            self.heard = self.now();
        }
        match event {
            Event::SignedOn { window, largest } => self.signed_on(window, largest, version),
            Event::Written(packet_id) => match self.window.written(packet_id) {
                Some(Item::Row { sent, .. }) => {
                    if !self.memory.written.insert(sent.row) {
                        self.shared.report(|report| report.resent += 1);
                    }
                }
                Some(Item::State { .. } | Item::Stopped) | None => {}
            },
            Event::Answered { packet_id, refusal } => match self.window.acknowledged(packet_id) {
                Some(item) => self.answered(item, refusal),
                None => tracing::debug!("an acknowledgement for packet {packet_id}, which is not in flight"),
            },
            Event::SignedOff => self.phase = Phase::Done,
            Event::Heard | Event::Other => {}
        }
    }

    fn signed_on(&mut self, window: u16, largest: usize, version: Version) {
        self.since = Some(self.now());
        self.widest = window;
        self.window.resize(window.min(self.memory.held.window()));
        self.largest = largest;
        let Shared { settings, outbox, board, .. } = self.shared;
        // A value that only mattered then does not matter now.
        board.take_passing();
        outbox.set_connected(true);
        self.opening =
            VecDeque::from([(settings.path.box_status(), self.shared.status(BoxState::Online, self.session))]);
        self.shared.born(self.session);
        self.shared.connected(version, self.session);
    }

    fn answered(&mut self, item: Item, refusal: Option<String>) {
        match (item, refusal) {
            (Item::Row { sent, alert }, None) => {
                self.delivered.push(sent.row);
                self.memory.written.remove(&sent.row);
                let outdated = self.memory.held.accepted(sent.row, sent.retain.then_some(sent.topic.as_str()));
                self.delivered.extend(outdated);
                self.memory.held.fruitful();
                self.window.resize(self.widest.min(self.memory.held.window()));
                self.fruitful = true;
                if alert {
                    self.shared.report(|report| report.delivered += 1);
                }
            }
            (Item::Row { sent, .. }, Some(reason)) => self.hold(sent, &reason),
            (Item::State { topic }, Some(reason)) => tracing::error!(
                "broker {} refuses {topic} ({reason}); check what this user may publish",
                self.shared.sign_on.address()
            ),
            (Item::State { topic }, None) => {
                self.memory.held.accepted_state(&topic);
                self.memory.left_out.remove(&topic);
            }
            (Item::Stopped, _) => self.sign_off(),
        }
    }

    /// Tells the outbox what the broker has.
    fn settle(&mut self) {
        if !self.delivered.is_empty() {
            self.shared.outbox.delivered(&self.delivered);
            self.delivered.clear();
        }
    }

    /// One step of an orderly stop.
    fn step_down(&mut self) {
        let now = self.now();
        match self.phase {
            Phase::Flushing { until } => {
                let empty = self.window.is_empty() && self.next(1).is_empty() && !self.has_states();
                if !empty && now < until {
                    return;
                }
                let topic = self.shared.settings.path.box_status();
                let payload = self.shared.status(BoxState::Stopped, self.session);
                if !self.publish(Item::Stopped, topic, payload, true) {
                    // No way to say `stopped`. Without a sign-off the broker says `lost`,
                    // which is nearer to the truth than a retained `online`.
                    self.phase = Phase::Done;
                    return;
                }
                self.phase = Phase::Stopping { until: now + FAREWELL };
            }
            Phase::Stopping { until } | Phase::SigningOff { until } if now >= until => self.phase = Phase::Done,
            _ => {}
        }
    }

    fn sign_off(&mut self) {
        self.phase =
            if self.client.sign_off() { Phase::SigningOff { until: self.now() + FAREWELL } } else { Phase::Done };
    }

    /// Nothing heard, or a publish not answered, for too long: a half-open connection.
    fn is_silent(&self, limit: Duration) -> bool {
        let now = self.now();
        let since = self.window.oldest().map_or(self.heard, |oldest| oldest.min(self.heard));
        self.since.is_some() && now.saturating_sub(since) > limit
    }

    fn now(&self) -> Duration {
        self.shared.clock.now().mono
    }
}

impl Phase {
    const fn until(self) -> Option<Duration> {
        match self {
            Self::Flushing { until } | Self::Stopping { until } | Self::SigningOff { until } => Some(until),
            Self::Working | Self::Done => None,
        }
    }
}

/// Waits until it is set. If nobody can set it any more, that is the same.
pub(super) async fn wait_for(stop: &mut watch::Receiver<bool>) {
    // An error means that the sender is gone, which is also a reason to stop.
    let _ = stop.wait_for(|stop| *stop).await;
}

/// The bytes of a state.
pub(super) fn json(state: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(state).expect("states are plain data with text keys, which JSON can hold")
}
