//! One connection from sign-on to its end. Nothing here dials again.

mod answer;
mod errand;
mod farewell;
mod feed;
mod hearing;
mod item;
mod memory;
mod recall;
mod refusal;

use std::{
    collections::{BTreeMap, VecDeque},
    future,
    pin::pin,
    sync::Arc,
    time::Duration,
};

use karaul_wire::BoxState;
use serde::Serialize;
use tokio::{sync::watch, time};

pub(super) use self::memory::Memory;
use self::{
    errand::Errand,
    farewell::Phase,
    item::{Item, Sent},
    recall::Recall,
};
use super::{
    Concern, LinkError,
    drain::Drain,
    link::Shared,
    mqtt::{self, Client, Connection, Version, Will},
    window::Window,
};

/// How often time-outs are looked at, the disk is tended and held messages are offered again.
const TICK: Duration = Duration::from_secs(1);
/// After so many events without a pause, everything else has its turn: a flood of messages must hold up neither the
/// acknowledgements nor the wish to stop.
const MOST_IN_A_ROW: u32 = 64;
/// A connection that stood so long was not ended by a second box of the same path.
const UNRIVALLED: Duration = Duration::from_secs(600);

/// Why a connection ended.
pub(super) enum Ended {
    /// We were asked to stop.
    Stopped,
    /// We left, to dial this address.
    Left(usize),
    /// It failed; after it had stood, if it ever did.
    Failed { error: LinkError, stood: Option<Stood> },
}

/// A connection that was signed on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stood {
    /// For so long.
    pub time: Duration,
    /// At its end no message waited for an answer.
    pub idle: bool,
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
    let at = memory.route.at();
    let passing = Arc::clone(&shared.settings.passing);
    let (client, mut connection) = mqtt::connect(&shared.sign_on.dial(at), version, Some(will));
    let mut talk = Talk::new(shared, memory, client, session);
    let result = talk.run(&mut connection, version, stop).await;
    shared.outbox.set_connected(false);
    talk.settle();
    passing.close("the connection has ended");
    for item in talk.window.pending() {
        if let Item::Passing { about } = item {
            passing.dropped(about, "the connection ended before the broker had acknowledged it");
        }
    }
    let error = match result {
        Ok(()) => return talk.leaving.take().map_or(Ended::Stopped, Ended::Left),
        Err(error) => error,
    };
    let idle = talk.window.unanswered().next().is_none();
    let stood = talk.since.map(|since| Stood { time: talk.now().saturating_sub(since), idle });
    talk.judge_subscription(&error);
    talk.judge(&error);
    Ended::Failed { error, stood }
}

struct Talk<'a> {
    shared: &'a Shared,
    memory: &'a mut Memory,
    client: Client,
    session: u64,
    /// The address that it leads to, and that as `host:port`.
    at: usize,
    broker: String,
    /// When the sign-on was accepted.
    since: Option<Duration>,
    window: Window<Item>,
    /// Most that `SignedOn` allows, and bytes of topic and payload the broker accepts.
    widest: u16,
    largest: usize,
    /// How fast what waited for the connection may go out.
    drain: Drain,
    /// What is said first on each connection: topic and payload, retained.
    opening: VecDeque<(String, Vec<u8>)>,
    /// How far it is with what the broker remembers of this box.
    recall: Recall,
    /// Versions of the board's states that were handed over.
    shown: BTreeMap<String, u64>,
    /// Acknowledged rows that the outbox has not been told yet.
    delivered: Vec<i64>,
    /// The last sign of life.
    heard: Duration,
    /// A message was acknowledged on this connection.
    fruitful: bool,
    subscribed: bool,
    phase: Phase,
    /// Where to go when the farewell is over, if not to the end.
    leaving: Option<usize>,
    /// What is tried beside the connection.
    errand: Option<Errand>,
    /// When the files were last looked at, and when the last tick was.
    looked: Duration,
    ticked: Duration,
}

impl<'a> Talk<'a> {
    fn new(shared: &'a Shared, memory: &'a mut Memory, client: Client, session: u64) -> Self {
        let (widest, at) = (memory.blame.window(), memory.route.at());
        let heard = shared.clock.now().mono;
        Self {
            shared,
            memory,
            client,
            session,
            at,
            broker: shared.sign_on.address(at),
            since: None,
            window: Window::new(widest),
            widest,
            largest: 0,
            drain: Drain::new(shared.settings.broker.backlog_rate, heard),
            opening: VecDeque::new(),
            recall: Recall::None,
            shown: BTreeMap::new(),
            delivered: Vec::new(),
            heard,
            fruitful: false,
            subscribed: false,
            phase: Phase::Working,
            leaving: None,
            errand: None,
            looked: heard,
            ticked: heard,
        }
    }

    /// `Ok` once an orderly stop is through, as far as it could be.
    async fn run(
        &mut self,
        connection: &mut Connection,
        version: Version,
        stop: &mut watch::Receiver<bool>,
    ) -> Result<(), LinkError> {
        let Shared { outbox, board, settings, .. } = self.shared;
        let (commits, states, passing) = (outbox.bell(), board.bell(), settings.passing.bell());
        let mut tick = time::interval(TICK);
        tick.set_missed_tick_behavior(time::MissedTickBehavior::Delay);
        let mut in_a_row = 0;
        while self.phase != Phase::Done {
            let silence = connection.silence_limit();
            if in_a_row >= MOST_IN_A_ROW {
                in_a_row = 0;
                if *stop.borrow() && self.asked_to_stop() {
                    return Ok(());
                }
                if self.now().saturating_sub(self.ticked) >= TICK {
                    self.tick(silence)?;
                }
                self.work();
                if self.phase == Phase::Done {
                    return Ok(());
                }
            }
            let mut work = true;
            let event = {
                // The future is never dropped half-way, see `Connection::poll`.
                let mut event = pin!(connection.poll());
                loop {
                    let now = self.now();
                    let until = self.phase.until().or_else(|| self.recall.until(now));
                    let wake = until.map_or(TICK, |until| until.saturating_sub(now));
                    let heeds = self.phase.heeds_stop();
                    tokio::select! {
                        biased;
                        event = &mut event => break event?,
                        // Only when the client has nothing to tell at the moment: so
                        // acknowledgements are taken together in one transaction.
                        () = future::ready(()), if work => {
                            (work, in_a_row) = (false, 0);
                            self.work();
                            if self.phase == Phase::Done {
                                return Ok(());
                            }
                        }
                        () = commits.notified() => {
                            // Nobody hurries for what is not critical, but it does not wait for the broker.
                            self.shared.outbox.write_pending();
                            work = self.since.is_some();
                        }
                        () = states.notified(), if self.since.is_some() => work = true,
                        () = passing.notified(), if self.since.is_some() => work = true,
                        () = wait_for(stop), if heeds => {
                            if self.asked_to_stop() {
                                return Ok(());
                            }
                            work = true;
                        }
                        outcome = errand::done(&mut self.errand) => {
                            self.returned(outcome);
                            work = true;
                        }
                        _ = tick.tick() => {
                            self.tick(silence)?;
                            work = true;
                        }
                        () = time::sleep(wake), if until.is_some() => work = true,
                    }
                }
            };
            in_a_row += 1;
            self.handle(event, version);
        }
        Ok(())
    }

    /// What there is to do when nothing comes in.
    fn work(&mut self) {
        self.settle();
        self.step_down();
        if self.phase != Phase::Done {
            self.feed();
        }
    }

    /// Once a second.
    fn tick(&mut self, silence: Duration) -> Result<(), LinkError> {
        self.ticked = self.now();
        if self.is_silent(silence) {
            return Err(LinkError::Silent { address: self.address(), limit: silence });
        }
        self.shared.outbox.tend();
        self.shared.settings.passing.tend(self.ticked);
        self.count_held();
        if self.since.is_some_and(|since| self.ticked.saturating_sub(since) > UNRIVALLED) {
            self.shared.concern(Concern::Rival, None);
            self.memory.blame.absolve();
        }
        self.run_errands();
        Ok(())
    }

    fn signed_on(&mut self, window: u16, largest: usize, version: Version) {
        self.since = Some(self.now());
        self.widest = window;
        self.window.resize(window.min(self.memory.blame.window()));
        self.largest = largest;
        let Shared { outbox, board, settings, .. } = self.shared;
        board.retained().connected(&self.broker);
        settings.passing.open();
        // A value that only mattered then does not matter now.
        board.take_passing();
        outbox.set_connected(true);
        self.shared.born(self.session);
        let online = self.online();
        self.recall = self.memory.recalls.begin(self.at, &online.1);
        self.opening = VecDeque::from([online]);
        self.shared.connected(self.at, version, self.session);
    }

    /// What is said before all else: that the box is there.
    fn online(&self) -> (String, Vec<u8>) {
        (self.shared.settings.path.box_status(), self.shared.status(BoxState::Online, self.session))
    }

    /// Tells the outbox what the broker has.
    fn settle(&mut self) {
        if !self.delivered.is_empty() {
            self.shared.outbox.delivered(&self.delivered);
            self.delivered.clear();
        }
    }

    /// Nothing heard, or a publish not answered, for too long: a half-open connection.
    fn is_silent(&self, limit: Duration) -> bool {
        let now = self.now();
        let since = self.window.oldest().map_or(self.heard, |oldest| oldest.min(self.heard));
        self.since.is_some() && now.saturating_sub(since) > limit
    }

    fn address(&self) -> String {
        self.broker.clone()
    }

    fn now(&self) -> Duration {
        self.shared.clock.now().mono
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
